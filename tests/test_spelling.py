"""Spelling: one speaker written in two ways is one speaker, or is asked about; never two."""

import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ser_classic.corpora import CorpusError, Reading, load
from ser_classic.corpora.spelling import alike, mapped, plain
from ser_classic.errors import SerClassicError

NAMES = ("Zoë", "José", "Åse", "Ümit")


def corpus(folder: Path, speakers: list[str], **columns: list[str]) -> Path:
    """A manifest with a file for each speaker that is named."""
    rows = []
    for number, speaker in enumerate(speakers):
        (folder / f"{number}.wav").write_bytes(bytes([number]))
        more = [values[number] for values in columns.values()]
        rows.append(",".join([f"{number}.wav", ("angry", "sad")[number % 2], speaker, *more]))
    manifest = folder / "mine.csv"
    manifest.write_text("\n".join([",".join(["file,emotion,speaker", *columns]), *rows]), encoding="utf-8")
    return manifest


def speakers_of(manifest: Path, **how) -> list[str]:
    clips = load(manifest, reading=Reading(**how)).clips.sort_values("file")
    return clips["speaker"].str.removeprefix("mine/").tolist()


@pytest.mark.parametrize(
    "spell",
    [
        lambda name: unicodedata.normalize("NFD", name),
        lambda name: f"  {name}\u00a0",
        lambda name: f"\ufeff{name}",
    ],
    ids=["decomposed", "space", "byte-order mark"],
)
def test_a_safe_difference_is_no_difference(tmp_path, spell):
    manifest = corpus(tmp_path, [*NAMES, *map(spell, NAMES)])
    assert speakers_of(manifest) == [*NAMES, *NAMES]


def test_a_number_is_one_number_however_it_is_written(tmp_path):
    assert speakers_of(corpus(tmp_path, ["1", "1.0", "12", "12.00"])) == ["1", "1", "12", "12"]


@pytest.mark.parametrize(
    ("one", "other"), [("Zoë", "ZOË"), ("7", "007"), ("spk_1", "spk-1"), ("S01", "s1"), ("Ａnn", "Ann")]
)
def test_a_doubtful_difference_is_asked_about_with_both_spellings(tmp_path, one, other):
    manifest = corpus(tmp_path, [one, other, "x", "y"])
    with pytest.raises(SerClassicError) as caught:
        load(manifest)
    assert all(word in str(caught.value) for word in (repr(one), repr(other), "--map-speaker"))
    assert speakers_of(manifest, speakers={other: one}) == [one, one, "x", "y"]
    assert speakers_of(manifest, speakers={other: other}) == [one, other, "x", "y"]


def test_the_speakers_of_a_folder_are_spelled_by_the_same_rule(tmp_path):
    for name in ("angry/Ann_1.wav", "sad/ann_1.wav"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    with pytest.raises(SerClassicError, match="'Ann' and 'ann'"):
        load(tmp_path, reading=Reading(speaker=r"/([^_/]+)_"))


def test_a_sentence_is_one_sentence_as_merging_two_leaks_nothing(tmp_path):
    manifest = corpus(tmp_path, ["a", "b", "c"], sentence=["Hello you", "hello  you", "Hello you"])
    assert set(load(manifest).clips["sentence"]) == {"Hello you"}


@pytest.mark.parametrize("word", ["nan", "NaN", "<NA>", "#N/A", "null"])
def test_how_programs_write_nothing_is_no_speaker_and_no_emotion(tmp_path, word):
    manifest = corpus(tmp_path, [word, "b", "c"])
    with pytest.raises(SerClassicError, match=r"line 2 .*speaker"):
        load(manifest)
    manifest.write_text(f"file,emotion,speaker\n0.wav,{word},a\n1.wav,sad,b\n2.wav,happy,c\n")
    with pytest.raises(SerClassicError) as caught:
        load(manifest)
    assert "--drop ''" in str(caught.value)
    assert "=angry" not in str(caught.value)
    assert speakers_of(manifest, drop=[""]) == ["b", "c"]


def test_what_is_mapped_or_dropped_and_does_not_occur_is_named(tmp_path):
    manifest = corpus(tmp_path, ["a", "b"])
    with pytest.raises(SerClassicError, match="--map-speaker names 'zed'"):
        load(manifest, reading=Reading(speakers={"zed": "a"}))
    with pytest.raises(SerClassicError, match="--drop names 'zest'"):
        load(manifest, reading=Reading(drop=["zest"]))
    with pytest.raises(SerClassicError, match="--drop"):
        load(manifest, reading=Reading(drop=["angry", "sad"]))


@given(st.text(min_size=1))
def test_plain_is_the_end_of_it(word):
    assert plain(plain(word)) == plain(word)
    assert alike(alike(word)) == alike(word)


@given(st.lists(st.text(st.sampled_from("aA0 1.é_-"), min_size=1), min_size=1, max_size=6))
def test_no_two_speakers_are_alike_once_they_are_read(words):
    try:
        meaning = mapped(words, {}, "speakers", "--map-speaker", "mine")
    except CorpusError:
        return
    assert len({alike(word) for word in meaning.values()}) == len(set(meaning.values()))
