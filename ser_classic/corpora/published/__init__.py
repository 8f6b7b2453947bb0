"""Published corpora, one file of facts each: `ased.toml` is one to copy.

Its keys are the attributes of `Corpus`. What codes mean is one text, as in `emotions = "W=angry joy"` (see
`parse_codes`); so are the speakers who share a value of `by_speaker`, and labels left out for one reason.
A table `parts.NAME` is another corpus on the same files and holds what differs.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from ser_classic.corpora.corpus import Corpus, parse_codes
from ser_classic.corpora.labels import LabelFile
from ser_classic.errors import wrap_errors

__all__ = ["PUBLISHED", "read"]


def read(path: Path) -> list[Corpus]:
    """The corpus that a file describes, and its parts."""
    with wrap_errors(f"{path}: its facts are not those of a corpus"):
        facts = tomllib.loads(path.read_text("utf-8"))
        parts = facts.pop("parts", {})
        of = {"part_of": facts["name"]}
        return [_corpus(facts), *(_corpus(facts | of | {"name": name} | parts[name]) for name in parts)]


def _corpus(facts: dict[str, Any]) -> Corpus:
    facts = {key: tuple(value) if isinstance(value, list) else value for key, value in facts.items()}
    for key in ("emotions", "misspelled"):
        facts[key] = parse_codes(facts.get(key, ""))
    facts["codes"] = _each(facts.get("codes", {}))
    facts["left_out"] = {
        label: why for labels, why in facts.get("left_out", {}).items() for label in labels.split()
    }
    facts["by_speaker"] = {
        column: {who: value for value, speakers in values.items() for who in speakers.split()}
        for column, values in facts.get("by_speaker", {}).items()
    }
    if "labels" in facts:
        labels = facts["labels"] | {"codes": _each(facts["labels"].get("codes", {}))}
        labels |= {"columns": parse_codes(labels["columns"]), "drop": tuple(labels.get("drop", ()))}
        facts["labels"] = LabelFile(**labels)
    return Corpus(**facts)


def _each(texts: dict[str, str]) -> dict[str, dict[str, str]]:
    return {name: parse_codes(text) for name, text in texts.items()}


PUBLISHED = [corpus for path in sorted(Path(__file__).parent.glob("*.toml")) for corpus in read(path)]
