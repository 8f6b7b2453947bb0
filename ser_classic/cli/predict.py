"""`ser-classic fit`, `predict`, `card`: from corpora to a saved predictor, from recordings to emotions."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ser_classic.cli import completion, interrupts, options
from ser_classic.errors import SerClassicError
from ser_classic.runtime.files import require_writable

if TYPE_CHECKING:
    from ser_classic.corpora import Reading
    from ser_classic.predictor import Predictor

ModelFile = Annotated[
    Path, typer.Argument(metavar="MODEL.skops", help="Predictor saved by `ser-classic fit`.")
]


@options.of_own_corpus
def fit(
    corpus: Annotated[
        str,
        typer.Argument(
            help="Corpus name, or a manifest or folder of your own; a+b pools two.",
            autocompletion=completion.corpora,
        ),
    ],
    features: Annotated[
        str,
        typer.Option("--features", metavar="NAME", help="Feature set.", autocompletion=completion.features),
    ],
    model: Annotated[
        str, typer.Option("--model", metavar="NAME", help="Model.", autocompletion=completion.models)
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="File to write, such as m.skops.")
    ],
    adapted: Annotated[
        bool, typer.Option("--adapted", help="Z-score per speaker; `predict` then needs --adapt.")
    ] = False,
    robust: Annotated[
        bool | None,
        typer.Option(
            "--robust/--no-robust",
            help="Train on degraded copies of the clips, too: for noisy, faint or clipped recordings.",
            show_default="robust; a table has no copies",
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
        typer.Option(
            help="Put the cross-validated score on the card: the stored run's, else computed.",
            rich_help_panel=options.RARE,
        ),
    ] = True,
    facts: Annotated[
        list[str] | None,
        typer.Option(
            "--fact",
            metavar="NAME=TEXT",
            help="What else the card is to say: 'licence=CC BY 4.0'; repeatable.",
            rich_help_panel=options.RARE,
        ),
    ] = None,
    pipeline: Annotated[
        bool,
        typer.Option(
            "--pipeline",
            help="Keep the scikit-learn pipeline in the file, too, by skops.",
            rich_help_panel=options.RARE,
        ),
    ] = False,
) -> None:
    """Fit a model on whole corpora, tuned by speaker groups, and save it in one file.

    Fitted on a --table, it takes tables in the place of recordings.
    """
    from ser_classic.cli import answers
    from ser_classic.degradations import COPIES
    from ser_classic.features import FEATURES
    from ser_classic.models import MODELS
    from ser_classic.predictor import cards, fitting, saving

    with options.value_of("--output"):
        require_writable(output, "predictors", saving.SUFFIX)
    with options.value_of("--model"):
        MODELS[model]
    with options.value_of("--fact"):
        told = _facts(facts or [])
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
            facts=told,
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


def _facts(facts: list[str]) -> dict[str, str]:
    pairs = [fact.partition("=") for fact in facts]
    for name, _, value in pairs:
        if not name.strip() or not value.strip():
            raise SerClassicError(f"{name!r}: expected a name and what it is, as in 'licence=CC BY 4.0'")
    return {name.strip(): value.strip() for name, _, value in pairs}


def card(
    model: ModelFile,
    as_json: options.Json = False,
    pipeline: Annotated[
        Path | None,
        typer.Option(
            "--pipeline",
            metavar="FILE",
            help="Write the scikit-learn pipeline that was kept into this file, for skops.io.",
        ),
    ] = None,
) -> None:
    """Show the card of a saved predictor: what it was fitted on, how good it is, and its limits."""
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
            help="A predictor saved by `ser-classic fit`, by default the package's own; then files, folders, "
            "patterns in quotes such as 'calls/**/*.wav', or - for standard input.",
            show_default=False,
        ),
    ],
    adapt: Annotated[
        bool,
        typer.Option("--adapt", help="The recordings are of ONE speaker: z-score with their statistics."),
    ] = False,
    min_confidence: options.MinConfidence = 0.0,
    jobs: options.Jobs = options.CORES,
    top: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="N",
            help="List this many emotions, most probable first.",
            rich_help_panel=options.PRINTED,
        ),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object a line.", rich_help_panel=options.PRINTED)
    ] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="CSV.", rich_help_panel=options.PRINTED)] = False,
    shape: Annotated[
        str | None,
        typer.Option(
            "--format",
            metavar="NAME",
            help="Labels of one recording, cut by --segments or --window: audacity, textgrid (Praat, ELAN) "
            "or srt.",
            rich_help_panel=options.PRINTED,
            autocompletion=completion.among("audacity", "textgrid", "srt"),
        ),
    ] = None,
    draw: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Draw the timeline of one recording, cut by --window, as PNG, PDF or SVG.",
            rich_help_panel=options.PRINTED,
        ),
    ] = None,
    segments: Annotated[
        bool,
        typer.Option(
            "--segments",
            help="Answer for every utterance of 1 to 15 s, where speech is found.",
            rich_help_panel=options.LONG,
        ),
    ] = False,
    window: Annotated[
        float | None,
        typer.Option(
            metavar="SECONDS",
            help="Answer for every window of this length: a timeline.",
            rich_help_panel=options.LONG,
        ),
    ] = None,
    hop: Annotated[
        float | None,
        typer.Option(
            metavar="SECONDS",
            help="From window to window.",
            show_default="half a window",
            rich_help_panel=options.LONG,
        ),
    ] = None,
    channel: Annotated[
        str | None,
        typer.Option(
            "--channel",
            metavar="CHANNEL",
            help="Of several channels: left, right, mix, a number from 0, or each by itself.",
            show_default="as fitted",
            rich_help_panel=options.LONG,
            autocompletion=completion.among("left", "right", "mix", "each"),
        ),
    ] = None,
    table: Annotated[
        str | None,
        typer.Option(
            "--table",
            metavar="NAME=FILE",
            help="In the place of recordings, a table of features for a predictor that was fitted on one.",
            rich_help_panel=options.RARE,
        ),
    ] = None,
) -> None:
    """Recognise the emotion of recordings. Exit code 1 tells that some could not be used."""
    from ser_classic.cli import answers, labels
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
        from ser_classic.predictor.drawing import FORMATS

        if channel == EACH:
            raise typer.BadParameter("--draw draws one channel; choose it with --channel")
        with options.value_of("--draw"):
            require_writable(draw, "figures", *FORMATS)
    if window is not None:
        options.check_windows(window, hop)
    problems: list[str] = []
    if recordings[0].endswith(saving.SUFFIX):
        model, *recordings = recordings
        predictor = load_predictor(model)
    else:
        predictor = shipped.load(adapt)
        _tell(shipped.NOTICE)
    if table is not None:
        cut = (window, draw, shape, channel, segments or None)
        if recordings or any(each is not None for each in cut):
            raise typer.BadParameter("takes neither recordings nor what cuts them", param_hint="--table")
        _judge_table(predictor, table, adapt, min_confidence, top, as_json, as_csv)
        return
    if not recordings:
        raise typer.BadParameter("name a recording, too", param_hint="RECORDING")
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
            from ser_classic.predictor.drawing import draw_timeline

            (name, source), *_ = found.items()
            draw_timeline(name, source, rows, draw, predictor.channel)
        if shape is not None and rows:
            from ser_classic import audio

            (source,) = found.values()
            whole = audio.shape(source)
            print(labels.FORMATS[shape](rows, whole.frames / whole.rate), end="")
    for line in problems:
        _tell(line)
    if warning := answers.unlike(rows, predictor.card):
        _tell(warning)
    write = answers.csv if as_csv else answers.json_lines if as_json else answers.table
    for line in write(rows, segments or window is not None, top) if shape is None else ():
        print(line)
    if problems:
        raise typer.Exit(1)


def _judge_table(
    predictor: Predictor,
    table: str,
    adapt: bool,
    min_confidence: float,
    top: int | None,
    as_json: bool,
    as_csv: bool,
) -> None:
    from ser_classic.cli import answers
    from ser_classic.features.tables import parse_tables

    with options.value_of("--table"):
        ((name, path),) = parse_tables([table]).items()
    rows = predictor.judge_table(name, path, adapt=adapt, min_confidence=min_confidence)
    if warning := answers.unlike(rows, predictor.card):
        _tell(warning)
    write = answers.csv if as_csv else answers.json_lines if as_json else answers.table
    for line in write(rows, False, top):
        print(line)


def _tell(line: str) -> None:
    from ser_classic.cli.answers import on_one_line

    print(f"ser-classic: {on_one_line(line)}", file=sys.stderr)
