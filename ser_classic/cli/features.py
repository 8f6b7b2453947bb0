"""`ser-classic features`: list the feature sets, extract one from a corpus."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from ser_classic.cli import interrupts, options
from ser_classic.cli.commands import Group
from ser_classic.cli.options import option
from ser_classic.cli.printing import show
from ser_classic.errors import SerClassicError
from ser_classic.tables import Table

app = Group("features list", help="List feature sets, or extract one to a file.")


def list_features(as_json: options.Json = False) -> None:
    """List the feature sets with their columns, where the library that they need is installed."""
    from ser_classic.features import FEATURES

    facts, rows = [], []
    for name, entry in FEATURES.items():
        try:
            columns = entry.columns
            count = f"{len(columns)}{' per frame' * (entry.gives.dimensions > 1)}"
            contents = textwrap.shorten(", ".join(_contents(columns)), 70, placeholder=" ...")
        except SerClassicError as error:
            columns, count, contents = None, "", str(error)
        facts.append(entry.parameters | {"columns": columns, "extra": entry.extra})
        rows.append((name, count, contents))
    show(Table(("features", "columns", "contents"), rows), facts, as_json)


def _contents(columns: Sequence[str]) -> list[str]:
    """The groups of columns; where there is only one, the descriptors or kernels in it."""
    split = [column.rpartition("/") for column in columns]
    groups = dict.fromkeys(group for group, _, _ in split)
    return list(groups if len(groups) > 1 else dict.fromkeys(name.split("_")[0] for _, _, name in split))


@options.reads_corpus
def extract_features(
    context: typer.Context,
    corpus: options.Corpus,
    output: Annotated[Path, option("--output -o FILE", "File to write: .csv or .npz.")],
    features: options.Features = None,
    encoder: Annotated[
        str | None,
        option(
            "--encoder NAME",
            "Instead of --features, a pretrained wav2vec 2.0, HuBERT, WavLM or Whisper: a folder, or its "
            "name at Hugging Face. Install its extra with: pip install 'ser-classic[embeddings]'",
        ),
    ] = None,
    layer: Annotated[
        int | None,
        option(
            "--layer N", "Layer of the encoder; 0 is the input of the first.", min=0, show_default="the last"
        ),
    ] = None,
    batch: Annotated[
        int | None, option("--batch N", "Recordings per batch of the encoder.", min=1, show_default="8")
    ] = None,
    access: options.Access = None,
    jobs: options.Jobs = options.CORES,
) -> None:
    """Extract a feature set from a corpus to a file, with the speaker and emotion of every clip.

    An --encoder gives the mean and standard deviation of a layer over time: a table for `bench --table`.
    """
    from ser_classic.features import FEATURES
    from ser_classic.features.extraction import extract
    from ser_classic.features.tables import check_output, save
    from ser_classic.runtime.engines import SERIAL, Local

    interrupts.stop_soon()
    options.check(
        context, {"--layer": ["--encoder"], "--batch": ["--encoder"]}, [["--features", "--encoder"]]
    )
    options.refuse(features is None and encoder is None, "name --features or --encoder")
    if features is not None:
        feature_set, engine = FEATURES[features], Local(jobs)
        check_output(output, feature_set.gives)
    else:
        check_output(output)
        from ser_classic.extras.embeddings import encoder_set

        feature_set, engine = encoder_set(encoder, layer, batch or 8, threads=jobs), SERIAL
    root, clips, entry = access.load(corpus)
    extracted = extract(clips, root, feature_set, access.cache, engine, entry.channel)
    save(output, clips, extracted)
    print(f"{output}: {len(clips)} clips, {len(extracted.columns)} columns")


app.add(list_features, "features list", "features list --json", name="list")
app.add(
    extract_features,
    "features extract ravdess --features flagship --output f.csv",
    "features extract ravdess --encoder facebook/hubert-base-ls960 --layer 9 --output hubert.npz",
    name="extract",
)
