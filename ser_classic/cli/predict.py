"""`ser-classic fit`, `predict`, `card`: from corpora to a saved predictor, from recordings to emotions."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ser_classic.cli import options

ModelFile = Annotated[Path, typer.Argument(help="Predictor saved by `ser-classic fit`.", show_default=False)]


def fit(
    corpus: Annotated[
        str, typer.Argument(help="Corpus name, or a manifest or folder of your own; a+b pools two.")
    ],
    features: Annotated[str, typer.Option("--features", help="Feature set.")],
    model: Annotated[str, typer.Option("--model", help="Model.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="File to write, such as m.skops.")],
    adapted: Annotated[
        bool, typer.Option("--adapted", help="Z-score per speaker; `predict` then needs --adapt.")
    ] = False,
    seed: Annotated[int, typer.Option(help="Seed of everything random.")] = 0,
    evaluate: Annotated[
        bool, typer.Option(help="Put the cross-validated score on the card: the stored run's, else computed.")
    ] = True,
    results: options.Results = Path("results"),
    words: options.Map = None,
    speaker: options.Speaker = None,
    data: options.Data = options.DATA,
    cache: options.Cache = None,
    jobs: options.Jobs = options.CORES,
) -> None:
    """Fit a model on whole corpora, tuned by speaker groups, and save it in one file."""
    from ser_classic.corpora import parse_map
    from ser_classic.predictor import cards, fitting, saving

    saving.check_output(output)
    names = [corpus] if Path(corpus).exists() else corpus.split("+")
    predictor = fitting.fit(
        names,
        features,
        model,
        adapted=adapted,
        seed=seed,
        evaluate=evaluate,
        words=parse_map(words or ()),
        speaker=speaker,
        results=results,
        data=data,
        cache=cache,
        jobs=jobs,
    )
    saving.save(predictor, output)
    print(
        f"{output}: {predictor.card['title']}; {predictor.card['clips']} clips, "
        f"{len(predictor.classes)} emotions"
    )
    print(cards.score(predictor.card["evaluation"]).replace("**", ""))


def card(model: ModelFile, as_json: options.Json = False) -> None:
    """Show the card of a saved predictor: what it was fitted on, how good it is, and its limits."""
    import json

    from ser_classic.predictor import cards, read_card

    found = read_card(model)
    print(json.dumps(found) if as_json else cards.text(found).replace("**", ""), end="\n" if as_json else "")


def predict(
    model: ModelFile,
    recordings: Annotated[
        list[str], typer.Argument(help="Files, folders, patterns such as '*.wav', or - for standard input.")
    ],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="CSV.")] = False,
    jobs: options.Jobs = options.CORES,
) -> None:
    """Recognise the emotion of recordings. Exit code 1 tells that some could not be used."""
    from ser_classic.predictor import load_predictor

    predictor = load_predictor(model)
    table = predictor.predict(recordings, jobs=jobs)
    print(table.to_string())
