"""A module imports only from lower floors."""

import ast
import graphlib
import importlib
import re
from pathlib import Path

import pytest

from ser_classic.cli.commands import COMMANDS
from ser_classic.extras import ENTRY_POINTS
from ser_classic.features import FEATURES
from ser_classic.machines import PARTS
from ser_classic.models import MODELS
from ser_classic.runtime.engines import ENGINES

PACKAGE = Path(__file__).parents[1] / "ser_classic"
LEVELS = (
    "errors vocabulary registry tables tracks audio runtime",
    "corpora features adaptation degradations machines models estimators protocols metrics statistics",
    "experiment store",
    "report plots predictor explore",
    "cli",
)
FLOORS = {name: floor for floor, names in enumerate(LEVELS) for name in names.split()}
# The other extras are reached from floor 1, inside functions.
EXTRAS = {"extras": 0, "cluster": 0, "app": 4, "listen": 4, "onnx": 4}
# What plug-ins may use: those that come with the package use nothing else.
NAMES_OF_INTERFACE = """
    audio cli.answers cli.commands cli.interrupts cli.options cli.printing corpora.synthetic errors
    estimators features features.descriptors features.inputs machines models plots.sound plots.style
    predictor predictor.cards registry runtime.engines
    runtime.files runtime.progress
"""
INTERFACE = {f"ser_classic.{name}" for name in NAMES_OF_INTERFACE.split()}
PLUG_INS = {"app", "cluster", "deep", "embeddings.py", "listen"}
TABLES = {"commands": COMMANDS, "engines": ENGINES, "features": FEATURES, "models": MODELS, "parts": PARTS}


def modules() -> list[Path]:
    outside = {PACKAGE / "__init__.py", PACKAGE / "__main__.py"}
    return sorted(set(PACKAGE.rglob("*.py")) - outside)


def subject(name: str) -> str:
    """`ser_classic.corpora.tess` belongs to `corpora`, `ser_classic.extras.app` to `app`."""
    parts = name.split(".")
    return parts[2] if parts[1] == "extras" and len(parts) > 2 else parts[1]


def floor(name: str) -> int:
    return EXTRAS.get(subject(name), 1) if name.startswith("ser_classic.extras") else FLOORS[subject(name)]


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__")


NAMES = {name_of(path) for path in modules()}


def imports(path: Path) -> set[str]:
    """Modules of the package that a file imports, anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            parts = (f"{node.module}.{alias.name}" for alias in node.names)
            found |= {part if part in NAMES else node.module for part in parts}
    return {name for name in found if name.startswith("ser_classic.")}


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_imports_only_from_its_own_floor_or_lower(path):
    own = name_of(path)
    for name in imports(path):
        assert floor(name) <= floor(own), f"{own} imports {name} from a higher floor"


def test_the_table_of_the_architecture_is_that_of_these_floors():
    page = (PACKAGE.parent / "docs" / "architecture.md").read_text()
    told, number = {}, 0
    for first, second in re.findall(r"^\| ([^|]*)\| (`[^|]*)\|", page, re.MULTILINE):
        number = int(first[0]) if first else number
        told |= dict.fromkeys(re.findall(r"`(\w+)`", second), number)
    assert told == FLOORS


@pytest.mark.parametrize("plug_in", sorted(PLUG_INS))
def test_a_plug_in_that_comes_with_the_package_uses_what_any_other_may(plug_in):
    own, place = f"ser_classic.extras.{plug_in}", PACKAGE / "extras" / plug_in
    files = [place] if place.is_file() else sorted(place.rglob("*.py"))
    assert files
    for path in files:
        for node in ast.walk(ast.parse(path.read_text())):
            assert not isinstance(node, ast.Import) or not any(
                alias.name.startswith("ser_classic") for alias in node.names
            ), f"{path}: import names from modules, so that it shows which"
            module = getattr(node, "module", None) or ""
            if not isinstance(node, ast.ImportFrom) or not module.startswith("ser_classic"):
                continue
            for alias in node.names:
                whole = f"{module}.{alias.name}" if f"{module}.{alias.name}" in NAMES else module
                assert whole in INTERFACE or f"{whole}.".startswith(f"{own}."), f"{path}: {whole}"
                if whole == module and module in INTERFACE:
                    public = getattr(importlib.import_module(module), "__all__", [alias.name])
                    assert alias.name in public, f"{path}: {module}.{alias.name}"
                    assert not alias.name.startswith("_"), f"{path}: {module}.{alias.name}"


def test_plug_ins_that_come_with_the_package_are_in_its_tables():
    for kind, values in ENTRY_POINTS.items():
        for value in values:
            module, _, name = value.partition(":")
            entry = getattr(importlib.import_module(module), name)
            assert TABLES[kind][entry.name] is entry


def test_no_modules_import_each_other_round_in_a_circle():
    """Not inside functions, either, nor for types alone."""
    graph = {name_of(path): imports(path) - {name_of(path)} for path in modules()}
    tuple(graphlib.TopologicalSorter(graph).static_order())  # raises an error that names the circle


@pytest.mark.parametrize("name", ["ser_classic.report", "ser_classic.store"])
def test_to_read_results_no_estimator_is_loaded_and_nothing_that_reads_audio(python, name):
    """Not by way of other modules, either: what counts is what a new process holds."""
    told = python(f"import {name}, sys; print(*sys.modules)").said().split()
    kept_out = ("sklearn", "ser_classic.estimators", "ser_classic.models", "ser_classic.features")
    kept_out += ("ser_classic.audio", "ser_classic.corpora", "soundfile", "matplotlib", "scipy.signal")
    assert name in told
    assert not [module for module in told if module.startswith(kept_out)]


def test_no_file_of_code_is_longer_than_600_lines():
    root = PACKAGE.parent
    for path in [*modules(), *(root / "tests").rglob("*.py"), *(root / "benchmarks").rglob("*.py")]:
        assert len(path.read_text().splitlines()) <= 600, path


HEAVY = {
    *("sklearn", "scipy", "pandas", "matplotlib", "joblib", "librosa", "numba", "xgboost"),
    *("skops", "rich", "torch", "pydantic"),
}
RUNS = """
import sys
from ser_classic.cli import main
try:
    main()
except SystemExit as stop:
    assert not stop.code, stop.code
print(*sys.modules, file=sys.stderr)
"""


def test_a_cold_prediction_loads_nothing_that_it_does_not_need(python, fitted, own_folder, tmp_path):
    fitted("svm_rbf", "pooled").save(tmp_path / "m.skops")
    done = python(RUNS, "predict", tmp_path / "m.skops", own_folder / "sad" / "s01_t1_1.wav")
    loaded = set(done.stderr.splitlines()[-1].split())
    assert "ser_classic.predictor.core" in loaded
    assert not loaded & HEAVY


def test_help_loads_no_numbers(python):
    loaded = set(python(RUNS, "--help").stderr.splitlines()[-1].split())
    assert "ser_classic.cli" in loaded
    assert not loaded & (HEAVY - {"rich"} | {"numpy", "soundfile", "markdown_it", "pygments"})


def test_what_models_set_is_known_without_any_of_their_estimators(python):
    """So that a report, which looks for stale runs, loads none."""
    code = """
import sys
from ser_classic.models import MODELS, REGRESSORS
for table in (MODELS, REGRESSORS):
    for model in table.values():
        model.stated()
print(*sys.modules)
"""
    told = python(code).said()
    assert not {"sklearn", "torch", "xgboost", "ser_classic.estimators"} & set(told.split())
