"""Progress: shown on a terminal, silent anywhere else, and never in the way of the items."""

from __future__ import annotations

import io
import sys

import pytest

from ser_classic.runtime import progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("stream", [io.StringIO, Terminal])
def test_the_items_come_through(monkeypatch, stream):
    monkeypatch.setattr(sys, "stderr", stream())
    assert list(progress.track(iter("abc"), 3, "letters")) == ["a", "b", "c"]


def test_nothing_to_do_has_no_bar(monkeypatch):
    monkeypatch.setattr(sys, "stderr", Terminal())
    assert list(progress.track([], 0, "folds")) == []
    assert sys.stderr.getvalue() == ""


def test_nothing_is_written_where_nobody_looks(monkeypatch):
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    for _ in progress.track(range(2), 2, "numbers"):
        progress.tell(1, 60, 3.0)
    assert sys.stderr.getvalue() == ""


def test_a_bar_and_what_a_fit_tells_do_not_write_over_one_another(monkeypatch):
    monkeypatch.setattr(sys, "stderr", Terminal())
    for _ in progress.track(range(2), 2, "folds"):
        progress.tell(12, 60, 40.2)
        progress.finished()
    assert "2/2" in sys.stderr.getvalue()
    assert "12/60" not in sys.stderr.getvalue()


def test_without_a_bar_it_is_told_on_a_line_of_its_own(monkeypatch):
    monkeypatch.setattr(sys, "stderr", Terminal())
    progress.tell(3, 60, 114)
    progress.tell(4, 60, 112)
    progress.finished()
    line = "\repoch {}/60, {} s left at most\x1b[K"
    assert sys.stderr.getvalue() == line.format(3, 114) + line.format(4, 112) + "\r\x1b[K"
