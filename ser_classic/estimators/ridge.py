"""Class-balanced kernel ridge classifier: one ridge per feature group and kernel, their scores summed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.preprocessing import StandardScaler
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from ser_classic.errors import SerClassicError
from ser_classic.estimators import calibration
from ser_classic.estimators.folds import balanced_weights, encoded, resolve, results, uar
from ser_classic.estimators.kernels import GIB, KERNELS, Kernel, Part
from ser_classic.machines.formulas import gaussian, probabilities, squares

CLIP = 5.0  # standardised features are held within this many standard deviations
BLOCK = 1024  # clips scored at once
WHOLE = "whole"


class KernelRidgeClassifierCV(ClassifierMixin, BaseEstimator):
    """Kernel ridge regression onto the classes, every class weighing the same, tuned by average recall.

    Features are standardised by the training clips and clipped to ±5. Each feature group and kernel has a
    ridge regression of its own onto one-hot targets less `1 / classes`, with weights under which every
    class counts the same; their raw scores are summed, and the largest wins. The kernels are
    `ZZᵀ / d` and `exp(-D / (2 mean D))`, D the mean squared difference per dimension, each with a tenth
    of its mean diagonal added as an intercept. One penalty serves them all; its whole grid costs at
    most one eigendecomposition per group, kernel and inner fold.

    Parameters
    ----------
    kernels : sequence of {"linear", "rbf"}
        Those whose scores are summed.
    feature_groups : None, "names" or mapping of name to columns
        None has one group; "names" takes the groups from the names of the features, the text before "/",
        or else before the first "_" (one group, if they have no names); a mapping lists names or numbers
        of columns.
    whole : bool
        Add one more group, "whole", of all groups' columns together, where there are several.
    alphas : sequence of float > 0
        Grid of penalties in units of a kernel's mean diagonal.
    alpha : float > 0
        Used where nothing can be tuned: without `cv`, or when it is a number and there is one speaker.
    memory_limit : float > 0 [GiB]
        A solution that needs more is refused. It has as many unknowns as there are clips (linear: or
        features, if they are fewer).
    cv : None, int, splitter or iterable of (train, test)
        Inner folds. A number makes that many folds by speaker if `groups` are given to `fit`, else
        stratified ones.
    random_state : int
        Seed of the deal when `cv` is a number and there are speakers.

    Attributes
    ----------
    tuned_ : bool
        Whether the penalty was chosen on folds; if not, it is `alpha`.
    best_params_ : dict
        "alpha".
    best_score_, best_index_, cv_results_
        As in GridSearchCV, if tuned.
    sharpness_ : float
        Factor on the scores in `predict_proba`, if tuned.
    classes_ : np.ndarray [shape=(classes,)]
    scaler_ : StandardScaler
    groups_ : dict of str to np.ndarray
        Columns of every feature group.
    members_ : list of dict
        "group", "kernel", "width" (of "rbf"), "coefficients" [shape=(1, d or anchors, classes)] and "offset"
        of every ridge.
    anchors_ : dict of str to np.ndarray [shape=(clips, d)]
        Standardised features that the Gaussian kernel of a group compares with ("whole": all of them).
    """

    def __init__(
        self,
        kernels: Sequence[Kernel] = KERNELS,
        *,
        feature_groups: Literal["names"] | Mapping[str, Sequence] | None = None,
        whole: bool = True,
        alphas: Sequence[float] = (0.01, 0.03, 0.1, 0.3, 1.0),
        alpha: float = 0.1,
        memory_limit: float = 8.0,
        cv: Any = None,
        random_state: int = 0,
    ) -> None:
        self.kernels = kernels
        self.feature_groups = feature_groups
        self.whole = whole
        self.alphas = alphas
        self.alpha = alpha
        self.memory_limit = memory_limit
        self.cv = cv
        self.random_state = random_state

    def fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Sequence[float] | None = None,
        groups: Sequence | None = None,
    ) -> KernelRidgeClassifierCV:
        """Choose the penalty on the inner folds and fit all clips with it.

        Parameters
        ----------
        X : array-like [shape=(n, d)]
        y : array-like [shape=(n,)]
        sample_weight : array-like [shape=(n,)], optional
            A weight of 2 is as good as giving the clip twice, in standardising, fitting and scoring.
        groups : array-like [shape=(n,)], optional
            Speakers.

        Raises
        ------
        ValueError
            An unknown kernel or feature group, or fewer than two classes.
        SerClassicError
            The exact solution needs more memory than `memory_limit`.
        """
        if not self.kernels or not set(self.kernels) <= set(KERNELS):
            raise ValueError(f"kernels: expected one or more of {KERNELS}, found {self.kernels!r}")
        X, y = validate_data(self, X, y, dtype=(np.float64, np.float32))
        check_classification_targets(y)
        weight = np.ones(len(y)) if sample_weight is None else _check_sample_weight(sample_weight, X)
        self.classes_, codes = encoded(y, weight)
        self.groups_ = self._grouping()
        if self.whole and len(self.groups_) > 1:
            self.groups_[WHOLE] = np.concatenate(list(self.groups_.values()))
        self._refuse_too_large(len(X), X.itemsize)
        self.best_params_ = {"alpha": self.alpha}
        splits = resolve(self.cv, y, groups, self.random_state)
        self.tuned_ = splits is not None
        if splits is not None:
            self._tune(X, codes, weight, splits)
        alphas = [self.best_params_["alpha"]]
        self.scaler_, self.members_, self.anchors_ = self._learn(X, codes, weight, alphas)
        return self

    def _grouping(self) -> dict[str, np.ndarray]:
        names = getattr(self, "feature_names_in_", None)
        if self.feature_groups is None or (isinstance(self.feature_groups, str) and names is None):
            return {"features": np.arange(self.n_features_in_)}
        if isinstance(self.feature_groups, Mapping):
            number = {} if names is None else {name: column for column, name in enumerate(names)}
            number |= {column: column for column in range(self.n_features_in_)}
            for group, columns in self.feature_groups.items():
                if unknown := [column for column in columns if column not in number] or not len(columns):
                    raise ValueError(
                        f"feature_groups: {group!r} is empty or has columns that X has not: {unknown}"
                    )
            return {
                group: np.array([number[column] for column in columns])
                for group, columns in self.feature_groups.items()
            }
        if self.feature_groups != "names":
            raise ValueError(
                f"feature_groups: {self.feature_groups!r} is not known; expected None, 'names' or a mapping"
            )
        group_of = np.array([name.split("/")[0] if "/" in name else name.split("_")[0] for name in names])
        return {group: np.flatnonzero(group_of == group) for group in dict.fromkeys(group_of.tolist())}

    def _refuse_too_large(self, n: int, bytes_each: int = 8) -> None:
        columns = np.unique(np.concatenate(list(self.groups_.values())))
        widest = max(len(group) for group in self.groups_.values())
        unknowns = n if "rbf" in self.kernels else min(n, widest)
        # A group's inner products, their sum, the kernel, its factor; and the features as they come,
        # standardised (twice while they are clipped) and by groups (twice: the whole is one, too).
        needed = (4 * 8 * unknowns**2 + 5 * bytes_each * n * len(columns)) / GIB
        if needed > self.memory_limit:
            primal = f"kernels=('linear',) (exact, in {widest} unknowns), " if widest < unknowns else ""
            raise SerClassicError(
                f"exact kernels of {n} clips need {needed:.3g} GiB of memory, and memory_limit is "
                f"{self.memory_limit:g}: use {primal}the models svm_primal (linear, primal) or xgboost, or "
                "raise memory_limit"
            )

    def _learn(
        self, X: np.ndarray, codes: np.ndarray, weight: np.ndarray, alphas: Sequence[float]
    ) -> tuple[StandardScaler, list[dict], dict[str, np.ndarray]]:
        """Scaler, members (coefficients of every alpha, stacked) and anchors that some clips give."""
        there = weight > 0
        X, codes, weight = X[there], codes[there], weight[there]
        scaler = StandardScaler().fit(X, sample_weight=weight)
        targets = np.eye(len(self.classes_))[codes] - 1 / len(self.classes_)
        balanced = balanced_weights(codes, weight)
        Z = _standardised(scaler, X)
        distant = "rbf" in self.kernels
        members, anchors, inner = [], {}, 0.0
        for group, columns in self.groups_.items():
            # The inner products of the whole are the sum of its groups'.
            part = Part(Z[:, columns], weight, inner if distant and group == WHOLE else None)
            if distant and group != WHOLE:
                anchors[group] = part.Z
                inner = inner + part.inner
            for kernel in self.kernels:
                coefficients, offset = zip(*part.solve(kernel, balanced, targets, alphas), strict=True)
                member = {"group": group, "kernel": kernel, "width": part.width}
                members.append(
                    member | {"coefficients": np.stack(coefficients), "offset": np.stack(offset)[:, None]}
                )
        return scaler, members, anchors

    def _score(self, Z: np.ndarray, members: list[dict], anchors: dict[str, np.ndarray]) -> np.ndarray:
        """Scores [shape=(groups, alphas, n, classes)] of standardised features [shape=(n, d)]."""
        inner = {group: Z[:, self.groups_[group]] @ rows.T for group, rows in anchors.items()}
        lengths = {group: squares(rows) for group, rows in anchors.items()}
        if anchors and WHOLE in self.groups_:
            inner[WHOLE], lengths[WHOLE] = sum(inner.values()), sum(lengths.values())
        scores = dict.fromkeys(self.groups_, 0.0)
        for member in members:
            group = member["group"]
            features = Z[:, self.groups_[group]]
            if member["kernel"] == "rbf":
                own = squares(features), lengths[group]
                features = gaussian(inner[group], *own, features.shape[1], member["width"])
            scores[group] = scores[group] + (features @ member["coefficients"] + member["offset"])
        return np.stack(list(scores.values()))

    def _tune(
        self,
        X: np.ndarray,
        codes: np.ndarray,
        weight: np.ndarray,
        splits: list[tuple[np.ndarray, np.ndarray]],
    ) -> None:
        recalls = np.empty((len(self.alphas), len(splits)))
        outside = []  # for each fold: scores of the clips left out
        for fold, (train, test) in enumerate(splits):
            scaler, *learned = self._learn(X[train], codes[train], weight[train], self.alphas)
            scores = self._score(_standardised(scaler, X[test]), *learned)
            totals = scores.sum(axis=0)
            recalls[:, fold] = [uar(codes[test], each.argmax(axis=1), weight[test]) for each in totals]
            outside.append(scores)
        grid = [{"alpha": alpha} for alpha in self.alphas]
        self.cv_results_, self.best_index_ = results(grid, recalls)
        self.best_params_ = grid[self.best_index_]
        self.best_score_ = float(self.cv_results_["mean_test_score"][self.best_index_])
        rows = np.concatenate([test for _, test in splits])
        folds = np.repeat(np.arange(len(splits)), [len(test) for _, test in splits])
        best = np.concatenate([scores[:, self.best_index_] for scores in outside], axis=1)
        self._calibrate(best, codes[rows], weight[rows], folds)

    def _calibrate(
        self, scores: np.ndarray, codes: np.ndarray, weight: np.ndarray, folds: np.ndarray
    ) -> None:
        """Learn from scores [shape=(groups, n, classes)] of left-out clips, each of an inner fold."""
        self.sharpness_ = calibration.fit_sharpness(self._combined(scores), codes, weight)

    def _combined(self, scores: np.ndarray) -> np.ndarray:
        """One score [shape=(n, classes)] from those of the groups [shape=(groups, n, classes)]."""
        return scores.sum(axis=0)

    def _scores(self, X: Any) -> np.ndarray:
        check_is_fitted(self)
        X = validate_data(self, X, dtype=(np.float64, np.float32), reset=False)
        blocks = (X[start : start + BLOCK] for start in range(0, len(X), BLOCK))
        scored = [
            self._score(_standardised(self.scaler_, block), self.members_, self.anchors_)[:, 0]
            for block in blocks
        ]
        return self._combined(np.concatenate(scored, axis=1))

    def decision_function(self, X: Any) -> np.ndarray:
        """Summed scores [shape=(n, classes)] of clips; of two classes their difference, [shape=(n,)]."""
        scores = self._scores(X)
        return scores[:, 1] - scores[:, 0] if len(self.classes_) == 2 else scores

    def predict(self, X: Any) -> np.ndarray:
        """Class of every clip [shape=(n,)]."""
        codes = self._scores(X).argmax(axis=1)
        return self.classes_[codes]

    @available_if(calibration.possible)
    def predict_proba(self, X: Any) -> np.ndarray:
        """Probabilities [shape=(n, classes)], calibrated on the inner folds; their argmax is `predict`."""
        return probabilities(self._scores(X), self.sharpness_)


def _standardised(scaler: StandardScaler, X: np.ndarray) -> np.ndarray:
    return scaler.transform(X).clip(-CLIP, CLIP)
