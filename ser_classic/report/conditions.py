"""Tests of their own beside ordinary runs: other corpora, few clips or speakers, degraded clips, seeds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from ser_classic.report.overview import most_run
from ser_classic.report.scoring import Scored, first_seeds, shown, system_of
from ser_classic.report.text import Chapter, Picture, of_share, range_of, share
from ser_classic.statistics import FEWEST_SPEAKERS
from ser_classic.tables import Cell, Table
from ser_classic.tracks import in_order, track_of
from ser_classic.vocabulary import CONDITIONS

BLIND, ALL = -1, np.inf  # as numbers of clips heard, before and after all others
CLEAN = "clean"
COPIES = ", with copies"  # ends the name of a system that was trained on degraded copies, too
FIGURES = ("corpus", "system", "classes", "uar", "low", "high", "range")  # what `figures_of` gives

CROSS = (
    "Trained on all of one corpus, tested on all of another, on the emotions that both have; the fewer "
    "emotions, the easier the task (chance is one over their number). The interval is over the speakers of "
    "the corpus tested on. Trained on itself: the same system within one corpus, speakers kept apart, on all "
    "its emotions, which is another task."
)
FEW = (
    "UAR against the number of unlabelled clips of a test speaker used to scale the features. With 0 clips "
    "the statistics of the training speakers are used, with fewer than 8 they are mixed in. Blind systems "
    "scale nothing by speaker; all clips are the adapted track of the leaderboard."
)
COPIED = (
    "UAR of blind systems trained on the clips as they are, and also on degraded copies of each: a random "
    "chain of band limits, coloured noise, clipping and level changes, none of which is tested. In brackets "
    "the 95 % interval over speakers, or the UAR of each speaker if there are few."
)
SPEAKERS = (
    "UAR of blind systems by the number of training speakers, drawn at random in each fold; the test clips "
    "are the same. Each row adds speakers to those of the row above."
)


def beside_ordinary(runs: Iterable[Scored], *fields: str) -> pd.DataFrame:
    """Runs that set one of these `CONDITIONS` and no other, and ordinary runs of the same systems and folds.

    One row a run of the first seed: folds, track, the fields (None where a run does not set them), clips (of
    a speaker, the median), and what `figures_of` gives.
    """
    rows, wanted = [], set()
    finished = [run for run in first_seeds(runs) if run.counts is not None]
    for run in sorted(finished, key=lambda run: not run.row["test"]):  # the ordinary ones last
        own = {name: run.run.record[name] for name in CONDITIONS if name in run.run.record}
        system = tuple(run.row[name] for name in ("corpus", "base", "features", "model"))
        if own.keys() <= set(fields) if own else system in wanted:
            wanted.add(system)
            clips = int(np.median(run.counts.counts.sum(axis=(1, 2))))
            row = {"folds": run.row["base"], "track": run.row["track"], "clips": clips}
            rows.append(row | {name: own.get(name) for name in fields} | figures_of(run))
    return pd.DataFrame(rows, columns=["folds", "track", "clips", *fields, *FIGURES])


def failed(runs: Iterable[Scored], *fields: str) -> tuple[tuple[str, str], ...]:
    """Runs that set one of these conditions and came to nothing, and why."""
    return tuple(
        (f"{run.row['corpus']}, {run.row['protocol']}, {system_of(run.row)}", str(run.row["error"]))
        for run in first_seeds(runs)
        if run.counts is None and run.row["test"] in {CONDITIONS[name] for name in fields}
    )


def figures_of(run: Scored) -> dict[str, Any]:
    """What tables and figures show of a finished run.

    Its corpus, system, classes and UAR; low and high, NaN where there are too few speakers for an interval to
    be trusted; and `range`, in words: the interval, or the UAR of each of the few speakers.
    """
    row = run.row
    trusted = row["speakers"] >= FEWEST_SPEAKERS
    low, high = (row["uar_low"], row["uar_high"]) if trusted else (float("nan"), float("nan"))
    figures = {name: row[name] for name in ("corpus", "classes", "uar")}
    return figures | {"system": system_of(row), "low": low, "high": high, "range": range_of(row, 2)}


def few_chapter(runs: Iterable[Scored]) -> Chapter | None:
    """The adaptation curve: what a system gains by the clips it hears of a speaker; None where none ran."""
    ends = {"blind": BLIND, "adapted": ALL}
    runs = [run for run in runs if run.row["track"] in ends]
    table = beside_ordinary(runs, "heard")
    heard = table["heard"].astype(float)
    ordinary = table["track"].map(ends)
    at = heard.fillna(ordinary)
    most = table.groupby(["corpus", "folds"])["clips"].transform("max")
    words = [
        {BLIND: "blind", ALL: f"all ({clips})"}.get(number) or str(int(number))
        for number, clips in zip(at, most, strict=True)
    ]
    return _curves(
        ("adaptation", "How many clips adaptation takes", FEW),
        table.assign(at=at, words=words),
        failed(runs, "heard"),
        ("clips heard", "unlabelled clips heard of the speaker"),
        "On the left, apart from the line, the blind system; on the right all clips of a speaker, and how "
        "many these are.",
    )


def speakers_chapter(runs: Iterable[Scored]) -> Chapter | None:
    """The learning curve over training speakers; None where none ran."""
    runs = [run for run in runs if run.row["track"] == "blind"]
    table = beside_ordinary(runs, "speakers")
    at = table["speakers"].astype(float).fillna(ALL)
    words = ["all" if number == ALL else str(int(number)) for number in at]
    return _curves(
        ("learning", "How many speakers to record", SPEAKERS),
        table.assign(at=at, words=words),
        failed(runs, "speakers"),
        ("speakers trained on", "speakers trained on"),
        "On the right all speakers of a fold.",
    )


def _curves(
    names: tuple[str, str, str],
    table: pd.DataFrame,
    broken: tuple[tuple[str, str], ...],
    headings: tuple[str, str],
    caption: str,
) -> Chapter | None:
    """A chapter of UAR by a number: `at`, in `words`."""
    from ser_classic.plots.conditions import curves

    name, title, about = names
    if not len(table) and not broken:
        return None
    table = table.sort_values(["corpus", "folds", "at", "system"], ignore_index=True)
    grids, about = _beside(table, "words", headings[0], about)
    picture = Picture(
        name,
        f"UAR by the number of {headings[1]}",
        f"With 95 % intervals over speakers where there are enough. {caption}",
        partial(curves, table, headings[1]),
    )
    return Chapter(name, title, about, grids, broken, (picture,) if len(table) else ())


def degraded(runs: Iterable[Scored], *fields: str) -> pd.DataFrame:
    """What blind systems score on degraded test clips and on the clips as they are.

    As `beside_ordinary` (runs may also set `fields`), with degradation (`CLEAN` for none), its kind and
    level, in the order of `DEGRADATIONS`.
    """
    from ser_classic.degradations import DEGRADATIONS

    blind = (run for run in runs if run.row["track"] == "blind")
    table = beside_ordinary(blind, "degradation", *fields)
    table["degradation"] = table["degradation"].astype(object).where(table["degradation"].notna(), CLEAN)
    known = {name: DEGRADATIONS[name] for name in set(table["degradation"]) & set(DEGRADATIONS)}
    table["kind"] = [known[name].kind if name in known else name for name in table["degradation"]]
    table["level"] = [known[name].level if name in known else "" for name in table["degradation"]]
    order = {name: place for place, name in enumerate((CLEAN, *DEGRADATIONS))}
    table["place"] = table["degradation"].map(order).fillna(len(order))
    by = ["corpus", "folds", "place", "degradation", "system"]
    return table.sort_values(by, ignore_index=True).drop(columns="place")


def degraded_chapter(runs: Iterable[Scored]) -> Chapter | None:
    """Robustness: systems tested on noisy, coded, faint or clipped recordings; None where none were."""
    runs = list(runs)
    table, broken = degraded(runs), failed(runs, "degradation")
    if not len(table) and not broken:
        return None
    each = table.drop_duplicates("degradation")
    kinds = [f"{row.degradation} ({row.kind}, {row.level})" for row in each.itertuples() if row.level]
    about = (
        "UAR of blind systems trained on the clips as they are and tested on degraded ones. The "
        f"degradations: {', '.join(kinds)}."
    )
    grids, about = _beside(table, "degradation", "test clips", about)
    pictures = _robustness(table, "degraded", "on degraded test clips")
    return Chapter("degraded", "On degraded recordings", about, grids, broken, pictures)


def copied(runs: Iterable[Scored]) -> pd.DataFrame:
    """What systems score with degraded copies in training and without, by what is tested.

    As `degraded`, and `copies`: how many of each clip were trained on.
    """
    table = degraded(runs, "copies")
    table["copies"] = table["copies"].astype(float).fillna(0).astype(int)
    key = ["corpus", "folds", "system"]
    table = table[table.groupby(key)["copies"].transform("max") > 0]
    return table.sort_values([*key, "copies"], kind="stable", ignore_index=True)


def copied_chapter(runs: Iterable[Scored]) -> Chapter | None:
    """Training with copies, and what it gains; None where nothing was trained so."""
    runs = list(runs)
    table, broken = copied(runs), failed(runs, "copies")
    if not len(table) and not broken:
        return None
    grids = tuple(
        _gains(part, ", ".join(names)) for names, part in table.groupby(["corpus", "folds", "system"])
    )
    named = table.assign(system=table["system"].where(table["copies"] == 0, table["system"] + COPIES))
    pictures = _robustness(named, "multi", "with and without degraded copies in training")
    return Chapter("multi", "Trained for the field", COPIED, grids, broken, pictures)


def _gains(table: pd.DataFrame, title: str) -> Table:
    """Conditions as rows; trained without copies, with them, and what these gain."""
    rows = []
    for condition, part in table.groupby("degradation", sort=False):
        found = {bool(row["copies"]): row for row in part.to_dict("records")}
        cells = [_with_range(found[kind]) if kind in found else "–" for kind in (False, True)]
        gain = "–"
        if len(found) == 2:
            difference = found[True]["uar"] - found[False]["uar"]
            gain = Cell(f"{difference:+.3f}".replace("0.", ".").replace("-", "−"), difference)
        rows.append((str(condition), *cells, gain))
    return Table(("test clips", "trained as they are", "with copies of each", "gain"), tuple(rows), title)


def _robustness(table: pd.DataFrame, name: str, title: str) -> tuple[Picture, ...]:
    """A figure of the corpora with most runs: noise as a curve, the others as points; none of clean ones."""
    from ser_classic.plots.conditions import robustness

    table = table[table["corpus"].isin(most_run(table["corpus"]))]
    if table["degradation"].eq(CLEAN).all():
        return ()
    picture = Picture(
        name,
        f"UAR {title}",
        "With 95 % intervals over speakers where there are enough, on the corpora with most runs. Left: "
        "white noise, by its level below the speech. Right: what else was done to the test clips. The dashed "
        "line is chance.",
        partial(robustness, table),
    )
    return (picture,)


def _beside(table: pd.DataFrame, by: str, heading: str, about: str) -> tuple[tuple[Table, ...], str]:
    """A grid for each corpus and folds, conditions as rows, systems as columns; and the text above them."""
    names = headings_of(table["system"])
    grids = []
    for (corpus, folds), part in table.groupby(["corpus", "folds"]):
        systems, rows = sorted(set(part["system"])), []
        for name, same in part.groupby(by, sort=False):
            found = {row["system"]: _with_range(row) for row in same.to_dict("records")}
            rows.append((str(name), *(found.get(system, "–") for system in systems)))
        grids.append(Table((heading, *map(names.get, systems)), tuple(rows), f"{corpus}, {folds}"))
    named = [f"{short} on {name.rpartition(' + ')[0]}" for name, short in names.items() if short != name]
    return tuple(grids), about + (f" The systems: {', '.join(named)}." if named else "")


def _with_range(row: Mapping[str, Any]) -> Cell:
    """`.71 (.68–.74)`, of what `figures_of` gives."""
    return Cell(f"{share(row['uar'], 2)} ({row['range']})", row["uar"])


def headings_of(systems: Iterable[str]) -> dict[str, str]:
    """What heads the column of each system: its model alone, to save room, where that tells many apart."""
    names = {name: name.rpartition(" + ")[2] for name in sorted(set(systems))}
    return names if len(set(names.values())) == len(names) > 2 else {name: name for name in names}


def crossings(runs: Iterable[Scored]) -> pd.DataFrame:
    """Systems trained on other corpora than the one tested, and beside them within each.

    One row a run of the first seed: track, trained (a corpus, or what several are called), title (of the
    protocol, unless it is of a pair), tested, within (bool: both are one, with speakers kept apart), pair
    (bool: of two corpora), and what `figures_of` gives.
    """
    from ser_classic.protocols import PROTOCOLS

    runs = [run for run in first_seeds(runs) if run.counts is not None]
    rows = []
    for run in (run for run in runs if run.row["test"] == "cross"):
        sources, with_copies = run.run.record["trained_on"], "copies" in run.run.record
        trained = sources[0] if len(sources) == 1 else run.row["base"]
        pair = len(sources) == 1 and not with_copies
        protocol = None if pair else PROTOCOLS.get(run.row["protocol"])
        row = _crossing(run, trained + (COPIES if with_copies else ""), pair)
        rows.append(row | {"title": protocol.title if protocol else ""})
    systems = {(row["system"], row["track"]) for row in rows}
    corpora = {row["tested"] for row in rows} | {row["trained"] for row in rows if row["pair"]}
    near = [run for run in runs if run.row["corpus"] in corpora]
    rows += [
        _crossing(run, run.row["corpus"], True)
        for track in in_order(track for _, track in systems)
        for run in shown(near, track)
        if (system_of(run.row), track) in systems
    ]
    table = pd.DataFrame(rows, columns=["track", "trained", "title", "tested", "within", "pair", *FIGURES])
    return table.sort_values(["system", "tested", "within", "trained", "track"], ignore_index=True)


def _crossing(run: Scored, trained: str, pair: bool) -> dict[str, Any]:
    tested = run.row["corpus"]
    ends = {"trained": trained, "tested": tested, "within": trained == tested, "pair": pair}
    return figures_of(run) | ends | {"track": run.row["track"], "title": ""}


def cross_chapter(runs: Iterable[Scored]) -> Chapter | None:
    """The crossings: of each system a table, and a figure of that which crosses most; None where none ran."""
    from ser_classic.plots.conditions import crossings as drawn

    runs = list(runs)
    table, broken = crossings(runs), failed(runs, "trained_on")
    if not len(table) and not broken:
        return None
    tables = tuple(_crossing_table(part, str(system)) for system, part in table.groupby("system"))
    pairs = table[table["pair"].astype(bool)]
    across = pairs[~pairs["within"].astype(bool)]
    drawings = ()
    if len(across):
        uar = across.groupby("system")["uar"].agg(["size", "mean"]).sort_values(["size", "mean"])
        system = uar.index[-1]
        picture = Picture(
            "cross",
            f"{system}: trained on one corpus, tested on another",
            "UAR, its 95 % interval over speakers where there are enough, and the number of emotions. "
            "Framed, on the diagonal: within one corpus, speakers kept apart, on all its emotions.",
            partial(drawn, pairs[pairs["system"] == system]),
        )
        drawings = (picture,)
    titles = dict(sorted({(row.trained, row.title) for row in table.itertuples() if row.title}))
    tracks = {track_of(name).label.capitalize(): track_of(name).title for name in in_order(table["track"])}
    about = " ".join([CROSS, *(f"{name}: {told}." for name, told in (tracks | titles).items())])
    return Chapter("cross", "From corpus to corpus", about, tables, broken, drawings)


def _crossing_table(table: pd.DataFrame, system: str) -> Table:
    rows, tracks = [], in_order(table["track"])
    for (tested, within, trained), part in table.groupby(["tested", "within", "trained"]):
        by_track = {row["track"]: row for row in part.to_dict("records")}
        cells = [tested, "itself" if within else trained, str(part["classes"].max())]
        for track in tracks:
            row = by_track.get(track)
            cells += [of_share(row["uar"]), Cell(row["range"], row["low"])] if row else ["–"] * 2
        rows.append(tuple(cells))
    figures = [heading for track in tracks for heading in (track_of(track).label, "95 %")]
    return Table(("tested on", "trained on", "emotions", *figures), tuple(rows), system)


CHAPTERS: tuple[Callable[[Iterable[Scored]], Chapter | None], ...] = (
    cross_chapter,
    few_chapter,
    degraded_chapter,
    copied_chapter,
    speakers_chapter,
)
