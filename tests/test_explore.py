"""Explore: the page says what is in a corpus, needs nothing else, and lets no name become markup."""

import base64
import io
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile
from typer.testing import CliRunner

from ser_classic import explore
from ser_classic.audio import AudioError
from ser_classic.cli import app
from ser_classic.corpora import Reading, load
from ser_classic.errors import SerClassicError
from ser_classic.features import FEATURES
from ser_classic.features.extraction import extract


@pytest.fixture(scope="module")
def hostile(own_folder, tmp_path_factory):
    """A corpus of one's own whose folder and emotions are named by somebody else."""
    root = tmp_path_factory.mktemp("own") / "<script>alert(1)<_script> & $a$"
    for emotion, name in (("angry", "$x^$<i>"), ("sad", "sad"), ("neutral", "neutral")):
        shutil.copytree(own_folder / emotion, root / name)
    return root


@pytest.fixture(scope="module")
def explored(hostile, cache) -> tuple:
    """What a page of it is made from."""
    loaded = load(hostile, reading=Reading({"$x^$<i>": "$x^$<i>"}, speaker=r"/(s\d\d)_"))
    features = extract(loaded.clips, loaded.root, FEATURES["mfcc_chroma_contrast"], cache)
    facts = explore.corpus_facts(loaded, "mfcc_chroma_contrast", features)
    return loaded.corpus.name, facts, lambda: explore.explore_corpus(loaded, features)


@pytest.fixture(scope="module")
def page(explored, tmp_path_factory) -> Path:
    name, facts, parts = explored
    return explore.write(tmp_path_factory.mktemp("pages") / "own", name, facts, parts())


def command(*words: object):
    return CliRunner().invoke(app, ["explore", *map(str, words)], env={"COLUMNS": "200"})


class Links(HTMLParser):
    """What a page would load or run."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.tags: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.loaded += [
            value for name, value in attrs if name in ("src", "href", "xlink:href", "data") and value
        ]
        assert not any(name.startswith("on") for name, _ in attrs)


def test_the_page_holds_every_part_loads_nothing_and_takes_no_name_for_markup(page):
    text = page.read_text()
    links = Links(text)
    assert all(link.startswith(("#", "data:image/png;base64,")) for link in links.loaded)
    assert "@import" not in text
    assert not re.search(r"url\((?!#|\"?data:)", text)
    for name in ("clips", "durations", "examples", "distributions", "separability", "projection"):
        assert f'<section id="{name}">' in text
        assert (page.parent / f"{name}.png").read_bytes().startswith(b"\x89PNG")
        assert (page.parent / f"{name}.svg").read_text().startswith("<?xml")
    assert "48 clips" in text
    assert "48, 4" in text
    links = Links(page.read_text())
    assert links.tags.count("script") == 1, "the page's own"
    assert "i" not in links.tags


def test_the_same_corpus_gives_the_same_page(explored, page):
    name, facts, parts = explored
    assert explore.page_of(name, facts, parts()) == page.read_text()


def test_the_share_explained_is_that_of_an_analysis_of_variance():
    from sklearn.feature_selection import f_classif

    random = np.random.default_rng(0)
    names = pd.Series(random.choice(list("abc"), 60))
    values = pd.DataFrame(random.normal(size=(60, 4)), columns=["m_0", "m_1", "g/x_0", "c"])
    values["m_1"] += names.map({"a": 0, "b": 1, "c": 2})
    values["c"] = 7.0
    table = explore.variance_explained(values, names, None)
    F = f_classif(values[["m_0", "m_1", "g/x_0"]], names)[0]
    expected = F * 2 / (F * 2 + 57)  # eta squared from F with 2 and 57 degrees of freedom
    np.testing.assert_allclose(table.loc[["m_0", "m_1", "g/x_0"], "emotion"], expected)
    assert table.index[0] == "m_1"
    assert table.loc["c", "emotion"] == 0
    assert table.loc["g/x_0", "group"] == "g"
    assert table["speaker"].isna().all()


def test_the_nearest_neighbour_is_never_the_clip_itself():
    values = np.array([[0.0], [0.1], [5.0], [5.1]])
    assert explore.nearest_share(values, ["a", "b", "a", "b"]) == (0.0, 1 / 3)
    assert explore.nearest_share(values, ["a", "a", "b", "b"]) == (1.0, 1 / 3)


def test_examples_are_of_one_speaker_saying_one_text():
    clips = pd.DataFrame(
        {
            "emotion": ["sad", "sad", "angry", "angry", "happy"],
            "speaker": ["x/1", "x/2", "x/2", "x/1", "x/2"],
            "sentence": ["t1", "t2", "t2", "t2", "t1"],
        },
        index=list("abcde"),
    )
    assert explore._comparable(clips, ["sad", "angry", "happy"]) == {"sad": "b", "angry": "c", "happy": "e"}


def test_a_recording_has_its_facts_and_its_portrait(tmp_path):
    time = np.arange(16_000) / 16_000
    path = tmp_path / "$tone_{1}$ <b>.wav"
    pulses = 0.5 * np.sign(np.sin(2 * np.pi * 150 * time)) * (np.sin(2 * np.pi * 2 * time) ** 2)
    soundfile.write(path, pulses, 16_000)
    out = command(path, "-o", tmp_path / "page").stdout
    assert "Length: 1.00 s" in out
    assert "Sample rate: 16000 Hz" in out
    assert "Peak: -6.0 dB" in out
    pitch = float(re.search(r"Pitch: (\d+) Hz", out)[1])
    assert pitch == pytest.approx(150, rel=0.03)
    text = (tmp_path / "page" / "index.html").read_text()
    assert "&lt;b&gt;" in text
    assert "<b>.wav" not in text
    soundfile.write(tmp_path / "loud.wav", 1.9999 * pulses, 16_000, subtype="FLOAT")
    _, facts = explore.explore_file(tmp_path / "loud.wav")
    assert facts["Peak"] == "0.0 dB re full scale"


def test_the_page_of_a_recording_plays_its_beginning(tmp_path, monkeypatch):
    pulses = 0.5 * np.sign(np.sin(2 * np.pi * 150 * np.arange(16_000) / 16_000))
    soundfile.write(tmp_path / "a.wav", pulses, 16_000)
    monkeypatch.setattr(explore, "HEARD", 0.25)
    (part,), _ = explore.explore_file(tmp_path / "a.wav")
    heard, rate = soundfile.read(io.BytesIO(base64.b64decode(re.search('base64,([^"]*)', part.table)[1])))
    assert (len(heard), rate) == (4000, 16_000)
    np.testing.assert_allclose(heard, pulses[:4000], atol=1e-4)
    assert "0.25 s" in part.table


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--features", "pooled"),
        ("--features", ""),
        ("--map", "x=angry"),
        ("--speaker", ""),
        ("--data", "data"),
        ("--cache", ""),
        ("--jobs", "2"),
    ],
)
def test_what_is_for_a_corpus_is_refused_for_a_recording(tmp_path, monkeypatch, option, value):
    monkeypatch.chdir(tmp_path)
    Path("a.wav").touch()
    done = command("a.wav", "-o", "page", option, value)
    assert done.exit_code == 2
    assert f"{option}: " in done.stderr
    assert not Path("page").exists()


@pytest.mark.parametrize(
    ("what", "folder"),
    [
        ("a_x.wav", "a_x.wav"),
        ("./a/x.wav", "a/x.wav"),
        ("../work/x.wav", "x.wav"),
        ("../x.wav", "{up}/x.wav"),
    ],
)
def test_every_recording_has_a_page_of_its_own(tmp_path, monkeypatch, what, folder):
    work = tmp_path / "work"
    (work / "a").mkdir(parents=True)
    monkeypatch.chdir(work)
    soundfile.write(what, np.sin(np.arange(8000) / 10), 16_000)
    assert command(what).exit_code == 0
    up = tmp_path.relative_to(tmp_path.anchor)
    assert (work / "explore" / folder.format(up=up) / "index.html").exists()


def test_what_cannot_be_explored_or_written_is_one_error(tiny, tmp_path):
    broken = tmp_path / "broken.wav"
    broken.write_bytes(b"RIFF")
    with pytest.raises(AudioError):
        explore.explore_file(broken)
    assert str(command("nowhere.wav").exception).startswith("nowhere.wav: ")
    (tmp_path / "file").write_text("")
    with pytest.raises(SerClassicError, match="--output"):
        explore.write(tmp_path / "file" / "page", "x", {}, [])
