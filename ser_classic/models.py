"""Models: named scikit-learn pipelines with stated defaults and small grids, tuned in inner speaker folds."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ser_classic.errors import SerClassicError
from ser_classic.registry import Registry, need

if TYPE_CHECKING:
    from ser_classic.features import FeatureSet


@dataclass(frozen=True)
class Model:
    """A named way of building a classifier.

    Attributes
    ----------
    name, title : str
    estimator : callable (seed) -> scikit-learn estimator
        With the stated defaults, which are used as they are where nothing can be tuned by speaker.
    grid : mapping of parameter name to values
        Tuned by exhaustive search in inner speaker folds, scored by UAR. Empty: nothing is tuned.
    scale : bool
        Put a StandardScaler before it.
    weighted : bool
        Fit with balanced sample weights (for estimators that have no class weights of their own).
    sequence : bool
        Takes sequences of frames instead of vectors.
    stops_early : bool
        Holds part of the training speakers out by itself, to stop training by them.
    library, extra : str, optional
        The optional library it needs, and the extra that installs it.
    version : int
        Raised whenever the same parameters give other predictions, so that older runs are known as such.
    """

    name: str
    title: str
    estimator: Callable[[int], Any]
    grid: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    scale: bool = True
    weighted: bool = False
    sequence: bool = False
    stops_early: bool = False
    library: str | None = None
    extra: str | None = None
    version: int = 1

    def require(self) -> None:
        """Raise an error that names the command to install what this model needs, where it is absent."""
        if self.library and self.extra:
            need(self.library, self.extra)

    def accept(self, features: FeatureSet) -> None:
        """Raise an error where this model cannot read such features: vectors or sequences of frames."""
        if self.sequence != features.sequence:
            takes, gives = "sequences of frames", "one vector a clip"
            if not self.sequence:
                takes, gives = gives, takes
            raise SerClassicError(
                f"unsupported combination: model {self.name} takes {takes}, but {features.name} gives {gives}"
            )

    def pipeline(self, seed: int = 0) -> Any:
        """An ordinary, unfitted `Pipeline` with the stated defaults; its last step is called `model`."""
        from sklearn.pipeline import Pipeline
        from sklearn.preprocessing import StandardScaler

        scaler = [("scale", StandardScaler())] if self.scale else []
        return Pipeline([*scaler, ("model", self.estimator(seed))])

    def parameters(self, seed: int = 0) -> dict[str, Any]:
        """Version, class, parameters and grid of the model, ready for JSON."""
        estimator = self.estimator(seed)
        described = {
            "name": self.name,
            "version": self.version,
            "estimator": type(estimator).__name__,
            "parameters": estimator.get_params(),
            "grid": dict(self.grid),
            "scale": self.scale,
            "weighted": self.weighted,
        }
        return json.loads(json.dumps(described, default=str))


@dataclass(frozen=True)
class Fitted:
    """A fitted pipeline, and what was chosen for it."""

    estimator: Any
    chosen: dict[str, Any]
    tuned: bool

    @property
    def curves(self) -> pd.DataFrame | None:
        """Losses, recalls and seconds of every epoch, where the model is trained in epochs and tells."""
        curves = getattr(self.estimator[-1], "curves_", None)
        return None if curves is None else pd.DataFrame(curves)

    @property
    def size(self) -> int:
        """Bytes of the fitted pipeline, serialised: what it takes to keep it."""
        return len(pickle.dumps(self.estimator))

    def probabilities(self, X: pd.DataFrame | np.ndarray) -> pd.DataFrame | None:
        """Chance of every emotion [clips x emotions], or None where the model has none."""
        if not hasattr(self.estimator, "predict_proba"):
            return None
        return pd.DataFrame(self.estimator.predict_proba(X), columns=list(self.estimator.classes_))


def fit(
    model: Model,
    X: pd.DataFrame | np.ndarray,
    y: np.ndarray,
    speakers: np.ndarray | None,
    seed: int = 0,
    leaky: bool = False,
) -> Fitted:
    """Fit a model, its grid tuned in inner folds that keep speakers apart.

    Parameters
    ----------
    model : Model
    X : pd.DataFrame [shape=(clips, d)], or object array of sequences
    y : np.ndarray [shape=(clips,)]
        Emotion words.
    speakers : np.ndarray [shape=(clips,)] or None
        With fewer than two speakers nothing can be tuned, and the model's stated defaults are used;
        without speakers (a leaky protocol on a corpus that names none) the inner folds are random.
    seed : int
    leaky : bool
        The clips to be tested on are of the same speakers. A model that stops early then holds out clips
        instead of speakers, as the recipes that are evaluated so do.
    """
    from ser_classic.estimators import balanced_weights, inner_folds

    pipeline = model.pipeline(seed)
    if "priors" in pipeline[-1].get_params():
        classes = len(np.unique(y))
        pipeline.set_params(model__priors=np.full(classes, 1 / classes))  # as balanced as class weights
    own = "cv" in pipeline[-1].get_params()  # a `*CV` estimator searches its grid itself, and faster
    if model.stops_early:
        pipeline.fit(X, y, model__groups=None if leaky else speakers)
        return Fitted(pipeline, pipeline[-1].chosen_, tuned=pipeline[-1].held_out_)
    units = np.arange(len(y)) if speakers is None else speakers
    inner = inner_folds(y, units, seed=seed) if model.grid or own else None
    weights = {"model__sample_weight": balanced_weights(y)} if model.weighted else {}
    if inner is None:
        pipeline.fit(X, y, **weights)
        return Fitted(pipeline, {}, tuned=False)
    if own:
        pipeline.set_params(model__cv=inner).fit(X, y, **weights)
        pipeline.set_params(
            model__cv=None
        )  # the folds of this training part mean nothing to a saved pipeline
        return Fitted(pipeline, pipeline[-1].best_params_, tuned=True)
    from sklearn.model_selection import GridSearchCV

    grid = {f"model__{name}": list(values) for name, values in model.grid.items()}
    search = GridSearchCV(pipeline, grid, scoring="balanced_accuracy", cv=inner, error_score="raise")
    search.fit(X, y, **weights)
    chosen = {name.removeprefix("model__"): value for name, value in search.best_params_.items()}
    return Fitted(search.best_estimator_, chosen, tuned=True)


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


def _stacking(seed: int) -> Any:
    from ser_classic.estimators import StackedKernelRidgeCV

    return StackedKernelRidgeCV(feature_groups="names", random_state=seed)


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


def _deep(seed: int, network: str, sequence: bool = True, **options: Any) -> Any:
    from ser_classic.extras.deep import DeepClassifier

    return DeepClassifier(network, options, sequence, random_state=seed)


def _xgboost(seed: int) -> Any:
    from ser_classic.estimators import BoostedTrees

    return BoostedTrees(random_state=seed)


# They standardise by themselves.
_DEEP = partial(Model, scale=False, stops_early=True, library="torch", extra="deep")

MODELS: Registry[Model] = Registry(
    "models",
    [
        Model("prior", "the most frequent emotion: the floor", _prior, scale=False),
        Model("logistic", "logistic regression", _logistic, {"C": (0.001, 0.01, 0.1, 1.0)}),
        Model("lda", "linear discriminant analysis, shrunk", _lda, {"shrinkage": ("auto", 0.3, 0.7)}),
        Model("knn", "nearest neighbours", _knn, {"n_neighbors": (1, 5, 9, 15, 21)}),
        # The support vector machines standardise within each inner fold themselves.
        Model(
            "svm_linear", "support vector machine, linear kernel", partial(_svm, kernel="linear"), scale=False
        ),
        Model(
            "svm_primal",
            "support vector machine, linear, in the primal: for many clips",
            _svm_primal,
            scale=False,
        ),
        Model("svm_rbf", "support vector machine, RBF kernel", partial(_svm, kernel="rbf"), scale=False),
        Model("svc_auto", "support vector machine, RBF kernel, C = 1 and gamma = 1/d, not tuned", _svc_auto),
        Model("ridge", "kernel ridge, linear and RBF", partial(_ridge, feature_groups=None), scale=False),
        Model(
            "fusion",
            "kernel ridge for every group of features, scores summed",
            partial(_ridge, feature_groups="names"),
            scale=False,
        ),
        Model(
            "stacking",
            "kernel ridge for every group of features, scores weighed by a logistic regression",
            _stacking,
            scale=False,
        ),
        Model("random_forest", "random forest", _random_forest),
        Model("xgboost", "gradient-boosted trees", _xgboost),
        Model("mlp", "multi-layer perceptron, one hidden layer", _mlp, weighted=True),
        Model(
            "mlp_recipe",
            "multi-layer perceptron as tutorials have it: 300 tanh units, features as they come",
            _mlp_recipe,
            scale=False,
        ),
        _DEEP("lstm", "two LSTM layers", partial(_deep, network="lstm"), sequence=True),
        _DEEP(
            "bilstm",
            "two bidirectional LSTM layers",
            partial(_deep, network="lstm", bidirectional=True, units=64, dropout=0.3),
            sequence=True,
        ),
        _DEEP("gru", "two GRU layers", partial(_deep, network="gru"), sequence=True),
        _DEEP(
            "cnn1d_frames", "convolutions over time", partial(_deep, network="convolutional"), sequence=True
        ),
        _DEEP(
            "cnn_bigru_attention",
            "convolutions, bidirectional GRU, attention over time",
            partial(_deep, network="attention"),
            sequence=True,
        ),
        _DEEP(
            "lstm_vector",
            "two LSTM layers that read a vector feature by feature",
            partial(_deep, network="lstm", sequence=False),
        ),
        _DEEP(
            "cnn1d",
            "convolutions over the features of a vector",
            partial(_deep, network="convolutional", sequence=False, flatten=True),
        ),
    ],
)
