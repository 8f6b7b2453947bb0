"""Duplicates: one recording under several names is told by its audio; equal features alone are none."""

from dataclasses import dataclass

import numpy as np
import pytest
import soundfile

from ser_classic.corpora import Loaded, load
from ser_classic.experiment.bench import bench
from ser_classic.experiment.cells import Cell
from ser_classic.experiment.duplicates import duplicates, require_apart, shared_by_speakers
from ser_classic.features import FEATURES, FeatureSet
from ser_classic.features.extraction import Features, extract
from ser_classic.predictor import cards
from ser_classic.predictor.fitting import fit


@dataclass(frozen=True)
class Coarse:
    """Extractor of this test: the same of every recording."""

    columns = ("nothing",)

    def __call__(self, waveform: np.ndarray, sample_rate: int) -> np.ndarray:
        return np.zeros(1, dtype=np.float32)


SETS = [FEATURES["mfcc13"], FEATURES["mfcc_rms_zcr_sequence"], FeatureSet("coarse", None, Coarse())]


@pytest.fixture
def copied(own_folder, tmp_path) -> Loaded:
    """The tiny corpus, and three of its clips under the name of another speaker, as FLAC."""
    rows = ["file,emotion,speaker"]
    for path in sorted(own_folder.rglob("*.wav")):
        rows.append(f"{path},{path.parent.name},{path.name[:3]}")
        if path.name == "s01_t1_1.wav":
            copy = tmp_path / path.parent.name / "again.flac"
            copy.parent.mkdir()
            soundfile.write(copy, *soundfile.read(path, dtype="int16"))
            rows.append(f"{copy},{path.parent.name},s09")
    (tmp_path / "calls.csv").write_text("\n".join(rows) + "\n")
    return load(tmp_path / "calls.csv")


def features_of(loaded: Loaded, feature_set: FeatureSet, cache) -> Features:
    return extract(loaded.clips, loaded.root, feature_set, cache, channel=loaded.corpus.channel)


@pytest.mark.parametrize("feature_set", SETS, ids=lambda each: each.name)
def test_duplicates_are_told_by_their_audio(copied, tiny, cache, feature_set):
    found = features_of(copied, feature_set, cache)
    groups = duplicates((copied, found))
    assert len(groups) == 3
    assert all(copied.clips.loc[group, "emotion"].nunique() == 1 for group in groups)
    told = shared_by_speakers(copied, found)
    assert told.startswith("calls: 6 of its 51 clips ")
    assert "again" in told
    honest = features_of(tiny, feature_set, cache)
    assert shared_by_speakers(tiny, honest) is None
    half, other = (
        tiny._replace(clips=tiny.clips[tiny.clips["speaker"].isin(names)])
        for names in (["tiny/s01", "tiny/s02"], ["tiny/s03", "tiny/s04"])
    )
    require_apart(half, other, *(features_of(each, feature_set, cache) for each in (half, other)))


def test_duplicates_of_one_speaker_or_of_nobody_are_no_leak_between_speakers(copied, cache):
    found = features_of(copied, FEATURES["mfcc13"], cache)
    same = copied.clips["speaker"].replace("calls/s09", "calls/s01")
    assert shared_by_speakers(copied._replace(clips=copied.clips.assign(speaker=same)), found) is None
    assert shared_by_speakers(copied._replace(clips=copied.clips.assign(speaker=None)), found) is None


def test_bench_tells_of_duplicates_once_a_corpus(copied, cache, tmp_path):
    cells = [
        Cell("calls", protocol, "mfcc13", model)
        for protocol in ("loso", "random5")
        for model in ("prior", "ridge")
    ]
    outcome = bench(cells, tmp_path / "results", cache=cache, own={"calls": copied})
    assert len(outcome.done) == 4
    (told,) = outcome.problems
    assert "6 of its 51 clips " in told


def test_the_card_tells_of_duplicates(copied, cache, tmp_path, caplog):
    predictor = fit(str(tmp_path / "calls.csv"), "mfcc13", "ridge", cache=cache, evaluate=False)
    told = "6 of its 51 clips "
    assert told in cards.text(predictor.card)
    assert told in caplog.text


@pytest.mark.parametrize(
    ("name", "features", "every"),  # those that tests/regression extracts, too
    [("ravdess", "classic180", 2), ("emodb", "pooled", 1), ("tess", "pooled", 9), ("synthetic", "pooled", 1)],
)
def test_no_corpus_has_duplicates_between_speakers(request, name, features, every, cache):
    data = None if name == "synthetic" else request.getfixturevalue("corpora")
    loaded = load(name, data, cache)
    loaded = loaded._replace(clips=loaded.clips.iloc[::every])
    assert shared_by_speakers(loaded, features_of(loaded, FEATURES[features], cache)) is None
