"""An extractor at which something happens; processes that work for a test load this module alone."""

import os
import signal
from dataclasses import dataclass
from pathlib import Path

import numpy as np


@dataclass(frozen=True)
class Level:
    """A level; at the call of a number, something happens once."""

    home: str
    at: int = 0
    what: str = ""
    columns = ("level_mean",)

    def __call__(self, waveform: np.ndarray, sample_rate: int) -> np.ndarray:
        calls = Path(self.home) / "calls"
        with calls.open("a") as file:
            file.write("x")
        if calls.stat().st_size == self.at:
            if self.what == "vanish":
                (Path(self.home) / "corpus").rename(Path(self.home) / "elsewhere")
            elif self.what == "die":
                os.kill(os.getpid(), signal.SIGKILL)
            else:
                raise IndexError("planted")
        return np.array([np.abs(waveform).mean()], dtype=np.float32)
