"""Warnings of a clips table: what is told, and that a sound table is told nothing of."""

import re

import numpy as np
import pandas as pd
import pytest

from ser_classic.corpora import CorpusError
from ser_classic.corpora.warnings import by_speaker, incomplete, require_trained, warnings_of
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
        ([*SOUND, ("s1", "disgust"), ("s2", "disgust")], ["disgust (2)", "--drop"]),
        ([*SOUND, *[("s1", "fear")] * 6], ["fear (s1)", "--drop"]),
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


def test_one_recording_under_two_speakers():
    clips = table(SOUND, sha256=[f"{number:064}" for number in range(len(SOUND))])
    assert warnings_of(clips) == []
    clips.iloc[0, -1] = clips.iloc[4, -1]
    (told,) = warnings_of(clips)
    assert "own/0 and own/4" in told


def test_parts_of_one_recording_are_no_copies():
    """Two people of one conversation stand in one file."""
    starts = [str(number) for number in range(len(SOUND))]
    assert warnings_of(table(SOUND, sha256="0" * 64, start=starts, end=None)) == []


def folds_of(clips: pd.DataFrame) -> list[Fold]:
    """Leave one speaker out."""
    owners = clips["speaker"].to_numpy()
    return [
        Fold(who, np.flatnonzero(owners != who), np.flatnonzero(owners == who)) for who in sorted(set(owners))
    ]


def test_an_emotion_that_is_never_learned_where_it_is_tested_is_no_score(tmp_path):
    sound = table(SOUND)
    assert require_trained("own, loso", sound["emotion"].to_numpy(), folds_of(sound)) is None
    alone = table([*SOUND, *[("s1", "fear")] * 6])
    with pytest.raises(CorpusError, match=r"fear.*--drop"):
        require_trained("own, loso", alone["emotion"].to_numpy(), folds_of(alone))
    folds = folds_of(alone)
    folds[0] = Fold("0", folds[0].train, np.arange(len(alone)))  # there it is learned and tested
    told = require_trained("own, loso", alone["emotion"].to_numpy(), folds)
    assert "6 of 12 clips of fear" in told


@pytest.mark.parametrize(
    ("names", "told"),
    [
        ({"s1": ("call_17", "b"), "s2": ("CALL_17", "c")}, ["s1/call_17.wav (s1)", "s2/CALL_17.wav (s2)"]),
        ({"s1": ("call_17", "001"), "s2": ("call_18", "001")}, None),  # a number is no name
        (dict.fromkeys(("s1", "s2", "s3"), ("sentence_1",)), None),  # names tell what is said
        ({"s1": ("call_17", "call_17")}, None),  # one speaker
    ],
    ids=["two speakers", "numbers", "sentences", "one speaker"],
)
def test_files_called_alike_under_two_speakers_are_told(names, told):
    check_called_alike(SOUND, names, told)


@pytest.mark.parametrize("count", [1, 8])
def test_of_two_speakers_few_files_called_alike_are_told_and_a_scheme_of_names_is_not(count):
    two = [(who, emotion) for who, emotion in SOUND if who in ("s1", "s2")]
    names = dict.fromkeys(("s1", "s2"), tuple(f"sentence_{number}" for number in range(count)))
    told = ["s1/sentence_0.wav (s1)", "s2/sentence_0.wav (s2)"] if count == 1 else None
    check_called_alike(two, names, told)


def check_called_alike(clips, names, told):
    found = table(clips).assign(file=[f"x/{number}_of_all.wav" for number in range(len(clips))])
    for who, stems in names.items():
        rows = np.flatnonzero(found["speaker"] == f"own/{who}")
        for row, stem in zip(rows, stems, strict=False):
            found.iloc[row, found.columns.get_loc("file")] = f"{who}/{stem}.wav"
    warned = [line for line in warnings_of(found) if "same name" in line]
    assert len(warned) == (told is not None)
    assert all(word in warned[0] for word in told or ())


def test_folds_that_lack_an_emotion_are_told_with_what_to_do():
    sound = table(SOUND)
    assert by_speaker(sound) == []
    assert by_speaker(table([(None, word) for _, word in SOUND])) == []
    few = table([*SOUND, ("s1", "fear"), ("s2", "fear")])
    (told,) = by_speaker(few)
    assert re.match(r"own, loso: 4 of 6 folds .*fear in 4 \(2 clips in all\)", told)
    (told,) = by_speaker(table([*SOUND, ("s1", "fear")]))
    assert "fear in 5 (1 clip in all)" in told
    assert "speakers5" in told
    one, two = [*range(9), 18], [*range(9, 18), 19]
    halves = [Fold("1", np.array(two), np.array(one)), Fold("2", np.array(one), np.array(two))]
    assert (
        incomplete("own, halves", few["emotion"].to_numpy(dtype=str), [each.test for each in halves]) is None
    )
    alone = table([(f"s{number}", WORDS[number % 3]) for number in range(6) for _ in range(7)])
    assert re.search("6 of 6 folds .*6 ", by_speaker(alone)[0])
