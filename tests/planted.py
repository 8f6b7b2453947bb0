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
        with (Path(self.home) / "calls").open("ab", buffering=0) as file:
            file.write(b"x")
            number = file.tell()  # of this call, whatever other processes have written since
        if number == self.at:
            if self.what == "vanish":
                (Path(self.home) / "corpus").rename(Path(self.home) / "elsewhere")
            elif self.what == "die":
                os.kill(os.getpid(), signal.SIGKILL)
            else:
                raise IndexError("planted")
        return np.array([np.abs(waveform).mean()], dtype=np.float32)
