"""Features in: tables that are brought, and feature sets side by side."""

import json
import logging
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ser_classic import FEATURES, MODELS, PROTOCOLS, evaluate, extract, store
from ser_classic.cli.options import named_files
from ser_classic.errors import SerClassicError
from ser_classic.experiment.bench import bench
from ser_classic.experiment.cells import Cell
from ser_classic.experiment.stale import differences
from ser_classic.experiment.suites import read_suite, tables_of
from ser_classic.features.extraction import compute
from ser_classic.features.tables import bring, brought_set, save

WIDTH = 5


@pytest.fixture
def frame(tiny) -> pd.DataFrame:
    """Five numbers a clip, keyed by file, in another order than the clips."""
    values = np.random.default_rng(0).normal(size=(len(tiny.clips), WIDTH)).astype(np.float32)
    names = [f"e{number}" for number in range(WIDTH)]
    table = pd.DataFrame(values, columns=names, index=pd.Index(tiny.clips["file"], name="file"))
    return table.sample(frac=1, random_state=1)


def write(path: Path, frame: pd.DataFrame) -> Path:
    """The frame in the format that the ending says."""
    if path.suffix == ".csv":
        frame.to_csv(path)
    elif path.suffix == ".parquet":
        frame.to_parquet(path)
    else:
        np.savez(path, **{f"{frame.index.name}s": frame.index.to_numpy(dtype=str), "X": frame.to_numpy()})
    return path


@pytest.mark.parametrize("ending", [".npz", ".csv", ".parquet"])
def test_values_come_to_their_clips_whatever_the_format_and_the_order(tiny, frame, cache, tmp_path, ending):
    if ending == ".parquet":
        pytest.importorskip("pyarrow")
    table = brought_set("mine", write(tmp_path / f"t{ending}", frame))
    features = extract(tiny.clips, tiny.root, table, cache)
    expected = frame.loc[tiny.clips["file"]].to_numpy()
    np.testing.assert_allclose(features.values, expected, rtol=1e-6)
    assert features.clips.equals(tiny.clips.index)
    named = (
        [f"mine/{number}" for number in range(WIDTH)] if ending == ".npz" else [f"mine/{c}" for c in frame]
    )
    assert list(features.columns) == named


@pytest.mark.parametrize(
    "key",
    [
        lambda clips: clips.index,
        lambda clips: "tiny/" + clips["file"],
        lambda clips: clips["file"].str.replace(".wav", ".flac"),
        lambda clips: "./" + clips["file"],
        lambda clips: clips["file"].str.replace("/", "\\"),
    ],
)
def test_a_clip_may_be_called_by_its_name_or_by_its_file(tiny, frame, tmp_path, key):
    frame = frame.loc[tiny.clips["file"]].set_axis(pd.Index(key(tiny.clips), name="clip"))
    rows = brought_set("mine", write(tmp_path / "t.csv", frame)).extractor.rows_of(tiny.clips)
    assert rows.tolist() == list(range(48))


def test_several_corpora_in_one_table(tiny, frame, tmp_path, caplog):
    other = frame.set_axis("emodb/" + frame.index.rename("file"))
    both = pd.concat([other, frame])
    with caplog.at_level(logging.WARNING):
        rows = brought_set("mine", write(tmp_path / "t.csv", both)).extractor.rows_of(tiny.clips)
    assert not caplog.records
    assert rows.min() >= len(other)
    named = pd.concat([frame, frame + 1]).assign(corpus=["other"] * 48 + ["tiny"] * 48)
    rows = brought_set("mine", write(tmp_path / "u.csv", named)).extractor.rows_of(tiny.clips)
    assert rows.min() == 48


def test_rows_of_no_clip_are_told(tiny, frame, tmp_path, caplog):
    foreign = frame.iloc[:2].set_axis(pd.Index(["angry/nobody.wav", "sad/noone.wav"], name="file"))
    table = brought_set("mine", write(tmp_path / "t.csv", pd.concat([frame, foreign])))
    table.extractor.rows_of(tiny.clips)
    assert "nobody.wav" in caplog.text


def test_ranks_are_features(frame, tmp_path):
    ranks = frame.rank(method="first")
    np.testing.assert_array_equal(
        brought_set("mine", write(tmp_path / "t.csv", ranks)).extractor.values, ranks
    )


def test_a_column_that_holds_the_emotions_is_told(tiny, frame, tmp_path, caplog):
    label = tiny.clips.set_index("file")["emotion"].astype("category").cat.codes
    for extra, told in ((label, True), (label.where(label.index != label.index[-1], 7), False), (1, False)):
        caplog.clear()
        table = brought_set("mine", write(tmp_path / "t.csv", frame.assign(y=extra)))
        table.extractor.rows_of(tiny.clips)
        assert ("mine/y" in caplog.text) == told


def test_missing_doubled_and_foreign_clips_are_named(tiny, frame, tmp_path):
    gone = frame.index[3]
    for wrong, named in (
        (frame.drop(gone), gone.removesuffix(".wav")),
        (pd.concat([frame, frame.loc[[gone]]]), gone),
        (frame.set_axis(frame.index + ".x"), frame.index[0] + ".x"),
    ):
        table = brought_set("mine", write(tmp_path / "t.csv", wrong)).extractor
        with pytest.raises(SerClassicError, match=named):
            table.rows_of(tiny.clips)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda frame: frame.mask(np.repeat(frame.index == frame.index[7], WIDTH).reshape(-1, WIDTH)), "7"),
        (lambda frame: frame.replace(frame.iloc[7, 2], np.inf), "e2"),
        (lambda frame: frame.astype(float).replace(float(frame.iloc[7, 2]), 1e300), "e2"),
        (lambda frame: frame.assign(note="words"), "note"),
        (lambda frame: frame.rename_axis("path"), "clip, clips, file, files"),
        (lambda frame: frame.assign(clip="a"), "clip and file"),
        (lambda frame: frame[[]], "shape"),
        (lambda frame: frame.reset_index(), "Unnamed: 0"),
        (lambda frame: frame.assign(id=np.arange(48)), "id"),
    ],
)
def test_a_table_that_cannot_be_used_says_where(frame, tmp_path, change, named):
    path = write(tmp_path / "t.csv", change(frame))
    with pytest.raises(SerClassicError, match=r"t\.csv") as error:
        brought_set("mine", path)
    assert (frame.index[7] if named == "7" else named) in str(error.value)


def test_files_that_are_no_tables_are_one_error(tmp_path):
    (tmp_path / "t.npz").write_text("no archive")
    (tmp_path / "t.txt").touch()
    np.savez(tmp_path / "words.npz", clip=["a"], X=[["b"]])
    np.savez(tmp_path / "objects.npz", clip=["a"], X=np.array([[None]], dtype=object))
    np.savez(tmp_path / "strange.npz", clip=["a"], X=[[1.0]], scores=[1])
    np.savez(tmp_path / "short.npz", clip=["a", "b"], X=[[1.0]])
    np.savez(tmp_path / "columns.npz", clip=["a"], X=[[1.0, 2.0]], columns=["c", "c"])
    for name in ("absent.npz", "t.npz", "t.txt", *(f.name for f in tmp_path.glob("?????*.npz"))):
        with pytest.raises(SerClassicError, match=name):
            brought_set("mine", tmp_path / name)
    for wrong in (["hubert"], ["=a.npz"], ["hubert="], ["hubert=b.npz", "hubert=c.npz"]):
        with pytest.raises(SerClassicError, match="hubert"):
            named_files(wrong)


@pytest.mark.parametrize("name", ["f.npz", "f.csv"])
def test_what_features_extract_writes_is_a_table(tiny, mfcc13, cache, tmp_path, name):
    save(tmp_path / name, tiny.clips, mfcc13)
    found = extract(tiny.clips, tiny.root, brought_set("again", tmp_path / name), cache)
    np.testing.assert_allclose(found.values, mfcc13.values, rtol=1e-6)
    table = np.load(tmp_path / name) if name == "f.npz" else pd.read_csv(tmp_path / name)
    for column in ("speaker", "emotion"):
        assert list(table[column]) == list(tiny.clips[column])


def test_feature_sets_stand_side_by_side(tiny, cache):
    both = FEATURES["mfcc13+prosody"]
    parts = [extract(tiny.clips, tiny.root, FEATURES[name], cache) for name in ("mfcc13", "prosody")]
    joined = extract(tiny.clips, tiny.root, both, cache)
    np.testing.assert_array_equal(joined.values, np.concatenate([part.values for part in parts], axis=1))
    assert joined.columns == both.columns
    groups = dict.fromkeys(name.split("/")[0] for name in joined.columns)
    assert list(groups) == ["mfcc13", "prosody"]
    from ser_classic import audio

    waveform, rate = audio.read(tiny.root / tiny.clips["file"].iloc[0])
    np.testing.assert_allclose(compute(both, waveform, rate), joined.values[0], rtol=1e-5)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("mfcc13+mfcc13", "once"),
        ("mfcc13+logmel_sequence", "logmel_sequence"),
        ("mfcc13+mfcc31", "'mfcc13'"),
        ("mfcc13+", "''"),
    ],
)
def test_what_cannot_be_joined_says_so(name, reason):
    with pytest.raises(SerClassicError, match=reason):
        FEATURES[name]


def test_sets_that_share_features_cannot_be_joined():
    with pytest.raises(SerClassicError, match=r"flagship\+prosody: .*prosody/"):
        _ = FEATURES["flagship+prosody"].columns


def test_a_brought_table_is_a_feature_set_while_it_is_brought(tiny, frame, cache, tmp_path):
    write(tmp_path / "t.csv", frame)
    with bring({"mine": tmp_path / "t.csv"}):
        assert "mine" in FEATURES
        assert FEATURES["mfcc13+mine"].brought
        features = extract(tiny.clips, tiny.root, FEATURES["mfcc13+mine"], cache)
        model = MODELS["fusion"].pipeline().fit(features.frame, tiny.clips["emotion"])
        assert list(model[-1].groups_)[:2] == ["mfcc13", "mine"]
        assert len(evaluate(tiny.clips, features, MODELS["ridge"], PROTOCOLS["loso_adapted"])) == 48
        with pytest.raises(SerClassicError, match=r"t\.csv"):
            compute(FEATURES["mine"], np.random.default_rng(0).normal(size=16000), 16000)
        with pytest.raises(SerClassicError, match="degraded"):
            extract(tiny.clips, tiny.root, FEATURES["mine"], cache, degradation="noise10")
    assert "mine" not in FEATURES
    with pytest.raises(SerClassicError, match="taken"), bring({"flagship": tmp_path / "t.csv"}):
        pass


def test_a_run_is_stale_once_its_table_has_changed(tiny, frame, cache, tmp_path):
    path = write(tmp_path / "t.csv", frame)
    cells = [Cell("tiny", "loso", name, "ridge") for name in ("mine", "mfcc13+mine")]
    results, own = tmp_path / "results", {"tiny": tiny}
    with bring({"mine": path}):
        assert len(bench(cells, results, cache=cache, own=own).done) == 2
        assert len(bench(cells, results, cache=cache, own=own).kept) == 2
    runs = list(store.runs(results))
    assert [run.record["brought"] for run in runs] == [["mine"], ["mine"]]

    def clips(_):
        return None

    for run in runs:
        assert differences(run.record, clips) == {}  # the table is not at hand: nothing is known of it
    joined = json.loads(json.dumps(next(run.record for run in runs if "+" in run.id)))
    joined["parameters"]["features"]["parts"][0]["version"] = 0
    assert differences(joined, clips)
    write(path, frame + 1)
    with bring({"mine": path}):
        assert all(differences(run.record, clips) for run in runs)
        assert len(bench(cells, results, cache=cache, own=own).done) == 2


def test_a_suite_brings_tables(frame, tmp_path):
    write(tmp_path / "t.csv", frame)
    grid = '[[grid]]\ncorpora = ["synthetic"]\nprotocols = ["loso"]\nfeatures = ["mfcc13+mine"]\n'
    suite = tmp_path / "s.toml"
    suite.write_text('[tables]\nmine = "t.csv"\n' + grid + 'models = ["ridge"]\n')
    assert tables_of([str(suite), "quick", str(suite)]) == {"mine": tmp_path / "t.csv"}
    other = tmp_path / "other.toml"
    other.write_text(suite.read_text().replace("t.csv", "another.csv"))
    with pytest.raises(SerClassicError, match=r"other\.toml.*mine.*another\.csv.*t\.csv"):
        tables_of([str(suite), str(other)])
    with bring(tables_of([str(suite)])):
        assert [cell.features for cell in read_suite(str(suite))] == ["mfcc13+mine"]
    with pytest.raises(SerClassicError, match="mine"):
        read_suite(str(suite))


@pytest.mark.parametrize(
    ("given", "reason"),
    [("mine", "hubert=hubert.npz"), ("mine=absent.npz", "absent.npz"), ("Mine=t.csv", "'Mine'")],
)
def test_the_command_refuses_what_is_no_table(frame, tmp_path, ser, given, reason):
    write(tmp_path / "t.csv", frame)
    ser("bench", "quick", "--table", given).refused(reason)
