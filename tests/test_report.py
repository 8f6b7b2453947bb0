"""The leaderboard: figures recomputed by hand, groups, ranks, and what a reader is told."""

import io
import re

import made_up_runs as made_up
import numpy as np
import pandas as pd
import pytest
from rich.console import Console
from sklearn.metrics import accuracy_score, balanced_accuracy_score, f1_score

from ser_classic import report
from ser_classic.errors import SerClassicError
from ser_classic.metrics import METRICS
from ser_classic.report.board import DERIVED, RANKING, first_seeds, scored, under_usual_protocol
from ser_classic.report.overview import ranked, systems_chapter
from ser_classic.report.text import best_systems, duration
from ser_classic.tables import share


def markdown(board: pd.DataFrame) -> str:
    return report.markdown(report.systems(board))


@pytest.fixture(scope="module")
def board():
    return made_up.scored_grid(("ravdess", "tess"))


def row_of(board, **cell):
    (row,) = board[np.logical_and.reduce([board[name] == value for name, value in cell.items()])].to_dict(
        "records"
    )
    return row


@pytest.mark.parametrize("protocol", ["loso", "holdout25"])
def test_figures_are_those_of_the_predictions(board, protocol):
    run = made_up.run("ravdess", protocol, "pooled", "knn")
    table = run.predictions().join(made_up.clips("ravdess"), on="clip")
    row = row_of(board, corpus="ravdess", protocol=protocol, features="pooled", model="knn")
    assert row["uar"] == pytest.approx(balanced_accuracy_score(table["emotion"], table["guess"]))
    assert row["accuracy"] == pytest.approx(accuracy_score(table["emotion"], table["guess"]))
    assert row["macro_f1"] == pytest.approx(f1_score(table["emotion"], table["guess"], average="macro"))
    assert (row["clips"], row["speakers"], row["classes"]) == (len(table), 24, 8)
    assert row["uar_low"] < row["uar"] < row["uar_high"]
    assert row["fit_seconds"] == run.record["fit_seconds"]
    assert 0 < row["ece"] < 0.5
    given = table.filter(like="p_").rename(columns=lambda name: name[2:])
    distance = given - pd.get_dummies(table["emotion"])[given.columns]
    assert row["brier"] == pytest.approx((distance**2).sum(axis=1).mean())


def test_columns_and_order(board):
    assert list(board.columns) == [*report.COLUMNS, "run", "counts", "truth", *DERIVED]
    assert set(METRICS) <= set(board.columns)
    designed = """corpus, protocol, track, leaky, features, model, seed, clips, speakers, classes, uar,
        uar_low, uar_high, accuracy, macro_f1, fit_seconds, predict_seconds, status"""
    assert list(board.columns[:18]) == [name.strip() for name in designed.split(",")]
    assert len(board) == 2 * 4 * 3 * 8 + 1
    for _, group in board.assign(group=board["track"].mask(board["leaky"], "leaky")).groupby(
        ["corpus", "group"]
    ):
        uars = group["uar"].dropna()
        assert uars.is_monotonic_decreasing
        assert (group.index == np.arange(group.index[0], group.index[0] + len(group))).all()


def test_csv_is_read_back(board):
    text = report.to_csv(board)
    again = pd.read_csv(io.StringIO(text))
    assert list(again.columns) == list(report.COLUMNS)
    np.testing.assert_allclose(again["uar"], board["uar"].astype(float), atol=5e-5)
    backwards = reversed(list(made_up.grid(("tess",))))
    best_of_tess = report.to_csv(scored(backwards, made_up.clips)).splitlines()[1]
    assert best_of_tess in text
    assert markdown(board) == markdown(board.sample(frac=1, random_state=0))


def test_groups_are_ranked_apart_and_the_leaky_one_warns(board):
    text = markdown(board)
    assert text.index("## ravdess") < text.index("## tess")
    ravdess = text[: text.index("## tess")]
    blind, adapted, leaky = (ravdess.index(f"### {name}") for name in ("Blind", "Adapted", "Leaky"))
    assert blind < adapted < leaky
    assert "random5" not in ravdess[:leaky]
    assert "holdout25" not in ravdess[:leaky]
    assert "loso_adapted" not in ravdess[blind:adapted]
    assert "> **Warning.**" in ravdess[leaky:]
    assert "> **Warning.**" not in ravdess[:leaky]
    honest = board[(board["corpus"] == "ravdess") & (board["protocol"] == "loso") & (board["model"] != "mlp")]
    best = honest.iloc[0]
    assert f"| **1** | **{best['features']}** | **{best['model']}** |" in ravdess


def test_chance_and_sizes_are_said(board):
    text = markdown(board)
    assert "1440 clips, 24 speakers, 8 emotions; chance is .125." in text
    of_all, of_a_part = (
        next(line for line in text.splitlines() if f"Leaky, {name}" in line)
        for name in ("random5", "holdout25")
    )
    assert "clips" not in of_all
    assert "360 clips, 24 speakers, 8 emotions" in of_a_part


def test_few_speakers_are_shown_one_by_one(board):
    row = row_of(board, corpus="tess", protocol="loso", features="pooled", model="knn")
    table = made_up.run("tess", "loso", "pooled", "knn").predictions().join(made_up.clips("tess"), on="clip")
    each = [balanced_accuracy_score(part["emotion"], part["guess"]) for _, part in table.groupby("speaker")]
    assert row["speaker_uar"] == {"01": pytest.approx(each[0]), "02": pytest.approx(each[1])}
    assert f",01={each[0]:.4f} 02={each[1]:.4f}," in report.to_csv(board)
    tess = markdown(board).partition("## tess")[2]
    assert "fewer than 5 speakers" in tess
    assert f"| {share(each[0], 2)}/{share(each[1], 2)} |" in tess
    assert "(01/02)" in tess
    assert "fewer than 5" not in markdown(board).partition("## tess")[0]


def test_seeds_of_a_system_share_a_line(board):
    same = board[
        (board["corpus"] == "ravdess")
        & (board["protocol"] == "loso")
        & (board["features"] == "pooled")
        & (board["model"] == "mlp")
    ]
    assert len(same) == 3
    row = row_of(report.systems(board), corpus="ravdess", protocol="loso", features="pooled", model="mlp")
    assert row["uar"] == pytest.approx(same["uar"].mean())
    assert row["spread"] == pytest.approx(same["uar"].std())
    assert row["seeds"] == 3
    assert f"| {share(row['uar'])} ±{share(row['spread'])} |" in markdown(board).replace("**", "")


def test_a_failed_run_is_shown_as_failed_and_escaped(board):
    row = row_of(board, status="failed")
    assert np.isnan(row["uar"])
    text = markdown(board)
    assert r"- failed: pooled + xgboost (loso): MemoryError: 2.1 GiB \| &lt;b>could not&lt;/b> be had" in text
    alone = scored([made_up.failed("emodb", "loso", "pooled", "knn", "it broke\nhere")], made_up.clips)
    assert "it broke\n" in markdown(alone)
    assert markdown(scored([], made_up.clips)).startswith("No run")


def test_a_failed_seed_leaves_the_others(board):
    runs = [made_up.run("emodb", "loso", "pooled", "mlp", seed) for seed in (1, 2)]
    runs.append(made_up.failed("emodb", "loso", "pooled", "mlp", "no memory"))
    row = report.systems(scored(runs, made_up.clips)).iloc[0]
    assert (row["status"], row["seeds"]) == ("ok", 2)


@pytest.mark.parametrize(
    ("protocol", "told", "test"),
    [
        ("cross_from_tess", {"trained_on": "tess"}, "cross"),
        ("loso_adapted_m0", {"heard": 0}, "few"),
        ("loso_degraded_noise20", {"degradation": "noise20"}, "degraded"),
    ],
)
def test_tests_of_their_own_are_in_the_table_and_in_no_ranking(protocol, told, test):
    kind = ("blind", False, 9.0)  # better than all others
    own = made_up.run("ravdess", protocol, "pooled", "svm_rbf", kind=kind, **told)
    plain = [made_up.run("ravdess", name, "pooled", "knn") for name in ("loso", "loso_adapted", "random5")]
    runs = scored(
        [own, *plain, made_up.failed("ravdess", "loso", "pooled", "mlp", "no memory")], made_up.clips
    )
    assert runs["test"].tolist() == ["", "", "", "", test]
    without = runs[:-1]
    pd.testing.assert_frame_equal(report.systems(runs), report.systems(without))
    assert markdown(runs) == markdown(without)
    assert best_systems(report.systems(runs)) == best_systems(report.systems(without))
    assert report.leak_premium(runs).equals(report.leak_premium(without))
    beside = report.beside_published(runs)
    assert beside["own"].any()
    assert protocol not in set(beside["protocol"])
    assert ranked(runs, "model") is None
    told = [(one.name, one.caption) for one in systems_chapter(runs).pictures]
    assert told == [(one.name, one.caption) for one in systems_chapter(without).pictures]


def test_the_best_under_the_usual_protocol_stand_at_the_head(board):
    rows = [
        (*(entry.text for entry in row), row[2].value) for row in best_systems(report.systems(board)).rows
    ]
    ok = report.systems(board).query("uar.notna() and protocol != 'random5'")
    group = ok["track"].mask(ok["leaky"], "leaky")
    highest = ok.groupby(["corpus", group])["uar"].max()
    assert len(rows) == len(highest) == 6
    for corpus, track, *_, system, protocol, uar in rows:
        assert uar == highest[corpus, track.split(" (")[0]]
        features, model = system.split(" + ")
        assert row_of(ok, corpus=corpus, protocol=protocol, features=features, model=model)["uar"] == uar


def test_each_protocol_is_ranked_on_its_own_the_usual_one_first(board):
    ravdess = report.systems(board).query("corpus == 'ravdess'")
    sizes = ravdess.groupby(RANKING[1:], sort=False).size()
    assert list(sizes.items()) == [
        (("blind", "loso", ""), 19),
        (("adapted", "loso_adapted", ""), 18),
        (("leaky", "holdout25", ""), 18),
        (("leaky", "random5", ""), 18),
    ]
    assert list(under_usual_protocol(ravdess)["protocol"].unique()) == ["loso", "loso_adapted", "holdout25"]
    easier = scored(
        [made_up.run("ravdess", "loso", "mfcc13", "xgboost", emotions="sad happy")], made_up.clips
    )
    titles = [
        table.title
        for chapter in report.text.corpus_chapters(report.systems(pd.concat([easier, board])))
        for table in chapter.tables
        if table.title.startswith("Blind, loso, ")
    ]
    known = "nothing is known of the test speaker but the clip"
    assert [title.partition(" (")[0] for title in titles] == [f"Blind, loso, 2 of 8 emotions: {known}"]
    text = markdown(board)
    assert text.index("### Leaky, holdout25") < text.index("### Leaky, random5")


def test_the_lowest_seed_that_finished_stands_for_a_system():
    runs = [made_up.run("emodb", "loso", "pooled", "mlp", seed) for seed in (7, 1, 2)]
    runs.append(made_up.failed("emodb", "loso", "pooled", "mlp", "no memory"))
    runs.append(made_up.failed("emodb", "loso", "pooled", "knn", "no memory"))
    first = first_seeds(scored(runs, made_up.clips))
    assert first[["model", "seed", "status"]].values.tolist() == [["mlp", 1, "ok"], ["knn", 0, "failed"]]


def test_terminal_fits_eighty_columns(board):
    console = Console(width=80, file=io.StringIO(), color_system=None)
    console.print(report.terminal(report.systems(board)))
    text = console.file.getvalue()
    assert "ravdess" in text
    assert "<b>could not</b>" in text
    assert "svm_linear" in text
    assert "…" not in text


def test_a_terminal_shows_the_ten_best_of_a_ranking_and_how_many_more_there_are(board):
    of_one = board[(board["corpus"] == "ravdess") & (board["protocol"] == "loso") & (board["status"] == "ok")]
    many = pd.concat([of_one.assign(features=f"set{number}") for number in range(12)], ignore_index=True)
    console = Console(width=80, file=io.StringIO(), color_system=None)
    console.print(report.terminal(report.systems(many)))
    text = console.file.getvalue()
    (table,) = next(report.text.corpus_chapters(report.systems(many))).tables
    assert [int(place) for place in re.findall(r"^ *(\d+) +set", text, re.MULTILINE)] == list(range(1, 11))
    assert f"and {len(table.rows) - 10} more" in text
    assert f"| {len(table.rows)} | set" in markdown(many)


def test_runs_without_speakers_have_no_interval():
    clips = made_up.clips("emodb").assign(speaker=None)
    run = made_up.run("emodb", "random5", "pooled", "knn")
    row = report.score(run.predictions(), clips)
    assert row["speakers"] == 0
    assert np.isnan([row["uar_low"], row["uar_high"]]).all()
    text = markdown(scored([run], lambda corpus: clips))
    assert "540 clips, no " in text
    assert "fewer than" not in text


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda table: table.iloc[:0], "no predictions"),
        (lambda table: pd.concat([table, table.head(1)]), "emodb/01/000 is predicted twice"),
        (
            lambda table: table.assign(clip="else/" + table["clip"]),
            "540 .*else/emodb/01/000",
        ),
    ],
)
def test_predictions_that_do_not_fit_are_named(spoil, message):
    good = made_up.run("emodb", "loso", "pooled", "knn")
    bad = made_up.MadeUp(made_up.run("emodb", "loso", "mfcc13", "knn").record, spoil(good.table))
    with pytest.raises(SerClassicError, match=message):
        scored([bad, good], made_up.clips)
    told = []
    board = scored([bad, good], made_up.clips, told.append)
    assert len(board) == 1
    assert len(told) == 1
    assert told[0].startswith("emodb--loso--mfcc13--knn--0: ")


def test_speakers_of_any_name_are_shown_one_by_one():
    names = {"tess/01": "tess/Ann B=s0", "tess/02": "tess/team/s 0"}
    clips = made_up.clips("tess").replace({"speaker": names})
    row = report.score(made_up.run("tess", "loso", "pooled", "knn").predictions(), clips)
    assert list(row["speaker_uar"]) == ["Ann B=s0", "team/s 0"]


def test_columns_of_a_manifest_do_not_take_the_place_of_predictions():
    run = made_up.run("emodb", "loso", "pooled", "knn")
    clips = made_up.clips("emodb")
    more = clips.assign(guess="happy", fold="1", truth="sad", p_happy="1", p_tense="1")
    assert report.score(run.predictions(), more) == report.score(run.predictions(), clips)


def test_seconds_as_text():
    assert [duration(value) for value in (0.04, 9.94, 9.96, 119, 120, float("nan"))] == [
        "0.0 s", "9.9 s", "10 s", "119 s", "2 min", "–",
    ]  # fmt: skip
