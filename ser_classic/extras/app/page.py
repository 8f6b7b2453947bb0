"""A page in the browser that answers to recordings; the only importer of Gradio."""

from __future__ import annotations

import io
import os
import socket
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

from ser_classic import audio
from ser_classic.errors import SerClassicError
from ser_classic.predictor import Predictor, cards, how_to_make, load_predictor, read_card
from ser_classic.registry import need

if TYPE_CHECKING:
    import PIL.Image

LOOPBACK = "127.0.0.1"
WINDOW, HOP = 3.0, 1.0  # [s] of the timeline
LONG = 6.0  # [s] from which a recording gets one
LEAD = (
    "Upload a recording or speak. The answer is the emotion that the voice sounds most like to the chosen "
    "model, which knows nothing but the emotions of its corpus; what a person feels it cannot know. "
    "Recordings stay on the computer that serves this page."
)
CSS = """
.gradio-container {max-width: 1080px !important; margin: 0 auto !important}
footer {display: none !important}
"""
VOICES = {  # examples: speaker, emotion and sentence of each utterance
    "angry voice": [("s01", "angry", "t1")],
    "sad voice": [("s04", "sad", "t2")],
    "happy voice": [("s02", "happy", "t3")],
    "four emotions": [
        ("s03", word, text) for word in ("neutral", "happy", "angry", "sad") for text in ("t1", "t2", "t3")
    ],
}


class AppError(SerClassicError):
    """No predictor to offer, or no place to serve at."""


@dataclass(frozen=True)
class Limits:
    """What a visitor may send: length [s] and size of the file [MB]."""

    seconds: float = 600.0
    megabytes: int = 50


@dataclass(frozen=True)
class Reply:
    """What the page shows: probabilities (or the emotion alone), a figure, and a sentence."""

    label: dict[str, float] | str
    picture: PIL.Image.Image
    told: str


def predictors_in(paths: Iterable[Path], problem: Callable[[str], None]) -> dict[str, Path]:
    """Saved predictors by title: the files given, and those in the folders given.

    One that cannot be read, or needs several recordings of one speaker, is left out and told.

    Raises
    ------
    AppError
        None is left.
    """
    found: dict[str, Path] = {}
    for path in paths:
        for file in sorted(path.glob("*.skops")) if path.is_dir() else [path]:
            try:
                card = read_card(file)
            except SerClassicError as error:
                problem(str(error))
                continue
            if card["track"] == "adapted":
                problem(f"{file}: needs several recordings of one speaker, so the page does not offer it")
                continue
            title = card["title"]
            if file in found.values():
                continue
            found[f"{title} ({file.stem})" if title in found else title] = file
    if not found:
        raise AppError(f"there is no predictor to offer; {how_to_make('m')}")
    return found


@lru_cache(maxsize=8)
def _loaded(path: Path) -> Predictor:
    return load_predictor(path)


def reply(path: Path, recording: str | Path | None, limits: Limits) -> Reply:
    """Answer to one recording with the predictor saved at a path.

    Raises
    ------
    SerClassicError
        There is no recording, it is too large or long, or it or the predictor cannot be used.
    """
    if recording is None:
        raise audio.AudioError("there is no recording yet; upload one, or press the microphone and speak")
    predictor = _loaded(path)
    waveform, rate = _read(Path(recording), limits, predictor.channel)
    seconds = len(waveform) / rate
    whole = predictor.predict({"recording": (waveform, rate)}).iloc[0]
    label: dict[str, float] | str = whole["emotion"]
    sure = ""
    if predictor.has_probabilities:
        label = {word: float(whole[f"p_{word}"]) for word in predictor.classes}
        sure = f", with a probability of {100 * whole['confidence']:.0f} %"
    told = f"**{whole['emotion']}**{sure}, from {seconds:.1f} s of audio at {rate} Hz."
    if whole["unlike"]:
        told += (
            f" **Unlike what this model was fitted on** ({cards.fitted_on(predictor.card)}): the answer "
            "means little."
        )
    if seconds < LONG:
        return Reply(label, _picture(waveform, rate, None), told)
    windows = predictor.predict({"recording": (waveform, rate)}, window=WINDOW, hop=HOP)
    told += f" Below: the same for every {WINDOW:g} seconds, and one answer a second."
    return Reply(label, _picture(waveform, rate, windows), told)


def _read(recording: Path, limits: Limits, channel: int | None) -> tuple[np.ndarray, int]:
    """A visitor's recording, refused before it is decoded where its header says that it is too long."""
    if recording.is_file() and recording.stat().st_size > limits.megabytes * 1e6:
        raise audio.AudioError(f"the file is larger than {limits.megabytes} MB; send a shorter recording")
    try:
        shape = audio.shape(recording)
        seconds = shape.frames / shape.rate
        if seconds <= limits.seconds:
            waveform, rate = audio.read(recording, channel=channel)
            seconds = len(waveform) / rate
    except audio.AudioError as error:
        raise audio.AudioError(str(error).replace(str(recording), recording.name)) from error
    if seconds > limits.seconds:
        raise audio.AudioError(f"the recording is longer than {limits.seconds:.0f} s; send a part of it")
    return waveform, rate


def _picture(waveform: np.ndarray, rate: int, windows: Any) -> PIL.Image.Image:
    from PIL import Image

    from ser_classic.plots.sound import overview, timeline
    from ser_classic.plots.style import png

    drawn = overview(waveform, rate) if windows is None else timeline(waveform, rate, windows)
    return Image.open(io.BytesIO(png(drawn)))


def write_examples(folder: Path) -> list[Path]:
    """Synthetic voices as WAV files, among them one long enough for a timeline."""
    import soundfile

    from ser_classic.corpora.synthetic import SAMPLE_RATE, synthesise

    written = []
    for name, turns in VOICES.items():
        said = np.concatenate([synthesise(*turn) for turn in turns])
        written.append(folder / f"{name}.wav")
        soundfile.write(written[-1], said, SAMPLE_RATE, subtype="PCM_16")
    return written


def build(predictors: dict[str, Path], examples: Iterable[Path], limits: Limits) -> Any:
    """The page as Gradio Blocks, not yet served.

    Parameters
    ----------
    predictors : dict of title to path
        As `predictors_in` gives them.
    examples : iterable of Path
        Recordings to try.
    limits : Limits
    """
    gradio = _gradio()

    def answer(title: str, recording: str | None) -> tuple[Any, Any, str]:
        try:
            given = reply(predictors[title], recording, limits)
        except SerClassicError as error:
            raise gradio.Error(str(error), print_exception=False) from error
        return given.label, gradio.update(value=given.picture, visible=True), given.told

    def card(title: str) -> str:
        return cards.text(read_card(predictors[title])).replace("# ", "### ", 1)

    first = next(iter(predictors))
    with gradio.Blocks(title="ser-classic", analytics_enabled=False, delete_cache=(600, 3600)) as page:
        gradio.Markdown(f"# How does this voice sound?\n{LEAD}")
        with gradio.Row():
            with gradio.Column(scale=5):
                recording = gradio.Audio(
                    label=f"Recording, up to {limits.seconds:.0f} s",
                    sources=["upload", "microphone"],
                    type="filepath",
                    buttons=["download"],
                )
                model = gradio.Dropdown(list(predictors), value=first, label="Model", elem_id="model")
                button = gradio.Button("Recognise", variant="primary", elem_id="recognise")
                gradio.Examples(
                    [[str(path)] for path in examples], [recording], label="Synthetic voices to try"
                )
            with gradio.Column(scale=4):
                label = gradio.Label(label="Emotion", elem_id="emotion")
                told = gradio.Markdown(elem_id="told")
        picture = gradio.Image(
            label="Waveform, mel spectrogram and timeline",
            show_label=False,
            format="png",
            buttons=["download", "fullscreen"],
            elem_id="picture",
            visible=False,
        )
        with gradio.Accordion("The model's card", open=False):
            about = gradio.Markdown(card(first))
        shown = {"inputs": [model, recording], "outputs": [label, picture, told], "concurrency_limit": 2}
        button.click(answer, **shown, api_name="recognise")
        model.change(card, [model], [about], api_name=False)
    return page


@contextmanager
def served(
    paths: Iterable[Path],
    problem: Callable[[str], None],
    host: str = LOOPBACK,
    port: int | None = None,
    limits: Limits | None = None,
    browser: bool = False,
) -> Iterator[Any]:
    """Serve the page for as long as the block runs; loopback only, unless another host is asked for.

    Parameters
    ----------
    paths : iterable of Path
        Saved predictors, or folders with them.
    problem : callable
        Is handed the message of each that is not offered.
    host : str
    port : int, optional
        The first free one from 7860 on by default.
    limits : Limits, optional
    browser : bool
        Open a browser.

    Yields
    ------
    page : gradio.Blocks
        It knows its address, `local_url`.

    Raises
    ------
    SerClassicError
        Gradio is not installed, there is no predictor, or the host or port cannot be served at.
    """
    limits = limits or Limits()
    _check_host(host)
    predictors = predictors_in(paths, problem)
    with tempfile.TemporaryDirectory(prefix="ser-classic-app-") as folder:
        os.environ["GRADIO_TEMP_DIR"] = folder  # by default one that all users share, and that stays
        gradio = _gradio()
        plain = ("system-ui", "sans-serif")
        theme = gradio.themes.Base(primary_hue="blue", font=plain, font_mono=("ui-monospace", "monospace"))
        page = build(predictors, write_examples(Path(folder)), limits)
        try:
            page.queue(max_size=20).launch(
                server_name=host,
                server_port=port,
                share=False,
                inbrowser=browser,
                prevent_thread_lock=True,
                quiet=True,
                show_error=True,
                footer_links=[],
                max_file_size=f"{limits.megabytes}mb",
                ssr_mode=False,
                enable_monitoring=False,
                theme=theme,
                css=CSS,
            )
        except OSError as error:
            reason = str(error).partition(". ")[0]  # then Gradio says how to choose a port for it
            raise AppError(
                f"{host}: the page cannot be served ({reason}); choose another port with --port"
            ) from error
        try:
            yield page
        finally:
            page.close(verbose=False)


def _check_host(host: str) -> None:
    """Gradio would look for a port at each of a hundred in vain."""
    try:
        family, kind, protocol, _, place = socket.getaddrinfo(host, 0, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as tried:
            tried.bind(place)
    except (OSError, UnicodeError) as error:
        raise AppError(
            f"{host!r}: no address of this computer ({error}); choose another with --host"
        ) from error


def _gradio() -> ModuleType:
    """Gradio, told not to report anything to anyone before it is imported."""
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    os.environ["HF_HUB_OFFLINE"] = "1"
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    return need("gradio", "app")
