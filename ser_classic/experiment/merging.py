"""Join the runs of several results folders into one, if they fit together."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ser_classic import store
from ser_classic.errors import SerClassicError, some
from ser_classic.store import FEATURES_OF, Run


def merge(sources: list[Path], into: Path) -> tuple[list[str], list[str]]:
    """Copy the runs of results folders, and the clips tables to which they refer, into one folder.

    Returns the ids of the runs that were copied, and of those that the folder had already and keeps. A cell
    may have a run in several folders if its predictions are equal; a failed run gives way to a finished one.

    Raises
    ------
    SerClassicError
        Something does not fit, in these folders or with what the one holds already: broken runs, other clips
        tables of one corpus, other predictions. This is checked first; nothing is written then.
    """
    for folder in sources:
        if not any((folder / name).exists() for name in ("runs", store.DIMENSIONS, "leaderboard.csv")):
            raise SerClassicError(f"{folder}: contains no results; name folders that bench has written")
        here, there = folder.resolve(), into.resolve()
        if here in there.parents or there in here.parents:
            raise SerClassicError(
                f"{into}: overlaps with {folder}, which is to be merged; name another folder"
            )
    # Each folder once, however often and in whatever spelling it is given
    into, *others = {folder.resolve(): folder for folder in [into, *sources]}.values()
    problems: list[str] = []
    plans = [_planned(homes, problems) for homes in zip(*map(store.homes, (into, *others)), strict=True)]
    if problems:
        listed = some(problems, apart="\n  ")
        raise SerClassicError(f"these results do not fit together; nothing was written:\n  {listed}")
    for (home, *folders), copied, _ in plans:
        if not copied:
            continue
        with store.writing_runs(home):
            for path in (path for folder in folders for path in sorted((folder / "clips").glob("*.csv"))):
                if not (home / "clips" / path.name).exists():
                    store.write(home / "clips" / path.name, path.read_bytes())
            for run in copied:
                store.copy_run(run, home)
    return [run.id for _, copied, _ in plans for run in copied], [name for *_, kept in plans for name in kept]


def _planned(folders: tuple[Path, ...], problems: list[str]) -> tuple[tuple[Path, ...], list[Run], list[str]]:
    """These folders, which runs to copy into the first, and the ids of those that it keeps.

    What does not fit is added to the problems.
    """
    into, *others = folders
    runs = {folder: list(store.runs(folder, problems.append)) for folder in folders}
    problems += _clips_problems(runs)
    kept = {run.id: run for run in runs[into]}
    copied: dict[str, Run] = {}
    for run in (run for folder in others for run in runs[folder]):
        other = copied.get(run.id) or kept.get(run.id)
        if other is None or (run.ok and not other.ok):
            copied[run.id] = run
        elif run.ok and run.record["digests"]["predictions"] != other.record["digests"]["predictions"]:
            problems.append(_apart(other, run))
    for run in copied.values():
        try:
            if run.ok:
                run.predictions()
        except SerClassicError as error:
            problems.append(str(error))
    return folders, list(copied.values()), [name for name in kept if name not in copied]


def _clips_problems(runs: dict[Path, list[Run]]) -> Iterator[str]:
    """Corpora of whose clips the folders, or their runs, do not say the same; and those without a table."""
    found_in: dict[str, dict[str | None, Path]] = {}
    for folder in runs:
        for path in sorted((folder / "clips").glob("*.csv")):
            found_in.setdefault(path.stem, {}).setdefault(store.clips_digest(folder, path.stem), path)
    tables = set(found_in)
    for run in (run for found in runs.values() for run in found):
        digests = run.record["digests"]
        tested = {run.record["corpus"]: digests["clips"]} if "clips" in digests else {}
        for corpus, digest in (tested | digests.get("trained_clips", {})).items():
            found_in.setdefault(corpus, {}).setdefault(digest, run.path)
        if run.ok and run.record["corpus"] not in tables:
            tables.add(run.record["corpus"])
            yield f"{run.path}: clips/{run.record['corpus']}.csv, to which it refers, is missing"
    for corpus, places in found_in.items():
        if len(places) > 1:
            one, other, *_ = places.values()
            yield (
                f"{corpus}: {one} and {other} were made with different clips, speakers or emotions; merge "
                "only runs of the same release, selection or manifest"
            )


def _apart(one: Run, other: Run) -> str:
    """Two runs of one cell whose predictions differ, and what else of them does."""
    also = [  # predictions that were made elsewhere lack some of these
        name
        for name in ("parameters", "versions", "machine")
        if one.record.get(name) != other.record.get(name)
    ]
    if any(one.record["digests"].get(name) != other.record["digests"].get(name) for name in FEATURES_OF):
        also.insert(0, "features")
    return (
        f"{one.path} and {other.path} have different predictions, and {', '.join(also) or 'nothing else'}; "
        "remove one of them"
    )
