"""What reports computed, kept for the next one in the cache folder by the digest of all it depends on."""

from __future__ import annotations

import contextlib
import hashlib
import json
import time
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ser_classic.runtime import workers
from ser_classic.runtime.files import DRAFT, replacing
from ser_classic.runtime.places import cache_folder
from ser_classic.runtime.progress import track
from ser_classic.runtime.provenance import versions

BEGAN = time.time() - 10.0  # some modules were imported before this one
START = 2.0  # [s] that a worker process takes to start
MOST = 16  # memories that are kept; the one that was used least lately goes
FOLDER = "remembered-reports"
ABANDONED = 3600.0  # [s] after which a draft is that of a process that was killed


def here() -> str:
    """Digest of this package's code and of the versions of the libraries: what else results depend on.

    Where code was changed after this process began, nobody knows which of it runs: no two digests are equal.
    """
    home = Path(__file__).parents[1]
    sha = hashlib.sha256(json.dumps(versions()).encode())
    for path in sorted(home.rglob("*.py")):
        status = path.stat()
        if max(status.st_mtime, status.st_ctime) >= BEGAN:
            return uuid.uuid4().hex
        sha.update(f"{path.relative_to(home)} {status.st_size}\n".encode())
        sha.update(path.read_bytes())
    return sha.hexdigest()


class Memory:
    """Results of functions for the folder `of`: those that were asked for last time, ready for JSON.

    It only saves time: what is damaged, or cannot be written, is computed again. The checksum tells of
    damage, not of intent: who may write the cache folder may write what reports say.
    """

    def __init__(self, of: Path, cache: Path | None = None) -> None:
        name = hashlib.sha256(str(of.absolute()).encode()).hexdigest()[:16]
        self._path = cache_folder(cache) / FOLDER / f"{name}.json"
        self._code = here()
        self._known = self._read()
        self._asked: set[str] = set()

    def computed(
        self,
        function: Callable[..., Any],
        calls: Sequence[tuple[Any, ...]],
        keys: Sequence[Any],
        seconds: float,
        what: str,
    ) -> list[Any]:
        """What the function returns for each call; those not known by their key are computed.

        Parameters
        ----------
        function : callable
            Of a module that every process can import. It returns what JSON can hold, or None where it has
            nothing that is to be kept.
        calls : sequence of tuple
            Its arguments.
        keys : sequence
            Ready for JSON, one a call: everything that its result depends on beside this package and the
            libraries in `versions`.
        seconds : float [s]
            That a call takes, about: there are as many processes as have more to do than their start takes.
        what : str
            The calls are, for the progress bar and for messages.
        """
        digests = [self._digest(function, key) for key in keys]
        new = {digest: call for digest, call in zip(digests, calls, strict=True) if digest not in self._known}
        if new:
            from joblib import cpu_count

            jobs = max(1, min(cpu_count(), int(len(new) * seconds / START)))
            tasks = [(function, digest, call) for digest, call in new.items()]
            for digest, result in track(workers.run(_named, tasks, jobs, what), len(tasks), what):
                self._known[digest] = result
        self._asked.update(digests)
        return [self._known[digest] for digest in digests]

    def forget(self) -> None:
        """Drop what nobody asked for: it belongs to results or to code that are no more."""
        self._known = {digest: self._known[digest] for digest in self._asked}

    def save(self) -> None:
        """Keep what is known for the next time, in one step."""
        if here() != self._code:  # changed while workers imported it
            return
        text = json.dumps({digest: result for digest, result in self._known.items() if result is not None})
        with contextlib.suppress(OSError):
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with replacing(self._path) as draft:
                draft.write_text(f"{hashlib.sha256(text.encode()).hexdigest()}\n{text}")
            by_age = sorted(self._path.parent.glob("*.json"), key=lambda path: path.stat().st_mtime)
            for old in by_age[:-MOST]:
                old.unlink(missing_ok=True)
            for left in self._path.parent.glob(f"{DRAFT}*"):
                if time.time() - left.stat().st_mtime > ABANDONED:
                    left.unlink(missing_ok=True)

    def _read(self) -> dict[str, Any]:
        with contextlib.suppress(OSError, ValueError, RecursionError):
            digest, _, text = self._path.read_text().partition("\n")
            if digest == hashlib.sha256(text.encode()).hexdigest():
                known = json.loads(text)
                return known if isinstance(known, dict) else {}
        return {}

    def _digest(self, function: Callable[..., Any], key: Any) -> str:
        of = [self._code, function.__module__, function.__qualname__, key]
        return hashlib.sha256(json.dumps(of).encode()).hexdigest()


def _named(function: Callable[..., Any], digest: str, call: tuple[Any, ...]) -> tuple[str, Any]:
    return digest, function(*call)
