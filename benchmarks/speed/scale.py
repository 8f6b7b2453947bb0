"""Whether extraction and runs grow in a straight line: time, memory and cache for 500 to 50 000 clips.

    python benchmarks/speed/scale.py [--json FILE] [--max-clips 50000] [--jobs 2]
        [--features pooled flagship] [--models svm_linear ...] [--minutes 15]

The clips are synthetic voices, every cast of twelve speakers another one, each utterance repeated to the
mean length of RAVDESS and written as FLAC into a temporary folder, which is removed at the end. Every
measurement is a process of its own; peak memory is that of it and all its children together, shared pages
counted once (the proportional set size that Linux tells in /proc), read every 50 ms. Imports, the start of
worker processes and a few clips for warming up are over when the clock starts. A point that by the growth so
far would take longer than --minutes is left out and said to be.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import warnings
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import soundfile
from joblib import Parallel, delayed

from ser_classic.corpora import synthetic
from ser_classic.errors import SerClassicError
from ser_classic.experiment.fold import Trial, run_alike
from ser_classic.experiment.preparation import labels_of
from ser_classic.features import FEATURES, RATE
from ser_classic.features.extraction import BATCH, extract
from ser_classic.models import MODELS
from ser_classic.protocols import PROTOCOLS
from ser_classic.runtime.engines import Local
from ser_classic.runtime.provenance import machine, versions
from ser_classic.runtime.workers import THREADS

SIZES = (500, 5_000, 50_000)
SECONDS = 3.7  # of a clip: the mean of RAVDESS
CAST = tuple(product(synthetic.TAKES, synthetic.SENTENCES, synthetic.ACTED, synthetic.SPEAKERS))
EVERY = 0.05  # [s] between two readings of memory
TOLERANCE = 1.25  # times as long a clip, or as much memory, as at the smallest size: still flat
LIMIT_MB = 2000
MODELS_MEASURED = ("svm_linear", "svm_rbf", "ridge", "fusion", "svm_primal", "xgboost")
LIMITS = {"svm_linear": 39_000, "svm_rbf": 26_000, "ridge": 19_500}  # clips whose kernels nearly fill 8 GiB


@dataclass(frozen=True)
class Point:
    """One measurement.

    Attributes
    ----------
    what : str
        `extract` or `run`.
    features, model : str
        `model` is empty for an extraction.
    clips : int
        For a run, those of the training part.
    seconds : float
        Wall time; `processor_seconds` those of all processes together.
    peak_mb, own_mb : float
        Memory of all processes together [1e6 bytes]; `own_mb` without the pages of files, which the system
        takes back as it likes.
    again_seconds : float
        The same extraction once more, when all is in the cache: files are read and compared by content.
    cache_mb : float
    note : str
        Why there is nothing else, or the UAR of a run.
    """

    what: str
    features: str
    model: str
    clips: int
    seconds: float = float("nan")
    processor_seconds: float = float("nan")
    peak_mb: float = float("nan")
    own_mb: float = float("nan")
    again_seconds: float = float("nan")
    cache_mb: float = float("nan")
    note: str = ""


def table(count: int) -> pd.DataFrame:
    """Clips table of the first so many voices."""
    said = pd.DataFrame(CAST, columns=["take", "sentence", "emotion", "speaker"], dtype=str)
    names = said[["speaker", "emotion", "sentence", "take"]].agg("-".join, axis=1)
    casts = [f"{cast:03d}" for cast in range(-(-count // len(CAST)))]
    clips = pd.concat(
        said[["emotion", "sentence"]]
        .assign(file=f"{cast}/" + names + ".flac", speaker=f"scale/{cast}" + said["speaker"])
        .set_axis(f"scale/{cast}/" + names)
        for cast in casts
    )
    return clips[:count].rename_axis("clip").assign(corpus="scale")


def voices(root: Path, count: int, jobs: int) -> None:
    """Write the first so many voices below a folder."""
    for cast in range(-(-count // len(CAST))):
        (root / f"{cast:03d}").mkdir(parents=True)
    Parallel(n_jobs=jobs, batch_size=64)(delayed(_voice)(root, number) for number in range(count))


def _voice(root: Path, number: int) -> None:
    cast, place = divmod(number, len(CAST))
    take, sentence, emotion, speaker = CAST[place]
    said = synthetic.synthesise(speaker, emotion, sentence, take, seed=cast)
    file = root / f"{cast:03d}" / f"{speaker}-{emotion}-{sentence}-{take}.flac"
    soundfile.write(file, np.resize(said, int(SECONDS * RATE)), RATE)


def measure_extraction(task: dict[str, Any], began: Path) -> dict[str, Any]:
    """Extract into an empty cache, and again."""
    root, cache, features = Path(task["root"]), Path(task["cache"]), FEATURES[task["features"]]
    clips, engine = table(task["clips"]), Local(task["jobs"])
    extract(clips[: BATCH * task["jobs"]], root, features, cache / "warming", engine)
    shutil.rmtree(cache / "warming")
    began.touch()
    times = []
    for _ in range(2):
        start = time.perf_counter()
        values = extract(clips, root, features, cache, engine).values
        times.append(time.perf_counter() - start)
    size = sum(path.stat().st_size for path in cache.rglob("*") if path.is_file())
    assert len(values) == len(clips)
    return {"seconds": times[0], "again_seconds": times[1], "cache_mb": size / 1e6}


def measure_run(task: dict[str, Any], began: Path) -> dict[str, Any]:
    """Fit the first fold of `speakers5` on cached features and predict its test speakers."""
    clips = table(task["clips"])
    features = extract(clips, Path(task["root"]), FEATURES[task["features"]], Path(task["cache"]))
    protocol = PROTOCOLS["speakers5"]
    fold = protocol.folds(clips)[0]
    model = MODELS[task["model"]]
    model.pipeline()
    began.touch()
    start = time.perf_counter()
    try:
        trial = Trial("", (features,), labels_of(clips), [fold], model, protocol)
        done = run_alike([trial], 0)[0]
    except SerClassicError as error:
        return {"clips": len(fold.train), "note": f"refused: {error}"}
    seconds = time.perf_counter() - start
    truth = clips["emotion"].to_numpy()[fold.test]
    uar = pd.Series(done.guess == truth).groupby(truth).mean().mean()
    return {"clips": len(fold.train), "seconds": seconds, "note": f"UAR {uar:.2f}"}


TASKS = {"extract": measure_extraction, "run": measure_run}


def tree(parent: int) -> list[int]:
    """A process and all below it."""
    found, waiting = [], [parent]
    while waiting:
        number = waiting.pop()
        found.append(number)
        for path in Path(f"/proc/{number}/task").glob("*/children"):
            waiting += _read(path, lambda text: [int(word) for word in text.split()], [])
    return found


def _read(path: Path, parse: Any, absent: Any) -> Any:
    try:
        return parse(path.read_text())
    except (OSError, ValueError):  # the process has just ended
        return absent


def memory(number: int) -> tuple[float, float]:
    """Megabytes of a process: all that it holds, its share of shared pages; and those of no file."""

    def parse(text: str) -> tuple[float, float]:
        kilobytes = {
            line.split(":")[0]: float(line.split()[1]) for line in text.splitlines() if line.endswith("kB")
        }
        own = kilobytes["Pss_Anon"] + kilobytes["Pss_Shmem"]
        return kilobytes["Pss"] * 1024 / 1e6, own * 1024 / 1e6

    return _read(Path(f"/proc/{number}/smaps_rollup"), parse, (0.0, 0.0))


def processor_seconds(number: int) -> float:
    """Processor time of a process so far."""

    def parse(text: str) -> float:
        return sum(map(int, text.rpartition(")")[2].split()[11:13])) / os.sysconf("SC_CLK_TCK")

    return _read(Path(f"/proc/{number}/stat"), parse, 0.0)


def watched(task: dict[str, Any]) -> Point:
    """Do a task in a process of its own, and watch it."""
    with tempfile.TemporaryDirectory() as folder:
        began, answer = Path(folder) / "began", Path(folder) / "answer"
        command = [sys.executable, __file__, "--task", json.dumps(task), "--began", began]
        with answer.open("w") as file:
            process = subprocess.Popen(command, stdout=file, env=_alone())
        before: dict[int, float] = {}
        spent: dict[int, float] = {}
        peak = own = 0.0
        while process.poll() is None:
            running = tree(process.pid)
            spent |= {number: processor_seconds(number) for number in running}
            if not before and began.exists():
                before = dict(spent)
            held = [memory(number) for number in running]
            peak, own = max(peak, sum(all_ for all_, _ in held)), max(own, sum(mine for _, mine in held))
            time.sleep(EVERY)
        found = json.loads(answer.read_text()) if process.returncode == 0 else {}
    if process.returncode:
        found = {"note": f"failed: the process ended with {process.returncode}"}
    told = {name: task[name] for name in ("what", "features", "model", "clips")} | found
    if "seconds" in found:
        told["processor_seconds"] = sum(
            max(0.0, each - before.get(number, 0)) for number, each in spent.items()
        )
    return Point(**told, peak_mb=peak, own_mb=own)


def _alone() -> dict[str, str]:
    """The environment, with one thread a process."""
    return os.environ | dict.fromkeys(THREADS, "1")


def expected(points: list[Point], clips: int) -> float:
    """Seconds that so many clips would take, by the growth from the last point but one to the last."""
    if not points:
        return 0.0
    if len(points) == 1:
        return points[0].seconds * clips / points[0].clips
    before, last = points[-2:]
    power = np.log(last.seconds / before.seconds) / np.log(last.clips / before.clips)
    return last.seconds * (clips / last.clips) ** max(1.0, power)


def series(task: dict[str, Any], sizes: list[int], before: list[Point], minutes: float) -> list[Point]:
    """Points of one extraction or model, as many as the time allows."""
    names = {name: task[name] for name in ("what", "features", "model")}
    points: list[Point] = []
    for clips in sizes:
        known = [
            point
            for point in (*before, *points)
            if point.seconds > 0 and names.items() <= asdict(point).items()
        ]
        wanted = expected(known, clips)
        if wanted > 60 * minutes:
            points.append(Point(**names, clips=clips, note=f"left out: some {wanted / 60:.0f} min"))
        else:
            points.append(watched({**task, "clips": clips}))
        print(row(points[-1]), flush=True)
    return points


HEAD = (
    f"{'':<9}{'features':<10}{'model':<12}{'clips':>7}{'ms a clip':>11}{'of CPU':>8}{'again':>7}"
    f"{'peak MB':>9}{'own':>7}{'cache MB':>10}"
)


def row(point: Point) -> str:
    """A point as a line below `HEAD`."""

    def number(value: float, width: int, digits: int = 0) -> str:
        return f"{'' if np.isnan(value) else f'{value:.{digits}f}':>{width}}"

    per_clip = 1000 / point.clips
    return (
        f"{point.what:<9}{point.features:<10}{point.model:<12}{point.clips:>7}"
        f"{number(point.seconds * per_clip, 11, 2)}{number(point.processor_seconds * per_clip, 8, 2)}"
        f"{number(point.again_seconds * per_clip, 7, 2)}{number(point.peak_mb, 9)}{number(point.own_mb, 7)}"
        f"{number(point.cache_mb, 10)}  {point.note.split(';')[0]}"
    ).rstrip()


def verdicts(points: list[Point]) -> list[dict[str, Any]]:
    """Whether extraction stayed below the limit, and flat in time and memory where sizes tell."""
    judged = []
    for name in dict.fromkeys(point.features for point in points if point.what == "extract"):
        measured = [
            point
            for point in points
            if (point.what, point.features) == ("extract", name) and point.seconds > 0
        ]
        if not measured:
            continue
        first, last = measured[0], measured[-1]
        peak = max(point.peak_mb for point in measured)
        verdict = {"features": name, "clips": [first.clips, last.clips]}
        if first.clips < last.clips:
            slower = last.processor_seconds / last.clips / (first.processor_seconds / first.clips)
            verdict |= {
                "times_as_long_a_clip": round(slower, 2),
                "times_as_much_memory": round(last.peak_mb / first.peak_mb, 2),
                "flat": slower <= TOLERANCE and last.peak_mb <= TOLERANCE * first.peak_mb,
            }
        judged.append(verdict | {"peak_mb": round(peak), "below_limit": peak < LIMIT_MB})
    return judged


def in_words(verdict: dict[str, Any]) -> str:
    """One of `verdicts` as a line."""
    first, last = verdict["clips"]
    bound = "below" if verdict["below_limit"] else "NOT BELOW"
    peak = f"peak {verdict['peak_mb']} MB: {bound} {LIMIT_MB}"
    if "flat" not in verdict:
        return f"{verdict['features']}: at {first} clips, one size, which tells nothing of growth; {peak}"
    return (
        f"{verdict['features']}: from {first} to {last} clips {verdict['times_as_long_a_clip']} times as "
        f"long a clip, {verdict['times_as_much_memory']} times the memory: "
        f"{'flat' if verdict['flat'] else 'NOT FLAT'}; {peak}"
    )


def measure(asked: argparse.Namespace, sizes: list[int], root: Path, caches: Path) -> list[Point]:
    """Extraction of every feature set, and runs of every model on the first of them."""
    points: list[Point] = []
    for features in asked.features:
        cache = caches / features
        task = {"root": str(root), "cache": str(cache), "features": features, "model": "", "jobs": asked.jobs}
        for size in sizes:  # a cache each; that of the largest serves the runs
            shutil.rmtree(cache, ignore_errors=True)
            points += series({**task, "what": "extract"}, [size], points, asked.minutes)
        for model in asked.models if features == asked.features[0] else ():
            limit = LIMITS.get(model, 0)
            counts = sorted({*sizes, limit}) if 0 < limit <= asked.max_clips else sizes
            points += series({**task, "what": "run", "model": model}, counts, points, asked.minutes)
        shutil.rmtree(cache, ignore_errors=True)
    return points


def summary(asked: argparse.Namespace, points: list[Point]) -> dict[str, Any]:
    """What was measured, ready for JSON."""
    return {
        "machine": machine(),
        "versions": versions(),
        "clip_seconds": SECONDS,
        "jobs": asked.jobs,
        "points": [
            {name: value for name, value in asdict(point).items() if value == value} for point in points
        ],
        "verdicts": verdicts(points),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything measured here")
    parser.add_argument("--max-clips", type=int, default=SIZES[-1], help="the most (50000)")
    parser.add_argument("--jobs", type=int, default=2, help="processes that extract (2)")
    parser.add_argument("--features", nargs="+", default=["pooled", "flagship"], help="the first is fitted")
    parser.add_argument("--models", nargs="*", default=list(MODELS_MEASURED))
    parser.add_argument("--minutes", type=float, default=15, help="the longest that a point may take (15)")
    parser.add_argument("--task", type=json.loads, help=argparse.SUPPRESS)
    parser.add_argument("--began", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.task:
        warnings.simplefilter("ignore")
        print(json.dumps(TASKS[asked.task["what"]](asked.task, asked.began)))
        return
    if not Path("/proc/self/smaps_rollup").exists():
        parser.error("memory is read from /proc, which only Linux has")
    told = machine()
    print(f"{told['processor']}, {told['cores']} cores, {asked.jobs} processes; {told['system']}")
    print(", ".join(f"{name} {number}" for name, number in versions().items()))
    sizes = sorted({size for size in SIZES if size < asked.max_clips} | {asked.max_clips})
    with tempfile.TemporaryDirectory(prefix="ser-scale-") as name:
        print(f"making {sizes[-1]} voices below {name}", file=sys.stderr)
        voices(Path(name) / "audio", sizes[-1], asked.jobs)
        print(HEAD, flush=True)
        points = measure(asked, sizes, Path(name) / "audio", Path(name) / "caches")
    result = summary(asked, points)
    for verdict in result["verdicts"]:
        print(in_words(verdict))
    if asked.json:
        asked.json.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
