"""Embeddings of pretrained speech encoders as features, by Hugging Face's transformers; its only importer."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np

from ser_classic.errors import SerClassicError, wrap_errors
from ser_classic.features import FeatureSet
from ser_classic.registry import need

LONGEST = 30  # [s]; longer recordings are embedded in equal parts, as the cost of attention is quadratic
EXTRA = "embeddings"


def encoder_set(encoder: str, layer: int | None = None, batch: int = 8, threads: int = 1) -> FeatureSet:
    """A layer of a speech encoder as a feature set: mean and standard deviation over time of each unit.

    Padding is masked: the batch changes a value only by rounding. A GPU is used if there is one.

    Parameters
    ----------
    encoder : str
        Folder of a model, or its name at Hugging Face: wav2vec 2.0, HuBERT, WavLM and the like, or the
        encoder of a Whisper.
    layer : int, optional
        0 is the input of the first layer; the last one by default.
    batch : int
        Recordings per batch.
    threads : int
        Threads of PyTorch without a GPU.

    Raises
    ------
    SerClassicError
        transformers or PyTorch is not installed; there is no such encoder or layer, or it cannot be loaded.
    """
    loaded = _loaded(encoder)
    loaded.torch.set_num_threads(threads)
    layer = loaded.layers if layer is None else layer
    if not 0 <= layer <= loaded.layers:
        raise SerClassicError(
            f"{encoder}: has no layer {layer}; give one from 0 (input of the first) to {loaded.layers}"
        )
    extractor = Encoder(encoder, layer, loaded.digest)
    object.__setattr__(extractor, "batch", batch)
    rate = loaded.prepare.sampling_rate
    return FeatureSet("encoder", rate, extractor, library="transformers", extra=EXTRA)


@dataclass(frozen=True)
class Encoder:
    """Extractor: see `encoder_set`."""

    encoder: str
    layer: int
    weights: str  # SHA-256 of weights and settings

    batch: ClassVar[int] = 8  # no field, as the values do not depend on it

    @property
    def columns(self) -> tuple[str, ...]:
        width = _loaded(self.encoder).model.config.hidden_size
        return tuple(f"unit_{unit:04d}_{name}" for name in ("mean", "std") for unit in range(width))

    def __call__(self, waveform: np.ndarray, sample_rate: int) -> np.ndarray:
        return self.together([waveform], sample_rate)[0]

    def together(self, waveforms: Sequence[np.ndarray], sample_rate: int) -> list[np.ndarray]:
        """Features [shape=(d,), dtype=float32] of each waveform [shape=(n,)]."""
        loaded = _loaded(self.encoder)
        parts = [np.array_split(waveform, -(-len(waveform) // loaded.longest)) for waveform in waveforms]
        flat = [part for each in parts for part in each]
        states: list[np.ndarray] = []
        with loaded.torch.inference_mode():
            for start in range(0, len(flat), self.batch):
                states += loaded.states(flat[start : start + self.batch], self.layer)
        frames = [np.concatenate([states.pop(0) for _ in each]) for each in parts]
        return [np.concatenate([each.mean(axis=0), each.std(axis=0)]).astype(np.float32) for each in frames]


class _Waves:
    """An encoder of the waveform: wav2vec 2.0 and the like.

    Its convolutions run on one recording at a time: many such encoders normalise their output over time,
    including padded zeros, without a mask.
    """

    def __init__(self, torch: Any, model: Any, prepare: Any) -> None:
        class Apart(torch.nn.Module):
            def __init__(self, convolutions: Any) -> None:
                super().__init__()
                self.convolutions, self.lengths, self.frames = convolutions, [], []

            def forward(self, padded: Any) -> Any:
                found = [
                    self.convolutions(row[None, :length])[0].T
                    for row, length in zip(padded, self.lengths, strict=True)
                ]
                self.frames = [len(each) for each in found]
                return torch.nn.utils.rnn.pad_sequence(found, batch_first=True).transpose(1, 2)

        self.layers, self.longest = model.config.num_hidden_layers, LONGEST * prepare.sampling_rate
        self.shortest = 1  # [samples] that give one frame
        kernels = zip(reversed(model.config.conv_kernel), reversed(model.config.conv_stride), strict=True)
        for kernel, stride in kernels:
            self.shortest = (self.shortest - 1) * stride + kernel
        self.apart = model.feature_extractor = Apart(model.feature_extractor)
        self.torch, self.model, self.prepare = torch, model, prepare

    def states(self, waveforms: Sequence[np.ndarray], layer: int) -> list[np.ndarray]:
        """Output of a layer for each waveform [shape=(frames, units)]."""
        rate, tensor = self.prepare.sampling_rate, self.torch.from_numpy
        lasting = [np.pad(each, (0, max(0, self.shortest - len(each)))) for each in waveforms]
        inputs = [
            tensor(np.asarray(self.prepare(each, sampling_rate=rate)["input_values"][0], dtype=np.float32))
            for each in lasting
        ]
        pad = self.torch.nn.utils.rnn.pad_sequence
        masks = [self.torch.ones(len(each), dtype=self.torch.long) for each in inputs]
        self.apart.lengths = list(map(len, inputs))
        device = self.model.device
        found = self.model(
            pad(inputs, batch_first=True).to(device),
            attention_mask=pad(masks, batch_first=True).to(device),
            output_hidden_states=True,
        ).hidden_states[layer]
        return [row[:frames].cpu().numpy() for row, frames in zip(found, self.apart.frames, strict=True)]


class _Spectra:
    """Whisper's encoder, which always takes 30 s; only the frames of the recording are kept."""

    def __init__(self, torch: Any, model: Any, prepare: Any) -> None:
        self.layers, self.longest = model.config.encoder_layers, prepare.n_samples
        self.torch, self.model, self.prepare = torch, model, prepare

    def states(self, waveforms: Sequence[np.ndarray], layer: int) -> list[np.ndarray]:
        """Output of a layer for each waveform [shape=(frames, units)]."""
        rate, step = self.prepare.sampling_rate, 2 * self.prepare.hop_length  # its convolutions halve
        inputs = self.prepare(list(waveforms), sampling_rate=rate, return_tensors="pt")["input_features"]
        found = self.model(inputs.to(self.model.device), output_hidden_states=True).hidden_states[layer]
        return [
            row[: -(-len(each) // step)].cpu().numpy() for row, each in zip(found, waveforms, strict=True)
        ]


@lru_cache(maxsize=1)
def _loaded(encoder: str) -> Any:
    """An encoder as `_Waves` or `_Spectra`, with the `digest` of weights and settings."""
    torch, library = need("torch", EXTRA), need("transformers", EXTRA)
    library.logging.set_verbosity_error()
    logging.getLogger("huggingface_hub").setLevel(logging.ERROR)  # it would log each attempt
    remedy = (
        "give a folder, or a name at Hugging Face: check its spelling and the network, and log in (hf auth "
        "login) if the model has terms to accept"
    )
    with wrap_errors(f"{encoder}: cannot be loaded", remedy):
        prepare = library.AutoFeatureExtractor.from_pretrained(encoder)
        model, report = library.AutoModel.from_pretrained(
            encoder, dtype=torch.float32, output_loading_info=True
        )
    if absent := set(report["missing_keys"]) - {"masked_spec_embed"}:  # which only training uses
        raise SerClassicError(
            f"{encoder}: its file lacks {len(absent)} of the weights, first {min(absent)}; download it again"
        )
    kind: type = _Waves
    if model.config.model_type == "whisper":
        model, kind = model.get_encoder(), _Spectra
    elif not hasattr(model, "feature_extractor") or not hasattr(model.config, "conv_stride"):
        raise SerClassicError(
            f"{encoder}: a {model.config.model_type} is not a supported speech encoder; give a wav2vec 2.0, "
            "HuBERT, WavLM or Whisper"
        )
    settings = [model.config.to_dict(), prepare.to_dict()]
    for passing in ("_name_or_path", "transformers_version"):
        settings[0].pop(passing, None)
    sha = hashlib.sha256(json.dumps(settings, sort_keys=True, default=str).encode())
    for name, weights in model.state_dict().items():
        sha.update(name.encode() + np.ascontiguousarray(weights.numpy()).tobytes())
    torch.backends.cudnn.allow_tf32 = False  # its rounding depends on the batch
    device = "cuda" if torch.cuda.is_available() else "cpu"
    with wrap_errors(f"{encoder}: cannot be put on {device}", remedy="use a smaller encoder"):
        model = model.eval().to(device)
    loaded = kind(torch, model, prepare)
    loaded.digest = sha.hexdigest()
    return loaded
