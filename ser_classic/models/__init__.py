"""Models: named scikit-learn pipelines with stated defaults and small grids, tuned in inner speaker folds."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal, get_args

from ser_classic.errors import SerClassicError, wrap_errors
from ser_classic.features.inputs import VECTORS, Inputs
from ser_classic.registry import Registry, need

Search = Literal["grid", "own", "early"]
Balance = Literal["weights", "priors"]


@dataclass(frozen=True, eq=False)  # told apart as entries, so that what is known of one can be kept
class Model:
    """A named way of building a classifier; or a regressor, where it is one of `REGRESSORS`.

    Attributes
    ----------
    name, title : str
    estimator : callable (seed) -> scikit-learn estimator
        With the stated defaults, which are used as they are where nothing can be tuned by speaker.
    grid : mapping of parameter name to values
        For `search="grid"`. Empty: nothing is tuned.
    scale : bool
        Put a StandardScaler before it.
    search : {"grid", "own", "early"}
        `grid`: exhaustive search in inner speaker folds, scored by UAR (by CCC, of a regressor). `own`: the
        estimator searches by itself, in the folds that its parameter `cv` is given; where that is None
        because nothing can be tuned by speaker, it takes its stated defaults and its `tuned_` is False.
        `early`: its `fit` holds part of the speakers in `groups` out, to stop training by them; it tells
        `chosen_` and `held_out_`.
    balance : {"weights", "priors"}, optional
        For estimators that have no class weights of their own: fit with balanced sample weights, or set the
        parameter `priors` to equal ones.
    takes : Inputs
        What it takes of a clip: what a feature set for it `gives`.
    library, extra : str, optional
        The optional library it needs, and the extra that installs it.
    version : int
        Raised whenever the same parameters give other predictions, so that older runs are known as such.

    Raises
    ------
    SerClassicError
        A value that is not known, or fields that contradict each other.
    """

    name: str
    title: str
    estimator: Callable[[int], Any]
    grid: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    scale: bool = True
    search: Search = "grid"
    balance: Balance | None = None
    takes: Inputs = VECTORS
    library: str | None = None
    extra: str | None = None
    version: int = 1

    def __post_init__(self) -> None:
        for field_, known in (("search", get_args(Search)), ("balance", (*get_args(Balance), None))):
            if getattr(self, field_) not in known:
                expected = ", ".join(map(repr, known))
                raise SerClassicError(
                    f"{self.name}: {field_} {getattr(self, field_)!r}; expected one of {expected}"
                )
        for contradicts, what in (
            (not isinstance(self.grid, Mapping), "a grid maps names of parameters to their values"),
            (self.grid and self.search != "grid", f"a grid is not searched with search={self.search!r}"),
            (self.balance and self.search == "early", "what stops early balances the classes itself"),
            (self.takes != VECTORS and self.scale, "only vectors are scaled from outside; give scale=False"),
            ((self.library is None) != (self.extra is None), "give `library` and `extra`, or neither"),
        ):
            if contradicts:
                raise SerClassicError(f"{self.name}: {what}")

    def require(self) -> None:
        """Raise an error that names the command to install what this model needs, where it is absent."""
        if self.library and self.extra:
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
        described = {
            "name": self.name,
            "version": self.version,
            "estimator": type(estimator).__name__,
            "parameters": estimator.get_params(),
            "grid": dict(self.grid),
            "scale": self.scale,
            "weighted": self.balance == "weights",
        }
        return json.loads(json.dumps(described, default=worded))

    def _made(self, seed: int) -> Any:
        """The estimator, of which nothing is asked that scikit-learn does not ask of every estimator."""
        with wrap_errors(f"{self.name} makes no estimator"):
            estimator = self.estimator(seed)
            estimator.get_params()
        return estimator


def worded(value: Any) -> str:
    """An object as a record tells it: a function by module and name, nothing by its place in memory.

    Examples
    --------
    >>> worded(json.dumps)
    'json.dumps'
    """
    if inspect.isroutine(value):
        return f"{getattr(value, '__module__', None)}.{value.__qualname__}"
    return re.sub(r" at 0x[0-9a-fA-F]+", "", str(value))


def _prior(seed: int) -> Any:
    from sklearn.dummy import DummyClassifier

    return DummyClassifier(strategy="prior")


def _logistic(seed: int) -> Any:
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(C=0.01, class_weight="balanced", max_iter=300, tol=1e-3)


def _lda(seed: int) -> Any:
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    return LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto")


def _knn(seed: int) -> Any:
    from sklearn.neighbors import KNeighborsClassifier

    return KNeighborsClassifier(n_neighbors=9, weights="distance", algorithm="brute")


def _svm(seed: int, kernel: str) -> Any:
    from ser_classic.estimators import SVCCV

    Cs = (0.0001, 0.001, 0.01, 0.1, 1.0) if kernel == "linear" else (1.0, 3.0, 10.0, 30.0)
    return SVCCV(kernel, Cs=Cs, gammas=(0.1, 0.3, 1.0), C=0.01 if kernel == "linear" else 10.0, gamma=0.3)


def _svc_auto(seed: int) -> Any:
    # As published for ComParE 2016 on EMO-DB (audEERING, w2v2-how-to): neither tuned nor weighted.
    from sklearn.svm import SVC

    return SVC(C=1.0, kernel="rbf", gamma="auto")


def _svm_primal(seed: int) -> Any:
    from ser_classic.estimators import PrimalSVCCV

    return PrimalSVCCV()


def _ridge(seed: int, feature_groups: str | None) -> Any:
    from ser_classic.estimators import KernelRidgeClassifierCV

    return KernelRidgeClassifierCV(feature_groups=feature_groups, random_state=seed)


def _ridge_linear(seed: int) -> Any:
    from ser_classic.estimators import KernelRidgeClassifierCV

    # Penalties for other corpora than those that are trained on: speakers of the same one ask for smaller.
    return KernelRidgeClassifierCV(("linear",), alphas=(3.0, 10.0, 30.0), alpha=10.0, random_state=seed)


def _fusion_linear(seed: int) -> Any:
    from ser_classic.estimators import KernelRidgeClassifierCV

    return KernelRidgeClassifierCV(
        ("linear",),
        feature_groups="names",
        whole=False,
        alphas=(10.0, 30.0, 100.0),
        alpha=30.0,
        random_state=seed,
    )


def _stacking(seed: int) -> Any:
    from ser_classic.estimators import StackedKernelRidgeCV

    return StackedKernelRidgeCV(feature_groups="names", random_state=seed)


def _shrunk_stacking(seed: int) -> Any:
    from ser_classic.estimators import ShrunkStackingCV

    return ShrunkStackingCV(feature_groups="names", random_state=seed)


def _random_forest(seed: int) -> Any:
    from sklearn.ensemble import RandomForestClassifier

    return RandomForestClassifier(
        n_estimators=300, min_samples_leaf=2, class_weight="balanced", random_state=seed, n_jobs=1
    )


def _mlp(seed: int) -> Any:
    from sklearn.neural_network import MLPClassifier

    return MLPClassifier(
        hidden_layer_sizes=(300,), alpha=0.01, batch_size=256, max_iter=100, random_state=seed
    )


def _mlp_recipe(seed: int) -> Any:
    # As the tutorials set it, tanh for ReLU as in those that tune it; with Adam, "adaptive" does nothing.
    from sklearn.neural_network import MLPClassifier

    return MLPClassifier(
        hidden_layer_sizes=(300,),
        activation="tanh",
        alpha=0.01,
        batch_size=256,
        max_iter=500,
        random_state=seed,
    )


def _xgboost(seed: int) -> Any:
    from ser_classic.estimators import BoostedTrees

    return BoostedTrees(random_state=seed)


# They standardise by themselves, within each inner fold, too.
_OWN = partial(Model, scale=False, search="own")

MODELS: Registry[Model] = Registry(
    "models",
    [
        Model("prior", "the most frequent emotion: the floor", _prior, scale=False),
        Model("logistic", "logistic regression", _logistic, {"C": (0.001, 0.01, 0.1, 1.0)}),
        Model(
            "lda",
            "linear discriminant analysis, shrunk",
            _lda,
            {"shrinkage": ("auto", 0.3, 0.7)},
            balance="priors",
        ),
        Model("knn", "nearest neighbours", _knn, {"n_neighbors": (1, 5, 9, 15, 21)}),
        _OWN("svm_linear", "support vector machine, linear kernel", partial(_svm, kernel="linear")),
        _OWN("svm_primal", "support vector machine, linear, in the primal: for many clips", _svm_primal),
        _OWN("svm_rbf", "support vector machine, RBF kernel", partial(_svm, kernel="rbf")),
        Model("svc_auto", "support vector machine, RBF kernel, C = 1 and gamma = 1/d, not tuned", _svc_auto),
        _OWN("ridge", "kernel ridge, linear and RBF", partial(_ridge, feature_groups=None)),
        _OWN("ridge_linear", "ridge, linear, with the strong penalties that corpora ask for", _ridge_linear),
        _OWN(
            "fusion",
            "kernel ridge for every group of features, scores summed",
            partial(_ridge, feature_groups="names"),
        ),
        _OWN(
            "fusion_linear",
            "ridge, linear, for every group of features, scores summed, with strong penalties",
            _fusion_linear,
        ),
        _OWN(
            "stacking",
            "kernel ridge for every group of features, scores weighed by a logistic regression",
            _stacking,
        ),
        _OWN(
            "shrunk_stacking",
            "kernel ridge for every group of features, scores weighed as far from their sum as it pays",
            _shrunk_stacking,
        ),
        Model("random_forest", "random forest", _random_forest),
        Model("xgboost", "gradient-boosted trees", _xgboost),
        Model("mlp", "multi-layer perceptron, one hidden layer", _mlp, balance="weights"),
        Model(
            "mlp_recipe",
            "multi-layer perceptron as tutorials have it: 300 tanh units, features as they come",
            _mlp_recipe,
            scale=False,
        ),
    ],
)
