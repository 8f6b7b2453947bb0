"""Fitting a model, tuned in inner folds by speaker."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from ser_classic.errors import SerClassicError, wrap_errors
from ser_classic.metrics import concordance
from ser_classic.models import Model, for_json

CURVES = ("epoch", "seconds", "train_loss", "valid_loss", "train_uar", "valid_uar")  # one value per epoch
NEIGHBOURS = "n_neighbors"  # cannot exceed the number of training clips
SEARCH, EARLY = "its own search", "stops early"
Folds = list[tuple[np.ndarray, np.ndarray]]  # rows to train on, and to choose on
ROUNDED = 1e-6  # rounding error by which a probability may lie outside 0 to 1


@dataclass(frozen=True)
class Fitted:
    """A fitted pipeline, and the parameters that were chosen, ready for JSON."""

    estimator: Any
    chosen: dict[str, Any]
    tuned: bool

    @property
    def curves(self) -> pd.DataFrame | None:
        """Losses, recalls and seconds of every epoch; None if the model does not record them."""
        curves = getattr(self.estimator[-1], "curves_", None)
        if not isinstance(curves, Mapping) or not set(CURVES).issubset(curves):
            return None  # missing, or another attribute of that name
        return pd.DataFrame(curves)[list(CURVES)]

    @cached_property
    def size(self) -> int:
        """Size of the serialised pipeline [bytes]."""
        with wrap_errors("the fitted pipeline cannot be serialised"):
            return len(pickle.dumps(self.estimator))

    def probabilities(self, X: pd.DataFrame | np.ndarray) -> pd.DataFrame | None:
        """Probability of every emotion [shape=(clips, emotions)]; None if the model gives none."""
        if not hasattr(self.estimator, "predict_proba"):
            return None
        probabilities = np.asarray(self.estimator.predict_proba(X))
        strange = ~((probabilities >= -ROUNDED) & (probabilities <= 1 + ROUNDED)).all(axis=1)  # NaN, too
        if strange.any():
            raise SerClassicError(
                f"{type(self.estimator[-1]).__name__}: its probabilities are not numbers from 0 to 1 for "
                f"{strange.sum()} of {len(probabilities)} clips; it did not converge"
            )
        return pd.DataFrame(probabilities, columns=list(self.estimator.classes_))


def own_tuning(estimator: Any) -> str:
    """How an estimator tunes itself, in words: `SEARCH` if it takes `cv`, `EARLY` if `fit` takes `groups`."""
    from sklearn.utils.validation import has_fit_parameter

    if "cv" in estimator.get_params():
        return SEARCH
    return EARLY if has_fit_parameter(estimator, "groups") else ""


def fit(
    model: Model,
    X: pd.DataFrame | np.ndarray,
    y: np.ndarray,
    speakers: np.ndarray | None,
    seed: int = 0,
    *,
    leaky: bool = False,
    dev: np.ndarray | None = None,
    corpora: np.ndarray | None = None,
) -> Fitted:
    """Fit a model, its grid tuned in inner folds by speaker.

    X is a DataFrame, or an array of what the model takes for each clip. y are emotion words, or numbers for
    one of `REGRESSORS`, whose grid is scored by CCC. With fewer than two speakers nothing can be tuned, and
    the model's stated defaults are used; with None the inner folds are random.

    `leaky`: the test clips have the same speakers; a model that stops early then holds out clips instead,
    like published recipes with such protocols. `dev`: rows on which the grid is tuned instead of inner folds;
    the model is then fitted on all rows. `corpora`, one for each clip, if the model is for other corpora:
    inner folds are by corpus, and each corpus counts the same if the estimator takes sample weights.
    """
    what = f"{model.name} cannot be fitted to these {len(y)} clips"
    with wrap_errors(what, "use more clips or another model"):
        pipeline = model.pipeline(seed)
        last = pipeline[-1]
        how = own_tuning(last)
        if model.grid and how:
            raise SerClassicError(f"{model.name}: {type(last).__name__} tunes itself; leave out the grid")
        options = _balanced(model, pipeline, y, corpora)
        if how == EARLY:
            pipeline.fit(X, y, model__groups=None if leaky else speakers, **options)
            return Fitted(pipeline, for_json(last.chosen_), tuned=last.held_out_)
        tunes = model.grid or how == SEARCH
        inner = _inner_folds(y, speakers if corpora is None else corpora, dev, seed) if tunes else None
        if how == SEARCH:
            chosen = _own_search(model, pipeline, inner, X, y, options)
        elif inner is None:
            pipeline.fit(X, y, **options)
            chosen = {}
        else:
            pipeline, chosen = _grid_search(model, pipeline, inner, X, y, options)
        return Fitted(pipeline, for_json(chosen), tuned=inner is not None)


def _inner_folds(y: np.ndarray, owners: np.ndarray | None, dev: np.ndarray | None, seed: int) -> Folds | None:
    """Folds to tune on, with no owner (speaker or corpus) on both sides; or the one fold that `dev` makes."""
    from ser_classic.estimators import inner_folds

    rows = np.arange(len(y))
    if dev is not None:
        return [(np.setdiff1d(rows, dev), dev)]
    classes = np.zeros(len(y)) if y.dtype.kind == "f" else y
    return inner_folds(classes, rows if owners is None else owners, seed=seed)


def _balanced(model: Model, pipeline: Any, y: np.ndarray, corpora: np.ndarray | None) -> dict[str, Any]:
    """Let classes, and corpora if given, count the same: by the options returned for `fit`, or by priors."""
    from sklearn.utils.validation import has_fit_parameter

    from ser_classic.estimators import balanced_weights

    options, weights = {}, None
    if corpora is not None and has_fit_parameter(pipeline[-1], "sample_weight"):
        names, places, counts = np.unique(corpora, return_inverse=True, return_counts=True)
        weights = options["model__sample_weight"] = (len(y) / len(names) / counts)[places]
    if model.balance == "weights":
        options["model__sample_weight"] = balanced_weights(y, weights)
    elif model.balance == "priors":
        classes = len(np.unique(y))
        pipeline.set_params(model__priors=np.full(classes, 1 / classes))
    return options


def _own_search(
    model: Model, pipeline: Any, inner: Folds | None, X: Any, y: np.ndarray, options: Mapping[str, Any]
) -> dict[str, Any]:
    """Fit a pipeline whose estimator searches by itself; the parameters that it chose."""
    pipeline.set_params(model__cv=inner).fit(X, y, **options)
    # The folds have row numbers of this training part, without meaning in a saved pipeline
    pipeline.set_params(model__cv=None)
    last = pipeline[-1]
    if inner is None and getattr(last, "tuned_", True):
        raise SerClassicError(
            f"{model.name}: nothing can be tuned by speaker here, and {type(last).__name__} then "
            "tunes by clips; use the same classifier without its built-in search, and give a grid"
        )
    return {} if inner is None else getattr(last, "best_params_", {})


def _grid_search(
    model: Model, pipeline: Any, inner: Folds, X: Any, y: np.ndarray, options: Mapping[str, Any]
) -> tuple[Any, dict[str, Any]]:
    """The pipeline fitted with the best parameters of the model's grid, and these."""
    from sklearn.metrics import make_scorer
    from sklearn.model_selection import GridSearchCV

    # At most as many neighbours as the smallest inner training part has clips
    fewest = min(len(train) for train, _ in inner)
    few = [value for value in model.grid.get(NEIGHBOURS, ()) if value <= fewest]
    usable = {**model.grid, NEIGHBOURS: few} if few else model.grid
    grid = {f"model__{name}": list(values) for name, values in usable.items()}
    scoring = make_scorer(concordance) if y.dtype.kind == "f" else "balanced_accuracy"
    search = GridSearchCV(pipeline, grid, scoring=scoring, cv=inner, error_score="raise").fit(X, y, **options)
    chosen = {name.removeprefix("model__"): value for name, value in search.best_params_.items()}
    return search.best_estimator_, chosen
