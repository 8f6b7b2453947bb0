"""A network of the extra `deep`: the only part that needs a library, PyTorch, to answer."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np

from ser_classic.machines.parts import fit


@dataclass(frozen=True, eq=False)
class Network:
    """Chances by a network that was trained from scratch; see `ser_classic.extras.deep`.

    Attributes
    ----------
    parameters : str
        Arguments of `DeepClassifier`, as JSON.
    names : tuple of str
        Of the weights ...
    weights : tuple of np.ndarray
        ... which these are.
    mean, scale : np.ndarray [shape=(d,), dtype=float32]
    length : int
        Frames of a padded clip.
    classes : int
    """

    parameters: str
    names: tuple[str, ...]
    weights: tuple[np.ndarray, ...]
    mean: np.ndarray
    scale: np.ndarray
    length: int
    classes: int

    def width(self, columns: int) -> int:
        given = json.loads(self.parameters)
        expected = (columns,) if given["sequence"] else (1,)
        fit(
            isinstance(given, dict),
            len(self.names) == len(self.weights),
            self.mean.shape == self.scale.shape,
            self.mean.shape in (expected, (columns,)),
            bool((self.scale != 0).all()),
            0 < self.length <= 10**6,
            0 < self.classes <= 1000,
        )
        return self.classes

    def __call__(self, X: Any) -> np.ndarray:
        from ser_classic.extras.deep.estimator import DeepClassifier

        network = DeepClassifier(**json.loads(self.parameters))
        network.n_features_in_ = len(X[0][0]) if network.sequence else X.shape[1]
        network.classes_ = np.arange(self.classes)
        network.weights_ = dict(zip(self.names, self.weights, strict=True))
        network.mean_, network.scale_, network.length_ = self.mean, self.scale, self.length
        return network.predict_proba(X)
