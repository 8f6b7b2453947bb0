"""`ser-classic listen`: emotions live from the microphone, window by window."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ser_classic.cli import options
from ser_classic.cli.answers import json_lines
from ser_classic.cli.commands import Command
from ser_classic.cli.options import option
from ser_classic.cli.printing import tell
from ser_classic.errors import wrap_errors

if TYPE_CHECKING:
    import numpy as np
    from rich.console import RenderableType

    from ser_classic.predictor import Predictor

MICROPHONE = "Microphone"  # panel of the help
SHOWN = 8  # windows in the live view
FLOOR = -60.0  # [dB re full scale]; where the level meter begins
Show = Callable[[float, float, list[dict[str, Any]]], None]  # level [dB], seconds heard, new answers


def listen(
    model: Annotated[
        Path | None,
        typer.Argument(
            metavar="MODEL.skops",
            help="Model saved by `ser-classic fit`.",
            show_default="the package's own",
        ),
    ] = None,
    seconds: Annotated[
        float, option("--seconds SECONDS", "Stop after this time.", min=0, show_default="until Ctrl-C")
    ] = math.inf,
    min_confidence: options.MinConfidence = 0.0,
    window: Annotated[float, option("--window SECONDS", "Length of a window.")] = 3.0,
    hop: Annotated[float, option("--hop SECONDS", "From one window to the next.")] = 1.0,
    record: Annotated[Path | None, option("--record FILE.wav", "Also record to this file.")] = None,
    as_json: Annotated[bool, option("--json", "Print one JSON object per line.")] = False,
    device: Annotated[
        str | None,
        option("--device NAME", "Number or part of the name.", MICROPHONE, show_default="the system's"),
    ] = None,
    devices: Annotated[bool, option("--devices", "List the microphones and exit.", MICROPHONE)] = False,
) -> None:
    """Recognise emotions live, from the microphone.

    Install its extra with: pip install 'ser-classic[mic]'
    """
    from ser_classic.extras.listen import microphone

    if devices:
        listed = microphone.devices()
        for found in listed:
            mark, channels = "*" if found["default"] else " ", f"{found['channels']} channels"
            print(f"{mark} {found['number']}: {found['name']} ({channels}, {found['rate']} Hz)")
        if not listed:
            print("no microphone found")
        return
    from ser_classic.predictor import BUILT_IN, BUILT_IN_NOTICE, load_predictor
    from ser_classic.runtime.files import require_writable

    if record is not None:
        require_writable(record, "recordings", ".wav")
    if model is None:
        tell(BUILT_IN_NOTICE)
    predictor = load_predictor(model or BUILT_IN)
    # Before the microphone is opened; an adapted one needs all recordings of a speaker first
    predictor.require(window=window, hop=hop, min_confidence=min_confidence)
    chosen = int(device) if device is not None and device.isdigit() else device
    with ExitStack() as stack:
        rate, blocks = stack.enter_context(microphone.opened(chosen))
        if record is not None:
            blocks = stack.enter_context(kept(blocks, record, rate))
        show = stack.enter_context(shown(predictor.card, as_json))
        hear(predictor, blocks, rate, show, seconds, window=window, hop=hop, min_confidence=min_confidence)


def hear(
    predictor: Predictor,
    blocks: Iterable[np.ndarray],
    rate: int,
    show: Show,
    seconds: float = math.inf,
    **windows: float,
) -> None:
    """Show the level of blocks and the answers, until they end, the time is up or Ctrl-C is pressed."""
    last, heard = FLOOR, 0.0

    def in_time() -> Iterator[np.ndarray]:
        nonlocal last, heard
        with suppress(KeyboardInterrupt):  # the usual way to stop listening
            for block in blocks:
                block = block[: max(round(min((seconds - heard) * rate, len(block))), 0)]
                last, heard = level(block), heard + len(block) / rate
                show(last, heard, [])
                yield block
                if heard >= seconds:
                    return

    with suppress(KeyboardInterrupt):
        for row in predictor.listen(in_time(), rate, **windows):
            show(last, heard, [row])


def level(block: np.ndarray) -> float:
    """Root mean square of a block [shape=(n,)], in dB re full scale; no lower than -60."""
    power = float((block.astype(float) ** 2).mean()) if len(block) else 0.0
    return max(FLOOR, 10 * math.log10(power)) if power > 0 else FLOOR


@contextmanager
def kept(blocks: Iterable[np.ndarray], path: Path, rate: int) -> Iterator[Iterator[np.ndarray]]:
    """The same blocks, which are also written to a WAV file."""
    import soundfile

    writing = partial(wrap_errors, f"{path}: cannot be written")
    with writing():
        file = soundfile.SoundFile(path, "w", rate, 1, "PCM_16", format="WAV")

    def recorded() -> Iterator[np.ndarray]:
        for block in blocks:
            with writing():
                file.write(block)
            yield block

    with file:
        yield recorded()


@contextmanager
def shown(card: dict[str, Any], as_json: bool = False) -> Iterator[Show]:
    """A live view on a terminal, or else one line per window."""
    from rich.console import Console
    from rich.live import Live

    console = Console()
    if as_json or not console.is_terminal:
        warned = False

        def lines(level: float, heard: float, answers: list[dict[str, Any]]) -> None:
            nonlocal warned
            if not warned and any(row["unlike"] for row in answers):
                tell(_unlike(card))
                warned = True
            for line in json_lines(answers, True, None) if as_json else map(_line, answers):
                print(line, flush=True)

        yield lines
        return
    recent: deque[dict[str, Any]] = deque(maxlen=SHOWN)
    with Live(console=console, refresh_per_second=10) as live:

        def update(level: float, heard: float, answers: list[dict[str, Any]]) -> None:
            recent.extend(answers)
            live.update(view(card, level, heard, list(recent)))

        yield update


def _line(row: dict[str, Any]) -> str:
    confidence = f"  {row['confidence']:.2f}" if "confidence" in row and row["emotion"] else ""
    return f"{row['start']:7.2f} {row['end']:7.2f}  {_answer(row)}{confidence}"


def _answer(row: dict[str, Any]) -> str:
    return f"{row['emotion'] or 'silent'}{' (unlike)' if row['unlike'] else ''}"


def _unlike(card: dict[str, Any]) -> str:
    from ser_classic.predictor import cards

    return f"(unlike): {cards.unlike(card)}"


def view(card: dict[str, Any], level: float, heard: float, recent: list[dict[str, Any]]) -> RenderableType:
    """Level meter, the last answer with its probabilities, and earlier answers."""
    from rich.console import Group
    from rich.panel import Panel
    from rich.progress_bar import ProgressBar
    from rich.table import Table
    from rich.text import Text

    share = min(max(1 - level / FLOOR, 0.0), 1.0)
    meter = Table.grid(padding=(0, 1))
    colour = "red" if level > -3 else "green"
    bar = ProgressBar(1.0, share, 40, complete_style=colour, finished_style=colour)
    meter.add_row(bar, f"{level:5.0f} dB  {heard:6.1f} s")
    if not recent:
        parts: list[RenderableType] = [meter, "", Text("listening ...", style="dim")]
    else:
        probabilities = Table.grid(padding=(0, 1))
        for word in card["classes"]:
            probability = recent[-1].get(f"p_{word}", math.nan)
            if not math.isnan(probability):
                probabilities.add_row(
                    word, ProgressBar(1.0, probability, 24, complete_style="blue"), f"{probability:.2f}"
                )
        before = Table.grid(padding=(0, 2))
        for row in reversed(recent):
            before.add_row(f"{row['start']:.1f} to {row['end']:.1f} s", _answer(row))
        parts = [meter, "", Text(_answer(recent[-1]), style="bold"), probabilities, "", before]
        if any(row["unlike"] for row in recent):
            parts += ["", Text(_unlike(card), style="yellow")]
    return Panel(Group(*parts), title=card["title"], subtitle="Ctrl-C to stop", width=72)


LISTEN = Command(
    "listen", listen, ("listen", "listen m.skops --record heard.wav", "listen --json", "listen --devices")
)
