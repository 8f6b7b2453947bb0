"""Tests of their own beside ordinary runs: other corpora, few clips or speakers, degraded clips, seeds."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from ser_classic.report.overview import most_run
from ser_classic.report.scoring import Scored, first_seeds, shown, system_of
from ser_classic.report.text import Chapter, Picture, of_share, range_of, share, signed
from ser_classic.statistics import FEWEST_SPEAKERS
from ser_classic.tables import Cell, Table
from ser_classic.tracks import in_order, track_of
from ser_classic.vocabulary import CONDITIONS

BLIND, ALL = -1, np.inf  # as numbers of clips heard, before and after all others
CLEAN = "clean"
COPIES = ", with copies"  # ends the name of a system that was trained on degraded copies, too
INTERVALS = "With 95 % intervals over speakers where there are enough"
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
DEGRADED = (
    "UAR of blind systems trained on the clips as they are and tested on degraded ones; some were also "
    "trained with copies of each clip: a random chain of band limits, coloured noise, clipping and level "
    "changes, none of which is tested. In brackets the 95 % interval over speakers, or the UAR of each "
    "speaker if there are few."
)
SPEAKERS = (
    "UAR of blind systems by the number of training speakers, drawn at random in each fold; the test clips "
    "are the same. Each row adds speakers to those of the row above."
)


def beside_ordinary(runs: Iterable[Scored], *fields: str) -> tuple[pd.DataFrame, tuple[tuple[str, str], ...]]:
    """Runs that set one of these `CONDITIONS` and no other, and ordinary runs of the same systems and folds.

    One row per run of the first seed: folds, track, the fields (None where a run does not set them), clips
    (of a speaker, the median), and what `figures_of` gives. Then the runs with these conditions that came to
    nothing, and why.
    """
    rows, wanted, failed = [], set(), []
    for run in sorted(first_seeds(runs), key=lambda run: not run.row["test"]):  # the ordinary ones last
        own = {name: run.run.record[name] for name in CONDITIONS if name in run.run.record}
        system = tuple(run.row[name] for name in ("corpus", "base", "features", "model"))
        if not (own.keys() <= set(fields) if own else system in wanted):
            continue
        if run.counts is not None:
            wanted.add(system)
            clips = int(np.median(run.counts.counts.sum(axis=(1, 2))))
            row = {"folds": run.row["base"], "track": run.row["track"], "clips": clips}
            rows.append(row | {name: own.get(name) for name in fields} | figures_of(run))
        elif own:
            failed.append(_failed(run))
    return pd.DataFrame(rows, columns=["folds", "track", "clips", *fields, *FIGURES]), tuple(failed)


def _failed(run: Scored) -> tuple[str, str]:
    return f"{run.row['corpus']}, {run.row['protocol']}, {system_of(run.row)}", str(run.row["error"])


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
    from ser_classic.plots.conditions import curves

    ends = {"blind": BLIND, "adapted": ALL}
    table, failed = beside_ordinary((run for run in runs if run.row["track"] in ends), "heard")
    at = table["heard"].astype(float).fillna(table["track"].map(ends))
    most = table.groupby(["corpus", "folds"])["clips"].transform("max")
    words = [
        {BLIND: "blind", ALL: f"all ({clips})"}.get(number) or str(int(number))
        for number, clips in zip(at, most, strict=True)
    ]
    table = table.assign(at=at, words=words).sort_values(["corpus", "folds", "at", "system"])
    label = "unlabelled clips heard of the speaker"
    picture = Picture(
        "adaptation",
        f"UAR by the number of {label}",
        f"{INTERVALS}. On the left, apart from the line, the blind system; on the right all clips of a "
        "speaker, and how many these are.",
        partial(curves, table, label),
    )
    chapter = Chapter("adaptation", "How many clips adaptation takes", FEW, (), failed, (picture,))
    return _with_grids(chapter, table, "words", "clips heard")


def speakers_chapter(runs: Iterable[Scored]) -> Chapter | None:
    """The learning curve over training speakers; None where none ran."""
    from ser_classic.plots.conditions import curves

    table, failed = beside_ordinary((run for run in runs if run.row["track"] == "blind"), "speakers")
    at = table["speakers"].astype(float).fillna(ALL)
    words = ["all" if number == ALL else str(int(number)) for number in at]
    table = table.assign(at=at, words=words).sort_values(["corpus", "folds", "at", "system"])
    label = "speakers trained on"
    picture = Picture(
        "learning",
        f"UAR by the number of {label}",
        f"{INTERVALS}. On the right all speakers of a fold.",
        partial(curves, table, label),
    )
    chapter = Chapter("learning", "How many speakers to record", SPEAKERS, (), failed, (picture,))
    return _with_grids(chapter, table, "words", label)


def degraded(runs: Iterable[Scored]) -> tuple[pd.DataFrame, tuple[tuple[str, str], ...]]:
    """As `beside_ordinary`, what blind systems score on degraded clips and on clean ones (`CLEAN`).

    With the degradation's kind and level, in the order of `DEGRADATIONS`; the name of a system that was
    trained on copies, too, ends in `COPIES`.
    """
    from ser_classic.degradations import DEGRADATIONS

    blind = (run for run in runs if run.row["track"] == "blind")
    table, failed = beside_ordinary(blind, "degradation", "copies")
    names = table["degradation"].astype(object).where(table["degradation"].notna(), CLEAN)
    places = {name: place for place, name in enumerate((CLEAN, *DEGRADATIONS))}
    table = table.assign(
        degradation=names,
        kind=[DEGRADATIONS[name].kind if name in DEGRADATIONS else name for name in names],
        level=[DEGRADATIONS[name].level if name in DEGRADATIONS else "" for name in names],
        system=table["system"] + table["copies"].notna().map({True: COPIES, False: ""}),
        place=names.map(places).fillna(len(places)),
    )
    return table.sort_values(["corpus", "folds", "place", "degradation", "system"], ignore_index=True), failed


def degraded_chapter(runs: Iterable[Scored]) -> Chapter | None:
    """Systems tested on noisy, coded, faint or clipped recordings, and what training with copies gains.

    None where none were. The figure has the corpora with most runs, unless all of their clips are clean.
    """
    from ser_classic.plots.conditions import robustness

    table, failed = degraded(runs)
    each = table.drop_duplicates("degradation")
    kinds = [f"{row.degradation} ({row.kind}, {row.level})" for row in each.itertuples() if row.level]
    about = DEGRADED + (f" The degradations: {', '.join(kinds)}." if kinds else "")
    drawn = table[table["corpus"].isin(most_run(table["corpus"]))]
    picture = Picture(
        "degraded",
        "UAR on degraded test clips",
        f"{INTERVALS}, on the corpora with most runs. Left: white noise, by its level below the speech. "
        "Right: what else was done to the test clips. The dashed line is chance.",
        partial(robustness, drawn),
    )
    pictures = () if drawn["degradation"].eq(CLEAN).all() else (picture,)
    chapter = Chapter("degraded", "On degraded recordings", about, (), failed, pictures)
    return _with_grids(chapter, table, "degradation", "test clips")


def _with_grids(chapter: Chapter, table: pd.DataFrame, by: str, heading: str) -> Chapter | None:
    """The chapter with a grid for each corpus and folds, conditions as rows and systems as columns.

    Next to a system that was trained with copies stands what they gain. None where nothing ran.
    """
    if not len(table):
        return replace(chapter, pictures=()) if chapter.failed else None
    names, grids = headings_of(table["system"]), []
    for (corpus, folds), part in table.groupby(["corpus", "folds"]):
        cells: dict[tuple[str, str], Cell] = {}
        for row in part.sort_values("system", kind="stable").to_dict("records"):
            condition, system, uar = row[by], row["system"], row["uar"]
            cells[condition, system] = Cell(f"{share(uar, 2)} ({row['range']})", uar)
            plain = cells.get((condition, system.removesuffix(COPIES)))
            if system.endswith(COPIES) and plain:
                cells[condition, f"{system}: gain"] = Cell(signed(uar - plain.value), uar - plain.value)
        columns = sorted({column for _, column in cells})
        rows = [
            (str(one), *(cells.get((one, column), "–") for column in columns)) for one in part[by].unique()
        ]
        headings = (names.get(column, "gain") for column in columns)
        grids.append(Table((heading, *headings), tuple(rows), f"{corpus}, {folds}"))
    told = [f"{short} on {name.rpartition(' + ')[0]}" for name, short in names.items() if short != name]
    about = chapter.about + (f" The systems: {', '.join(told)}." if told else "")
    return replace(chapter, about=about, tables=tuple(grids))


def headings_of(systems: Iterable[str]) -> dict[str, str]:
    """What heads the column of each system: its model alone, to save room, where that tells many apart."""
    names = {name: name.rpartition(" + ")[2] for name in sorted(set(systems))}
    return names if len(set(names.values())) == len(names) > 2 else {name: name for name in names}


def crossings(runs: Iterable[Scored]) -> pd.DataFrame:
    """Systems trained on other corpora than the one tested, and beside them within each.

    One row per run of the first seed: track, trained (a corpus, or what several are called), title (of the
    protocol, unless it is of a pair), tested, within (bool: both are one, with speakers kept apart), pair
    (bool: of two corpora), and what `figures_of` gives.
    """
    from ser_classic.protocols import PROTOCOLS

    runs = [run for run in first_seeds(runs) if run.counts is not None]
    rows = []
    for run in (run for run in runs if run.row["test"] == "cross"):
        sources, with_copies = run.run.record["trained_on"], "copies" in run.run.record
        trained = (sources[0] if len(sources) == 1 else run.row["base"]) + (COPIES if with_copies else "")
        pair = len(sources) == 1 and not with_copies
        protocol = None if pair else PROTOCOLS.get(run.row["protocol"])
        rows.append((run, trained, pair, protocol.title if protocol else ""))
    systems = {(system_of(run.row), run.row["track"]) for run, *_ in rows}
    corpora = {run.row["corpus"] for run, *_ in rows} | {trained for _, trained, pair, _ in rows if pair}
    near = [run for run in runs if run.row["corpus"] in corpora]
    rows += [
        (run, run.row["corpus"], True, "")
        for track in in_order(track for _, track in systems)
        for run in shown(near, track)
        if (system_of(run.row), track) in systems
    ]
    described = [
        figures_of(run)
        | {"track": run.row["track"], "trained": trained, "pair": pair, "title": title}
        | {"tested": run.row["corpus"], "within": trained == run.row["corpus"]}
        for run, trained, pair, title in rows
    ]
    columns = ["track", "trained", "title", "tested", "within", "pair", *FIGURES]
    table = pd.DataFrame(described, columns=columns)
    return table.sort_values(["system", "tested", "within", "trained", "track"], ignore_index=True)


def cross_chapter(runs: Iterable[Scored]) -> Chapter | None:
    """The crossings: of each system a table, and a figure of that which crosses most; None where none ran."""
    from ser_classic.plots.conditions import crossings as drawn

    runs = list(runs)
    table = crossings(runs)
    broken = [run for run in first_seeds(runs) if run.counts is None and run.row["test"] == "cross"]
    if not len(table) and not broken:
        return None
    tracks, tables = in_order(table["track"]), []
    for system, of_system in table.groupby("system"):
        own, rows = [track for track in tracks if track in set(of_system["track"])], []
        for (tested, within, trained), part in of_system.groupby(["tested", "within", "trained"]):
            by_track = {row["track"]: row for row in part.to_dict("records")}
            cells = [tested, "itself" if within else trained, str(part["classes"].max())]
            for row in map(by_track.get, own):
                cells += [of_share(row["uar"]), Cell(row["range"], row["low"])] if row else ["–"] * 2
            rows.append(tuple(cells))
        figures = [heading for track in own for heading in (track_of(track).label, "95 %")]
        headings = ("tested on", "trained on", "emotions", *figures)
        tables.append(Table(headings, tuple(rows), str(system)))
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
    knows = {track_of(name).label.capitalize(): track_of(name).title for name in tracks}
    about = " ".join([CROSS, *(f"{name}: {told}." for name, told in (knows | titles).items())])
    failed = tuple(map(_failed, broken))
    return Chapter("cross", "From corpus to corpus", about, tuple(tables), failed, drawings)


CHAPTERS: tuple[Callable[[Iterable[Scored]], Chapter | None], ...] = (
    cross_chapter,
    few_chapter,
    degraded_chapter,
    speakers_chapter,
)
