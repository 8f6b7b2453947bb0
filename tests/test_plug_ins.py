"""Plug-ins that break their promises, in an installed package: each fails its own cells, and no others."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ser_classic import store
from ser_classic.corpora import CORPORA
from ser_classic.features import FEATURES
from ser_classic.models import MODELS
from ser_classic.protocols import PROTOCOLS

MODULE = """
import re
import sys
from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression

from ser_classic.corpora import Corpus
from ser_classic.features import FeatureSet
from ser_classic.models import Model
from ser_classic.protocols import Fold, Protocol, leave_one_speaker_out


def fail(*_):
    raise RuntimeError("planted\\n  here")


class Short(DummyClassifier):
    def predict(self, X):
        return super().predict(X)[:3]


class Foreign(DummyClassifier):
    def predict(self, X):
        return np.repeat("furious", len(X))


class Uncertain(DummyClassifier):
    def predict_proba(self, X):
        return np.full((len(X), len(self.classes_)), np.nan)


class Silent(DummyClassifier):
    def predict_proba(self, X):
        return super().predict_proba(X)[:3]


class Numbered(DummyClassifier):
    def fit(self, X, y):
        super().fit(X, y)
        self.words, self.classes_ = self.classes_, np.arange(len(self.classes_))
        return self

    def predict(self, X):
        return np.repeat(self.words[0], len(X))

    def predict_proba(self, X):
        return np.full((len(X), len(self.words)), 1 / len(self.words))


class Leaving(DummyClassifier):
    def fit(self, X, y):
        sys.exit(3)


class Curved(DummyClassifier):
    def fit(self, X, y):
        self.curves_ = [1, 2]
        return super().fit(X, y)


class Classless(BaseEstimator):
    def fit(self, X, y):
        self.word_ = y[0]
        return self

    def predict(self, X):
        return np.repeat(self.word_, len(X))


@dataclass(frozen=True)
class Wide:
    columns = ("level",)

    def __call__(self, waveform, sample_rate):
        return np.zeros(1 + len(waveform) % 3)


@dataclass(frozen=True)
class Nameless(Wide):
    @property
    def columns(self):
        fail()


failing_split = Protocol("failing_split", "", fail)
of_nothing = Protocol("of_nothing", "", leave_one_speaker_out, trained_on=("nothing",))
failing_model = Model("failing_model", "", fail)
ints = Model("ints", "", lambda seed: LogisticRegression(), {"max_iter": np.arange(100, 102)})
short = Model("short", "", lambda seed: Short())
foreign = Model("foreign", "", lambda seed: Foreign())
uncertain = Model("uncertain", "", lambda seed: Uncertain())
silent = Model("silent", "", lambda seed: Silent())
numbered = Model("numbered", "", lambda seed: Numbered())
leaving = Model("leaving", "", lambda seed: Leaving())
curved = Model("curved", "", lambda seed: Curved())
classless = Model("classless", "", lambda seed: Classless())
wide = FeatureSet("wide", 16_000, Wide())
nameless = FeatureSet("nameless", 16_000, Nameless())
failing_scan = Corpus("failing_scan", "", "", "", "", "", 1, 1, table=fail)
odd_scan = Corpus("odd_scan", "", "", "", "", "", 1, 1, table=lambda root: pd.DataFrame({"file": ["a"]}))
no_scan = Corpus("no_scan", "", "", "", "", "", 1, 1, table=lambda root: None)
leaving_scan = Corpus("leaving_scan", "", "", "", "", "", 1, 1, table=lambda root: sys.exit(3))
"""
KINDS = {"Protocol": "protocols", "Model": "models", "FeatureSet": "features", "Corpus": "corpora"}
TABLES = {table: re.findall(rf"^(\w+) = {kind}\(", MODULE, re.MULTILINE) for kind, table in KINDS.items()}
BROKEN = {
    "contrary": ("protocols", 'Protocol("contrary", "", print, degradation="noise11")'),
    "opaque": ("features", 'FeatureSet("opaque", 16_000, print)'),
    "broken": ("corpora", "1 / 0"),
    "gone": ("corpora", "sys.exit('no licence')"),
    "countless": ("corpora", 'Corpus("countless", "", "", "", "", "", None, 1, table=fail)'),
    "listed": ("models", 'Model("listed", "", fail, [1])'),
}
GRID = '[[grid]]\ncorpora = ["{}"]\nprotocols = ["{}"]\nfeatures = ["{}"]\nmodels = ["{}"]\n'


REGISTRIES = (CORPORA, FEATURES, MODELS, PROTOCOLS)


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder in which a package of such plug-ins is installed, for this process and others."""
    folder = tmp_path / "packages"
    described = folder / "planted-1.dist-info"
    described.mkdir(parents=True)
    (described / "METADATA").write_text("Metadata-Version: 2.1\nName: planted\nVersion: 1\n")
    (folder / "planted.py").write_text(MODULE)
    points = {kind: [f"{name} = planted:{name}" for name in names] for kind, names in TABLES.items()}
    for name, (kind, text) in BROKEN.items():
        (folder / f"{name}.py").write_text(f"from planted import *\n{name} = {text}\n")
        points[kind].append(f"{name} = {name}:{name}")
    lines = [line for kind, of in points.items() for line in (f"[ser_classic.{kind}]", *of)]
    (described / "entry_points.txt").write_text("\n".join(lines) + "\n")
    for name in TABLES["corpora"]:
        (tmp_path / "data" / name).mkdir(parents=True)
    monkeypatch.syspath_prepend(folder)
    forget()
    yield folder
    forget()


def forget() -> None:
    """Let the plug-ins be loaded anew."""
    for registry in REGISTRIES:
        registry.__dict__.pop("_all", None)
    for name in ("planted", *BROKEN):
        sys.modules.pop(name, None)


def test_a_plug_in_that_fails_fails_its_cells_alone(packages, ser, tmp_path, own_folder):
    cells = [
        ("failing_split", "mfcc13", "prior", r"failing_split .*48 clips.*RuntimeError"),
        ("of_nothing", "mfcc13", "prior", "corpora: .*'nothing'"),
        ("loso", "mfcc13", "failing_model", "RuntimeError: planted"),
        ("loso", "mfcc13", "short", r"fold s01: short .*\(3,\).*12 clips"),
        ("loso", "mfcc13", "foreign", "foreign .*'furious'"),
        ("loso", "mfcc13", "uncertain", "Uncertain: "),
        ("loso", "mfcc13", "silent", "silent .*3 .*12 clips"),
        ("loso", "mfcc13", "numbered", "numbered .*0, 1, 2"),
        ("loso", "mfcc13", "leaving", "leaving .*36 clips: SystemExit: 3"),
        ("loso", "mfcc13", "curved", None),
        ("loso", "wide", "prior", r"\(3,\).* 1 "),
        ("loso", "nameless", "prior", "nameless: .*RuntimeError: planted"),
        ("loso", "mfcc13", "ints", None),
        ("loso", "mfcc13", "prior", None),
    ]
    (tmp_path / "s.toml").write_text("".join(GRID.format("synthetic", *cell[:3]) for cell in cells))
    command = ("bench", "s.toml", "--own", str(own_folder), "--speaker", r"/(s\d\d)_", "--jobs")
    first, again = "3 runs done, 0 kept, 11 failed", "0 runs done, 3 kept, 11 failed"
    for jobs, ends in (("2", first), ("1", again)):
        forget()
        done = ser(*command, jobs)
        assert done.returncode == 1
        assert "Traceback" not in done.stderr
        assert ends in done.stdout
        for *names, told in cells:
            assert told is None or re.search(told, done.stderr), names
        for name, why in (
            ("contrary", "'noise11'.*noise20"),
            ("opaque", "dataclass"),
            ("broken", "division by zero"),
            ("gone", "no licence"),
            ("countless", "None"),
            ("listed", "grid"),
        ):
            assert re.search(rf"{name}:{name} \(.*{why}", done.stderr), name
    kept = {run.record["model"]: run for run in store.runs(tmp_path / "results") if run.ok}
    assert kept.keys() == {"ints", "prior", "curved"}
    assert kept["ints"].record["folds"][0]["chosen"] == {"max_iter": 100}
    module = tmp_path / "packages" / "planted.py"
    module.write_text(MODULE.replace("lambda seed: LogisticRegression()", "fail"))  # what ran before, too
    forget()
    assert "3 kept" in ser(*command, "1").stdout
    for words in (("report",), ("features", "list"), ("corpora", "list")):
        shown = ser(*words)
        assert (shown.returncode, "Traceback" in shown.stderr) == (0, False), shown.stderr
        assert "stale" not in shown.stderr


def test_a_corpus_that_fails_fails_its_cells_alone(packages, ser, tmp_path):
    corpora = (*TABLES["corpora"], "synthetic")
    (tmp_path / "s.toml").write_text(
        "".join(GRID.format(name, "loso", "mfcc13", "prior") for name in corpora)
    )
    done = ser("bench", "s.toml", "--jobs", "1")
    assert "1 run done, 0 kept, 4 failed" in done.stdout
    assert "RuntimeError: planted" in done.stderr
    assert "odd_scan: " in done.stderr
    assert "no_scan: " in done.stderr
    assert "SystemExit: 3" in done.stderr
    checked = ser("bench", "--check")
    assert checked.returncode == 0, checked.stderr


@pytest.mark.parametrize(
    ("model", "told"),
    [
        ("failing_model", "RuntimeError: planted here"),
        ("short", "short: "),  # two copies of each
        ("classless", "Classless"),
    ],
)
def test_what_cannot_be_fitted_is_one_message(packages, ser, own_folder, model, told):
    words = ("--speaker", r"/(s\d\d)_", "--features", "mfcc13", "--model", model, "-o", "m.skops")
    done = ser("fit", str(own_folder), *words, "--no-robust", "--jobs", "1")
    done.refused(told)
