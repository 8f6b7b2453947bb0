"""A manifest as a table: text with commas, semicolons or tabs, or Parquet, as programs save them."""

from __future__ import annotations

import codecs
import csv
import io
import re
from pathlib import Path

import pandas as pd

from ser_classic.audio import mistaken
from ser_classic.corpora.clips import PART, CorpusError
from ser_classic.registry import need

REQUIRED = ("file", "emotion")
SEPARATORS = ",;\t|"
PARQUET = b"PAR1"
LIMITING = {  # columns that say which part of a file its label is about
    **dict.fromkeys(("begin", "onset", "offset", "start_time", "begin_time", "start_s", "from"), "start"),
    **dict.fromkeys(("stop", "end_time", "end_s", "to", "until"), "end"),
}
OTHERWISE = {"gender": "sex"}  # columns as other programs call them
LINE = "line"  # of the manifest, in which a row ends


def read_table(manifest: Path) -> pd.DataFrame:
    """Rows of a manifest as they are written, without space around values.

    Returns
    -------
    pd.DataFrame
        Strings, the empty one where nothing is written; column names in lower case; indexed by line.

    Raises
    ------
    CorpusError
        There is no such file, it is no table, lacks a column or a value, or has a column that limits a label
        in a way that is not understood.
    """
    header, *lines = _lines(manifest) or [(1, [])]
    columns = [name.strip().lower() for name in header[1]]
    columns = [name if (ours := OTHERWISE.get(name, name)) in columns else ours for name in columns]
    while columns and not columns[-1]:  # a separator at the end of every line
        columns.pop()
    absent = [column for column in REQUIRED if column not in columns]
    if absent:
        raise CorpusError(
            f"{manifest}: no column {', '.join(absent)}; expected file, emotion and, if known, speaker, sex, "
            f"sentence, start, end; found {', '.join(columns) or 'nothing'}"
        )
    twice = [name for name in columns if columns.count(name) > 1]
    if twice:
        raise CorpusError(f"{manifest}: the column {twice[0]!r} is there twice; keep one")
    _require_known_parts(manifest, columns)
    rows = []
    for line, values in lines:
        values = [value.strip() for value in values]
        if any(values[len(columns) :]):
            raise CorpusError(
                f"{manifest}: line {line} has more fields than its header; name every column, and put a "
                "value with a separator in quotes"
            )
        rows.append((values + [""] * len(columns))[: len(columns)])
    table = pd.DataFrame(rows, columns=columns, index=pd.Index([line for line, _ in lines], name=LINE))
    if table.empty:
        raise CorpusError(f"{manifest}: has no rows below its header; expected one for every clip")
    table["file"] = table["file"].str.replace("\\", "/")
    for line in table.index[table["file"] == ""]:
        raise CorpusError(f"{manifest}: line {line} names no file")
    return table.astype("str")


def _lines(manifest: Path) -> list[tuple[int, list[str]]]:
    """Lines that hold something, each with the number it ends at."""
    try:
        if not manifest.is_file():
            raise CorpusError(f"{manifest}: there is no such manifest")
        content = manifest.read_bytes()
    except OSError as error:
        raise CorpusError(f"{manifest}: cannot be read ({error.strerror})") from error
    if what := mistaken(content):
        raise CorpusError(f"{manifest}: {what}")
    if content.startswith(PARQUET):
        return _of_parquet(manifest)
    wide = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        text = content.decode("utf-16" if wide else "utf-8").lstrip("\ufeff")
        first, _, rest = text.lstrip("\r\n").partition("\n")
        separator = re.fullmatch(r'"?sep=(.)"?\s*', first)  # how Excel is told, and tells
        if separator:
            text = "\n" * (text.count("\n", 0, text.index(first)) + 1) + rest
        delimiter = separator[1] if separator else max(SEPARATORS, key=first.count)
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
        return [(reader.line_num, row) for row in reader if any(value.strip() for value in row)]
    except (csv.Error, ValueError) as error:
        raise CorpusError(f"{manifest}: not readable as a table ({error}); save it as UTF-8 CSV") from error


def _of_parquet(manifest: Path) -> list[tuple[int, list[str]]]:
    """Rows of a Parquet file as they would stand in a text, with what pandas keeps as its index."""
    need("pyarrow", "parquet")
    try:
        table = pd.read_parquet(manifest, engine="pyarrow")
    except Exception as error:  # pyarrow's are of several kinds
        raise CorpusError(f"{manifest}: not readable as Parquet ({error}); save it as UTF-8 CSV") from error
    if any(table.index.names):
        table = table.reset_index()
    rows = [
        ["" if pd.isna(value) else str(value) for value in row] for row in table.astype(object).to_numpy()
    ]
    return list(enumerate([list(map(str, table.columns)), *rows], start=1))


def _require_known_parts(manifest: Path, columns: list[str]) -> None:
    """Refuse what says that a label is about a part of the file, and would be passed over."""
    for column in columns:
        if column in LIMITING and LIMITING[column] not in columns:
            raise CorpusError(
                f"{manifest}: the column {column!r} seems to say which part of a file is meant; call it "
                f"{LIMITING[column]!r} ({' and '.join(PART)}, in seconds), or leave it out"
            )
    if "channel" in columns:
        raise CorpusError(
            f"{manifest}: the column 'channel' seems to say which channel is meant; take one from all files "
            "with --channel, and leave the column out"
        )
