"""A page in the browser that recognises emotions in recordings; the only importer of Gradio."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from importlib.resources import files
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from ser_classic.errors import SerClassicError
from ser_classic.extras.app.answering import WAITING, Limits, refusal, reply
from ser_classic.predictor import BUILT_IN, cards, how_to_make, read_card
from ser_classic.registry import need
from ser_classic.runtime.files import temporary

LOOPBACK = "127.0.0.1"
WIDE, PHONE = 1000, 560  # [pixels] of a page, and of the widest phone
ANNOUNCED = "element.setAttribute('role', 'status')"  # screen readers read out what appears there
WIDTH = "() => Math.min(window.innerWidth, 1080) - 60"  # of a figure
LEAD = (
    "The answer is the emotion that the voice sounds most like, as acted or labelled in the recordings that "
    "the model was trained on. It cannot know what a person feels. Recordings stay on the computer that "
    "serves this page."
)
EXAMPLES = "Examples from a synthesiser, which say little about the model"


def predictors_in(paths: Iterable[Path], problem: Callable[[str], None]) -> dict[str, Path]:
    """Saved predictors by title, the best one first: the files given, and those in folders.

    One that cannot be read, or takes no single recordings, is a problem; it is an error if none is left.
    """
    found: dict[Path, dict[str, Any]] = {}
    for path in paths:
        for file in sorted(path.glob("*.skops")) if path.is_dir() else [path]:
            try:
                card = read_card(file)
            except SerClassicError as error:
                problem(str(error))
                continue
            if card["track"] == "adapted":
                problem(f"{file}: needs several recordings of one speaker, so the page does not offer it")
            elif cards.takes_tables(card):
                problem(f"{file}: takes tables instead of recordings, so the page does not offer it")
            else:
                found[file] = card
    if not found:
        raise SerClassicError(f"there is no predictor to offer; {how_to_make('m')}")
    best_first = sorted(found.items(), key=lambda pair: -cards.worth(pair[1]))
    return {f"{card['title']} ({file})": file for file, card in best_first}


def write_examples(folder: Path) -> list[Path]:
    """WAV files as examples: a short voice, one with a timeline, and noise, which gets a warning."""
    import soundfile

    from ser_classic.corpora.synthetic import SAMPLE_RATE, synthesise

    turns = [("s03", word, text) for word in ("neutral", "happy", "angry", "sad") for text in ("t1", "t2")]
    sounds = {
        "short": synthesise("s01", "angry", "t1"),
        "long": np.concatenate([synthesise(*turn) for turn in turns]),
        "noise": np.random.default_rng(0).normal(0, 0.1, 3 * SAMPLE_RATE),
    }
    for name, sound in sounds.items():
        soundfile.write(folder / f"{name}.wav", sound, SAMPLE_RATE, subtype="PCM_16")
    return [folder / f"{name}.wav" for name in sounds]


def build(predictors: dict[str, Path], examples: Iterable[Path], limits: Limits) -> Any:
    """The page as Gradio Blocks, not yet served, with recordings to try; the first predictor is chosen."""
    gradio = _gradio()
    examples = list(examples)

    def answer(title: str, recording: str | None, width: float, name: str, columns: int) -> tuple[str, str]:
        if recording is None:
            return WAITING, ""
        try:
            return reply(predictors[title], recording, limits, width / columns, f"sound{name}")
        except SerClassicError as error:
            return refusal(str(error)), ""

    def card(title: str) -> str:
        return cards.html(read_card(predictors[title]))

    def arrive(width: float) -> list[Any]:
        """The width of a visitor's window; on a phone, the microphone comes first."""
        return [width, *(gradio.Audio(sources=_sources(width)) for _ in recordings)]

    def panel(name: str = "", columns: int = 1) -> Any:
        """A recording with its answer and figure, which change with it and the model."""
        with gradio.Row():
            with gradio.Column(scale=5, min_width=300):
                recording = gradio.Audio(
                    label=f"Recording {name}".rstrip() + f", up to {limits.length}",
                    sources=_sources(WIDE),
                    type="filepath",
                    buttons=["download"],
                    elem_classes="recording",
                    elem_id=f"recording{name}",
                )
            with gradio.Column(scale=4, min_width=300):
                shown = gradio.HTML(
                    WAITING, elem_classes="answer", elem_id=f"answer{name}", js_on_load=ANNOUNCED
                )
        picture = gradio.HTML(elem_classes="picture")
        gradio.on(
            [recording.change, model.change],
            partial(answer, name=name, columns=columns),
            [model, recording, width],
            [shown, picture],
            concurrency_limit=2,
            concurrency_id="answers",
            trigger_mode="always_last",
            api_name=f"recognise{name.lower()}",
        )
        paths, labels = [[str(path)] for path in examples], [path.stem for path in examples]
        gradio.Examples(paths, [recording], label=EXAMPLES, example_labels=labels)
        return recording

    with gradio.Blocks(title="ser-classic", analytics_enabled=False, delete_cache=(600, 3600)) as page:
        gradio.Markdown(f"# How does this voice sound?\n{LEAD}")
        first = next(iter(predictors))
        model = gradio.Dropdown(
            list(predictors), value=first, label="Model", elem_id="model", visible=len(predictors) > 1
        )
        width = gradio.Number(WIDE, visible=False)
        with gradio.Tab("One recording"):
            recordings = [panel()]
        with gradio.Tab("Two side by side"), gradio.Row():
            for name in ("A", "B"):
                with gradio.Column(min_width=300):
                    recordings.append(panel(name, 2))
        with gradio.Accordion("The model: what it was fitted on, how good it is, its limits", open=False):
            about = gradio.HTML(card(first), elem_classes="prose")
        model.change(card, [model], [about], api_name=False)
        page.load(arrive, [width], [width, *recordings], js=WIDTH, show_progress="hidden", api_name=False)
    return page


def _sources(width: float) -> list[str]:
    """Sources of a recording, the first one selected."""
    return ["upload", "microphone"] if width > PHONE else ["microphone", "upload"]


@contextmanager
def served(
    paths: Iterable[Path],
    problem: Callable[[str], None],
    host: str = LOOPBACK,
    port: int | None = None,
    limits: Limits = Limits(),  # noqa: B008 (frozen)
    browser: bool = False,
) -> Iterator[Any]:
    """Serve the page, which has a `local_url`, while the block runs.

    It offers the predictors at `paths`, and in folders there, or else the package's own; `problem` gets a
    message for each that it cannot offer. The port is 7860 by default, or the next one that is free.

    Raises
    ------
    SerClassicError
        Gradio is not installed, there is no predictor, or the host or port cannot be used.
    """
    _require_free(host, port)
    predictors = predictors_in(list(paths) or [BUILT_IN], problem)
    with temporary() as folder:
        os.environ["GRADIO_TEMP_DIR"] = folder  # its default is shared by all users, and stays
        gradio = _gradio()
        plain = ("system-ui", "sans-serif")
        theme = gradio.themes.Base(primary_hue="blue", font=plain, font_mono=("ui-monospace", "monospace"))
        page = build(predictors, write_examples(Path(folder)), limits)
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
            css=_css(limits),
        )
        try:
            yield page
        finally:
            page.close(verbose=False)


def _css(limits: Limits) -> str:
    """The page's style; for a file that is too large, Gradio says only "Error"."""
    style = (files(__package__) / "page.css").read_text("utf-8")
    reason = f"Files of up to {limits.megabytes} MB can be sent."
    return f'{style}.recording .error::after {{ content: "{reason}"; font-size: 1rem; }}\n'


def _require_free(host: str, port: int | None) -> None:
    """Refuse a host that is not this computer's, and a port that is taken; without one, Gradio finds one."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        socket.create_server((host, port or 0), family=family).close()
    except (OSError, UnicodeError) as error:
        raise SerClassicError(
            f"the page cannot be served at {host!r} ({error}); choose another address with --host, or "
            "another port with --port"
        ) from error


def _gradio() -> ModuleType:
    """Gradio, with all reporting switched off before it is imported."""
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    os.environ["HF_HUB_OFFLINE"] = "1"
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    return need("gradio", "app")
