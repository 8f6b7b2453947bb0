"""`ser-classic folds` and `score`: train and test models of other programs on the same folds."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ser_classic.cli import options
from ser_classic.cli.options import option
from ser_classic.cli.printing import show, tell
from ser_classic.errors import counted
from ser_classic.runtime.files import require_writable

if TYPE_CHECKING:
    from ser_classic.corpora import Loaded


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
    import pandas as pd

    from ser_classic import store
    from ser_classic.corpora import load
    from ser_classic.protocols import PROTOCOLS
    from ser_classic.report.external import (
        as_text,
        compared,
        external,
        facts,
        read_predictions,
        require_own_name,
    )

    entry = PROTOCOLS[protocol]
    loaded = _with_its_words(access, corpus)
    sources = [load(each, access.data, access.cache) for each in entry.sources(loaded.corpus.name)]
    clips = pd.concat([each.clips for each in (*sources, loaded)])
    folds, words = entry.folds(clips, seed), access.reading.words
    found = read_predictions(predictions, clips, folds, loaded.corpus.name, words)
    run = external(name, note, loaded, entry, seed, found)
    if add:
        require_own_name(run, results)
    pair = compared(run, results, loaded.clips)
    facts_of = facts(run, loaded.clips, pair)
    show(as_text(facts_of, pair), facts_of, as_json)
    if add:
        with store.writing_runs(results):
            store.write_clips(results, loaded.corpus.name, loaded.clips)
            store.write_run(results, run.record, found)
        tell(f"stored as {run.record['id']}; ser-classic report draws the tables")


def _with_its_words(access: options.Access, corpus: str) -> Loaded:
    """A corpus, read with those of --map that are its own words; others are of predictions alone."""
    from ser_classic.corpora import CORPORA
    from ser_classic.corpora.manifest import words_in
    from ser_classic.corpora.spelling import emotion_word

    given = access.reading.words
    if corpus in CORPORA or not given or not Path(corpus).exists():
        return replace(access, reading=replace(access.reading, words={})).load(corpus)
    labels = words_in(Path(corpus), access.reading)
    own = {word: meaning for word, meaning in given.items() if emotion_word(word) in labels}
    return replace(access, reading=replace(access.reading, words=own)).load(corpus)
