"""Labels for other programs: the numbers that they read, and tiers that they accept."""

import pytest

from ser_classic.cli.labels import FORMATS

ANSWERS = [
    {"start": 0.5, "end": 2.0, "emotion": "angry", "confidence": 0.814, "channel": "left"},
    {"start": 1.5, "end": 3.25, "emotion": None, "confidence": float("nan"), "channel": "left"},
    {"start": 1.0, "end": 2.0, "emotion": 'so "sad"', "channel": "right"},
]


def test_audacity_reads_a_line_an_answer():
    lines = FORMATS["audacity"](ANSWERS, 4.0).splitlines()
    assert [line.split("\t") for line in lines] == [
        ["0.500000", "2.000000", "left: angry 0.81"],
        ["1.500000", "3.250000", "left: silent"],
        ["1.000000", "2.000000", 'right: so "sad"'],
    ]


def test_subtitles_follow_each_other_in_time_with_hours_and_milliseconds():
    late = {"start": 3661.0075, "end": 3662.9999, "emotion": "sad"}
    blocks = FORMATS["srt"]([late, *ANSWERS], 4000.0).strip().split("\n\n")
    assert [block.splitlines()[1] for block in blocks] == [
        "00:00:00,500 --> 00:00:02,000",
        "00:00:01,000 --> 00:00:02,000",
        "00:00:01,500 --> 00:00:03,250",
        "01:01:01,008 --> 01:01:03,000",
    ]
    assert [block.splitlines()[0] for block in blocks] == ["1", "2", "3", "4"]


def test_a_textgrid_is_read_by_praat_and_covers_the_recording(tmp_path):
    parselmouth = pytest.importorskip("parselmouth")
    path = tmp_path / "x.TextGrid"
    path.write_text(FORMATS["textgrid"](ANSWERS, 4.0))
    grid = parselmouth.read(str(path))

    def ask(command, *numbers):
        return parselmouth.praat.call(grid, command, *numbers)

    assert ask("Get number of tiers") == 2
    assert [ask("Get tier name...", tier) for tier in (1, 2)] == ["left", "right"]
    labels = [
        [
            ask("Get label of interval...", tier, place + 1)
            for place in range(ask("Get number of intervals...", tier))
        ]
        for tier in (1, 2)
    ]
    assert labels == [["", "angry 0.81", "silent", ""], ["", 'so "sad"', ""]]
    ends = [ask("Get end time of interval...", 1, place) for place in (1, 2, 3, 4)]
    assert ends == pytest.approx([0.5, 1.5, 3.25, 4.0])
