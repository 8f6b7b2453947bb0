"""Networks: from a padded batch and its lengths to scores. Padding changes nothing.

Every network maps `X` [shape=(clips, frames, d), float32] and `lengths` [shape=(clips,), int64] to scores
[shape=(clips, classes)]. It first cuts the batch to its longest clip, so that more padding is the same batch.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import pairwise

import torch
from torch import Tensor, nn


def cut(X: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
    """The batch without the frames beyond its longest clip, zero where padded, and which frames are real."""
    longest = int(lengths.max())
    real = torch.arange(longest, device=X.device) < lengths[:, None]
    return X[:, :longest].masked_fill(~real[..., None], 0), real


def reverse(X: Tensor, lengths: Tensor) -> Tensor:
    """Each clip backwards, with its padding still at the end."""
    steps = torch.arange(X.shape[1], device=X.device)
    order = torch.where(steps < lengths[:, None], lengths[:, None] - 1 - steps, steps)
    return X.gather(1, order[..., None].expand_as(X))


def last(X: Tensor, lengths: Tensor) -> Tensor:
    """The last real frame of each clip [shape=(clips, d)]."""
    return X[torch.arange(len(X), device=X.device), lengths - 1]


class RecurrentLayer(nn.Module):
    """One LSTM or GRU layer, in one direction or both.

    Two directions are two layers, one of which reads the clips backwards: the same as torch's packed
    sequences, which take four times as long on a CPU. An LSTM starts with open forget gates (Jozefowicz et
    al. 2015), as in Keras, with which the recipes were published.
    """

    def __init__(self, cell: str, inputs: int, units: int, bidirectional: bool = False) -> None:
        super().__init__()
        layer = {"lstm": nn.LSTM, "gru": nn.GRU}[cell]
        self.forwards = layer(inputs, units, batch_first=True)
        self.backwards = layer(inputs, units, batch_first=True) if bidirectional else None
        if cell == "lstm":
            with torch.no_grad():
                for direction in filter(None, (self.forwards, self.backwards)):
                    direction.bias_hh_l0.zero_()
                    direction.bias_ih_l0.zero_()[units : 2 * units] = 1

    def forward(self, X: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """States [shape=(clips, frames, outputs)], and the last of each clip [shape=(clips, outputs)]."""
        states, _ = self.forwards(X)
        summary = last(states, lengths)
        if self.backwards is None:
            return states, summary
        mirrored, _ = self.backwards(reverse(X, lengths))
        summary = torch.cat([summary, last(mirrored, lengths)], dim=1)
        return torch.cat([states, reverse(mirrored, lengths)], dim=2), summary


class RecurrentNet(nn.Module):
    """Recurrent layers, the state after the whole clip, a dense layer."""

    def __init__(
        self,
        inputs: int,
        classes: int,
        cell: str,
        units: int = 128,
        layers: int = 2,
        bidirectional: bool = False,
        dropout: float = 0.2,
        dense: int = 64,
    ) -> None:
        super().__init__()
        *into, states = inputs, *[units * (1 + bidirectional)] * layers
        self.layers = nn.ModuleList(RecurrentLayer(cell, size, units, bidirectional) for size in into)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Sequential(nn.Linear(states, dense), nn.ReLU(), nn.Linear(dense, classes))

    def forward(self, X: Tensor, lengths: Tensor) -> Tensor:
        states, _ = cut(X, lengths)
        for layer in self.layers:
            states, summary = layer(states, lengths)
            states = self.dropout(states)
        return self.head(self.dropout(summary))


class ConvolutionLayer(nn.Module):
    """Convolution, batch normalisation over the real frames alone, ReLU, pooling of two frames, dropout."""

    def __init__(self, inputs: int, channels: int, kernel: int, dropout: float) -> None:
        super().__init__()
        self.convolve = nn.Conv1d(inputs, channels, kernel, padding="same")
        self.normalise = nn.BatchNorm1d(channels)
        self.dropout = nn.Dropout(dropout)

    def forward(self, X: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Half as many frames [shape=(clips, frames, channels)], with zeros as padding, and their numbers."""
        raw = self.convolve(X.transpose(1, 2)).transpose(1, 2)
        real = torch.arange(X.shape[1], device=X.device) < lengths[:, None]
        active = torch.zeros_like(raw)
        active[real] = torch.relu(self.normalise(raw[real]))
        # After the ReLU nothing is below 0, so padding never is the maximum
        pooled = nn.functional.max_pool1d(active.transpose(1, 2), 2, ceil_mode=True).transpose(1, 2)
        return self.dropout(pooled), (lengths + 1) // 2


class ConvolutionalNet(nn.Module):
    """Convolutions over time and a dense layer.

    `flatten`, the frames of a clip, gives every position its own weights, for vectors whose features have
    fixed places; with 0, mean and maximum over time.
    """

    def __init__(
        self,
        inputs: int,
        classes: int,
        channels: tuple[int, ...] = (64, 128),
        kernel: int = 5,
        dropout: float = 0.3,
        dense: int = 64,
        flatten: int = 0,
    ) -> None:
        super().__init__()
        self.flatten = flatten
        sizes = pairwise((inputs, *channels))
        self.layers = nn.ModuleList(ConvolutionLayer(*size, kernel, dropout) for size in sizes)
        pooled = channels[-1] * (-(-flatten // 2 ** len(channels)) if flatten else 2)
        self.head = nn.Sequential(
            nn.Linear(pooled, dense), nn.ReLU(), nn.Dropout(dropout), nn.Linear(dense, classes)
        )

    def forward(self, X: Tensor, lengths: Tensor) -> Tensor:
        states, _ = cut(X, lengths)
        for layer in self.layers:
            states, lengths = layer(states, lengths)
        if self.flatten:
            return self.head(states.flatten(1))
        mean = states.sum(dim=1) / lengths[:, None]
        return self.head(torch.cat([mean, states.amax(dim=1)], dim=1))


class AttentionNet(nn.Module):
    """Convolutions, a bidirectional GRU, and attention that weighs its frames (Mirsamadi et al. 2017)."""

    def __init__(
        self,
        inputs: int,
        classes: int,
        channels: tuple[int, ...] = (64, 64),
        kernel: int = 5,
        units: int = 64,
        dropout: float = 0.3,
    ) -> None:
        super().__init__()
        sizes = pairwise((inputs, *channels))
        self.convolutions = nn.ModuleList(ConvolutionLayer(*size, kernel, dropout) for size in sizes)
        self.recurrent = RecurrentLayer("gru", channels[-1], units, bidirectional=True)
        self.attention = nn.Sequential(nn.Linear(2 * units, units), nn.Tanh(), nn.Linear(units, 1))
        self.head = nn.Sequential(nn.Dropout(dropout), nn.Linear(4 * units, classes))

    def forward(self, X: Tensor, lengths: Tensor) -> Tensor:
        states, _ = cut(X, lengths)
        for layer in self.convolutions:
            states, lengths = layer(states, lengths)
        states, _ = self.recurrent(states, lengths)
        _, real = cut(states, lengths)
        weights = self.attention(states).squeeze(2).masked_fill(~real, -torch.inf).softmax(dim=1)
        mean = (weights[..., None] * states).sum(dim=1)
        spread = (weights[..., None] * (states - mean[:, None]) ** 2).sum(dim=1)
        return self.head(torch.cat([mean, (spread + 1e-6).sqrt()], dim=1))


NETWORKS: dict[str, Callable[..., nn.Module]] = {
    "lstm": partial(RecurrentNet, cell="lstm"),
    "gru": partial(RecurrentNet, cell="gru"),
    "convolutional": ConvolutionalNet,
    "attention": AttentionNet,
}
