"""Features of a corpus as a file for other programs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from ser_classic.features.extraction import ExtractionError, Features
from ser_classic.runtime.files import replacing


def check_output(path: Path, sequence: bool = False) -> None:
    """Refuse a file to write to that `save` could not write, before any work is done.

    Raises
    ------
    ExtractionError
        Neither `.csv` nor `.npz`, its folder does not exist, or a sequence is to become a CSV.
    """
    if path.suffix not in (".csv", ".npz"):
        raise ExtractionError(f"{path}: features are written as .csv or .npz; choose one of these endings")
    if sequence and path.suffix == ".csv":
        raise ExtractionError(f"{path}: sequences of frames are written as .npz only; choose this ending")
    if not path.parent.is_dir():
        raise ExtractionError(f"{path}: there is no folder {path.parent}; create it first")


def save(path: Path, clips: pd.DataFrame, features: Features) -> None:
    """Write features with the clips' speakers and emotions, as `.csv` or as `.npz` (without pickles).

    The CSV has the columns clip, speaker, emotion and one a feature; the NPZ the arrays `features` [clips, d]
    (or [frames, d] and `lengths`), `columns`, `clip`, `speaker` and `emotion`.

    Raises
    ------
    ExtractionError
        The file cannot be written, or sequences were asked for as CSV.
    """
    check_output(path, features.lengths is not None)
    try:
        with replacing(path) as draft:
            _write(draft, path.suffix, clips, features)
    except OSError as error:
        raise ExtractionError(f"{path}: cannot be written ({error.strerror})") from error


def _write(draft: Path, suffix: str, clips: pd.DataFrame, features: Features) -> None:
    if suffix == ".csv":
        pd.concat([clips[["speaker", "emotion"]], features.frame], axis=1).to_csv(draft)
        return
    lengths = {} if features.lengths is None else {"lengths": features.lengths}
    labels = {name: clips[name].fillna("").to_numpy(dtype=str) for name in ("speaker", "emotion")}
    with draft.open("wb") as file:
        np.savez_compressed(
            file,
            features=features.values,
            columns=np.array(features.columns),
            clip=clips.index.to_numpy(dtype=str),
            **lengths,
            **labels,
        )
