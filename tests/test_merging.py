"""Results folders joined: all that fits, and nothing that does not."""

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest

from ser_classic import store
from ser_classic.errors import SerClassicError
from ser_classic.experiment.bench import bench
from ser_classic.experiment.cells import Cell
from ser_classic.experiment.merging import merge
from ser_classic.experiment.suites import shard_of
from ser_classic.report import write

CELLS = [
    Cell("tiny", protocol, "mfcc13", model)
    for protocol in ("loso", "loso_adapted", "random5")
    for model in ("prior", "svc_auto", "ridge", "ridge_linear")
]


@pytest.fixture(scope="module")
def whole(tiny, cache, tmp_path_factory) -> Path:
    """All cells, run at once."""
    results = tmp_path_factory.mktemp("whole")
    bench(CELLS, results, cache=cache, own={"tiny": tiny})
    return results


@pytest.fixture(scope="module")
def shards(tiny, cache, tmp_path_factory) -> Path:
    """The cells in three shards, each in a folder of its own, and one of a shard without cells."""
    root = tmp_path_factory.mktemp("shards")
    for number in (1, 2, 3):
        bench(shard_of(CELLS, number, 3), root / str(number), cache=cache, own={"tiny": tiny})
    write(root / "empty", figures=False)
    return root


@pytest.fixture
def parts(shards, tmp_path) -> list[Path]:
    """A copy of the shards' folders."""
    return [Path(shutil.copytree(folder, tmp_path / folder.name)) for folder in sorted(shards.iterdir())]


def edit(path: Path, **changes: object) -> None:
    """Change what a run's record says."""
    record = json.loads((path / "run.json").read_text())
    for key, value in changes.items():
        record[key] = record[key] | value if isinstance(value, dict) else value
    (path / "run.json").write_text(json.dumps(record))


def first(results: Path) -> Path:
    return next(store.runs(results)).path


def timeless(results: Path) -> pd.DataFrame:
    """The leaderboard as text, but for what a clock gave."""
    board = pd.read_csv(results / "leaderboard.csv", dtype=str)
    return board.drop(columns=["fit_seconds", "predict_seconds"])


def test_a_sharded_run_merged_is_the_unsharded_run(whole, parts, tmp_path, ser):
    out = tmp_path / "out"
    done = ser("results", "merge", *parts, "--into", out)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"{out}: 12 runs copied, 0 kept\n"
    write(whole, figures=False)
    pd.testing.assert_frame_equal(timeless(out), timeless(whole))
    for run in store.runs(whole):
        copied = out / "runs" / run.id / "predictions.csv.bz2"
        assert copied.read_bytes() == (run.path / "predictions.csv.bz2").read_bytes()
        pd.testing.assert_frame_equal(store.read_run(copied.parent).predictions(), run.predictions())
    assert (out / "clips" / "tiny.csv").read_bytes() == (whole / "clips" / "tiny.csv").read_bytes()


def test_merging_again_changes_nothing(parts, tmp_path):
    out = tmp_path / "out"
    merge(parts[:2], out)
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*.*")}
    copied, kept = merge([*parts[:2], out], out)
    assert (copied, len(kept)) == ([], 8)
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*.*")} == before
    assert len(merge(parts, out)[0]) == 4


def test_the_folder_to_merge_into_may_be_among_the_sources_in_another_spelling(parts, monkeypatch):
    monkeypatch.chdir(parts[0].parent)
    into = Path(parts[0].name)
    assert not into.is_absolute()
    copied, kept = merge([parts[0], into / ".." / into, parts[1]], into)
    assert (len(copied), len(kept)) == (4, 4)


@pytest.mark.parametrize("inside", ["runs", "runs/new", "new", ".."])
def test_a_source_is_not_written_into_nor_what_it_is_in(parts, inside):
    before = sorted(parts[0].rglob("*"))
    with pytest.raises(SerClassicError, match=f"{inside}: "):
        merge(parts, parts[0] / inside)
    assert sorted(parts[0].rglob("*")) == before


def test_runs_equal_in_predictions_may_be_there_twice(parts, tmp_path):
    shutil.copytree(parts[0], tmp_path / "again")
    edit(first(tmp_path / "again"), fit_seconds=99.0)
    copied, _ = merge([parts[0], tmp_path / "again"], tmp_path / "out")
    assert len(copied) == 4
    assert first(tmp_path / "out").joinpath("run.json").read_bytes() == (
        first(parts[0]).joinpath("run.json").read_bytes()
    )


@pytest.mark.parametrize("order", [slice(None), slice(None, None, -1)])
def test_a_failed_run_gives_way_to_a_finished_one(parts, tmp_path, order):
    shutil.copytree(parts[0], tmp_path / "again")
    failed = first(tmp_path / "again")
    edit(failed, status="failed", error="planted")
    (failed / "predictions.csv.bz2").unlink()
    merge([parts[0], tmp_path / "again"][order], tmp_path / "out")
    assert store.read_run(tmp_path / "out" / "runs" / failed.name).ok
    merge([tmp_path / "again"], tmp_path / "alone")
    assert not store.read_run(tmp_path / "alone" / "runs" / failed.name).ok
    assert failed.name in merge([parts[0]], tmp_path / "alone")[0]
    assert store.read_run(tmp_path / "alone" / "runs" / failed.name).ok


def other_predictions(folder: Path, path: Path) -> None:
    run = store.read_run(path)
    record = {key: value for key, value in run.record.items() if key != "digests"}
    digests = {"clips": run.record["digests"]["clips"], "features": "another"}
    store.write_run(folder, record | {"digests": digests}, run.predictions().iloc[::-1])


def other_clips(folder: Path, path: Path) -> None:
    clips = folder / "clips" / "tiny.csv"
    clips.write_text(clips.read_text().replace("s04", "s05"))


def other_bytes(folder: Path, path: Path) -> None:
    other = [run.path for run in store.runs(folder)][-1]
    shutil.copyfile(other / "predictions.csv.bz2", path / "predictions.csv.bz2")


@pytest.mark.parametrize(
    ("spoil", "alone", "reason"),
    [
        (other_predictions, False, "tiny--.*predictions.*features"),
        (other_clips, False, "tiny: .*tiny.csv.*tiny.csv"),
        (lambda folder, path: edit(path, schema=99), False, "99.* 2"),
        (lambda folder, path: edit(path, digests={"clips": "0" * 64}), False, "tiny: "),
        (lambda folder, path: (folder / "clips/tiny.csv").unlink(), True, "clips/tiny.csv"),
        (
            lambda folder, path: (folder / "clips/tiny.csv").write_bytes(b"\xff"),
            False,
            r"tiny: .*tiny\.csv and .*tiny\.csv",
        ),
        (other_bytes, True, "tiny--.*predictions .*changed"),
        (lambda folder, path: shutil.rmtree(folder / "folds"), True, "folds"),
        (lambda folder, path: (path / "predictions.csv.bz2").unlink(), True, "tiny--.*predictions .*missing"),
    ],
)
def test_what_does_not_fit_is_refused_and_nothing_is_written(whole, parts, tmp_path, spoil, alone, reason):
    shutil.copytree(parts[0], tmp_path / "spoilt")
    spoil(tmp_path / "spoilt", first(tmp_path / "spoilt"))
    with pytest.raises(SerClassicError, match=reason):
        merge([tmp_path / "spoilt"] if alone else [whole, tmp_path / "spoilt"], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_the_folder_to_merge_into_has_to_fit_too(whole, parts, tmp_path):
    shutil.copytree(parts[0], tmp_path / "out")
    other_clips(tmp_path / "out", tmp_path)
    before = sorted((tmp_path / "out").rglob("*"))
    with pytest.raises(SerClassicError, match="tiny: "):
        merge([whole], tmp_path / "out")
    assert sorted((tmp_path / "out").rglob("*")) == before


def test_runs_of_another_corpus_to_train_on_are_compared_too(parts, tmp_path):
    """A cross run says which clips of the other corpus it was trained on."""
    edit(first(parts[0]), digests={"trained_clips": {"other": "1" * 64}})
    edit(first(parts[1]), digests={"trained_clips": {"other": "2" * 64}})
    with pytest.raises(SerClassicError, match=r"other: "):
        merge(parts, tmp_path / "out")


def test_many_reasons_are_counted_and_a_folder_without_results_is_named(whole, tmp_path):
    shutil.copytree(whole, tmp_path / "spoilt")
    for run in store.runs(tmp_path / "spoilt"):
        edit(run.path, schema=99)
    with pytest.raises(SerClassicError, match="and 7 more"):
        merge([tmp_path / "spoilt"], tmp_path / "out")
    (tmp_path / "nothing").mkdir()
    for name in ("nothing", "absent"):
        with pytest.raises(SerClassicError, match=f"{name}: "):
            merge([whole, tmp_path / name], tmp_path / "out")
