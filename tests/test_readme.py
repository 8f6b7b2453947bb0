"""The README and docs/ say what is so: the table, the files, the commands and the Python."""

import re
import shlex
from pathlib import Path

import pandas as pd
import pytest
import typer.main

from ser_classic.cli import app
from ser_classic.predictor.fitting import fit

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
PAGES = sorted((ROOT / "docs").rglob("*.md"))
DOCUMENTS = "\n".join([README, *(path.read_text() for path in PAGES)])
BLOCKS = re.findall(r"^```(\w*)[^\n]*\n(.*?)^```", DOCUMENTS, flags=re.MULTILINE | re.DOTALL)
LINES = [line for kind, text in BLOCKS if kind in ("", "bash") for line in text.splitlines()]
IN_PROSE = re.findall(r"`(ser-classic [a-z][^`]+)`", DOCUMENTS)
COMMANDS = [
    line.split("  #")[0].split("# markdown-exec")[0].strip() for line in [*LINES, *IN_PROSE] if line.strip()
]
PATHS = re.findall(r"`((?:results|tests|benchmarks|docs|examples|ser_classic)/[\w./-]*)`", DOCUMENTS)
REFERENCE = ("changes", "commands", "corpus-facts", "features", "models", "protocols", "python")
WRITTEN_AT_BUILD = {"floors.svg"} | {f"{page}.md" for page in REFERENCE}
PYTHON = [text for kind, text in BLOCKS if kind == "python"]


def test_what_helped_gives_the_figures_of_the_committed_runs():
    """The first table of its page, cell by cell; the leaderboard has four decimals, the page three."""
    lines = (ROOT / "docs" / "what-helped.md").read_text().partition("\n| system |")[2].partition("\n\n")[0]
    board = pd.read_csv(ROOT / "results" / "leaderboard.csv")
    board = board[board["seed"] == 0].set_index(["corpus", "protocol", "features", "model"])
    columns = (
        ("ravdess", "emobox"),
        ("ravdess", "emobox_adapted"),
        ("emodb", "loso"),
        ("emodb", "loso_adapted"),
    )
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines.splitlines()[2:]]
    assert len(rows) == 14
    for system, *cells in rows:
        for cell, column in zip(cells, columns, strict=True):
            row = board.loc[(*column, *system.split(" + "))]
            told = [float(number) for number in re.findall(r"\.\d{3}", cell)]
            assert told == pytest.approx([row["uar"], row["uar_low"], row["uar_high"]], abs=5.6e-4), system


def test_the_questions_are_answered_with_the_figures_of_the_committed_runs():
    board = pd.read_csv(ROOT / "results" / "leaderboard.csv")
    board = board[(board["corpus"] == "emodb") & (board["seed"] == 0)]
    board = board.set_index(["protocol", "features", "model"])["uar"]
    text = (ROOT / "docs" / "faq.md").read_text()
    told = re.findall(r"^\|[^|]*\| `(\w+)` \| (\.\d{3}) \|$", text, flags=re.MULTILINE)
    assert len(told) >= 12
    for protocol, figure in told:
        assert board[protocol, "flagship", "fusion"] == pytest.approx(float(figure), abs=5.6e-4)


@pytest.mark.parametrize("path", sorted({*PATHS, *re.findall(r"\]\(([^)#:]+)\)", README)}))
def test_every_file_that_is_named_is_there(path):
    assert (ROOT / path).exists()


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_what_a_page_links_to_is_there(page):
    """A page, a picture, a figure of the committed runs, or what docs/hooks.py writes."""
    for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text()):
        assert (page.parent / link).exists() or link in WRITTEN_AT_BUILD, link


def test_the_readme_is_short_and_its_examples_are_there():
    assert len(README.splitlines()) <= 120
    scripts = [line.split()[1] for line in COMMANDS if line.startswith("python examples/")]
    assert scripts
    assert all((ROOT / script).exists() for script in scripts)


@pytest.mark.parametrize("line", [line for line in COMMANDS if line.startswith("make")])
def test_every_make_target_is_there(line):
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)
    assert line.split()[1] in targets


@pytest.mark.parametrize("line", [line for line in COMMANDS if line.startswith("ser-classic")])
def test_every_command_is_understood(line):
    """Its subcommands exist and it has the options; nothing is run."""
    command = typer.main.get_command(app)
    words = shlex.split(line)[1:]
    while hasattr(command, "commands"):
        word = words.pop(0)
        command = command.get_command(typer.Context(command), word)
        assert command, f"{line}: no command {word}"
    known = {"--help"} | {option for parameter in command.params for option in parameter.opts}
    for word in words:
        if re.match(r"--?[a-z]", word):
            assert word in known, f"{line}: no option {word}"


@pytest.mark.parametrize("text", PYTHON, ids=range(len(PYTHON)))
def test_its_python_runs(text, cache, monkeypatch, tmp_path):
    monkeypatch.setenv("SER_CACHE", str(cache))
    monkeypatch.chdir(tmp_path)
    if "m.onnx" in text:
        pytest.importorskip("onnxruntime", reason="the extra `onnx` is not installed")
        onnx = pytest.importorskip("ser_classic.extras.onnx", reason="the extra `onnx` is not installed")
        onnx.export(fit("synthetic", "mfcc13", "svm_linear", evaluate=False, cache=cache), Path("m.onnx"))
    exec(compile(text, "README.md", "exec"), {})
