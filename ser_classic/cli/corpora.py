"""`ser-classic corpora`: list, show, scan, verify and fetch corpora."""

from __future__ import annotations

import sys
from collections.abc import Container
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ser_classic.cli import completion, options
from ser_classic.cli.commands import Group
from ser_classic.vocabulary import ordered

if TYPE_CHECKING:
    from ser_classic.corpora import Corpus, Reading
    from ser_classic.corpora.verifying import Verification

app = Group("corpora list", "corpora show ravdess", help="List, inspect, verify and download corpora.")

Name = Annotated[str, typer.Argument(help="Name of a corpus.", autocompletion=completion.corpora)]
SHOWN = 10  # names of files per fault; --json has them all


def list_corpora(data: options.Data = None, as_json: options.Json = False) -> None:
    """List the corpora, and which of them are in the data folder."""
    import json

    from ser_classic.corpora import CORPORA, available
    from ser_classic.runtime.places import data_folder

    at_hand = available(data)
    folder = data_folder(data)
    if not folder.is_dir():
        print(
            f"{folder}: there is no such folder; name the folder of your corpora with --data or $SER_DATA",
            file=sys.stderr,
        )
    if as_json:
        print(json.dumps([_facts(entry, at_hand) for entry in CORPORA.values()]))
        return
    from rich.console import Console

    from ser_classic.cli import pages

    Console().print(pages.table(at_hand).terminal())
    print("More about a corpus: ser-classic corpora show NAME")


def _facts(entry: Corpus, at_hand: Container[str]) -> dict[str, Any]:
    names = (
        *("name", "title", "url", "licence", "access", "citation", "language", "style"),
        *("clips", "speakers", "dimensions", "anomalies"),
    )
    facts = {name: getattr(entry, name) for name in names}
    return facts | {"emotions": ordered(entry.emotions.values()), "at_hand": entry.name in at_hand}


def show(corpus: Name, data: options.Data = None, as_json: options.Json = False) -> None:
    """Show facts, citation, expected files, known faults, protocols and published figures of a corpus."""
    import json

    from ser_classic.cli import pages
    from ser_classic.corpora import CORPORA, available

    entry = CORPORA[corpus]
    print(json.dumps(_facts(entry, available(data))) if as_json else pages.page(entry, data))


@options.reads_corpus
def scan(
    corpus: options.Corpus,
    output: Annotated[Path | None, options.output("Also write the clips table to a CSV file.")] = None,
    reading: Reading = None,
    data: options.Data = None,
    cache: options.Cache = None,
    as_json: options.Json = False,
) -> None:
    """Count the clips of a corpus by speaker and emotion, from names and labels alone."""
    import json

    from ser_classic.corpora import CorpusError, load, shortfall, speakers_known

    root, clips, entry = load(corpus, data, cache, reading)
    if output is not None:
        try:
            clips.to_csv(output)
        except OSError as error:
            raise CorpusError(f"{output}: cannot be written ({error.strerror or error})") from error
    notice = shortfall(entry, clips)
    if notice:
        print(notice, file=sys.stderr)
    counts = clips["emotion"].value_counts().to_dict()
    counts = {emotion: counts[emotion] for emotion in ordered(counts)}
    speakers = int(clips["speaker"].nunique())
    if as_json:
        facts = {"corpus": entry.name, "root": str(root), "clips": len(clips), "speakers": speakers}
        print(json.dumps(facts | {"emotions": counts, "notice": notice}))
        return
    from rich.console import Console

    from ser_classic.tables import Table

    print(f"{entry.name}: {len(clips)} clips, {speakers or 'unknown'} speakers, under {root}")
    rows = []
    if speakers_known(clips) and speakers <= 30:
        by = clips.groupby(["speaker", "emotion"]).size().unstack(fill_value=0)[list(counts)]
        for name, row in by.iterrows():
            rows.append((str(name).removeprefix(f"{entry.name}/"), *row))
    rows.append(("all", *counts.values()))
    Console().print(Table(("speakers", *counts), tuple(rows)).terminal())


@options.reads_corpus
def verify(
    corpora: Annotated[
        list[str] | None,
        typer.Argument(
            help="Names or paths of corpora.",
            show_default="all that are found",
            autocompletion=completion.corpora,
        ),
    ] = None,
    reading: Reading = None,
    data: options.Data = None,
    cache: options.Cache = None,
    as_json: options.Json = False,
) -> None:
    """Read every file, and report missing, corrupt, unreadable, duplicate and extra ones.

    Exit code 1: there is a fault.
    """
    import json
    from dataclasses import asdict

    from ser_classic.corpora import available, load
    from ser_classic.corpora.verifying import verify as verify_corpus

    found = [verify_corpus(*load(corpus, data, cache, reading)) for corpus in corpora or available(data)]
    if as_json:
        print(json.dumps([{"ok": one.ok, "checksums": one.checksums} | asdict(one) for one in found]))
    else:
        for one in found:
            _show(one)
    if not all(one.ok for one in found):
        raise typer.Exit(1)


def fetch(
    corpus: Name,
    source: Annotated[
        str | None,
        options.option("--from", "SOURCE", "An archive, a folder or a URL, instead of the publisher's."),
    ] = None,
    data: options.Data = None,
) -> None:
    """Download a corpus or what it lacks, or show how to obtain it."""
    from ser_classic.corpora import CORPORA, load, shortfall
    from ser_classic.corpora.fetching import fetch as fetch_corpus

    entry = CORPORA[corpus]
    print(f"{entry.title}. Licence: {entry.licence}. Cite: {entry.citation}", file=sys.stderr)
    done = fetch_corpus(corpus, data, source)
    print(f"{corpus}: {done.added} files added, {done.kept} kept, under {done.root}")
    notice = shortfall(entry, load(corpus, data).clips)
    if notice:
        print(notice, file=sys.stderr)
        raise typer.Exit(1)


def _show(found: Verification) -> None:
    """One corpus as text: counts, what was compared, then each kind of fault with its first names."""
    from ser_classic.corpora import CORPORA

    of_clips = f" of {found.expected_clips}" if found.expected_clips else ""
    of_speakers = f" of {found.expected_speakers}" if found.expected_speakers else ""
    print(
        f"{found.corpus}: {'ok' if found.ok else 'FAULTS'}, {found.clips}{of_clips} clips, "
        f"{found.speakers}{of_speakers} speakers, under {found.root}"
    )
    print(f"  {found.checksums}")
    if found.formats:
        print("  " + ", ".join(f"{number} {written}" for written, number in found.formats.items()))
    for line in filter(None, (*found.deviations, found.surplus, *found.warnings)):
        print(f"  {line}")
    kinds: list[tuple[str, list[str]]] = [
        ("missing", list(found.missing)),
        ("corrupt (not the official bytes)", list(found.corrupt)),
        ("unreadable", [f"{file}: {reason}" for file, reason in found.unreadable.items()]),
        ("duplicate under two emotions", [" = ".join(group) for group in found.conflicting]),
        (
            "duplicate",
            [" = ".join(group) for group in found.duplicates if group not in found.conflicting],
        ),
        ("duplicate in the official release too", [" = ".join(group) for group in found.known_duplicates]),
        ("second copy, counted once", list(found.copies)),
        ("extra, no clip of the corpus", list(found.extra)),
        ("left out on purpose", [f"{clip}: {reason}" for clip, reason in found.excluded.items()]),
        (
            "labels that the standard task leaves out",
            [f"{label}: {number} clips" for label, number in found.left_out.items()],
        ),
        ("without a label, left out", list(found.unlabelled)),
    ]
    for kind, names in kinds:
        if names:
            print(f"  {kind}: {len(names)}")
            for name in names[:SHOWN]:
                print(f"    {name}")
            if len(names) > SHOWN:
                print(f"    and {len(names) - SHOWN} more (all with --json)")
    if found.corpus in CORPORA and (found.deviations or found.missing or found.corrupt or found.unreadable):
        print(f"  {CORPORA[found.corpus].remedy('what is missing or broken')}")


app.add(list_corpora, "corpora list", "corpora list --data ~/corpora --json", name="list")
app.add(show, "corpora show ravdess", "corpora show ravdess --json")
app.add(scan, "corpora scan ravdess", r"corpora scan recordings --speaker '/(s\d+)_'")
app.add(verify, "corpora verify", "corpora verify ravdess emodb --json")
app.add(fetch, "corpora fetch emodb", "corpora fetch emodb --from emodb.zip")
