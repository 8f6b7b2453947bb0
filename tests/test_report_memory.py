"""The memory of reports: it saves work, and never serves what would be computed otherwise today."""

from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path

import pytest

from ser_classic.report import memory
from ser_classic.report.memory import Memory

CALLED: list[int] = []


@pytest.fixture(autouse=True)
def began(monkeypatch):
    """As if the code had been older than this process, also while somebody edits it."""
    monkeypatch.setattr(memory, "BEGAN", float("inf"))
    CALLED.clear()


def double(number: int) -> int | None:
    CALLED.append(number)
    return 2 * number if number else None


def inverse(number: int) -> float:
    CALLED.append(number)
    return 1 / number


def half(number: int) -> float:
    return number / 2


def doubled(place: Path, *numbers: int, keep: bool = True) -> list[int | None]:
    """Twice the numbers, through the memory of a folder."""
    held = Memory(place / "results", place)
    found = held.computed(double, [(number,) for number in numbers], numbers, 0, "numbers")
    if keep:
        held.forget()
        held.save()
    return found


def files(place: Path) -> list[Path]:
    return sorted((place / memory.FOLDER).iterdir())


def test_what_is_known_is_not_computed_again(tmp_path):
    assert doubled(tmp_path, 3, 1, 2) == [6, 2, 4]
    assert doubled(tmp_path, 2, 4, 3, 4) == [4, 8, 6, 8]
    assert CALLED == [3, 1, 2, 4]


def test_only_what_was_asked_for_last_is_kept(tmp_path):
    doubled(tmp_path, 1, 2)
    doubled(tmp_path, 2, 3)
    doubled(tmp_path, 1, 2, 3)
    assert CALLED == [1, 2, 3, 1]


def test_nothing_is_kept_unless_saved_and_none_never(tmp_path):
    assert doubled(tmp_path, 1, keep=False) == [2]
    assert doubled(tmp_path, 1, 0) == [2, None]
    assert doubled(tmp_path, 1, 0) == [2, None]
    assert CALLED == [1, 1, 0, 0]


def test_functions_and_folders_share_nothing(tmp_path):
    doubled(tmp_path, 4)
    assert Memory(tmp_path / "results", tmp_path).computed(half, [(4,)], [4], 0, "numbers") == [2.0]
    Memory(tmp_path / "others", tmp_path).computed(double, [(4,)], [4], 0, "numbers")
    assert CALLED == [4, 4]


def test_processes_answer_in_order(tmp_path):
    held = Memory(tmp_path / "results", tmp_path)
    assert held.computed(half, [(n,) for n in range(9)], range(9), 1.0, "numbers") == [
        n / 2 for n in range(9)
    ]


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package of two files in place of this one."""
    home = tmp_path / "package"
    (home / "part").mkdir(parents=True)
    (home / "memory.py").write_text("one = 1")
    (home / "part" / "other.py").write_text("two = 2")
    monkeypatch.setattr(memory, "__file__", str(home / "memory.py"))
    return home


@pytest.mark.parametrize(
    "change",
    [
        lambda home: (home / "part" / "other.py").write_text("two = 3"),
        lambda home: (home / "part" / "new.py").write_text(""),
        lambda home: (home / "part" / "other.py").rename(home / "other.py"),
        lambda home: (home / "part" / "other.py").unlink(),
    ],
    ids=["another value", "another file", "another place", "one less"],
)
def test_with_other_code_everything_is_computed_again(package, tmp_path, change):
    doubled(tmp_path, 1)
    doubled(tmp_path, 1)
    assert CALLED == [1]
    change(package)
    doubled(tmp_path, 1)
    assert CALLED == [1, 1]


def test_with_other_libraries_everything_is_computed_again(package, tmp_path, monkeypatch):
    doubled(tmp_path, 1)
    monkeypatch.setattr(memory, "versions", lambda: {"numpy": "0.1"})
    doubled(tmp_path, 1)
    assert CALLED == [1, 1]


def test_nothing_is_known_where_code_is_newer_than_the_process(package, tmp_path, monkeypatch):
    monkeypatch.setattr(memory, "BEGAN", time.time() - 60)
    doubled(tmp_path, 1)
    doubled(tmp_path, 1)
    assert CALLED == [1, 1]
    assert not (tmp_path / memory.FOLDER).exists()


def test_nothing_is_kept_where_code_is_changed_meanwhile(package, tmp_path):
    held = Memory(tmp_path / "results", tmp_path)
    held.computed(double, [(1,)], [1], 0, "numbers")
    (package / "memory.py").write_text("one = 2")
    held.save()
    (package / "memory.py").write_text("one = 1")
    doubled(tmp_path, 1)
    assert CALLED == [1, 1]


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content[: len(content) // 2],
        lambda content: content.replace(b": 2", b": 9"),
        lambda content: b"",
        lambda content: b"\xff" + content,
    ],
    ids=["half", "another value", "nothing", "no text"],
)
def test_a_damaged_memory_is_none(tmp_path, damage):
    doubled(tmp_path, 1)
    (path,) = files(tmp_path)
    assert damage(path.read_bytes()) != path.read_bytes()
    path.write_bytes(damage(path.read_bytes()))
    assert doubled(tmp_path, 1) == [2]
    assert CALLED == [1, 1]


def test_a_folder_that_cannot_be_written_costs_only_time(tmp_path):
    (tmp_path / memory.FOLDER).write_text("in the way")
    assert doubled(tmp_path, 1) == [2]
    assert doubled(tmp_path, 1) == [2]
    assert CALLED == [1, 1]


def test_old_memories_and_drafts_go_and_nothing_else(tmp_path, monkeypatch):
    monkeypatch.setattr(memory, "MOST", 2)
    doubled(tmp_path, 1)
    (oldest,) = files(tmp_path)
    os.utime(oldest, (0, 0))
    folder = tmp_path / memory.FOLDER
    (folder / "sub").mkdir()
    for name in ("chapter.txt", ".draft-old", ".draft-new"):
        (folder / name).touch()
    for name in ("chapter.txt", ".draft-old"):
        os.utime(folder / name, (0, 0))
    for name in ("one", "two"):
        Memory(tmp_path / name, tmp_path).save()
    names = {path.name for path in files(tmp_path)}
    assert names >= {"chapter.txt", "sub", ".draft-new"}
    assert not names & {oldest.name, ".draft-old"}
    assert len(names) == 5


def test_what_an_interrupted_report_computed_is_kept_and_nothing_forgotten(tmp_path):
    doubled(tmp_path, 1, 2)
    held = Memory(tmp_path / "results", tmp_path)
    with pytest.raises(ZeroDivisionError):
        held.computed(inverse, [(4,), (0,)], [4, 0], 0, "numbers")
    held.save()
    again = Memory(tmp_path / "results", tmp_path)
    assert again.computed(inverse, [(4,)], [4], 0, "numbers") == [0.25]
    assert doubled(tmp_path, 1, 2) == [2, 4]
    assert CALLED == [1, 2, 4, 0]


@pytest.mark.parametrize("text", ["[1]", "3", "[" * 100_000])
def test_content_of_another_kind_is_computed_again(tmp_path, text):
    doubled(tmp_path, 1)
    (path,) = files(tmp_path)
    path.write_text(f"{hashlib.sha256(text.encode()).hexdigest()}\n{text}")
    assert doubled(tmp_path, 1) == [2]
    assert CALLED == [1, 1]
