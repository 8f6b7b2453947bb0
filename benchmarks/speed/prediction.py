"""How fast a saved predictor answers: help and one recording from a cold process, and a folder of a thousand.

    python benchmarks/speed/prediction.py [--json FILE] [--features pooled] [--rounds 9] [--clips 1000]

Cold processes are set against `python -c "import sklearn.svm"`, with which an answer of a scikit-learn
pipeline would begin. They take turns, and ratios are those of medians, of wall time and of processor time.
The folder is answered by one command, its start included, and set against what one core extracts and answers
in this process. Recordings are clips from below $SER_DATA where that is set, else synthetic voices.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import soundfile

from ser_classic.audio import SUFFIXES
from ser_classic.corpora import synthetic
from ser_classic.predictor import load_predictor
from ser_classic.predictor.fitting import fit
from ser_classic.runtime.provenance import machine
from ser_classic.runtime.workers import THREADS

COMMAND = [sys.executable, "-c", "from ser_classic.cli import main; main()"]
FLOOR = [sys.executable, "-c", "import sklearn.svm"]
BARS = {"predict": 0.6, "help": 0.15}
SHARE = 0.8


def recordings(folder: Path, number: int) -> list[Path]:
    """So many links to clips, made in a folder."""
    data = os.environ.get("SER_DATA")
    found: list[Path] = []
    if data:
        found = sorted(path for path in Path(data).rglob("*") if path.suffix.lower() in SUFFIXES)
        found = found[:: max(1, len(found) // number)]
    else:
        acted = itertools.product(synthetic.SPEAKERS, synthetic.ACTED)
        for speaker, emotion in itertools.islice(acted, 50):
            path = folder.parent / f"{speaker}-{emotion}.wav"
            soundfile.write(path, synthetic.synthesise(speaker, emotion, "t1"), synthetic.SAMPLE_RATE)
            found.append(path)
    links = []
    for place in range(number):
        source = found[place % len(found)]
        links.append(folder / f"{place:04d}{source.suffix}")
        links[-1].symlink_to(source.resolve())
    return links


def seconds(command: list[str], threads: int = 1) -> tuple[float, float]:
    """Wall time and processor time of a command that must succeed."""
    limits = dict.fromkeys(THREADS, str(threads))
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(
        command,
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, **limits},
    )
    wall, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def quartiles(taken: list[tuple[float, float]], which: int) -> list[float]:
    """Lower quartile, median and upper quartile [s] of wall (0) or processor time (1)."""
    return [round(value, 3) for value in np.quantile([each[which] for each in taken], (0.25, 0.5, 0.75))]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", type=Path, help="write the figures into this file")
    parser.add_argument("--features", default="pooled")
    parser.add_argument("--model", default="svm_rbf")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--clips", type=int, default=1000)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "clips"
        folder.mkdir()
        clips = recordings(folder, asked.clips)
        saved = Path(name) / "m.skops"
        fit("synthetic", asked.features, asked.model, evaluate=False, jobs=asked.jobs).save(saved)
        single = ["predict", str(saved), str(clips[0])]
        turns = {"floor": FLOOR, "predict": COMMAND + single, "help": [*COMMAND, "--help"]}
        taken: dict[str, list[tuple[float, float]]] = {name: [] for name in turns}
        for turn in range(asked.rounds + 1):
            for name, command in turns.items():
                measured = seconds(command)
                if turn:  # the first is for byte code and the disk's cache
                    taken[name].append(measured)
        predictor = load_predictor(saved)
        many = [*COMMAND, "predict", str(saved), str(folder), "--json", "--jobs", str(asked.jobs)]
        alone, together = [], []
        for _ in range(min(3, asked.rounds)):
            started = time.perf_counter()
            predictor.rows(clips[: len(clips) // 4])
            alone.append(len(clips) // 4 / (time.perf_counter() - started))
            together.append(len(clips) / seconds(many)[0])
        medians = {name: [quartiles(each, which)[1] for which in (0, 1)] for name, each in taken.items()}
        figures = {
            "features": asked.features,
            "model": asked.model,
            "file_bytes": saved.stat().st_size,
            "rounds": asked.rounds,
            "wall_seconds": {name: quartiles(each, 0) for name, each in taken.items()},
            "processor_seconds": {name: quartiles(each, 1) for name, each in taken.items()},
            "ratios": {
                name: [round(medians[name][which] / medians["floor"][which], 3) for which in (0, 1)]
                for name in ("predict", "help")
            },
            "clips": asked.clips,
            "jobs": asked.jobs,
            "one_core_clips_per_second": round(statistics.median(alone)),
            "folder_clips_per_second": round(statistics.median(together)),
            "folder_share": round(statistics.median(together) / statistics.median(alone) / asked.jobs, 2),
            "machine": machine(),
        }
    for name, bar in BARS.items():
        wall, cpu = figures["ratios"][name]
        print(f"{name}, cold: {wall} of `import sklearn.svm`, {cpu} by processor time (at most {bar})")
    print(
        f"{asked.clips} recordings, {asked.jobs} processes: {figures['folder_clips_per_second']} a second, "
        f"{figures['folder_share']} of {asked.jobs} times one core's "
        f"{figures['one_core_clips_per_second']} (at least {SHARE})"
    )
    if asked.json:
        asked.json.write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
