"""Spelling: what is one speaker, sentence or emotion is written in one way, or asked about."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from shlex import quote

import pandas as pd

from ser_classic.corpora.clips import CorpusError
from ser_classic.errors import some

UNSEEN = dict.fromkeys(map(ord, "\ufeff\u200b\u2060\u00ad"))  # marks without width, which editors leave

SYNONYMS = {
    **{"anger": "angry", "bored": "boredom", "calmness": "calm", "disgusted": "disgust"},
    **dict.fromkeys(("fearful", "afraid", "scared", "anxiety"), "fear"),
    **dict.fromkeys(("happiness", "joy", "joyful"), "happy"),
    **{"neutrality": "neutral", "sadness": "sad"},
    **dict.fromkeys(("surprised", "pleasant_surprise", "pleasant_surprised", "ps"), "surprise"),
}
SEX = {
    **dict.fromkeys(("f", "w", "female", "woman", "girl"), "female"),
    **dict.fromkeys(("m", "male", "man", "boy"), "male"),
}


def plain(value: str) -> str:
    """A word as it is compared: composed (Unicode NFC), without space around it, `1.0` as `1`.

    Examples
    --------
    >>> plain(" Zoe\\u0308 "), plain("7.0"), plain("007")
    ('Zoë', '7', '007')
    """
    word = " ".join(unicodedata.normalize("NFC", str(value)).translate(UNSEEN).split())
    whole = re.fullmatch(r"([+-]?\d+)\.0+", word)
    return whole[1] if whole else word


def emotion_word(label: str) -> str:
    """A label as one word in lower case.

    Examples
    --------
    >>> emotion_word("Very happy ")
    'very_happy'
    """
    return re.sub(r"[\s,/]+", "_", plain(label).lower())


def alike(word: str) -> str:
    """What two words share that may be the same: letter case, leading zeros and signs between parts are gone.

    Examples
    --------
    >>> alike("Spk 007") == alike("spk_7"), alike("s1") == alike("s10")
    (True, False)
    """
    word = unicodedata.normalize("NFC", unicodedata.normalize("NFKC", word).casefold())
    return re.sub(r"(?<!\d)0+(?=\d)", "", re.sub(r"[\s_\-.]+", "_", word))


def mapped(
    values: Iterable[str],
    given: Mapping[str, str],
    what: str,
    option: str,
    name: str,
    spell: Callable[[str], str] = plain,
    synonyms: Mapping[str, str] = {},
) -> dict[str, str]:
    """The meaning of each word; refuses spellings that may be the same.

    `given` are the meanings that the user states; a word that means itself is kept apart from those like it.
    `synonyms` are the meanings of other words, and `spell` is how words are compared. Messages say `what` the
    words are, which `option` states their meaning, and the `name` of the corpus.

    Examples
    --------
    >>> mapped(["Ann ", "ann", "Ben"], {"ann": "Ann"}, "speakers", "--map-speaker", "mine")
    {'Ann ': 'Ann', 'Ben': 'Ben', 'ann': 'Ann'}
    """
    words = {value: spell(value) for value in sorted(set(values))}
    wanted = {spell(word): spell(meaning) for word, meaning in given.items()}
    require_occurring(wanted, words.values(), what, option, name)
    meaning = {value: wanted.get(word, synonyms.get(word, word)) for value, word in words.items()}
    stated = {word for word, means in wanted.items() if means == word}
    groups: dict[str, list[str]] = defaultdict(list)
    for word in sorted(set(meaning.values())):
        groups[alike(word)].append(word)
    doubtful = [group for group in groups.values() if len(set(group) - stated) > 1]
    if doubtful:
        shown = some((" and ".join(map(repr, group)) for group in doubtful), apart="; ")
        one, other = doubtful[0][:2]
        raise CorpusError(
            f"{name}: of its {what}, {shown} may be the same. Counted as two, it would be on both sides of "
            f"a fold. Use one spelling, or give {option} {quote(f'{one}={other}')} for each pair; "
            f"{option} {quote(f'{one}={one}')} keeps them apart"
        )
    return meaning


def require_occurring(named: Iterable[str], words: Iterable[str], what: str, option: str, name: str) -> None:
    """Refuse words that an option names and a corpus lacks."""
    if absent := sorted(set(named) - set(words)):
        raise CorpusError(
            f"{name}: {option} names {', '.join(map(repr, absent))}, which does not occur; its {what} are "
            f"{some(sorted(set(words)), 30)}"
        )


def most_frequent(values: pd.Series) -> pd.Series:
    """Texts, with those that are alike in their most frequent spelling; missing ones stay missing."""
    words = values.dropna().map(plain)
    counts = words.value_counts().sort_index().sort_values(ascending=False, kind="stable")
    usual = counts.index.to_series().groupby(list(map(alike, counts.index))).first()
    return words.map(alike).map(usual).reindex(values.index)
