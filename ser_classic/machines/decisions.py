"""Decisions: from what the last part gives to a choice and, where there are some, probabilities."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from ser_classic.machines import formulas

# Number of the class chosen [shape=(n,)], and probabilities [shape=(n, classes)] or none.
Judged = tuple[np.ndarray, np.ndarray | None]


class Decision(Protocol):
    """The last step; without a `sharpness` it gives no probabilities."""

    sharpness: float | None

    @property
    def sure(self) -> bool:
        """Whether it gives probabilities."""
        return self.sharpness is not None

    def __call__(self, X: np.ndarray) -> Judged: ...


@dataclass(frozen=True)
class Probabilities(Decision):
    """What comes in are probabilities."""

    sharpness = 1.0

    def __call__(self, X: np.ndarray) -> Judged:
        return X.argmax(axis=1), X


@dataclass(frozen=True)
class Scores(Decision):
    """What comes in are scores of the classes; probabilities are their softmax, sharpened by this factor."""

    sharpness: float | None

    def __call__(self, X: np.ndarray) -> Judged:
        choice = X.argmax(axis=1)
        return choice, None if self.sharpness is None else formulas.probabilities(X, self.sharpness)


@dataclass(frozen=True)
class Pairs(Decision):
    """What comes in are margins of pairs of classes, positive in favour of the first.

    Probabilities are coupled of the margins times `sharpness`. Of classes with equal votes the one with the
    larger margins is chosen where `break_ties` says so, else the first.
    """

    sharpness: float | None
    break_ties: bool

    def __call__(self, X: np.ndarray) -> Judged:
        choice = (formulas.rated(X) if self.break_ties else formulas.votes(X)).argmax(axis=1)
        if self.sharpness is None:
            return choice, None
        return choice, formulas.led_by(formulas.coupled(X, self.sharpness), choice)
