"""Class-balanced kernel ridge classifier: one ridge per feature group and kernel, their scores summed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import KW_ONLY, dataclass
from typing import Any, Literal

import numpy as np
from sklearn.preprocessing import StandardScaler

from ser_classic.errors import SerClassicError
from ser_classic.estimators.folds import Split, balanced_weights
from ser_classic.estimators.kernels import GIB, KERNELS, Kernel, Part
from ser_classic.estimators.tuned import Clips, TunedClassifier
from ser_classic.machines.formulas import gaussian, squares

CLIP = 5.0  # standardised features are held within this many standard deviations
BLOCK = 1024  # clips scored at once
WHOLE = "whole"


@dataclass(eq=False, repr=False)
class KernelRidgeClassifierCV(TunedClassifier):
    """Kernel ridge regression onto the classes, every class weighing the same, tuned by average recall.

    Features are standardised by the training clips and clipped to ±5. Each feature group and kernel has a
    ridge regression of its own onto one-hot targets less `1 / classes`, with weights under which every
    class counts the same; their raw scores are summed, and the largest wins. The kernels are
    `ZZᵀ / d` and `exp(-D / (2 mean D))`, D the mean squared difference per dimension, each with a tenth
    of its mean diagonal added as an intercept. One penalty serves them all; its whole grid costs at
    most one eigendecomposition per group, kernel and inner fold.

    Parameters
    ----------
    feature_groups : None or "names"
        None has one group; "names" takes the groups from the names of the features, the text before "/",
        or else before the first "_" (one group, if they have no names).
    whole : bool
        Add one more group, "whole", of all groups' columns together, where there are several.
    alphas : sequence of float > 0
        Grid of penalties in units of a kernel's mean diagonal.
    alpha : float > 0
        Used where nothing can be tuned.
    memory_limit : float > 0 [GiB]
        A solution that needs more is refused. It has as many unknowns as there are clips (linear: or
        features, if they are fewer).
    cv, random_state
        As in `TunedClassifier`, like the attributes that are not listed here.

    Attributes
    ----------
    groups_ : dict of str to np.ndarray
        Columns of every feature group.
    members_ : list of dict
        "group", "kernel", "width" (of "rbf"), "coefficients" [shape=(1, d or anchors, classes)] and "offset"
        of every ridge.
    anchors_ : dict of str to np.ndarray [shape=(clips, d)]
        Standardised features that the Gaussian kernel of a group compares with ("whole": all of them).
    weights_, bias_ : np.ndarray [shape=(groups * classes, classes) and (classes,)] or None
        What the groups' scores are weighed by; None where these are summed.
    """

    kernels: Sequence[Kernel] = KERNELS
    _: KW_ONLY
    feature_groups: Literal["names"] | None = None
    whole: bool = True
    alphas: Sequence[float] = (0.01, 0.03, 0.1, 0.3, 1.0)
    alpha: float = 0.1
    memory_limit: float = 8.0

    def _grid(self) -> list[dict[str, Any]]:
        if not self.kernels or not set(self.kernels) <= set(KERNELS):
            raise ValueError(f"kernels: expected one or more of {KERNELS}, found {self.kernels!r}")
        if self.feature_groups not in (None, "names"):
            raise ValueError(f"feature_groups: {self.feature_groups!r}; expected None or 'names'")
        return [{"alpha": alpha} for alpha in self.alphas]

    def _prepare(self, X: np.ndarray, splits: list[Split] | None) -> None:
        self.weights_ = self.bias_ = None
        names = getattr(self, "feature_names_in_", None)
        self.groups_ = {"features": np.arange(self.n_features_in_)}
        if self.feature_groups == "names" and names is not None:
            group_of = np.array([name.split("/" if "/" in name else "_")[0] for name in names])
            self.groups_ = {
                group: np.flatnonzero(group_of == group) for group in dict.fromkeys(group_of.tolist())
            }
        widest = max(map(len, self.groups_.values()))
        if self.whole and len(self.groups_) > 1:
            self.groups_[WHOLE] = np.concatenate(list(self.groups_.values()))
            widest = len(self.groups_[WHOLE])
        n = len(X)
        unknowns = n if "rbf" in self.kernels else min(n, widest)
        # A group's inner products, their sum, the kernel, its factor; and the features as they come,
        # standardised (twice while they are clipped) and by groups (twice: the whole is one, too).
        needed = (4 * 8 * unknowns**2 + 5 * X.nbytes) / GIB
        if needed > self.memory_limit:
            primal = f"kernels=('linear',) (exact, in {widest} unknowns), " if widest < unknowns else ""
            raise SerClassicError(
                f"exact kernels of {n} clips need {needed:.3g} GiB, of {self.memory_limit:g} allowed: use "
                f"{primal}the models svm_primal (linear) or xgboost, or raise memory_limit"
            )

    def _learn(
        self, clips: Clips, alphas: Sequence[float]
    ) -> tuple[StandardScaler, list[dict], dict[str, np.ndarray]]:
        """Scaler, members (coefficients of every alpha, stacked) and anchors that some clips give."""
        weight = np.ones(len(clips.X)) if clips.weight is None else clips.weight
        scaler = StandardScaler().fit(clips.X, sample_weight=weight)
        present, codes = np.unique(clips.codes, return_inverse=True)
        targets = np.eye(len(present))[codes] - 1 / len(present)
        balanced = balanced_weights(codes, weight)
        Z = _standardised(scaler, clips.X)
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

    def _each_score(self, Z: np.ndarray, members: list[dict], anchors: dict[str, np.ndarray]) -> np.ndarray:
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

    def _left_out(
        self, clips: Clips, T: np.ndarray, grid: list[dict[str, Any]]
    ) -> Iterable[tuple[int, np.ndarray]]:
        """Scores [shape=(groups, n, classes)] of every candidate."""
        scaler, *learned = self._learn(clips, [candidate["alpha"] for candidate in grid])
        return enumerate(self._each_score(_standardised(scaler, T), *learned).swapaxes(0, 1))

    def _settle(self, clips: Clips) -> None:
        alphas = [self.best_params_["alpha"]]
        self.scaler_, self.members_, self.anchors_ = self._learn(clips, alphas)

    def _outputs(self, X: np.ndarray) -> np.ndarray:
        learned, scores = (self.members_, self.anchors_), []
        for start in range(0, len(X), BLOCK):
            Z = _standardised(self.scaler_, X[start : start + BLOCK])
            scores.append(self._each_score(Z, *learned)[:, 0])
        return np.concatenate(scores, axis=1)

    def _scores(self, outputs: np.ndarray) -> np.ndarray:
        if self.weights_ is None:
            return outputs.sum(axis=0)
        return side_by_side(outputs) @ self.weights_ + self.bias_


def side_by_side(scores: np.ndarray) -> np.ndarray:
    """Scores [shape=(n, groups * classes)] of those of groups [shape=(groups, n, classes)]."""
    groups, n, classes = scores.shape
    return scores.transpose(1, 0, 2).reshape(n, groups * classes)


def _standardised(scaler: StandardScaler, X: np.ndarray) -> np.ndarray:
    return scaler.transform(X).clip(-CLIP, CLIP)
