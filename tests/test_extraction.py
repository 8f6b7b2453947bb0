"""Extraction and its cache: nothing is computed twice, nothing half or foreign is read."""

import gc
import os
import pickle
import shutil
import sys
import weakref
import zipfile
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile

from ser_classic import audio, load
from ser_classic.corpora import Reading
from ser_classic.errors import SerClassicError
from ser_classic.extras.deep.features import SEQUENCES
from ser_classic.features import FEATURES, FeatureSet
from ser_classic.features.extraction import compute, extract
from ser_classic.features.shards import index, write_shard
from ser_classic.runtime.engines import Local


@dataclass(frozen=True)
class Peaks:
    """Extractor of this test: level and length; with `log`, a line a call."""

    log: str
    power: int = 1

    @property
    def columns(self) -> tuple[str, ...]:
        return ("level_mean", "length_mean")

    def __call__(self, waveform: np.ndarray, sample_rate: int) -> np.ndarray:
        with Path(self.log).open("a") as file:
            file.write("x")
        return np.array([np.abs(waveform).mean() ** self.power, len(waveform)], dtype=np.float32)


@dataclass(frozen=True)
class Frames:
    """Extractor of this test: a row per 1000 samples."""

    gives = SEQUENCES
    columns = ("level",)

    def __call__(self, waveform: np.ndarray, sample_rate: int) -> np.ndarray:
        blocks = waveform[: len(waveform) // 1000 * 1000].reshape(-1, 1000)
        return np.abs(blocks).mean(axis=1, keepdims=True)


@pytest.fixture
def corpus(tmp_path: Path) -> tuple[pd.DataFrame, Path]:
    random = np.random.default_rng(0)
    names = [f"c{number:02d}" for number in range(40)]
    for number, name in enumerate(names):
        soundfile.write(tmp_path / f"{name}.wav", 0.1 * random.normal(size=8000 + 100 * number), 16_000)
    clips = pd.DataFrame(
        {"file": [f"{name}.wav" for name in names], "speaker": "t/1", "emotion": "happy"},
        index=pd.Index([f"t/{name}" for name in names], name="clip"),
    )
    return clips, tmp_path


@pytest.fixture
def peaks(tmp_path: Path) -> FeatureSet:
    (tmp_path / "log").touch()
    return FeatureSet("peaks", None, Peaks(str(tmp_path / "log")))


def calls(feature_set: FeatureSet) -> int:
    return len(Path(feature_set.extractor.log).read_text())


def shards(cache: Path, name: str = "peaks") -> list[Path]:
    return sorted(cache.glob(f"features/{name}-*/*.npz"))


def test_rows_follow_the_clips_table(corpus, peaks, tmp_path):
    clips, root = corpus
    features = extract(clips, root, peaks, tmp_path / "cache")
    assert features.frame.index.equals(clips.index)
    assert list(features.frame.columns) == ["level_mean", "length_mean"]
    np.testing.assert_array_equal(features.frame["length_mean"], 8000 + 100 * np.arange(40))
    backwards = extract(clips[::-1], root, peaks, tmp_path / "cache")
    np.testing.assert_array_equal(backwards.values, features.values[::-1])


def test_a_second_call_computes_nothing_and_a_new_clip_costs_one(corpus, peaks, tmp_path):
    clips, root = corpus
    extract(clips[:-1], root, peaks, tmp_path / "cache")
    assert calls(peaks) == 39
    extract(clips[:-1], root, peaks, tmp_path / "cache")
    assert calls(peaks) == 39
    extract(clips, root, peaks, tmp_path / "cache")
    assert calls(peaks) == 40


def test_vectors_are_let_go_as_soon_as_they_are_written(corpus, peaks, tmp_path, monkeypatch):
    made, compute = [], Peaks.__call__

    def noted(self, waveform, sample_rate):
        vector = compute(self, waveform, sample_rate)
        made.append(weakref.ref(vector))
        return vector

    monkeypatch.setattr(Peaks, "__call__", noted)
    gc.disable()  # which would come too late in a long extraction
    try:
        extract(*corpus, peaks, tmp_path / "cache")
        assert len(made) == 40
        assert all(vector() is None for vector in made)
    finally:
        gc.enable()


def test_a_clip_that_waits_for_a_worker_takes_little_memory(corpus, peaks, tmp_path):
    sent = []

    class Noted(Local):
        def run(self, function, calls, what):
            sent.extend(batch for _, batch in calls)
            return super().run(function, calls, what)

    extract(*corpus, peaks, tmp_path / "cache", Noted())
    assert len(sent) == 2  # batches, of 32 clips and 8
    assert sum(map(sys.getsizeof, sent)) < 120 * 40


def test_the_index_keeps_the_texts_that_it_is_given_and_no_others(tmp_path):
    path = write_shard(tmp_path, ["of a", "of b"], [np.zeros((1, 2), np.float32)] * 2)
    asked = ["".join(["of ", "a"]), "of c"]
    found = index(tmp_path, asked)
    assert found == {"of a": path, "of c": None}
    assert next(iter(found)) is asked[0]


def test_a_renamed_clip_costs_nothing_and_a_changed_one_is_computed_again(corpus, peaks, tmp_path):
    clips, root = corpus
    before = extract(clips, root, peaks, tmp_path / "cache")
    (root / "c00.wav").rename(root / "new.wav")
    renamed = clips.replace({"file": {"c00.wav": "new.wav"}})
    np.testing.assert_array_equal(extract(renamed, root, peaks, tmp_path / "cache").values, before.values)
    assert calls(peaks) == 40
    soundfile.write(root / "new.wav", np.tile([0.5, -0.5], 4000), 16_000)
    after = extract(renamed, root, peaks, tmp_path / "cache")
    assert calls(peaks) == 41
    assert after.values[0, 0] == pytest.approx(0.5, abs=1e-3)
    np.testing.assert_array_equal(after.values[1:], before.values[1:])


def test_a_recording_is_digested_once_however_many_feature_sets_want_it(corpus, peaks, tmp_path, monkeypatch):
    clips, root = corpus
    digested = []

    def counted(path):
        digested.append(path.name)
        return digest(path)

    digest = audio.digest
    monkeypatch.setattr(audio, "digest", counted)
    for version in (1, 2):
        extract(clips, root, replace(peaks, version=version), tmp_path / "cache")
    assert sorted(digested) == sorted(clips["file"])


def test_a_field_of_an_extractor_does_not_hide_what_the_set_says(peaks):
    @dataclass(frozen=True)
    class Named(Peaks):
        name: str = "other"
        version: int = 7

    one, two = (FeatureSet("named", None, Named("log", version=version), version=2) for version in (7, 8))
    assert (one.parameters["name"], one.parameters["version"]) == ("named", 2)
    assert one.parameters != two.parameters


def test_a_clip_that_is_replaced_while_it_is_extracted_is_not_kept(corpus, peaks, tmp_path, monkeypatch):
    clips, root = corpus
    whole = (root / "c00.wav").read_bytes()
    read = audio.read

    def late(path, *rest):
        if path.name == "c00.wav":
            soundfile.write(path, np.tile([0.5, -0.5], 4000), 16_000)
        return read(path, *rest)

    monkeypatch.setattr(audio, "read", late)
    with pytest.raises(SerClassicError, match=r"1 of 40 clips .*\n.*c00\.wav: "):
        extract(clips, root, peaks, tmp_path / "cache")
    monkeypatch.undo()
    (root / "c00.wav").write_bytes(whole)
    found = extract(clips, root, peaks, tmp_path / "cache").values
    np.testing.assert_array_equal(found, extract(clips, root, peaks, tmp_path / "other").values)


@pytest.mark.parametrize(
    "change",
    [
        lambda peaks: replace(peaks, version=2),
        lambda peaks: replace(peaks, sample_rate=8_000),
        lambda peaks: replace(peaks, extractor=replace(peaks.extractor, power=2)),
    ],
)
def test_other_parameters_are_other_features(corpus, peaks, tmp_path, change):
    clips, root = corpus
    extract(clips, root, peaks, tmp_path / "cache")
    extract(clips, root, change(peaks), tmp_path / "cache")
    assert calls(peaks) == 80


def test_a_damaged_shard_is_computed_again(corpus, peaks, tmp_path):
    clips, root = corpus
    before = extract(clips, root, peaks, tmp_path / "cache")
    for matrix in (tmp_path / "cache").rglob("matrix-*.npy"):
        matrix.unlink()
    first, *_ = shards(tmp_path / "cache")
    first.write_bytes(first.read_bytes()[:-200])
    again = extract(clips, root, peaks, tmp_path / "cache")
    np.testing.assert_array_equal(again.values, before.values)


def test_a_folder_that_is_named_like_a_shard_is_let_be(corpus, peaks, tmp_path):
    clips, root = corpus
    extract(clips.iloc[:3], root, peaks, tmp_path / "cache")
    folder = shards(tmp_path / "cache")[0].with_name("x.npz")
    folder.mkdir()
    assert len(extract(clips, root, peaks, tmp_path / "cache").clips) == len(clips)
    assert folder.is_dir()


def test_a_shard_with_damaged_values_is_told_and_removed(corpus, peaks, tmp_path):
    clips, root = corpus
    before = np.array(extract(clips, root, peaks, tmp_path / "cache").values)
    for matrix in (tmp_path / "cache").rglob("matrix-*.npy"):
        matrix.unlink()
    first, *others = shards(tmp_path / "cache")
    with zipfile.ZipFile(first) as archive:
        start = archive.getinfo("values.npy").header_offset + 200
    content = bytearray(first.read_bytes())
    content[start : start + 8] = bytes(byte ^ 255 for byte in content[start : start + 8])
    first.write_bytes(content)
    with pytest.raises(SerClassicError, match=rf"{first.name}.*again"):
        extract(clips, root, peaks, tmp_path / "cache")
    assert shards(tmp_path / "cache") == others
    assert np.array_equal(extract(clips, root, peaks, tmp_path / "cache").values, before)


def test_a_cut_matrix_is_assembled_again(corpus, peaks, tmp_path):
    clips, root = corpus
    whole = np.array(extract(clips, root, peaks, tmp_path / "cache").values)
    (matrix,) = (tmp_path / "cache").rglob("matrix-*.npy")
    for size in (0, 100, 300):
        matrix.write_bytes(matrix.read_bytes()[:size])
        assert np.array_equal(extract(clips, root, peaks, tmp_path / "cache").values, whole)


def test_a_draft_that_was_left_behind_is_never_read(corpus, peaks, tmp_path):
    clips, root = corpus
    before = extract(clips, root, peaks, tmp_path / "cache")
    shard = shards(tmp_path / "cache")[0]
    shutil.copy(shard, shard.with_name(".draft-1234"))
    np.testing.assert_array_equal(extract(clips, root, peaks, tmp_path / "cache").values, before.values)
    assert calls(peaks) == 40


def test_bad_clips_are_named_and_the_others_are_kept(corpus, peaks, tmp_path):
    clips, root = corpus
    (root / "c03.wav").write_bytes(b"")
    (root / "c04.wav").write_text("no audio")
    with pytest.raises(SerClassicError) as caught:
        extract(clips, root, peaks, tmp_path / "cache")
    assert "2 of 40 clips" in str(caught.value)
    assert "c03.wav" in str(caught.value)
    assert "c04.wav" in str(caught.value)
    assert calls(peaks) == 38
    with pytest.raises(SerClassicError, match="2 of 40 clips"):  # though no others are to be extracted
        extract(clips, root, peaks, tmp_path / "cache")
    extract(clips.drop(["t/c03", "t/c04"]), root, peaks, tmp_path / "cache")
    assert calls(peaks) == 38


def test_a_vanished_clip_is_named(corpus, peaks, tmp_path):
    clips, root = corpus
    (root / "c07.wav").unlink()
    with pytest.raises(audio.AudioError, match=r"c07\.wav: "):
        extract(clips, root, peaks, tmp_path / "cache")


def test_an_extractor_with_other_columns_than_before_is_told(corpus, peaks, tmp_path, monkeypatch):
    clips, root = corpus
    extract(clips[:-1], root, peaks, tmp_path / "cache")
    monkeypatch.setattr(Peaks, "columns", ("level_mean",))
    with pytest.raises(SerClassicError, match="peaks"):
        extract(clips[:-1], root, peaks, tmp_path / "cache")
    monkeypatch.setattr(Peaks, "__call__", lambda self, waveform, sample_rate: np.ones(1, np.float32))
    with pytest.raises(SerClassicError, match="`version`"):
        extract(clips, root, peaks, tmp_path / "cache")
    assert extract(clips, root, replace(peaks, version=2), tmp_path / "cache").values.shape == (40, 1)


def test_features_that_are_not_finite_are_refused(corpus, peaks, tmp_path):
    clips, root = corpus
    endless = replace(peaks, extractor=replace(peaks.extractor, power=-(10**6)))
    with pytest.raises(SerClassicError, match="level_mean"):
        extract(clips, root, endless, tmp_path / "cache")


def test_sequences_keep_their_lengths(corpus, tmp_path):
    clips, root = corpus
    feature_set = FeatureSet("frames", None, Frames())
    features = extract(clips, root, feature_set, tmp_path / "cache")
    assert features.lengths.tolist() == [(8000 + 100 * number) // 1000 for number in range(40)]
    for clip, sequence in zip(clips["file"], features.array, strict=True):
        waveform, rate = audio.read(root / clip)
        np.testing.assert_array_equal(sequence, feature_set.extractor(waveform, rate))
    with pytest.raises(SerClassicError, match="use `array`"):
        _ = features.frame


def test_a_full_disk_is_one_message(corpus, peaks, tmp_path, monkeypatch):
    clips, root = corpus

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(SerClassicError, match="No space left on device"):
        extract(clips, root, peaks, tmp_path / "cache")
    assert calls(peaks) == 40
    monkeypatch.undo()
    extract(clips, root, peaks, tmp_path / "cache")
    assert calls(peaks) == 40


def test_features_are_sent_to_another_process_by_the_name_of_their_file(tiny, cache):
    features = extract(tiny.clips, tiny.root, FEATURES["pooled"], cache)
    sent = pickle.dumps(features)
    assert len(sent) < features.values.nbytes / 2
    received = pickle.loads(sent)
    assert isinstance(received.values, np.memmap)
    assert received.digest == features.digest
    part = replace(features, values=features.values[3:5])
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(part)).values, features.values[3:5])
    Path(features.values.filename).unlink()
    with pytest.raises(SerClassicError, match="cache"):
        pickle.loads(sent)


def test_features_are_of_the_channel_that_the_corpus_was_loaded_with(tmp_path):
    left, right = np.random.default_rng(0).normal(size=(2, 16000)) * [[0.1], [0.02]]
    for emotion in ("angry", "sad"):
        (tmp_path / "mine" / emotion).mkdir(parents=True)
        soundfile.write(tmp_path / "mine" / emotion / "a.wav", np.column_stack([left, right]), 16000)
    for channel in (0, 1, None):
        root, clips, _ = load(tmp_path / "mine", reading=Reading(channel=channel))
        given = extract(clips[clips["emotion"] == "sad"], root, FEATURES["mfcc13"], tmp_path / "cache")
        expected = compute(FEATURES["mfcc13"], *audio.read(root / "sad/a.wav", channel=channel))
        np.testing.assert_allclose(given.values[0], expected, rtol=1e-5)
