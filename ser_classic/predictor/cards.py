"""Model cards: what a predictor was fitted on, how good it is on unheard speakers, and its limits."""

from __future__ import annotations

import re
from typing import Any

from ser_classic.errors import counted
from ser_classic.tables import Table, TableCell

INTENDED = (
    "Research, teaching and prototypes on recordings like those it was fitted on. It tells which of its "
    "emotions a voice sounds like as actors or speakers of the corpus expressed them."
)
LIMITS = (
    "It does not tell what a person feels. It always answers with one of its emotions, also for noise, "
    "music, other languages and everyday speech, on which it was not tested. Acted speech is easier than "
    "real. Do not use it to judge people, in employment, schooling, policing, insurance or medicine."
)


def text(card: dict[str, Any]) -> str:
    """A card as Markdown."""
    features, copies = card["features"], card["copies"]
    settings = ", ".join(f"{name} {value}" for name, value in card["chosen"].items())
    origin = "your own table: it predicts from tables (--table), not from recordings"
    if not takes_tables(card):
        parts = features.get("parts", [features])  # of sets side by side
        origin = f"version {' + '.join(str(part['version']) for part in parts)}"
    tuned = "by leaving one corpus out, each counting the same" if card["across"] else "by speaker groups"
    rows = [
        ("Corpora", ", ".join(f"{corpus['name']} ({corpus['title']})" for corpus in card["corpora"])),
        ("Clips, speakers", f"{card['clips']}, {card['speakers'] or 'unknown'}"),
        ("Emotions", ", ".join(f"{word} ({card['counts'][word]})" for word in card["classes"])),
        ("Features", f"{features['name']}, {origin}, {card['columns']} per clip"),
        ("Model", card["model"]["name"] + (f" ({settings})" if settings else "")),
        ("Tuned", tuned if card["tuned"] else "no, stated defaults"),
        (
            "Fitted on",
            f"the clips and {copies} degraded copies of each" if copies else "the clips as they are",
        ),
        *([("Most often confused", mistakes)] if (mistakes := _mistakes(card)) else []),
        ("Track", f"{card['track']}{', z-scored per speaker' if card['track'] == 'adapted' else ''}"),
        *([] if card["channel"] is None else [("Channel", f"{card['channel']}, counted from 0")]),
        ("Seed", str(card["seed"])),
        (
            "Licences of the corpora",
            "; ".join(sorted({f"{c['name']}: {c['licence']}" for c in card["corpora"]})),
        ),
        ("Versions", ", ".join(f"{name} {number}" for name, number in card["versions"].items())),
        ("Made", card["created"]),
        *card["facts"].items(),
    ]
    listed = "\n".join(f"- **{name}:** {value}" for name, value in rows)
    return (
        f"# {card['title']}\n\n{score_text(card['evaluation'])}\n\n{listed}\n\n"
        f"**Intended use.** {card['intended_use']}\n\n**Limits.** {card['limits']}\n"
    )


def html(card: dict[str, Any]) -> str:
    """A card as HTML, with the confusion matrix of its predictor."""
    from html import escape

    lines = text(card).strip().split("\n")
    recalls = _recalls(card)
    rows = tuple(
        (truth, *(TableCell(f"{100 * share:.0f}", share) for share in row.values()))
        for truth, row in recalls.items()
    )
    matrix = Table(("% of", *(f"called {answer}" for answer in recalls)), rows).html("confusion matrix")
    shown = [re.sub(r"\*\*(.*?)\*\*", r"<b>\1</b>", escape(line, quote=False)) for line in lines if line]
    points = "".join(f"<li>{line[2:]}</li>" for line in shown if line.startswith("- "))
    title, headline, *others = (line for line in shown if not line.startswith("- "))
    rest = "".join(f"<p>{line}</p>" for line in others)
    return f"<h3>{title[2:]}</h3><p>{headline}</p>{matrix if recalls else ''}<ul>{points}</ul>{rest}"


def takes_tables(card: dict[str, Any]) -> bool:
    """Whether a predictor was fitted on a user's table of features, and so takes tables."""
    return "table" in card["features"]


def unlike(card: dict[str, Any]) -> str:
    """What to say of a recording that is unlike those that a predictor was fitted on."""
    names = ", ".join(corpus["name"] for corpus in card["corpora"])
    speakers = counted(card["speakers"] or "unknown", "speaker")
    return (
        f"unlike what this model was fitted on ({names}: {card['clips']} clips of {speakers}); do not rely "
        "on the answer or its probability"
    )


def _recalls(card: dict[str, Any]) -> dict[str, dict[str, float]]:
    """Share of each answer for each emotion, on speakers not heard in fitting; empty if not on the card."""
    counts = (card["evaluation"] or {}).get("confusion", {})
    return {
        truth: {answer: count / sum(row.values()) for answer, count in row.items()}
        for truth, row in counts.items()
    }


def _mistakes(card: dict[str, Any]) -> str:
    """The three commonest mistakes on speakers not heard in fitting."""
    shares = [
        (share, truth, answer)
        for truth, row in _recalls(card).items()
        for answer, share in row.items()
        if answer != truth and share
    ]
    worst = sorted(shares, reverse=True)[:3]
    return ", ".join(f"{truth} as {answer} ({100 * share:.0f} %)" for share, truth, answer in worst)


def trust(card: dict[str, Any], answer: str) -> str:
    """How far an answer can be trusted, in plain sentences, as if every emotion were equally frequent."""
    found = card["evaluation"]
    if found is None or "uar" not in found:
        return "How often this model is right was not measured: take the answer as a guess."
    measured = (
        f"Of 100 recordings of an emotion, by speakers that it had never heard, it recognised "
        f"{100 * found['uar']:.0f}; guessing recognises {100 / found['classes']:.0f}."
    )
    recalls = {truth: row.get(answer, 0) for truth, row in _recalls(card).items()}
    if not (total := sum(recalls.values())):
        return measured
    right = 100 * recalls.pop(answer, 0) / total
    shares = sorted(((recall / total, word) for word, recall in recalls.items()), key=lambda pair: -pair[0])
    others = [f"{100 * share:.0f} as {word}" for share, word in shares if share >= 0.05]
    rest = f", {', '.join(others)}" if others else ""
    return f"{measured} Of 100 voices that it calls {answer}, {right:.0f} were meant that way{rest}."


def worth(card: dict[str, Any]) -> float:
    """How good a predictor is by its card: 0 is guessing, and 1 is never wrong.

    What was not measured counts as guessing, and so does what was measured on the synthetic voices alone,
    which says nothing of people.
    """
    found = card["evaluation"] or {}
    if "uar" not in found or all(corpus["name"] == "synthetic" for corpus in card["corpora"]):
        return 0.0
    return (found["uar"] - 1 / found["classes"]) / (1 - 1 / found["classes"])


def score_text(evaluation: dict[str, Any] | None) -> str:
    """The cross-validated score on a card in one sentence."""
    if evaluation is None:
        return "Not evaluated, as requested."
    if "uar" not in evaluation:
        return f"Not evaluated: {evaluation['reason']}."
    low, high = evaluation["uar_low"], evaluation["uar_high"]
    between = " (too few speakers for an interval)"
    if low is not None:
        between = f" (95 % interval over speakers {100 * low:.1f} to {100 * high:.1f})"
    return (
        f"Unweighted average recall on speakers not heard in fitting: **{100 * evaluation['uar']:.1f} %**"
        f"{between}; chance {100 / evaluation['classes']:.1f} %. Protocol {evaluation['protocol']}, "
        f"{evaluation['clips']} clips of {counted(evaluation['speakers'], 'speaker')}, "
        f"{evaluation['source']}."
    )
