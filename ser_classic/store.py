"""The store: a results folder, in which each run's folder is whole or not there."""

from __future__ import annotations

import bz2
import contextlib
import functools
import gzip
import hashlib
import io
import json
import shutil
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ser_classic.errors import SerClassicError, wrap_errors
from ser_classic.registry import unknown
from ser_classic.runtime.files import DRAFT, LOCK, locked, replacing, writing
from ser_classic.vocabulary import EMOTION, LISTED

SCHEMA = 2
DECIMALS = 3  # of probabilities, stored as thousandths
PREDICTIONS = "predictions.csv.bz2"
RECORD = "run.json"
DIMENSIONS = "dimensions"  # the folder of their runs in that of results
NAMES = ("corpus", "protocol", "features", "model", "seed")  # in a record, of its cell
FEATURES_OF = ("features", "trained_features", "degraded")  # of digests in a record
# What the record of a finished run holds, what it also holds unless the run is external, and its digests
FINISHED = {"track": str, "base": str, "leaky": bool, "independent": bool}
FINISHED |= {"parameters": dict, "digests": dict}
OURS = {"versions": dict, "machine": dict, "folds": list, "size": int}
OURS |= {"fit_seconds": int | float, "predict_seconds": int | float}
DIGESTS = {"clips": str, "folds": str, "predictions": str}
AGAIN = "run it again with bench --again"


def home_of(results: Path, target: str) -> Path:
    """The results folder of runs that predict this; runs of dimensions never meet those of emotions."""
    return results if target == EMOTION else results / DIMENSIONS


def homes(results: Path) -> tuple[Path, Path]:
    """The results folders of emotions and of dimensions."""
    return results, results / DIMENSIONS


def id_of(record: Mapping[str, Any]) -> str:
    """The names of a run's cell, joined; unique, as names contain no double hyphen."""
    return "--".join(str(record[name]) for name in (*NAMES, *({"target"} & record.keys())))


@dataclass(frozen=True)
class Run:
    """A stored run: its record, and its predictions on demand."""

    path: Path
    record: dict[str, Any]

    def __repr__(self) -> str:
        return f"Run: {self.id} ({self.record['status']})"

    def _repr_html_(self) -> str:
        """What a notebook shows: how the run ended, and what was chosen in each fold."""
        text = escape(f"{self} {self.record.get('error', '')}")
        return f"<p>{text}</p>{pd.json_normalize(self.record.get('folds', [])).to_html(index=False)}"

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

    def answers(self) -> tuple[pd.DataFrame, dict[str, np.ndarray]]:
        """`predictions` in two parts: the columns fold and clip, and the other columns by name.

        All runs on the same folds share the first, so it must not be changed.
        """
        if not self.ok:
            raise SerClassicError(
                f"{self.id}: this run failed ({self.record['error']}); there are no predictions"
            )
        digests = self.record["digests"]
        _, tested = _folds(self.path.parents[1], digests["folds"])
        with wrap_errors(f"{self.path}: its predictions cannot be read", AGAIN):
            text = bz2.decompress((self.path / PREDICTIONS).read_bytes())
            if _predictions_digest(digests["folds"], text) != digests["predictions"]:
                raise ValueError("they were changed after the run")
            answers = {name: column.to_numpy() for name, column in _table(text).items()}
        return tested, {
            name: values if name == "guess" else values / 10**DECIMALS for name, values in answers.items()
        }

    def curves(self) -> pd.DataFrame | None:
        """Columns fold, epoch, seconds, and loss and UAR of training and validation; else None."""
        path = self.path / "curves.csv.gz"
        if not path.exists():
            return None
        with wrap_errors(f"{path}: cannot be read", AGAIN):
            return _table(gzip.decompress(path.read_bytes()))


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
            guessed = predictions.drop(columns=["fold", "clip"])
            for column in guessed.columns.difference(["guess"]):
                guessed[column] = [  # in thousandths, rounded as printed; nothing for what is no number
                    "" if pd.isna(probability) else int(f"{probability:.{DECIMALS}f}".replace(".", ""))
                    for probability in guessed[column]
                ]
            text = guessed.to_csv(index=False, lineterminator="\n").encode()
            name, folds = folds_of(predictions)
            _write_folds(results, name, folds)
            own = {"folds": name, "predictions": _predictions_digest(name, text)}
            record = {**record, "digests": {**record["digests"], **own}}
            (draft / PREDICTIONS).write_bytes(bz2.compress(text))
        if curves is not None:
            text = curves.to_csv(index=False, float_format="%.4f", lineterminator="\n").encode()
            (draft / "curves.csv.gz").write_bytes(gzip.compress(text, mtime=0))
        (draft / RECORD).write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n")
    return Run(results / "runs" / record["id"], record)


def remove_run(run: Run) -> None:
    """Remove a stored run."""
    removed = run.path.with_name(f"{DRAFT}{uuid.uuid4().hex}")
    with wrap_errors(f"{run.path}: cannot be removed"):
        run.path.rename(removed)  # in one step: a run is whole or not there
    (removed / RECORD).unlink(missing_ok=True)  # a folder with a record may be put back, see `writing_runs`
    shutil.rmtree(removed, ignore_errors=True)


def copy_run(run: Run, results: Path) -> Run:
    """Store a run of another folder as it is, in one step; an earlier run of the same cell is replaced."""
    with _placed(results, run.id) as draft:
        if run.ok:
            name = run.record["digests"]["folds"]
            _write_folds(results, name, _folds(run.path.parents[1], name)[0])
        files = filter(Path.is_file, run.path.iterdir())
        for path in sorted(files, key=lambda path: path.name == RECORD):  # the record last
            shutil.copyfile(path, draft / path.name)
    return Run(results / "runs" / run.id, run.record)


def folds_path(results: Path, digest: str) -> Path:
    """The table of the clips that each fold tests, by its digest: one for all runs that share it."""
    return results / "folds" / f"{digest[:16]}.csv.bz2"


def folds_of(predictions: pd.DataFrame) -> tuple[str, bytes]:
    """The clips that each fold tests, as stored: their digest and the text."""
    text = predictions[["fold", "clip"]].to_csv(index=False, lineterminator="\n").encode()
    return hashlib.sha256(text).hexdigest(), text


def _write_folds(results: Path, digest: str, text: bytes) -> None:
    path, content = folds_path(results, digest), bz2.compress(text)
    if not path.is_file() or path.read_bytes() != content:
        write(path, content)


@functools.lru_cache(maxsize=64)
def _folds(results: Path, digest: str) -> tuple[bytes, pd.DataFrame]:
    """A table of folds, as text and as a table that is not to be changed."""
    path = folds_path(results, digest)
    with wrap_errors(f"{path}: the folds of some runs cannot be read", "run them again with bench --again"):
        text = bz2.decompress(path.read_bytes())
        if hashlib.sha256(text).hexdigest() != digest:
            raise ValueError("they were changed after the runs")
        return text, _table(text)


def _table(text: bytes) -> pd.DataFrame:
    return pd.read_csv(
        io.BytesIO(text),
        dtype={"fold": str, "clip": str, "guess": object},  # plain strings, which are the fastest to read
        low_memory=False,  # in one piece, which is faster
        keep_default_na=False,  # `none` and `nan` may be emotions or speakers
        na_values=[""],
    )


def _predictions_digest(folds: str, text: bytes) -> str:
    """Digest of what was predicted, for which clips in which folds."""
    return hashlib.sha256(folds.encode() + b"\n" + text).hexdigest()


@contextlib.contextmanager
def _placed(results: Path, name: str) -> Iterator[Path]:
    """A draft of a run's folder, put in its place in one step when the block has filled it, the record last.

    A process that is killed in between leaves whole runs under the names of drafts, see `writing_runs`.
    """
    home = results / "runs"
    final, draft, old = home / name, *(home / f"{DRAFT}{uuid.uuid4().hex}" for _ in range(2))
    with writing(home, "--results"):
        try:
            draft.mkdir(parents=True)
            yield draft
            if final.exists():
                final.rename(old)
            draft.rename(final)
        finally:
            if old.exists() and not final.exists():
                old.rename(final)
            for left in (draft, old):
                shutil.rmtree(left, ignore_errors=True)


@contextlib.contextmanager
def writing_runs(results: Path) -> Iterator[None]:
    """Be the only process that writes runs into a results folder: wait for another to end, then tidy up."""
    with _locked(results / "runs", f"writing runs into {results}", results / "clips", results / "folds"):
        for draft in results.glob(f"runs/{DRAFT}*"):
            with contextlib.suppress(OSError, ValueError, KeyError):  # half a run
                final = draft.with_name(json.loads((draft / RECORD).read_text())["id"])
                if not final.exists():  # killed while it replaced a run
                    draft.rename(final)
            shutil.rmtree(draft, ignore_errors=True)
        yield


def writing_report(results: Path) -> contextlib.AbstractContextManager[None]:
    """As `writing_runs`, for what is made of the runs, which may be written at the same time."""
    written = (results, results / "figures", results / DIMENSIONS)
    return _locked(results, f"writing a report into {results}", *written)


@contextlib.contextmanager
def _locked(home: Path, what: str, *folders: Path) -> Iterator[None]:
    """Hold the lock of a folder; what was left half written in some folders is removed first."""
    with contextlib.ExitStack() as stack:
        with writing(home, "--results"):
            stack.enter_context(locked(home / LOCK, what, *folders))
        yield


def read_run(path: Path) -> Run:
    """Read one run's record."""
    with wrap_errors(f"{path}: not a run", "remove it, and run it again"):
        record = json.loads((path / RECORD).read_text())
        if record["schema"] != SCHEMA:
            raise ValueError(f"it has schema {record['schema']}, but this version reads {SCHEMA}")
        if not record["id"] == id_of(record) == path.name:
            raise ValueError(f"its record is of {id_of(record)!r} and has the id {record['id']!r}")
        if record["status"] == "ok":
            _require(record, FINISHED if "external" in record else FINISHED | OURS)
            _require(record["digests"], DIGESTS)
            if not (path / PREDICTIONS).is_file():
                raise ValueError("its predictions are missing")
    return Run(path, record)


def _require(record: Mapping[str, Any], kinds: Mapping[str, Any]) -> None:
    for name, kind in kinds.items():
        if not isinstance(record.get(name), kind):
            raise ValueError(f"its {name} is {record[name]!r}" if name in record else f"it has no {name}")


def find_run(results: Path, name: str) -> Run:
    """Read the run with this id, of emotions or of a dimension."""
    known = {path.name: path for home in homes(results) for path in folders(home)}
    if name not in known:
        raise SerClassicError(
            f"{results}: {unknown('runs', name, known)}; make runs with: ser-classic bench SUITE, or choose "
            "another folder with --results"
        )
    return read_run(known[name])


def folders(results: Path) -> list[Path]:
    """The folders of all runs, by id, whole or not."""
    return sorted((results / "runs").glob("[!.]*"))


def runs(results: Path, problem: Callable[[str], None] | None = None) -> Iterator[Run]:
    """All runs of a results folder, by id. What is no whole run is handed to `problem`, else skipped."""
    for path in folders(results):
        try:
            yield read_run(path)
        except SerClassicError as error:
            if problem:
                problem(str(error))


def write_clips(results: Path, corpus: str, clips: pd.DataFrame, replace: bool = False) -> None:
    """Store a corpus's clips table, to which all its runs refer.

    With `replace`, also where runs refer to another table; they are stale from then on.
    """
    if not replace:
        require_same_clips(results, corpus, clips)
    path, text = _clips_path(results, corpus), _clips_text(clips)
    if not path.exists() or path.read_bytes() != text:
        write(path, text)


def require_same_clips(results: Path, corpus: str, clips: pd.DataFrame) -> None:
    """Refuse a clips table that is not the stored one, if runs refer to that."""
    path = _clips_path(results, corpus)
    other = path.exists() and path.read_bytes() != _clips_text(clips)
    if other and any((results / "runs").glob(f"{corpus}--*")):
        raise SerClassicError(
            f"{corpus}: its {len(clips)} clips are not those of {path}, to which its runs refer, or have "
            "other speakers, emotions, recordings or channels. Complete the corpus, read it with the options "
            "of then, run without --keep-stale, remove its old runs, or choose another folder with --results"
        )


def _clips_path(results: Path, corpus: str) -> Path:
    return results / "clips" / f"{corpus}.csv"


def write(path: Path, content: str | bytes) -> None:
    """Write a derived file in one step."""
    with writing(path, "--results"):
        path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path, "--results") as draft:
        draft.write_bytes(content.encode() if isinstance(content, str) else content)


def read_clips(results: Path, corpus: str) -> pd.DataFrame:
    """The stored clips table of a corpus, indexed by clip."""
    path = _clips_path(results, corpus)
    remedy = (
        "copy it from where its runs were made, or remove it and repeat one with: ser-classic bench --again"
    )
    with wrap_errors(f"{path}: the clips table of {corpus} cannot be read", remedy):
        return pd.read_csv(path, dtype=str, index_col="clip", keep_default_na=False).replace("", None)


def _clips_text(clips: pd.DataFrame) -> bytes:
    """A clips table as stored: without `file` and the like, which differ between packagings of one corpus."""
    table = clips.drop(columns=["file", LISTED], errors="ignore").sort_index()
    return table.to_csv(lineterminator="\n").encode()


def table_digest(clips: pd.DataFrame) -> str:
    """Digest of a clips table as it would be stored."""
    return hashlib.sha256(_clips_text(clips)).hexdigest()


def clips_digest(results: Path, corpus: str) -> str | None:
    """Digest of the stored clips table of a corpus; None where there is none."""
    try:
        return hashlib.sha256(_clips_path(results, corpus).read_bytes()).hexdigest()
    except OSError:
        return None
