"""Label files: every format says the same, and what is wrong with one is named."""

import json

import pandas as pd
import pytest
from tiny_corpus import touch

from ser_classic.corpora import Reading, load
from ser_classic.corpora.labels import LabelFile, bare
from ser_classic.corpora.tables import read_rows
from ser_classic.errors import SerClassicError

ROWS = [
    {"name": "a 1.wav", "emotion": "anger", "who": "Ann"},
    {"name": "b/2.flac", "emotion": "joy", "who": ""},
]
TEXTS = {
    "tab.txt": "name\temotion\twho\na 1.wav\tanger\tAnn\nb/2.flac\tjoy\n",
    "bar.csv": "name | emotion | who\na 1.wav | anger | Ann\nb/2.flac | joy |\n",
    "list.json": json.dumps([ROWS[0], {"name": "b/2.flac", "emotion": "joy", "who": None}]),
}


@pytest.mark.parametrize("name", TEXTS)
def test_formats_say_the_same(tmp_path, name):
    (tmp_path / name).write_text(TEXTS[name], encoding="utf-8", newline="")
    assert read_rows(tmp_path / name)[["name", "emotion", "who"]].to_dict("records") == ROWS


def test_spaces_part_columns_where_nothing_else_does(tmp_path):
    (tmp_path / "x.txt").write_text("name emotion\na1  anger\nb2 joy\n")
    assert read_rows(tmp_path / "x.txt").values.tolist() == [["a1", "anger"], ["b2", "joy"]]


def test_objects_by_clip(tmp_path):
    (tmp_path / "x.json").write_text('{"a": {"emotion": "anger", "age": 31}, "b": {"emotion": "joy"}}')
    (tmp_path / "y.json").write_text('{"a": "anger"}')
    assert read_rows(tmp_path / "x.json").values.tolist() == [["a", "anger", "31"], ["b", "joy", ""]]
    assert read_rows(tmp_path / "y.json").to_dict("records") == [{"key": "a", "label": "anger"}]


def test_lists_in_a_column_are_texts(tmp_path):
    (tmp_path / "x.json").write_text('[{"file": "a.wav", "scores": [1, 2]}]')
    assert read_rows(tmp_path / "x.json").loc[2].tolist() == ["a.wav", "[1, 2]"]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("x.csv", "File,file\na.wav,b.wav\n"),
        ("x.json", '[{"File": "a.wav", "file": "b.wav"}]'),
        ("more.csv", "file\na.wav,b.wav\n"),
    ],
)
def test_a_remedy_is_the_only_one(tmp_path, name, content):
    (tmp_path / name).write_text(content)
    with pytest.raises(SerClassicError, match=name) as refused:
        read_rows(tmp_path / name)
    assert "UTF-8" not in str(refused.value)


def test_lines_that_match_are_rows(tmp_path):
    (tmp_path / "x.txt").write_text("# head\nclip01 -> anger (Ann)\nnothing\nclip02 -> joy (Ben)\n")
    pattern = r"(?P<clip>\w+) -> (?P<label>\w+) \((?P<speaker>\w+)\)"
    table = LabelFile("*.txt", key="clip", line=pattern).table(tmp_path / "x.txt")
    assert table.values.tolist() == [["clip01", "anger", "Ann"], ["clip02", "joy", "Ben"]]
    with pytest.raises(SerClassicError, match=r"x\.txt"):
        LabelFile("*.txt", key="clip", line="nowhere").table(tmp_path / "x.txt")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("x.json", b"{"),
        ("x.json", b"3"),
        ("x.json", b"[]"),
        ("x.csv", b"name,emotion\n\xff,b\n"),
    ],
)
def test_what_is_no_table_is_named(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(SerClassicError, match=name):
        read_rows(tmp_path / name)


def test_columns_are_renamed_words_translated_and_others_kept(tmp_path):
    (tmp_path / "x.csv").write_text("File,Emo,Split,Gender,Age\na.wav,ang,T1,Woman,31\nb.wav,hap,T2,?,\n")
    labels = LabelFile(
        "*.csv",
        key="File",
        columns={"Emo": "label", "Split": "partition", "Gender": "sex"},
        codes={"partition": {"T1": "test"}},
    )
    table = labels.read(tmp_path, "mine")
    assert table.loc["a"].to_dict() == {"label": "ang", "partition": "test", "sex": "female", "age": "31"}
    assert table.loc["b", "partition"] == "T2"
    assert pd.isna(table.loc["b", "sex"])
    assert pd.isna(table.loc["b", "age"])


def test_one_row_twice_does_no_harm_and_two_things_of_one_clip_do(tmp_path):
    (tmp_path / "x.csv").write_text("File,label\na.wav,ang\na.wav,ang\n")
    labels = LabelFile("*.csv", key="File")
    assert labels.read(tmp_path, "mine")["label"].tolist() == ["ang"]
    (tmp_path / "x.csv").write_text("File,label\na.wav,ang\na.wav,sad\n")
    with pytest.raises(SerClassicError, match="'a'"):
        labels.read(tmp_path, "mine")


def test_an_absent_key_or_file_is_named(tmp_path):
    with pytest.raises(SerClassicError, match=r"\*\.csv"):
        LabelFile("*.csv", key="File").read(tmp_path, "mine")
    (tmp_path / "x.csv").write_text("name,label\na.wav,ang\n")
    with pytest.raises(SerClassicError, match="column file"):
        LabelFile("*.csv", key="File").read(tmp_path, "mine")


@pytest.mark.parametrize(
    ("key", "clip"),
    [("a.wav", "a"), ("a.b.FLAC", "a.b"), ("a.b", "a.b"), (r"x\y.mp3", "x/y"), ("c.mp4", "c"), (" d ", "d")],
)
def test_key_is_bared_of_audio_suffixes_alone(key, clip):
    assert bare(key) == clip


OWN = "name,Emo,who,session,age\none.wav,anger,Ann,1,31\ntwo,joy,Ben,2,\n"


@pytest.fixture
def recordings(tmp_path):
    touch(tmp_path / "clips", "x/one.wav", "y/two.flac")
    (tmp_path / "labels.csv").write_text(OWN)
    return tmp_path


def test_a_folder_of_ones_own_is_told_by_its_label_file(recordings):
    reading = Reading(
        labels=recordings / "labels.csv", key="name", columns={"Emo": "emotion", "who": "speaker"}
    )
    clips = load(recordings / "clips", reading=reading).clips
    assert clips["file"].tolist() == ["x/one.wav", "y/two.flac"]
    assert clips["emotion"].tolist() == ["angry", "happy"]
    assert clips["label"].tolist() == ["anger", "joy"]
    assert clips["speaker"].tolist() == ["clips/Ann", "clips/Ben"]
    assert clips["session"].tolist() == ["1", "2"]
    assert clips["age"].fillna("").tolist() == ["31", ""]


def test_on_the_command_line(recordings, ser):
    scan = ("corpora", "scan", "clips", "--labels", "labels.csv", "--key", "name", "--column", "Emo=emotion")
    assert json.loads(ser(*scan, "--json").said())["emotions"] == {"happy": 1, "angry": 1}
    for more, named in (("name=emotion", ["emotion"]), ("nope=speaker", ["nope", "emo"])):
        told = ser(*scan, "--column", more)
        told.refused(*named, code=told.returncode or 1)


@pytest.mark.parametrize(
    ("rows", "named"),
    [
        ("name,emotion\none,sad\nthree,sad\n", "'three'"),
        ("name,emotion\none,sad\ntwo,\n", r"labels\.csv: line 3 .*emotion"),
        ("name,feeling\none,sad\n", "--column"),
        ("name,emotion\none,sad\none,angry\n", "line 3 .*line 2"),
    ],
)
def test_labels_that_do_not_fit_the_recordings_are_named(recordings, rows, named):
    (recordings / "labels.csv").write_text(rows)
    with pytest.raises(SerClassicError, match=named):
        load(recordings / "clips", reading=Reading(labels=recordings / "labels.csv", key="name"))


def test_parts_of_a_recording_may_have_labels_of_their_own(recordings):
    """And a manifest's columns may be called otherwise: both are read as one kind of table."""
    (recordings / "labels.csv").write_text("Name,start,end,Emo\none,0,1.50,sad\none,1.5,,angry\n")
    how = {"key": "Name", "columns": {"Emo": "emotion"}}
    told = load(recordings / "clips", reading=Reading(labels=recordings / "labels.csv", **how)).clips
    assert told.index.tolist() == ["clips/x/one@0-1.5", "clips/x/one@1.5-"]
    touch(recordings, "one.wav")
    (recordings / "labels.csv").write_text("Name,start,end,Emo\none.wav,0,1.50,sad\n")
    assert load(recordings / "labels.csv", reading=Reading(**how)).clips["emotion"].tolist() == ["sad"]


def test_recordings_called_alike_are_told_apart_by_folder(recordings):
    touch(recordings / "clips", "y/one.wav")
    (recordings / "labels.csv").write_text("folder,name,emotion\nx,one,sad\ny,one,angry\ny,two,sad\n")
    (recordings / "short.csv").write_text("name,emotion\none,sad\n")
    with pytest.raises(SerClassicError, match=r"x/one\.wav or y/one\.wav"):
        load(recordings / "clips", reading=Reading(labels=recordings / "short.csv", key="name"))
    reading = Reading(labels=recordings / "labels.csv", key="{folder}/{name}")
    assert load(recordings / "clips", reading=reading).clips["emotion"].tolist() == ["sad", "angry", "sad"]


def test_recordings_without_a_row_are_left_out_and_told(recordings, caplog):
    touch(recordings / "clips", "z/three.wav")
    reading = Reading(labels=recordings / "labels.csv", key="name", columns={"Emo": "emotion"})
    assert len(load(recordings / "clips", reading=reading).clips) == 2
    assert "1 recording left out" in caplog.text


def test_options_of_a_table_go_with_one_and_a_label_file_with_a_folder(recordings):
    for place, reading in (
        (recordings / "clips", Reading(key="name")),
        (recordings / "labels.csv", Reading(labels=recordings / "labels.csv")),
    ):
        with pytest.raises(SerClassicError, match="--labels"):
            load(place, reading=reading)
