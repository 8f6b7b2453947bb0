"""`ser-classic fit`, `predict`, `card`: from corpora to a saved predictor, from recordings to emotions."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ser_classic.cli import completion, interrupts, labels, options
from ser_classic.runtime.files import require_writable
from ser_classic.runtime.progress import busy

if TYPE_CHECKING:
    from ser_classic.corpora import Reading


@options.reads_corpus
def fit(
    corpus: Annotated[
        str,
        typer.Argument(help=f"{options.OWN_OR_KNOWN} Several: a+b.", autocompletion=completion.corpora),
    ],
    features: options.Features,
    model: Annotated[
        str,
        options.option(
            "--model",
            "NAME",
            "Model; list them with `ser-classic list models`.",
            autocompletion=completion.models,
        ),
    ],
    output: Annotated[Path, options.output("File to write: .skops.")],
    adapted: Annotated[
        bool,
        options.option("--adapted", None, "Z-score per speaker; `predict` then needs --adapt."),
    ] = False,
    robust: Annotated[
        bool | None,
        options.option(
            "--robust/--no-robust",
            None,
            "Also train on degraded copies, for noisy, faint or clipped recordings.",
            show_default="robust, except with --table",
        ),
    ] = None,
    tables: options.Tables = None,
    seed: options.Seed = 0,
    jobs: options.Jobs = options.CORES,
    results: options.Results = Path("results"),
    data: options.Data = None,
    cache: options.Cache = None,
    reading: Reading = None,
    evaluate: Annotated[
        bool,
        options.option(
            "--evaluate/--no-evaluate",
            None,
            "Put the cross-validated score on the card, from the stored run if there is one.",
            options.RARE,
        ),
    ] = True,
    facts: Annotated[
        list[str] | None,
        options.option(
            "--fact",
            "NAME=TEXT",
            "Add a line to the card, as in 'licence=CC BY 4.0'; repeatable.",
            options.RARE,
        ),
    ] = None,
    pipeline: Annotated[
        bool,
        options.option("--pipeline", None, "Also keep the scikit-learn pipeline in the file.", options.RARE),
    ] = False,
) -> None:
    """Fit a model on corpora, tuned on groups of speakers, and save it to a file.

    A model that is fitted on a --table predicts from tables instead of recordings.
    """
    with busy("starting"):
        from ser_classic.cli import answers
        from ser_classic.corpora import parse_map
        from ser_classic.degradations import COPIES
        from ser_classic.features import FEATURES
        from ser_classic.models import MODELS
        from ser_classic.predictor import cards, fitting, saving

    with options.value_of("--output"):
        require_writable(output, "predictors", saving.SUFFIX)
    with options.value_of("--model"):
        MODELS[model]
    with options.value_of("--fact"):
        lines = parse_map(facts or (), "--fact", "'licence=CC BY 4.0'")
    names = [corpus] if Path(corpus).exists() else corpus.split("+")
    with options.brought(tables):
        with options.value_of("--features"):
            FEATURES[features]
        options.require_used(tables, [features])
        predictor = fitting.fit(
            names,
            features,
            model,
            adapted=adapted,
            copies=COPIES if robust or (robust is None and not FEATURES[features].brought) else 0,
            seed=seed,
            evaluate=evaluate,
            reading=reading,
            facts=lines,
            results=results,
            data=data,
            cache=cache,
            jobs=jobs,
        )
    interrupted = predictor.card["evaluation"] == fitting.INTERRUPTED
    if interrupted:
        interrupts.say()  # now, as saving takes seconds
    predictor.save(output, pipeline=pipeline)
    print(
        f"{output}: {predictor.card['title']}; {predictor.card['clips']} clips, "
        f"{len(predictor.classes)} emotions"
    )
    print(answers.wrapped(cards.score(predictor.card["evaluation"]).replace("**", "")))
    if interrupted:
        raise typer.Exit(interrupts.INTERRUPTED)


def card(
    model: options.ModelFile,
    as_json: options.Json = False,
    pipeline: Annotated[
        Path | None,
        options.option("--pipeline", "FILE", "Write the scikit-learn pipeline in it to this file."),
    ] = None,
) -> None:
    """Show what a saved model was fitted on, how good it is, and its limits."""
    import json

    from ser_classic.cli import answers
    from ser_classic.predictor import cards, read_card, saving

    if pipeline is not None:
        with options.value_of("--pipeline"):
            require_writable(pipeline, "pipelines", saving.SUFFIX)
        pipeline.write_bytes(saving.pipeline_of(model))
        print(f"{pipeline}: load it with skops.io.load, or ser_classic.load_pipeline({str(model)!r})")
        return
    found = read_card(model)
    if as_json:
        print(json.dumps(found))
    else:
        print(answers.wrapped(cards.text(found).replace("**", "")), end="")


def predict(
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
        bool,
        options.option("--adapt", None, "All recordings are of ONE speaker: adapt to how he or she sounds."),
    ] = False,
    min_confidence: options.MinConfidence = 0.0,
    jobs: options.Jobs = options.CORES,
    top: Annotated[
        int | None,
        options.option("--top", "N", "List the N most probable emotions.", options.PRINTED, min=1),
    ] = None,
    as_json: Annotated[
        bool, options.option("--json", None, "Print one JSON object per line.", options.PRINTED)
    ] = False,
    as_csv: Annotated[bool, options.option("--csv", None, "Print CSV.", options.PRINTED)] = False,
    shape: Annotated[
        str | None,
        options.option(
            "--format",
            "NAME",
            f"Print labels of one recording, from --segments or --window: {', '.join(labels.FORMATS)}.",
            options.PRINTED,
            autocompletion=completion.among(*labels.FORMATS),
        ),
    ] = None,
    draw: Annotated[
        Path | None,
        options.option(
            "--draw",
            "FILE",
            "Draw the timeline of one recording, from --window, as PNG, PDF or SVG.",
            options.PRINTED,
        ),
    ] = None,
    segments: Annotated[
        bool,
        options.option(
            "--segments", None, "Find the utterances (1 to 15 s) and answer for each.", options.LONG
        ),
    ] = False,
    window: Annotated[
        float | None,
        options.option("--window", "SECONDS", "Answer for windows of this length.", options.LONG),
    ] = None,
    hop: Annotated[
        float | None,
        options.option(
            "--hop", "SECONDS", "From one window to the next.", options.LONG, show_default="half a window"
        ),
    ] = None,
    channel: Annotated[
        str | None,
        options.option(
            "--channel",
            "CHANNEL",
            "Channel of stereo recordings: left, right, mix, a number from 0, or each on its own.",
            options.LONG,
            show_default="as fitted",
            autocompletion=completion.among("left", "right", "mix", "each"),
        ),
    ] = None,
    table: Annotated[
        str | None,
        options.option(
            "--table",
            "NAME=FILE",
            "Instead of recordings, features computed elsewhere, for a model fitted on such a table.",
            options.RARE,
        ),
    ] = None,
) -> None:
    """Recognise the emotions in recordings.

    Exit code 1: some recordings could not be used.
    """
    from ser_classic.cli import answers
    from ser_classic.predictor import load_predictor, saving, shipped, sources
    from ser_classic.predictor.describing import EACH

    if as_json + as_csv + (shape is not None) > 1:
        raise typer.BadParameter("choose one of --json, --csv and --format")
    if shape is not None and shape not in labels.FORMATS:
        raise typer.BadParameter(f"{shape!r}; expected {', '.join(labels.FORMATS)}", param_hint="--format")
    if window is None and (hop is not None or draw is not None):
        raise typer.BadParameter("--hop and --draw need --window")
    if segments and window is not None:
        raise typer.BadParameter("choose one of --segments and --window")
    if shape is not None and not (segments or window is not None):
        raise typer.BadParameter("--format needs --segments or --window")
    if draw is not None:
        if channel == EACH:
            raise typer.BadParameter("--draw draws one channel; choose it with --channel")
        with options.value_of("--draw"):
            require_writable(draw, "figures", ".png", ".pdf", ".svg")
    if window is not None:
        options.check_windows(window, hop)
    problems: list[str] = []
    if recordings[0].endswith(saving.SUFFIX):
        model, *recordings = recordings
        predictor = load_predictor(model)
    else:
        predictor = shipped.load()
        _tell(shipped.NOTICE)

    def show(rows: list[answers.Row]) -> None:
        if warning := answers.unlike(rows, predictor.card):
            _tell(warning)
        write = answers.csv if as_csv else answers.json_lines if as_json else answers.table
        for line in write(rows, segments or window is not None, top) if shape is None else ():
            print(line)

    if table is not None:
        from ser_classic.features.tables import parse_tables

        if recordings or segments or any(each is not None for each in (window, draw, shape, channel)):
            raise typer.BadParameter("takes no recordings, and no option for them", param_hint="--table")
        with options.value_of("--table"):
            ((name, path),) = parse_tables([table]).items()
        return show(predictor.judge_table(name, path, adapt=adapt, min_confidence=min_confidence))
    if not recordings:
        raise typer.BadParameter("name a recording after the model", param_hint="RECORDING")
    if channel is not None:
        predictor = predictor.taking(EACH if channel == EACH else options.channel_of(channel))
    with options.value_of("--adapt"):
        predictor.require(adapt=adapt)
    with options.value_of("--min-confidence"):
        predictor.require(adapt=adapt, min_confidence=min_confidence)
    with sources.opened(recordings, sys.stdin and sys.stdin.buffer, problems.append, _tell) as found:
        for option, value in (("--draw", draw), ("--format", shape)):
            if value is not None and len(found) > 1:
                raise typer.BadParameter(f"{option} needs one recording, not {len(found)}")
        rows = predictor.answers(
            found,
            adapt=adapt,
            window=window,
            hop=hop,
            segments=segments,
            min_confidence=min_confidence,
            jobs=jobs,
            problem=problems.append,
        )
        if draw is not None and rows:
            from ser_classic import audio
            from ser_classic.plots.sound import timeline
            from ser_classic.plots.style import write
            from ser_classic.predictor.core import tabled

            ((name, source),) = found.items()
            sound = audio.read(source, channel=predictor.channel)
            write(timeline(*sound, tabled(rows), Path(name).name), draw)
        if shape is not None and rows:
            from ser_classic import audio

            (source,) = found.values()
            whole = audio.shape(source)
            print(labels.FORMATS[shape](rows, whole.frames / whole.rate), end="")
    for line in problems:
        _tell(line)
    show(rows)
    if problems:
        raise typer.Exit(1)


def _tell(line: str) -> None:
    from ser_classic.cli.answers import on_one_line

    print(f"ser-classic: {on_one_line(line)}", file=sys.stderr)
