"""The store: a results folder, in which each run's folder is whole or not there."""

from __future__ import annotations

import bz2
import contextlib
import difflib
import functools
import gzip
import hashlib
import io
import json
import shutil
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ser_classic.errors import SerClassicError
from ser_classic.runtime.files import DRAFT, LOCK, locked, replacing
from ser_classic.tables import Table
from ser_classic.vocabulary import EMOTION

SCHEMA = 2
DECIMALS = 3  # of probabilities, stored as thousandths
PREDICTIONS = "predictions.csv.bz2"
OLD = ".old-"  # begins the name of what a draft is about to replace
DIMENSIONS = "dimensions"  # the folder of their runs in that of results
NAMES = ("corpus", "protocol", "features", "model", "seed")  # in a record, of its cell
FEATURES_OF = ("features", "trained_features", "degraded")  # of digests in a record


def home_of(results: Path, target: str) -> Path:
    """The results folder of runs that predict this; runs of dimensions never meet those of emotions."""
    return results if target == EMOTION else results / DIMENSIONS


class StoreError(SerClassicError):
    """A results folder that cannot be written, or a run in it that is not what it says."""


@dataclass(frozen=True)
class Run:
    """A stored run: its record, and its predictions on demand."""

    path: Path
    record: dict[str, Any]

    def __repr__(self) -> str:
        return f"Run: {self.id} ({self.record['status']})"

    def _repr_html_(self) -> str:
        """What a notebook shows: the cell, how it ended, and what was chosen in each fold."""
        record = self.record
        lines = [f"{self.id}: {record['status']}"]
        if not self.ok:
            lines.append(str(record["error"]))
        elif "fit_seconds" in record:
            lines.append(
                f"{record['fit_seconds']:.1f} s to fit, {record['predict_seconds']:.1f} s to predict"
            )
        rows = []
        for fold in record.get("folds", ()):
            chosen = ", ".join(f"{name} {value}" for name, value in (fold.get("chosen") or {}).items())
            rows.append((fold["fold"], fold["train"], fold["test"], chosen or "stated defaults"))
        head = ("fold", "clips to train", "to test", "chosen")
        folds = Table(head, tuple(rows)).html("folds") if rows else ""
        return "".join(f"<p>{escape(line)}</p>" for line in lines) + folds

    @property
    def id(self) -> str:
        """`<corpus>--<protocol>--<features>--<model>--<seed>`, and `--<dimension>` where one is predicted."""
        return self.record["id"]

    @property
    def ok(self) -> bool:
        """Whether the run came to its end; a failed one has an `error` and no predictions."""
        return self.record["status"] == "ok"

    def predictions(self) -> pd.DataFrame:
        """Columns fold, clip, guess and `p_<emotion>` where the model has probabilities."""
        tested, answers = self.answers()
        return pd.concat([tested, pd.DataFrame(answers)], axis=1)

    def answers(self) -> tuple[pd.DataFrame, dict[str, Any]]:
        """`predictions` in two parts: the columns fold and clip, one table for all runs on the same folds and
        not to be changed; and the other columns by name.
        """
        if not self.ok:
            raise StoreError(f"{self.id}: this run failed ({self.record['error']}); there are no predictions")
        digests = self.record["digests"]
        _, tested = _folds(self.path.parents[1], digests["folds"])
        try:
            text = bz2.decompress((self.path / PREDICTIONS).read_bytes())
        except (OSError, EOFError, ValueError) as error:
            raise StoreError(
                f"{self.path}: its predictions cannot be read ({error}); run it again with bench --again"
            ) from error
        if _predictions_digest(digests["folds"], text) != digests["predictions"]:
            raise StoreError(
                f"{self.path}: its predictions were changed after the run; run it again with bench --again"
            )
        return tested, _answers(text)

    def curves(self) -> pd.DataFrame | None:
        """Columns fold, epoch, seconds, and loss and UAR of training and validation; else None."""
        path = self.path / "curves.csv.gz"
        if not path.exists():
            return None
        try:
            return pd.read_csv(path, dtype={"fold": str}, keep_default_na=False, na_values=[""])
        except (OSError, EOFError, ValueError, gzip.BadGzipFile) as error:
            raise StoreError(f"{path}: cannot be read ({error}); run it again with bench --again") from error


def write_run(
    results: Path,
    record: dict[str, Any],
    predictions: pd.DataFrame | None,
    curves: pd.DataFrame | None = None,
) -> Run:
    """Store a run in one step; an earlier run of the same cell is replaced.

    The digest of the predictions is added to the record. A run that failed has neither predictions nor
    curves. Where it cannot be written, what was there is untouched.
    """
    with _placed(results, record["id"]) as draft:
        if predictions is not None:
            tested, guessed = predictions[["fold", "clip"]], predictions.drop(columns=["fold", "clip"])
            for column in guessed.columns.difference(["guess"]):
                guessed[column] = [  # in thousandths, rounded as printed; nothing for what is no number
                    "" if pd.isna(probability) else int(f"{probability:.{DECIMALS}f}".replace(".", ""))
                    for probability in guessed[column]
                ]
            folds, text = (
                table.to_csv(index=False, lineterminator="\n").encode() for table in (tested, guessed)
            )
            name = hashlib.sha256(folds).hexdigest()
            _write_folds(results, name, folds)
            own = {"folds": name, "predictions": _predictions_digest(name, text)}
            record = {**record, "digests": {**record["digests"], **own}}
            (draft / PREDICTIONS).write_bytes(bz2.compress(text))
        if curves is not None:
            text = curves.to_csv(index=False, float_format="%.4f", lineterminator="\n").encode()
            (draft / "curves.csv.gz").write_bytes(gzip.compress(text, mtime=0))
        (draft / "run.json").write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n")
    return Run(results / "runs" / record["id"], record)


def remove_run(run: Run) -> None:
    """Remove a stored run."""
    gone = run.path.with_name(f"{DRAFT}{uuid.uuid4().hex}")
    try:
        run.path.rename(gone)  # in one step: a run is whole or not there
    except OSError as error:
        raise StoreError(f"{run.path}: cannot be removed ({error.strerror})") from error
    shutil.rmtree(gone, ignore_errors=True)


def copy_run(run: Run, results: Path) -> Run:
    """Store a run of another folder as it is, in one step; an earlier run of the same cell is replaced."""
    with _placed(results, run.id) as draft:
        if run.ok:
            name = run.record["digests"]["folds"]
            _write_folds(results, name, _folds(run.path.parents[1], name)[0])
        for path in filter(Path.is_file, run.path.iterdir()):
            shutil.copyfile(path, draft / path.name)
    return Run(results / "runs" / run.id, run.record)


def folds_path(results: Path, digest: str) -> Path:
    """The table of the clips that each fold tests, by its digest: one for all runs that share it."""
    return results / "folds" / f"{digest[:16]}.csv.bz2"


def _write_folds(results: Path, digest: str, text: bytes) -> None:
    path, content = folds_path(results, digest), bz2.compress(text)
    if not path.is_file() or path.read_bytes() != content:
        write(path, content)


@functools.lru_cache(maxsize=64)
def _folds(results: Path, digest: str) -> tuple[bytes, pd.DataFrame]:
    """A table of folds, as text and as a table that is not to be changed."""
    path = folds_path(results, digest)
    try:
        text = bz2.decompress(path.read_bytes())
    except (OSError, EOFError, ValueError) as error:
        raise StoreError(
            f"{path}: the folds of some runs cannot be read ({error}); run them again with bench --again"
        ) from error
    if hashlib.sha256(text).hexdigest() != digest:
        raise StoreError(f"{path}: the folds of some runs were changed; run them again with bench --again")
    return text, _table(text)


def _answers(text: bytes) -> dict[str, Any]:
    """What was predicted, by column: guesses as words, thousandths as numbers, NaN where there is none.

    By hand, all cells at once, as a report reads a thousand of these tables.
    """
    if b'"' in text:  # a word with a comma in it
        table = _table(text)
        return {name: table[name] if name == "guess" else table[name] / 10**DECIMALS for name in table}
    head, _, body = text.partition(b"\n")
    names, signs = head.decode().split(","), np.frombuffer(body, np.uint8)
    ends = np.flatnonzero((signs == ord(",")) | (signs == ord("\n")))
    sizes = np.diff(ends, prepend=-1) - 1
    numeric = np.array(names) != "guess"
    ends, sizes = (each.reshape(-1, len(names))[:, numeric] for each in (ends, sizes))
    values = np.where(sizes == 0, np.nan, 0)
    for place in range(1, sizes.max(initial=0) + 1):
        digit = signs[ends - place] - float(ord("0"))
        values += np.where((sizes >= place) & (digit >= 0), digit * 10 ** (place - 1), 0)
    values[signs[ends - sizes] == ord("-")] *= -1
    columns = dict(zip(np.array(names)[numeric], values.T / 10**DECIMALS, strict=True))
    if "guess" in names:
        at = names.index("guess")
        columns["guess"] = [line.split(",", at + 1)[at] for line in body.decode().split("\n")[:-1]]
    return {name: columns[name] for name in names}


def _table(text: bytes) -> pd.DataFrame:
    return pd.read_csv(
        io.BytesIO(text),
        dtype={"fold": str, "clip": str, "guess": str},
        keep_default_na=False,  # `none` and `nan` may be emotions or speakers
        na_values=[""],
    )


def _predictions_digest(folds: str, text: bytes) -> str:
    """Digest of what was predicted, for which clips in which folds."""
    return hashlib.sha256(folds.encode() + b"\n" + text).hexdigest()


@contextlib.contextmanager
def _placed(results: Path, name: str) -> Iterator[Path]:
    """A draft of a run's folder, put in its place in one step when the block has filled it."""
    home = results / "runs"
    final, draft, old = home / name, home / f"{DRAFT}{uuid.uuid4().hex}", home / f"{OLD}{uuid.uuid4().hex}"
    try:
        draft.mkdir(parents=True)
        yield draft
        if final.exists():
            final.rename(old)
        draft.rename(final)
    except OSError as error:
        if old.exists():
            old.rename(final)
        shutil.rmtree(draft, ignore_errors=True)
        raise StoreError(
            f"{home}: a run cannot be written ({error.strerror}); the finished ones are safe. "
            "Free some space or choose another folder with --results"
        ) from error
    shutil.rmtree(old, ignore_errors=True)


@contextlib.contextmanager
def at_work(results: Path) -> Iterator[None]:
    """Be the only one who writes runs into a results folder; wait for whoever does, and tidy up first."""
    with _locked(results / "runs", f"writing runs into {results}", results / "clips", results / "folds"):
        _tidy(results)
        yield


@contextlib.contextmanager
def reporting(results: Path) -> Iterator[None]:
    """As `at_work`, for what is made of the runs, which may be written at the same time."""
    with _locked(
        results, f"writing a report into {results}", results, results / "figures", results / DIMENSIONS
    ):
        yield


@contextlib.contextmanager
def _locked(home: Path, what: str, *folders: Path) -> Iterator[None]:
    """Hold the lock of a folder; what was left half written in some folders is removed first."""
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(locked(home / LOCK, what, *folders))
        except OSError as error:
            raise StoreError(
                f"{home}: cannot be written ({error.strerror}); choose another folder with --results"
            ) from error
        yield


def _tidy(results: Path) -> None:
    """Remove drafts of runs, and put back one that was to be replaced where its successor did not come."""
    for old in results.glob(f"runs/{OLD}*"):
        with contextlib.suppress(OSError, ValueError, KeyError):
            final = old.with_name(json.loads((old / "run.json").read_text())["id"])
            if not final.exists():
                old.rename(final)
                continue
            shutil.rmtree(old)
        if not (old / "run.json").exists():  # killed while it was removed: its successor had come
            shutil.rmtree(old, ignore_errors=True)
    for draft in results.glob(f"runs/{DRAFT}*"):
        shutil.rmtree(draft, ignore_errors=True)


def read_run(path: Path) -> Run:
    """Read one run's record."""
    try:
        record = json.loads((path / "run.json").read_text())
        schema, name, status = record["schema"], record["id"], record["status"]
        named = "--".join(str(record[key]) for key in (*NAMES, *({"target"} & record.keys())))
        if status == "ok":
            [record["digests"][name] for name in ("clips", "folds", "predictions")]
            record["track"], record["leaky"], record["base"], record["independent"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StoreError(f"{path}: not a run ({type(error).__name__}: {error}); remove it") from error
    if schema != SCHEMA:
        raise StoreError(f"{path}: has schema {schema}, but this version reads {SCHEMA}; run it again")
    if not name == named == path.name:
        raise StoreError(
            f"{path}: its record has the id {name!r} and the cell {named!r}; a run's folder must be named "
            "after its id. Rename the folder, or remove it and run the cell again"
        )
    if status == "ok" and not (path / PREDICTIONS).is_file():
        raise StoreError(f"{path}: its predictions are missing; run it again")
    return Run(path, record)


def find_run(results: Path, name: str) -> Run:
    """Read the run with this id, of emotions or of a dimension."""
    target = name.split("--")[len(NAMES) :]
    results = home_of(results, target[0] if target else EMOTION)
    home = results / "runs"
    names = [path.name for path in folders(results)]
    if name in names:
        return read_run(home / name)
    if not names:
        raise StoreError(
            f"{home}: there are no runs; make some with: ser-classic bench SUITE, or choose another folder "
            "with --results"
        )
    near = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
    meant = "".join(f"\n  {like}" for like in near)
    raise StoreError(
        f"{home}: there is no run {name!r}; "
        + (f"did you mean{meant}" if near else "its folders are named after the ids of the runs")
    )


def folders(results: Path) -> list[Path]:
    """The folders of all runs, by id, whole or not."""
    return sorted((results / "runs").glob("[!.]*"))


def runs(results: Path, problem: Callable[[str], None] | None = None) -> Iterator[Run]:
    """All runs of a results folder, by id. What is no whole run is handed to `problem`, else skipped."""
    for path in folders(results):
        try:
            yield read_run(path)
        except StoreError as error:
            if problem:
                problem(str(error))


def write_clips(results: Path, corpus: str, clips: pd.DataFrame, replace: bool = False) -> None:
    """Store a corpus's clips table, to which all its runs refer.

    With `replace`, also where runs refer to another table; they are stale from then on.
    """
    path = results / "clips" / f"{corpus}.csv"
    text = clips_text(clips)
    if path.exists() and path.read_bytes() == text.encode():
        return
    if path.exists() and not replace and any((results / "runs").glob(f"{corpus}--*")):
        stored = read_clips(results, corpus)
        raise StoreError(
            f"{corpus}: its {len(clips)} clips differ from the {len(stored)} to which the runs under "
            f"{results} refer, or have different speakers, emotions or recordings. Complete the corpus, run "
            "without --keep-stale, remove its old runs, or choose another folder with --results"
        )
    write(path, text)


def write(path: Path, content: str | bytes) -> None:
    """Write a derived file in one step."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as draft:
            draft.write_bytes(content.encode() if isinstance(content, str) else content)
    except OSError as error:
        raise StoreError(
            f"{path}: cannot be written ({error.strerror}); free some space or choose another folder "
            "with --results"
        ) from error


def read_clips(results: Path, corpus: str) -> pd.DataFrame:
    """The stored clips table of a corpus, indexed by clip."""
    path = results / "clips" / f"{corpus}.csv"
    try:
        return pd.read_csv(path, dtype=str, index_col="clip", keep_default_na=False).replace("", None)
    except FileNotFoundError:
        raise StoreError(
            f"{path}: there is no clips table of {corpus}, without which its runs cannot be scored; copy it "
            "from where they were made, or repeat one with: ser-classic bench SUITE --again"
        ) from None
    except (OSError, ValueError, TypeError) as error:  # TypeError: how pandas misses an index column
        raise StoreError(
            f"{path}: the clips table of {corpus} cannot be read ({error}); remove it, and repeat a run of "
            "this corpus with: ser-classic bench SUITE --again"
        ) from error


def clips_text(clips: pd.DataFrame) -> str:
    """A clips table as stored: without `file`, which differs between packagings of one corpus."""
    return clips.drop(columns="file", errors="ignore").sort_index().to_csv(lineterminator="\n")


def table_digest(clips: pd.DataFrame) -> str:
    """Digest of a clips table as it would be stored."""
    return digest(clips_text(clips))


def clips_digest(results: Path, corpus: str) -> str | None:
    """Digest of the stored clips table of a corpus; None where there is none."""
    try:
        return hashlib.sha256((results / "clips" / f"{corpus}.csv").read_bytes()).hexdigest()
    except OSError:
        return None


def digest(text: str) -> str:
    """SHA-256 of a text."""
    return hashlib.sha256(text.encode()).hexdigest()
