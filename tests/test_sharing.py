"""Two benches on one results folder and one cache: the second waits, and nothing is done twice."""

import json
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from ser_classic import store
from ser_classic.experiment.bench import bench
from ser_classic.experiment.cells import Cell

BENCH = """
import json, sys
from pathlib import Path
from ser_classic.corpora import Reading, load
from ser_classic.experiment.cells import Cell
from ser_classic.experiment.bench import bench
corpus, folder, cache, cells = *map(Path, sys.argv[1:4]), json.loads(sys.argv[4])
own = load(corpus, reading=Reading(speaker=r"/(s\\d\\d)_"))
cells = [Cell(*cell) for cell in cells]
outcome = bench(cells, folder / "results", cache=cache, own={"tiny": own})
print(json.dumps([outcome.done, outcome.kept, outcome.problems]))
"""
CELLS = [
    ("tiny", protocol, features, model)
    for features in ("mfcc13", "mfcc_chroma_contrast")
    for model in ("prior", "ridge")
    for protocol in ("loso", "loso_adapted")
]
IDS = [Cell(*cell).id for cell in CELLS]
STUCK = ("tiny", "loso", "mfcc13", "stuck")


@pytest.fixture
def begin(start, stuck: Path, own_folder: Path, cache: Path, tmp_path: Path) -> Callable:
    """Start a bench of some cells in a process of its own."""
    words = ("-c", BENCH, own_folder, tmp_path, cache)
    return lambda cells: start(*words, json.dumps(cells), PYTHONPATH=str(stuck))


def digests(results: Path) -> dict[str, str]:
    return {run.id: run.record["digests"]["predictions"] for run in store.runs(results)}


@pytest.fixture(scope="module")
def alone(tiny, cache, tmp_path_factory) -> dict[str, str]:
    """What one undisturbed bench gives."""
    results = tmp_path_factory.mktemp("alone")
    bench([Cell(*cell) for cell in CELLS], results, cache=cache, own={"tiny": tiny})
    return digests(results)


def test_the_second_waits_for_the_first_and_does_the_rest(begin, stuck, tmp_path, alone):
    first = begin([*CELLS[:6], STUCK])
    first.until("plug_in/begun")
    second = begin(CELLS)
    assert "waiting" in second.stderr.readline()
    (stuck / "go").touch()
    told = [process.communicate(timeout=300) for process in (first, second)]
    (done, _, _), (more, kept, problems) = (json.loads(out) for out, _ in told)
    assert sorted(done + more) == sorted([*IDS, Cell(*STUCK).id])
    assert sorted(more + kept) == sorted(IDS)
    assert not problems
    assert alone.items() <= digests(tmp_path / "results").items()


def test_the_second_takes_over_when_the_first_is_killed(begin, tmp_path, alone):
    first = begin([*CELLS[:6], STUCK])
    first.until("plug_in/begun")
    first.send_signal(signal.SIGSTOP)
    second = begin(CELLS)
    assert "waiting" in second.stderr.readline()
    held = digests(tmp_path / "results")
    assert held
    first.kill()
    out, _ = second.communicate(timeout=300)
    done, kept, _ = json.loads(out)
    assert sorted(done + kept) == sorted(IDS)
    assert set(held) <= set(kept)
    assert digests(tmp_path / "results") == alone
    with store.writing_runs(tmp_path / "results"):
        assert not list((tmp_path / "results").rglob(".draft-*"))
