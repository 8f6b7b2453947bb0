"""Fetch a corpus: from its publisher, a mirror, or an archive or folder at hand; checked before it counts."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath
from types import SimpleNamespace
from typing import NamedTuple
from urllib.parse import quote, urlsplit

from ser_classic import audio
from ser_classic.audio import SUFFIXES, audio_files
from ser_classic.corpora import CORPORA, drafting, locate
from ser_classic.corpora.archives import ARCHIVES, unpack
from ser_classic.corpora.clips import CorpusError
from ser_classic.corpora.corpus import Corpus
from ser_classic.runtime.files import data_folder, writing
from ser_classic.runtime.progress import track

TIMEOUT = 30  # [s] without a byte
CONNECTIONS = 8  # for corpora of single files, where the round trips are what costs
MOST_UNLISTED = 16 * 2**30  # [bytes] unpacked, where no official list says how large a corpus is


class Fetched(NamedTuple):
    """Where a corpus lies now, and how many of its files were added and were there before."""

    root: Path
    added: int
    kept: int


def fetch(name: str, data: Path | None = None, source: str | None = None) -> Fetched:
    """Get a corpus, or what is missing or corrupt of it.

    Files are compared with the official checksums in a draft folder and then moved into place, one whole file
    after the other; intact ones that are there already are left alone. A corpus of single files (CREMA-D)
    continues where an interrupted download ended; an archive is downloaded anew. By default the source is the
    publisher's address; it may be an archive or a folder at hand, the URL of an archive, or the URL of a
    mirror, which holds the archive or the single files under their official names.

    Raises
    ------
    SerClassicError
        The corpus may not be downloaded by a program, or comes only with another (the message says how to get
        it); the download failed or differs from its checksum; the archive is broken or hostile. Nothing wrong
        is put in place.
    """
    corpus, data = CORPORA[name], data_folder(data)
    if corpus.make is not None:
        raise CorpusError(f"{name}: needs no download, it is made on first use")
    if corpus.part_of is not None:
        raise CorpusError(
            f"{name}: is a part of {corpus.part_of}; get it with: ser-classic corpora fetch {corpus.part_of}"
        )
    if source is not None and not source.strip():
        raise CorpusError(f"{name}: --from is empty; expected an archive, a folder or a URL of either")
    if source is None and not (corpus.archive or corpus.files_url):
        by_hand = f"{corpus.remedy()}, or put its files into {data / name}"
        raise CorpusError(f"{name}: cannot be downloaded by a program. {by_hand}")
    try:
        root = locate(name, data)
    except CorpusError:
        root = data / name
    with writing(data, "--data"), drafting(data, name, f"fetching {name}") as draft:
        return _fetch(corpus, root, draft, source)


def _fetch(corpus: Corpus, root: Path, draft: Path, source: str | None) -> Fetched:
    official, (intact, corrupt) = _official(corpus), _present(corpus, root)
    if official and len(intact) == len(official):
        return Fetched(root, 0, len(intact))
    kind, place = _source(corpus, source)
    if kind == "files":
        added = _download_files(corpus, place, root, draft, intact)
    else:
        at_hand = _download_archive(corpus, place, draft) if kind == "download" else Path(place)
        files = _unpacked(corpus, at_hand, draft / "files", intact, source or corpus.url)
        for file in files:
            _put(draft / "files" / file, root / file)
        added = {_key(file): file for file in files}
    for key, file in corrupt.items():
        if added.get(key, file) != file:  # the new file is at the official path
            (root / file).unlink()
    return Fetched(root, len(added), len(intact))


def _unpacked(
    corpus: Corpus, at_hand: Path, staged: Path, intact: set[str], named: str
) -> list[PurePosixPath]:
    """The clips that an archive or folder adds to the intact ones, copied below `staged` and checked.

    Messages call the source as it was `named`.
    """
    official, listed = _official(corpus), corpus.official
    # Four times the size leaves room for finer formats
    limit = MOST_UNLISTED if listed is None else 4 * int(listed["bytes"].sum()) + 2**20
    files = unpack(at_hand, staged, lambda file: _wanted(corpus, file, intact), limit)
    if not files and not intact:
        raise CorpusError(f"{corpus.name}: {named} has none of its clips; nothing was done")
    altered = [file for file in files if official and _altered(staged / file, *official[_key(file)])]
    if altered:
        raise CorpusError(
            f"{corpus.name}: {len(altered)} of {len(files)} files from {named} differ from the official "
            f"ones, first {altered[0]}; nothing was put in place. Try another with --from"
        )
    return files


def _put(file: Path, place: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    file.replace(place)


def _source(corpus: Corpus, source: str | None) -> tuple[str, str]:
    """The kind of a source (`at hand`, `download` of an archive, or single `files`), and its path or URL."""
    if source is None:
        return ("download", corpus.archive) if corpus.archive else ("files", corpus.files_url)
    if Path(source).is_dir() or Path(source).is_file():
        return "at hand", source
    if urlsplit(source).scheme not in ("http", "https"):
        raise CorpusError(f"{corpus.name}: --from {source!r} is not a file, folder or URL (http, https)")
    if _file_name(source).lower().endswith(ARCHIVES):
        return "download", source
    if corpus.archive:
        return "download", f"{source.rstrip('/')}/{_file_name(corpus.archive)}"
    if corpus.official is not None:
        return "files", source
    raise CorpusError(f"{corpus.name}: --from {source!r}: expected an archive ({', '.join(ARCHIVES)})")


def _download_archive(corpus: Corpus, url: str, draft: Path) -> Path:
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty()) as progress:
        task = progress.add_task(f"download {corpus.name}", total=None)
        bar = SimpleNamespace(total=0, reset=lambda: progress.reset(task), close=lambda: None)
        bar.update = lambda size: progress.update(task, advance=size, total=bar.total or None)
        return _download(corpus, url, None, draft / "archive", bar)


def _download(corpus: Corpus, url: str, checksum: str | None, path: Path, bar: object) -> Path:
    """Download one file; it is there whole and matches its checksum, or not at all.

    `bar` is a progress bar as pooch uses it, or False; pooch sets its `total`.
    """
    import pooch
    import requests

    pooch.get_logger().setLevel("WARNING")
    downloader = pooch.HTTPDownloader(progressbar=bar, chunk_size=2**16, timeout=TIMEOUT)
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        return Path(pooch.retrieve(url, checksum, fname=path.name, path=path.parent, downloader=downloader))
    except requests.RequestException as error:
        # The messages of these two hold nothing but the addresses of Python objects
        brief = isinstance(error, (requests.ConnectionError, requests.Timeout))
        raise CorpusError(
            f"{corpus.name}: {url} cannot be downloaded ({type(error).__name__ if brief else error}). Check "
            f"the network, try again later, or get it elsewhere (see {corpus.url}) and name that with --from"
        ) from error
    except ValueError as error:
        raise CorpusError(
            f"{corpus.name}: {url} is not the official file, whose checksum is {checksum}. It was deleted; "
            "try again, or another source with --from"
        ) from error


def _download_files(
    corpus: Corpus, base: str, root: Path, draft: Path, intact: set[str]
) -> dict[str, PurePosixPath]:
    """Download the official files one by one into their places."""
    lacking = {key: file for key, file in _official(corpus).items() if key not in intact}

    def download(file: PurePosixPath, digest: str) -> None:
        url = f"{base.rstrip('/')}/{quote(str(file))}"
        _put(_download(corpus, url, f"sha256:{digest}", draft / file, False), root / file)

    with ThreadPoolExecutor(CONNECTIONS) as pool:
        jobs = [pool.submit(download, *file) for file in lacking.values()]
        try:
            for job in track(jobs, len(jobs), f"download {corpus.name}"):
                job.result()
        except CorpusError as error:
            raise CorpusError(
                f"{error}. What arrived is kept; the same command continues from there"
            ) from error
        finally:
            pool.shutdown(cancel_futures=True)  # after a fault or an interrupt, none of those still queued
    return {key: file for key, (file, _) in lacking.items()}


def _wanted(corpus: Corpus, file: PurePosixPath, intact: set[str]) -> PurePosixPath | None:
    """Where a file found somewhere belongs below the corpus's folder; None for one that is not wanted."""
    if file.name.startswith(".") or "__MACOSX" in file.parts:
        return None
    place, labels, official = file, corpus.labels, corpus.official
    if labels is None or not file.match(labels.files.removeprefix("**/")):
        row = corpus.parse(file) if corpus.pattern else {}
        if file.suffix.lower() not in SUFFIXES or row is None:
            return None
        if official is not None:
            clip = f"{corpus.release}/{row['clip']}"
            if clip not in official.index:
                return None
            place = PurePosixPath(official.at[clip, "file"]).with_suffix(file.suffix.lower())
    return None if _key(place) in intact else place


def _present(corpus: Corpus, root: Path) -> tuple[set[str], dict[str, PurePosixPath]]:
    """Keys of the intact files that are in place already; and the corrupt ones, by key."""
    if not root.is_dir():
        return set(), {}
    if corpus.official is None:
        return {_key(file) for file in audio_files(root)}, {}
    places, digests = corpus.official["file"].map(PurePosixPath), _official(corpus)
    files = {_key(places[clip]): file for clip, (file, _) in corpus.find(root).clips.items()}
    corrupt = {key: file for key, file in files.items() if _altered(root / file, *digests[key])}
    return files.keys() - corrupt.keys(), corrupt


def _official(corpus: Corpus) -> dict[str, tuple[PurePosixPath, str]]:
    """Official files and their checksums by key; nothing where there is no list."""
    if corpus.official is None:
        return {}
    listed = zip(map(PurePosixPath, corpus.official["file"]), corpus.official["sha256"], strict=True)
    return {_key(file): (file, digest) for file, digest in listed}


def _altered(path: Path, official: PurePosixPath, digest: str) -> bool:
    """Whether a file is not the official one; one in another format cannot be compared."""
    same_format = path.suffix.lower() == official.suffix.lower()
    return same_format and audio.digest(path) != digest


def _key(file: PurePosixPath) -> str:
    """A file's place, whatever its format."""
    return str(file.with_suffix(""))


def _file_name(url: str) -> str:
    return urlsplit(url).fragment or PurePosixPath(urlsplit(url).path).name
