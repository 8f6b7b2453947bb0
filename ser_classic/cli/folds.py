"""`ser-classic folds`: the folds of a protocol as a file for other programs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ser_classic.cli import options
from ser_classic.cli.options import option
from ser_classic.errors import counted
from ser_classic.runtime.files import require_writable


@options.reads_corpus
def folds(
    corpus: options.Corpus,
    protocol: Annotated[
        str,
        typer.Argument(
            help="Protocol, such as loso; list them with `ser-classic list protocols`.",
            autocompletion=options.PROTOCOLS,
        ),
    ],
    output: Annotated[Path, option("--output -o FILE", "File to write: .csv or .jsonl.")],
    validation: Annotated[
        bool, option("--validation", "Set aside every fifth training speaker for validation.")
    ] = False,
    seed: options.Seed = 0,
    access: options.Access = None,
) -> None:
    """Write the folds of a protocol: file, part, speaker, emotion and sentence of every clip in every fold.

    Train a model of your own on them, and score its predictions with `ser-classic score`.
    """
    import pandas as pd

    from ser_classic.corpora import load
    from ser_classic.protocols import PROTOCOLS
    from ser_classic.protocols.export import ENDINGS, fold_table, save

    entry = PROTOCOLS[protocol]
    require_writable(output, "folds", *ENDINGS)
    loaded = [access.load(corpus)]
    loaded[:0] = [load(name, access.data, access.cache) for name in entry.sources(loaded[0].corpus.name)]
    table = fold_table(pd.concat([each.clips for each in loaded]), entry, seed, validation)
    save(output, table)
    print(
        f"{output}: {loaded[-1].corpus.name}, {entry.name} ({entry.title}); "
        f"{counted(table['fold'].nunique(), 'fold')}, {counted(table['clip'].nunique(), 'clip')}; "
        f"digest {table['digest'].iloc[0]}"
    )
    for each in loaded:
        print(f"files of {each.corpus.name} are relative to {each.root}")
