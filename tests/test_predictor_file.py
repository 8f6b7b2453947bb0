"""The saved predictor: one file of numbers, out of which comes what was put in, or one line of refusal."""

import contextlib
import io
import json
import re
import tempfile
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import skops.io
from hypothesis import given, settings
from hypothesis import strategies as st

from ser_classic.errors import SerClassicError
from ser_classic.features import FEATURES
from ser_classic.predictor import Predictor, load_pipeline, load_predictor, read_card
from ser_classic.predictor.cards import text
from ser_classic.predictor.fitting import fit
from ser_classic.predictor.saving import DESCRIPTION

MODELS = ("svm_rbf", "random_forest", "xgboost", "fusion", "knn")
CLIP = np.ones(13, dtype=np.float32)


@pytest.fixture(scope="module")
def predictors(fitted) -> dict[str, Predictor]:
    return {model: fitted(model) for model in MODELS}


@pytest.fixture(scope="module")
def files(predictors, tmp_path_factory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("models")
    for name, predictor in predictors.items():
        predictor.save(folder / f"{name}.skops", pipeline=name == "svm_rbf")
    return {name: folder / f"{name}.skops" for name in predictors}


def loaded(content: bytes) -> Predictor:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "m.skops"
        path.write_bytes(content)
        return load_predictor(path)


def refusal(content: bytes) -> str:
    """What is said of a file that cannot answer, when it is loaded or when it is asked."""
    with pytest.raises(SerClassicError) as refused:
        loaded(content).classify([CLIP])
    assert "\n" not in str(refused.value)
    return str(refused.value)


def rewritten(content: bytes, change) -> bytes:
    """The file as someone would write it who knows the format, members changed."""
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(target, "w") as new:
        members = {name: old.read(name) for name in old.namelist()}
        for name, member in change(members).items():
            new.writestr(name, member)
    return target.getvalue()


def described(content: bytes, change) -> bytes:
    """The file with its description changed."""

    def changed(members):
        told = json.loads(members[DESCRIPTION])
        change(told)
        return members | {DESCRIPTION: json.dumps(told).encode()}

    return rewritten(content, changed)


def part_of(told: dict, kind: str) -> dict:
    return next(part for part in told["machine"]["parts"] if part["is"] == kind)


def with_values(content: bytes, kind: str, field: str, change) -> bytes:
    """The file with other values in one array of the part of a kind."""

    def changed(members):
        told = json.loads(members[DESCRIPTION])
        number = part_of(told, kind)[field]["array"]
        form = told["arrays"][number]["kind"]
        values = np.frombuffer(members[f"arrays/{number}"], dtype=form).copy()
        change(values)
        return members | {f"arrays/{number}": values.tobytes()}

    return rewritten(content, changed)


def test_the_card_says_what_the_predictor_is(files):
    card = read_card(files["svm_rbf"])
    assert card == load_predictor(files["svm_rbf"]).card
    assert card["counts"] == {"angry": 16, "neutral": 16, "sad": 16}
    assert card["speakers"] == 4
    told = text(card)
    for part in ("tiny", "48, 4", "mfcc13, version 1", "svm_rbf (C ", "Not evaluated"):
        assert part in told


def test_a_predictor_of_feature_sets_side_by_side_comes_back(fitted, tmp_path):
    fitted("prior", "mfcc13+prosody").save(tmp_path / "m.skops")
    card = load_predictor(tmp_path / "m.skops").card
    assert f"version {' + '.join(str(FEATURES[name].version) for name in ('mfcc13', 'prosody'))}," in text(
        card
    )


def test_a_card_carries_what_else_it_is_to_say(own_folder, cache, tmp_path):
    facts = {"Licence": "CC BY 4.0", "Made by": "us"}
    made = fit(str(own_folder), "mfcc13", "prior", facts=facts, evaluate=False, cache=cache)
    made.save(tmp_path / "m.skops")
    assert read_card(tmp_path / "m.skops")["facts"] == facts
    assert "**Licence:** CC BY 4.0" in text(made.card)


def test_a_file_holds_one_text_and_numbers_under_the_names_of_its_format(files):
    with zipfile.ZipFile(files["random_forest"]) as archive:
        assert {name.partition("/")[0] for name in archive.namelist()} == {DESCRIPTION, "arrays"}
    with zipfile.ZipFile(files["knn"]) as archive:
        assert json.loads(archive.read(DESCRIPTION))["machine"]["decision"] == {"is": "Chances"}


@pytest.mark.parametrize("model", MODELS)
def test_what_is_loaded_is_what_was_saved_byte_for_byte(model, predictors, files, tmp_path):
    load_predictor(files[model]).save(tmp_path / "again.skops")
    predictors[model].save(tmp_path / "first.skops")
    assert (tmp_path / "again.skops").read_bytes() == (tmp_path / "first.skops").read_bytes()


def test_the_pipeline_comes_back_where_it_was_kept(predictors, files, tmp_path):
    values = np.random.default_rng(0).normal(size=(5, 13)).astype(np.float32)
    X = pd.DataFrame(values, columns=FEATURES["mfcc13"].columns)
    back = load_pipeline(files["svm_rbf"])
    np.testing.assert_array_equal(back.predict_proba(X), predictors["svm_rbf"].pipeline.predict_proba(X))
    with pytest.raises(SerClassicError, match=r"--pipeline"):
        load_pipeline(files["knn"])
    with pytest.raises(SerClassicError, match="pipeline"):
        load_predictor(files["svm_rbf"]).save(tmp_path / "m.skops", pipeline=True)


def test_a_network_comes_back_and_of_a_forest_is_told_how_it_does(fitted, predictors, tmp_path, ser):
    fitted("mlp").save(tmp_path / "m.skops", pipeline=True)
    assert list(load_pipeline(tmp_path / "m.skops").classes_) == ["angry", "neutral", "sad"]
    forest, pipeline = tmp_path / "forest.skops", tmp_path / "p.skops"
    predictors["random_forest"].save(forest, pipeline=True)
    with pytest.raises(SerClassicError, match=r"--pipeline .*get_untrusted_types"):
        load_pipeline(forest)
    ser("card", forest, "--pipeline", pipeline).said()
    assert skops.io.load(pipeline, trusted=skops.io.get_untrusted_types(file=pipeline)).classes_.size == 3


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_a_changed_byte_changes_no_answer_without_a_word_and_no_cut_gets_through(predictors, files, data):
    content = files["knn"].read_bytes()
    place = data.draw(st.integers(0, len(content) - 1))
    flipped = bytearray(content)
    flipped[place] ^= data.draw(st.integers(1, 255))
    X = np.random.default_rng(0).normal(size=(5, 13)).astype(np.float32)
    with contextlib.suppress(SerClassicError):  # else it is a byte that no one reads, such as a date
        _, probabilities = loaded(bytes(flipped)).machine.classify(X)
        np.testing.assert_array_equal(probabilities, predictors["knn"].machine.classify(X)[1])
    with pytest.raises(SerClassicError) as refused:
        loaded(content[:place])
    assert "\n" not in str(refused.value)


def test_a_file_that_is_no_predictor_is_told_from_a_broken_one(tmp_path, files):
    with pytest.raises(SerClassicError, match=r"ser-classic fit|no such file"):
        load_predictor(tmp_path / "absent.skops")
    (tmp_path / "text").write_text("hello")
    with pytest.raises(SerClassicError, match=r"text: .*not saved by ser-classic"):
        load_predictor(tmp_path / "text")
    (tmp_path / "foreign").write_bytes(skops.io.dumps({"a": 1}))
    with pytest.raises(SerClassicError, match="foreign: "):
        load_predictor(tmp_path / "foreign")
    (tmp_path / "cut").write_bytes(files["knn"].read_bytes()[:-30])
    with pytest.raises(SerClassicError, match=r"truncated|changed"):
        load_predictor(tmp_path / "cut")


def set_card(**facts):
    return lambda told: told["card"].update(facts)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda told: told.update(format=2), "2, .*4"),
        (set_card(classes=["sad", "angry"]), "emotions"),
        (set_card(classes=None), "classes .*None"),
        (set_card(channel="left"), "channel .*'left'"),
        (set_card(counts={"sad": 16}), "m.skops: .*angry"),
        (set_card(features={"name": "nonsense"}), "'nonsense'"),
        (lambda told: told["arrays"][0].update(shape=[10**9, 10**9]), "changed"),
        (lambda told: told["arrays"][0].update(shape=[-1]), "changed"),
        (lambda told: told["arrays"][0].update(kind="|O8"), "changed"),
        (lambda told: told["machine"].update({"is": "os.system"}), "changed"),
        (lambda told: told.pop("familiarity"), "changed"),
        (lambda told: told.update(machine=told["familiarity"]), "fit|changed"),
        (lambda told: part_of(told, "Gaussians").update(gamma=-1e9), "changed"),
        (lambda told: told["machine"]["parts"].pop(), "changed"),
    ],
)
def test_what_does_not_fit_is_refused(files, change, reason):
    assert re.search(reason, refusal(described(files["svm_rbf"].read_bytes(), change)))


def test_another_version_of_the_feature_set_is_refused(files):
    content = files["svm_rbf"].read_bytes()
    features = read_card(files["svm_rbf"])["features"]
    with pytest.raises(SerClassicError, match=r"mfcc13 .*version .*0.*1"):
        loaded(described(content, set_card(features=features | {"version": 0})))
    with pytest.raises(SerClassicError, match=r"sample_rate .*8000.*16000"):
        loaded(described(content, set_card(features=features | {"sample_rate": 8000})))


def put(place: int, value: float):
    def change(values):
        values[place] = value

    return change


@pytest.mark.parametrize(
    ("model", "kind", "field", "change"),
    [
        ("random_forest", "Trees", "column", put(0, 13)),
        ("xgboost", "Trees", "roots", put(-1, 2**16 - 1)),
        ("svm_rbf", "Gaussians", "weights", put(0, np.nan)),
        ("knn", "Standardise", "scale", put(0, 0.0)),
        ("knn", "Standardise", "mean", put(0, np.inf)),
    ],
)
def test_numbers_that_lead_outside_their_arrays_or_are_none_are_refused(files, model, kind, field, change):
    message = refusal(with_values(files[model].read_bytes(), kind, field, change))
    assert re.search("changed|number", message)


def test_trees_whose_links_go_in_a_circle_come_to_an_end(files):
    content = files["random_forest"].read_bytes()
    endless = described(content, lambda told: part_of(told, "Trees").update(depth=10**12))
    loaded(endless).classify([CLIP])


def test_more_classes_than_clips_are_refused_before_they_take_memory(files):
    content = files["knn"].read_bytes()
    assert "changed" in refusal(
        described(content, lambda told: part_of(told, "Neighbours").update(classes=10**12))
    )


def test_what_would_unpack_to_gigabytes_is_refused_before_it_does(files):
    content = rewritten(files["svm_rbf"].read_bytes(), lambda members: members | {"bomb": bytes(2**24)})
    size = (2**24).to_bytes(4, "little")
    assert size in content
    with pytest.raises(SerClassicError, match="1 GiB"):
        loaded(content.replace(size, (2**31 - 1).to_bytes(4, "little")))


def test_a_file_that_cannot_be_written_is_refused_before_the_work(predictors, tmp_path):
    with pytest.raises(SerClassicError, match="absent"):
        predictors["knn"].save(tmp_path / "absent" / "m.skops")
    (tmp_path / "folder.skops").mkdir()
    with pytest.raises(SerClassicError, match=r"folder.skops"):
        predictors["knn"].save(tmp_path / "folder.skops")
    with pytest.raises(SerClassicError, match=r"\.skops"):
        predictors["knn"].save(tmp_path / "m.txt")
    card = predictors["knn"].card
    for wrong, told in (
        ({"score": np.nan}, "JSON"),
        ({"channel": "each"}, "channel"),
        ({"counts": {}}, "Key"),
    ):
        with pytest.raises(SerClassicError, match=rf"m\.skops: .*{told}"):
            replace(predictors["knn"], card=card | wrong).save(tmp_path / "m.skops")
    assert not (tmp_path / "m.skops").exists()
