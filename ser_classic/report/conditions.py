"""Special tests beside ordinary runs: other corpora, few clips or speakers, degraded clips."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial

import numpy as np
import pandas as pd

from ser_classic.plots import scores
from ser_classic.report.board import first_seeds, is_ordinary, speaker_independent
from ser_classic.report.overview import most_run
from ser_classic.report.text import Chapter, Picture, range_text, remark
from ser_classic.tables import Table, TableCell, share, signed
from ser_classic.tracks import in_order, track_of
from ser_classic.vocabulary import CONDITIONS

BLIND, ALL = -1, np.inf  # as numbers of clips heard, before and after all others
CLEAN = "clean"
NOISE = "white noise"  # the one kind of degradation with levels enough for a curve
COPIES = ", with copies"  # ends the name of a system that was trained on degraded copies, too
INTERVALS = "With 95 % intervals over speakers where there are enough"

CROSS = (
    "Trained on all of one corpus, tested on all of another, on the emotions that both have; the fewer "
    "emotions, the easier the task (chance is one over their number). The interval is over the speakers of "
    "the corpus tested on. Trained on itself: the same system within one corpus, speakers kept apart, on all "
    "its emotions, which is another task."
)
FEW = (
    "UAR against the number of unlabelled clips of a test speaker used to scale the features. With 0 clips "
    "the statistics of the training speakers are used, with fewer than 8 they are mixed in. Blind systems "
    "scale nothing by speaker; with all clips it is the adapted track of the leaderboard."
)
DEGRADED = (
    "UAR of blind systems trained on the clips as they are and tested on degraded ones; some were also "
    "trained with copies of each clip: a random chain of rooms, band limits, sounds with pitch or coloured "
    "noise, clipping and level changes, none of which is tested. In brackets the 95 % interval over "
    "speakers, or the UAR of each speaker if there are few."
)
SPEAKERS = (
    "UAR of blind systems by the number of training speakers, drawn at random in each fold; the test clips "
    "are the same. Each row adds speakers to those of the row above."
)


def beside_ordinary(runs: pd.DataFrame, *fields: str) -> tuple[pd.DataFrame, tuple[tuple[str, str], ...]]:
    """Runs that set one of these `CONDITIONS` and no other, and ordinary runs of the same systems and folds.

    The finished runs of the first seed, `with_ranges`, with a column for each field (None where a run does
    not set it); then remarks on those that failed.
    """
    runs, system = first_seeds(runs), ["corpus", "base", "features", "model"]
    settings, done = settings_of(runs), runs["counts"].notna()
    given = settings.notna()
    own = given[[*fields]].any(axis=1) & ~given.drop(columns=[*fields]).any(axis=1)
    systems = pd.MultiIndex.from_frame(runs[system])
    beside = is_ordinary(runs) & systems.isin(systems[own & done])
    table = with_ranges(runs).assign(**settings[[*fields]])
    return table[done & (own | beside)], failures(runs[own])


def settings_of(runs: pd.DataFrame) -> pd.DataFrame:
    """What runs set of the `CONDITIONS`, a column each; None where a run does not set it."""
    rows = [[run.record.get(name) for name in CONDITIONS] for run in runs["run"]]
    return pd.DataFrame(rows, runs.index, [*CONDITIONS], dtype=object)


def failures(runs: pd.DataFrame) -> tuple[tuple[str, str], ...]:
    """A remark on each failed run."""
    return tuple(
        remark("failed", f"{row['corpus']}, {row['protocol']}, {row['system']}", str(row["error"]))
        for row in runs[runs["counts"].isna()].to_dict("records")
    )


def with_ranges(runs: pd.DataFrame) -> pd.DataFrame:
    """Runs with the `range` in words: the interval, or the UAR of each of few speakers."""
    return runs.assign(range=[range_text(row, 2) for row in runs.to_dict("records")])


def few_chapter(runs: pd.DataFrame) -> Chapter:
    """The adaptation curve: what a system gains by the clips it hears of a speaker."""
    table, failed = over_number(runs, "heard", {"blind": BLIND, "adapted": ALL})
    clips = [int(np.median(counts.counts.sum(axis=(1, 2)))) for counts in table["counts"]]
    most = table.assign(clips=clips).groupby(["corpus", "base"])["clips"].transform("max")
    whole = "all (" + most.astype(str) + ")"
    table = table.assign(words=table["words"].mask(table["at"] == ALL, whole))
    caption = (
        "On the left, apart from the line, the blind system; on the right all clips of a speaker, and how "
        "many these are."
    )
    label = "number of unlabelled clips heard of the speaker"
    parts = _curves("adaptation", table, "clips heard", label, caption)
    return Chapter("adaptation", "How many clips adaptation needs", FEW, *parts, failed)


def speakers_chapter(runs: pd.DataFrame) -> Chapter:
    """The learning curve over training speakers."""
    table, failed = over_number(runs, "speakers", {"blind": ALL})
    label, caption = "number of speakers trained on", "On the right all speakers of a fold."
    parts = _curves("learning", table, "speakers trained on", label, caption)
    return Chapter("learning", "How many speakers to record", SPEAKERS, *parts, failed)


def over_number(
    runs: pd.DataFrame, field: str, ends: Mapping[str, float]
) -> tuple[pd.DataFrame, tuple[tuple[str, str], ...]]:
    """As `beside_ordinary`, with the columns that `_curves` needs; `ends` places each ordinary track."""
    table, failed = beside_ordinary(runs[runs["track"].isin(ends)], field)
    at = table[field].astype(float).fillna(table["track"].map(ends))
    words = [{BLIND: "blind", ALL: "all"}.get(number) or str(int(number)) for number in at]
    table = table.assign(at=at, words=pd.Series(words, table.index, dtype=object), joined=at >= 0)
    return table.sort_values(["corpus", "base", "at", "system"]), failed


def degraded(runs: pd.DataFrame) -> tuple[pd.DataFrame, tuple[tuple[str, str], ...]]:
    """As `beside_ordinary`, what blind systems score on degraded clips and on clean ones (`CLEAN`).

    It has the columns that `_curves` needs, in the order of `DEGRADATIONS`. The name of a system that is
    also trained on copies ends in `COPIES`.
    """
    from ser_classic.degradations import DEGRADATIONS

    table, failed = beside_ordinary(runs[runs["track"] == "blind"], "degradation", "copies")
    names = table["degradation"].astype(object).where(table["degradation"].notna(), CLEAN)
    order = [CLEAN, *DEGRADATIONS, *sorted({*names}.difference(DEGRADATIONS, [CLEAN]))]
    levels = [CLEAN, *(name for name, each in DEGRADATIONS.items() if each.kind == NOISE)]
    table = table.assign(
        at=names.map(order.index),
        words=names,
        joined=names.isin(levels),
        system=table["system"] + table["copies"].notna().map({True: COPIES, False: ""}),
    )
    return table.sort_values(["corpus", "base", "at", "system"], ignore_index=True), failed


def degraded_chapter(runs: pd.DataFrame) -> Chapter:
    """Systems tested on noisy, coded, faint or clipped recordings, and the gain of training with copies.

    The figure has the corpora with most runs.
    """
    from ser_classic.degradations import DEGRADATIONS

    table, failed = degraded(runs)
    tested = [(name, DEGRADATIONS[name]) for name in dict.fromkeys(table["words"]) if name in DEGRADATIONS]
    kinds = ", ".join(f"{name} ({each.kind}, {each.level})" for name, each in tested)
    about = DEGRADED + (f" The degradations: {kinds}." if kinds else "")
    caption = "On the left clean clips and white noise; beyond the line other degradations."
    drawn = table[table["corpus"].isin(most_run(table["corpus"]))]
    parts = _curves("degraded", table, "test clips", "degradation of the test clips", caption, drawn)
    return Chapter("degraded", "Degraded recordings", about, *parts, failed)


def _curves(
    name: str,
    table: pd.DataFrame,
    heading: str,
    label: str,
    caption: str,
    drawn: pd.DataFrame | None = None,
) -> tuple[tuple[Table, ...], tuple[Picture, ...]]:
    """A grid for each corpus and folds, conditions as rows and systems as columns; and a picture.

    Columns as `beside_ordinary`, and at, words and joined (see `plots.scores.curves`). A system that was
    trained with copies has one more column: what it gains by them. The picture, if there are several
    conditions, shows all rows, or only those `drawn`.
    """
    grids = []
    for (corpus, folds), part in table.groupby(["corpus", "base"]):
        plain = part.set_index(["words", "system"])["uar"]
        entries = []
        for row in part.to_dict("records"):
            condition, system, uar = (row["words"],), row["system"], row["uar"]
            entries.append((condition, system, TableCell(f"{share(uar, 2)} ({row['range']})", uar)))
            without = *condition, system.removesuffix(COPIES)
            if system.endswith(COPIES) and without in plain:
                gain = uar - plain[without]
                entries.append((condition, f"{system}: gain", TableCell(signed(gain), gain)))
        columns = {name: name.rpartition(": ")[2] for name in sorted({name for _, name, _ in entries})}
        grids.append(grid(f"{corpus}, {folds}", (heading,), columns, entries))
    drawn = table if drawn is None else drawn
    caption = f"{INTERVALS}. {caption} A dashed line is chance."
    picture = Picture(name, f"UAR by {label}", caption, partial(scores.curves, drawn, label))
    return tuple(grids), (picture,) if drawn["at"].nunique() > 1 else ()


def grid(
    title: str,
    headings: Sequence[str],
    columns: Mapping[str, str],
    entries: Iterable[tuple[tuple[str, ...], str, TableCell]],
) -> Table:
    """A table made of entries: the words of the row (under `headings`), the column, and the cell.

    `columns` has the heading of each column, in order; a cell without an entry is a dash.
    """
    rows: dict[tuple[str, ...], dict[str, TableCell]] = {}
    for row, column, cell in entries:
        rows.setdefault(row, {})[column] = cell
    body = ((*row, *(cells.get(column, "–") for column in columns)) for row, cells in rows.items())
    return Table((*headings, *columns.values()), tuple(body), title)


def crossings(runs: pd.DataFrame) -> pd.DataFrame:
    """Systems trained on other corpora than the one tested, and beside them within each.

    The finished runs of the first seed, `with_ranges`, with trained (a corpus, or what several are called),
    tested, within (bool: both are one, with speakers kept apart) and pair (bool: of two corpora).
    """
    runs = first_seeds(runs[runs["counts"].notna()])
    across = runs[runs["test"] == "cross"]
    settings = settings_of(across)
    several, copied = settings["trained_on"].str.len() > 1, settings["copies"].notna()
    trained = settings["trained_on"].str[0].mask(several, across["base"])
    trained += copied.map({True: COPIES, False: ""})
    across = across.assign(trained=trained, pair=~several & ~copied)
    within = pd.concat([runs[:0], *(speaker_independent(runs, track) for track in in_order(across["track"]))])
    within = within[within["corpus"].isin([*across["corpus"], *across["trained"]])]
    within = within.merge(across[["features", "model", "track"]].drop_duplicates())
    table = with_ranges(pd.concat([across, within.assign(trained=within["corpus"], pair=True)]))
    table = table.assign(tested=table["corpus"], within=table["trained"] == table["corpus"])
    return table.sort_values(["system", "tested", "within", "trained", "track"], ignore_index=True)


def cross_chapter(runs: pd.DataFrame) -> Chapter:
    """The crossings: a table for each system, and a figure of the one with most."""
    from ser_classic.protocols import PROTOCOLS

    table = crossings(runs)
    tables, pictures = [], ()
    for system, part in table.groupby("system"):
        entries = []
        for row in part.to_dict("records"):
            trained = "itself" if row["within"] else row["trained"]
            cell = TableCell(f"{share(row['uar'])} ({row['range']})", row["uar"])
            entries.append(((row["tested"], trained, f"{row['classes']:.0f}"), row["track"], cell))
        columns = {track: track_of(track).label for track in in_order(part["track"])}
        tables.append(grid(str(system), ("tested on", "trained on", "emotions"), columns, entries))
    pairs = table[table["pair"].astype(bool)]
    across = pairs[~pairs["within"].astype(bool)]
    if len(across):
        uar = across.groupby("system")["uar"].agg(["size", "mean"]).sort_values(["size", "mean"])
        system = uar.index[-1]
        picture = Picture(
            "cross",
            f"{system}: trained on one corpus, tested on another",
            "UAR, its 95 % interval over speakers or the UAR of each of few, and the number of emotions. "
            "Framed, on the diagonal: within one corpus, speakers kept apart, on all its emotions.",
            partial(scores.crossings, pairs[pairs["system"] == system]),
        )
        pictures = (picture,)
    several = table[~table["pair"].astype(bool) & table["protocol"].isin([*PROTOCOLS])]
    titles = {row.trained: PROTOCOLS[row.protocol].title for row in several.itertuples()}
    knows = {track_of(name).label.capitalize(): track_of(name).title for name in in_order(table["track"])}
    failed = failures(first_seeds(runs[runs["test"] == "cross"]))
    explained = (f"{name}: {title}." for name, title in (knows | dict(sorted(titles.items()))).items())
    return Chapter("cross", "Across corpora", " ".join([CROSS, *explained]), tuple(tables), pictures, failed)
