"""The store: whole runs or none, and what is foreign is named."""

import bz2
import json
import os
import shutil
from pathlib import Path

import pandas as pd
import pytest

from ser_classic import store
from ser_classic.errors import SerClassicError


def record(name: str = "c--loso--f--m--0", **more) -> dict:
    names = dict(zip(store.NAMES, name.split("--"), strict=True))
    told = {"schema": store.SCHEMA, "id": name, "status": "ok", "track": "blind", "leaky": False}
    told |= {"base": "loso", "independent": True, "parameters": {}, "versions": {}, "machine": {}}
    told |= {"folds": [], "fit_seconds": 1.0, "predict_seconds": 1, "size": 1}
    return told | names | {"digests": {"clips": "1"}} | more


def predictions() -> pd.DataFrame:
    return pd.DataFrame(
        {"fold": ["01", "01"], "clip": ["c/1", "c/2"], "guess": ["happy", "sad"], "p_happy": [0.75, 1 / 3]}
    )


def test_what_is_written_is_read_back_to_three_decimals_and_equals_are_equal_bytes(tmp_path):
    store.write_run(tmp_path, record(), predictions())
    (run,) = store.runs(tmp_path)
    assert run.ok
    assert run.id == "c--loso--f--m--0"
    read = run.predictions()
    assert read["fold"].tolist() == ["01", "01"]
    assert read["p_happy"].tolist() == [0.75, 0.333]
    paths = [store.write_run(tmp_path / name, record(), predictions()).path for name in "ab"]
    one, two = ((path / "predictions.csv.bz2").read_bytes() for path in paths)
    assert one == two


def test_writing_again_replaces_the_run_and_leaves_nothing_behind_and_a_draft_is_no_run(tmp_path):
    store.write_run(tmp_path, record(), predictions())
    store.write_run(tmp_path, record(status="failed", error="no"), None)
    (run,) = store.runs(tmp_path)
    assert not run.ok
    with pytest.raises(SerClassicError, match=r"\(no\)"):
        run.predictions()
    assert [path.name for path in (tmp_path / "runs").iterdir()] == [run.id]
    store.write_run(tmp_path, record(), predictions())
    shutil.copytree(tmp_path / "runs" / "c--loso--f--m--0", tmp_path / "runs" / ".draft-1")
    assert len(list(store.runs(tmp_path))) == 1


def test_runs_that_test_the_same_clips_in_the_same_folds_store_them_once(tmp_path):
    ids = [f"c--loso--f--{model}--0" for model in "mno"]
    for name in ids[:2]:
        store.write_run(tmp_path, record(name), predictions())
    other = store.write_run(tmp_path, record(ids[2]), predictions().assign(fold=["01", "02"]))
    assert len(list((tmp_path / "folds").iterdir())) == 2
    one, two, three = (run.record["digests"] for run in store.runs(tmp_path))
    assert one == two
    assert one["predictions"] != three["predictions"]  # other folds, although the guesses are equal
    assert other.predictions()["fold"].tolist() == ["01", "02"]


@pytest.mark.parametrize("how", ["absent", "not compressed", "changed"])
def test_folds_that_are_not_those_of_the_run_are_refused(tmp_path, how):
    run = store.write_run(tmp_path, record(), predictions())
    (path,) = (tmp_path / "folds").iterdir()
    path.unlink()
    if how != "absent":
        path.write_bytes(b"junk" if how == "not compressed" else bz2.compress(b"fold,clip\n1,c/1\n1,c/2\n"))
    with pytest.raises(SerClassicError, match=path.name):
        run.predictions()
    store.write_run(tmp_path, record(), predictions())
    assert len(run.predictions()) == 2


def test_probabilities_are_rounded_as_they_are_printed(tmp_path):
    probabilities = [0.0005, 0.0015, 0.0025, 0.1235, 0.9995, 1.0, 0.0, -0.0001]
    table = pd.DataFrame({"fold": "1", "clip": list("abcdefgh"), "guess": "sad", "p_sad": probabilities})
    read = store.write_run(tmp_path, record(), table).predictions()
    assert read["p_sad"].tolist() == [float(f"{probability:.3f}") for probability in probabilities]


def altered(**said):
    """Let the record say something else."""

    def change(folder: Path) -> None:
        file = folder / "run.json"
        file.write_text(json.dumps(json.loads(file.read_text()) | said))

    return change


def without(name):
    """Let the record lack something."""

    def change(folder: Path) -> None:
        told = json.loads((folder / "run.json").read_text())
        del told[name]
        (folder / "run.json").write_text(json.dumps(told))

    return change


DAMAGES = {
    "no record": lambda folder: (folder / "run.json").unlink(),
    "half a record": lambda folder: os.truncate(folder / "run.json", 40),
    "another schema": altered(schema=99),
    "another id": altered(id="other"),
    "another model": altered(model="other"),
    "no digests": altered(digests={}),
    "digests that are none": altered(digests={"clips": "1", "folds": 3, "predictions": "1"}),
    "parameters that are none": altered(parameters=3),
    **{f"no {name}": without(name) for name in record() if name != "digests"},
    "no predictions": lambda folder: (folder / "predictions.csv.bz2").unlink(),
}


@pytest.mark.parametrize("how", DAMAGES)
def test_a_broken_run_is_named_and_the_others_are_read(tmp_path, how):
    store.write_run(tmp_path, record(), predictions())
    store.write_run(tmp_path, record("whole--loso--f--m--0"), predictions())
    DAMAGES[how](tmp_path / "runs" / "c--loso--f--m--0")
    problems: list[str] = []
    assert [run.id for run in store.runs(tmp_path, problems.append)] == ["whole--loso--f--m--0"]
    assert len(problems) == 1
    assert "c--loso--f--m--0" in problems[0]
    assert "remove it" in problems[0] or "run it again" in problems[0]


@pytest.mark.parametrize("how", ["edited", "cut"])
def test_changed_predictions_are_refused(tmp_path, how):
    run = store.write_run(tmp_path, record(), predictions())
    path = run.path / "predictions.csv.bz2"
    text = bz2.decompress(path.read_bytes())
    path.write_bytes(
        path.read_bytes()[:-12] if how == "cut" else bz2.compress(text.replace(b"sad", b"happy"))
    )
    (again,) = store.runs(tmp_path)
    with pytest.raises(SerClassicError, match="run it again"):
        again.predictions()


def clips(count: int = 2) -> pd.DataFrame:
    names = [f"c/{number}" for number in range(count)]
    return pd.DataFrame(
        {"file": [f"{name}.wav" for name in names], "speaker": "c/s", "emotion": "happy", "sex": None},
        index=pd.Index(names, name="clip"),
    )


def test_a_clips_table_is_the_same_for_every_packaging(tmp_path):
    store.write_clips(tmp_path, "c", clips())
    store.write_clips(tmp_path, "c", clips()[::-1].assign(file="other.flac"))
    read = store.read_clips(tmp_path, "c")
    assert read.index.tolist() == ["c/0", "c/1"]
    assert "file" not in read
    assert read["sex"].isna().all()


def test_another_clips_table_is_refused_once_runs_refer_to_it(tmp_path):
    store.write_clips(tmp_path, "c", clips(2))
    store.write_clips(tmp_path, "c", clips(3))
    store.write_run(tmp_path, record(), predictions())
    with pytest.raises(SerClassicError, match="c: its 2 clips"):
        store.write_clips(tmp_path, "c", clips(2))
    assert len(store.read_clips(tmp_path, "c")) == 3


def test_a_results_folder_that_is_a_file_is_one_message(tmp_path):
    (tmp_path / "results").write_text("")
    with pytest.raises(SerClassicError, match="--results"):
        store.write_run(tmp_path / "results", record(), predictions())
    with pytest.raises(SerClassicError, match="--results"):
        store.write_clips(tmp_path / "results", "c", clips())


def test_words_that_look_like_missing_values_are_kept(tmp_path):
    words = ["nan", "none"]
    table = predictions().assign(fold=["NA", "null"], guess=words, p_happy=[0.5, None])
    run = store.write_run(tmp_path, record(), table, pd.DataFrame({"fold": words, "epoch": [0, 1]}))
    read = run.predictions()
    assert read["guess"].tolist() == words
    assert read["fold"].tolist() == ["NA", "null"]
    assert read["p_happy"].isna().tolist() == [False, True]
    assert run.curves()["fold"].tolist() == words


@pytest.mark.parametrize("content", [b"junk\n", b"", b"\xff\xfe"])
def test_a_damaged_clips_table_is_one_message(tmp_path, content):
    store.write_clips(tmp_path, "c", clips())
    store.write_run(tmp_path, record(), predictions())
    (tmp_path / "clips" / "c.csv").write_bytes(content)
    with pytest.raises(SerClassicError, match=r"c\.csv: "):
        store.read_clips(tmp_path, "c")
    with pytest.raises(SerClassicError, match="remove"):
        store.write_clips(tmp_path, "c", clips())
