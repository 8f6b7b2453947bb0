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
from ser_classic.machines import Chances, Machine
from ser_classic.registry import need

if TYPE_CHECKING:
    from ser_classic.extras.deep.training import Batch


class DeepClassifier(ClassifierMixin, BaseEstimator):
    """A network trained from scratch: Adam, class weights, early stopping on speakers held out.

    Features are standardised over the frames trained on. Sequences are padded or cut to the length that
    `coverage` percent of the clips trained on do not exceed; what is padded changes nothing. One thread on a
    CPU, where a seed decides everything; a GPU is used where there is one.

    Parameters
    ----------
    network : str
        `lstm`, `gru`, `convolutional` or `attention`; see `ser_classic.extras.deep.networks`.
    options : mapping, optional
        Arguments of the network, such as `units`; of `flatten`, whether.
    sequence : bool
        Take sequences; else vectors, read feature by feature as a sequence of single values.
    epochs : int
        Most epochs, with a validation part that stops them early.
    fixed_epochs : int
        Epochs where nothing can be held out: fewer than four speakers.
    patience : int
        Epochs without a better UAR of the validation part before training stops; half as many halve the
        learning rate (ReduceLROnPlateau). The weights of the best epoch are kept.
    one_in : int
        One speaker in so many is held out for validation.
    batch_size : int
    learning_rate : float
    coverage : float [percent]
    random_state : int

    Attributes
    ----------
    classes_ : np.ndarray [shape=(k,)]
    n_features_in_ : int
    weights_ : dict of str to np.ndarray
        The network's parameters and buffers.
    mean_, scale_ : np.ndarray [shape=(n_features_in_,), dtype=float32]
    length_ : int
        Frames of a padded clip.
    curves_ : dict of str to np.ndarray [shape=(epochs,)]
        `epoch`, `train_loss`, `valid_loss`, `train_uar`, `valid_uar`, `seconds`; training UAR is that of the
        batches as they were trained on, with dropout. NaN for validation where nothing was held out.
    best_epoch_ : int
        The epoch whose weights these are.
    held_out_ : bool
        Whether a validation part decided that.
    device_ : str
        What it was trained on.
    """

    def __init__(
        self,
        network: str = "lstm",
        options: Mapping[str, Any] | None = None,
        sequence: bool = True,
        epochs: int = 60,
        fixed_epochs: int = 25,
        patience: int = 10,
        one_in: int = 5,
        batch_size: int = 64,
        learning_rate: float = 1e-3,
        coverage: float = 95.0,
        random_state: int = 0,
    ) -> None:
        self.network = network
        self.options = options
        self.sequence = sequence
        self.epochs = epochs
        self.fixed_epochs = fixed_epochs
        self.patience = patience
        self.one_in = one_in
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.coverage = coverage
        self.random_state = random_state

    def fit(self, X: Any, y: Sequence, groups: Sequence | None = None) -> DeepClassifier:
        """Fit to clips of known class.

        Parameters
        ----------
        X : array-like [shape=(n, d)], or sequence of n arrays [shape=(frames, d)]
        y : array-like [shape=(n,)]
        groups : array-like [shape=(n,)], optional
            Speaker of every clip, by whom the validation part is held out; without, it is drawn clip by clip.

        Raises
        ------
        ValueError
            A clip without a frame, clips of unequal width, values that are not finite, or a single class.
        SerClassicError
            PyTorch or skorch is not installed.
        """
        training = _training()
        clips = self._read(X, reset=True)
        self.classes_, codes = np.unique(np.asarray(y), return_inverse=True)
        if len(codes) != len(clips):
            raise ValueError(f"{len(clips)} clips and {len(codes)} classes; expected as many")
        if len(self.classes_) < 2:
            raise ValueError(
                f"all clips are of one class, {str(self.classes_[0])!r}; two are needed to tell apart"
            )
        split = held_out(codes, groups, self.one_in, self.random_state)
        train, valid = split if split else (np.arange(len(clips)), None)
        self._measure([clips[row] for row in train])

        def part(rows: np.ndarray) -> tuple[Batch, np.ndarray]:
            return self._batch([clips[row] for row in rows]), codes[rows]

        self.held_out_ = split is not None
        self.weights_, self.curves_, self.best_epoch_, self.device_ = training.train(
            self._network_arguments(),
            part(train),
            None if valid is None else part(valid),
            epochs=self.epochs if split else self.fixed_epochs,
            patience=self.patience,
            batch_size=self.batch_size,
            learning_rate=self.learning_rate,
            seed=self.random_state,
        )
        return self

    @property
    def chosen_(self) -> dict[str, Any]:
        """What the training decided: the epoch whose weights these are, and the device."""
        check_is_fitted(self)
        return {"best_epoch": self.best_epoch_, "device": self.device_}

    def predict_proba(self, X: Any) -> np.ndarray:
        """Probability of every class [shape=(n, k), dtype=float64].

        Raises
        ------
        ValueError
            As `fit`, or clips of another width than those trained on.
        SerClassicError
            PyTorch or skorch is not installed.
        """
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
            tuple(np.asarray(weights) for weights in self.weights_.values()),
            self.mean_,
            self.scale_,
            int(self.length_),
            len(self.classes_),
        )
        return Machine((network,), Chances())

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
                raise ValueError(f"clip {number}: it has no frame; leave it out")
            if not np.isfinite(clip).all():
                raise ValueError(f"clip {number}: it holds NaN or infinite values")
        return clips

    def _measure(self, clips: list[np.ndarray]) -> None:
        """Take the standardisation and the padded length from the clips trained on."""
        frames = np.concatenate(clips).astype(np.float64)
        spread = frames.std(axis=0)
        spread[spread <= 1e-7 * np.abs(frames).max(axis=0)] = 1  # a constant says nothing, at any scale
        self.mean_, self.scale_ = frames.mean(axis=0).astype(np.float32), spread.astype(np.float32)
        lengths = [len(clip) for clip in clips]
        self.length_ = (
            int(np.ceil(np.percentile(lengths, self.coverage))) if self.sequence else frames.shape[1]
        )

    def _batch(self, clips: list[np.ndarray]) -> Batch:
        """Standardised clips, padded with zeros or cut to `length_`, and their true lengths."""
        if not self.sequence:
            clips = [((clip - self.mean_) / self.scale_).T for clip in clips]
        else:
            clips = [(clip[: self.length_] - self.mean_) / self.scale_ for clip in clips]
        padded = np.zeros((len(clips), self.length_, clips[0].shape[1]), dtype=np.float32)
        for row, clip in zip(padded, clips, strict=True):
            row[: len(clip)] = clip
        return {"X": padded, "lengths": np.array([len(clip) for clip in clips])}

    def _network_arguments(self) -> dict[str, Any]:
        options = dict(self.options or {})
        if options.get("flatten"):
            options["flatten"] = self.length_
        return {
            "name": self.network,
            "inputs": self.n_features_in_ if self.sequence else 1,
            "classes": len(self.classes_),
            **options,
        }


@dataclass(frozen=True, eq=False)
class Network:
    """Chances by a network that was trained from scratch.

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
