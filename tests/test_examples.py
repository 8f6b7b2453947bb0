"""The pages of examples/ run as they stand, block by block, in an empty folder."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

EXAMPLES = sorted((Path(__file__).parents[1] / "examples").glob("*.md"))


@pytest.mark.parametrize("page", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_runs(page, ser, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    told = ""
    for kind, text in re.findall(r"^```(\w+)\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL):
        if kind == "python":
            exec(compile(text, page.name, "exec"), {})
            continue
        for line in text.splitlines():
            program, *words = shlex.split(line)
            done = ser(*words)
            assert (program, done.returncode) == ("ser-classic", 0), done.stderr
            told += done.stdout
    assert re.search(r"^UAR +\.[3-9]\d\d +\.\d+ to \.\d+", told, re.MULTILINE)
