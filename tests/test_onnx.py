"""ONNX: onnxruntime answers as the predictor does, for every model that has an ONNX form."""

import json
from dataclasses import replace

import numpy as np
import pytest
from tiny_corpus import SPEAKERS

from ser_classic.errors import SerClassicError
from ser_classic.extras.deep.estimator import Network
from ser_classic.features.extraction import extract
from ser_classic.models import MODELS
from ser_classic.predictor import load_predictor
from ser_classic.predictor.fitting import fit

onnxruntime = pytest.importorskip("onnxruntime", reason="the extra `onnx` is not installed")
pytest.importorskip("onnx", reason="the extra `onnx` is not installed")

EXPORTED = [name for name, model in MODELS.items() if model.library != "torch"]


def session(path) -> onnxruntime.InferenceSession:
    return onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])


@pytest.mark.parametrize(("features", "drop"), [("mfcc13", ("neutral",)), ("classic193+prosody", ())])
@pytest.mark.parametrize("model", EXPORTED)
def test_onnxruntime_answers_as_the_predictor_does(
    model, features, drop, own_folder, tiny, cache, tmp_path, ser
):
    try:
        MODELS[model].require()
    except SerClassicError as error:
        pytest.skip(str(error))
    reading = replace(SPEAKERS, drop=drop)
    predictor = fit(str(own_folder), features, model, reading=reading, evaluate=False, cache=cache)
    predictor.save(tmp_path / "m.skops")
    ser("export", "m.skops", "-o", "m.onnx").said()
    run = session(tmp_path / "m.onnx")
    known = np.array(extract(tiny.clips, tiny.root, predictor.features, cache).values)
    moved = known + np.random.default_rng(0).normal(size=known.shape) * known.std(axis=0)
    X = np.concatenate([known, moved]).astype(np.float32)
    label, *probabilities = run.run(None, {"features": X})
    codes, expected = predictor.machine.classify(X)
    assert list(label) == [predictor.classes[code] for code in codes]
    if expected is None:
        assert probabilities == []
    else:
        np.testing.assert_allclose(probabilities[0], expected, atol=1e-4)


def test_the_metadata_say_what_it_takes_and_gives(fitted, saved, tmp_path, ser):
    ser("export", saved, "-o", "m.onnx").said()
    told = session(tmp_path / "m.onnx").get_modelmeta().custom_metadata_map
    facts = {name: json.loads(value) for name, value in told.items()}
    assert facts["classes"] == ["angry", "neutral", "sad"]
    assert tuple(facts["columns"]) == fitted("svm_rbf").features.columns
    assert facts["features"]["name"] == "mfcc13"
    assert facts["card"] == load_predictor(saved).card
    ser("predict", "m.onnx").refused("m.onnx: it is an exported model")


def test_what_has_no_onnx_form_and_what_cannot_be_written_is_told(fitted, saved, tmp_path, ser):
    from ser_classic.extras.onnx import export
    from ser_classic.machines import Machine, Probabilities

    predictor = fitted("lda")
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
    for output in ("m.txt", "absent/m.onnx"):
        ser("export", saved, "-o", output).refused(output)
