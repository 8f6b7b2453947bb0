"""Corpora: where a corpus comes from, how its files are named, and its clips table."""

from __future__ import annotations

import contextlib
import logging
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from ser_classic.corpora.clips import (
    COLUMNS,
    CorpusError,
    check_clips,
    require_speakers,
    segments,
)
from ser_classic.corpora.corpus import Corpus
from ser_classic.corpora.manifest import Reading, name_of, read_own
from ser_classic.corpora.published import PUBLISHED
from ser_classic.corpora.synthetic import SYNTHETIC
from ser_classic.corpora.warnings import warnings_of
from ser_classic.errors import some, wrap_errors
from ser_classic.registry import Registry, unknown
from ser_classic.runtime.files import LOCK, cache_folder, data_folder, locked

__all__ = [
    "COLUMNS",
    "CORPORA",
    "Corpus",
    "CorpusError",
    "Loaded",
    "Reading",
    "available",
    "check_clips",
    "load",
    "locate",
    "require_speakers",
    "segments",
    "shortfall",
]

CORPORA: Registry[Corpus] = Registry("corpora", [*PUBLISHED, SYNTHETIC])

logger = logging.getLogger(__name__)


class Loaded(NamedTuple):
    """A corpus found: its folder, its clips table (whose `file` is relative to the folder), its facts."""

    root: Path
    clips: pd.DataFrame
    corpus: Corpus


def load(
    spec: str | Path,
    data: Path | None = None,
    cache: Path | None = None,
    reading: Reading | None = None,
) -> Loaded:
    """Find a corpus by name, or read one of your own by path.

    Parameters
    ----------
    spec : str or Path
        A name in `CORPORA`; or the path of a manifest (CSV, TSV) or of a folder with a subfolder per emotion.
    data : Path, optional
        Folder that holds the corpora; see `files.data_folder`.
    cache : Path, optional
        Where an embedded corpus is made, on first use; see `files.cache_folder`.
    reading : Reading, optional
        For a corpus of your own: what its words mean, who speaks, what is left out.

    Raises
    ------
    SerClassicError
        There is no such corpus, it is not under the data folder, or it is not laid out as expected. An
        incomplete corpus is no error, but a warning: see `shortfall`.

    Examples
    --------
    >>> root, clips, corpus = load("synthetic")
    >>> len(clips), clips["speaker"].nunique()
    (504, 12)
    >>> clips.loc["synthetic/s01/s01-angry-t1-1", ["file", "emotion"]].tolist()
    ['s01/s01-angry-t1-1.wav', 'angry']
    """
    path, spec = Path(spec), str(spec)
    if spec in CORPORA:
        if reading and reading != Reading():
            raise CorpusError(
                f"{spec}: its emotions, speakers and channels are known; --map, --drop, --speaker, "
                "--map-speaker, --channel and --labels are for corpora of your own"
            )
        corpus = CORPORA[spec]
        root = locate(corpus.name, data, cache)
        with wrap_errors(f"{spec}: {root} cannot be scanned"):
            loaded = _loaded(root, check_clips(corpus.scan(root), f"{spec}: clips table"), corpus)
        if notice := shortfall(corpus, loaded.clips):
            logger.warning(notice)
        return loaded
    if not spec.strip() or not path.exists():  # an empty path would be the folder one is in
        raise CorpusError(f"{unknown('corpora', spec, CORPORA)}; or give the path of a manifest or folder")
    name, reading = name_of(path), reading or Reading()
    for known in CORPORA.values():
        if _letters(name) in _folders(known):
            raise CorpusError(
                f"{path}: has the name of the corpus {known.name}. If it is that corpus, use "
                f"`{known.name}` with --data {path.resolve().parent}; otherwise rename it"
            )
    corpus = Corpus(name, str(path), licence="your own", channel=reading.channel)
    with wrap_errors(f"{path} cannot be read"):
        root, clips = read_own(path, reading, name)
    for warning in warnings_of(clips):
        logger.warning(warning)
    return _loaded(root, clips, corpus)


def _loaded(root: Path, clips: pd.DataFrame, corpus: Corpus) -> Loaded:
    """A corpus whose clips table says which channel is meant, for `extract`."""
    clips.attrs["channel"] = corpus.channel
    return Loaded(root, clips, corpus)


def locate(name: str, data: Path | None = None, cache: Path | None = None) -> Path:
    """Folder of a corpus: `data/<name>`, or the name that a common packaging gives it.

    An embedded corpus needs no data folder: it is made under the cache folder on first use.
    """
    corpus = CORPORA[name]
    if corpus.make is not None:
        return _made(corpus, cache)
    data = data_folder(data)
    wanted = _folders(corpus)
    places = sorted(place for place in data.iterdir() if place.is_dir()) if data.is_dir() else []
    found = [place for place in places if _letters(place.name) in wanted]
    if found:
        return min(found, key=lambda place: wanted.index(_letters(place.name)))
    if data.is_dir() and _letters(data.resolve().name) in wanted:
        return data
    where = f"{data / name} does not exist" if data.is_dir() else f"the data folder {data} does not exist"
    raise CorpusError(
        f"{name}: not found, {where}. {corpus.remedy()}, or say where your corpora are with --data or "
        "$SER_DATA"
    )


def available(data: Path | None = None) -> list[str]:
    """Names of the corpora at hand: the embedded ones, and those of which clips lie under the data folder."""
    return [name for name in CORPORA if at_hand(name, data)]


def at_hand(name: str, data: Path | None = None) -> bool:
    """Whether a corpus is embedded, or clips of it lie under the data folder."""
    corpus = CORPORA[name]
    if corpus.make is not None:
        return True
    try:
        corpus.scan(locate(name, data))
    except (Exception, SystemExit) as error:  # one of a plug-in's scan is shown when its clips are loaded
        return not isinstance(error, CorpusError)
    return True


def shortfall(corpus: Corpus, clips: pd.DataFrame) -> str | None:
    """What a clips table lacks of the published corpus, in one sentence; None where it is complete.

    Examples
    --------
    ravdess: found 1380 of 1440 clips; none of speaker 24. Get them with: ser-classic corpora fetch ravdess
    """
    if len(clips) >= corpus.expected:
        return None
    lacking = [f"{corpus.name}: found {len(clips)} of {corpus.expected} clips"]
    files = corpus.official
    if files is not None:
        absent = files[~files.index.isin([*clips.index, *corpus.excluded])]
        speakers = sorted(set(absent["speaker"]) - set(clips["speaker"].str.partition("/")[2]))
        single = absent.index[~absent["speaker"].isin(speakers)]
        if speakers:
            lacking.append(f"none of speaker{'s' * (len(speakers) > 1)} {some(speakers)}")
        if len(single):
            others = " of the other speakers" if speakers else ""
            lacking.append(f"{len(single)} missing{others}, first {single[0].partition('/')[2]}")
    return f"{'; '.join(lacking)}. {corpus.remedy('them')}"


@contextlib.contextmanager
def drafting(folder: Path, name: str, what: str) -> Iterator[Path]:
    """A folder in another, to put a corpus together in, for one process at a time; removed afterwards.

    What a killed process has left is removed, too. `what` says what is done, as for `files.locked`.
    """
    with locked(folder / f".{name}{LOCK}", what):
        for draft in folder.glob(f".{name}-*"):
            shutil.rmtree(draft, ignore_errors=True)
        with tempfile.TemporaryDirectory(prefix=f".{name}-", dir=folder) as draft:
            yield Path(draft)


def _folders(corpus: Corpus) -> list[str]:
    """What its folder may be called, the usual name first."""
    return [_letters(name) for name in (corpus.name, corpus.release, *corpus.folders)]


def _letters(name: str) -> str:
    return "".join(character for character in name.lower() if character.isalnum())


def _made(corpus: Corpus, cache: Path | None) -> Path:
    """Folder of an embedded corpus; made beside and moved into place, so that it is whole or not there."""
    root = cache_folder(cache) / "corpora" / f"{corpus.name}-{corpus.version}"
    if root.is_dir():
        return root
    writing = wrap_errors(f"{corpus.name}: cannot be made in {root.parent}", "choose another with --cache")
    with writing, drafting(root.parent, corpus.name, f"making {root.name}") as draft:
        if not root.is_dir():
            (draft / "whole").mkdir()
            corpus.make(draft / "whole")
            (draft / "whole").rename(root)
    return root
