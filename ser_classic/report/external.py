"""Predictions that were made elsewhere: checked against a protocol, scored, compared, stored."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ser_classic import store
from ser_classic.corpora import Loaded
from ser_classic.errors import SerClassicError
from ser_classic.experiment.stale import differences
from ser_classic.metrics import COUNT_METRICS, METRICS, confusion, recalls_of
from ser_classic.protocols import Fold, Protocol
from ser_classic.report.comparison import Pair, as_facts, compare
from ser_classic.report.comparison import as_text as in_words
from ser_classic.report.scoring import judged, probabilities, score_of, speaker_counts
from ser_classic.report.text import of_share, share
from ser_classic.statistics import interval
from ser_classic.tables import Cell, Table
from ser_classic.tracks import track_of

FEATURES = "external"  # in the place of the feature set, in a cell of such a run
BESIDE = ("corpus", "speaker", "sentence", "part", "digest")  # columns of a table of folds; they may stay
SHOWN = 8  # mistakes in one message
TOLERANCE = 0.02  # by which the probabilities of a clip may miss one


@dataclass(frozen=True)
class External:
    """Predictions that were made elsewhere, as a run: what stands in `record`, and predictions."""

    record: dict[str, Any]
    table: pd.DataFrame

    @property
    def id(self) -> str:
        """As that of a stored run."""
        return self.record["id"]

    def predictions(self) -> pd.DataFrame:
        """Columns fold, clip, guess and `p_<emotion>` where there are probabilities."""
        return self.table


def read_predictions(
    path: Path,
    clips: pd.DataFrame,
    folds: list[Fold],
    corpus: str,
    words: Mapping[str, str] | None = None,
) -> pd.DataFrame:
    """Predictions of a CSV file, checked against the folds.

    Parameters
    ----------
    path : Path
        With the columns `clip` or `file`, and `guess` or `emotion`; optional are `fold` and one probability
        an emotion, `p_<emotion>`. What else a table of folds has may stay; its `emotion` is the truth, so
        then the guess is in `guess`. Rows of its other parts are refused.
    clips : pd.DataFrame
        Clips table; where the protocol trains on other corpora, the clips of all.
    folds : list of Fold
    corpus : str
        That is tested.
    words : mapping, optional
        What words of the file mean, `{"anger": "angry"}`.

    Returns
    -------
    pd.DataFrame
        Columns fold, clip, guess and `p_<emotion>`, in the order of the folds.

    Raises
    ------
    SerClassicError
        The file cannot be read, lacks a column, or does not hold each test clip once; with its lines.
    """
    words = words or {}
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            names = list(reader.fieldnames or ())
            rows = [(reader.line_num, row) for row in reader]
    except OSError as error:
        raise SerClassicError(f"{path}: cannot be read ({error.strerror})") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise SerClassicError(f"{path}: cannot be read as CSV ({error})") from error
    key = next((name for name in ("clip", "file") if name in names), None)
    answer = next((name for name in ("guess", "emotion") if name in names), None)
    if key is None or answer is None:
        raise SerClassicError(
            f"{path}: expected the columns clip (or file) and emotion (or guess), found "
            f"{', '.join(names) or 'none'}"
        )
    emotions = sorted(set(clips["emotion"]))
    chances = {name: words.get(name[2:], name[2:]) for name in names if name.startswith("p_")}
    strange = [name for name, word in chances.items() if word not in emotions]
    strange += [
        name for name in names if name not in {*chances, *BESIDE, "clip", "file", "fold", "guess", answer}
    ]
    if answer == "guess" and "emotion" in strange:
        strange.remove("emotion")
    if strange or len(set(chances.values())) < len(chances) or len(set(names)) < len(names):
        raise SerClassicError(
            f"{path}: columns that are not known or stand there twice: {', '.join(strange or names)}; "
            f"probabilities are called p_<emotion>, of {', '.join(emotions)} (--map for other words)"
        )
    wanted = {clips.index[row]: fold.name for fold in folds for row in fold.test}
    place = {clips.index[row]: n for n, row in enumerate(row for fold in folds for row in fold.test)}
    of_key = _keys(clips)
    problems: list[str] = []
    found: dict[str, tuple[int, list[Any]]] = {}
    for line, row in rows:
        try:
            clip, guess, values = _checked(row, key, answer, chances, of_key, wanted, emotions, words, corpus)
            if clip in found:
                raise ValueError(f"{row[key]} is there twice, first in line {found[clip][0]}")
        except ValueError as error:
            problems.append(f"line {line}: {error}")
            continue
        found[clip] = line, [wanted[clip], clip, guess, *values]
    missing = [clip for clip in wanted if clip not in found]
    if missing and not problems:
        problems.append(f"{len(missing)} of {len(wanted)} test clips are missing, such as {missing[0]}")
    if problems:
        shown = "".join(f"\n  {problem}" for problem in problems[:SHOWN])
        more = f"\n  and {len(problems) - SHOWN} more" if len(problems) > SHOWN else ""
        raise SerClassicError(f"{path}: does not fit the folds of {corpus}:{shown}{more}")
    ordered = [found[clip][1] for clip in sorted(found, key=place.__getitem__)]
    return pd.DataFrame(
        ordered, columns=["fold", "clip", "guess", *(f"p_{word}" for word in chances.values())]
    )


def _checked(
    row: Mapping[str, Any],
    key: str,
    answer: str,
    chances: Mapping[str, str],
    of_key: Mapping[str, str],
    wanted: Mapping[str, str],
    emotions: list[str],
    words: Mapping[str, str],
    corpus: str,
) -> tuple[str, str, list[float]]:
    """Clip, guess and probabilities of one row; ValueError says what is wrong with it."""
    if None in row or None in row.values():
        raise ValueError("has more or fewer cells than the head")
    clip = of_key.get(_plain(row[key]))
    if clip is None:
        raise ValueError(f"{row[key]!r} is not a clip of {corpus}")
    if row.get("part", "test") != "test":
        raise ValueError(f"{row[key]} is of the part {row['part']!r}; leave all but test out")
    if clip not in wanted:
        raise ValueError(f"{row[key]} is not tested by this protocol")
    if row.get("fold", wanted[clip]) != wanted[clip]:
        raise ValueError(f"{row[key]} is tested in fold {wanted[clip]}, not {row['fold']}")
    guess = words.get(row[answer], row[answer])
    if guess not in emotions:
        raise ValueError(f"{row[answer]!r} is none of {', '.join(emotions)}; say what it means with --map")
    try:
        values = [float(row[name]) for name in chances]
    except ValueError:
        values = [float("nan")]
    if values and not (all(0 <= value <= 1 for value in values) and abs(sum(values) - 1) <= TOLERANCE):
        raise ValueError("its probabilities are not numbers from 0 to 1 that add up to 1")
    return clip, guess, values


def _plain(name: str) -> str:
    """A clip's name or file, whatever its slashes and its ending."""
    return re.sub(r"\.\w{2,4}$", "", name.replace("\\", "/").removeprefix("./"))


def _keys(clips: pd.DataFrame) -> dict[str, str]:
    """What a clip may be called, to its name; what would be that of two is that of none."""
    keys: dict[str, set[str]] = {}
    for clip, file, corpus in zip(clips.index, clips["file"], clips["corpus"], strict=True):
        for name in (clip, file, f"{corpus}/{file}"):
            keys.setdefault(_plain(name), set()).add(clip)
    return {key: clips_of.pop() for key, clips_of in keys.items() if len(clips_of) == 1}


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
    cell = (loaded.corpus.name, protocol.name, FEATURES, model, seed)
    record = {
        "schema": store.SCHEMA,
        "id": "--".join(map(str, cell)),
        **dict(zip(store.NAMES, cell, strict=True)),
        "status": "ok",
        "track": protocol.track,
        "leaky": protocol.leaky,
        "base": protocol.base,
        "independent": protocol.independent,
        **protocol.conditions(loaded.corpus.name),
        "external": {"name": name, "note": note},
        "parameters": {},
        "digests": {"clips": store.table_digest(loaded.clips)},
        "fit_seconds": None,
        "predict_seconds": None,
    }
    return External(record, predictions)


def best_of_ours(run: External, results: Path, clips: pd.DataFrame) -> store.Run | None:
    """The best finished run of this package on the same corpus and protocol that is as it would be today."""
    same = ("corpus", "protocol")
    best: tuple[float, store.Run] | None = None
    for ours in store.runs(results):
        record = ours.record
        if not ours.ok or "external" in record or any(record[name] != run.record[name] for name in same):
            continue
        if record["digests"]["clips"] != run.record["digests"]["clips"] or differences(
            record, lambda _: None
        ):
            continue
        counts = speaker_counts(judged(ours.predictions(), clips))
        uar = float(METRICS["uar"].of(counts.counts.sum(axis=0)))
        if best is None or uar > best[0]:
            best = uar, ours
    return best[1] if best else None


def facts(run: External, clips: pd.DataFrame, pair: Pair | None) -> dict[str, Any]:
    """All figures of predictions, ready for JSON."""
    row, counts = score_of(run.table, clips)
    table = judged(run.table, clips)
    figures = {}
    for name, metric in COUNT_METRICS.items():
        range_ = interval(counts.counts, metric.of) if row["speakers"] else None
        figures[name] = {
            "value": row[name],
            "low": range_.low if range_ and range_.trusted else None,
            "high": range_.high if range_ and range_.trusted else None,
        }
    whole = counts.counts.sum(axis=0)
    given = probabilities(run.table)
    by_sex = {}
    if "sex" in table and table["sex"].notna().all():
        for sex, part in table.groupby("sex"):
            own = confusion(part["truth"], part["guess"], counts.classes)
            by_sex[str(sex)] = _recalls(own, counts.classes)
    by_speaker = {
        str(speaker): _recalls(own, counts.classes)
        for speaker, own in zip(counts.speakers, counts.counts, strict=True)
        if row["speakers"]
    }
    return {
        "id": run.record["id"],
        **run.record["external"],
        **{name: run.record[name] for name in ("corpus", "protocol", "track", "leaky")},
        "clips": row["clips"],
        "speakers": row["speakers"],
        **figures,
        "recall": _recalls(whole, counts.classes)["recall"],
        "by_sex": by_sex,
        "by_speaker": by_speaker,
        "calibration": None if given is None else {name: row[name] for name in ("ece", "brier")},
        "confusion": {"emotions": list(counts.classes), "counts": whole.astype(int).tolist()},
        "comparison": as_facts(pair) if pair else None,
    }


def as_text(found: Mapping[str, Any], pair: Pair | None, width: int = 80) -> str:
    """The facts for a terminal."""
    kind = "leaky" if found["leaky"] else track_of(found["track"]).label
    lines = [f"{found['name']}: {found['corpus']}, {found['protocol']} ({kind}); {found['clips']} clips", ""]
    if found["leaky"]:
        lines[1:] = ["The test speakers were heard in training: this says nothing of unknown speakers.", ""]
    figures = [
        (METRICS[name].word, _figure(found[name]["value"]), _range(found[name])) for name in COUNT_METRICS
    ]
    figures += [
        (METRICS[name].word, _figure(value), "") for name, value in (found["calibration"] or {}).items()
    ]
    lines += Table(("", "", "95 %"), tuple(figures)).lines()
    emotions, counts = found["confusion"]["emotions"], found["confusion"]["counts"]
    everyone = {"all": {"uar": found["uar"]["value"], "recall": found["recall"]}}
    parts = {**everyone, **found["by_sex"], **found["by_speaker"]}
    recalls = [
        (name, _figure(part["uar"]), *(_figure(part["recall"][word]) for word in emotions))
        for name, part in parts.items()
    ]
    lines += ["", *Table(("recall", "UAR", *(word[:5] for word in emotions)), tuple(recalls)).lines()]
    rows = [(word, *row) for word, row in zip(emotions, counts, strict=True)]
    lines += ["", "confusion: truth down, guess across"]
    lines += Table(("", *(word[:5] for word in emotions)), tuple(rows)).lines()
    if pair:
        lines += [
            "",
            "beside the best run of this benchmark on these folds",
            "",
            in_words(pair, width),
        ]
    else:
        lines += ["", "No run of this benchmark on these folds is in the results folder to compare with:"]
        lines += ["ser-classic bench makes such runs, --results names another folder."]
    return "\n".join(lines)


def _recalls(counts: np.ndarray, classes: Sequence[str]) -> dict[str, Any]:
    """UAR and recall of each emotion; None where an emotion has no clip."""
    values = (None if np.isnan(value) else float(value) for value in recalls_of(counts))
    return {"uar": float(METRICS["uar"].of(counts)), "recall": dict(zip(classes, values, strict=True))}


def _figure(value: float | None) -> Cell:
    return Cell("none") if value is None else of_share(value)


def _range(figure: Mapping[str, float | None]) -> str:
    return "" if figure["low"] is None else f"{share(figure['low'])} to {share(figure['high'])}"


def compared(run: External, results: Path, clips: pd.DataFrame) -> Pair | None:
    """The predictions beside the best of ours; None where there is none, or speakers are not known."""
    ours = None if clips["speaker"].isna().any() else best_of_ours(run, results, clips)
    return compare(run, ours, lambda _: clips) if ours else None
