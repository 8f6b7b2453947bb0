"""The timeline of a recording as a figure in a file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ser_classic import audio
from ser_classic.errors import SerClassicError
from ser_classic.predictor.core import Answer, tabled

FORMATS = (".png", ".pdf", ".svg")


def draw_timeline(
    name: str, source: str | Path, answers: Sequence[Answer], path: Path, channel: int | None
) -> None:
    """Draw the emotions of a recording's windows under its waveform and mel spectrogram.

    Parameters
    ----------
    name : str
        What the title calls it.
    source : str or Path
        The recording.
    answers : sequence of Answer
        As `Predictor.answers` gives them with a window.
    path : Path
        PNG, PDF or SVG to write.
    channel : int, optional
        Of a recording with several.

    Raises
    ------
    SerClassicError
        The file cannot be written.
    """
    from ser_classic.plots.sound import timeline
    from ser_classic.plots.style import write

    figure = timeline(*audio.read(source, channel=channel), tabled(answers), Path(name).name)
    try:
        write(figure, path)
    except OSError as error:
        raise SerClassicError(f"{path}: cannot be written ({error.strerror})") from error
