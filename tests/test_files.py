"""Files: whole or not there, and nothing is left of what failed."""

import os
import stat

import pytest

from ser_classic.errors import SerClassicError
from ser_classic.runtime.files import DRAFT, replacing, require_writable


def test_a_file_is_what_it_was_until_the_block_has_ended(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("old")
    with replacing(path) as draft:
        draft.write_text("new")
        assert path.read_text() == "old"
        assert draft.name.startswith(DRAFT)
        assert list(tmp_path.glob("*.csv")) == [path]
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


def test_a_link_stays_a_link_and_its_target_is_written(tmp_path):
    (tmp_path / "far").mkdir()
    near, far = tmp_path / "a.csv", tmp_path / "far" / "b.csv"
    near.symlink_to("far/b.csv")
    for text in ("new", "newer"):  # the target need not be there
        with replacing(near) as draft:
            draft.write_text(text)
        assert near.is_symlink()
        assert far.read_text() == text
    assert list(far.parent.iterdir()) == [far]


def test_a_file_keeps_its_permissions_and_a_new_one_has_the_usual(tmp_path):
    usual, kept = tmp_path / "usual", tmp_path / "kept"
    usual.touch()
    for path in (kept, tmp_path / "new"):
        with replacing(path) as draft:
            draft.write_text("new")
        assert path.stat().st_mode == usual.stat().st_mode
    for mode in (0o600, 0o640, 0o444):
        kept.chmod(mode)
        with replacing(kept) as draft:
            draft.write_text("newer")
        assert stat.S_IMODE(kept.stat().st_mode) == mode


@pytest.mark.parametrize(
    ("error", "told"),
    [(OSError, SerClassicError), (ValueError, ValueError), (KeyboardInterrupt, KeyboardInterrupt)],
)
@pytest.mark.parametrize("begun", [True, False])
def test_where_the_block_fails_nothing_has_happened(tmp_path, error, told, begun):
    path = tmp_path / "a.csv"
    path.write_text("old")

    def fail() -> None:
        with replacing(path) as draft:
            if begun:
                draft.write_text("half")
            raise error

    with pytest.raises(told):
        fail()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_draft_that_cannot_be_put_in_its_place_is_removed(tmp_path):
    (tmp_path / "taken").mkdir()
    with pytest.raises(SerClassicError, match="taken"), replacing(tmp_path / "taken") as draft:
        draft.write_text("new")
    assert list(tmp_path.iterdir()) == [tmp_path / "taken"]


def test_a_pipe_is_not_replaced(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("pipe")
    for path in (tmp_path / "pipe", tmp_path / "link"):
        with pytest.raises(SerClassicError, match=rf"{path}: .*device"), replacing(path) as draft:
            draft.write_text("new")
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize("name", ["pipe", "to_pipe", "to_nowhere", "loop", "a" * 300])
def test_what_cannot_be_put_in_place_is_refused_before_the_work(tmp_path, name):
    os.mkfifo(tmp_path / "pipe.csv")
    for link, target in (("to_pipe", "pipe"), ("to_nowhere", "absent/a"), ("loop", "loop"), ("good", "new")):
        (tmp_path / f"{link}.csv").symlink_to(f"{target}.csv")
    require_writable(tmp_path / "good.csv", "tables", ".csv")
    with pytest.raises(SerClassicError, match="written"):
        require_writable(tmp_path / f"{name}.csv", "tables", ".csv")
