"""The public names: there, cheap to import, and usable as the documentation says."""

import pytest

import ser_classic


def test_the_names_and_their_homes_are_one_list():
    assert set(ser_classic.__all__) == set(ser_classic._HOMES)
    with pytest.raises(AttributeError, match="nonsense"):
        _ = ser_classic.nonsense


def test_importing_the_package_imports_nothing_else(python):
    names = python("import sys, ser_classic; print(*sys.modules)").said().split()
    assert not {"numpy", "pandas", "sklearn", "librosa", "typer"} & set(names)
