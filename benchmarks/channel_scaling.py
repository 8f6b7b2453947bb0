"""Print the table of centres and spreads in `ser_classic/features/voice/kernels.py`.

    python benchmarks/channel_scaling.py $SER_DATA/tess

Mean and standard deviation of every channel over all frames of all recordings below a folder, to two digits.
The table in the code comes from TESS, two speakers in studio quality, so that nothing of RAVDESS or EMO-DB,
on which the flagship was developed and is reported, enters the features of their clips.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from ser_classic.audio import SUFFIXES, read
from ser_classic.features.voice import analyse
from ser_classic.features.voice.kernels import CHANNELS, channels


def main() -> None:
    """Print one line of the table for every channel."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="where the recordings are")
    files = sorted(path for path in parser.parse_args().folder.rglob("*") if path.suffix.lower() in SUFFIXES)
    if not files:
        parser.error("there is no recording below that folder")
    frames, total, squares = 0, np.zeros(len(CHANNELS)), np.zeros(len(CHANNELS))
    for file in files:
        contours = channels(analyse(*read(file))).astype(float)
        frames += contours.shape[1]
        total += contours.sum(axis=1)
        squares += (contours**2).sum(axis=1)
    centre = total / frames
    spread = np.sqrt(squares / frames - centre**2)
    for name, mean, deviation in zip(CHANNELS, centre, spread, strict=True):
        print(f'    "{name}": ({float(f"{mean:.2g}"):g}, {float(f"{deviation:.2g}"):g}),')


if __name__ == "__main__":
    main()
