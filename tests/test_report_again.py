"""A report written again: what is as it was is not computed, and all else is as in a report from nothing."""

from __future__ import annotations

from functools import partial

import made_up_runs as made_up
import numpy as np
import pandas as pd
import pytest

from ser_classic import report, store
from ser_classic.plots import detail, scores, style
from ser_classic.report import memory, press, reading
from ser_classic.report.gallery import Picture
from ser_classic.report.memory import Memory
from ser_classic.store import StoreError

COUNTS = np.array([[8, 2], [1, 9]])


@pytest.fixture(autouse=True)
def began(monkeypatch):
    """As if the code had been older than this process, also while somebody edits it."""
    monkeypatch.setattr(memory, "BEGAN", float("inf"))


@pytest.fixture
def idle(monkeypatch):
    """Nothing can be computed from here on."""

    def refuse(function, calls, jobs, what):
        raise AssertionError(f"{len(calls)} {what} are computed again")

    return lambda: monkeypatch.setattr(memory.workers, "run", refuse)


@pytest.fixture
def results(tmp_path):
    """Six runs on EMO-DB, and their report."""
    home = tmp_path / "results"
    store.write_clips(home, "emodb", made_up.clips("emodb"))
    for protocol in ("loso", "random5"):
        for model in ("knn", "svm_rbf", "mlp"):
            put(home, made_up.run("emodb", protocol, "pooled", model))
    report.write(home, cache=tmp_path / "cache")
    return home


def put(home, run, table=None):
    record = {"schema": store.SCHEMA, "digests": {"clips": ""}, **run.record}
    return store.write_run(home, record, run.table if table is None else table)


def contents(home):
    return {
        str(path.relative_to(home)): path.read_bytes()
        for path in home.rglob("*")
        if path.is_file() and path.parent.name != "runs"
    }


def equals_one_from_nothing(home):
    """Write the report through the memory, and once more without it; equal, and other than before?"""
    before = contents(home)
    report.write(home, cache=home.parent / "cache")
    through = contents(home)
    report.write(home, cache=home.parent / "another")
    assert through == contents(home)
    return before, through


def test_without_a_change_nothing_is_computed_and_every_byte_is_the_same(results, tmp_path, idle):
    before = contents(results)
    (results / "leaderboard.csv").unlink()
    (results / "figures" / "leak_premium.svg").unlink()
    (results / "figures" / "leak_premium.png").write_bytes(b"spoilt")
    idle()
    report.write(results, cache=tmp_path / "cache")
    assert contents(results) == before


def test_another_run_shows(results):
    put(results, made_up.run("emodb", "loso", "mfcc13", "knn"))
    before, after = equals_one_from_nothing(results)
    assert len(after["leaderboard.csv"].splitlines()) == len(before["leaderboard.csv"].splitlines()) + 1


def test_a_run_that_was_run_again_shows(results):
    run = made_up.run("emodb", "loso", "pooled", "knn")
    put(results, run, made_up.run("emodb", "loso", "pooled", "knn", seed=1).table)
    before, after = equals_one_from_nothing(results)
    assert before["leaderboard.csv"] != after["leaderboard.csv"]


def test_another_truth_shows_although_the_predictions_are_the_same(results):
    clips = made_up.clips("emodb")
    clips.loc[clips.index[:50], "emotion"] = clips["emotion"].iloc[50:100].to_numpy()
    store.write_clips(results, "emodb", clips, replace=True)
    before, after = equals_one_from_nothing(results)
    assert before["leaderboard.csv"] != after["leaderboard.csv"]
    assert before["figures/confusion_emodb_blind.svg"] != after["figures/confusion_emodb_blind.svg"]


def test_another_speaker_shows_although_the_predictions_are_the_same(results):
    clips = made_up.clips("emodb")
    clips["speaker"] = clips["speaker"].replace("emodb/01", "emodb/02")
    store.write_clips(results, "emodb", clips, replace=True)
    before, after = equals_one_from_nothing(results)
    assert before["leaderboard.csv"] != after["leaderboard.csv"]


def test_another_record_shows_although_the_predictions_are_the_same(results):
    run = made_up.run("emodb", "loso", "pooled", "knn")
    put(results, made_up.MadeUp(run.record | {"fit_seconds": 4321.0}, run.table))
    assert b"4321.00" in equals_one_from_nothing(results)[1]["leaderboard.csv"]


def test_spoilt_predictions_are_told_although_their_score_is_known(results, tmp_path):
    path = results / "runs" / "emodb--loso--pooled--knn--0" / "predictions.csv.bz2"
    path.write_bytes(path.with_name("predictions.csv.bz2").read_bytes()[:-9])
    told = []
    board = report.write(results, told.append, cache=tmp_path / "cache")
    assert len(board) == 5
    assert len(told) == 1
    assert "emodb--loso--pooled--knn--0: its predictions cannot be read" in told[0]
    with pytest.raises(StoreError):
        report.write(results, cache=tmp_path / "cache")


def test_a_clips_table_that_is_replaced_meanwhile_is_not_scored_under_the_name_of_the_old_one(results):
    digest = store.clips_digest(results, "emodb")
    store.write_clips(results, "emodb", made_up.clips("emodb").iloc[:-1], replace=True)
    reading._clips.cache_clear()
    with pytest.raises(StoreError, match="was changed"):
        reading._clips(results, "emodb", digest)


def pictures(counts=COUNTS, classes=("sad", "angry"), title="A title", more=0):
    drawings = [partial(detail.confusion, counts + number, classes) for number in range(1 + more)]
    return [Picture(f"one{number}", title, "a caption", draw) for number, draw in enumerate(drawings)]


def printed(place, *args, **kwargs):
    held = Memory(place / "results", place / "cache")
    (found,) = press.printed([pictures(*args, **kwargs)], place / "figures", held)
    held.save()
    return found


def test_pictures_are_drawn_once(tmp_path, idle):
    first = printed(tmp_path)
    idle()
    assert [picture.markup for picture in printed(tmp_path)] == [picture.markup for picture in first]


@pytest.mark.parametrize(
    "change",
    [
        {"counts": COUNTS.T},
        {"counts": COUNTS.astype(float) + 1e-9},
        {"classes": ("sad", "bored")},
        {"title": "Another title"},
        {"more": 1},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_picture_of_other_things_is_drawn_anew(tmp_path, idle, change):
    printed(tmp_path)
    idle()
    with pytest.raises(AssertionError, match="1 figures are computed again"):
        printed(tmp_path, **change)


def test_other_letters_in_a_table_are_another_picture(tmp_path, idle):
    columns = ["features", "model", "uar", "low", "high"]
    table = pd.DataFrame([("f", "m", 0.9, 0.8, 1.0), ("g", "n", 0.4, 0.3, 0.5)], columns=columns)

    def show(table):
        held = Memory(tmp_path / "results", tmp_path / "cache")
        drawn = Picture("a", "b", "c", partial(scores.feature_sets, table, 0.2))
        press.printed([[drawn]], tmp_path / "figures", held)
        held.save()

    show(table)
    idle()
    show(table.copy())
    with pytest.raises(AssertionError, match="computed again"):
        show(table.replace({"model": {"n": "o"}}))


def test_another_font_draws_anew(tmp_path, idle, monkeypatch):
    printed(tmp_path)
    idle()
    monkeypatch.setattr(style, "FALLBACKS", ("STIXGeneral",))
    with pytest.raises(AssertionError, match="computed again"):
        printed(tmp_path)


def test_files_of_many_processes_are_those_of_one_by_one(tmp_path):
    found = printed(tmp_path, more=10)
    for picture in found:
        for alone in style.save(picture.figure, tmp_path / "alone", picture.name):
            assert (tmp_path / "figures" / alone.name).read_bytes() == alone.read_bytes()
        assert 'aria-label="A title"' in picture.markup


def test_groups_of_pictures_stay_apart(tmp_path):
    held = Memory(tmp_path / "results", tmp_path / "cache")
    one, none, two = press.printed([pictures(), [], iter(pictures(more=1))], tmp_path / "figures", held)
    assert [len(group) for group in (one, none, two)] == [1, 0, 2]
    assert all(picture.markup.startswith("<svg") for picture in (*one, *two))
