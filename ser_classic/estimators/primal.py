"""Linear support vector machine in the primal: as many unknowns as features, whatever the number of clips."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from typing import Any, Literal

import numpy as np
from sklearn import config_context
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from ser_classic.estimators.folds import weigh
from ser_classic.estimators.tuned import Clips, TunedClassifier


@dataclass(eq=False, repr=False)
class PrimalSVCCV(TunedClassifier):
    """Linear support vector classifier on standardised features, tuned by unweighted average recall.

    LIBLINEAR's trust-region Newton method in the primal (Fan et al. 2008): every class against the rest,
    squared hinge loss. Time and memory grow in a straight line with the number of clips, where `SVCCV` needs
    a matrix of clips by clips; the two are not the same machine, as that one sets pairs of classes apart, by
    the hinge loss itself.

    Parameters
    ----------
    Cs : sequence of float > 0
        Grid of penalties.
    C : float > 0
        Used where nothing can be tuned.
    class_weight : "balanced", dict or None
        Of a class's clips, whether they are the class or of the rest (LinearSVC's own count in the former).
    cv, random_state
        As in `TunedClassifier`, like the attributes that are not listed here.

    Attributes
    ----------
    svc_ : LinearSVC
        Fitted on all standardised clips, with integer codes of the classes.
    """

    Cs: Sequence[float] = (1e-5, 1e-4, 1e-3, 1e-2)
    _: KW_ONLY
    C: float = 1e-3
    class_weight: Literal["balanced"] | Mapping | None = "balanced"
    tol: float = 1e-2

    def _grid(self) -> list[dict[str, Any]]:
        return [{"C": C} for C in self.Cs]

    def _left_out(
        self, clips: Clips, T: np.ndarray, grid: list[dict[str, Any]]
    ) -> Iterator[tuple[int, np.ndarray]]:
        scaler, ready = self._ready(clips)
        T = scaler.transform(T)
        for index, candidate in enumerate(grid):
            yield index, _scores(self._fitted(candidate, ready), T)

    def _settle(self, clips: Clips) -> None:
        self.scaler_, ready = self._ready(clips)
        self.svc_ = self._fitted(self.best_params_, ready)

    def _ready(self, clips: Clips) -> tuple[StandardScaler, Clips]:
        """Scaler, and the clips standardised and weighed."""
        X, codes, weight = clips
        weight = np.ones(len(X)) if weight is None else weight
        scaler = StandardScaler().fit(X, sample_weight=weight)
        weighed = weigh(self.class_weight, self.classes_[codes], weight)
        return scaler, Clips(scaler.transform(X), codes, weighed)

    def _fitted(self, params: dict[str, Any], ready: Clips) -> LinearSVC:
        with config_context(assume_finite=True):
            return LinearSVC(C=params["C"], dual=False, tol=self.tol).fit(*ready)

    def _outputs(self, X: np.ndarray) -> np.ndarray:
        return _scores(self.svc_, self.scaler_.transform(X))

    def _lead(self, outputs: np.ndarray) -> np.ndarray:
        return outputs[:, 1]


def _scores(machine: LinearSVC, Z: np.ndarray) -> np.ndarray:
    """Decision values [shape=(n, classes)] of standardised clips."""
    with config_context(assume_finite=True):
        scores = machine.decision_function(Z)
    return np.column_stack([-scores, scores]) if scores.ndim == 1 else scores
