"""The answer to a recording: emotion, probabilities, how far to trust them, figure and table."""

from __future__ import annotations

import base64
import math
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ser_classic import audio
from ser_classic.predictor import Predictor, cards, load_predictor

WINDOW, HOP = 3.0, 1.0  # [s] of the timeline
LONG = 6.0  # [s] from which a recording has one
MOST = 150  # windows of a timeline; longer recordings have a wider hop
POINTS = 1.35  # pixels of a screen per point of a figure, so that its text is readable
NARROWEST, WIDEST = 3.6, 9.6  # [inch] of a figure
WAITING = '<p class="waiting">Record or upload something: the answer appears here.</p>'


@dataclass(frozen=True)
class Limits:
    """The longest recording [s] and largest file [MB] that a visitor may send."""

    seconds: float = 600.0
    megabytes: int = 50

    @property
    def length(self) -> str:
        """The longest recording as text.

        >>> Limits(600).length, Limits(45).length
        ('10 minutes', '45 seconds')
        """
        minutes = self.seconds / 60
        return f"{minutes:g} minutes" if minutes > 1.5 else f"{self.seconds:g} seconds"


def reply(
    path: Path, recording: str | Path, limits: Limits, width: float = 1000, name: str = "sound"
) -> tuple[str, str]:
    """Answer and figure for a recording, as HTML, by the predictor saved at a path.

    The figure has a width on the screen [pixels], and a name that is unique on its page. SerClassicError says
    that the recording is too large or too long, or that it or the predictor cannot be used.
    """
    predictor = load_predictor(path)  # each time: it may have been fitted again, and takes milliseconds
    file = Path(recording).name
    waveform, rate = _read(Path(recording), limits, predictor.channel)
    seconds = len(waveform) / rate
    source = {file: (waveform, rate)}
    whole = predictor.predict(source).iloc[0]
    hop = max(HOP, math.ceil(seconds / MOST))
    windows = predictor.predict(source, window=WINDOW, hop=hop) if seconds >= LONG else None
    trust = (
        f'<p class="trust"><b>How far to trust it.</b> {cards.trust(predictor.card, whole["emotion"])}</p>'
    )
    answer = _verdict(whole, predictor) + trust + _facts(whole, windows, hop, rate)
    return answer, _picture(waveform, rate, windows, width, name)


def refusal(reason: str) -> str:
    """Why there is no answer."""
    return f'<div class="box refused"><b>No answer:</b> {escape(reason)}</div>'


def _read(recording: Path, limits: Limits, channel: Any) -> tuple[np.ndarray, int]:
    """A visitor's recording; refused before decoding if its header says that it is too long."""
    if recording.is_file() and recording.stat().st_size > limits.megabytes * 1e6:
        raise audio.AudioError(f"the file is larger than {limits.megabytes} MB; send a shorter recording")
    try:
        info = audio.info(recording)
        seconds = info.frames / info.rate
        if seconds <= limits.seconds:
            waveform, rate = audio.read(recording, channel=channel)
            seconds = len(waveform) / rate
    except audio.AudioError as error:
        raise audio.AudioError(str(error).replace(str(recording), recording.name)) from error
    if seconds > limits.seconds:
        raise audio.AudioError(
            f"the recording lasts {_time(seconds)}, more than {limits.length}; send a part of it, or use "
            "ser-classic predict, which has no limit"
        )
    return waveform, rate


def _verdict(whole: pd.Series, predictor: Predictor) -> str:
    """A warning if the recording is unlike the training data, the emotion, and a bar for each emotion."""
    emotion = escape(whole["emotion"])
    warning = bars = ""
    if whole["unlike"]:
        warning = f'<div class="box odd"><b>Warning:</b> {escape(cards.unlike(predictor.card))}.</div>'
    sure = ""
    if predictor.has_probabilities:
        sure = f' <span class="sure">{100 * whole["confidence"]:.0f} %</span>'
        probabilities = sorted(((whole[f"p_{word}"], word) for word in predictor.classes), reverse=True)
        bars = "".join(
            f'<tr><th scope="row">{escape(word)}</th>'
            f'<td class="bar"><i style="width: {100 * probability:.1f}%"></i></td>'
            f"<td>{100 * probability:.0f} %</td></tr>"
            for probability, word in probabilities
        )
        bars = f'<table class="probabilities" aria-label="Probability of each emotion">{bars}</table>'
    return f'{warning}<p class="emotion">{emotion}{sure}</p>{bars}'


def _facts(whole: pd.Series, windows: pd.DataFrame | None, hop: float, rate: int) -> str:
    """The length of the recording, what the figure shows, and the answers as a file."""
    seen = ""
    if windows is not None:
        step = "second" if hop == 1 else f"{hop:g} seconds"
        seen = f" Below: one answer every {step}, each from {WINDOW:g} seconds."
        odd = int(windows["unlike"].sum())
        if 0 < odd < len(windows):
            seen += f" {odd} of these {len(windows)} parts are unlike what the model was fitted on."
    table = (whole.to_frame().T if windows is None else windows).to_csv(index=False)
    name = escape(f"{Path(whole['file']).stem}.csv")
    code = base64.b64encode(table.encode()).decode()
    return (
        f'<p class="facts">{_time(whole["seconds"])} of audio at {rate} Hz.{seen}</p>'
        f'<p><a class="download" download="{name}" href="data:text/csv;base64,{code}">Download as CSV</a></p>'
    )


def _time(seconds: float) -> str:
    """The length of a recording as text.

    >>> _time(4.21), _time(185)
    ('4.2 s', '3:05 min')
    """
    return f"{seconds:.1f} s" if seconds < 120 else f"{seconds // 60:.0f}:{seconds % 60:02.0f} min"


def _picture(waveform: np.ndarray, rate: int, windows: pd.DataFrame | None, width: float, name: str) -> str:
    """Waveform, spectrogram and timeline."""
    from ser_classic.plots.sound import timeline
    from ser_classic.plots.style import inline_svg, svg

    inches = min(max(width / POINTS / 72, NARROWEST), WIDEST)
    figure = timeline(waveform, rate, windows, width=inches)
    title = "Waveform and mel spectrogram" + ("" if windows is None else ", and the emotions along them")
    return f"<figure>{inline_svg(svg(figure), name, title)}</figure>"
