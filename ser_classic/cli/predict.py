"""`ser-classic predict`: from recordings to emotions."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from ser_classic.cli import labels, options
from ser_classic.cli.options import LONG, PRINTED, option
from ser_classic.cli.printing import tell
from ser_classic.runtime.files import require_writable

Format = StrEnum("Format", [*labels.FORMATS])


def predict(
    context: typer.Context,
    recordings: Annotated[
        list[str],
        typer.Argument(
            metavar="[MODEL.skops] RECORDING...",
            help="Model saved by `ser-classic fit` (by default the package's own), then recordings: files, "
            "folders, quoted patterns such as 'calls/**/*.wav', or - for standard input.",
            show_default=False,
        ),
    ],
    adapt: Annotated[
        bool, option("--adapt", "All recordings are of one speaker: adapt to that speaker.")
    ] = False,
    min_confidence: options.MinConfidence = 0.0,
    jobs: options.Jobs = options.CORES,
    top: Annotated[
        int | None, option("--top N", "List the N most probable emotions.", PRINTED, min=1)
    ] = None,
    as_json: Annotated[bool, option("--json", "Print one JSON object per line.", PRINTED)] = False,
    as_csv: Annotated[bool, option("--csv", "Print CSV.", PRINTED)] = False,
    shape: Annotated[
        Format | None,
        option(
            "--format NAME",
            f"Print labels of one recording, from --segments or --window: {', '.join(Format)}.",
            PRINTED,
        ),
    ] = None,
    draw: Annotated[
        Path | None,
        option("--draw FILE", "Draw one recording's timeline, from --window: PNG, PDF or SVG.", PRINTED),
    ] = None,
    segments: Annotated[
        bool, option("--segments", "Find the utterances (1 to 15 s) and answer for each.", LONG)
    ] = False,
    window: Annotated[
        float | None, option("--window SECONDS", "Answer for windows of this length.", LONG)
    ] = None,
    hop: Annotated[
        float | None,
        option("--hop SECONDS", "From one window to the next.", LONG, show_default="half a window"),
    ] = None,
    channel: Annotated[
        str | None,
        option(
            "--channel CHANNEL",
            "Channel of stereo recordings: left, right, mix, a number from 0, or each on its own.",
            LONG,
            show_default="as fitted",
            autocompletion=lambda: ["left", "right", "mix", "each"],
        ),
    ] = None,
    table: Annotated[
        str | None,
        option(
            "--table NAME=FILE",
            "Instead of recordings, features computed elsewhere, for a model fitted on such a table.",
            options.RARE,
        ),
    ] = None,
) -> None:
    """Recognise the emotions in recordings.

    Exit code 1: some recordings could not be used.
    """
    from ser_classic.cli import answers
    from ser_classic.predictor import BUILT_IN_NOTICE, load_predictor, saving
    from ser_classic.predictor.describing import EACH
    from ser_classic.predictor.recordings import opened

    pieces = segments or window is not None
    options.check(
        context,
        needs={"--hop": ["--window"], "--draw": ["--window"], "--format": ["--segments", "--window"]},
        exclusive=[
            ["--json", "--csv", "--format"],
            ["--segments", "--window"],
            ["--format", "--top"],
            *(["--table", other] for other in ("--segments", "--window", "--channel")),
        ],
    )
    options.refuse(draw and channel == EACH, "--draw draws one channel; choose it with --channel")
    if draw is not None:
        require_writable(draw, "figures", ".png", ".pdf", ".svg")
    first, *others = recordings
    late = next((name for name in others if name.endswith(saving.SUFFIX)), None)
    options.refuse(late, f"{late}: one model answers, and it is named before the recordings")
    if first.endswith(saving.SUFFIX):
        model, *recordings = recordings
        predictor = load_predictor(model)
    else:
        predictor = load_predictor()
        tell(BUILT_IN_NOTICE)

    def print_rows(rows: list[answers.Row]) -> None:
        if warning := answers.unlike(rows, predictor.card):
            tell(warning)
        write = answers.csv if as_csv else answers.json_lines if as_json else answers.table
        for line in write(rows, pieces, top) if shape is None else ():
            print(line)

    if table is not None:
        options.refuse(recordings, "--table takes no recordings")
        ((name, path),) = options.named_files([table]).items()
        described = predictor.describe_table(name, path, adapt)
        return print_rows(predictor.answer(described, adapt, min_confidence))
    options.refuse(not recordings, "name a recording after the model")
    if channel is not None:
        predictor = predictor.taking(options.channel_of(channel, EACH))
    how = {"adapt": adapt, "window": window, "hop": hop, "segments": segments}
    how["min_confidence"] = min_confidence
    predictor.require(**how)
    problems: list[str] = []
    with opened(recordings, sys.stdin and sys.stdin.buffer, problems.append, tell) as found:
        for name, value in (("--draw", draw), ("--format", shape)):
            options.refuse(value and len(found) > 1, f"{name} needs one recording, not {len(found)}")
        rows = predictor.rows(found, **how, jobs=jobs, problem=problems.append)
        if rows and (draw or shape):
            from ser_classic import audio

            ((name, source),) = found.items()
        if rows and draw:
            from ser_classic.plots.sound import timeline
            from ser_classic.plots.style import write
            from ser_classic.predictor.core import tabled

            sound = audio.read(source, channel=predictor.channel)
            write(timeline(*sound, tabled(rows), Path(name).name), draw)
        if rows and shape:
            whole = audio.info(source)
            print(labels.FORMATS[shape](rows, whole.frames / whole.rate), end="")
    for line in problems:
        tell(line)
    print_rows(rows)
    if problems:
        raise typer.Exit(1)
