"""ONNX: onnxruntime answers as the predictor does, for every model that has an ONNX form."""

from __future__ import annotations

import json

import numpy as np
import pytest
from test_cli_predict import command

from ser_classic.corpora import Reading
from ser_classic.errors import SerClassicError
from ser_classic.extras.deep.estimator import Network
from ser_classic.features.extraction import extract
from ser_classic.models import MODELS
from ser_classic.predictor import Predictor, load_predictor
from ser_classic.predictor.fitting import fit

onnxruntime = pytest.importorskip("onnxruntime", reason="the extra `onnx` is not installed")
pytest.importorskip("onnx", reason="the extra `onnx` is not installed")

SPEAKERS = Reading(speaker=r"/(s\d\d)_")
EXPORTED = [name for name, model in MODELS.items() if model.library != "torch"]


@pytest.fixture(scope="module")
def corpus(own_folder, cache):
    """Makes predictors of the small corpus, of all of its emotions or of two."""

    def make(model: str, emotions: int = 3, features: str = "mfcc13") -> Predictor:
        drop = () if emotions == 3 else ("neutral",)
        reading = Reading(speaker=r"/(s\d\d)_", drop=drop)
        return fit(str(own_folder), features, model, reading=reading, evaluate=False, cache=cache)

    return make


def session(path) -> onnxruntime.InferenceSession:
    return onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])


@pytest.mark.parametrize(("features", "emotions"), [("mfcc13", 2), ("classic193+prosody", 3)])
@pytest.mark.parametrize("model", EXPORTED)
def test_onnxruntime_answers_as_the_predictor_does(model, features, emotions, corpus, tiny, cache, tmp_path):
    try:
        MODELS[model].require()
    except SerClassicError as error:
        pytest.skip(str(error))
    predictor = corpus(model, emotions, features)
    predictor.save(tmp_path / "m.skops")
    assert command("export", tmp_path / "m.skops", "-o", tmp_path / "m.onnx") == 0
    run = session(tmp_path / "m.onnx")
    known = np.array(extract(tiny.clips, tiny.root, predictor.features, cache).values)
    moved = known + np.random.default_rng(0).normal(size=known.shape) * known.std(axis=0)
    X = np.concatenate([known, moved]).astype(np.float32)
    label, *probabilities = run.run(None, {"features": X})
    codes, expected = predictor.machine.judge(X)
    assert list(label) == [predictor.classes[code] for code in codes]
    if expected is None:
        assert probabilities == []
    else:
        np.testing.assert_allclose(probabilities[0], expected, atol=1e-4)


def test_the_metadata_say_what_it_takes_and_gives(corpus, tmp_path):
    predictor = corpus("svm_rbf")
    predictor.save(tmp_path / "m.skops")
    assert command("export", tmp_path / "m.skops", "-o", tmp_path / "m.onnx") == 0
    told = session(tmp_path / "m.onnx").get_modelmeta().custom_metadata_map
    facts = {name: json.loads(value) for name, value in told.items()}
    assert facts["classes"] == ["angry", "neutral", "sad"]
    assert tuple(facts["columns"]) == predictor.features.columns
    assert facts["features"]["name"] == "mfcc13"
    assert facts["card"] == load_predictor(tmp_path / "m.skops").card


def test_what_has_no_onnx_form_and_what_cannot_be_written_is_told(corpus, tmp_path, capsys):
    from dataclasses import replace

    from ser_classic.extras.onnx import export
    from ser_classic.machines import Machine, Probabilities

    predictor = corpus("lda")
    predictor.save(tmp_path / "m.skops")
    scale = np.ones(13, dtype=np.float32)
    network = Network(json.dumps({"sequence": False}), (), (), scale, scale, 13, 3)
    deep = replace(predictor, machine=Machine((network,), Probabilities()))
    with pytest.raises(SerClassicError, match=r"network .*ONNX"):
        export(deep, tmp_path / "m.onnx")
    changed = [  # as a file that was edited may say
        replace(predictor, classes=predictor.classes[:2]),
        replace(predictor, machine=Machine((), predictor.machine.decision)),
        replace(predictor, machine=Machine(predictor.machine.parts, 7)),
    ]
    for each in changed:
        with pytest.raises(SerClassicError, match=r"Fit it again"):
            export(each, tmp_path / "m.onnx")
    assert not (tmp_path / "m.onnx").exists()
    assert command("export", tmp_path / "m.skops", "-o", tmp_path / "m.txt") == 2
    assert command("export", tmp_path / "m.skops", "-o", tmp_path / "absent" / "m.onnx") == 2
