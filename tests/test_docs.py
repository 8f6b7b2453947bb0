"""The documentation can be built with every warning an error; its tutorials are run by `make docs` alone."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from ser_classic import load

ROOT = Path(__file__).parents[1]


def test_the_site_is_built_without_a_warning(tmp_path):
    for library in ("mkdocs", "material", "mkdocstrings", "markdown_exec"):
        pytest.importorskip(library, reason="the extra `docs` is not installed")
    load("synthetic")  # made here: what processes that make voices have to say is no warning of the site
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", tmp_path]
    environment = os.environ | {"NO_MKDOCS_2_WARNING": "1", "TUTORIALS": "false"}
    built = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    told = [line for line in built.stderr.splitlines() if not line.startswith("INFO")]
    assert (built.returncode, told) == (0, []), "with --quiet, no warning would count"
    for each in tmp_path.rglob("*.html"):
        assert not re.search(
            r'<(?:script|link)[^>]*(?:src|href)="https?:(?!//localhost)', each.read_text()
        ), each
    page = (tmp_path / "python.html").read_text()
    assert "load_predictor" in page
    assert "speakers5" in page, "its examples are shown"
