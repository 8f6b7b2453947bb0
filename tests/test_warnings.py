"""Warnings of a clips table: what is told, and that a sound table is told nothing of."""

import re

import numpy as np
import pandas as pd
import pytest

from ser_classic.corpora import CorpusError
from ser_classic.corpora.warnings import warnings_of, warnings_of_folds
from ser_classic.protocols import Fold

WORDS = ("angry", "neutral", "sad")


def table(rows: list[tuple[str, str]], **columns) -> pd.DataFrame:
    """A clips table of (speaker, emotion), as far as it is looked at."""
    index = pd.Index([f"own/{number}" for number in range(len(rows))], name="clip")
    speakers, emotions = zip(*rows, strict=True)
    frame = pd.DataFrame(
        {
            "corpus": "own",
            "speaker": [None if speaker is None else f"own/{speaker}" for speaker in speakers],
            "emotion": emotions,
            "label": emotions,
        },
        index=index,
    )
    return frame.assign(**columns)


SOUND = [(f"s{number}", word) for number in range(6) for word in WORDS]


def test_a_sound_table_is_told_nothing_of():
    assert warnings_of(table(SOUND)) == []
    assert warnings_of(table([(None, word) for _, word in SOUND])) == []


@pytest.mark.parametrize(
    ("rows", "named"),
    [
        ([(f"s{number}", WORDS[number % 3]) for number in range(9) for _ in range(4)], ["9 of 9", "UAR"]),
        ([*SOUND, ("s1", "disgust"), ("s2", "disgust")], ["disgust (2 clips)", "--drop"]),
        ([*SOUND, *[("s1", "fear")] * 6], ["fear (6 clips of one speaker)", "--drop"]),
        ([*SOUND, *[("s1_b", word) for word in WORDS]], ["s1 and s1_b", "--map-speaker"]),
        (
            [(f"s{n}_{word}", other) for n in range(3) for word in WORDS for other in WORDS],
            ["s0_angry and s0_neutral", "--map-speaker"],
        ),
    ],
    ids=["confounded", "rare", "of one speaker", "an ending", "an emotion in the name"],
)
def test_what_is_wrong_is_told_once_with_a_remedy(rows, named):
    told = warnings_of(table(rows))
    assert len(told) == 1
    assert told[0].startswith("own: ")
    assert all(word in told[0] for word in named)


def folds_of(clips: pd.DataFrame) -> list[Fold]:
    """Leave one speaker out."""
    owners = clips["speaker"].to_numpy()
    return [
        Fold(who, np.flatnonzero(owners != who), np.flatnonzero(owners == who)) for who in sorted(set(owners))
    ]


def test_an_emotion_that_is_never_learned_where_it_is_tested_is_no_score(tmp_path):
    sound = table(SOUND)
    assert warnings_of_folds("own, loso", sound["emotion"].to_numpy(), folds_of(sound)) == []
    alone = table([*SOUND, *[("s1", "fear")] * 6])
    with pytest.raises(CorpusError, match=r"fear.*--drop"):
        warnings_of_folds("own, loso", alone["emotion"].to_numpy(), folds_of(alone))
    folds = folds_of(alone)
    folds[0] = Fold("0", folds[0].train, np.arange(len(alone)))  # there it is learned and tested
    told = warnings_of_folds("own, loso", alone["emotion"].to_numpy(), folds)[0]
    assert "6 of 12 clips of fear" in told


def test_a_part_that_is_misspelled_is_told_and_other_words_are_their_own():
    for parts, told in (("train test", 0), ("Train tset", 1), ("A B", 0)):
        clips = table(SOUND, partition=np.resize(parts.split(), len(SOUND)))
        assert len(warnings_of(clips)) == told
        assert all("9 clips" in line and "tset" in line for line in warnings_of(clips))
    clips = table(SOUND, partition=np.resize(["train", "test", None], len(SOUND)))
    assert len(warnings_of(clips)) == 1  # of those that have no part


def test_folds_that_lack_an_emotion_are_told_with_what_to_do():
    few = table([*SOUND, ("s1", "fear"), ("s2", "fear")])
    emotions = few["emotion"].to_numpy(dtype=str)
    (told,) = warnings_of_folds("own, loso", emotions, folds_of(few))
    assert re.match(r"own, loso: 4 of 6 folds .*fear in 4 \(2 clips in all\)", told)
    assert "speakers5" in told
    one, two = (np.array(rows) for rows in ([*range(9), 18], [*range(9, 18), 19]))
    assert warnings_of_folds("own, halves", emotions, [Fold("1", two, one), Fold("2", one, two)]) == []
