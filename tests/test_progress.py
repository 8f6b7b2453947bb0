"""Progress: shown on a terminal, silent anywhere else, and never in the way of the items."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest
from joblib import Parallel, delayed

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


def work(news: Path, epoch: int) -> str:
    """An item that tells of itself, and what is known of it meanwhile."""
    with progress.working(news):
        progress.tell(epoch, 60, 10.0 * epoch)
        return progress.latest(news)


@pytest.mark.parametrize("jobs", [1, 2])
def test_what_is_told_is_heard_until_the_item_is_done(tmp_path, jobs):
    heard = Parallel(n_jobs=jobs)(delayed(work)(tmp_path, epoch) for epoch in (3, 4))
    assert all(f"{epoch}/60" in line for epoch, line in zip((3, 4), heard, strict=True))
    assert progress.latest(tmp_path) == ""


def test_the_bar_shows_all_that_is_told(monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "stderr", Terminal())
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    (tmp_path / "1").write_text("[12, 60, 40.2]")
    (tmp_path / "2").write_text("[3, 25, 9.0]")
    (tmp_path / "3").write_text("[3, 2")  # being written
    assert list(progress.track(range(2), 2, "folds", tmp_path)) == [0, 1]
    assert "epoch 12/60 3/25, 40 s left at most" in sys.stderr.getvalue()
    assert "2/2" in sys.stderr.getvalue()


def test_work_goes_on_when_nobody_listens_any_more(tmp_path):
    news = tmp_path / "gone"
    with progress.working(news):
        progress.tell(1, 2, 3.0)
    assert not news.exists()


def test_without_a_bar_it_is_told_on_a_line_of_its_own(monkeypatch):
    monkeypatch.setattr(sys, "stderr", Terminal())
    progress.tell(3, 60, 114)
    progress.tell(4, 60, 112)
    progress.finished()
    line = "\repoch {}/60, {} s left at most\x1b[K"
    assert sys.stderr.getvalue() == line.format(3, 114) + line.format(4, 112) + "\r\x1b[K"
