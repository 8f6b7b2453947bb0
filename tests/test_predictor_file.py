"""The saved predictor: one sealed file, out of which comes what was put in, or one line of refusal."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
import skops.io
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.ensemble import BaggingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from ser_classic.predictor import Predictor, PredictorError, load_predictor, read_card
from ser_classic.predictor.cards import text
from ser_classic.predictor.fitting import fit
from ser_classic.predictor.saving import CARD, seal, unpack
from ser_classic.runtime.files import FileError

MODELS = ("svm_rbf", "random_forest", "xgboost", "mlp")


@pytest.fixture(scope="module")
def predictors(own_folder, cache) -> dict[str, Predictor]:
    options = {"cache": cache, "evaluate": False, "speaker": r"/(s\d\d)_"}
    return {model: fit(str(own_folder), "mfcc13", model, **options) for model in MODELS}


@pytest.fixture(scope="module")
def files(predictors, tmp_path_factory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("models")
    for name, predictor in predictors.items():
        predictor.save(folder / f"{name}.skops")
    return {name: folder / f"{name}.skops" for name in predictors}


def resealed(content: bytes, change) -> bytes:
    """The file as someone would write it who knows the format: members changed, and sealed again."""
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(target, "w") as new:
        members = {name: old.read(name) for name in old.namelist()}
        for name, member in change(members).items():
            new.writestr(name, member)
    return seal(target.getvalue())


def with_card(content: bytes, **facts) -> bytes:
    def change(members):
        return members | {CARD: json.dumps(json.loads(members[CARD]) | facts).encode()}

    return resealed(content, change)


def with_estimator(content: bytes, estimator) -> bytes:
    """The file with the card of one predictor and the pipeline of another."""

    def change(members):
        with zipfile.ZipFile(io.BytesIO(skops.io.dumps(estimator))) as other:
            return {name: other.read(name) for name in other.namelist()} | {CARD: members[CARD]}

    return resealed(content, change)


def test_the_file_is_one_that_skops_reads_too(predictors, files):
    trusted = skops.io.get_untrusted_types(file=files["svm_rbf"])
    assert trusted == ["ser_classic.estimators.svc.SVCCV"]
    X = np.random.default_rng(0).normal(size=(5, 13))
    theirs = skops.io.load(files["svm_rbf"], trusted=trusted)
    np.testing.assert_array_equal(theirs.predict_proba(X), predictors["svm_rbf"].estimator.predict_proba(X))


def test_the_card_says_what_the_predictor_is(files):
    card = read_card(files["svm_rbf"])
    assert card == load_predictor(files["svm_rbf"]).card
    assert card["counts"] == {"angry": 16, "neutral": 16, "sad": 16}
    assert card["speakers"] == 4
    told = text(card)
    for part in ("tiny", "48, 4", "mfcc13, version 1", "svm_rbf (C ", "Not evaluated", "what a person feels"):
        assert part in told


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_no_single_changed_byte_and_no_cut_gets_through(files, data):
    content = files["svm_rbf"].read_bytes()
    place = data.draw(st.integers(0, len(content) - 1))
    flipped = bytearray(content)
    flipped[place] ^= data.draw(st.integers(1, 255))
    for broken in (bytes(flipped), content[:place], content + b"\0"):
        with pytest.raises(PredictorError) as refusal:
            unpack(broken, "m.skops")
        assert "\n" not in str(refusal.value)


def test_a_file_that_is_no_predictor_is_told_from_a_broken_one(tmp_path, files):
    with pytest.raises(PredictorError, match="there is no such file"):
        load_predictor(tmp_path / "absent.skops")
    (tmp_path / "text").write_text("hello")
    with pytest.raises(PredictorError, match="no saved predictor"):
        load_predictor(tmp_path / "text")
    (tmp_path / "foreign").write_bytes(skops.io.dumps({"a": 1}))
    with pytest.raises(PredictorError, match="not saved by ser-classic"):
        load_predictor(tmp_path / "foreign")


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"format": 2}, "format 2, this version reads 1"),
        ({"classes": ["sad", "angry", "neutral"]}, "other emotions"),
        ({"versions": {"scikit-learn": "0.1.0"}}, "saved with scikit-learn 0.1.0"),
        ({"classes": None}, "not one of ours, classes is None"),
        ({"versions": {"scikit-learn": True}}, "not one of ours"),
        ({"channel": "left"}, "not one of ours, channel is 'left'"),
        ({"features": {"name": "nonsense"}}, "its card cannot be read|there is no 'nonsense'"),
    ],
)
def test_a_card_that_does_not_fit_is_refused(files, facts, reason):
    with pytest.raises(PredictorError, match=reason):
        unpack(with_card(files["svm_rbf"].read_bytes(), **facts), "m.skops")


def test_another_version_of_the_feature_set_is_refused(files):
    content = files["svm_rbf"].read_bytes()
    features = read_card(files["svm_rbf"])["features"] | {"version": 0}
    with pytest.raises(PredictorError, match="made with other mfcc13 features \\(version was 0 and is 1\\)"):
        unpack(with_card(content, features=features), "m.skops")
    features = read_card(files["svm_rbf"])["features"] | {"sample_rate": 8000}
    with pytest.raises(PredictorError, match="sample_rate was 8000 and is 16000"):
        unpack(with_card(content, features=features), "m.skops")


@pytest.mark.parametrize(
    "foreign",
    [
        FunctionTransformer(np.exp),
        BaggingClassifier(n_jobs=8),  # would start processes on predicting
        {"shell": "__import__('os').system('true')", "kind": type},
    ],
    ids=["function", "bagging", "type"],
)
def test_a_type_that_no_predictor_needs_is_refused_by_name(files, foreign):
    classifier = LogisticRegression().fit(np.eye(3).repeat(5, 1)[:, :13], ["angry", "neutral", "sad"])
    pipeline = make_pipeline(classifier)
    pipeline.foreign = foreign
    with pytest.raises(PredictorError, match="not loaded, it holds '"):
        unpack(with_estimator(files["svm_rbf"].read_bytes(), pipeline), "m.skops")


def test_an_estimator_that_could_not_be_loaded_is_not_saved(predictors, tmp_path):
    pipeline = make_pipeline(FunctionTransformer(np.exp))
    odd = Predictor(pipeline, predictors["mlp"].features, ("sad",), predictors["mlp"].card)
    with pytest.raises(PredictorError, match="cannot be saved so that it could be loaded again"):
        odd.save(tmp_path / "m.skops")
    assert not list(tmp_path.iterdir())


def test_a_file_does_not_decide_how_many_processes_are_started(predictors, files):
    pipeline = predictors["random_forest"].estimator
    pipeline.set_params(model__n_jobs=8)
    loaded = Predictor(*unpack(with_estimator(files["random_forest"].read_bytes(), pipeline), "m.skops"))
    pipeline.set_params(model__n_jobs=1)
    assert loaded.estimator[-1].n_jobs == 1


def arrays(members: dict[str, bytes]) -> dict[str, np.ndarray]:
    return {name: np.load(io.BytesIO(members[name])) for name in members if name.endswith(".npy")}


def npy(array: np.ndarray) -> bytes:
    target = io.BytesIO()
    np.save(target, array)
    return target.getvalue()


@pytest.mark.parametrize(("field", "value"), [("left_child", 10**6), ("right_child", 0), ("feature", 13)])
def test_a_tree_that_would_lead_outside_its_arrays_is_refused(files, field, value):
    def change(members):
        name, nodes = next(
            (name, array) for name, array in arrays(members).items() if array.dtype.names and len(array) > 1
        )
        nodes[field][0] = value
        return members | {name: npy(nodes)}

    with pytest.raises(PredictorError, match="whose branches lead nowhere"):
        unpack(resealed(files["random_forest"].read_bytes(), change), "m.skops")


@pytest.mark.parametrize(
    ("part", "value"),
    [(b"left_children", 10**6), (b"left_children", 0), (b"split_indices", 13), (b"parents", 1)],
)
def test_boosted_trees_that_would_lead_outside_their_arrays_are_refused(predictors, files, part, value):
    booster = predictors["xgboost"].estimator[-1].booster_.tobytes()
    # UBJSON: the name, `[$l#L`, the number of values in eight bytes, and the values in four each.
    place = booster.index(part + b"[$l#L") + len(part) + 5 + 8 + (4 if part == b"parents" else 0)
    odd = booster[:place] + value.to_bytes(4, "big") + booster[place + 4 :]

    def change(members):
        name = next(name for name, array in arrays(members).items() if array.tobytes() == booster)
        return members | {name: npy(np.frombuffer(odd, dtype=np.uint8))}

    with pytest.raises(PredictorError, match="boosted trees whose parts do not fit together"):
        unpack(resealed(files["xgboost"].read_bytes(), change), "m.skops")


def test_a_support_vector_machine_with_wrong_counts_is_refused(predictors, files):
    machine = predictors["svm_rbf"].estimator[-1].svc_

    def change(members):
        found = arrays(members)
        name = next(
            n for n, a in found.items() if a.dtype == np.int32 and np.array_equal(a, machine._n_support)
        )
        return members | {name: npy(found[name] + 10**6)}

    with pytest.raises(PredictorError, match="whose parts do not fit together"):
        unpack(resealed(files["svm_rbf"].read_bytes(), change), "m.skops")


def test_what_would_unpack_to_gigabytes_is_refused_before_it_does(files):
    def change(members):
        return members | {"bomb.npy": b"\0" * 2**24}

    content = resealed(files["svm_rbf"].read_bytes(), change)
    size = (2**24).to_bytes(4, "little")
    assert size in content
    bloated = content[:-71].replace(size, (2**31 - 1).to_bytes(4, "little"))
    with pytest.raises(PredictorError, match="would unpack to more than 1 GiB"):
        unpack(seal(bloated[:-2] + b"\0\0"), "m.skops")


def test_a_file_that_cannot_be_written_is_refused_before_the_work(predictors, tmp_path):
    with pytest.raises(FileError, match="there is no folder"):
        predictors["mlp"].save(tmp_path / "absent" / "m.skops")
    (tmp_path / "folder.skops").mkdir()
    with pytest.raises(FileError, match="cannot be written there"):
        predictors["mlp"].save(tmp_path / "folder.skops")
    with pytest.raises(FileError, match=r"written as \.skops"):
        predictors["mlp"].save(tmp_path / "m.txt")
