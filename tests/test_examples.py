"""The pages of examples/ run as they stand, block by block, in an empty folder."""

import re
import runpy
import shlex
import sys
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


def test_the_scripts_of_the_readme_run_between_its_commands(ser, tmp_path, monkeypatch):
    """Its lines of folds, my_model.py and score, then voices.py and scan; without the benches."""
    readme = EXAMPLES[0].parents[1] / "README.md"
    begun = ("ser-classic folds", "ser-classic score", "ser-classic corpora scan", "python examples/")
    lines = [line.split("  #")[0] for line in readme.read_text().splitlines() if line.startswith(begun)]
    assert len(lines) == 5
    monkeypatch.chdir(tmp_path)
    for line in lines:
        program, *words = shlex.split(line)
        if program == "python":
            monkeypatch.setattr(sys, "argv", words)
            runpy.run_path(str(readme.parent / words[0]))
        else:
            done = ser(*words)
            assert done.returncode == 0, done.stderr
    assert "504 clips, 12 speakers" in done.stdout
