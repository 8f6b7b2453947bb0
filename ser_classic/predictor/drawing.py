"""The timeline of a recording as a figure in a file."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from ser_classic import audio
from ser_classic.predictor.errors import PredictorError

FORMATS = (".png", ".pdf", ".svg")


def check_drawing(path: Path) -> None:
    """Refuse a file that `draw_timeline` could not write, before any work is done.

    Raises
    ------
    PredictorError
        It is no PNG, PDF or SVG, or its folder does not exist.
    """
    if path.suffix.lower() not in FORMATS:
        raise PredictorError(
            f"{path}: figures are written as {', '.join(FORMATS)}; choose one of these endings"
        )
    if not path.parent.is_dir():
        raise PredictorError(f"{path}: there is no folder {path.parent}; create it first")


def draw_timeline(
    name: str, source: str | Path, answers: pd.DataFrame, path: Path, channel: int | None
) -> None:
    """Draw the emotions of a recording's windows under its waveform and mel spectrogram.

    Parameters
    ----------
    name : str
        What the title calls it.
    source : str or Path
        The recording.
    answers : pd.DataFrame
        As `Predictor.predict` gives them with a window.
    path : Path
        PNG, PDF or SVG to write.
    channel : int, optional
        Of a recording with several.

    Raises
    ------
    PredictorError
        The file cannot be written.
    """
    from ser_classic.plots.sound import timeline
    from ser_classic.plots.style import write

    figure = timeline(*audio.read(source, channel=channel), answers, Path(name).name)
    try:
        write(figure, path)
    except OSError as error:
        raise PredictorError(f"{path}: cannot be written ({error.strerror})") from error
