"""Help, examples and completion of every command."""

import re
import shlex
from collections.abc import Iterator
from typing import Any

import pytest
import typer.main

from ser_classic.cli import app
from ser_classic.cli.commands import COMMANDS
from ser_classic.cli.options import RARE

ROOT = typer.main.get_command(app)


def commands(command: Any = ROOT, name: str = "") -> Iterator[tuple[str, Any]]:
    """Every group and command, by what follows `ser-classic`."""
    yield name, command
    if hasattr(command, "commands"):
        for each in [*command.commands, *(COMMANDS if command is ROOT else ())]:
            yield from commands(command.get_command(None, each), f"{name} {each}".strip())


ALL = dict(commands())
EXAMPLES = [
    line.strip().removeprefix("ser-classic ")
    for command in ALL.values()
    for line in (command.epilog or "").splitlines()[2:]
]


@pytest.mark.parametrize("name", ALL)
def test_every_help_has_examples_and_no_type(name, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "60")
    with pytest.raises(SystemExit):
        app([*name.split(), "--help"], prog_name="ser-classic")
    told = capsys.readouterr().out
    assert ALL[name].epilog.count("ser-classic ") >= 1
    assert not re.search(r"<str>|<path>|list\[", told)
    assert "{" not in told.splitlines()[0]
    assert max(map(len, told.partition("Examples:")[0].splitlines())) <= 60


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_is_understood(example):
    """Its commands, options and values, parsed as they would be; nothing is run."""
    words = shlex.split(example.partition(" > ")[0])
    command = ROOT
    while hasattr(command, "commands"):
        command = command.get_command(None, words.pop(0))
    command.make_context("ser-classic", words)


def test_the_same_thing_has_one_spelling():
    """An option of one name has the same short form everywhere."""
    found: dict[str, set[tuple[str, ...]]] = {}
    for command in ALL.values():
        for parameter in command.params:
            if parameter.param_type_name == "option":
                found.setdefault(max(parameter.opts, key=len), set()).add(tuple(sorted(parameter.opts)))
    assert {name: forms for name, forms in found.items() if len(forms) > 1} == {}


def test_what_is_rare_stands_below_what_is_usual():
    """The help begins with few options and has the others in panels, those that are rare last."""
    for command in ALL.values():
        options = [each for each in command.params if each.param_type_name == "option"]
        panels = [getattr(each, "rich_help_panel", None) for each in options]
        usual = panels.count(None)
        assert usual <= 8
        rare = panels.count(RARE)
        assert panels[len(panels) - rare :] == [RARE] * rare


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ("be", "bench"),
        ("bench --ag", "--again"),
        ("bench qui", "quick"),
        ("fit syn", "synthetic"),
        ("bench --model svm_r", "svm_rbf"),
        ("bench --features mfcc1", "mfcc13"),
        ("folds synthetic speak", "speakers5"),
        ("predict --format aud", "audacity"),
        ("compare --results results ravdess--emobox--flagship--fus", "ravdess--emobox--flagship--fusion--0"),
    ],
)
def test_a_shell_completes_commands_options_and_values(words, wanted, monkeypatch, capsys):
    monkeypatch.setenv("_SER_CLASSIC_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", f"ser-classic {words}")
    monkeypatch.setenv("COMP_CWORD", str(words.count(" ") + 1))
    with pytest.raises(SystemExit):
        app([], prog_name="ser-classic")
    assert wanted in capsys.readouterr().out.split()


@pytest.mark.parametrize(("name", "extra"), [("app", "app"), ("listen", "mic"), ("export", "onnx")])
def test_where_an_extra_is_needed_the_help_says_how_to_install_it(name, extra, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit):
        app([name, "--help"], prog_name="ser-classic")
    assert f"pip install 'ser-classic[{extra}]'" in capsys.readouterr().out


def test_what_the_package_logs_is_told_as_any_note_is(python):
    program = """
import contextlib, logging
from ser_classic import cli

with contextlib.suppress(SystemExit):
    cli.main()
logging.getLogger("ser_classic.audio").warning("a.wav: odd")
"""
    assert python(program, "--version").stderr == "ser-classic: a.wav: odd\n"
