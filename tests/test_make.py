"""What `make` says where it cannot set up its environment: one line with what to do."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
OF_MAKE = ("MAKELEVEL", "MAKEFLAGS", "MFLAGS")  # `make test` runs these tests, and is not to be heard of
LATER = """case "$*" in
*version_info*) exit {old} ;;
*ensurepip*) exit {bare} ;;
*"-m venv "*) mkdir -p .venv/bin && printf '#!/bin/sh\\necho no network; exit 1\\n' >.venv/bin/python
  chmod +x .venv/bin/python ;;
esac
"""


@pytest.fixture
def make(tmp_path):
    """`make install` in a folder of its own, with a Python that is none."""
    if shutil.which("make") is None:
        pytest.skip("make is not installed")
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, tmp_path)

    def run(python: str) -> subprocess.CompletedProcess[str]:
        command = ["make", f"PYTHON={python}", "install"]
        outside = {name: value for name, value in os.environ.items() if name not in OF_MAKE}
        return subprocess.run(command, cwd=tmp_path, env=outside, capture_output=True, text=True)

    return run


@pytest.mark.parametrize(
    ("old", "bare", "remedy"),
    [(1, 0, "make PYTHON=python3.12"), (0, 1, "apt install python3-venv"), (0, 0, ".venv/pip.log")],
)
def test_what_is_lacking_is_one_line(make, tmp_path, old, bare, remedy):
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\n" + LATER.format(old=old, bare=bare))
    python.chmod(0o755)
    told = make(str(python))
    assert told.returncode == 2
    line, of_make = told.stderr.splitlines()
    assert remedy in line
    assert of_make.startswith("make: ***")
    assert not (tmp_path / ".venv" / "bin" / "ser-classic").exists()


def test_without_a_python_a_later_one_is_asked_for(make):
    assert "make PYTHON=python3.12" in make("python-that-is-not-there").stderr.splitlines()[0]
