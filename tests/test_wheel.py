"""The wheel: what stands in it, and that it works without the repository."""

import json
import os
import re
import shutil
import subprocess
import sys
import venv
import zipfile
from email.parser import BytesParser
from importlib.metadata import version
from pathlib import Path

import pytest

import ser_classic
from ser_classic.experiment.suites import SUITES

ROOT = Path(__file__).parents[1]
NOT_SHARED = ("PYTHONPATH", "PYTHONHOME", "SER_DATA")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy of what the repository holds, so that nothing is left behind in it."""
    folder = tmp_path_factory.mktemp("source")
    for name in ("pyproject.toml", "LICENSE", "docs/package.md"):
        (folder / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    shutil.copytree(
        ROOT / "ser_classic", folder / "ser_classic", ignore=shutil.ignore_patterns("__pycache__")
    )
    build = "from setuptools import build_meta; print(build_meta.build_wheel('.'))"
    done = subprocess.run([sys.executable, "-c", build], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder / done.stdout.split()[-1]


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory, cache: Path):
    """The command of an environment of its own that shares the libraries; run in an empty folder."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=False)
    python = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    home = next(folder.rglob("site-packages"))
    shared = [path for path in sys.path if Path(path).name in ("site-packages", "dist-packages")]
    (home / "shared.pth").write_text("\n".join(shared) + "\n")
    install = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--no-index"]
    subprocess.run([*install, "--no-deps", "--no-compile", str(wheel)], check=True)
    empty = tmp_path_factory.mktemp("empty")
    environment = {name: value for name, value in os.environ.items() if name not in NOT_SHARED}
    environment |= {"SER_CACHE": str(cache), "COLUMNS": "80"}

    def run(*words: str) -> str:
        command = [str(python), *words]
        done = subprocess.run(command, cwd=empty, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    where = run("-c", "import ser_classic; print(ser_classic.__file__)").strip()
    assert Path(where).is_relative_to(home)
    run.script = str(python.with_name("ser-classic"))
    run.folder = empty
    return run


def test_it_holds_the_package_whole_and_nothing_else(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    package = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "ser_classic").rglob("*")
        if path.is_file() and path.parent.name != "__pycache__"
    }
    assert {name for name in names if ".dist-info/" not in name} == package
    assert {f"ser_classic/data/suites/{name}.toml" for name in SUITES} <= names


def test_its_version_is_that_of_the_package_and_of_the_citation(wheel):
    assert wheel.name.startswith(f"ser_classic-{ser_classic.__version__}-")
    assert version("ser-classic") == ser_classic.__version__
    citation = (ROOT / "CITATION.cff").read_text()
    assert re.search(r"^version: (.*)$", citation, re.MULTILINE)[1] == ser_classic.__version__
    assert f"\n## {ser_classic.__version__}\n" in (ROOT / "CHANGELOG.md").read_text()


def test_its_long_description_needs_nothing_beside_it(wheel):
    """Rendered, it has a title and code, and each link leads out of the repository."""
    from markdown_it import MarkdownIt

    archive = zipfile.ZipFile(wheel)
    (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
    told = BytesParser().parsebytes(archive.read(name))
    assert told["Description-Content-Type"] == "text/markdown"
    tokens = MarkdownIt().parse(told.get_payload())
    kinds = [token.type for token in tokens]
    assert {"heading_open", "fence"} <= set(kinds)
    assert max(kinds.count("heading_open"), 1) < 10
    inner = [child for token in tokens for child in token.children or ()]
    links = [child.attrs.get("href") or child.attrs.get("src") for child in inner]
    assert all(link.startswith("https://") for link in links if link)


COMMANDS = """
import sys
from pathlib import Path
import pandas as pd
from ser_classic.cli import main

CACHE = sys.argv[1]

def run(words):
    sys.argv = ["ser-classic", *words.split()]
    try:
        main()
    except SystemExit as stop:
        assert not stop.code, words

run("bench quick --model prior --features mfcc13 --protocol speakers5 --jobs 1")
run("folds synthetic speakers5 -o folds.csv")
folds = pd.read_csv("folds.csv")
told = folds.loc[folds["part"] == "test", ["clip", "emotion"]]
told.to_csv("told.csv", index=False)
run("fit synthetic --features mfcc13 --model ridge -o m.skops --no-evaluate --no-robust")
run("score told.csv --corpus synthetic --protocol speakers5 --name right --json")
(clip, *_) = (Path(CACHE) / "corpora").rglob("*.wav")
run(f"predict m.skops {clip} --json")
"""


def test_it_works_in_an_empty_folder(installed):
    assert installed(installed.script, "--version") == f"ser-classic {ser_classic.__version__}\n"
    *_, score, answer = installed("-c", COMMANDS, os.environ["SER_CACHE"]).splitlines()
    assert (installed.folder / "results" / "leaderboard.html").is_file()
    assert json.loads(score)["uar"]["value"] == 1
    assert json.loads(answer)["emotion"]
