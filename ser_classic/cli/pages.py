"""What is known of a corpus, as text: a row of a table, and a page."""

from __future__ import annotations

import re
import shutil
import textwrap
from collections.abc import Container
from pathlib import Path

from ser_classic.corpora import CORPORA, Corpus, CorpusError, locate
from ser_classic.tables import Table
from ser_classic.vocabulary import ordered

WIDTH = min(80, shutil.get_terminal_size().columns)
ACCESS = {"open": "open", "registration": "register", "request": "request", "made": "made here"}
SHOWN = 5  # published figures


def table(at_hand: Container[str]) -> Table:
    """All corpora, a row each."""
    headings = ("corpus", "clips", "speakers", "language", "access", "licence", "found")
    rows = (
        (
            corpus.name,
            *(number or "-" for number in (corpus.clips, corpus.speakers)),
            *(corpus.language, ACCESS[corpus.access], corpus.licence),
            "yes" if corpus.name in at_hand else "no",
        )
        for corpus in CORPORA.values()
    )
    return Table(headings, tuple(rows))


def page(corpus: Corpus, data: Path | None = None) -> str:
    """Facts, citation, expected files, known faults, protocols and published figures."""
    facts = {
        "Clips, speakers": f"{corpus.clips or 'not stated'}, {corpus.speakers or 'not stated'}",
        "Emotions": ", ".join(ordered(corpus.emotions.values())),
        "Dimensions": _dimensions(corpus),
        "Language": corpus.language,
        "Style": corpus.style,
        "Licence": corpus.licence,
        "Access": ACCESS[corpus.access],
        "Address": corpus.url,
        "Citation": corpus.citation,
        "Found": _found(corpus, data),
    }
    parts = [_wrapped(f"{corpus.name}: {corpus.title}")]
    parts += [_wrapped(f"{name}: {value}", indent=2) for name, value in facts.items() if value]
    if not corpus.make:
        parts.append(_wrapped(corpus.remedy(), indent=2))
    sections = {
        "Expected files": list(corpus.layout),
        "Left out": [f"{label}: {reason}" for label, reason in (corpus.left_out | corpus.excluded).items()],
        "Known faults": list(corpus.anomalies),
        "Protocols": protocols_of(corpus),
        "Published figures": published_of(corpus),
    }
    for title, lines in sections.items():
        if lines:
            parts += ["", f"{title}:", *(_wrapped(each, indent=2, bullet="- ") for each in lines)]
    return "\n".join([*parts, "", bibtex(corpus)])


def _dimensions(corpus: Corpus) -> str:
    """Those that its clips have as numbers, and the suite for them."""
    names = ", ".join(corpus.dimensions)
    return f"{names} (suite: dimensions)" if names else ""


def protocols_of(corpus: Corpus) -> list[str]:
    """Protocols made for it, then those for any corpus."""
    from ser_classic.protocols import published_folds

    folds = published_folds()
    folds = folds[folds["corpus"] == (corpus.release)]
    found = [f"emobox: {len(folds)} published folds ({folds['source'].iloc[0]})"] if len(folds) else []
    if "session" in corpus.columns:
        found.append("sessions: leave one session out")
    if "partition" in corpus.columns:
        found.append("official: its own parts, or official_leaky, where these share speakers")
    return [*found, "loso, speakers5 and their adapted tracks, as for every corpus"]


def published_of(corpus: Corpus) -> list[str]:
    """The best published figures of each protocol."""
    from ser_classic.report.literature import published

    rows = published()
    rows = rows[rows["corpus"] == corpus.name].sort_values("value", ascending=False, kind="stable")
    lines = []
    for (protocol, track), group in rows.groupby(["protocol", "track"], sort=False):
        apart = "" if group["speaker_disjoint"].iloc[0] == "yes" else ", speakers on both sides"
        best = ", ".join(f"{each.system} {each.value:.3f}" for each in group.head(SHOWN).itertuples())
        lines.append(f"{protocol} ({track}{apart}), {group['metric'].iloc[0]}: {best}")
    return lines


def bibtex(corpus: Corpus) -> str:
    """The citation as a BibTeX entry, as far as it is known field by field.

    Examples
    --------
    >>> print(next(line.strip() for line in bibtex(CORPORA["emodb"]).splitlines() if "author" in line))
    author = {Burkhardt F. and Paeschke A. and Rolfes M. and Sendlmeier W. and Weiss B.},
    """
    text, fields = corpus.citation, {}
    if doi := re.search(r"\.? ?doi:(\S+)", text):
        fields["doi"] = doi[1]
        text = text.replace(doi[0], "")
    if full := re.match(r"(.+?) \((\d{4})\)\. (.+?)\. (.+)", text):
        authors, year, title, place = full.groups()
        fields |= {"author": authors.replace("., ", ". and "), "title": f"{{{title}}}"}
        fields |= {"howpublished": place, "year": year}
    elif short := re.match(r"(.+?),? ((?:[^,]+ )?)(\d{4})$", text):
        authors, place, year = short.groups()
        authors = authors.replace(" et al.", " and others").replace(", ", " and ")
        fields |= {"author": authors, "title": f"{{{corpus.title}}}"}
        fields |= ({"howpublished": place.strip()} if place.strip() else {}) | {"year": year}
    else:
        fields["title"] = f"{{{corpus.title}}}"
        fields["note"] = text
    if corpus.url:
        fields["url"] = corpus.url
    lines = [f"  {name} = {{{value}}}," for name, value in fields.items()]
    return "\n".join([f"@misc{{{corpus.release},", *lines, "}"])


def _found(corpus: Corpus, data: Path | None) -> str:
    if corpus.make is not None:
        return ""
    try:
        return str(locate(corpus.name, data))
    except CorpusError:
        return "no"


def _wrapped(text: str, indent: int = 0, bullet: str = "") -> str:
    return textwrap.fill(
        text,
        WIDTH,
        initial_indent=" " * indent + bullet,
        subsequent_indent=" " * (indent + 2),
        break_long_words=False,
        break_on_hyphens=False,
    )
