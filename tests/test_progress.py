"""Progress: shown on a terminal, silent anywhere else, and never in the way of the items."""

import contextlib
import io
import os
import subprocess
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


def test_nothing_to_do_has_no_bar_and_nothing_is_written_where_nobody_looks(monkeypatch):
    monkeypatch.setattr(sys, "stderr", Terminal())
    assert list(progress.track([], 0, "folds")) == []
    assert sys.stderr.getvalue() == ""
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    assert list(progress.track(range(2), 2, "numbers")) == [0, 1]
    assert sys.stderr.getvalue() == ""


def test_a_bar_counts_the_items(monkeypatch):
    monkeypatch.setattr(sys, "stderr", Terminal())
    list(progress.track(range(2), 2, "folds"))
    assert "2 folds" in sys.stderr.getvalue()
    assert "100%" in sys.stderr.getvalue()


def test_a_spinner_is_for_terminals_and_leaves_nothing_behind(monkeypatch):
    for stream in (io.StringIO(), Terminal()):
        monkeypatch.setattr(sys, "stderr", stream)
        with progress.busy("fitting svm_rbf"):
            pass
        assert ("fitting svm_rbf" in stream.getvalue()) == stream.isatty()
    assert stream.getvalue().endswith(("\x1b[2K", "\x1b[?25h"))


@pytest.mark.skipif(sys.platform == "win32", reason="a terminal is needed")
def test_a_command_shows_that_it_starts(tmp_path):
    outer, inner = os.openpty()
    words = ["fit", str(tmp_path / "absent"), "--features", "mfcc13", "--model", "lda"]
    command = [sys.executable, "-m", "ser_classic", *words, "-o", str(tmp_path / "m.skops")]
    with subprocess.Popen(command, stderr=inner):
        os.close(inner)
        shown = ""
        with contextlib.suppress(OSError):  # how a terminal ends
            while block := os.read(outer, 4096):
                shown += block.decode(errors="replace")
    os.close(outer)
    assert shown.index("starting") < shown.index("absent'")
