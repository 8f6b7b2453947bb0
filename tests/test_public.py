"""The public names: there, cheap to import, and usable as the documentation says."""

from __future__ import annotations

import subprocess
import sys

import pytest

import ser_classic


@pytest.mark.parametrize("name", ser_classic.__all__)
def test_every_public_name_is_there_and_documented(name):
    found = getattr(ser_classic, name)
    assert name in dir(ser_classic)
    assert name.isupper() or found.__doc__


def test_the_names_and_their_homes_are_one_list():
    assert set(ser_classic.__all__) == set(ser_classic._HOMES)
    with pytest.raises(AttributeError, match="nonsense"):
        _ = ser_classic.nonsense


def test_importing_the_package_imports_nothing_else():
    told = "import sys, ser_classic; print(*{name.partition('.')[0] for name in sys.modules})"
    names = subprocess.run(
        [sys.executable, "-c", told], capture_output=True, text=True, check=True
    ).stdout.split()
    assert not {"numpy", "pandas", "sklearn", "librosa", "typer"} & set(names)
