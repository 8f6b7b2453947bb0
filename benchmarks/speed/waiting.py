"""How long a user waits for a benchmark: for its first fold, where nothing is left to run, and for reports.

    python benchmarks/speed/waiting.py [--json FILE] [--results results] [--rounds 5]

Every command is a process of its own, with one job; figures are medians of its processor time [s], which
other work on the machine changes little. Reports are drawn of a copy of the results, once from nothing. With
nothing left to run are the suites of `make bench` whose runs are all stored, as far as their corpora are at
hand. The first fold is one of `bench quick`, whose features are in the cache.
"""

from __future__ import annotations

import argparse
import json
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from ser_classic import store
from ser_classic.experiment.suites import read_suite, runnable
from ser_classic.runtime.files import data_folder
from ser_classic.runtime.provenance import machine

COMMAND = [sys.executable, "-c", "from ser_classic.cli import main; main()"]
MAKEFILE = Path(__file__).parents[2] / "Makefile"
LIMITS = {"report from nothing": 15.0, "report again": 1.0, "bench with nothing left": 2.0, "first fold": 3.0}


def stored_whole(results: Path) -> list[str]:
    """The suites of `make bench` whose runs are all stored."""
    listed = re.search(r"bench ((?:\w+ )+)--jobs", MAKEFILE.read_text())
    done = {run.id for run in store.runs(results) if run.ok}
    suites = []
    for name in listed[1].split():
        cells, _ = runnable(read_suite(name), {}, data_folder())
        if cells and all(cell.id in done for cell in cells):
            suites.append(name)
    return suites


def seconds(words: list[str], until: str = "") -> float:
    """Processor time of a command that must succeed, or until a line of stderr has a word."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [*COMMAND, *words, "--verbose"] if until else [*COMMAND, *words]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        told = []
        for line in process.stderr:
            told.append(line)
            if until and until in line:
                process.kill()
                break
    if process.returncode and not until:
        raise SystemExit("".join(told))
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", type=Path, help="write the figures into this file")
    parser.add_argument("--results", type=Path, default=Path("results"))
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        copy, fresh = Path(name) / "results", Path(name) / "fresh"
        shutil.copytree(asked.results, copy)
        suites = stored_whole(copy)
        drawn = ["--results", str(copy), "--cache", str(Path(name) / "cache")]
        turns = {
            "report again": (["report", *drawn],),
            "bench with nothing left": (["bench", *suites, *drawn, "--jobs", "1"],),
            "first fold": (["bench", "quick", "--results", str(fresh), "--jobs", "1"], "fold 1:"),
        }
        if not suites:
            del turns["bench with nothing left"]
        waits = {"report from nothing": seconds(["report", *drawn])}
        taken: dict[str, list[float]] = {each: [] for each in turns}
        for turn in range(asked.rounds + 1):
            for each, command in turns.items():
                figure = seconds(*command)
                if turn:  # the first is for byte code and caches
                    taken[each].append(figure)
            shutil.rmtree(fresh)
    waits |= {each: statistics.median(figures) for each, figures in taken.items()}
    for each, figure in waits.items():
        print(f"{each}: {figure:.2f} s of processor time (at most {LIMITS[each]:g})")
    if asked.json:
        facts = {"runs": len(store.folders(asked.results)), "suites": suites, "rounds": asked.rounds}
        facts |= {"seconds": waits, "machine": machine()}
        asked.json.write_text(json.dumps(facts, indent=1) + "\n")


if __name__ == "__main__":
    main()
