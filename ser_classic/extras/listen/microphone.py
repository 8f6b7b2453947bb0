"""The microphone, through PortAudio; the only importer of sounddevice."""

from __future__ import annotations

import queue
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import numpy as np

from ser_classic.errors import SerClassicError, wrap_errors
from ser_classic.registry import need

BLOCK = 0.1  # [s]; step of the level meter
SILENT_FOR = 5.0  # [s] without a block after which the device counts as gone


def devices() -> list[dict[str, Any]]:
    """Devices that can record: `number`, `name`, `channels`, `rate` [Hz] and `default`."""
    sounddevice = _sounddevice()
    default = sounddevice.default.device[0]
    return [
        {
            "number": number,
            "name": device["name"],
            "channels": device["max_input_channels"],
            "rate": round(device["default_samplerate"]),
            "default": number == default,
        }
        for number, device in enumerate(sounddevice.query_devices())
        if device["max_input_channels"] > 0
    ]


@contextmanager
def opened(device: int | str | None = None) -> Iterator[tuple[int, Iterator[np.ndarray]]]:
    """Open a microphone: its rate [Hz], and endless blocks [shape=(n,), float32], one every 0.1 s.

    The device is a number or part of a name, the system's by default. Raises SerClassicError if there is
    none, it gives no sound, or sounddevice or PortAudio is not installed.
    """
    sounddevice = _sounddevice()
    heard: queue.Queue[np.ndarray] = queue.Queue()

    def take(block: np.ndarray, frames: int, time: Any, status: Any) -> None:
        heard.put(block[:, 0].copy())

    wanted = "no microphone" if device is None else f"no microphone {device!r}"
    remedy = "plug one in, or choose one of: ser-classic listen --devices"
    with wrap_errors(wanted, remedy, only=(sounddevice.PortAudioError, ValueError)):
        rate = round(sounddevice.query_devices(device, "input")["default_samplerate"])
        stream = sounddevice.InputStream(
            samplerate=rate,
            device=device,
            channels=1,
            dtype="float32",
            blocksize=round(BLOCK * rate),
            callback=take,
        )
        with stream:
            yield rate, _blocks(heard)


def _blocks(heard: queue.Queue[np.ndarray]) -> Iterator[np.ndarray]:
    while True:
        try:
            yield heard.get(timeout=SILENT_FOR)
        except queue.Empty:
            raise SerClassicError(
                f"the microphone gave nothing for {SILENT_FOR:.0f} s; is it unplugged, or used by another "
                "program?"
            ) from None


def _sounddevice() -> ModuleType:
    remedy = "install it with your system's packages, such as: apt install libportaudio2"
    with wrap_errors("the PortAudio library is missing", remedy, only=(OSError,)):
        return need("sounddevice", "mic")  # which looks for PortAudio on import
