"""A report that is made again: nothing is done where nothing has changed, and what has changed shows."""

import importlib
import shutil

import made_up_runs as made_up
import pytest

from ser_classic import report, store
from ser_classic.errors import SerClassicError


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """Three runs on EMO-DB and their report without figures, the cache beside them, and a copy of both."""
    root = tmp_path_factory.mktemp("written")
    home = root / "now" / "results"
    store.write_clips(home, "emodb", made_up.clips("emodb"))
    for protocol, model in (("loso", "knn"), ("loso", "mlp"), ("random5", "knn")):
        put(home, made_up.run("emodb", protocol, "pooled", model))
    again(home)
    shutil.copytree(root / "now", root / "kept")
    return root


@pytest.fixture
def results(written):
    """The results folder as it was written, where it was: what is remembered is that of a place."""
    shutil.rmtree(written / "now")
    shutil.copytree(written / "kept", written / "now")
    return written / "now" / "results"


def put(home, run, table=None):
    record = {"schema": store.SCHEMA, "digests": {"clips": ""}, **run.record}
    return store.write_run(home, record, run.table if table is None else table)


def again(home, monkeypatch=None, figures=False):
    """Write the report once more, from the same cache; where that is forbidden, nothing may be computed."""
    if monkeypatch:
        module = importlib.import_module("ser_classic.report.write")
        monkeypatch.setattr(module, "_write", lambda *_: pytest.fail("the report is made anew"))
    return report.write(home, figures=figures, cache=home.parent / "cache")[0]


def test_without_a_change_nothing_is_done_and_the_leaderboard_is_the_same(results, monkeypatch):
    before = {path: path.read_bytes() for path in results.rglob("*") if path.is_file()}
    board = again(results, monkeypatch)
    assert report.to_csv(board) == (results / "leaderboard.csv").read_text()
    assert before == {path: path.read_bytes() for path in results.rglob("*") if path.is_file()}


def other_guesses(home):
    run = made_up.run("emodb", "loso", "pooled", "knn")
    put(home, run, made_up.run("emodb", "loso", "pooled", "knn", seed=1).table)


def other_truth(home):
    clips = made_up.clips("emodb")
    clips.loc[clips.index[:50], "emotion"] = clips["emotion"].iloc[50:100].to_numpy()
    store.write_clips(home, "emodb", clips, replace=True)


def other_seconds(home):
    run = made_up.run("emodb", "loso", "pooled", "knn")
    put(home, made_up.MadeUp(run.record | {"fit_seconds": 4321.0}, run.table))


@pytest.mark.parametrize("change", [other_guesses, other_truth, other_seconds])
def test_what_has_changed_shows(results, change):
    before = (results / "leaderboard.csv").read_text()
    change(results)
    again(results)
    assert (results / "leaderboard.csv").read_text() != before


def test_what_is_lost_or_spoilt_is_written_again_and_what_no_chapter_has_is_removed(results):
    again(results, figures=True)
    page, figure, old = (
        results / name for name in ("leaderboard.html", "figures/leak_premium.svg", "figures/of_old.svg")
    )
    before = [path.read_bytes() for path in (page, figure)]
    page.unlink()
    figure.write_bytes(b"spoilt")
    again(results, figures=True)
    assert [path.read_bytes() for path in (page, figure)] == before
    page.write_bytes(b"spoilt")
    figure.unlink()
    old.write_text("<svg/>")
    again(results, figures=True)
    assert [path.read_bytes() for path in (page, figure)] == before
    assert not old.exists()


def test_spoilt_predictions_are_told_also_the_second_time(results):
    path = results / "runs" / "emodb--loso--pooled--knn--0" / store.PREDICTIONS
    path.write_bytes(path.read_bytes()[:-9])
    told = []
    for _ in range(2):
        assert len(report.write(results, told.append, False, results.parent / "cache")[0]) == 2
    first, second = told
    assert first == second
    assert "emodb--loso--pooled--knn--0" in first


def test_without_who_is_told_the_first_broken_run_raises(results):
    (results / "runs" / "emodb--loso--pooled--knn--0" / store.PREDICTIONS).write_bytes(b"")
    with pytest.raises(SerClassicError):
        again(results)


def test_a_spoilt_memory_costs_only_time(results):
    (kept,) = (results.parent / "cache" / "reports").iterdir()
    kept.write_bytes(b"no pickle")
    assert len(again(results)) == 3
