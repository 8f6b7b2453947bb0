"""The program that makes the built-in predictor, on tiny corpora: it fits, tests on strangers and writes."""

import runpy
import sys
from pathlib import Path

import pandas as pd
import pytest
from tiny_corpus import record

from ser_classic import load
from ser_classic.metrics import confusion, uar_of
from ser_classic.predictor import BUILT_IN, load_predictor
from ser_classic.predictor.cards import text

PROGRAM = Path(__file__).parents[1] / "benchmarks" / "built_in.py"


def manifest(folder: Path, name: str, speaker: str) -> str:
    """A manifest of short clips of a speaker."""
    record(folder / name, (speaker,))
    files = sorted(str(path.relative_to(folder)) for path in (folder / name).rglob("*.wav"))
    rows = [(file, Path(file).parent.name, speaker) for file in files]
    pd.DataFrame(rows, columns=["file", "emotion", "speaker"]).to_csv(folder / f"{name}.csv", index=False)
    return str(folder / f"{name}.csv")


def test_it_fits_tests_on_strangers_and_writes_the_same_file_again(tmp_path, monkeypatch):
    names = [manifest(tmp_path, f"corpus{number}", f"s0{number}") for number in (1, 2, 3, 4)]
    program = runpy.run_path(str(PROGRAM))
    main = program["main"]
    tiny = {"CORPORA": names[:2], "STRANGERS": names[2:], "FEATURES": "mfcc13", "EMOTIONS": ("angry", "sad")}
    for name, value in (tiny | {"COPIES": 1}).items():
        monkeypatch.setitem(main.__globals__, name, value)
    made = []
    for folder in (tmp_path / "first", tmp_path / "second"):
        folder.mkdir()
        monkeypatch.setattr(sys, "argv", [str(PROGRAM), str(folder)])
        main()
        made.append((folder / BUILT_IN.name).read_bytes())
    assert made[0] == made[1]
    predictor = load_predictor(folder / BUILT_IN.name)
    found = predictor.card["evaluation"]
    assert predictor.card["facts"] == program["FACTS"]
    assert (found["clips"], found["speakers"], found["classes"]) == (16, 2, 2)
    uars = []
    for name in names[2:]:
        root, clips, _ = load(name)
        clips = clips[clips["emotion"] != "neutral"]
        guesses = predictor.predict([root / file for file in clips["file"]])["emotion"]
        uars.append(uar_of(confusion(clips["emotion"], guesses, predictor.classes)[0]))
    assert found["uar"] == pytest.approx(sum(uars) / 2)
    assert f"{100 * found['uar']:.1f} %" in text(predictor.card)
