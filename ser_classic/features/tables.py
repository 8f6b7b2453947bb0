"""Tables of features: those that a user brings become feature sets, and those of a corpus become a file."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import pandas as pd

from ser_classic.corpora import CORPORA
from ser_classic.corpora.labels import example_key, named
from ser_classic.errors import SerClassicError, some, wrap_errors
from ser_classic.features import FEATURES
from ser_classic.features.inputs import VECTORS, Features, Inputs
from ser_classic.features.sets import FeatureSet, grouped
from ser_classic.registry import need
from ser_classic.runtime.files import replacing, require_writable

logger = logging.getLogger(__name__)

FORMATS = (".npz", ".csv", ".parquet")
KEYS = ("clip", "clips", "file", "files")  # possible names of the column or array that names the clips
MATRICES = ("features", "X")  # and of the array of an .npz with the values
LABELS = ("corpus", "speaker", "emotion")  # may be there, too, as in the files of `features extract`
FEW = 9  # rows in which values may agree by chance


@dataclass(frozen=True, eq=False)
class Table:
    """Extractor: a table of features as it was read.

    A key is a clip's name in the clips table or its file, with any suffix, and may start with the corpus:
    `emodb/wav/03a01Fa.wav`.
    """

    path: Path
    digest: str  # SHA-256 of the file
    columns: tuple[str, ...]
    keys: np.ndarray  # [shape=(n,)] of str
    values: np.ndarray  # [shape=(n, d), dtype=float32]
    corpora: np.ndarray | None = None  # [shape=(n,)] of str, if the table has them
    speakers: np.ndarray | None = None  # the same

    brought: ClassVar[bool] = True

    def rows_of(self, clips: pd.DataFrame) -> np.ndarray:
        """The row of each clip of one corpus [shape=(clips,)].

        Rows of other corpora are ignored, and rows of no clip with a warning. A clip that is missing or
        listed twice is an error; a column that holds the emotions as numbers has a warning.
        """
        corpus = str(clips["corpus"].iloc[0])
        keys = pd.Series(self.keys)
        if self.corpora is not None:
            keys = keys[self.corpora == corpus]
        found = named(keys, clips)
        unmatched, found = keys[found.isna()].str.replace("\\", "/", regex=False), found.dropna()
        missing = clips.index[~clips.index.isin(found)]
        if len(missing):
            hint = f"; its keys are like {self.keys[0]}" if not len(found) else ""
            raise SerClassicError(
                f"{self.path}: {len(missing)} of {len(clips)} clips of {corpus} are missing: "
                f"{some(missing)}{hint}; name rows by clip or file: {example_key(clips)}"
            )
        if found.duplicated().any():
            twice = some(keys[found.index[found.duplicated()]])
            raise SerClassicError(f"{self.path}: clips of {corpus} listed twice: {twice}")
        firsts = unmatched.str.partition("/", expand=False).str[0]
        foreign = keys[[row for row, first in firsts.items() if first == corpus or first not in CORPORA]]
        if len(foreign):
            shown = some(foreign)
            logger.warning(f"{self.path}: {len(foreign)} rows match no clip of {corpus}, ignored: {shown}")
        rows = pd.Series(found.index, found.array)[clips.index].to_numpy()
        if labels := _labels(self.columns, self.values[rows], clips["emotion"]):
            logger.warning(
                f"{self.path}: {some(labels)} has one value for each emotion, as a label has; scores mean "
                "nothing if it is one, so remove it"
            )
        return rows

    def __call__(self, waveform: np.ndarray, sample_rate: int) -> np.ndarray:
        raise SerClassicError(f"{self.path}: has no features of this recording; give a table with it")


def brought_set(name: str, path: str | Path) -> FeatureSet:
    """A table as a feature set.

    Parameters
    ----------
    path : str or Path
        An `.npz` with the arrays `clip` or `files` (or `clips`, `file`) [n], `features` or `X` [n, d], and
        optionally `columns` [d]; or a `.csv` or `.parquet` with a column `clip` or `file` and one for each
        feature. `corpus`, `speaker` and `emotion` may be there, too. For `fusion` and `stacking`, the text
        before a `/` in the name of a column is its group; without, all columns are one group.

    Raises
    ------
    SerClassicError
        It cannot be read or has values that are not finite numbers, or pyarrow is missing for `.parquet`.
    """
    path = Path(path)
    if path.suffix.lower() not in FORMATS:
        raise SerClassicError(f"{path}: a table of features is one of {', '.join(FORMATS)}; convert it")
    with wrap_errors(f"{path}: cannot be read as a table of features"):
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        frame = _read(path)
        key = _one_of(path, frame.columns, KEYS)
        if frame[key].isna().any():
            raise SerClassicError(f"{path}: row {int(frame[key].isna().argmax()) + 1} has no {key}")
        keys = frame[key].to_numpy(dtype=str)
        corpora, speakers = (
            frame[name].to_numpy(dtype=str) if name in frame else None for name in ("corpus", "speaker")
        )
        features = frame.drop(columns=[key, *(name for name in LABELS if name in frame)])
    columns = features.columns.map(str)
    words = columns[[kind.kind not in "fiub" for kind in features.dtypes]]
    if len(words):
        raise SerClassicError(f"{path}: columns without numbers: {some(words)}; remove them")
    if not features.size:
        raise SerClassicError(f"{path}: features of shape {features.shape}; expected a row for each clip")
    if columns.has_duplicates:
        twice = columns[columns.duplicated()][0]
        raise SerClassicError(f"{path}: two columns are called {twice}; rename one")
    with np.errstate(over="ignore"):  # refused below
        values = np.ascontiguousarray(features, dtype=np.float32)
    rows, of = np.nonzero(~np.isfinite(values))
    if len(rows):
        raise SerClassicError(
            f"{path}: {len(set(rows))} rows have NaN, infinite or larger values than float32 holds "
            f"(3.4e38), first {keys[rows[0]]} in column {columns[of[0]]}; correct them or drop the column"
        )
    if nameless := [name for name in columns if name.startswith("Unnamed: ")]:
        raise SerClassicError(
            f"{path}: {some(nameless)} has no name, like an index that pandas writes; name it, or remove it "
            "(to_csv(index=False))"
        )
    if numbers := [name for name, column in zip(columns, values.T, strict=True) if _numbers_rows(column)]:
        raise SerClassicError(
            f"{path}: {some(numbers)} numbers the rows; a model would learn their order, so remove it"
        )
    table = Table(path, digest, grouped(name, tuple(columns)), keys, values, corpora, speakers)
    return FeatureSet(name, None, table)


def awaited(name: str, columns: Iterable[str], digest: str) -> FeatureSet:
    """The feature set of a table that will be given later; only its name and columns are known."""
    columns = tuple(columns)
    nothing = np.empty((0, len(columns)), dtype=np.float32)
    table = Table(Path(name), digest, columns, np.empty(0, dtype=str), nothing)
    return FeatureSet(name, None, table)


def bring(tables: Mapping[str, str | Path]) -> AbstractContextManager[None]:
    """Add tables to `FEATURES` as feature sets for the duration of a block; raises as `brought_set`.

    >>> from ser_classic.experiment.bench import bench
    >>> from ser_classic.experiment.cells import Cell
    >>> with bring({"hubert": "hubert.npz"}):  # doctest: +SKIP
    ...     bench([Cell("emodb", "loso", "flagship+hubert", "fusion")], Path("results"))
    """
    return FEATURES.also([brought_set(name, path) for name, path in tables.items()])


def check_output(path: Path, inputs: Inputs = VECTORS) -> None:
    """Refuse a file that `save` could not write, before any work is done; raises as `require_writable`."""
    if inputs == VECTORS:
        require_writable(path, "features", ".csv", ".npz")
    else:
        require_writable(path, inputs.name, ".npz")


def save(path: Path, clips: pd.DataFrame, features: Features) -> None:
    """Write features with the clips' speakers and emotions, as `.csv` or as `.npz` (without pickles).

    The CSV has the columns clip, speaker, emotion and one for each feature; the NPZ has the arrays `features`
    [clips, d] (or [rows, d] and `lengths`, the rows of each clip), `columns`, `clip`, `speaker`, `emotion`.
    """
    check_output(path, features.inputs)
    labels = {name: clips[name].fillna("").to_numpy(dtype=str) for name in ("speaker", "emotion")}
    lengths = {} if features.inputs == VECTORS else {"lengths": features.lengths}
    with replacing(path) as draft, draft.open("wb") as file:
        if path.suffix.lower() == ".csv":
            pd.concat([clips[["speaker", "emotion"]], features.frame], axis=1).to_csv(file)
        else:
            names = {"columns": np.array(features.columns), "clip": clips.index.to_numpy(dtype=str)}
            np.savez_compressed(file, features=features.values, **names, **lengths, **labels)


def _read(path: Path) -> pd.DataFrame:
    """A table with a row for each clip: its key, labels and features."""
    if path.suffix.lower() == ".csv":
        words = dict.fromkeys((*KEYS, *LABELS), str)
        return pd.read_csv(path, dtype=words, keep_default_na=False, na_values=[""])
    if path.suffix.lower() == ".parquet":
        need("pyarrow", extra="parquet")
        frame = pd.read_parquet(path)
        return frame.reset_index() if frame.index.name in KEYS else frame
    with np.load(path, allow_pickle=False) as archive:
        arrays = dict(archive)
    values = pd.DataFrame(arrays.pop(_one_of(path, arrays, MATRICES)))
    digits = len(str(values.shape[1] - 1))
    columns = arrays.pop("columns", [f"{number:0{digits}d}" for number in values])
    strange = set(arrays) - {*KEYS, *LABELS}
    if strange:
        raise SerClassicError(f"{path}: unknown arrays {', '.join(sorted(strange))}; remove them")
    words = pd.DataFrame({name: array.astype(str) for name, array in arrays.items()})
    return pd.concat([words, values.set_axis(columns, axis=1)], axis=1)


def _numbers_rows(values: np.ndarray) -> bool:
    """Whether a column [shape=(n,)] numbers the rows from 0 or 1 as they stand."""
    return len(values) > FEW and values[0] in (0, 1) and bool((np.diff(values) == 1).all())


def _labels(columns: tuple[str, ...], values: np.ndarray, emotions: pd.Series) -> list[str]:
    """Columns of values [shape=(n, d)] that have one value for each emotion, and not the same for all."""
    codes = pd.factorize(emotions)[0]
    if len(codes) - np.bincount(codes).max() <= FEW:
        return []
    told = np.arange(len(columns))
    for rows in (slice(FEW), slice(None)):  # a few rows rule out nearly all columns
        of_emotion = values[np.unique(codes, return_index=True)[1]][:, told]
        same = (values[rows][:, told] == of_emotion[codes[rows]]).all(axis=0)
        told = told[same & (of_emotion != of_emotion[0]).any(axis=0)]
    return [columns[place] for place in told]


def _one_of(path: Path, names: Iterable[str], wanted: tuple[str, ...]) -> str:
    names = list(names)
    found = [name for name in wanted if name in names]
    if len(found) != 1:
        there = " and ".join(found) or f"none of them among {some(names)}"
        raise SerClassicError(f"{path}: expected one of {', '.join(wanted)}, found {there}")
    return found[0]
