"""What is known of a corpus, as a page of text."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from ser_classic.cli.listing import ACCESS
from ser_classic.cli.printing import whole_words
from ser_classic.corpora import Corpus, CorpusError, locate
from ser_classic.vocabulary import ordered

WIDTH = min(80, shutil.get_terminal_size().columns)
SHOWN = 5  # published scores


def page(corpus: Corpus, data: Path | None = None) -> str:
    """Facts, citation, expected files, anomalies, protocols and published scores."""
    facts = {
        "Clips, speakers": f"{corpus.clips or 'not stated'}, {corpus.speakers or 'not stated'}",
        "Emotions": ", ".join(ordered(corpus.emotions.values())),
        "Dimensions": f"{', '.join(corpus.dimensions)} (suite: dimensions)" if corpus.dimensions else "",
        "Language": corpus.language,
        "Style": corpus.style,
        "Licence": corpus.licence,
        "Access": ACCESS[corpus.access],
        "Address": corpus.url,
        "Citation": corpus.citation,
        "Found": _found(corpus, data),
    }
    heads = [f"{name}: {value}" for name, value in facts.items() if value]
    heads += [] if corpus.make else [corpus.remedy()]
    parts = [whole_words(f"{corpus.name}: {corpus.title}", WIDTH, "  ")]
    parts += [whole_words(head, WIDTH, "    ", "  ") for head in heads]
    sections = {
        "Expected files": list(corpus.layout),
        "Left out": [f"{label}: {reason}" for label, reason in (corpus.left_out | corpus.excluded).items()],
        "Anomalies": list(corpus.anomalies),
        "Protocols": protocols_of(corpus),
        "Published scores": published_of(corpus),
    }
    for title, lines in sections.items():
        if lines:
            parts += ["", f"{title}:", *(whole_words(each, WIDTH, "    ", "  - ") for each in lines)]
    return "\n".join([*parts, "", bibtex(corpus)])


def protocols_of(corpus: Corpus) -> list[str]:
    """Protocols made for it, then those for any corpus."""
    from ser_classic.protocols import published_folds

    folds = published_folds()
    folds = folds[folds["corpus"] == corpus.release]
    found = [f"emobox: {len(folds)} published folds ({folds['source'].iloc[0]})"] if len(folds) else []
    if "session" in corpus.columns:
        found.append("sessions: leave one session out")
    if "partition" in corpus.columns:
        found.append("official: its own parts, or official_leaky, where these share speakers")
    return [*found, "loso, speakers5 and their adapted tracks, as for every corpus"]


def published_of(corpus: Corpus) -> list[str]:
    """The best published scores of each protocol."""
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
    >>> from ser_classic.corpora import CORPORA
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
