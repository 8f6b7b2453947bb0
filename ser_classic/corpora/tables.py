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
from ser_classic.corpora.clips import PART, CorpusError
from ser_classic.errors import wrap_errors
from ser_classic.registry import need

MISSING = frozenset({"nan", "<na>", "#n/a", "#nv", "nat", "null"})  # as programs write what is not there
SEPARATORS = ",;\t|"
PARQUET = b"PAR1"
START_OR_END = {  # columns that say which part of a file its label is about
    **dict.fromkeys(("begin", "onset", "offset", "start_time", "begin_time", "start_s", "from"), "start"),
    **dict.fromkeys(("stop", "end_time", "end_s", "to", "until"), "end"),
}
SYNONYMS = {"gender": "sex"}  # columns as other programs call them

Lines = list[tuple[int, list[str]]]  # those that are not empty, each with the number it ends at


def read_rows(path: Path) -> pd.DataFrame:
    """Rows of a table as they are written, without space around values, indexed by line.

    What stands for a missing value is empty.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise CorpusError(f"{path}: cannot be read ({error.strerror})") from error
    if what := mistaken(content):
        raise CorpusError(f"{path}: {what}")
    if content.startswith(PARQUET):
        lines = _of_parquet(path)
    else:
        wide = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
        try:
            text = content.decode("utf-16" if wide else "utf-8").lstrip("\ufeff")
            lines = _of_json(json.loads(text)) if path.suffix.lower() == ".json" else _of_text(text)
        except (csv.Error, ValueError) as error:
            raise CorpusError(f"{path}: not readable as a table ({error}); save it as UTF-8 CSV") from error
    (_, header), *lines = [(line, list(map(_value, row))) for line, row in lines] or [(1, [])]
    while header and not header[-1]:  # a separator at the end of every line
        header.pop()
    names = [name.casefold() for name in header]
    if twice := [name for name in header if names.count(name.casefold()) > 1]:
        raise CorpusError(f"{path}: the column {twice[0]!r} is there twice; keep one")
    for line, row in lines:
        if any(row[len(header) :]):
            raise CorpusError(
                f"{path}: line {line} has more fields than its header; name every column, and put a "
                "value with a separator in quotes"
            )
    if not lines:
        what = "has no rows below its header" if header else "is empty"
        raise CorpusError(f"{path}: {what}; expected a header, and a row for every clip")
    rows = [(row + [""] * len(header))[: len(header)] for _, row in lines]
    return pd.DataFrame(rows, columns=header, index=pd.Index([line for line, _ in lines], name="line"))


def keyed(
    rows: pd.DataFrame, source: Path, key: str, columns: Mapping[str, str]
) -> tuple[list[str], pd.DataFrame]:
    """What names the recording of each row; and the rows, with their columns called what they mean.

    Parameters
    ----------
    rows : pd.DataFrame
        As of `read_rows`; the case of its columns does not matter.
    source : Path
        Where they are from, for messages.
    key : str
        The column that names the recording, or several as in `{folder}/{name}`.
    columns : mapping
        What columns mean, `{"EmoClass": "emotion"}`; the others stay, but those of the key.
    """
    rows = rows.rename(columns=str.lower)
    columns = {column.lower(): meaning for column, meaning in columns.items()}
    template = key if "{" in key else f"{{{key}}}"
    template = re.sub(r"{\w+}", lambda match: match[0].lower(), template)
    wanted = re.findall(r"{(\w+)}", template)
    if absent := [column for column in (*wanted, *columns) if column not in rows]:
        raise CorpusError(f"{source}: no column {', '.join(absent)}; it has {', '.join(rows)}")
    keys = [template.format_map(row) for row in rows.to_dict("records")]
    table = rows.drop(columns=[column for column in wanted if column not in columns]).rename(columns=columns)
    for column in table.columns[table.columns.duplicated()]:
        raise CorpusError(f"{source}: two of its columns mean {column}; give another meaning to one")
    return keys, table


def read_table(path: Path, key: str, columns: Mapping[str, str]) -> pd.DataFrame:
    """Rows of a table of recordings, as `keyed`, with the columns file and emotion; indexed by line."""
    rows = read_rows(path)
    keys, table = keyed(rows, path, key, columns)
    table = table.rename(columns={word: ours for word, ours in SYNONYMS.items() if ours not in table})
    if "emotion" not in table:
        raise CorpusError(
            f"{path}: no column emotion; expected file, emotion and, if known, speaker, sex, sentence, start "
            f"and end; found {', '.join(rows)}. Say what one means with --column, as in label=emotion"
        )
    for column in table:
        if column in START_OR_END and START_OR_END[column] not in table:
            raise CorpusError(
                f"{path}: the column {column!r} seems to say which part of a file is meant; call it "
                f"{START_OR_END[column]!r} ({' and '.join(PART)}, in seconds), or leave it out"
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


def _value(text: str) -> str:
    text = text.strip()
    return "" if text.lower() in MISSING else text


def _of_text(text: str) -> Lines:
    first, _, rest = text.lstrip("\r\n").partition("\n")
    separator = re.fullmatch(r'"?sep=(.)"?\s*', first)  # how Excel writes and reads the separator
    if separator:
        text = "\n" * (text.count("\n", 0, text.index(first)) + 1) + rest
    delimiter = separator[1] if separator else max(SEPARATORS, key=first.count)
    if delimiter in first or len(first.split()) < 2:
        lines = csv.reader(
            io.StringIO(text, newline=""), delimiter=delimiter, strict=True, skipinitialspace=True
        )
        return [(lines.line_num, row) for row in lines if any(value.strip() for value in row)]
    return [(number, line.split()) for number, line in enumerate(text.splitlines(), start=1) if line.strip()]


def _of_json(content: object) -> Lines:
    """`{"clip": {...}}`, `{"clip": "angry"}` or `[{...}]`."""
    if isinstance(content, Mapping):
        content = [
            {"key": key, **(value if isinstance(value, Mapping) else {"label": value})}
            for key, value in content.items()
        ]
    if not isinstance(content, list) or not all(isinstance(row, Mapping) for row in content):
        raise ValueError("neither an object nor a list of objects")
    return _of_frame(pd.DataFrame(content))


def _of_parquet(path: Path) -> Lines:
    """Rows of a Parquet file as they would stand in a text, with what pandas keeps as its index."""
    need("pyarrow", "parquet")
    with wrap_errors(f"{path}: not readable as Parquet", "save it as UTF-8 CSV"):
        table = pd.read_parquet(path, engine="pyarrow")
    return _of_frame(table.reset_index() if any(table.index.names) else table)


def _of_frame(table: pd.DataFrame) -> Lines:
    rows = [
        ["" if pd.isna(value) else str(value) for value in row] for row in table.astype(object).to_numpy()
    ]
    return list(enumerate([list(map(str, table.columns)), *rows], start=1))
