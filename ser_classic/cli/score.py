"""`ser-classic score`: predictions of other models, on the same clips and folds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ser_classic.cli import completion, options
from ser_classic.cli.options import option
from ser_classic.cli.printing import show, tell

if TYPE_CHECKING:
    from ser_classic.corpora import Reading


@options.reads_corpus
def score(
    predictions: Annotated[
        Path, typer.Argument(help="CSV with clip or file, emotion and, optionally, fold and p_<emotion>.")
    ],
    corpus: Annotated[str, option("--corpus NAME", options.OWN_OR_KNOWN, autocompletion=completion.corpora)],
    protocol: Annotated[
        str,
        option("--protocol NAME", "Protocol whose folds were used.", autocompletion=completion.protocols),
    ],
    name: Annotated[str, option("--name NAME", "Name of your model, such as 'my CNN'.")],
    note: Annotated[str, option("--note TEXT", "Where to read more, such as a link.")] = "",
    add: Annotated[bool, option("--add", "Store it in --results, beside the other runs.")] = False,
    as_json: options.Json = False,
    seed: options.Seed = 0,
    reading: Reading = None,
    results: options.Results = Path("results"),
    data: options.Data = None,
    cache: options.Cache = None,
) -> None:
    """Score predictions of your own model, and compare them with the best run on the same folds."""
    import shutil
    from dataclasses import replace

    import pandas as pd

    from ser_classic import store
    from ser_classic.corpora import CORPORA, CorpusError, load
    from ser_classic.protocols import PROTOCOLS
    from ser_classic.report.external import as_text, compared, external, facts, read_predictions

    with options.value_of("--protocol"):
        entry = PROTOCOLS[protocol]
    meanings = reading.words
    try:
        loaded = load(corpus, data, cache, replace(reading, words={}))
    except CorpusError:
        if corpus in CORPORA or not meanings:
            raise
        loaded = load(corpus, data, cache, reading)  # its own words need the same meanings
    sources = [load(each, data, cache) for each in entry.sources(loaded.corpus.name)]
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
