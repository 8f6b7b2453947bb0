"""The recipes: what the data says of them, and the table of what was claimed and what is left."""

import made_up_runs as made_up
import pytest

from ser_classic.corpora import CORPORA
from ser_classic.experiment.preparation import require_match
from ser_classic.experiment.suites import read_suite
from ser_classic.features import FEATURES
from ser_classic.models import MODELS
from ser_classic.protocols import PROTOCOLS
from ser_classic.report import literature
from ser_classic.report.board import scored
from ser_classic.report.literature import recipes, recipes_chapter, reproduced
from ser_classic.report.page import section_of
from ser_classic.tables import share


@pytest.fixture
def one_recipe(monkeypatch):
    """A single recipe in the place of the package's, whose names are those of made-up runs."""
    table = recipes().iloc[:1].assign(corpus="ravdess", features="pooled", model="mlp", own="holdout25")
    table = table.assign(apart="loso", recipe="sums & <means>", claimed=0.9)
    monkeypatch.setattr("ser_classic.report.literature.recipes", lambda: table)


@pytest.fixture
def runs():
    cells = [
        ("holdout25", "mlp"),
        ("loso", "mlp"),
        ("holdout25", "knn"),
        ("loso", "knn"),
        ("loso", "svm_rbf"),
    ]
    made = [made_up.run("ravdess", protocol, "pooled", model) for protocol, model in cells]
    network = made_up.trained("ravdess", "loso", "classic193", "svm_rbf")
    best = ("blind", False, 9.0)
    brought = made_up.run("ravdess", "loso", "classic193", "knn", kind=best, brought=["classic193"])
    return scored([*made, network, brought, made_up.run("emodb", "loso", "pooled", "mlp")], made_up.clips)


def test_every_recipe_names_what_there_is_and_a_leaky_and_an_honest_protocol():
    table = recipes()
    for row in table.to_dict("records"):
        assert row["corpus"] in CORPORA
        assert PROTOCOLS[row["own"]].leaky
        assert not PROTOCOLS[row["apart"]].leaky
        assert PROTOCOLS[row["apart"]].track == "blind"
        require_match(MODELS[row["model"]], FEATURES[row["features"]])
        assert 0 < row["claimed"] <= 1
        assert row["source"]
    assert not table.duplicated(["recipe", "corpus"]).any()


def test_the_suites_run_every_recipe_and_those_without_a_network_need_no_extra():
    cells = {suite: read_suite(suite) for suite in ("recipes", "tutorials")}
    for row in recipes().to_dict("records"):
        suite = "tutorials" if MODELS[row["model"]].extra else "recipes"
        for which in ("own", "apart"):
            wanted = (row["corpus"], row[which], row["features"], row["model"])
            assert wanted in [(c.corpus, c.protocol, c.features, c.model) for c in cells[suite]]
    assert not any(MODELS[cell.model].extra for cell in cells["recipes"])


def test_a_recipe_stands_beside_its_own_score_and_the_best_classical_one(one_recipe, runs):
    table = reproduced(runs)
    board = runs.set_index(["corpus", "protocol", "features", "model"]).sort_index()
    row = table.iloc[0]
    assert len(table) == 1
    assert row["own_accuracy"] == board["accuracy"]["ravdess", "holdout25", "pooled", "mlp"]
    assert row["uar"] == board["uar"]["ravdess", "loso", "pooled", "mlp"]
    assert row["uar_low"] < row["uar"] < row["uar_high"]
    honest = board["uar"]["ravdess", "loso", "pooled"]
    assert row["best_apart_uar"] == honest.max()
    assert row["best_apart"] == f"pooled + {honest.idxmax()}"
    leaky = board["accuracy"]["ravdess", "holdout25", "pooled"]
    assert (row["best_own"], row["best_own_accuracy"]) == (f"pooled + {leaky.idxmax()}", leaky.max())


def test_a_network_is_no_classical_system(one_recipe):
    made = [made_up.trained("ravdess", protocol, "pooled", "mlp") for protocol in ("holdout25", "loso")]
    row = reproduced(scored(made, made_up.clips)).iloc[0]
    assert row["best_own"] == row["best_apart"] == ""
    assert "| – " in recipes_chapter(scored(made, made_up.clips)).markdown()


def test_seeds_are_taken_together(one_recipe):
    made = [
        made_up.run("ravdess", protocol, "pooled", "mlp", seed)
        for protocol in ("holdout25", "loso")
        for seed in range(3)
    ]
    runs = scored(made, made_up.clips)
    board = runs.groupby("protocol")[["uar", "accuracy"]].mean()
    row = reproduced(runs).iloc[0]
    assert row["uar"] == pytest.approx(board["uar"]["loso"])
    assert row["own_accuracy"] == pytest.approx(board["accuracy"]["holdout25"])


def test_half_a_recipe_is_not_shown(one_recipe):
    lone = scored([made_up.run("ravdess", "holdout25", "pooled", "mlp")], made_up.clips)
    assert reproduced(lone).empty
    assert not recipes_chapter(lone)


def test_the_table_in_words_and_as_markup(one_recipe, runs):
    chapter = recipes_chapter(runs)
    row = reproduced(runs).iloc[0]
    text = chapter.markdown()
    assert "| sums & &lt;means> | ravdess | .90 | " in text
    assert f"\n| sums & &lt;means> | ravdess | {row['source']} |" in text
    markup = section_of(chapter).markup
    assert "sums &amp; &lt;means&gt;" in markup
    assert "<means>" not in markup
    assert " | reproduced | " in text
    assert f'data-value="{row["uar"]:.6g}"' in markup


def test_claims_that_were_not_reproduced_are_named_first(one_recipe, runs, monkeypatch):
    table = literature.recipes().assign(claimed=1.1)
    monkeypatch.setattr("ser_classic.report.literature.recipes", lambda: table)
    found = share(reproduced(runs)["own_accuracy"].iloc[0])
    chapter = recipes_chapter(runs)
    assert chapter.about.startswith("1 of 1 claims")
    assert f"ravdess, mlp (1.1, {found})" in chapter.about
    assert "not reproduced" in chapter.markdown()


def test_speakers_stand_one_by_one_where_they_are_few(monkeypatch):
    table = (
        recipes().iloc[:1].assign(corpus="tess", features="pooled", model="mlp", own="random5", apart="loso")
    )
    monkeypatch.setattr("ser_classic.report.literature.recipes", lambda: table)
    made = [made_up.run("tess", protocol, "pooled", "mlp") for protocol in ("random5", "loso")]
    text = recipes_chapter(scored(made, made_up.clips)).markdown()
    each = scored(made[1:], made_up.clips).at[0, "speaker_uar"]
    assert f"| {each['01']:.2f}/".replace("0.", ".", 1) in text
