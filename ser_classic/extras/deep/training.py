"""Training through skorch, and probabilities from trained weights."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

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

Batch = dict[str, np.ndarray]  # X [shape=(clips, frames, d), float32], lengths [shape=(clips,), int64]
PREDICTED_AT_ONCE = 256  # clips
CURVES = {"epoch": "epoch", "seconds": "dur"} | {  # and what skorch calls them
    name: name for name in ("train_loss", "valid_loss", "train_uar", "valid_uar")
}
logger = logging.getLogger(__name__)


def train(
    settings: Any,
    network: dict[str, Any],
    train: tuple[Batch, np.ndarray],
    valid: tuple[Batch, np.ndarray] | None = None,
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray], dict[str, Any]]:
    """Weights, curves and choices of a network trained with the parameters of a `DeepClassifier`.

    With a validation part, training stops early and the best epoch is kept. An interruption (Ctrl-C) is
    raised, so that a half-trained network is never used.
    """
    device = "cuda" if torch.cuda.is_available() else "cpu"
    shown = device if device == "cpu" else f"{device} ({torch.cuda.get_device_name()})"
    (X, y), patience = train, settings.patience
    held_out = valid is not None
    epochs = settings.epochs if held_out else settings.fixed_epochs
    scores = [
        EpochScoring(_uar, lower_is_better=False, on_train=part == "train", name=f"{part}_uar")
        for part in (("train", "valid") if held_out else ("train",))
    ]
    plateau = LRScheduler(
        torch.optim.lr_scheduler.ReduceLROnPlateau,
        monitor="valid_uar" if held_out else "train_loss",
        mode="max" if held_out else "min",
        factor=0.5,
        patience=patience // 2,
    )
    stop = EarlyStopping("valid_uar", lower_is_better=False, patience=patience, load_best=True)
    counts = np.bincount(y, minlength=network["classes"])
    with one_thread(settings.random_state):
        net = NeuralNetClassifier(
            build(network),
            criterion=nn.CrossEntropyLoss,
            criterion__weight=torch.tensor(counts.sum() / (len(counts) * counts), dtype=torch.float32),
            optimizer=torch.optim.Adam,
            lr=settings.learning_rate,
            max_epochs=epochs,
            batch_size=settings.batch_size,
            iterator_train__shuffle=True,
            iterator_train__drop_last=len(y) % settings.batch_size == 1,  # one value has no batch statistics
            iterator_valid__batch_size=PREDICTED_AT_ONCE,
            train_split=predefined_split(Dataset(*valid)) if held_out else None,
            callbacks=[*scores, Log(epochs, shown), plateau, *([stop] if held_out else [])],
            callbacks__valid_acc=None,
            callbacks__print_log=None,
            device=device,
            verbose=0,
        ).initialize()
        net.notify("on_train_begin", X=X, y=y)
        try:
            net.fit_loop(X, y)
        except KeyboardInterrupt:  # skorch also raises this to stop early
            if stop.misses_ < patience:
                raise
        net.notify("on_train_end", X=X, y=y)
    weights = {name: value.cpu().numpy().copy() for name, value in net.module_.state_dict().items()}
    rows = [row for row in net.history if "dur" in row]
    curves = {name: np.array([row.get(key, np.nan) for row in rows]) for name, key in CURVES.items()}
    return weights, curves, {"best_epoch": stop.best_epoch_ if held_out else epochs, "device": shown}


def probabilities(network: dict[str, Any], weights: dict[str, np.ndarray], batch: Batch) -> np.ndarray:
    """Probability of every class [shape=(clips, classes), dtype=float64]."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    with one_thread(0), torch.inference_mode():
        with torch.device("meta"):  # draws nothing, and no file can make us reserve more than it contains
            module = build(network)
        module.load_state_dict({name: torch.tensor(value) for name, value in weights.items()}, assign=True)
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
    """A network by its name and arguments, with random weights."""
    arguments = dict(network)
    name = arguments.pop("name")
    if name not in NETWORKS:
        raise ValueError(unknown("networks", name, NETWORKS))
    return NETWORKS[name](**arguments)


@contextmanager
def one_thread(seed: int) -> Iterator[None]:
    """Use a seed and one CPU thread (for one order of sums) in a block; both are restored afterwards."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            yield
    finally:
        torch.set_num_threads(threads)


class Log(Callback):
    """Logs every epoch with its time, and how long the rest takes at most."""

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


def _uar(net: NeuralNetClassifier, X: Any, y: Any) -> float:
    return uar(np.asarray(y), net.predict(X))
