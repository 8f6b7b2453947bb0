"""Predictions that were made elsewhere: checked against a protocol, scored, compared, stored."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ser_classic import store
from ser_classic.corpora import Loaded
from ser_classic.corpora.labels import example_key, named
from ser_classic.corpora.spelling import SYNONYMS, emotion_word, plain
from ser_classic.corpora.tables import read_rows
from ser_classic.errors import SerClassicError, some
from ser_classic.experiment import cells
from ser_classic.experiment.stale import differences
from ser_classic.metrics import METRICS, recalls_of
from ser_classic.protocols import Fold, Protocol
from ser_classic.report.board import scored
from ser_classic.report.comparison import Comparison, compare
from ser_classic.report.scoring import guesses, speaker_counts, with_truth
from ser_classic.statistics import interval, sums_of
from ser_classic.tables import Table, of_share, share
from ser_classic.tracks import track_of

HEARD = "The test speakers were heard in training: this says nothing about other speakers."
IF_UNHEARD = "These figures hold only if no fold trained on its test speakers; predictions cannot show that."
FEATURES = "external"  # in the place of the feature set, in a cell of such a run
BESIDE = ("corpus", "speaker", "sentence", "part", "digest")  # columns of a table of folds; they may stay
SHOWN = 8  # mistakes in one message
TOLERANCE = 0.02  # by which the probabilities of a clip may miss one


@dataclass(frozen=True)
class External:
    """Predictions that were made elsewhere, as a run."""

    record: dict[str, Any]
    table: pd.DataFrame

    def predictions(self) -> pd.DataFrame:
        """Columns fold, clip, guess and `p_<emotion>` where there are probabilities."""
        return self.table


def read_predictions(
    path: Path, clips: pd.DataFrame, folds: list[Fold], corpus: str, words: Mapping[str, str]
) -> pd.DataFrame:
    """Predictions of a table, checked against the folds: columns fold, clip, guess and `p_<emotion>`.

    The file has the columns `clip` or `file`, and `guess` or `emotion`; optional are `fold` and one
    probability an emotion. What else a table of folds has may stay; its `emotion` is the truth, so then the
    guess is in `guess`. Rows of its other parts are refused. Where the protocol trains on other corpora,
    `clips` has the clips of all. `words` is what words of the file mean, `{"wrath": "angry"}`; synonyms are
    known, and letter case does not matter, as in a corpus of one's own.

    Raises
    ------
    SerClassicError
        The file cannot be read, lacks a column, or does not hold each test clip once; with its lines.
    """
    table, emotions = read_rows(path), sorted(set(clips["emotion"]))
    words = {emotion_word(word): emotion_word(meaning) for word, meaning in words.items()}
    meaning = partial(_meaning, emotions=emotions, words=words)
    key, answer, meant = _columns(path, list(table), emotions, meaning)
    wanted = {clips.index[row]: fold.name for fold in folds for row in fold.test}
    if len(wanted) < sum(len(fold.test) for fold in folds):
        raise SerClassicError(
            f"{path}: its protocol tests clips of {corpus} in several folds; choose one that tests each once"
        )
    found = pd.DataFrame({"clip": named(table[key], clips)})
    found["fold"] = found["clip"].map(wanted)
    found["guess"] = table[answer].map(meaning)
    given = table[[*meant]].apply(pd.to_numeric, errors="coerce").set_axis([*meant.values()], axis=1)
    whole = given.ge(0).all(axis=1) & (given.sum(axis=1, skipna=False) - 1).abs().le(TOLERANCE)
    lacking = [f"p_{emotion}" for emotion in emotions if f"p_{emotion}" not in given]
    if meant and lacking and not whole.all():
        raise SerClassicError(
            f"{path}: without {', '.join(lacking)}, the probabilities of a clip do not add up to 1; give a "
            "column for every emotion, or for none"
        )
    details = table.assign(name=table[key], answer=table[answer], corpus=corpus, emotions=", ".join(emotions))
    details["known"] = example_key(clips)
    problems = _problems(details, found, found["guess"].isin(emotions), whole | (not meant))
    missing = [name for name in wanted if name not in set(found["clip"])]
    if missing and not problems:
        problems.append(f"{len(missing)} of {len(wanted)} test clips are missing, such as {missing[0]}")
    if problems:
        shown = some(problems, SHOWN, "\n  ")
        raise SerClassicError(f"{path}: does not fit the folds of {corpus}:\n  {shown}")
    checked = pd.concat([found[["fold", "clip", "guess"]], given], axis=1)
    return checked.set_index("clip", drop=False).loc[[*wanted]].reset_index(drop=True)


def _meaning(word: str, emotions: Sequence[str], words: Mapping[str, str]) -> str:
    """The emotion that a word means, as in a corpus of one's own; a word that means none, as it is."""
    spelled = emotion_word(word)
    return words.get(spelled) or (spelled if spelled in emotions else SYNONYMS.get(spelled, word))


def _columns(
    path: Path, names: list[str], emotions: list[str], meaning: Callable[[str], str]
) -> tuple[str, str, dict[str, str]]:
    """The columns of the clip and the guess, and what those of probabilities mean, as `p_<emotion>`."""
    key = next((name for name in ("clip", "file") if name in names), None)
    answer = next((name for name in ("guess", "emotion") if name in names), None)
    if key is None or answer is None:
        raise SerClassicError(
            f"{path}: expected the columns clip (or file) and emotion (or guess), found "
            f"{', '.join(names) or 'none'}"
        )
    meant = {name: f"p_{meaning(name[2:])}" for name in names if name.startswith("p_")}
    known = {"clip", "file", "fold", "guess", "emotion", *BESIDE, *(f"p_{emotion}" for emotion in emotions)}
    strange = [name for name in names if meant.get(name, name) not in known]
    if strange or len(set(meant.values())) < len(meant):
        raise SerClassicError(
            f"{path}: columns that are not known, or mean the same: {', '.join(strange or names)}; "
            "remove them, or call answers guess (or emotion), and probabilities p_<emotion>, of "
            f"{', '.join(emotions)} (--map for other words)"
        )
    return key, answer, meant


def _problems(table: pd.DataFrame, found: pd.DataFrame, known: pd.Series, whole: pd.Series) -> list[str]:
    """The first fault of each row of a table (by line) that does not fit what was `found` of it, each once.

    `known` says of each whether its guess is an emotion, `whole` whether its probabilities add up.
    """
    clip, fold = found["clip"], found["fold"]
    first = {name: line for line, name in clip[::-1].items()}
    table = table.assign(
        right=fold,
        first=clip.map(first),
        fold=table["fold"].map(plain) if "fold" in table else fold,  # 1.0, as programs write 1
        part=table.get("part", "test"),
    )
    checks = {
        "{name!r} is not a clip of {corpus}, such as {known}": clip.isna(),
        "{name} is of the part {part!r}; keep only test": table["part"] != "test",
        "{name} is not tested by this protocol": fold.isna(),
        "{name} is tested in fold {right}, not {fold}": table["fold"] != fold,
        "{name} has no emotion": found["guess"] == "",
        "{answer!r} is none of {emotions}; say what it means with --map": ~known,
        "its probabilities are not numbers from 0 to 1 that add up to 1": ~whole,
        "{name} is repeated, first in line {first}": clip.duplicated(),
    }
    wrong = np.select(list(checks.values()), list(checks), "")
    lines: dict[str, list[int]] = {}
    for words, (line, facts) in zip(wrong, table.to_dict("index").items(), strict=True):
        if words:
            lines.setdefault(words.format(**facts), []).append(line)
    return [f"line {some(where, 1)}: {words}" for words, where in lines.items()]


def external(
    name: str, note: str, loaded: Loaded, protocol: Protocol, seed: int, predictions: pd.DataFrame
) -> External:
    """Predictions as a run of the cell `external + <name>`.

    Raises
    ------
    SerClassicError
        A name without a letter or a digit.
    """
    model = "_".join(re.findall(r"[a-z0-9]+", name.lower()))
    if not model:
        raise SerClassicError(f"{name!r}: a name has letters or digits")
    record = {
        **cells.Cell(loaded.corpus.name, protocol.name, FEATURES, model, seed).record,
        "external": {"name": name, "note": note},
        "parameters": {},
        "digests": {"clips": store.table_digest(loaded.clips), "folds": store.folds_of(predictions)[0]},
        "fit_seconds": None,
        "predict_seconds": None,
    }
    return External(record, predictions)


def require_own_name(run: External, results: Path) -> None:
    """Refuse predictions whose place in a results folder another model has, with a name much like theirs."""
    name, same = run.record["external"]["name"], run.record["id"]
    for stored in (stored for stored in store.runs(results) if stored.id == same):
        other = stored.record["external"]["name"]
        if other != name:
            raise SerClassicError(
                f"{stored.path}: has the predictions of {other!r}, whose place those of {name!r} would take; "
                f"give another --name, or remove the former with: ser-classic results remove {same}"
            )


def compared(run: External, results: Path, clips: pd.DataFrame) -> Comparison | None:
    """The predictions compared with our best current run on the same folds; None without one or speakers."""
    if clips["speaker"].isna().any():
        return None
    same = (
        ours
        for ours in store.runs(results)
        if all(ours.record[name] == run.record[name] for name in ("corpus", "protocol"))
        and all(
            ours.record["digests"].get(name) == run.record["digests"][name] for name in ("clips", "folds")
        )
    )
    board = scored(same, lambda _: clips, differ=lambda record: differences(record, lambda _: None))
    best = board[board["source"].ne("external") & board["late"].eq(0)]
    return compare(run, best["run"].iloc[0], clips) if len(best) else None


def facts(run: External, clips: pd.DataFrame, pair: Comparison | None) -> dict[str, Any]:
    """All figures of predictions, ready for JSON."""
    table = with_truth(run.table, clips)
    counts = speaker_counts(table)
    classes, whole = counts.classes, counts.counts.sum(axis=0)
    known = table["speaker"].notna().all()
    figures, (guess, given) = {}, guesses(run.table)
    for name, metric in METRICS.items():
        sums = counts.counts
        if metric.terms:
            if given is None:
                continue
            terms = metric.terms(table["truth"].to_numpy(), guess, given)
            sums = sums_of(terms, table["speaker"].fillna(""))[1]
        range_ = interval(sums, metric.of)
        low, high = (range_.low, range_.high) if known and range_.trusted else (None, None)
        figures[name] = {"value": range_.value, "low": low, "high": high}
    by_speaker = dict(zip(counts.speakers, counts.counts, strict=True)) if known else {}
    return {
        "id": run.record["id"],
        **run.record["external"],
        **{name: run.record[name] for name in ("corpus", "protocol", "track", "leaky")},
        "clips": table["clip"].nunique(),
        "speakers": len(by_speaker),
        **figures,
        "recall": _recalls(whole, classes)["recall"],
        "by_speaker": {speaker: _recalls(own, classes) for speaker, own in by_speaker.items()},
        "confusion": {"emotions": list(classes), "counts": whole.astype(int).tolist()},
        "comparison": pair.facts() if pair else None,
    }


def as_text(found: Mapping[str, Any], pair: Comparison | None) -> str:
    """The facts for a terminal."""
    kind = "leaky" if found["leaky"] else track_of(found["track"]).label
    lines = [f"{found['name']}: {found['corpus']}, {found['protocol']} ({kind}); {found['clips']} clips"]
    lines += [HEARD if found["leaky"] else IF_UNHEARD, ""]
    summary = []
    for name in (name for name in METRICS if name in found):
        value, low, high = found[name].values()
        range_ = "" if low is None else f"{share(low)} to {share(high)}"
        summary.append((METRICS[name].label, of_share(value), range_))
    emotions, counts = found["confusion"]["emotions"], found["confusion"]["counts"]
    short = tuple(word[:5] for word in emotions)
    everyone = {"all": {"uar": found["uar"]["value"], "recall": found["recall"]}}
    recalls = [
        (name, *map(of_share, (part["uar"], *part["recall"].values())))
        for name, part in (everyone | found["by_speaker"]).items()
    ]
    lines += [
        *Table(("", "", "95 %"), summary).lines(),
        "",
        *Table(("recall", "UAR", *short), recalls).lines(),
        "",
        "confusion: truth down, guess across",
        *Table(("", *short), [(word, *row) for word, row in zip(emotions, counts, strict=True)]).lines(),
        "",
    ]
    if pair:
        lines += ["compared with the best run of this benchmark on these folds:", "", pair.text()]
    elif not found["speakers"]:
        lines += [
            "Not compared: that takes speakers, which are unknown here. Name them in a column `speaker`."
        ]
    else:
        lines += ["The results folder has no run of this benchmark on these folds to compare with."]
        lines += ["ser-classic bench makes such runs; --results names another folder."]
    return "\n".join(lines)


def _recalls(counts: np.ndarray, classes: Sequence[str]) -> dict[str, Any]:
    """UAR and recall of each emotion; None where an emotion has no clip."""
    values = (None if np.isnan(value) else float(value) for value in recalls_of(counts))
    return {"uar": float(METRICS["uar"].of(counts)), "recall": dict(zip(classes, values, strict=True))}
