"""`ser-classic features`: list the feature sets, extract one over a corpus."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ser_classic.cli import options

app = typer.Typer(help="Feature sets: list them, extract one into a CSV or NPZ file.", no_args_is_help=True)


@app.command("list")
def list_features(as_json: options.Json = False) -> None:
    """List the feature sets."""
    import json

    from ser_classic.features import FEATURES

    if as_json:
        print(json.dumps([entry.parameters | {"columns": entry.columns} for entry in FEATURES.values()]))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table("features", "columns", "rate [Hz]", "first column", "last column")
    for name, entry in FEATURES.items():
        first, last = entry.columns[0], entry.columns[-1]
        table.add_row(name, str(len(entry.columns)), str(entry.sample_rate or "native"), first, last)
    Console().print(table)


@app.command("extract")
def extract_features(
    corpus: Annotated[str, typer.Argument(help="Corpus name, or a manifest or folder of your own.")],
    features: Annotated[str, typer.Option("--features", help="Feature set.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="File to write: .csv or .npz.")],
    words: options.Map = None,
    speaker: options.Speaker = None,
    data: options.Data = options.DATA,
    cache: options.Cache = None,
    jobs: options.Jobs = options.CORES,
) -> None:
    """Extract a feature set over a corpus, with the clips' speakers and emotions."""
    from ser_classic.corpora import load, parse_map
    from ser_classic.extraction import cache_folder, check_output, extract, save
    from ser_classic.features import FEATURES

    feature_set = FEATURES[features]
    check_output(output, feature_set.sequence)
    root, clips, entry = load(corpus, data, cache_folder(cache), parse_map(words or []), speaker)
    extracted = extract(clips, root, feature_set, cache, jobs, entry.channel)
    save(output, clips, extracted)
    print(f"{output}: {len(clips)} clips, {len(extracted.columns)} columns")
