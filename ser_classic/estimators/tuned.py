"""Base class of the tuned classifiers: grid and probabilities from inner folds by speaker."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.preprocessing import StandardScaler
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from ser_classic.errors import SerClassicError
from ser_classic.estimators.folds import GIB, Split, encoded, resolve, uar
from ser_classic.machines import Machine, Part, Scores, Standardise
from ser_classic.machines.formulas import coupled

Grid = list[dict[str, Any]]  # candidates
Outputs = Iterable[tuple[int, np.ndarray]]  # of candidates, by their number
MEMORY_LIMIT = 8.0  # [GiB] that kernel matrices may take


def fit_sharpness(scores: np.ndarray, truth: np.ndarray, sample_weight: np.ndarray | None = None) -> float:
    """Factor on the scores (one over the temperature) whose softmax has the smallest log-loss.

    Temperature scaling (Guo et al. 2017, "On calibration of modern neural networks") on scores
    [shape=(n, classes)] and true classes [shape=(n,)] of clips that the classifier was not trained on.
    """
    scale = np.abs(scores - scores.mean(axis=1, keepdims=True)).mean() or 1.0
    return _smallest_loss(lambda factor: log_softmax(factor * scores, axis=1), scale, truth, sample_weight)


def fit_coupling(margins: np.ndarray, truth: np.ndarray, sample_weight: np.ndarray | None = None) -> float:
    """The same for margins [shape=(n, pairs)] between pairs of classes and their `coupled` probabilities."""
    scale = np.abs(margins).mean() or 1.0
    return _smallest_loss(lambda factor: np.log(coupled(margins, factor)), scale, truth, sample_weight)


def _smallest_loss(
    logarithms: Callable[[float], np.ndarray],
    scale: float,
    truth: np.ndarray,
    sample_weight: np.ndarray | None,
) -> float:
    """Factor, in units of 1 / scale, with the best log-probabilities [shape=(n, classes)]."""
    rows = np.arange(len(truth))

    def loss(logarithm: float) -> float:
        right = logarithms(np.exp(logarithm) / scale)[rows, truth]
        return float(-np.average(right, weights=sample_weight))

    # The log-loss of a softmax is convex in the factor, so it has one minimum in its logarithm, too.
    best = minimize_scalar(loss, bounds=(-6.0, 6.0), method="bounded", options={"xatol": 1e-6})
    return float(np.exp(best.x) / scale)


class Clips(NamedTuple):
    """Clips to fit to."""

    X: np.ndarray  # [shape=(n, d)]
    codes: np.ndarray  # [shape=(n,)], number of the class of each
    weight: np.ndarray  # [shape=(n,)]

    def take(self, rows: np.ndarray) -> Clips:
        """Some of the clips."""
        return Clips(*(each[rows] for each in self))


def _calibrated(estimator: TunedClassifier) -> bool:
    """Whether there are folds for calibration, or will be; if not, raises the error for `available_if`."""
    if not getattr(estimator, "tuned_", estimator.cv is not None):
        raise AttributeError("predict_proba is calibrated on the folds of cv, and there are none")
    return True


@dataclass(eq=False, repr=False, kw_only=True)
class TunedClassifier(ClassifierMixin, BaseEstimator, ABC):
    """Classifier on standardised features, tuned by unweighted average recall on inner folds.

    It standardises by itself because each inner fold needs its own scaler; another one before it changes
    nothing. Every class counts the same.

    Parameters
    ----------
    cv : None, int, splitter or iterable of (train, test)
        Inner folds. A number makes that many folds, by speaker if `fit` gets `groups`, else stratified.
        Without folds, or with one speaker, nothing is tuned and the defaults are used.

    Attributes
    ----------
    tuned_ : bool
        Whether the parameters were chosen on folds.
    best_params_, best_score_, cv_results_
        As in GridSearchCV (of the results, `params` and `mean_test_score`); all but the first only if tuned.
    machine_ : Machine
        What predicts: a scaler, the parts that were learned, and the decision.
    sharpness_ : float or None
        Factor by which `predict_proba` multiplies the scores; None if not tuned.
    """

    cv: Any = None

    _dtype = (np.float64, np.float32)
    _limit = None  # [standard deviations] to which features are clipped

    @abstractmethod
    def _grid(self) -> Grid:
        """The candidates; each key is the parameter with the default. May raise ValueError."""

    def _prepare(self, X: np.ndarray, splits: list[Split] | None) -> int:
        """Hook before the first fit; returns the bytes that kernels will take."""
        return 0

    @abstractmethod
    def _left_out(self, clips: Clips, T: np.ndarray, grid: Grid) -> Outputs:
        """Fit each candidate to standardised clips; yield its number and outputs [shape=(m, any)] for T."""

    @abstractmethod
    def _learn(self, X: np.ndarray, scaler: Standardise, clips: Clips) -> tuple[Part, ...]:
        """Fit to all clips, standardised, with `best_params_`; the parts from features X to outputs."""

    def _end(self, classes: int) -> Machine:
        """The end of the machine: from outputs to the decision among this number of classes."""
        return Machine((), Scores(self.sharpness_))

    def _calibrate(self, left_out: Clips, folds: np.ndarray) -> None:
        """Calibrate on left-out clips, whose X are outputs, of these inner folds [shape=(n,)]."""
        scores = self._end(len(self.classes_)).outputs(left_out.X)
        self.sharpness_ = fit_sharpness(scores, left_out.codes, left_out.weight)

    def fit(
        self, X: Any, y: Any, sample_weight: Sequence[float] | None = None, groups: Sequence | None = None
    ) -> Self:
        """Choose the parameters on inner folds, by speaker if `groups` are given; fit all clips with them.

        A weight of 2 has the same effect as giving a clip twice, in standardising, fitting and scoring.

        Raises
        ------
        ValueError
            A parameter has an unknown value, there are fewer than two classes, or a fold trains on one.
        SerClassicError
            Kernel matrices would need too much memory.
        """
        grid = self._grid()
        X, y = validate_data(self, X, y, dtype=self._dtype)
        check_classification_targets(y)
        weight = _check_sample_weight(sample_weight, X, dtype=np.float64)
        self.classes_, codes = encoded(y, weight)
        self.best_params_ = {name: getattr(self, name) for name in grid[0]}
        splits = resolve(self.cv, y, groups)
        self.tuned_ = splits is not None
        self.sharpness_ = None
        if (needed := self._prepare(X, splits) / GIB) > MEMORY_LIMIT:
            raise SerClassicError(
                f"kernels of {len(X)} clips need {needed:.3g} GiB, more than the {MEMORY_LIMIT:g} allowed: "
                "use the models svm_primal, ridge_linear or xgboost, which need far less"
            )
        clips = Clips(X, codes, weight)
        if splits is not None:
            self._tune(clips, splits, grid)
        clips = clips if weight.all() else clips.take(weight > 0)
        learned = self._learn(clips.X, *self._standardised(clips))
        end = self._end(len(self.classes_))
        self.machine_ = Machine((*learned, *end.parts), end.decision)
        return self

    def _standardised(self, clips: Clips) -> tuple[Standardise, Clips]:
        """A scaler fitted to clips, in the precision of the features as in scikit-learn; and its output."""
        equal = (clips.weight == 1).all()  # then to the last bit as in a pipeline
        scaler = StandardScaler().fit(clips.X, sample_weight=None if equal else clips.weight)
        mean, scale = (each.astype(clips.X.dtype) for each in (scaler.mean_, scaler.scale_))
        standardise = Standardise(mean, scale, self._limit)
        return standardise, clips._replace(X=standardise(clips.X))

    def _tune(self, clips: Clips, splits: list[Split], grid: Grid) -> None:
        X, codes, weight = clips
        recalls = np.empty((len(grid), len(splits)))
        outside: list[list[np.ndarray]] = [[] for _ in grid]  # outputs for left-out clips ...
        whole: list[np.ndarray] = []  # ... and their rows, in folds that train on every class
        for fold, split in enumerate(splits):
            train, test = (rows[weight[rows] > 0] for rows in split)
            present = np.unique(codes[train])
            if len(present) < 2:
                raise ValueError(
                    f"cv: fold {fold} trains on one class, '{self.classes_[present[0]]}'; make fewer folds"
                )
            if complete := len(present) == len(self.classes_):
                whole.append(test)
            scaler, trained = self._standardised(clips.take(train))
            for index, outputs in self._left_out(trained, scaler(X[test]), grid):
                choice, _ = self._end(len(present)).classify(outputs)
                recalls[index, fold] = uar(codes[test], present[choice], weight[test])
                if complete:
                    outside[index].append(outputs)
        means = np.average(recalls, axis=1)
        best = int(means.argmax())
        self.best_params_, self.best_score_ = grid[best], float(means[best])
        self.cv_results_ = {"params": grid, "mean_test_score": means}
        self.sharpness_ = 1.0
        if whole:
            rows = np.concatenate(whole)
            folds = np.repeat(np.arange(len(whole)), [len(test) for test in whole])
            self._calibrate(Clips(np.concatenate(outside[best]), codes[rows], weight[rows]), folds)

    def _outputs(self, X: Any) -> np.ndarray:
        check_is_fitted(self)
        return self.machine_.outputs(validate_data(self, X, dtype=self._dtype, reset=False))

    def decision_function(self, X: Any) -> np.ndarray:
        """Scores [shape=(n, classes)] of clips [shape=(n, d)]; for two classes the lead of the second."""
        outputs = self._outputs(X)  # first, as it checks that this is fitted
        scores = self.machine_.decision.rate(outputs)
        return scores[:, 1] - scores[:, 0] if len(self.classes_) == 2 else scores

    def predict(self, X: Any) -> np.ndarray:
        """Class of every clip [shape=(n,)]."""
        outputs = self._outputs(X)
        return self.classes_[self.machine_.decision(outputs)[0]]

    @available_if(_calibrated)
    def predict_proba(self, X: Any) -> np.ndarray:
        """Probabilities [shape=(n, classes)], calibrated on the inner folds; their argmax is `predict`."""
        outputs = self._outputs(X)
        return self.machine_.decision(outputs)[1]

    def machine(self, X: np.ndarray) -> Machine:
        """What predicts, for a saved predictor."""
        return self.machine_
