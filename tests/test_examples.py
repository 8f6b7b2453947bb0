"""The pages of examples/ run as they stand, block by block, in an empty folder."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = sorted((Path(__file__).parents[1] / "examples").glob("*.md"))


@pytest.mark.slow
@pytest.mark.parametrize("page", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_runs(page, cache, tmp_path):
    environment = os.environ | {"SER_CACHE": str(cache), "COLUMNS": "80"}
    told = ""
    for kind, text in re.findall(r"^```(\w+)\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL):
        command = [sys.executable, "-c", text]
        if kind == "sh":
            program = f'"{sys.executable}" -m ser_classic '
            command = ["sh", "-ec", text.replace("ser-classic ", program)]
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        told += done.stdout
    assert re.search(r"^UAR +\.[3-9]\d\d +\.\d+ to \.\d+", told, re.MULTILINE)
