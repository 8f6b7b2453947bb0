"""Networks in the report: what scores cost, curves of a run in little, and what is shown of them."""

from __future__ import annotations

import made_up_runs as made_up
import numpy as np
import pandas as pd
import pytest

from ser_classic.plots.scores import effort, unbeaten
from ser_classic.plots.style import inline_svg, png, svg
from ser_classic.report import overview
from ser_classic.report.scoring import scored


def runs(*corpora: str):
    made = []
    for corpus in corpora:
        made += [
            made_up.trained(corpus, "loso", "pooled", model, "SVC") for model in ("prior", "knn", "svm_rbf")
        ]
        made += [
            made_up.trained(corpus, "loso", "mfcc13", "mlp"),
            made_up.trained(corpus, "loso", "pooled", "mlp"),
        ]
        made += [made_up.trained(corpus, "holdout25", "pooled", "mlp")]
    return scored(made, made_up.clips)


def test_a_network_is_told_by_its_record():
    found = {(run.row["features"], run.row["model"]) for run in runs("emodb") if overview.trained(run)}
    assert found == {("pooled", "mlp"), ("mfcc13", "mlp")}
    assert not any(
        map(overview.trained, scored([made_up.run("emodb", "loso", "pooled", "mlp")], made_up.clips))
    )


def test_efforts_are_those_of_one_fold_and_of_one_protocol():
    every = runs("emodb")
    table = overview.efforts(every)
    assert set(table["model"]) == {"knn", "svm_rbf", "mlp"}
    assert set(table["protocol"]) == {"loso"}
    row = table[table["model"] == "knn"].iloc[0]
    run = next(run for run in every if run.row["model"] == "knn")
    assert row["seconds"] == pytest.approx(run.row["fit_seconds"] / 10)
    assert row["uar"] == run.row["uar"]
    assert not row["network"]
    assert table["network"].sum() == 2


def test_without_a_network_or_without_a_classical_model_nothing_is_compared():
    every = runs("emodb")
    assert overview.networks_chapter([run for run in every if overview.trained(run)]) is None
    assert overview.networks_chapter([run for run in every if not overview.trained(run)]) is None


def test_unbeaten_is_who_reaches_more_than_all_that_cost_no_more():
    table = pd.DataFrame({"seconds": [1, 2, 2, 3, 4], "uar": [0.4, 0.5, 0.6, 0.6, 0.7]}, index=list("abcde"))
    assert list(unbeaten(table, "seconds").index) == ["a", "c", "e"]


def test_the_figures_name_what_they_show():
    (picture,) = overview.networks_chapter(runs("emodb", "ravdess")).pictures
    drawing = inline_svg(svg(picture.figure), "x", "y")
    table = overview.efforts(runs("emodb", "ravdess"))
    best = table.sort_values("uar").iloc[-1]
    assert f"{best['features']} + {best['model']}" in drawing
    for word in ("emodb", "ravdess", "networks trained from scratch", "classical models", "1 s"):
        assert f">{word}</text>" in drawing


def test_names_stay_within_their_panels():
    table = overview.efforts(runs("emodb"))
    large = table["network"] & (table["uar"] == table["uar"].where(table["network"]).max())
    table.loc[large, ["features", "seconds", "size"]] = ["logmel_sequence", 300.0, 1e8]
    table.loc[~table["network"], "model"] = (
        "a name that is longer than half of what a panel is wide, and then some"
    )
    figure = effort(table)
    png(figure, dots=int(figure.dpi))
    names = [text for ax in figure.axes for text in ax.texts]
    assert "logmel_sequence + mlp" in {text.get_text() for text in names}
    for text in names:
        box, panel = text.get_window_extent(), text.axes.get_window_extent()
        assert panel.x0 <= box.x0 < box.x1 <= panel.x1, text.get_text()


def test_equal_efforts_can_be_drawn():
    table = overview.efforts(runs("emodb")).assign(seconds=1.0, size=1000.0, uar=np.float64(0.5))
    assert effort(table).axes
