"""Features of a corpus as a file for other programs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from ser_classic.errors import SerClassicError
from ser_classic.features.inputs import VECTORS, Features, Inputs
from ser_classic.runtime.files import replacing, require_writable


def check_output(path: Path, inputs: Inputs = VECTORS) -> None:
    """Refuse a file that `save` could not write, before any work is done; errors as `require_writable`."""
    if inputs == VECTORS:
        require_writable(path, "features", ".csv", ".npz")
    else:
        require_writable(path, inputs.name, ".npz")


def save(path: Path, clips: pd.DataFrame, features: Features) -> None:
    """Write features with the clips' speakers and emotions, as `.csv` or as `.npz` (without pickles).

    The CSV has the columns clip, speaker, emotion and one a feature; the NPZ the arrays `features` [clips, d]
    (or [rows, d] and `lengths`, the rows of each clip), `columns`, `clip`, `speaker` and `emotion`.
    """
    check_output(path, features.inputs)
    labels = {name: clips[name].fillna("").to_numpy(dtype=str) for name in ("speaker", "emotion")}
    lengths = {} if features.inputs == VECTORS else {"lengths": features.lengths}
    try:
        with replacing(path) as draft, draft.open("wb") as file:
            if path.suffix.lower() == ".csv":
                pd.concat([clips[["speaker", "emotion"]], features.frame], axis=1).to_csv(file)
            else:
                names = {"columns": np.array(features.columns), "clip": clips.index.to_numpy(dtype=str)}
                np.savez_compressed(file, features=features.values, **names, **lengths, **labels)
    except OSError as error:
        raise SerClassicError(f"{path}: cannot be written ({error.strerror})") from error
