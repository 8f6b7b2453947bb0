"""Registry: lookups, suggestions, plug-ins."""

from dataclasses import dataclass

import pytest

from ser_classic.errors import SerClassicError
from ser_classic.registry import Registry, need


@dataclass(frozen=True)
class Entry:
    name: str


class Point:
    """An installed package's entry point."""

    def __init__(self, value: str, entry: object) -> None:
        self.value = value
        self.entry = entry

    def load(self) -> object:
        if isinstance(self.entry, Exception):
            raise self.entry
        return self.entry


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch):
    """Pretend that packages offer these entry points under `ser_classic.things`."""

    def offer(*points: Point) -> Registry[Entry]:
        groups = {"ser_classic.things": list(points)}
        monkeypatch.setattr("importlib.metadata.entry_points", lambda group: groups.get(group, []))
        return Registry("things", [Entry("svm_linear"), Entry("svm_rbf"), Entry("mlp")])

    return offer


def test_names_are_listed_in_their_order_and_an_unknown_one_is_told_with_the_nearest(install):
    assert list(install()) == ["svm_linear", "svm_rbf", "mlp"]
    with pytest.raises(SerClassicError, match=r"things: .*'svm_lin'.*'svm_linear'"):
        install()["svm_lin"]


def test_of_many_names_the_nearest_or_the_first_are_listed():
    many = Registry("things", [Entry(f"thing{number}") for number in range(100)])
    for name, shown in (("thing99x", "thing99"), ("q", "thing39 and 60 more")):
        with pytest.raises(SerClassicError, match=shown) as told:
            many[name]
        assert "thing41" not in str(told.value)


def test_a_plug_in_is_an_entry_like_any_other(install):
    things = install(Point("theirs:thing", Entry("theirs")))
    assert things["theirs"] == Entry("theirs")
    assert "theirs" in things
    assert len(things) == 4


@pytest.mark.parametrize(
    ("offered", "told"),
    [
        (Entry("mlp"), "theirs:thing offers 'mlp'"),
        (AttributeError("no such attribute"), "theirs:thing (no such attribute)"),
        ("a word", "theirs:thing (expected Entry, "),
    ],
)
def test_a_broken_plug_in_is_named_and_the_others_go_on(install, caplog, offered, told):
    things = install(Point("theirs:thing", offered), Point("other:thing", Entry("other")))
    assert list(things) == ["svm_linear", "svm_rbf", "mlp", "other"]
    assert told in caplog.text
    assert "reinstall" in caplog.text


@pytest.mark.parametrize("name", ["Upper", "two--hyphens", "a__b", "", "a/b", "a b"])
def test_a_name_that_could_not_be_a_folder_or_be_told_apart_is_refused(name):
    with pytest.raises(SerClassicError, match="single underscores"):
        list(Registry("things", [Entry(name)]))


def test_need_gives_what_is_there_and_says_which_command_installs_what_is_absent():
    with pytest.raises(SerClassicError, match=r"pip install 'ser-classic\[deep\]'"):
        need("no_such_library_at_all", extra="deep")
    with pytest.raises(SerClassicError, match=r"pip install no_such_library_at_all$"):
        need("no_such_library_at_all")
    assert need("json", extra="deep").dumps([]) == "[]"
