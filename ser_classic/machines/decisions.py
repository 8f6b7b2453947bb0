"""Decisions: from what the last part gives to a choice and, where there are some, chances."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from ser_classic.machines import formulas

# Number of the class chosen [shape=(n,)], and chances [shape=(n, classes)] or none.
Judged = tuple[np.ndarray, np.ndarray | None]


class Decision(Protocol):
    """The last step."""

    @property
    def sure(self) -> bool:
        """Whether it gives chances."""
        ...

    def __call__(self, X: np.ndarray) -> Judged: ...


@dataclass(frozen=True)
class Chances:
    """What comes in are chances."""

    sure = True

    def __call__(self, X: np.ndarray) -> Judged:
        return X.argmax(axis=1), X


@dataclass(frozen=True)
class Scores:
    """What comes in are scores of the classes; chances are their softmax, sharpened.

    Attributes
    ----------
    sharpness : float > 0, optional
        Without it there are no chances.
    """

    sharpness: float | None

    @property
    def sure(self) -> bool:
        return self.sharpness is not None

    def __call__(self, X: np.ndarray) -> Judged:
        choice = X.argmax(axis=1)
        return choice, None if self.sharpness is None else formulas.probabilities(X, self.sharpness)


@dataclass(frozen=True)
class Pairs:
    """What comes in are margins of pairs of classes, positive in favour of the first.

    Attributes
    ----------
    sharpness : float > 0, optional
        Factor on the margins, of which chances are coupled; without it there are none.
    break_ties : bool
        Of classes with equal votes the one with the larger margins is chosen, not the first.
    """

    sharpness: float | None
    break_ties: bool

    @property
    def sure(self) -> bool:
        return self.sharpness is not None

    def __call__(self, X: np.ndarray) -> Judged:
        choice = (formulas.rated(X) if self.break_ties else formulas.votes(X)).argmax(axis=1)
        if self.sharpness is None:
            return choice, None
        return choice, formulas.led_by(formulas.coupled(X, self.sharpness), choice)
