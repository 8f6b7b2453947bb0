"""A Dask cluster as the engine: the results of one process, whatever becomes of the workers."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
from threadpoolctl import threadpool_info

from ser_classic import store
from ser_classic.errors import SerClassicError
from ser_classic.models import MODELS
from ser_classic.runtime.engines import ENGINES

pytest.importorskip("distributed", reason="the extra `cluster` is not installed")
from ser_classic.extras.cluster import workers as cluster


class Cluster:
    """A scheduler and workers, each a process of its own, on loopback."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.file = folder / "scheduler.json"
        self.processes: list[subprocess.Popen] = []
        self.start("scheduler", "--port", "0")
        wait_for(lambda: self.file.exists() and self.file.read_text().endswith("}"))
        self.address = json.loads(self.file.read_text())["address"]

    def start(self, role: str, *words: str) -> subprocess.Popen:
        """Start `dask scheduler` or `dask worker`; it can import this module, and would use three threads."""
        words = ("-m", "dask", role, "--scheduler-file", str(self.file), "--no-dashboard", *words)
        path = os.pathsep.join([str(Path(__file__).parent), *filter(None, sys.path)])
        environment = os.environ | {"PYTHONPATH": path} | dict.fromkeys(cluster.THREADS, "3")
        command = [sys.executable, *words, "--host", "127.0.0.1"]
        with (self.folder / f"{role}.log").open("a") as log:
            process = subprocess.Popen(command, cwd=self.folder, env=environment, stdout=log, stderr=log)
        self.processes.append(process)
        return process

    def worker(self, threads: int = 1) -> subprocess.Popen:
        """Start a worker that nobody starts again."""
        return self.start("worker", "--nthreads", str(threads), "--no-nanny")


@pytest.fixture
def dask(tmp_path_factory, stuck, monkeypatch) -> Iterator[Cluster]:
    """A scheduler that knows the model `stuck`, as we do; its workers and itself are killed at last."""
    monkeypatch.syspath_prepend(stuck)
    MODELS.__dict__.pop("_all", None)  # plug-ins are looked for again, now and afterwards
    started = Cluster(tmp_path_factory.mktemp("dask"))
    yield started
    MODELS.__dict__.pop("_all", None)
    for process in started.processes:
        process.kill()
        process.wait()


def wait_for(true: Callable[[], object], seconds: float = 300) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)


SUITE = """
[[grid]]
corpora = ["synthetic"]
protocols = ["loso", "loso_adapted", "random5"]
features = ["mfcc13"]
models = ["prior", "ridge", "svm_linear", "stuck"]
"""


def test_a_worker_killed_in_the_middle_leaves_the_results_of_one_process(
    dask, own_folder, stuck, tmp_path, monkeypatch, ser
):
    from distributed import Client

    monkeypatch.setattr(cluster, "CONNECT", 300)
    wait = Client.wait_for_workers
    with monkeypatch.context() as patch:
        patch.setattr(Client, "wait_for_workers", lambda client, number, timeout: wait(client, number, 0.1))
        with pytest.raises(SerClassicError, match="workers"):
            cluster.connected(dask.address, tmp_path, tmp_path).__enter__()
    victim, _ = dask.worker(), dask.worker()
    (tmp_path / "s.toml").write_text(SUITE)
    runs = tmp_path / "many" / "runs"
    seen = []

    def kill() -> None:
        wait_for(lambda: list(runs.glob("*/run.json")) and client.processing()[address])
        victim.send_signal(signal.SIGKILL)
        seen.append(len(list(runs.glob("*/run.json"))))
        (stuck / "go").touch()

    words = ["bench", "s.toml", "--own", own_folder, "--speaker", r"/(s\d\d)_"]
    with Client(dask.address) as client:
        client.wait_for_workers(2, timeout=300)
        address = {pid: address for address, pid in client.run(os.getpid).items()}[victim.pid]
        killer = threading.Thread(target=kill)
        killer.start()
        many = ("--engine", "dask", "--scheduler", dask.address, "--results", "many", "--cache", "shared")
        told = ser(*words, *many)
        killer.join()
    assert told.stdout.startswith("12 runs done, 0 kept, 0 failed\n"), told.stderr
    assert 1 <= seen[0] < 12
    ser(*words, "--jobs", "1", "--results", "one", "--cache", "alone")
    many, one = (
        {run.id: run.record["digests"] for run in store.runs(tmp_path / name)} for name in ("many", "one")
    )
    assert many == one
    assert not list((tmp_path / "shared").glob(".cluster-*"))


class Shared:
    """Counts how often this process sends it."""

    sent = 0

    def __reduce__(self) -> tuple:
        Shared.sent += 1
        return Shared, ()


def facts(shared: Shared, number: int) -> tuple[int, int, set[int], str]:
    """Which process did it, with how many threads, now and in a library that is loaded later."""
    threads = {library["num_threads"] for library in threadpool_info()}
    return number, os.getpid(), threads, os.environ["OMP_NUM_THREADS"]


def die(shared: None) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def divide(shared: int, number: int) -> float:
    return shared / number


def forgive_nothing(dask_scheduler) -> None:
    dask_scheduler.allowed_failures = 0


def test_what_is_shared_is_sent_once_and_all_that_goes_wrong_is_told(dask, tmp_path, monkeypatch):
    monkeypatch.setattr(cluster, "CONNECT", 300)
    first, second = dask.worker(), dask.worker()
    with cluster.connected(dask.address, tmp_path, tmp_path) as engine:
        engine.client.wait_for_workers(2, timeout=300)
        shared = Shared()
        numbered = sorted(engine.run(facts, [(shared, number) for number in range(40)], "sums"))
        found = [each for _, each in numbered]
        assert [number for number, _ in numbered] == [number for number, *_ in found] == list(range(40))
        assert {pid for _, pid, *_ in found} == {first.pid, second.pid}
        assert all(told == ({1}, "1") for *_, told in ((each[0], each[2:]) for each in found))
        assert Shared.sent == 1
        with pytest.raises(ZeroDivisionError):
            list(engine.run(divide, [(1, 1), (1, 0)], "sums"))

        monkeypatch.setitem(sys.modules, "not_there", ModuleType("not_there"))
        foreign = type("Foreign", (), {"__module__": "not_there"})
        monkeypatch.setattr(sys.modules["not_there"], "Foreign", foreign, raising=False)
        with pytest.raises(SerClassicError, match=rf"{dask.address}.*not_there.*install"):
            list(engine.run(facts, [(foreign(), 1)], "sums"))

        third = dask.worker(threads=2)
        wait_for(lambda: len(engine.client.nthreads()) == 3)
        with pytest.raises(SerClassicError, match=r"2 threads.*--nthreads 1"):
            list(engine.run(facts, [(shared, number) for number in range(99)], "sums"))
        third.kill()
        wait_for(lambda: len(engine.client.nthreads()) == 2)

        engine.client.run_on_scheduler(forgive_nothing)
        with pytest.raises(SerClassicError, match="1 of 1 sums"):
            list(engine.run(die, [(None,)], "sums"))
        wait_for(lambda: len(engine.client.nthreads()) == 1)
        monkeypatch.setattr(cluster, "FETCH", 1)
        monkeypatch.setattr(cluster, "PATIENCE", 1)
        results = engine.run(divide, [(1, 1), (1, 2), (1, 4)], "sums")
        assert next(results) in [(0, 1), (1, 1 / 2), (2, 1 / 4)]
        left = engine.client.futures  # done, but their results are with the worker, and go with it
        wait_for(lambda: all(other.status != "pending" for other in list(left.values())))
        for process in (first, second):
            process.kill()
        with pytest.raises(SerClassicError, match="1 s"):
            list(results)
        threading.Timer(0.5, dask.processes[0].kill).start()
        monkeypatch.setattr(cluster, "PATIENCE", 300)
        with pytest.raises(SerClassicError, match="scheduler"):
            list(engine.run(divide, [(1, 1)], "sums"))


@pytest.fixture
def terms(tmp_path) -> cluster.Terms:
    (tmp_path / "token").touch()
    return cluster.Terms(tmp_path / "token", None, cluster.libraries())


ONE_THREAD = SimpleNamespace(state=SimpleNamespace(nthreads=1))


def test_a_worker_that_does_not_fit_is_told_from_one_that_does(terms, tmp_path, monkeypatch):
    assert terms.broken(ONE_THREAD) is None
    without = cluster.Terms(terms.token, tmp_path / "data", terms.versions)
    assert without.broken(ONE_THREAD).startswith(f"does not see {tmp_path / 'data'}")
    monkeypatch.setattr(cluster, "libraries", lambda: terms.versions | {"numpy": "1.0", "other": "1"})
    assert f"numpy 1.0 instead of {terms.versions['numpy']}" in terms.broken(ONE_THREAD)
    terms.token.unlink()
    assert terms.broken(ONE_THREAD).startswith(f"does not see {tmp_path}; ")


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("nonsense", "missing port number"),
        ("foo://there:1", "unknown address scheme"),
        ("127.0.0.1:{nobody}", ""),
        ("127.0.0.1:{other}", "silent for 1 s"),
    ],
)
def test_an_address_where_no_scheduler_answers_is_told(address, reason, tmp_path, monkeypatch):
    monkeypatch.setattr(cluster, "CONNECT", 1)
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as other:
        with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as closed:
            nobody = closed.getsockname()[1]
        address = address.format(nobody=nobody, other=other.getsockname()[1])
        with pytest.raises(SerClassicError, match=f"{address}.*{reason}"):
            ENGINES["dask"].open(tmp_path, tmp_path, 1, address).__enter__()


def test_without_the_extra_the_command_that_installs_it_is_told(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(SerClassicError, match=r"pip install 'ser-classic\[cluster\]'"):
        ENGINES["dask"].open(tmp_path, tmp_path, 1, "tcp://127.0.0.1:8786").__enter__()
