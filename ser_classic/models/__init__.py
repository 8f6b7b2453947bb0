"""Models: named scikit-learn pipelines with stated defaults and small grids, tuned in inner speaker folds.

`MODELS` predict emotions, `REGRESSORS` dimensions.
"""

from __future__ import annotations

import importlib
import inspect
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

import numpy as np

from ser_classic.errors import SerClassicError, wrap_errors
from ser_classic.features.inputs import VECTORS, Inputs
from ser_classic.registry import Registry, need
from ser_classic.vocabulary import EMOTION

Balance = Literal["weights", "priors"]


class Estimator:
    """Factory for an estimator class such as `sklearn.svm.SVC`, which is imported on the first call.

    `seeded`: it has a `random_state`. The settings are the parameters that are not the defaults of the class;
    one may be the `Estimator` of a part.
    """

    def __init__(self, path: str, /, seeded: bool = False, **settings: Any) -> None:
        self.module, _, self.name = path.rpartition(".")
        self.seeded, self.settings = seeded, settings

    def parameters(self, seed: int) -> dict[str, Any]:
        """The settings, with the seed; those of a part as `<part>__<name>`."""
        stated: dict[str, Any] = {}
        for name, value in self._seeded(seed).items():
            if isinstance(value, Estimator):
                stated |= {f"{name}__{inner}": each for inner, each in value.parameters(seed).items()}
            else:
                stated[name] = value
        return stated

    def __call__(self, seed: int) -> Any:
        made = {
            name: value(seed) if isinstance(value, Estimator) else value
            for name, value in self._seeded(seed).items()
        }
        return getattr(importlib.import_module(self.module), self.name)(**made)

    def _seeded(self, seed: int) -> dict[str, Any]:
        return self.settings | ({"random_state": seed} if self.seeded else {})


@dataclass(frozen=True, eq=False)  # hashed by identity, so that functions of a model can be cached
class Model:
    """A named way of building a classifier, or for `REGRESSORS` a regressor.

    An estimator with a parameter `cv` searches by itself, in the inner speaker folds that it gets there; if
    it gets None because nothing can be tuned by speaker, it must use its stated defaults and set `tuned_` to
    False. One whose `fit` takes `groups` holds out some of these speakers to decide when to stop training,
    and sets `chosen_` and `held_out_`.

    Attributes
    ----------
    name, title : str
    estimator : callable (seed) -> scikit-learn estimator
        Returns the estimator with its stated defaults, which are used if nothing can be tuned by speaker. An
        `Estimator`, or a function of your own.
    grid : mapping of parameter name to values
        Searched in inner speaker folds, scored by UAR (regressors: by CCC). If empty, nothing is tuned.
    scale : bool
        Put a StandardScaler before it.
    balance : {"weights", "priors"}, optional
        For estimators without class weights: fit with balanced sample weights, or set the parameter `priors`
        to equal values.
    takes : Inputs
        What it takes for each clip: what the feature set `gives`.
    library, extra : str, optional
        The optional library it needs, and the extra of this package that installs it, if one does.
    version : int
        Raised whenever the same parameters give other predictions; older runs are then stale.

    Raises
    ------
    SerClassicError
        A field has an unknown value, or fields contradict each other.
    """

    name: str
    title: str
    estimator: Callable[[int], Any]
    grid: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    scale: bool = True
    balance: Balance | None = None
    takes: Inputs = VECTORS
    library: str | None = None
    extra: str | None = None
    version: int = 1

    def __post_init__(self) -> None:
        balances = (*get_args(Balance), None)
        for wrong, what in (
            (self.balance not in balances, f"balance {self.balance!r}; expected one of {balances}"),
            (not isinstance(self.grid, Mapping), "a grid maps names of parameters to their values"),
            (self.takes != VECTORS and self.scale, "only vectors can be scaled; give scale=False"),
            (self.extra and not self.library, "`extra` installs a library; give its name as `library`"),
        ):
            if wrong:
                raise SerClassicError(f"{self.name}: {what}")

    def require(self) -> None:
        """Raise an error with the install command if the library that this model needs is missing."""
        if self.library:
            need(self.library, self.extra)

    def pipeline(self, seed: int = 0) -> Any:
        """An ordinary, unfitted `Pipeline` with the stated defaults; its last step is called `model`."""
        from sklearn.pipeline import Pipeline
        from sklearn.preprocessing import StandardScaler

        scaler = [("scale", StandardScaler())] if self.scale else []
        return Pipeline([*scaler, ("model", self._made(seed))])

    def parameters(self, seed: int = 0) -> dict[str, Any]:
        """Version, class, parameters and grid of the model, ready for JSON."""
        estimator = self._made(seed)
        return self._described(type(estimator).__name__, estimator.get_params())

    def stated(self, seed: int = 0) -> dict[str, Any]:
        """Like `parameters`, but of an `Estimator` only what the entry sets, without importing its class."""
        if isinstance(self.estimator, Estimator):
            return self._described(self.estimator.name, self.estimator.parameters(seed))
        return self.parameters(seed)

    def _described(self, estimator: str, parameters: dict[str, Any]) -> dict[str, Any]:
        described = {
            "name": self.name,
            "version": self.version,
            "estimator": estimator,
            "parameters": parameters,
            "grid": dict(self.grid),
            "scale": self.scale,
            "weighted": self.balance == "weights",
        }
        return for_json(described)

    def _made(self, seed: int) -> Any:
        """The estimator, checked to have `get_params`, as every scikit-learn estimator does."""
        with wrap_errors(f"{self.name} makes no estimator"):
            estimator = self.estimator(seed)
            estimator.get_params()
        return estimator


def for_json(values: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters ready for JSON: functions by module and name, other objects as text without an address.

    What JSON has no number for is a word, too: "NaN", "Infinity".

    Examples
    --------
    >>> for_json({"C": np.float64(0.5), "metric": json.dumps})
    {'C': 0.5, 'metric': 'json.dumps'}
    """

    def worded(value: Any) -> Any:
        if isinstance(value, np.generic):
            return value.item()
        if inspect.isroutine(value):
            return f"{getattr(value, '__module__', None)}.{value.__qualname__}"
        return re.sub(r" at 0x[0-9a-fA-F]+", "", str(value))

    return json.loads(json.dumps(values, default=worded), parse_constant=str)


_SVM_RBF = {"kernel": "rbf", "Cs": (1.0, 3.0, 10.0, 30.0), "gammas": (0.1, 0.3, 1.0), "C": 10.0, "gamma": 0.3}
_SVM_LINEAR = _SVM_RBF | {"kernel": "linear", "Cs": (0.0001, 0.001, 0.01, 0.1, 1.0), "C": 0.01}


def _own(name: str, title: str, estimator: str, **settings: Any) -> Model:
    """A model with an estimator of this package that standardises within each inner fold."""
    made = Estimator(f"ser_classic.estimators.{estimator}", **settings)
    return Model(name, title, made, scale=False)


def _mlp(**settings: Any) -> Estimator:
    shared = {"hidden_layer_sizes": (300,), "alpha": 0.01, "batch_size": 256}
    return Estimator("sklearn.neural_network.MLPClassifier", seeded=True, **shared, **settings)


MODELS: Registry[Model] = Registry(
    "models",
    [
        Model(
            "prior",
            "the most frequent emotion: the floor",
            Estimator("sklearn.dummy.DummyClassifier", strategy="prior"),
            scale=False,
        ),
        Model(
            "logistic",
            "logistic regression",
            Estimator(
                "sklearn.linear_model.LogisticRegression",
                C=0.01,
                class_weight="balanced",
                max_iter=300,
                tol=1e-3,
            ),
            {"C": (0.001, 0.01, 0.1, 1.0)},
        ),
        Model(
            "lda",
            "linear discriminant analysis, shrunk",
            Estimator(
                "sklearn.discriminant_analysis.LinearDiscriminantAnalysis", solver="lsqr", shrinkage="auto"
            ),
            {"shrinkage": ("auto", 0.3, 0.7)},
            balance="priors",
        ),
        Model(
            "knn",
            "nearest neighbours",
            Estimator(
                "sklearn.neighbors.KNeighborsClassifier",
                n_neighbors=9,
                weights="distance",
                algorithm="brute",
            ),
            {"n_neighbors": (1, 5, 9, 15, 21)},
        ),
        _own("svm_linear", "support vector machine, linear kernel", "SVCCV", **_SVM_LINEAR),
        _own("svm_primal", "support vector machine, linear, in the primal: for many clips", "PrimalSVCCV"),
        _own("svm_rbf", "support vector machine, RBF kernel", "SVCCV", **_SVM_RBF),
        # As published for ComParE 2016 on EMO-DB (audEERING, w2v2-how-to): neither tuned nor weighted.
        Model(
            "svc_auto",
            "support vector machine, RBF kernel, C = 1 and gamma = 1/d, not tuned",
            Estimator("sklearn.svm.SVC", C=1.0, kernel="rbf", gamma="auto"),
        ),
        _own("ridge", "kernel ridge, linear and RBF", "KernelRidgeClassifierCV"),
        # Strong penalties for tests on other corpora; speakers of the same corpus need weaker ones.
        _own(
            "ridge_linear",
            "ridge, linear, with strong penalties for other corpora",
            "KernelRidgeClassifierCV",
            kernels=("linear",),
            alphas=(3.0, 10.0, 30.0),
            alpha=10.0,
        ),
        _own(
            "fusion",
            "kernel ridge for every group of features, scores summed",
            "KernelRidgeClassifierCV",
            feature_groups="names",
        ),
        _own(
            "fusion_linear",
            "ridge, linear, for every group of features, scores summed, with strong penalties",
            "KernelRidgeClassifierCV",
            kernels=("linear",),
            feature_groups="names",
            whole=False,
            alphas=(10.0, 30.0, 100.0),
            alpha=30.0,
        ),
        _own(
            "stacking",
            "kernel ridge for every group of features, scores weighted by a logistic regression",
            "StackedKernelRidgeCV",
            feature_groups="names",
        ),
        _own(
            "shrunk_stacking",
            "kernel ridge for every group of features, scores weighted, shrunk towards their sum",
            "ShrunkStackingCV",
            feature_groups="names",
        ),
        Model(
            "random_forest",
            "random forest",
            Estimator(
                "sklearn.ensemble.RandomForestClassifier",
                seeded=True,
                n_estimators=300,
                min_samples_leaf=2,
                class_weight="balanced",
                n_jobs=1,
            ),
        ),
        Model(
            "xgboost", "gradient-boosted trees", Estimator("ser_classic.estimators.BoostedTrees", seeded=True)
        ),
        Model("mlp", "multi-layer perceptron, one hidden layer", _mlp(max_iter=100), balance="weights"),
        # tanh for ReLU, as in the tutorials that tune it; with Adam, their "adaptive" rate does nothing.
        Model(
            "mlp_recipe",
            "multi-layer perceptron as in tutorials: 300 tanh units, unscaled features",
            _mlp(activation="tanh", max_iter=500),
            scale=False,
        ),
    ],
)


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
            "svr",
            "support vector regression, RBF kernel",
            # C and epsilon are in units of the target, and corpora use different scales.
            Estimator(
                "sklearn.compose.TransformedTargetRegressor",
                regressor=Estimator("sklearn.svm.SVR", C=1.0, epsilon=0.1),
                transformer=Estimator("sklearn.preprocessing.StandardScaler"),
            ),
            {"regressor__C": (0.1, 0.3, 1.0, 3.0, 10.0)},
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
    return (MODELS if target == EMOTION else REGRESSORS)[name]
