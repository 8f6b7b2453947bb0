"""A classifier around a small network, whose fitted state is plain arrays."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from ser_classic.estimators import held_out
from ser_classic.machines import Machine, Probabilities
from ser_classic.registry import need

if TYPE_CHECKING:
    from ser_classic.extras.deep.training import Batch


@dataclass(eq=False, repr=False)
class DeepClassifier(ClassifierMixin, BaseEstimator):
    """A network trained from scratch: Adam, class weights, early stopping on speakers held out.

    Features are standardised over the frames trained on. Sequences are padded or cut to the length that
    `coverage` percent of the clips trained on do not exceed; padding changes nothing. It uses a GPU if there
    is one, else one thread of the CPU, which makes results reproducible.

    Parameters
    ----------
    network, options : str and mapping
        One of `networks.NETWORKS` and its arguments; `flatten` as True or False.
    sequence : bool
        Take sequences; else vectors, read feature by feature as a sequence of single values.
    epochs, fixed_epochs : int
        Most epochs; and the number of epochs if nothing can be held out: fewer than four speakers.
    patience : int
        Training stops after this number of epochs without a better validation UAR; half as many halve the
        learning rate. The weights of the best epoch are kept.
    one_in : int
        One in this number of speakers is held out for validation.
    coverage : float [percent]

    Attributes
    ----------
    curves_ : dict of str to np.ndarray [shape=(epochs,)]
        Training UAR is from the batches during training, with dropout. Validation is NaN if nothing was held
        out.
    held_out_ : bool
    chosen_ : dict
        `best_epoch`, whose weights these are, and `device`.
    """

    network: str = "lstm"
    options: Mapping[str, Any] | None = None
    sequence: bool = True
    epochs: int = 60
    fixed_epochs: int = 25
    patience: int = 10
    one_in: int = 5
    batch_size: int = 64
    learning_rate: float = 1e-3
    coverage: float = 95.0
    random_state: int = 0

    def fit(self, X: Any, y: Sequence, groups: Sequence | None = None) -> DeepClassifier:
        """Fit to clips of known class.

        Parameters
        ----------
        X : array-like [shape=(n, d)], or sequence of n arrays [shape=(frames, d)]
        y : array-like [shape=(n,)]
        groups : array-like [shape=(n,)], optional
            Speaker of every clip, for the validation part; without, clips are drawn.

        Raises
        ------
        ValueError
            A clip has no frame, clips differ in width, values are not finite, or there is a single class.
        SerClassicError
            PyTorch or skorch is not installed.
        """
        training = _training()
        clips = self._read(X, reset=True)
        self.classes_, codes = np.unique(np.asarray(y), return_inverse=True)
        if len(codes) != len(clips):
            raise ValueError(f"found {len(clips)} clips, but {len(codes)} labels")
        if len(self.classes_) < 2:
            raise ValueError(f"all clips are of one class, {str(self.classes_[0])!r}; two classes are needed")
        split = held_out(codes, groups, self.one_in, self.random_state)
        self.held_out_ = split is not None
        parts = split or (np.arange(len(clips)),)
        self._measure([clips[row] for row in parts[0]])
        batches = [(self._batch([clips[row] for row in rows]), codes[rows]) for rows in parts]
        self.weights_, self.curves_, self.chosen_ = training.train(self, self._network_arguments(), *batches)
        return self

    def predict_proba(self, X: Any) -> np.ndarray:
        """Probability of every class [shape=(n, k), dtype=float64]; raises as `fit`."""
        check_is_fitted(self)
        batch = self._batch(self._read(X, reset=False))
        return _training().probabilities(self._network_arguments(), self.weights_, batch)

    def predict(self, X: Any) -> np.ndarray:
        """Most probable class of every clip [shape=(n,)]."""
        return self.classes_[self.predict_proba(X).argmax(axis=1)]

    def machine(self, X: Any) -> Machine:
        """The fitted network as plain arrays, for a predictor."""
        network = Network(
            json.dumps(self.get_params()),
            tuple(self.weights_),
            tuple(self.weights_.values()),
            self.mean_,
            self.scale_,
            self.length_,
            len(self.classes_),
        )
        return Machine((network,), Probabilities())

    def _read(self, X: Any, reset: bool) -> list[np.ndarray]:
        """Clips as arrays [shape=(frames, d)], checked; a vector is one frame until `_batch` turns it."""
        if not self.sequence:
            return list(validate_data(self, X, dtype=np.float32, reset=reset)[:, None, :])
        clips = [np.asarray(clip, dtype=np.float32) for clip in X]
        if not clips:
            raise ValueError("there are no clips")
        if reset:
            self.n_features_in_ = clips[0].shape[-1] if clips[0].ndim == 2 else 0
        for number, clip in enumerate(clips):
            if clip.ndim != 2 or clip.shape[1] != self.n_features_in_ or self.n_features_in_ == 0:
                width = self.n_features_in_ or "d"
                raise ValueError(f"clip {number}: of shape {clip.shape}; expected (frames, {width})")
            if len(clip) == 0:
                raise ValueError(f"clip {number}: has no frame; leave it out")
            if not np.isfinite(clip).all():
                raise ValueError(f"clip {number}: has NaN or infinite values")
        return clips

    def _measure(self, clips: list[np.ndarray]) -> None:
        """Set standardisation and padded length by the clips trained on."""
        frames = np.concatenate(clips).astype(np.float64)
        spread = frames.std(axis=0)
        spread[spread <= 1e-7 * np.abs(frames).max(axis=0)] = 1  # constants are not scaled
        self.mean_, self.scale_ = frames.mean(axis=0).astype(np.float32), spread.astype(np.float32)
        lengths = [len(clip) for clip in clips] if self.sequence else [frames.shape[1]]
        self.length_ = int(np.ceil(np.percentile(lengths, self.coverage)))

    def _batch(self, clips: list[np.ndarray]) -> Batch:
        """Standardised clips, padded with zeros or cut to `length_`, and their lengths."""
        clips = [(clip[: self.length_] - self.mean_) / self.scale_ for clip in clips]
        if not self.sequence:
            clips = [clip.T for clip in clips]
        padded = np.zeros((len(clips), self.length_, clips[0].shape[1]), dtype=np.float32)
        for row, clip in zip(padded, clips, strict=True):
            row[: len(clip)] = clip
        return {"X": padded, "lengths": np.array([len(clip) for clip in clips])}

    def _network_arguments(self) -> dict[str, Any]:
        inputs = self.n_features_in_ if self.sequence else 1
        options = {"name": self.network, "inputs": inputs, "classes": len(self.classes_)}
        options |= self.options or {}
        return options | {"flatten": self.length_} if options.get("flatten") else options


@dataclass(frozen=True, eq=False)
class Network:
    """Probabilities by a trained network: parameters of `DeepClassifier`, as JSON, and its fitted state."""

    parameters: str
    names: tuple[str, ...]
    weights: tuple[np.ndarray, ...]
    mean: np.ndarray
    scale: np.ndarray
    length: int
    classes: int

    name: ClassVar[str] = "network"

    def __call__(self, X: Any) -> np.ndarray:
        network = DeepClassifier(**json.loads(self.parameters))
        network.n_features_in_ = len(X[0][0]) if network.sequence else X.shape[1]
        network.classes_ = np.arange(self.classes)
        network.weights_ = dict(zip(self.names, self.weights, strict=True))
        network.mean_, network.scale_, network.length_ = self.mean, self.scale, self.length
        return network.predict_proba(X)


def _training() -> ModuleType:
    for library in ("torch", "skorch"):
        need(library, extra="deep")
    from ser_classic.extras.deep import training

    return training
