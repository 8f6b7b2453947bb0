"""The examples in docstrings run, and every public name has one."""

import doctest
import importlib
from pathlib import Path

import pytest

import ser_classic

PACKAGE = Path(ser_classic.__file__).parent
MODULES = sorted(
    ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__")
    for path in PACKAGE.rglob("*.py")
    if ">>>" in path.read_text("utf-8")
)
TABLES = {"CORPORA", "FEATURES", "METRICS", "MODELS", "PROTOCOLS"}  # in the package's own examples


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_a_module_run(name, cache, monkeypatch, tmp_path):
    monkeypatch.setenv("SER_CACHE", str(cache))
    monkeypatch.chdir(tmp_path)
    if "extras.deep" in name:
        pytest.importorskip("torch", reason="torch is not installed")
    found = doctest.testmod(importlib.import_module(name), optionflags=doctest.NORMALIZE_WHITESPACE)
    assert found.attempted
    assert not found.failed


@pytest.mark.parametrize("name", ser_classic.__all__)
def test_every_public_name_is_there_and_has_an_example(name):
    assert name in dir(ser_classic)
    told = ser_classic.__doc__ if name in TABLES else getattr(ser_classic, name).__doc__
    assert ">>>" in told
    assert name not in TABLES or f'{name}["' in told
