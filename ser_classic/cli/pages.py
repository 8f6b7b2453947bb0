"""What is known of a corpus, as a page of text."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from ser_classic.corpora import Corpus
from ser_classic.tables import share
from ser_classic.vocabulary import ordered

ACCESS = {"open": "open", "registration": "register", "request": "request", "made": "made here"}
SHOWN = 5  # published scores
# "Haq S., Jackson P.J.B. (2009). Speaker-dependent ... AVSP 2009, 53-58", and "Zhou et al., ICASSP 2021"
FULL = r"(?P<author>.+?) \((?P<year>\d{4})\)\. (?P<title>.+?)\. (?P<howpublished>.+?)[. ]*$"
SHORT = r"(?P<author>.+?)(?:, (?P<howpublished>.+))? (?P<year>\d{4})[. ]*$"


def corpus_page(corpus: Corpus, found: Path | None = None) -> str:
    """Facts, citation, where it was found, expected files, anomalies, protocols and published scores."""
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
        "Found": found,
    }
    lines = [f"{corpus.name}: {corpus.title}"]
    lines += [f"  {name}: {fact}" for name, fact in facts.items() if fact]
    if not (found or corpus.make):
        lines.append(f"  {corpus.remedy()}")
    sections = {
        "Expected files": list(corpus.layout),
        "Left out": [f"{label}: {reason}" for label, reason in (corpus.left_out | corpus.excluded).items()],
        "Anomalies": list(corpus.anomalies),
        "Protocols": protocols_of(corpus),
        "Published scores": published_of(corpus),
    }
    for title, items in sections.items():
        if items:
            lines += ["", f"{title}:", *(f"  - {each}" for each in items)]
    return "\n".join([*lines, "", bibtex(corpus)])


def facts_of(corpus: Corpus, found: bool) -> dict[str, Any]:
    """Facts of a corpus, for JSON."""
    names = ("name", "title", "url", "licence", "access", "citation", "language", "style")
    facts = {name: getattr(corpus, name) for name in (*names, "clips", "speakers", "dimensions", "anomalies")}
    return facts | {"emotions": ordered(corpus.emotions.values()), "at_hand": found}


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
    from ser_classic.report.literature import published_scores

    rows = published_scores()
    rows = rows[rows["corpus"] == corpus.name].sort_values("value", ascending=False, kind="stable")
    lines = []
    for (protocol, track), group in rows.groupby(["protocol", "track"], sort=False):
        apart = "" if group["speaker_disjoint"].iloc[0] == "yes" else ", speakers on both sides"
        best = ", ".join(f"{each.system} {share(each.value)}" for each in group.head(SHOWN).itertuples())
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
    text, _, doi = corpus.citation.partition("doi:")
    known = re.match(FULL, text) or re.match(SHORT, text)
    fields = {"title": corpus.title} | (known.groupdict() if known else {"note": text})
    fields["title"] = f"{{{fields['title']}}}"  # whose capitals BibTeX keeps
    if known:
        fields["author"] = known["author"].replace("., ", ". and ").replace(" et al.", " and others")
    fields |= {"doi": doi, "url": corpus.url}
    lines = [f"  {name} = {{{value}}}," for name, value in fields.items() if value]
    return "\n".join([f"@misc{{{corpus.release},", *lines, "}"])
