"""Networks in the report: what scores cost, and what is compared."""

import made_up_runs as made_up
import pytest

from ser_classic.report import overview
from ser_classic.report.board import scored


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
    found = {
        (run.record["features"], run.record["model"]) for run in runs("emodb")["run"] if overview.trained(run)
    }
    assert found == {("pooled", "mlp"), ("mfcc13", "mlp")}
    assert not overview.trained(made_up.run("emodb", "loso", "pooled", "mlp"))


def test_efforts_are_those_of_one_fold_and_of_one_protocol():
    every = runs("emodb")
    table = overview.efforts(every)
    assert set(table["model"]) == {"knn", "svm_rbf", "mlp"}
    assert set(table["protocol"]) == {"loso"}
    row = table[table["model"] == "knn"].iloc[0]
    run = every[every["model"] == "knn"].iloc[0]
    assert row["seconds"] == pytest.approx(run["fit_seconds"] / 10)
    assert row["uar"] == run["uar"]
    assert not row["network"]
    assert table["network"].sum() == 2


def test_without_a_network_or_without_a_classical_model_nothing_is_compared():
    every = runs("emodb")
    network = every["run"].map(overview.trained)
    for part in (every[network], every[~network]):
        assert not overview.networks_chapter(part)
