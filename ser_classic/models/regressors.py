"""Regressors: named pipelines that predict a dimension, as `MODELS` predict emotions."""

from __future__ import annotations

from typing import Any

from ser_classic.errors import SerClassicError
from ser_classic.models import MODELS, Estimator, Model
from ser_classic.registry import Registry, unknown
from ser_classic.vocabulary import EMOTION


def _svr(seed: int) -> Any:
    from sklearn.compose import TransformedTargetRegressor
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVR

    # C and epsilon are in units of the target, and corpora use different scales.
    return TransformedTargetRegressor(SVR(C=1.0, epsilon=0.1), transformer=StandardScaler())


REGRESSORS: Registry[Model] = Registry(
    "regressors",
    [
        Model(
            "mean",
            "the mean of the training clips: the floor",
            Estimator("sklearn.dummy.DummyRegressor"),
            scale=False,
        ),
        Model(
            "ridge",
            "ridge regression",
            Estimator("sklearn.linear_model.Ridge", alpha=1000.0),
            {"alpha": (1.0, 10.0, 100.0, 1e3, 1e4, 1e5)},
        ),
        Model(
            "svr", "support vector regression, RBF kernel", _svr, {"regressor__C": (0.1, 0.3, 1.0, 3.0, 10.0)}
        ),
        Model(
            "xgboost",
            "gradient-boosted trees",
            Estimator("ser_classic.estimators.boosting.BoostedRegression", seeded=True),
        ),
    ],
)


def model_for(target: str, name: str) -> Model:
    """Look up a model by name: in `MODELS` for emotions, in `REGRESSORS` for a dimension."""
    own, other = (MODELS, REGRESSORS) if target == EMOTION else (REGRESSORS, MODELS)
    if name not in own and name in other:
        kinds = ("words", "numbers") if target == EMOTION else ("numbers", "words")
        raise SerClassicError(
            f"{name} cannot predict {target}: it predicts {kinds[1]}, not {kinds[0]}; "
            f"{unknown(own.kind, name, own)}"
        )
    return own[name]
