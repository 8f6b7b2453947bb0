"""Corpora found by name, made on first use, and shown by their commands."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from tiny_corpus import lay_out, touch

from ser_classic.corpora import CORPORA, CorpusError, Reading, available, load, locate, shortfall
from ser_classic.errors import SerClassicError
from ser_classic.experiment.bench import bench
from ser_classic.experiment.cells import Cell
from ser_classic.predictor.fitting import fit


@pytest.mark.parametrize(
    "folder", ["ravdess", "RAVDESS", "Audio_Speech_Actors_01-24", "audio-speech-actors-01-24"]
)
def test_corpus_is_found_under_its_usual_folder_names(tmp_path, folder):
    touch(tmp_path / "data", f"{folder}/Actor_01/03-01-01-01-01-01-01.wav")
    assert locate("ravdess", tmp_path / "data") == tmp_path / "data" / folder
    assert "ravdess" in available(tmp_path / "data")
    assert "tess" not in available(tmp_path / "data")


def test_the_data_folder_may_be_the_corpus_itself(tmp_path):
    touch(tmp_path, "TESS Toronto emotional speech set data/OAF_Sad/OAF_back_sad.wav")
    folder = tmp_path / "TESS Toronto emotional speech set data"
    assert load("tess", folder).clips.index.tolist() == ["tess/OAF_back_sad"]


def test_an_absent_corpus_says_where_it_was_looked_for(tmp_path):
    by_hand = r"ser-classic corpora fetch savee --from ARCHIVE"
    with pytest.raises(CorpusError, match=rf"savee: .*savee.*{by_hand}"):
        load("savee", tmp_path)
    with pytest.raises(CorpusError, match=r"nowhere"):
        load("savee", tmp_path / "nowhere")
    (tmp_path / "savee").mkdir()
    with pytest.raises(CorpusError, match=r"savee.*AudioData/DC/a01.wav"):
        load("savee", tmp_path)
    assert "savee" not in available(tmp_path)


def test_fit_and_bench_from_python_look_where_the_variable_says(tmp_path, monkeypatch):
    monkeypatch.setenv("SER_DATA", str(tmp_path / "named"))
    missing = rf"{tmp_path / 'named'}"
    with pytest.raises(CorpusError, match=missing):
        fit("savee", "mfcc13", "prior")
    outcome = bench([Cell("savee", "loso", "mfcc13", "prior")], tmp_path / "results")
    assert [missing in error for error in outcome.errors] == [True]


def test_an_unknown_name_suggests_the_nearest(tmp_path):
    with pytest.raises(SerClassicError, match="'ravdess'"):
        load("ravdes", tmp_path)
    with pytest.raises(CorpusError, match=r"my/clips.csv"):
        load("my/clips.csv", tmp_path)


@pytest.mark.parametrize("nothing", ["", " "])
def test_an_empty_name_is_not_the_folder_one_is_in(tmp_path, monkeypatch, nothing):
    touch(tmp_path, "angry/a.wav", "sad/b.wav")
    monkeypatch.chdir(tmp_path)
    assert len(load(".").clips) == 2
    with pytest.raises(CorpusError, match="aesdd"):
        load(nothing)


def test_options_of_own_corpora_are_refused_for_a_known_one(tmp_path):
    with pytest.raises(CorpusError, match="--map"):
        load("ravdess", tmp_path, reading=Reading(words={"anger": "angry"}))
    with pytest.raises(CorpusError, match="--speaker"):  # an empty pattern is one, too
        load("synthetic", reading=Reading(speaker=""))


def test_shortfall_names_the_missing_speakers_and_how_many_others(tmp_path, caplog):
    lay_out(tmp_path / "ravdess", "ravdess")
    root, clips, _ = load("ravdess", tmp_path)
    assert not caplog.text
    (root / clips["file"].iloc[0]).unlink()
    load("ravdess", tmp_path)  # so that every command tells
    assert "1439 of 1440" in caplog.text
    corpus = CORPORA["ravdess"]
    assert shortfall(corpus, clips) is None
    without = clips[~clips["speaker"].isin(["ravdess/23", "ravdess/24"])]
    told = shortfall(corpus, without)
    assert re.match("ravdess: .*1320 of 1440 .*23, 24.* ser-classic corpora fetch ravdess$", told)
    assert "1439 of 1440" in shortfall(corpus, clips[1:])
    assert "Actor_01/03-01-01-01-01-01-01." in shortfall(corpus, clips[1:])


@pytest.fixture
def embedded(monkeypatch):
    """The synthetic corpus with a maker that only counts."""
    import ser_classic.corpora
    from ser_classic.registry import Registry

    made = []

    def make(root: Path) -> None:
        made.append(root)
        if len(made) == 1:
            (root / "half.wav").touch()
            raise CorpusError("no more voices")
        touch(root, "a.wav")

    corpus = replace(CORPORA["synthetic"], make=make, version=7)
    monkeypatch.setattr(ser_classic.corpora, "CORPORA", Registry("corpora", [corpus]))
    return made


def test_embedded_corpus_is_made_once_and_whole(tmp_path, embedded):
    with pytest.raises(CorpusError, match="no more voices"):
        locate("synthetic", cache=tmp_path)
    assert not list((tmp_path / "corpora").iterdir())  # nothing of the failed attempt
    root = locate("synthetic", cache=tmp_path)
    assert root == tmp_path / "corpora" / "synthetic-7"
    assert [file.name for file in root.iterdir()] == ["a.wav"]
    assert locate("synthetic", cache=tmp_path) == root
    assert len(embedded) == 2
    assert list((tmp_path / "corpora").iterdir()) == [root]


def test_list_says_what_is_at_hand(tmp_path, ser):
    lay_out(tmp_path / "RAVDESS", "ravdess")
    told = json.loads(ser("corpora", "list", "--json", "--data", tmp_path).said())
    at_hand = {entry["name"]: entry["at_hand"] for entry in told}
    assert at_hand["ravdess"]
    assert at_hand["synthetic"]
    assert not at_hand["tess"]
    absent = ser("corpora", "list", "--data", tmp_path / "absent")
    assert f"{tmp_path}/absent: " in absent.stderr
    assert absent.returncode == 0
    listed = ser("corpora", "list", "--data", tmp_path)
    assert listed.stderr == ""
    assert all(name in listed.stdout for name in CORPORA)
    assert max(map(len, listed.stdout.splitlines())) <= 80


def test_scan_counts_clips_and_writes_the_table(tmp_path, ser):
    lay_out(tmp_path / "ravdess", "ravdess")
    for file in (tmp_path / "ravdess" / "Actor_24").iterdir():
        file.unlink()
    scan = ("corpora", "scan", "ravdess", "--data", tmp_path)
    done = ser(*scan, "--json", "-o", "clips.csv")
    told = json.loads(done.said())
    assert (told["clips"], told["speakers"], told["emotions"]["neutral"]) == (1380, 23, 92)
    assert "1380 of 1440 clips" in done.stderr
    assert pd.read_csv(tmp_path / "clips.csv", index_col="clip", dtype=str).shape == (1380, 9)
    table = ser(*scan).said()
    assert "ravdess: 1380 clips, 23 speakers" in table
    assert max(map(len, table.splitlines()[1:])) <= 80


def test_scan_of_an_own_corpus(tmp_path, ser):
    touch(tmp_path / "play", "rage/anna_1.wav", "sad/ben_1.wav")
    ser("corpora", "scan", "play").refused("'rage'")
    assert "--speaker" in ser("corpora", "scan", "play", "--map", "rage=angry").stderr
    words = ("--map", "rage=angry", "--speaker", r"/(\w+)_", "--json")
    told = json.loads(ser("corpora", "scan", "play", *words).said())
    assert (told["emotions"], told["speakers"]) == ({"sad": 1, "angry": 1}, 2)


def test_what_cannot_be_written_is_one_message(tmp_path, embedded, ser):
    (tmp_path / "file").touch()
    with pytest.raises(SerClassicError, match=r"synthetic: .*file.* --cache"):
        locate("synthetic", cache=tmp_path / "file")
    touch(tmp_path / "play", "sad/ben_1.wav")
    for output in (tmp_path / "absent" / "clips.csv", tmp_path):
        ser("corpora", "scan", "play", "-o", output).refused(str(output))


@pytest.mark.parametrize("name", CORPORA)
def test_every_corpus_has_its_page(name, ser):
    told = ser("corpora", "show", name).said()
    corpus = CORPORA[name]
    flat = " ".join(told.split())
    assert all(" ".join(fact.split()) in flat for fact in (corpus.title, corpus.licence, *corpus.anomalies))
    assert all(f"Dimensions: {', '.join(corpus.dimensions)}" in flat for _ in corpus.dimensions)
    entry = told[told.index("@misc{") :]
    assert entry.count("{") == entry.count("}")
    assert corpus.url in entry


def test_a_page_tells_what_is_left_out_the_folds_and_the_figures(ser):
    assert "fru:" in ser("corpora", "show", "iemocap").said()
    told = ser("corpora", "show", "ravdess").said()
    assert "6 published folds" in told
    assert "WavLM-large" in told
    ser("corpora", "show", "nothing").refused("'nothing'")
