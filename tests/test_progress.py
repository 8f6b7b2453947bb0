"""Progress: shown on a terminal, silent anywhere else, and never in the way of the items."""

from __future__ import annotations

import io
import sys

import pytest

from ser_classic import progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("stream", [io.StringIO, Terminal])
def test_the_items_come_through(monkeypatch, stream):
    monkeypatch.setattr(sys, "stderr", stream())
    assert list(progress.track(iter("abc"), 3, "letters")) == ["a", "b", "c"]


def test_nothing_is_written_where_nobody_looks(monkeypatch):
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    for _ in progress.track(range(2), 2, "numbers"):
        progress.tell("half")
    assert sys.stderr.getvalue() == ""


def test_what_is_told_stands_on_the_bar_until_the_item_is_done(monkeypatch):
    monkeypatch.setattr(sys, "stderr", Terminal())
    monkeypatch.setenv("TERM", "xterm")
    told = []
    for number in progress.track(range(2), 2, "folds"):
        progress.tell(f"epoch {number}")
        told.append(len(progress._bars))
    assert told == [1, 1]
    assert not progress._bars
    assert "2/2" in sys.stderr.getvalue()


def test_without_a_bar_it_is_told_on_a_line_of_its_own(monkeypatch):
    monkeypatch.setattr(sys, "stderr", Terminal())
    progress.tell("epoch 3/60")
    progress.tell("epoch 4/60")
    assert sys.stderr.getvalue() == "\repoch 3/60\x1b[K\repoch 4/60\x1b[K"
