"""Torture: kill (SIGKILL) benches, extractions and fetches at seeded random moments, and look what is left.

    python tests/torture.py --kills 100 --seed 0

After every kill: each run that was finished is there unchanged, no half run is taken for a whole one, no
clip whose features were stored is extracted again, no worker lives on. At the end of each round: the
leaderboard is that of an undisturbed run to the last digit (columns of seconds aside), and nothing of the
killed lies about.
"""

import argparse
import hashlib
import itertools
import os
import random
import shutil
import signal
import sys
import tempfile
import threading
import time
import traceback
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pandas as pd
import soundfile
import tiny_corpus

import ser_classic.corpora
import ser_classic.corpora.fetching as fetching
import ser_classic.estimators
import ser_classic.models.tuning  # what every child would load
import ser_classic.report.write
from ser_classic import audio, report, store
from ser_classic.corpora import Loaded, Reading, load
from ser_classic.corpora.synthetic import synthesise
from ser_classic.corpora.vocal_tract import SAMPLE_RATE
from ser_classic.experiment.bench import bench
from ser_classic.experiment.cells import Cell
from ser_classic.features import FEATURES, RATE, FeatureSet
from ser_classic.features.extraction import BATCH, extract
from ser_classic.features.functionals import MFCC13
from ser_classic.registry import Registry
from ser_classic.runtime.engines import Local

SPEAKERS, EMOTIONS, TAKES = ("s01", "s02", "s03", "s04"), ("neutral", "angry", "sad"), range(1, 9)
LOG = "TORTURE_LOG"  # the file in which every extraction is noted
PATIENCE = 300  # [s] that workers may take to notice, on a machine with other work
CELLS = [
    Cell("voices", protocol, features, model)
    for features in ("counted", "mfcc13")
    for protocol in ("loso", "loso_adapted", "random5")
    for model in ("prior", "ridge")
]


@dataclass(frozen=True)
class Counted:
    """MFCC means and deviations; every call is noted."""

    columns = MFCC13.columns

    def __call__(self, waveform: np.ndarray, sample_rate: int) -> np.ndarray:
        with Path(os.environ[LOG]).open("a") as file:
            file.write(f"{_name(waveform)}\n")
        time.sleep(0.005)  # as long as larger sets take: time to be killed in
        return MFCC13(waveform, sample_rate)


@dataclass
class Toll:
    """What was counted."""

    kills: int = 0
    restarts: int = 0
    runs_kept: int = 0
    extracted_again: int = 0
    slowest_end: float = 0.0
    pids: set[int] = field(default_factory=set)


def _name(waveform: np.ndarray) -> str:
    return hashlib.sha256(np.ascontiguousarray(waveform, dtype=np.float32)).hexdigest()[:16]


def record_voices(folder: Path) -> Loaded:
    """96 short clips of synthetic voices, three shards of features, as a corpus of one's own."""
    for emotion in EMOTIONS:
        (folder / emotion).mkdir(parents=True)
        for speaker in SPEAKERS:
            waveform = synthesise(speaker, emotion, "t1")
            for take in TAKES:
                part = waveform[500 * take :][:8000]
                soundfile.write(folder / emotion / f"{speaker}_{take}.wav", part, SAMPLE_RATE)
    return load(folder, reading=Reading(speaker=r"/(s\d\d)_"))


def sentenced(work: Callable[[], object], delay: float | None, toll: Toll, temporary: Path) -> bool:
    """Do something in a process of its own and kill that after a delay [s]; whether it came to its end."""
    temporary.mkdir(exist_ok=True)
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.setsid()
            os.dup2(os.open(temporary / "said", os.O_WRONLY | os.O_CREAT | os.O_APPEND), 2)
            os.environ["TMPDIR"] = str(temporary)
            tempfile.tempdir = None
            work()
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)
    toll.pids.add(child)
    waiter = threading.Thread(target=os.waitid, args=(os.P_PID, child, os.WEXITED | os.WNOWAIT))
    waiter.start()
    waiter.join(delay)
    os.kill(child, signal.SIGKILL)  # nothing to one that has come to its end, and is not waited for yet
    waiter.join()
    status = os.waitpid(child, 0)[1]
    started = time.monotonic()
    while _session(child):
        assert time.monotonic() - started < PATIENCE, f"still there after the kill: {_session(child)}"
        time.sleep(0.02)
    toll.slowest_end = max(toll.slowest_end, time.monotonic() - started)
    if os.WIFSIGNALED(status):
        toll.kills += 1
        return False
    assert status == 0, f"it failed by itself:\n{(temporary / 'said').read_text()}"
    return True


def _session(leader: int) -> list[str]:
    """Processes of a session that are at work."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, _, session = path.read_text().rpartition(")")[2].split()[:4]
            if int(session) == leader and state != "Z":
                found.append((path.parent / "cmdline").read_text().replace("\0", " "))
        except OSError:
            continue
    return found


def whole_runs(results: Path) -> dict[str, bytes]:
    """The runs that are taken for whole, each proved to be: record and predictions."""
    problems: list[str] = []
    found = {}
    for run in store.runs(results, problems.append):
        assert run.ok, run.record.get("error")
        run.predictions()
        found[run.id] = (run.path / "run.json").read_bytes()
    assert not problems, problems
    return found


def leaderboard(results: Path) -> str:
    """What a leaderboard says, without what was measured in seconds."""
    return (
        pd.read_csv(results / "leaderboard.csv", dtype=str)
        .drop(columns=["fit_seconds", "predict_seconds"])
        .to_csv()
    )


def stored(cache: Path, names: dict[str, str]) -> set[str]:
    """Clips whose counted features are in the cache."""
    found: set[str] = set()
    for path in cache.glob("features/counted-*/*.npz"):
        with np.load(path) as shard:
            found |= {names[digest] for digest in shard["digests"].tolist()}
    return found


def rubbish(folder: Path) -> list[str]:
    """What killed processes left below a folder."""
    marks = (".draft-", ".voices-", ".ravdess-", "tmp", "joblib", "ser-classic-")
    return [str(path) for path in folder.rglob("*") if path.name.startswith(marks) and path != folder / "tmp"]


def torture_bench(home: Path, kills: int, random: random.Random, toll: Toll) -> None:
    """Kill benches, with their extractions and reports, until that many were killed."""
    voices = record_voices(home / "voices")
    names = {
        hashlib.sha256((voices.root / file).read_bytes()).hexdigest(): _name(
            audio.read(voices.root / file, RATE)[0]
        )
        for file in voices.clips["file"]
    }

    def work(place: Path, jobs: int) -> None:
        os.environ[LOG] = str(place / "log")
        bench(CELLS, place / "results", cache=place / "cache", own={"voices": voices}, engine=Local(jobs))
        report.write(place / "results", figures=False)

    def jobs_of(number: int) -> int:
        return 1 + (number % 4 == 0)

    undisturbed, spans = "", {}
    for jobs in {jobs_of(number) for number in range(kills)}:
        place = home / f"undisturbed{jobs}"
        place.mkdir()
        started = time.monotonic()
        assert sentenced(partial(work, place, jobs), None, toll, place / "tmp")
        spans[jobs] = time.monotonic() - started
        assert undisturbed in ("", leaderboard(place / "results"))
        undisturbed = leaderboard(place / "results")
    last = toll.kills + kills
    for number in itertools.count():
        place, jobs = home / f"round{number}", jobs_of(number % kills)
        place.mkdir()
        (place / "log").touch()
        held: dict[str, bytes] = {}
        ended = False
        while not ended:
            done, lines = stored(place / "cache", names), len((place / "log").read_text().split())
            delay = random.uniform(0, 0.7 * spans[jobs]) if toll.kills < last else None
            ended = sentenced(partial(work, place, jobs), delay, toll, place / "tmp")
            again = done.intersection((place / "log").read_text().split()[lines:])
            assert not again, f"{len(again)} clips were extracted again although their features were stored"
            found = whole_runs(place / "results")
            assert held.items() <= found.items(), "a finished run was lost or changed"
            toll.runs_kept += len(held)
            held = found
        calls = (place / "log").read_text().split()
        toll.extracted_again += len(calls) - len(names)
        toll.restarts += 1
        assert len(held) == len(CELLS)
        assert leaderboard(place / "results") == undisturbed
        assert not rubbish(place), rubbish(place)
        shutil.rmtree(place)
        if toll.kills >= last:
            break
    left = [path.name for path in Path("/dev/shm").glob("joblib_memmapping_folder_*") if _of(path, toll.pids)]
    assert not left, left


def _of(path: Path, pids: set[int]) -> bool:
    return any(f"_{pid}_" in path.name for pid in pids)


def torture_extraction(home: Path, kills: int, random: random.Random, toll: Toll) -> None:
    """Kill extractions; afterwards each clip was extracted once, but for those of unfinished shards."""
    voices = load(home / "voices", reading=Reading(speaker=r"/(s\d\d)_"))

    def work(place: Path) -> None:
        os.environ[LOG] = str(place / "log")
        extract(voices.clips, voices.root, FEATURES["counted"], place / "cache")

    place = home / "measured"
    place.mkdir()
    started = time.monotonic()
    sentenced(partial(work, place), None, toll, place / "tmp")
    span = time.monotonic() - started
    wanted = extract(voices.clips, voices.root, FEATURES["counted"], place / "cache").digest
    last = toll.kills + kills
    while toll.kills < last:
        place = home / "extraction"
        place.mkdir()
        before = toll.kills
        ended = False
        while not ended:
            delay = random.uniform(0, span) if toll.kills < last else None
            ended = sentenced(partial(work, place), delay, toll, place / "tmp")
        again = len((place / "log").read_text().split()) - len(voices.clips)
        assert again <= BATCH * (toll.kills - before)
        toll.extracted_again += again
        toll.restarts += 1
        assert extract(voices.clips, voices.root, FEATURES["counted"], place / "cache").digest == wanted
        assert not rubbish(place), rubbish(place)
        shutil.rmtree(place)


def torture_fetch(home: Path, kills: int, random: random.Random, toll: Toll) -> None:
    """Kill fetches from a folder, an archive and a server of single files; no altered file is in place."""
    release = home / "release"
    checksums = tiny_corpus.write_release(release)
    with zipfile.ZipFile(home / "release.zip", "w") as archive:
        for file in tiny_corpus.FILES:
            archive.write(release / file, f"Audio/{file}")
    corpus = tiny_corpus.tiny(checksums)
    table = Registry("corpora", [corpus])
    ser_classic.corpora.CORPORA = fetching.CORPORA = table
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=release))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    os.environ["NO_PROXY"] = "*"
    sources = [str(release), str(home / "release.zip"), f"http://127.0.0.1:{server.server_port}"]
    official = {file: (release / file).read_bytes() for file in tiny_corpus.FILES}
    spans = {}
    for source in sources:
        started = time.monotonic()
        fetch = partial(fetching.fetch, "ravdess", home / "data", source)
        assert sentenced(fetch, None, toll, home / "tmp")
        spans[source] = time.monotonic() - started
        shutil.rmtree(home / "data")
    last = toll.kills + kills
    while toll.kills < last:
        for source in sources:
            fetch = partial(fetching.fetch, "ravdess", home / "data", source)
            ended = False
            while not ended:
                delay = random.uniform(0, spans[source]) if toll.kills < last else None
                ended = sentenced(fetch, delay, toll, home / "tmp")
                there = [path for path in (home / "data").rglob("*.wav") if not _drafted(path)]
                for path in there:
                    assert path.read_bytes() == official[path.relative_to(home / "data/ravdess").as_posix()]
            toll.restarts += 1
            assert len(there) == len(official)
            left = [path.name for path in (home / "data").iterdir()]
            assert left == ["ravdess"], left
            shutil.rmtree(home / "data")
    server.shutdown()


def _drafted(path: Path) -> bool:
    return any(part.startswith(".ravdess-") for part in path.parts)


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


def main() -> None:
    """Kill as often as the command line says: six in ten benches, the rest extractions and fetches."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    FEATURES._built_in["counted"] = FeatureSet("counted", RATE, Counted())
    chance = random.Random(asked.seed)
    with tempfile.TemporaryDirectory(prefix="torture-") as folder:
        home = Path(folder)
        fifth = max(1, asked.kills // 5)
        parts = (
            (torture_bench, asked.kills - 2 * fifth),
            (torture_extraction, fifth),
            (torture_fetch, fifth),
        )
        for torture, kills in parts:
            toll, started = Toll(), time.monotonic()
            torture(home, kills, chance, toll)
            print(
                f"{torture.__name__}: {toll.kills} kills, {toll.restarts} rounds to their end; finished runs "
                f"found intact {toll.runs_kept} times; {toll.extracted_again} unfinished extractions were "
                f"repeated, no finished one; workers ended within {toll.slowest_end:.1f} s; "
                f"{time.monotonic() - started:.0f} s",
                flush=True,
            )


if __name__ == "__main__":
    main()
