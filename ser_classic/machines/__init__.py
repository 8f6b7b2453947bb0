"""Machines: what a fitted model computes to predict, as plain arrays and a few lines of NumPy.

A machine is a chain of parts, from features to a decision. It needs no scikit-learn and consists of numbers
alone; a saved predictor is a machine and its card. `ser_classic.predictor.freezing` turns fitted pipelines
into machines.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ser_classic.machines.parts import (
    Activation,
    Constant,
    Decision,
    Gaussians,
    Judged,
    Linear,
    Neighbours,
    Pairs,
    Part,
    Probabilities,
    Ridges,
    Scores,
    Standardise,
    Trees,
)
from ser_classic.registry import Registry

__all__ = [
    "PARTS",
    "Activation",
    "Constant",
    "Gaussians",
    "Linear",
    "Machine",
    "Neighbours",
    "Pairs",
    "Probabilities",
    "Ridges",
    "Scores",
    "Standardise",
    "Trees",
]

BLOCK = 1024  # clips at a time

# Parts of plug-ins: frozen dataclasses with a `name`, whose fields are numbers, words and arrays
PARTS: Registry[type[Part]] = Registry("parts", (), wanted=type)


@dataclass(frozen=True, eq=False)
class Machine:
    """A chain of parts and a decision."""

    parts: tuple[Part, ...]
    decision: Decision

    @property
    def sure(self) -> bool:
        """Whether it gives probabilities."""
        return self.decision.sharpness is not None

    def outputs(self, X: np.ndarray | Any) -> np.ndarray:
        """What the last part gives for clips [shape=(n, any)].

        X is an array [shape=(n, d), dtype=float32], or [shape=(n,)] of what the first part takes for a clip.
        """
        blocks = []
        for start in range(0, len(X), BLOCK):
            given = X[start : start + BLOCK]
            for part in self.parts:
                given = part(given)
            blocks.append(given)
        return np.concatenate(blocks)

    def judge(self, X: np.ndarray | Any) -> Judged:
        """Number of the class [shape=(n,)] and probabilities [shape=(n, classes)] or None, for clips."""
        return self.decision(self.outputs(X))
