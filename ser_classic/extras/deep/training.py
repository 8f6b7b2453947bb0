"""Training through skorch, and probabilities from trained weights."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
import torch
from skorch import NeuralNetClassifier
from skorch.callbacks import Callback, EarlyStopping, EpochScoring, LRScheduler
from skorch.dataset import Dataset
from skorch.helper import predefined_split
from torch import nn

from ser_classic.estimators import uar
from ser_classic.extras.deep.networks import NETWORKS
from ser_classic.registry import unknown
from ser_classic.runtime.progress import finished, tell

Batch = dict[str, np.ndarray]  # X [shape=(clips, frames, d), float32], lengths [shape=(clips,), int64]
PREDICTED_AT_ONCE = 256  # clips
logger = logging.getLogger(__name__)


class Trained(NamedTuple):
    """Weights of the best epoch, and how they were reached; see `DeepClassifier`."""

    weights: dict[str, np.ndarray]
    curves: dict[str, np.ndarray]
    best_epoch: int
    device: str


def train(
    network: dict[str, Any],
    train: tuple[Batch, np.ndarray],
    valid: tuple[Batch, np.ndarray] | None,
    epochs: int,
    patience: int,
    batch_size: int,
    learning_rate: float,
    seed: int,
) -> Trained:
    """Train a network on clips and their classes; with a validation part, stop early and keep the best epoch.

    An interruption (Ctrl-C) is passed on, so that no half-trained network is taken for a trained one.
    """
    device = "cuda" if torch.cuda.is_available() else "cpu"
    shown = device if device == "cpu" else f"{device} ({torch.cuda.get_device_name()})"
    X, y = train
    counts = np.bincount(y, minlength=network["classes"])
    stop = EarlyStopping("valid_uar", lower_is_better=False, patience=patience, load_best=True)
    plateau = LRScheduler(
        torch.optim.lr_scheduler.ReduceLROnPlateau,
        monitor="train_loss" if valid is None else "valid_uar",
        mode="min" if valid is None else "max",
        factor=0.5,
        patience=patience // 2,
    )
    scores = [EpochScoring(_uar, lower_is_better=False, on_train=True, name="train_uar")]
    if valid is not None:
        scores.append(EpochScoring(_uar, lower_is_better=False, name="valid_uar"))
    with one_thread(seed):
        net = NeuralNetClassifier(
            build(network),
            criterion=nn.CrossEntropyLoss,
            criterion__weight=torch.tensor(counts.sum() / (len(counts) * counts), dtype=torch.float32),
            optimizer=torch.optim.Adam,
            lr=learning_rate,
            max_epochs=epochs,
            batch_size=batch_size,
            iterator_train__shuffle=True,
            iterator_train__drop_last=len(y) % batch_size == 1,  # one value has no batch statistics
            iterator_valid__batch_size=PREDICTED_AT_ONCE,
            train_split=None if valid is None else predefined_split(Dataset(*valid)),
            callbacks=[*scores, Log(epochs, shown), plateau, *([] if valid is None else [stop])],
            callbacks__valid_acc=None,
            callbacks__print_log=None,
            device=device,
            verbose=0,
        ).initialize()
        net.notify("on_train_begin", X=X, y=y)
        try:
            net.fit_loop(X, y)
        except KeyboardInterrupt:  # which is also how skorch stops early
            if stop.misses_ < patience:
                raise
        net.notify("on_train_end", X=X, y=y)
    weights = {name: value.cpu().numpy().copy() for name, value in net.module_.state_dict().items()}
    return Trained(weights, _curves(net.history), epochs if valid is None else stop.best_epoch_, shown)


def probabilities(network: dict[str, Any], weights: dict[str, np.ndarray], batch: Batch) -> np.ndarray:
    """Probability of every class [shape=(clips, classes), dtype=float64]."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    with one_thread(0), torch.inference_mode():
        with torch.device("meta"):  # nothing is drawn, and no file makes us reserve more than it holds
            module = build(network)
        module.load_state_dict(
            {name: torch.from_numpy(value) for name, value in weights.items()}, assign=True
        )
        module.to(device).eval()
        parts = []
        for start in range(0, len(batch["X"]), PREDICTED_AT_ONCE):
            part = {
                name: torch.from_numpy(values[start : start + PREDICTED_AT_ONCE]).to(device)
                for name, values in batch.items()
            }
            parts.append(module(**part).double().softmax(dim=1).cpu().numpy())
    return np.concatenate(parts)


def build(network: dict[str, Any]) -> nn.Module:
    """A network by its name and arguments, its weights drawn."""
    arguments = dict(network)
    name = arguments.pop("name")
    if name not in NETWORKS:
        raise ValueError(unknown("networks", name, NETWORKS))
    return NETWORKS[name](**arguments)


@contextmanager
def one_thread(seed: int) -> Iterator[None]:
    """Seeded, with one CPU thread (sums then have one order); both are put back afterwards."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            yield
    finally:
        torch.set_num_threads(threads)


class Log(Callback):
    """Logs every epoch with its cost, and shows on a terminal how long the rest takes at most."""

    def __init__(self, epochs: int, device: str) -> None:
        self.epochs = epochs
        self.device = device

    def on_epoch_end(self, net: NeuralNetClassifier, **kwargs: Any) -> None:
        row = net.history[-1]
        valid = f", held out {row['valid_loss']:.3f} and {row['valid_uar']:.3f}" if "valid_uar" in row else ""
        left = sum(net.history[:, "dur"]) / row["epoch"] * (self.epochs - row["epoch"])
        logger.info(
            f"epoch {row['epoch']}/{self.epochs} on {self.device}: loss {row['train_loss']:.3f}, "
            f"UAR {row['train_uar']:.3f}{valid}; {row['dur']:.2f} s, at most {left:.0f} s left"
        )
        tell(row["epoch"], self.epochs, left)

    def on_train_end(self, net: NeuralNetClassifier, **kwargs: Any) -> None:
        finished()


def _uar(net: NeuralNetClassifier, X: Any, y: Any) -> float:
    return uar(np.asarray(y), net.predict(X))


def _curves(history: Any) -> dict[str, np.ndarray]:
    rows = [row for row in history if "dur" in row]
    names = ("seconds", *(f"{part}_{what}" for what in ("loss", "uar") for part in ("train", "valid")))
    keys = {name: "dur" if name == "seconds" else name for name in names}
    curves = {name: np.array([row.get(key, np.nan) for row in rows]) for name, key in keys.items()}
    return {"epoch": np.array([row["epoch"] for row in rows])} | curves
