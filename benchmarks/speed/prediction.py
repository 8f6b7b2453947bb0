"""How fast a saved predictor answers: one recording from a cold process, and a folder of a thousand.

    python benchmarks/speed/prediction.py [--json FILE] [--features classic193] [--rounds 7] [--clips 1000]

The cold process is set against `python -c "import sklearn.svm"`, which no answer of a support vector machine
can do without; the two take turns, and the ratio is that of their medians. The folder is answered by one
command, its start included. Recordings are clips from below $SER_DATA where that is set, else synthetic
voices.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import soundfile

from ser_classic.audio import SUFFIXES
from ser_classic.corpora import synthetic
from ser_classic.predictor.fitting import fit
from ser_classic.runtime.provenance import machine
from ser_classic.runtime.workers import THREADS

COMMAND = [sys.executable, "-c", "from ser_classic.cli import main; main()"]
FLOOR = [sys.executable, "-c", "import sklearn.svm"]
UNWANTED = ("librosa", "numba", "xgboost", "matplotlib", "rich", "torch", "skops")


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


def seconds(command: list[str], threads: int = 1) -> float:
    """Wall time of a command that must succeed."""
    limits = dict.fromkeys(THREADS, str(threads))
    started = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env={**os.environ, **limits})
    return time.perf_counter() - started


def imported(predict: list[str]) -> list[str]:
    """Which of the heavy libraries a cold prediction imports that `import sklearn.svm` does not."""
    tell = f"print(*(set({UNWANTED!r}) & set(sys.modules)), file=sys.stderr)"
    answer = f"from ser_classic.cli import main\ntry: main()\nexcept SystemExit: pass\n{tell}"
    found = [
        set(
            subprocess.run(
                [sys.executable, "-c", f"import sys\n{program}", *predict],
                check=True,
                capture_output=True,
                text=True,
            ).stderr.split()
        )
        for program in (answer, f"import sklearn.svm\n{tell}")
    ]
    return sorted(found[0] - found[1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", type=Path, help="write the figures into this file")
    parser.add_argument("--features", default="classic193")
    parser.add_argument("--model", default="svm_rbf")
    parser.add_argument("--rounds", type=int, default=7)
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
        seconds(COMMAND + single), seconds(FLOOR)  # byte code and the disk's cache
        cold, floor = [], []
        for _ in range(asked.rounds):
            floor.append(seconds(FLOOR))
            cold.append(seconds(COMMAND + single))
        many = [*COMMAND, "predict", str(saved), str(folder), "--json", "--jobs", str(asked.jobs)]
        folders = [seconds(many) for _ in range(3)]
        figures = {
            "features": asked.features,
            "model": asked.model,
            "cold_seconds": round(statistics.median(cold), 3),
            "import_sklearn_svm_seconds": round(statistics.median(floor), 3),
            "ratio": round(statistics.median(cold) / statistics.median(floor), 2),
            "heavy_imports": imported(single),
            "clips": asked.clips,
            "jobs": asked.jobs,
            "folder_seconds": round(statistics.median(folders), 2),
            "clips_per_second": round(asked.clips / statistics.median(folders)),
            "machine": machine(),
        }
    print(
        f"one recording, cold: {figures['cold_seconds']} s; import sklearn.svm: "
        f"{figures['import_sklearn_svm_seconds']} s; ratio {figures['ratio']}"
    )
    print(f"heavy imports on that path: {', '.join(figures['heavy_imports']) or 'none'}")
    print(
        f"{asked.clips} recordings, {asked.jobs} processes: {figures['folder_seconds']} s, "
        f"{figures['clips_per_second']} a second"
    )
    if asked.json:
        asked.json.write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
