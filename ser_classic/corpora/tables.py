"""Tables that come with recordings: text with commas, semicolons, tabs, bars or spaces, Parquet, or JSON."""

from __future__ import annotations

import codecs
import csv
import io
import json
import re
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from ser_classic.audio import mistaken
from ser_classic.corpora.clips import TIMES, CorpusError
from ser_classic.errors import wrap_errors
from ser_classic.registry import need

MISSING = frozenset({"nan", "<na>", "#n/a", "#nv", "nat", "null"})  # how programs write a missing value
SEPARATORS = ",;\t|"
PARQUET = b"PAR1"
START_OR_END = {  # columns that say which part of a file its label is about
    **dict.fromkeys(("begin", "onset", "offset", "start_time", "begin_time", "start_s", "from"), "start"),
    **dict.fromkeys(("stop", "end_time", "end_s", "to", "until"), "end"),
}
LENGTHS = frozenset(("duration", "dur", "length", "seconds"))  # of a part, where only its start is known
COLUMN_SYNONYMS = {"gender": "sex"}  # columns as other programs call them


def read_rows(path: Path) -> pd.DataFrame:
    """Rows of a table as they are written, indexed by line; those of JSON and Parquet count from 2.

    Values are stripped of surrounding space, and missing ones are empty.
    """
    wrong = (csv.Error, ValueError, OSError)
    with wrap_errors(f"{path}: not readable as a table", "save it as UTF-8 CSV", only=wrong):
        content = path.read_bytes()
        if what := mistaken(content):
            raise CorpusError(f"{path}: {what}")
        if content.startswith(PARQUET):
            rows = _of_parquet(path)
        else:
            wide = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
            text = content.decode("utf-16" if wide else "utf-8").lstrip("\ufeff")
            rows = _of_json(json.loads(text)) if path.suffix.lower() == ".json" else _of_text(text, path)
    if rows.empty:
        raise CorpusError(f"{path}: has no rows; expected a header, and a row for every clip")
    names = rows.columns.str.lower()
    for name in names[names.duplicated()]:
        raise CorpusError(f"{path}: the column {name!r} appears twice; keep one")
    return rows.astype(object).map(_value)


def keyed(
    rows: pd.DataFrame, source: Path, key: str, columns: Mapping[str, str]
) -> tuple[list[str], pd.DataFrame]:
    """The recording that each row names, and the rows with their columns renamed to what they mean.

    Parameters
    ----------
    rows : pd.DataFrame
        From `read_rows`; the case of their columns does not matter.
    source : Path
        Where they come from, for messages.
    key : str
        The column that names the recording, or several as in `{folder}/{name}`.
    columns : mapping
        What columns mean, `{"EmoClass": "emotion"}`; others keep their names. The columns of the key
        are left out.
    """
    rows = rows.rename(columns=str.lower)
    columns = {column.lower(): meaning for column, meaning in columns.items()}
    template = key if "{" in key else f"{{{key}}}"
    template = re.sub(r"{\w+}", lambda match: match[0].lower(), template)
    wanted = re.findall(r"{(\w+)}", template)
    if absent := [column for column in (*wanted, *columns) if column not in rows]:
        remedy = "; say which one names the recordings with --key" if "file" in absent else ""
        raise CorpusError(f"{source}: no column {', '.join(absent)}; it has {', '.join(rows)}{remedy}")
    keys = [template.format_map(row) for row in rows.to_dict("records")]
    table = rows.drop(columns=[column for column in wanted if column not in columns]).rename(columns=columns)
    for column in table.columns[table.columns.duplicated()]:
        raise CorpusError(f"{source}: two of its columns mean {column}; give another meaning to one")
    return keys, table


def read_table(path: Path, key: str, columns: Mapping[str, str]) -> pd.DataFrame:
    """Rows of a table of recordings with the columns file and emotion, indexed by line; see `keyed`."""
    rows = read_rows(path)
    keys, table = keyed(rows, path, key, columns)
    table = table.rename(columns={word: ours for word, ours in COLUMN_SYNONYMS.items() if ours not in table})
    if "emotion" not in table:
        raise CorpusError(
            f"{path}: no column emotion; expected file, emotion and, if known, speaker, sex, sentence, start "
            f"and end; found {', '.join(rows)}. Say what one means with --column, as in label=emotion"
        )
    for column in table:
        if column in START_OR_END and START_OR_END[column] not in table:
            raise CorpusError(
                f"{path}: the column {column!r} seems to say which part of a file is meant; call it "
                f"{START_OR_END[column]!r} ({' and '.join(TIMES)}, in seconds), or leave it out"
            )
    if "start" in table and "end" not in table and (told := LENGTHS.intersection(table)):
        raise CorpusError(
            f"{path}: the column {min(told)!r} seems to say how long a part of a file is; give its end in a "
            f"column 'end' (start + {min(told)}, in seconds), or leave it out"
        )
    if "channel" in table:
        raise CorpusError(
            f"{path}: the column 'channel' seems to say which channel is meant; take one from all files "
            "with --channel, and leave the column out"
        )
    table["file"] = [file.replace("\\", "/") for file in keys]
    for line in table.index[table["file"] == ""]:
        raise CorpusError(f"{path}: line {line} names no file")
    return table.astype("str").replace("", pd.NA)


def _value(value: object) -> str:
    text = "" if pd.api.types.is_scalar(value) and pd.isna(value) else str(value).strip()
    return "" if text.lower() in MISSING else text


def _of_text(text: str, path: Path) -> pd.DataFrame:
    first, _, rest = text.lstrip("\r\n").partition("\n")
    separator = re.fullmatch(r'"?sep=(.)"?\s*', first)  # how Excel writes and reads the separator
    if separator:
        text = "\n" * (text.count("\n", 0, text.index(first)) + 1) + rest
    delimiter = separator[1] if separator else max(SEPARATORS, key=first.count)
    if delimiter in first or len(first.split()) < 2:
        lines = csv.reader(
            io.StringIO(text, newline=""), delimiter=delimiter, strict=True, skipinitialspace=True
        )
        numbered = [(lines.line_num, row) for row in lines]
    else:
        numbered = [(number, line.split()) for number, line in enumerate(text.splitlines(), start=1)]
    rows = {number: row for number, row in numbered if any(map(str.strip, row))}
    header = [name.strip() for name in rows.pop(min(rows, default=0), ())]
    while header and not header[-1]:  # a separator at the end of every line
        header.pop()
    for line, row in rows.items():
        if any(row[len(header) :]):
            raise CorpusError(
                f"{path}: line {line} has more fields than its header; name every column, and put a value "
                "with a separator in quotes"
            )
    rows = {line: (row + [""] * len(header))[: len(header)] for line, row in rows.items()}
    return pd.DataFrame.from_dict(rows, orient="index", columns=header)


def _of_json(content: object) -> pd.DataFrame:
    """`{"clip": {...}}`, `{"clip": "angry"}` or `[{...}]`."""
    if isinstance(content, Mapping):
        content = [
            {"key": key, **(value if isinstance(value, Mapping) else {"label": value})}
            for key, value in content.items()
        ]
    if not isinstance(content, list) or not all(isinstance(row, Mapping) for row in content):
        raise ValueError("neither an object nor a list of objects")
    return pd.DataFrame(content, range(2, len(content) + 2), dtype=object)


def _of_parquet(path: Path) -> pd.DataFrame:
    """Rows of a Parquet file; an index that pandas stored becomes columns."""
    need("pyarrow", "parquet")
    table = pd.read_parquet(path, engine="pyarrow")
    table = table.reset_index() if any(table.index.names) else table
    return table.set_axis(range(2, len(table) + 2))
