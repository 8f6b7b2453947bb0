"""What is read off scored runs beside the leaderboard: leaks, comparisons, ranks, published scores, parts."""

import json
import re

import made_up_runs as made_up
import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import balanced_accuracy_score

from ser_classic import report, store
from ser_classic.errors import SerClassicError
from ser_classic.report.board import scored, systems
from ser_classic.report.leak import MOST, leak_chapter, leak_premium, shown_premium
from ser_classic.report.literature import beside_networks, networks_pictures, published_chapter
from ser_classic.report.overview import ranked, systems_chapter
from ser_classic.report.page import section_of
from ser_classic.report.scoring import aligned
from ser_classic.statistics import SpeakerCounts


@pytest.fixture(scope="module")
def runs():
    return made_up.scored_grid(("ravdess", "tess"))


@pytest.fixture(scope="module")
def premium(runs):
    return leak_premium(runs)


def test_leak_premium_is_the_difference_of_two_rows(runs, premium):
    board = systems(runs).set_index(["corpus", "protocol", "features", "model"])["uar"]
    for row in premium.to_dict("records"):
        cell = (row["features"], row["model"])
        assert row["uar"] == pytest.approx(board[(row["corpus"], "loso", *cell)])
        assert row["leaky_uar"] == pytest.approx(board[(row["corpus"], row["leaky_protocol"], *cell)])
        assert row["premium"] == pytest.approx(row["leaky_uar"] - row["uar"])
        assert row["low"] <= row["premium"] <= row["high"]
    assert len(premium) == 2 * 2 * 3 * 6
    several = premium["model"] == "mlp"
    assert (premium.loc[several, ["seeds", "leaky_seeds"]] == 3).all(axis=None)
    assert (premium.loc[~several, ["seeds", "leaky_seeds"]] == 1).all(axis=None)
    best = premium[(premium["corpus"] == "ravdess") & (premium["model"] == "svm_rbf")]
    assert (best["low"] > 0).all()


def test_leak_premium_is_over_all_seeds_of_either_side():
    sides = [("loso", 0), ("loso", 1), ("loso", 2), ("random5", 0)]
    runs = scored([made_up.run("emodb", name, "pooled", "mlp", seed) for name, seed in sides], made_up.clips)
    (row,) = leak_premium(runs).to_dict("records")
    runs = runs.sort_values(["leaky", "seed"])
    *apart, leaky = runs["uar"]
    assert row["uar"] == pytest.approx(np.mean(apart))
    assert row["uar"] != pytest.approx(apart[0])
    assert row["premium"] == pytest.approx(leaky - np.mean(apart))
    alone = [leak_premium(runs.iloc[[place, 3]]).iloc[0] for place in range(3)]
    for name in ("low", "high"):
        assert row[name] == pytest.approx(np.mean([one[name] for one in alone]))
    assert (row["seeds"], row["leaky_seeds"]) == (3, 1)


def test_leak_premium_wants_a_partner():
    lone = scored([made_up.run("emodb", "random5", "pooled", "knn")], made_up.clips)
    assert leak_premium(lone).empty
    assert not leak_chapter(leak_premium(lone))


def test_leak_premium_in_words(premium):
    shown = shown_premium(premium)
    text = leak_chapter(premium).markdown()
    ravdess, _, tess = text.partition("### ravdess")[2].partition("### tess")
    assert ravdess.count("\n| ") == 1 + MOST
    assert f"… and {(shown['corpus'] == 'ravdess').sum() - MOST} more." in ravdess
    assert tess.count("| too few speakers |") == MOST
    assert set(shown["leaky_protocol"]) == {"random5"}
    assert "prior" not in set(shown["model"])
    assert not shown.duplicated(["corpus", "system"]).any()
    first = shown[shown["corpus"] == "ravdess"].iloc[0]
    assert f"| {first['system']} | loso | random5 | .{round(1000 * first['uar']):03d} |" in text
    markup = section_of(leak_chapter(premium)).markup
    assert all(f">{system}</td>" in markup for system in shown["system"])


def test_aligning_keeps_every_count():
    one = SpeakerCounts(("b",), ("sad", "happy"), np.array([[[1, 2], [3, 4]]]))
    two = SpeakerCounts(("a", "b"), ("happy",), np.array([[[5]], [[6]]]))
    first, second = aligned(one, two)
    assert first.speakers == second.speakers == ("a", "b")
    assert first.classes == second.classes == ("happy", "sad")
    assert first.counts.tolist() == [[[0, 0], [0, 0]], [[4, 3], [2, 1]]]
    assert second.counts.tolist() == [[[5, 0], [0, 0]], [[6, 0], [0, 0]]]


def test_compare_two_runs():
    good = made_up.run("ravdess", "loso", "pooled", "svm_rbf")
    bad = made_up.run("ravdess", "loso", "mfcc13", "knn")
    found = report.compare(good, bad, made_up.clips("ravdess"))
    table = good.predictions().join(made_up.clips("ravdess"), on="clip")
    assert found.values[0] == pytest.approx(balanced_accuracy_score(table["emotion"], table["guess"]))
    assert found.difference.low > 0
    assert found.p_value < 0.001
    assert found.verdict.startswith("ravdess--loso--pooled--svm_rbf--0 scores .")
    shuffled = made_up.MadeUp(bad.record, bad.table.sample(frac=1, random_state=0))
    again = report.compare(good, shuffled, made_up.clips("ravdess"))
    assert (again.values, again.difference, again.verdict) == (found.values, found.difference, found.verdict)


def test_runs_without_speakers_cannot_be_compared():
    run = made_up.run("emodb", "random5", "pooled", "knn")
    with pytest.raises(SerClassicError, match="no speakers"):
        report.compare(run, run, made_up.clips("emodb").assign(speaker=None))


def test_ranks_are_over_the_speakers_of_every_corpus(runs):
    found, shared = ranked(runs, "model")
    assert shared == ("classic193", "mfcc13", "pooled")
    assert found.blocks == 24 + 2
    assert set(found.average.index) == {"knn", "random_forest", "svm_linear", "svm_rbf", "mlp"}
    assert found.average.index[-1] == "knn"
    assert found.average.sum() == pytest.approx(15)
    features, _ = ranked(runs, "features")
    assert list(features.average.index) == ["pooled", "classic193", "mfcc13"]


def test_ranks_leave_out_what_did_not_run_everywhere(runs):
    part = runs[~(runs["corpus"].eq("tess") & runs["model"].isin(["mlp", "svm_rbf"]))]
    found, _ = ranked(part, "model")
    assert set(found.average.index) == {"knn", "random_forest", "svm_linear"}
    few = runs[runs["model"].isin(["knn", "mlp"])]
    assert ranked(few, "model") is None
    assert ranked(runs[:0], "model") is None


def test_feature_sets_are_shown_under_the_usual_protocol_not_the_best():
    kind = {"emobox": ("blind", False, -0.5), "speakers5": ("blind", False, 2.0)}
    cells = [("speakers5", "knn"), ("loso", "knn"), ("emobox", "knn"), ("speakers5", "mlp"),
             ("emobox", "svm_rbf"), ("emobox", "svm_linear")]  # fmt: skip
    runs = scored(
        [made_up.run("emodb", name, "pooled", model, kind=kind.get(name)) for name, model in cells],
        made_up.clips,
    )
    (drawn,) = (one for one in systems_chapter(runs).pictures if one.name == "features")
    shown = drawn.draw.args[0]["emodb"].set_index("model")["uar"].to_dict()
    uar = runs.set_index(["protocol", "model"])["uar"]
    assert uar["emobox", "knn"] < uar["loso", "knn"] < uar["speakers5", "knn"]
    assert shown == {"mlp": uar["speakers5", "mlp"]} | {
        model: uar["emobox", model] for model in ("knn", "svm_rbf", "svm_linear")
    }


def test_ranks_say_over_what_they_are(runs):
    chapter = systems_chapter(runs)
    assert re.search("26 speakers, .*classic193, mfcc13, ", chapter.about)
    models, features = chapter.tables
    first, *_, last = models.rows
    assert (first[2].text, last[0].text, last[2].text) == ("", "knn", "worse")
    assert [row[0].text for row in features.rows] == ["pooled", "classic193", "mfcc13"]
    (alone,) = systems_chapter(runs[runs["features"] == "pooled"]).tables
    assert {row[0].text for row in alone.rows} == {row[0].text for row in models.rows}


def test_published_scores_name_their_source():
    table = report.published_scores()
    assert set(table["track"]) == {"blind", "adapted"}
    assert set(table["speaker_disjoint"]) == {"yes", "no"}
    assert table["value"].between(0, 1).all()
    assert table["source"].notna().all()
    assert 0.7708 in set(table["value"])


def test_beside_published_never_mixes_tracks_or_leaks(runs):
    table = report.beside_published(runs, best=2).query("corpus == 'ravdess'")
    groups = list(dict.fromkeys(zip(table["track"], table["disjoint"], strict=True)))
    assert groups == [("blind", True), ("blind", False), ("adapted", True)]
    for _, part in table.groupby(["track", "disjoint"]):
        assert part["uar"].is_monotonic_decreasing
    own = table[table["own"]]
    assert own.groupby(["track", "disjoint"]).size().tolist() == [2, 2, 2]
    assert set(table[table["disjoint"] & table["own"]]["protocol"]) == {"loso"}
    same = table[table["same_folds"] & ~table["own"]]
    assert set(same["protocol"]) == {"loso"}, "of the rankings shown, random5 is none"
    every = report.beside_published(runs)
    assert set(every["corpus"]) == {"ravdess", "tess"}
    few = every[every["corpus"] == "tess"]
    assert few.loc[few["own"], ["low", "high"]].isna().all(axis=None)


def test_networks_are_shown_on_the_same_folds_alone_beside_our_best_of_each_track(runs):
    assert not len(beside_networks(runs[runs["corpus"] == "ravdess"])), "none is published on these folds"
    table = beside_networks(runs)
    assert set(table["corpus"]) == {"tess"}
    assert list(table["track"]) == ["blind", "blind", "adapted", "adapted"], "one track below the other"
    assert table.groupby("track")["own"].sum().tolist() == [1, 1]
    assert table.loc[~table["own"].astype(bool), "approximate"].all()
    (picture,) = networks_pictures(runs)
    assert "Keesing et al., Interspeech 2021" in picture.caption
    assert picture.draw().axes
    assert not networks_pictures(runs[runs["corpus"] == "ravdess"])


def test_published_scores_are_listed_with_their_source_and_a_link(runs):
    chapter = published_chapter(runs)
    titles = [table.title for table in chapter.tables]
    assert "ravdess, blind" in titles
    assert "ravdess, blind, speakers on both sides" in titles
    (table,) = (table for table in chapter.tables if table.title == "tess, blind")
    ours, *theirs = sorted(table.rows, key=lambda row: bool(row[-1].link))
    assert ours[-1].link == ""
    assert all(row[-1].link.startswith("https://") for row in theirs[2:])
    assert any(row[2].text.startswith("≈") and "heat maps" in row[-1].text for row in theirs)


def test_a_stale_run_is_not_beside_the_published(runs):
    board = runs.assign(stale="features.version: 1, now 2", late=1)
    assert not report.beside_published(board)["own"].any()


def stored(results, run):
    record = {"schema": store.SCHEMA, "digests": {"clips": ""}, **run.record}
    return store.write_run(results, record, run.table if record["status"] == "ok" else None)


def test_write_goes_on_past_broken_and_foreign_folders(tmp_path):
    store.write_clips(tmp_path, "emodb", made_up.clips("emodb"))
    for features in ("mfcc13", "pooled"):
        for protocol in ("loso", "random5"):
            stored(tmp_path, made_up.run("emodb", protocol, features, "knn"))
    stored(tmp_path, made_up.failed("emodb", "loso", "pooled", "mlp", "no memory"))
    (tmp_path / "runs" / "holiday pictures").mkdir()
    broken = stored(tmp_path, made_up.run("emodb", "loso", "pooled", "svm_rbf")).path
    (broken / "predictions.csv.bz2").write_bytes(b"not gzip")
    orphan = stored(tmp_path, made_up.run("ravdess", "loso", "pooled", "svm_rbf"))
    told = []
    board, _ = report.write(tmp_path, told.append)
    assert len(board) == 5
    assert len(told) == 3
    for name in ("holiday pictures", broken.name, orphan.id):
        assert sum(name in line for line in told) == 1
    text = (tmp_path / "leaderboard.md").read_text()
    assert text.startswith("# Leaderboard\n")
    assert "## The leak premium" in text
    assert "- failed: pooled + mlp (loso): no memory" in text
    assert len(pd.read_csv(tmp_path / "leak_premium.csv")) == 2
    assert (tmp_path / "leaderboard.html").read_text().startswith("<!doctype html>")
    assert (tmp_path / "figures" / "leak_premium.svg").read_text().startswith("<?xml")
    written = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    report.write(tmp_path, told.append)
    assert written == {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}


def test_write_without_a_clips_table_says_so_once_and_leaves_what_is_there(tmp_path):
    runs = [stored(tmp_path, made_up.run("ravdess", "loso", "pooled", model)) for model in ("knn", "mlp")]
    (tmp_path / "leaderboard.md").write_text("of yesterday")
    told: list[str] = []
    with pytest.raises(SerClassicError, match="runs"):
        report.write(tmp_path, told.append)
    (line,) = told
    assert line.startswith(f"{runs[0].id} and 1 more: {tmp_path / 'clips' / 'ravdess.csv'}: ")
    assert "--again" in line
    assert (tmp_path / "leaderboard.md").read_text() == "of yesterday"


def test_write_of_nothing(tmp_path):
    assert report.write(tmp_path)[0].empty
    assert "No run" in (tmp_path / "leaderboard.md").read_text()
    assert "No run" in (tmp_path / "leaderboard.html").read_text()


def test_write_without_figures(tmp_path):
    store.write_clips(tmp_path, "emodb", made_up.clips("emodb"))
    run = stored(tmp_path, made_up.run("emodb", "loso", "pooled", "knn"))
    assert json.loads((run.path / "run.json").read_text())["status"] == "ok"
    report.write(tmp_path, figures=False)
    assert (tmp_path / "leaderboard.csv").exists()
    assert not (tmp_path / "leaderboard.html").exists()
