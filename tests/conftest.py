"""Fixtures that several test modules share."""

import json
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache as once
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from tiny_corpus import SPEAKERS, record

from ser_classic import cli, report
from ser_classic.audio import waveforms
from ser_classic.cli import interrupts
from ser_classic.corpora import CorpusError, Loaded, load
from ser_classic.corpora.synthetic import synthesise
from ser_classic.features.inputs import Features
from ser_classic.predictor import Predictor

settings.register_profile(  # on a machine with other work, too, each run of the tests has the same result
    "repeatable",
    deadline=None,
    max_examples=50,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("repeatable")
# Where garbage is collected, the trace of a failed task that nobody asked for would be formatted, which
# parses code: in the middle of another parse, Python 3.11 takes that for an error of its own (gh-106905).
logging.getLogger("asyncio").setLevel(logging.CRITICAL)

SLOWEST = (
    "test_torture",
    "test_wheel",
    "test_docs",
    "test_bounds",
    "test_committed",
    "test_cluster",
    "test_app",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes longest is begun first: no worker waits for the last test of another."""
    items.sort(key=lambda item: item.path.stem not in SLOWEST)


@pytest.fixture(scope="session")
def own_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder per emotion: 4 synthetic speakers x 3 emotions x 2 sentences x 2 takes, 48 short clips."""
    root = tmp_path_factory.mktemp("corpora") / "tiny"
    record(root, ("s01", "s02", "s03", "s04"))
    return root


@pytest.fixture(scope="session")
def tiny(own_folder: Path) -> Loaded:
    """The folder above as a corpus called `tiny`, with its speakers."""
    return load(own_folder, Path("data"), Path("cache"), reading=SPEAKERS)


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache for the tests of this process alone: a command that waits for another one's lock says so."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="session")
def voice() -> np.ndarray:
    """A second and a half of an angry voice [shape=(n,), dtype=float32] at 16 kHz."""
    return synthesise("s01", "angry", "t1")


@pytest.fixture(scope="session")
def mfcc13(tiny: Loaded, cache: Path) -> Features:
    """Thirteen means of its clips."""
    from ser_classic.features import FEATURES
    from ser_classic.features.extraction import extract

    return extract(tiny.clips, tiny.root, FEATURES["mfcc13"], cache)


@pytest.fixture(scope="session")
def fitted(own_folder: Path, cache: Path) -> Callable[..., Predictor]:
    """Fit a model to it, on thirteen means unless told otherwise; what is asked for again is there."""
    from ser_classic.predictor.fitting import fit

    @once
    def make(model: str, features: str = "mfcc13", evaluate: bool = False, **options) -> Predictor:
        options |= {"reading": SPEAKERS, "evaluate": evaluate, "cache": cache}
        return fit(str(own_folder), features, model, **options)

    return make


@pytest.fixture(scope="session")
def saved(fitted: Callable[..., Predictor], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of such a predictor."""
    path = tmp_path_factory.mktemp("models") / "m.skops"
    fitted("svm_rbf").save(path)
    return path


@pytest.fixture(scope="session", autouse=True)
def no_other_cache(cache: Path) -> Iterator[None]:
    """Nothing that tests do comes from the user's cache folder or gets into it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SER_CACHE", str(cache))
        yield


@pytest.fixture(autouse=True)
def heard() -> Iterator[None]:
    """Signals are for these tests again where the command line, called in this process, has had them."""
    handlers = {number: signal.getsignal(number) for number in interrupts.SIGNALS}
    yield
    for number, handler in handlers.items():
        signal.signal(number, handler)


class Done(NamedTuple):
    """What a command came to."""

    returncode: int
    stdout: str
    stderr: str

    def said(self, code: int = 0) -> str:
        """What it printed, having ended with this code."""
        assert self.returncode == code, self.stderr
        return self.stdout

    def rows(self, code: int = 0) -> list[dict]:
        """What it answered, a line of JSON each."""
        return [json.loads(line) for line in self.said(code).splitlines()]

    def refused(self, *facts: str, code: int = 1) -> None:
        """It failed with this code and one message, which has the facts: a file, an option, what helps."""
        said = " ".join(self.stderr.replace("│", " ").split())
        assert self.returncode == code, said
        assert "Traceback" not in said
        assert [fact for fact in facts if fact not in said] == [], said


@pytest.fixture
def ser(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    cache: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Callable[..., Done]:
    """Run the command line in this process, in a folder of its own, without a terminal and figures."""
    monkeypatch.setattr(interrupts, "stop_soon", lambda: None)  # it would stop the tests
    waveforms._noticed.clear()
    for name, value in {"SER_DATA": str(tmp_path / "data"), "COLUMNS": "80"}.items():
        monkeypatch.setenv(name, value)
    if "drawn" not in request.keywords:
        monkeypatch.setattr(report, "write", partial(report.write, figures=False))
    logger = logging.getLogger("ser_classic")

    def run(*words: object) -> Done:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "argv", ["ser-classic", *map(str, words)])
        capsys.readouterr()
        handlers, level, lines = logger.handlers[:], logger.level, logging.StreamHandler()
        lines.setLevel(logging.WARNING)  # as Python does where nobody has set up logging
        logger.addHandler(lines)
        try:
            cli.main()
            code = 0
        except SystemExit as stop:
            code = stop.code if isinstance(stop.code, int) else int(stop.code is not None)
        finally:
            logger.handlers[:], logger.level = handlers, level
        return Done(code, *capsys.readouterr())

    return run


@pytest.fixture(scope="session")
def python() -> Callable[..., Done]:
    """Run a program in a new Python, with what the environment is to have beside its own."""

    def run(program: str, *words: object, **environment: str) -> Done:
        command = [sys.executable, "-c", program, *map(str, words)]
        done = subprocess.run(command, env=os.environ | environment, capture_output=True, text=True)
        return Done(done.returncode, done.stdout, done.stderr)

    return run


class Started(subprocess.Popen):
    """A Python in a session of its own that hears Ctrl-C, which a job in the background would ignore."""

    def __init__(self, folder: Path, words: tuple[object, ...], environment: dict[str, str]) -> None:
        self.folder = folder
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        heard = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
        where = {"cwd": folder, "env": os.environ | environment, "start_new_session": True}
        super().__init__([sys.executable, *map(str, words)], preexec_fn=heard, **pipes, **where)

    def until(self, pattern: str) -> None:
        """Wait for a file of such a name in its folder."""
        while not list(self.folder.glob(pattern)):
            assert self.poll() is None, self.stderr.read()
            time.sleep(0.01)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Started]]:
    """Start Python with such words in the test's folder; at the latest, it ends with the test."""
    started: list[Started] = []

    def begin(*words: object, **environment: str) -> Started:
        started.append(Started(tmp_path, words, environment))
        return started[-1]

    yield begin
    for process in started:
        process.kill()
        process.communicate()


STUCK = """
import time
from pathlib import Path

from sklearn.dummy import DummyClassifier

from ser_classic.models import Model

HERE = Path(__file__).parent


class Stuck(DummyClassifier):
    def fit(self, X, y):
        (HERE / "begun").touch()
        while not (HERE / "go").exists():
            time.sleep(0.01)
        return super().fit(X, y)


stuck = Model("stuck", "", lambda seed: Stuck())
"""


@pytest.fixture
def stuck(tmp_path: Path) -> Path:
    """A folder for Python's path with a plug-in, the model `stuck`: from `begun` on it waits for `go`.

    Both are files in this folder. A bench that comes to it is in the middle however fast the machine is.
    """
    described = tmp_path / "plug_in" / "stuck-1.dist-info"
    described.mkdir(parents=True)
    (described / "METADATA").write_text("Metadata-Version: 2.1\nName: stuck\nVersion: 1\n")
    (described / "entry_points.txt").write_text("[ser_classic.models]\nstuck = stuck:stuck\n")
    (described.parent / "stuck.py").write_text(STUCK)
    return described.parent


@pytest.fixture
def brief_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    """The networks of the table train for three epochs, or two where nothing can be held out."""
    from ser_classic.models import MODELS

    for name, model in list(MODELS.items()):
        if model.extra == "deep":

            def estimator(seed: int, model=model):
                return model.estimator(seed).set_params(epochs=3, fixed_epochs=2)

            monkeypatch.setitem(MODELS._built_in, name, replace(model, estimator=estimator))


@pytest.fixture(scope="session")
def corpora() -> Path:
    """The folder with the real corpora; skips where `$SER_DATA` names none."""
    folder = os.environ.get("SER_DATA")
    if not folder or not Path(folder).is_dir():
        pytest.skip("no real corpora: set SER_DATA to the folder that holds them")
    return Path(folder)


@pytest.fixture(scope="session")
def real(corpora: Path) -> Callable[[str], Loaded]:
    """Load one of them; skips where it is not there."""

    def get(name: str) -> Loaded:
        try:
            return load(name, corpora)
        except CorpusError as error:
            pytest.skip(str(error))

    return get
