"""`ser-classic fit`, `card` and `export`: make, describe and export saved predictors."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ser_classic.cli import interrupts, options
from ser_classic.cli.options import option
from ser_classic.cli.printing import show
from ser_classic.runtime.files import require_writable
from ser_classic.runtime.progress import busy


@options.reads_corpus
def fit(
    corpus: Annotated[
        str,
        typer.Argument(help=f"{options.OWN_OR_KNOWN} Several: a+b.", autocompletion=options.CORPORA),
    ],
    features: options.Features,
    model: Annotated[str, option("--model NAME", "Model; list them with `ser-classic list models`.")],
    output: Annotated[Path, option("--output -o FILE", "File to write: .skops.")],
    adapt: Annotated[
        bool, option("--adapt", "Z-score per speaker; `predict` then needs --adapt, too.")
    ] = False,
    robust: Annotated[
        bool | None,
        option(
            "--robust/--no-robust",
            "Also train on degraded copies, for noisy, faint or clipped recordings.",
            show_default="robust, except with --table",
        ),
    ] = None,
    tables: options.Tables = None,
    seed: options.Seed = 0,
    jobs: options.Jobs = options.CORES,
    results: options.Results = Path("results"),
    access: options.Access = None,
    evaluate: Annotated[
        bool,
        option(
            "--evaluate/--no-evaluate",
            "Put the cross-validated score on the card, from the stored run if there is one.",
            options.RARE,
        ),
    ] = True,
    facts: Annotated[
        list[str] | None,
        option("--fact NAME=TEXT", "Add a line to the card, as in 'licence=MIT'; repeatable.", options.RARE),
    ] = None,
    pipeline: Annotated[
        bool, option("--pipeline", "Also keep the scikit-learn pipeline in the file.", options.RARE)
    ] = False,
) -> None:
    """Fit a model on corpora, tuned on groups of speakers, and save it to a file.

    A model that is fitted on a --table predicts from tables instead of recordings.
    """
    with busy("starting"):
        from ser_classic.degradations import COPIES
        from ser_classic.features import FEATURES
        from ser_classic.features.tables import bring
        from ser_classic.models import MODELS
        from ser_classic.predictor import cards, fitting, saving

    require_writable(output, "predictors", saving.SUFFIX)
    MODELS[model]  # an unknown one is an error before any work
    lines = options.pairs(facts or (), "--fact 'licence=CC BY 4.0'")
    names = [corpus] if Path(corpus).exists() else corpus.split("+")
    files = options.named_files(tables)
    with bring(files):
        options.require_used(files, [features])
        brought = FEATURES[features].brought
        options.refuse(robust and brought, "--robust degrades recordings, which a --table has none of")
        predictor = fitting.fit(
            names,
            features,
            model,
            adapted=adapt,
            copies=COPIES if robust or (robust is None and not brought) else 0,
            seed=seed,
            evaluate=evaluate,
            reading=access.reading,
            facts=lines,
            results=results,
            data=access.data,
            cache=access.cache,
            jobs=jobs,
        )
    card = predictor.card
    interrupted = card["evaluation"] == fitting.INTERRUPTED
    if interrupted:
        interrupts.tell_once()  # now, as saving takes seconds
    predictor.save(output, pipeline=pipeline)
    show(f"{output}: {card['title']}; {card['clips']} clips, {len(predictor.classes)} emotions")
    show(cards.score_text(card["evaluation"]).replace("**", ""))
    if interrupted:
        raise typer.Exit(interrupts.INTERRUPTED)


def card(
    model: Annotated[
        Path | None,
        typer.Argument(
            metavar="MODEL.skops", help="Model saved by `ser-classic fit`.", show_default="the built-in one"
        ),
    ] = None,
    as_json: options.Json = False,
    pipeline: Annotated[
        Path | None, option("--pipeline FILE", "Write the scikit-learn pipeline in it to this file.")
    ] = None,
) -> None:
    """Show what a saved model was fitted on, how good it is, and its limits."""
    from ser_classic.predictor import BUILT_IN, cards, read_card, saving

    model = model or BUILT_IN
    if pipeline is not None:
        require_writable(pipeline, "pipelines", saving.SUFFIX)
        pipeline.write_bytes(saving.pipeline_of(model))
        print(f"{pipeline}: load it with skops.io.load, or ser_classic.load_pipeline({str(model)!r})")
        return
    found = read_card(model)
    show(cards.text(found).replace("**", "").removesuffix("\n"), found, as_json)


def export(
    model: options.ModelFile,
    output: Annotated[Path, option("--output -o FILE", "File to write: .onnx.")],
) -> None:
    """Export a model's classifier, from features to label and probabilities, to ONNX.

    Install its extra with: pip install 'ser-classic[onnx]'
    """
    from ser_classic.extras import onnx
    from ser_classic.predictor import load_predictor

    require_writable(output, "ONNX models", onnx.SUFFIX)
    predictor = load_predictor(model)
    onnx.export(predictor, output)
    gives = "label and probabilities" if predictor.has_probabilities else "label"
    show(
        f"{output}: {predictor.card['title']}; from {len(predictor.features.columns)} features "
        f"({predictor.features.name}) to {gives}"
    )
