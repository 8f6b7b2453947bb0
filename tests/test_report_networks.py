"""Networks in the report: what scores cost, curves of a run in little, and what is shown of them."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser

import made_up_runs as made_up
import numpy as np
import pandas as pd
import pytest

from ser_classic.plots.networks import effort, learning, unbeaten
from ser_classic.plots.style import inline_svg, png
from ser_classic.report import networks, write
from ser_classic.report.board import judged, scored
from ser_classic.report.training import averaged, confusions, portrait
from ser_classic.store import SCHEMA, StoreError, write_clips, write_run


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
    found = {(run.row["features"], run.row["model"]) for run in runs("emodb") if networks.trained(run)}
    assert found == {("pooled", "mlp"), ("mfcc13", "mlp")}
    assert not any(
        map(networks.trained, scored([made_up.run("emodb", "loso", "pooled", "mlp")], made_up.clips))
    )


def test_efforts_are_those_of_one_fold_and_of_one_protocol():
    every = runs("emodb")
    table = networks.efforts(every)
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
    assert networks.effort_picture([run for run in every if networks.trained(run)]) is None
    assert networks.effort_picture([run for run in every if not networks.trained(run)]) is None
    assert (
        networks.networks_section([run for run in every if not networks.trained(run)], made_up.clips, None)
        is None
    )


def test_unbeaten_is_who_reaches_more_than_all_that_cost_no_more():
    table = pd.DataFrame({"seconds": [1, 2, 2, 3, 4], "uar": [0.4, 0.5, 0.6, 0.6, 0.7]}, index=list("abcde"))
    assert list(unbeaten(table, "seconds").index) == ["a", "c", "e"]


def test_the_figures_name_what_they_show():
    picture = networks.effort_picture(runs("emodb", "ravdess"))
    drawing = inline_svg(picture.figure, "x", "y")
    table = networks.efforts(runs("emodb", "ravdess"))
    best = table.sort_values("uar").iloc[-1]
    assert f"{best['features']} + {best['model']}" in drawing
    for word in ("emodb", "ravdess", "networks trained from scratch", "classical models", "1 s"):
        assert f">{word}</text>" in drawing
    drawn = {one.name: one for one in networks.network_pictures(runs("emodb", "tess"), made_up.clips)}
    assert list(drawn) == [
        f"{what}{corpus}{end}"
        for corpus in ("emodb", "tess")
        for what, end in (("learning_", ""), ("confusion_", "_network"))
    ]
    assert ">validation</text>" in inline_svg(drawn["learning_emodb"].figure, "x", "y")
    assert ">validation</text>" not in inline_svg(drawn["learning_tess"].figure, "x", "y")


def test_the_best_network_is_the_one_whose_learning_is_drawn():
    every = [run for run in runs("emodb") if networks.trained(run) and run.row["protocol"] == "loso"]
    best = max(every, key=lambda run: run.row["uar"])
    picture = next(networks.network_pictures(every, made_up.clips))
    assert picture.caption.startswith(f"emodb: {best.row['features']} + mlp (loso)")


def test_curves_are_averaged_as_long_as_half_of_the_folds_train():
    curves = pd.DataFrame(
        {"fold": list("aaabbc"), "epoch": [1, 2, 3, 1, 2, 1], "train_loss": [3.0, 2, 1, 2, 1, 4]}
    )
    table = averaged(curves)["train_loss"]
    assert list(table.index) == [1, 2]
    assert table["mean"].tolist() == [3, 1.5]
    assert table["min"].tolist() == [2, 1]
    assert table["max"].tolist() == [4, 2]


class Cells(HTMLParser):
    """The texts of a table's cells, row by row."""

    def __init__(self, text):
        super().__init__()
        self.rows = []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_data(self, data):
        self.rows[-1][-1] += data


def test_confusions_are_percent_of_the_truth():
    truth, guess = ["sad", "sad", "sad", "happy"], ["sad", "happy", "sad", "happy"]
    table = pd.DataFrame({"truth": truth, "guess": guess, "speaker": "a"})
    assert Cells(confusions(table)).rows == [
        ["", "hap", "sad"],
        ["happy", "100", ""],
        ["sad", "33", "67"],
    ]


def test_a_portrait_tells_what_training_took_and_is_small():
    run = next(run for run in runs("ravdess") if networks.trained(run))
    text = portrait(run, run.run.curves(), judged(run.run.predictions(), made_up.clips("ravdess")))
    assert "24 folds of 6 to 12 epochs, 0.5 s each on cpu" in text
    assert len(text.encode()) < 8000
    numbers = [tuple(map(int, pair)) for pair in re.findall(r"M(-?\d+) (-?\d+)l", text)]
    assert numbers
    assert all(0 <= x <= 400 and 0 <= y <= 220 for x, y in numbers)


def test_nothing_is_drawn_of_a_validation_that_was_not():
    run = next(run for run in runs("tess") if networks.trained(run))
    text = portrait(run, run.run.curves(), judged(run.run.predictions(), made_up.clips("tess")))
    assert "training" in text
    assert "validation" not in text
    assert "nan" not in text.lower()


def test_a_single_epoch_is_drawn():
    run = made_up.trained("emodb", "loso", "pooled", "mlp", epochs=2)
    one = run.history[run.history["epoch"] == 1]
    (only,) = scored([replace(run, history=one)], made_up.clips)
    text = portrait(only, one, judged(run.predictions(), made_up.clips("emodb")))
    assert "10 folds of 1 epoch," in text
    learning(one, {}, 1 / 7)


def test_curves_that_cannot_be_read_are_told_and_the_others_shown():
    every = runs("emodb")
    broken = next(run for run in every if networks.trained(run) and run.row["protocol"] == "loso")

    def refuse():
        raise StoreError("curves.csv.gz: cannot be read")

    object.__setattr__(broken.run, "curves", refuse)
    told = []
    part = networks.networks_section(every, made_up.clips, None, told.append)
    assert told == ["curves.csv.gz: cannot be read"]
    assert "emodb: curves and confusions of 2 networks" in part.markup
    with pytest.raises(StoreError):
        networks.networks_section(every, made_up.clips, None)


def test_the_report_shows_networks_from_the_stored_runs(tmp_path, monkeypatch):
    monkeypatch.setattr(
        "ser_classic.experiment.stale.differences", lambda *_, **__: {}
    )  # no table has such models
    write_clips(tmp_path, "emodb", made_up.clips("emodb"))
    for estimator, model in (("SVC", "svm_rbf"), ("DeepClassifier", "mlp")):
        made = made_up.trained("emodb", "loso", "pooled", model, estimator)
        write_run(
            tmp_path, {"schema": SCHEMA, "digests": {"clips": ""}, **made.record}, made.table, made.history
        )
    write(tmp_path)
    page = (tmp_path / "leaderboard.html").read_text()
    assert '<section id="networks">' in page
    assert "<summary>emodb: curves and confusions of 1 network</summary>" in page
    for name in ("learning_emodb", "confusion_emodb_network", "classical_and_networks"):
        assert (tmp_path / "figures" / f"{name}.png").read_bytes().startswith(b"\x89PNG")


def test_names_stay_within_their_panels():
    table = networks.efforts(runs("emodb"))
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
    table = networks.efforts(runs("emodb")).assign(seconds=1.0, size=1000.0, uar=np.float64(0.5))
    assert effort(table).axes
