"""`ser-classic score`: predictions of other models, on the same clips and folds."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ser_classic.cli import options
from ser_classic.cli.options import option
from ser_classic.cli.printing import show, tell


@options.reads_corpus
def score(
    predictions: Annotated[
        Path,
        typer.Argument(
            help="Table (CSV, Parquet ...) with clip or file, emotion and, optionally, fold and p_<emotion>."
        ),
    ],
    corpus: Annotated[str, option("--corpus NAME", options.OWN_OR_KNOWN)],
    protocol: Annotated[str, option("--protocol NAME", "Protocol whose folds were used.")],
    name: Annotated[str, option("--name NAME", "Name of your model, such as 'my CNN'.")],
    note: Annotated[str, option("--note TEXT", "Where to read more, such as a link.")] = "",
    add: Annotated[bool, option("--add", "Store it in --results, beside the other runs.")] = False,
    as_json: options.Json = False,
    seed: options.Seed = 0,
    access: options.Access = None,
    results: options.Results = Path("results"),
) -> None:
    """Score predictions of your own model, and compare them with the best run on the same folds."""
    import shutil
    from dataclasses import replace

    import pandas as pd

    from ser_classic import store
    from ser_classic.corpora import CORPORA, CorpusError, load
    from ser_classic.protocols import PROTOCOLS
    from ser_classic.report.external import as_text, compared, external, facts, read_predictions

    entry = PROTOCOLS[protocol]
    meanings = access.reading.words
    try:
        loaded = replace(access, words=None).load(corpus)
    except CorpusError:
        if corpus in CORPORA or not meanings:
            raise
        loaded = access.load(corpus)  # its own words need the same meanings
    sources = [load(each, access.data, access.cache) for each in entry.sources(loaded.corpus.name)]
    clips = pd.concat([each.clips for each in (*sources, loaded)])
    found = read_predictions(predictions, clips, entry.folds(clips, seed), loaded.corpus.name, meanings)
    run = external(name, note, loaded, entry, seed, found)
    pair = compared(run, results, loaded.clips)
    facts_of = facts(run, loaded.clips, pair)
    show(as_text(facts_of, pair, shutil.get_terminal_size().columns), facts_of, as_json)
    if add:
        with store.at_work(results):
            store.write_clips(results, loaded.corpus.name, loaded.clips)
            store.write_run(results, run.record, found)
        tell(f"stored as {run.record['id']}; ser-classic report draws the tables")
