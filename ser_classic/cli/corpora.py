"""`ser-classic corpora`: list, show, scan, verify and fetch corpora."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ser_classic.cli import options
from ser_classic.cli.commands import Group
from ser_classic.cli.options import option
from ser_classic.cli.printing import show, tell
from ser_classic.errors import counted, some
from ser_classic.runtime.files import data_folder, require_writable
from ser_classic.tables import Table
from ser_classic.vocabulary import ordered

if TYPE_CHECKING:
    from ser_classic.corpora.verifying import Verification

app = Group("corpora list", "corpora show ravdess", help="List, inspect, verify and download corpora.")

Name = Annotated[str, typer.Argument(help="Name of a corpus.", autocompletion=options.CORPORA)]
MOST_SPEAKERS = 30  # with a row each in `scan`
SHOWN = 10  # names of files per fault; --json has them all


def list_corpora(data: options.Data = None, as_json: options.Json = False) -> None:
    """List the corpora, and which of them are in the data folder."""
    from ser_classic.cli.pages import ACCESS, facts_of
    from ser_classic.corpora import CORPORA, available

    at_hand, folder = available(data), data_folder(data)
    if not folder.is_dir():
        tell(f"{folder}: there is no such folder; name the folder of your corpora with --data or $SER_DATA")
    rows = [
        {
            "corpora": each.name,
            "clips": each.clips or "-",
            "speakers": each.speakers or "-",
            "language": each.language,
            "access": ACCESS[each.access],
            "licence": each.licence,
            "found": "yes" if each.name in at_hand else "no",
        }
        for each in CORPORA.values()
    ]
    show(Table.of(rows), [facts_of(each, each.name in at_hand) for each in CORPORA.values()], as_json)


def show_corpus(corpus: Name, data: options.Data = None, as_json: options.Json = False) -> None:
    """Show facts, citation, expected files, anomalies, protocols and published scores of a corpus."""
    from ser_classic.cli.pages import corpus_page, facts_of
    from ser_classic.corpora import CORPORA, available, locate

    entry, found = CORPORA[corpus], corpus in available(data)
    folder = locate(corpus, data) if found and not entry.make else None
    show(corpus_page(entry, folder), facts_of(entry, found), as_json)


@options.reads_corpus
def scan(
    corpus: options.Corpus,
    output: Annotated[
        Path | None, option("--output -o FILE", "Also write the clips table to this file: .csv.")
    ] = None,
    access: options.Access = None,
    as_json: options.Json = False,
) -> None:
    """Count the clips of a corpus by speaker and emotion, from names and labels alone."""
    import pandas as pd

    from ser_classic.corpora import shortfall
    from ser_classic.corpora.clips import NAME_SPEAKERS

    if output is not None:
        require_writable(output, "clips tables", ".csv")
    root, clips, entry = access.load(corpus)
    if output is not None:
        clips.to_csv(output)
    notice = shortfall(entry, clips)
    if notice is None and clips["speaker"].isna().any():
        notice = f"{entry.name}: its speakers are unknown, so nothing tests new ones. {NAME_SPEAKERS}"
        tell(notice)
    named = clips["speaker"].fillna("").str.partition("/")[2]  # `ravdess/01` as `01`
    found = pd.crosstab(named, clips["emotion"])[list(ordered(clips["emotion"]))]
    counts, speakers = found.sum().to_dict(), int(clips["speaker"].nunique())
    if not as_json:
        people = counted(speakers or "unknown", "speaker")
        print(f"{entry.name}: {counted(len(clips), 'clip')}, {people}, under {root}")
    rows = found.itertuples(name=None) if 0 < speakers <= MOST_SPEAKERS else ()
    table = Table(("speakers", *counts), (*rows, ("all", *counts.values())))
    facts = {"corpus": entry.name, "root": str(root), "clips": len(clips), "speakers": speakers}
    show(table, facts | {"emotions": counts, "notice": notice}, as_json)


@options.reads_corpus
def verify(
    corpora: Annotated[
        list[str] | None,
        typer.Argument(
            help="Names or paths of corpora.",
            show_default="all that are found",
            autocompletion=options.CORPORA,
        ),
    ] = None,
    access: options.Access = None,
    as_json: options.Json = False,
) -> None:
    """Read every file, and report missing, corrupt, unreadable, duplicate and extra ones.

    Exit code 1: there is a fault.
    """
    from ser_classic.corpora import available
    from ser_classic.corpora.verifying import verify as verify_corpus

    found = [verify_corpus(*access.load(corpus)) for corpus in corpora or available(access.data)]
    facts = [{"ok": one.ok} | asdict(one) for one in found]
    show("\n".join(line for one in found for line in _lines(one)), facts, as_json)
    if not all(one.ok for one in found):
        raise typer.Exit(1)


def fetch(
    corpus: Name,
    source: Annotated[
        str | None, option("--from SOURCE", "An archive, a folder or a URL, instead of the publisher's.")
    ] = None,
    data: options.Data = None,
) -> None:
    """Download a corpus or what it lacks, or show how to obtain it."""
    from ser_classic.corpora import CORPORA, load, shortfall
    from ser_classic.corpora.fetching import fetch as fetch_corpus

    entry = CORPORA[corpus]
    tell(f"{entry.title}. Licence: {entry.licence}. Cite: {entry.citation}")
    done = fetch_corpus(corpus, data, source)
    print(f"{corpus}: {done.added} files added, {done.kept} kept, under {done.root}")
    if shortfall(entry, load(corpus, data).clips):
        raise typer.Exit(1)


def _lines(found: Verification) -> Iterable[str]:
    """One corpus as text: counts, what was compared, then each kind of fault with its first names."""
    from ser_classic.corpora import CORPORA

    of_clips = f" of {found.expected_clips}" if found.expected_clips else ""
    of_speakers = f" of {found.expected_speakers}" if found.expected_speakers else ""
    yield (
        f"{found.corpus}: {'ok' if found.ok else 'FAULTS'}, {found.clips}{of_clips} clips, "
        f"{found.speakers}{of_speakers} speakers, under {found.root}"
    )
    compared, formats = (
        ", ".join(f"{number} {kind}" for kind, number in counts.items())
        for counts in (found.compared, found.formats)
    )
    yield f"  official checksums: {compared or 'none are published, files were read and not compared'}"
    yield f"  formats: {formats}"
    yield from (f"  {warning}" for warning in found.warnings)
    for kind, names in found.found.items():
        yield f"  {kind}: {len(names)}{' (all with --json)' if len(names) > SHOWN else ''}"
        yield "    " + some(names, SHOWN, "\n    ")
    if found.broken and found.corpus in CORPORA:
        yield f"  {CORPORA[found.corpus].remedy('what is missing or broken')}"


app.add(list_corpora, "corpora list", "corpora list --data ~/corpora --json", name="list")
app.add(show_corpus, "corpora show ravdess", "corpora show ravdess --json", name="show")
app.add(scan, "corpora scan ravdess", r"corpora scan recordings --speaker '/(s\d+)_'")
app.add(verify, "corpora verify", "corpora verify ravdess emodb --json")
app.add(fetch, "corpora fetch emodb", "corpora fetch emodb --from emodb.zip")
