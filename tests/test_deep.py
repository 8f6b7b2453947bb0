"""Deep models: they learn, repeat themselves, hold speakers out, and do not see padding."""

import logging
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from ser_classic import store
from ser_classic.corpora import Loaded, load
from ser_classic.errors import SerClassicError
from ser_classic.estimators import held_out
from ser_classic.experiment.bench import bench
from ser_classic.experiment.cells import Cell
from ser_classic.extras.deep.estimator import DeepClassifier
from ser_classic.extras.deep.features import SEQUENCES
from ser_classic.models import MODELS, Model
from ser_classic.models.tuning import fit
from ser_classic.report import score

torch = pytest.importorskip("torch", reason="the extra `deep` is not installed")
pytest.importorskip("skorch", reason="the extra `deep` is not installed")

from ser_classic.extras.deep import networks, training  # noqa: E402 - they need what is looked for above

DEEP = [name for name, model in MODELS.items() if model.extra == "deep"]
SMALL = {
    "lstm": {"units": 8, "dense": 8},
    "gru": {"units": 8, "dense": 8},
    "convolutional": {"channels": (8, 8), "dense": 8},
    "attention": {"channels": (8, 8), "units": 8},
}
NETWORKS = [*SMALL.items(), ("lstm", {"units": 8, "dense": 8, "bidirectional": True})]


def clips(each: int = 18, speakers: int = 6, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Three emotions that differ in the slope of the first of three tracks, in clips of 6 to 14 frames."""
    random = np.random.default_rng(seed)
    y = np.tile(np.repeat(["angry", "happy", "sad"], each // 3), speakers)
    owners = np.repeat([f"c/{number}" for number in range(speakers)], each)
    X = np.empty(len(y), dtype=object)
    for row, word in enumerate(y):
        frames = random.normal(size=(random.integers(6, 15), 3)).astype(np.float32)
        slope = {"angry": -1.5, "happy": 0.0, "sad": 1.5}[word]
        frames[:, 0] = 0.5 * frames[:, 0] + slope * np.linspace(-1, 1, len(frames)) + 40
        X[row] = frames
    return X, y, owners


def small(network: str, options: dict, **more) -> DeepClassifier:
    settings = {"epochs": 20, "fixed_epochs": 12, "patience": 20, "batch_size": 16, "learning_rate": 1e-2}
    return DeepClassifier(network, options, **(settings | more))


@pytest.mark.parametrize(("network", "options"), NETWORKS)
def test_a_network_learns_and_repeats_itself(network, options):
    X, y, owners = clips()
    new, truth, _ = clips(seed=1)
    assert (small(network, options).fit(X, y, owners).predict(new) == truth).mean() > 0.8
    first, again, other = (
        small(network, options, epochs=1, random_state=seed).fit(X, y, owners).predict_proba(new)
        for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(first, again)
    np.testing.assert_allclose(first.sum(axis=1), 1)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize(("network", "options"), NETWORKS)
@pytest.mark.parametrize("training_mode", [False, True])
def test_padding_changes_nothing(network, options, training_mode):
    """Neither more of it nor what it holds: scores, gradients, dropout and batch statistics are the same."""
    module = training.build({"name": network, "inputs": 3, "classes": 4, **options})
    lengths = torch.tensor([9, 4, 1, 7])
    real = torch.arange(9)[:, None] < lengths[:, None, None]
    X = torch.where(real, torch.randn(4, 9, 3), 0)
    more = torch.nn.functional.pad(torch.where(real, X, 7.0), (0, 0, 0, 6), value=-3.0)
    results = []
    for batch in (X, more):
        module.train(training_mode)
        module.zero_grad()
        state = {name: value.clone() for name, value in module.state_dict().items()}
        torch.manual_seed(0)
        scores = module(batch, lengths)
        scores.square().sum().backward()
        results.append((scores.detach(), [parameter.grad.clone() for parameter in module.parameters()]))
        module.load_state_dict(state)
    torch.testing.assert_close(results[0][0], results[1][0], rtol=0, atol=0)
    for one, two in zip(results[0][1], results[1][1], strict=True):
        torch.testing.assert_close(one, two)


def test_a_layer_in_both_directions_is_torchs_packed_one():
    layer = networks.RecurrentLayer("lstm", 3, 5, bidirectional=True)
    packed = torch.nn.LSTM(3, 5, batch_first=True, bidirectional=True)
    names = [name for name, _ in layer.forwards.named_parameters()]
    packed.load_state_dict(
        {name: getattr(layer.forwards, name) for name in names}
        | {f"{name}_reverse": getattr(layer.backwards, name) for name in names}
    )
    lengths = torch.tensor([4, 9, 1])
    X = torch.randn(3, 9, 3)
    states, summary = layer(X, lengths)
    reference, (hidden, _) = packed(
        torch.nn.utils.rnn.pack_padded_sequence(X, lengths, batch_first=True, enforce_sorted=False)
    )
    reference, _ = torch.nn.utils.rnn.pad_packed_sequence(reference, batch_first=True)
    for row, length in enumerate(lengths):
        torch.testing.assert_close(states[row, :length], reference[row, :length])
    torch.testing.assert_close(summary, torch.cat([hidden[0], hidden[1]], dim=1))


def test_length_and_standardisation_come_from_the_part_trained_on():
    X, y, owners = clips()
    model = small("lstm", SMALL["lstm"], epochs=1).fit(X, y, owners)
    codes = np.unique(y, return_inverse=True)[1]
    train, valid = held_out(codes, owners, model.one_in, 0)
    frames = np.concatenate(list(X[train]))
    np.testing.assert_allclose(model.mean_, frames.mean(axis=0), rtol=1e-5)
    np.testing.assert_allclose(model.scale_, frames.std(axis=0), rtol=1e-5)
    moved = X.copy()
    moved[valid] = [np.tile(1e3 * clip, (9, 1)) for clip in X[valid]]
    again = small("lstm", SMALL["lstm"], epochs=1).fit(moved, y, owners)
    assert again.length_ == model.length_ <= max(len(clip) for clip in X[train])
    np.testing.assert_array_equal(again.mean_, model.mean_)
    for name, weights in model.weights_.items():
        np.testing.assert_array_equal(again.weights_[name], weights)


def test_speakers_are_held_out_whole_and_a_fifth_of_them():
    _, y, owners = clips(speakers=10)
    codes = np.unique(y, return_inverse=True)[1]
    train, valid = held_out(codes, owners, 5, 0)
    assert not set(owners[train]) & set(owners[valid])
    assert len(set(owners[valid])) == 2
    assert sorted([*train, *valid]) == list(range(len(y)))
    drawn, _ = held_out(codes, None, 5, 0)
    assert len(drawn) == 144


@pytest.mark.parametrize("speakers", [1, 3])
def test_few_speakers_mean_a_fixed_number_of_epochs_and_it_is_said(speakers):
    X, y, owners = clips(speakers=speakers)
    model = small("gru", SMALL["gru"], fixed_epochs=3).fit(X, y, owners)
    assert not model.held_out_
    assert model.chosen_["best_epoch"] == len(model.curves_["epoch"]) == 3
    assert np.isnan(model.curves_["valid_uar"]).all()


def test_the_weights_are_those_of_the_best_epoch():
    X, y, owners = clips()
    random = np.random.default_rng(0)
    y = np.where(random.random(len(y)) < 0.4, random.permutation(y), y)  # else it never gets worse
    model = small("convolutional", SMALL["convolutional"], epochs=30, patience=5).fit(X, y, owners)
    curves = pd.DataFrame(model.curves_)
    assert len(curves) == min(30, model.chosen_["best_epoch"] + 5)
    assert curves["valid_uar"][model.chosen_["best_epoch"] - 1] == curves["valid_uar"].max()
    _, valid = held_out(np.unique(y, return_inverse=True)[1], owners, 5, 0)
    recalls = [(model.predict(X[valid])[y[valid] == word] == word).mean() for word in np.unique(y)]
    assert np.mean(recalls) == pytest.approx(curves["valid_uar"].max())


@pytest.mark.parametrize("speakers", [1, 6])  # with one, nothing is held out and nothing stops early
def test_an_interruption_is_passed_on_and_leaves_no_half_trained_model(monkeypatch, speakers):
    def interrupt(self, net, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(training.Log, "on_epoch_end", interrupt)
    model = small("lstm", SMALL["lstm"])
    with pytest.raises(KeyboardInterrupt):
        model.fit(*clips(speakers=speakers))
    assert not hasattr(model, "weights_")


def test_every_epoch_is_logged_with_its_cost_and_the_device(caplog):
    with caplog.at_level(logging.INFO):
        model = small("lstm", SMALL["lstm"], epochs=2).fit(*clips())
    assert [record.message.split(":")[0] for record in caplog.records] == [
        f"epoch {number}/2 on {model.chosen_['device']}" for number in (1, 2)
    ]
    assert all("s left" in record.message for record in caplog.records)


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (np.empty((0, 3)), "clip 2: .*frame"),
        (np.zeros((5, 2)), r"clip 2: .*\(5, 2\).*\(frames, 3\)"),
        (np.zeros(3), r"clip 2: .*\(3,\)"),
        (np.full((4, 3), np.nan), "clip 2: .*NaN"),
    ],
)
def test_a_clip_that_cannot_be_read_is_named(broken, reason):
    X, y, owners = clips()
    model = small("lstm", SMALL["lstm"], epochs=1).fit(X, y, owners)
    X[2] = broken
    with pytest.raises(ValueError, match=reason):
        model.predict(X)
    with pytest.raises(ValueError, match=reason):
        clone(model).fit(X, y, owners)


def test_one_class_and_unknown_networks_are_refused():
    X, y, owners = clips()
    with pytest.raises(ValueError, match="one class, 'sad'"):
        small("lstm", {}).fit(X[y == "sad"], y[y == "sad"])
    with pytest.raises(ValueError, match="'lstm'"):
        small("lsmt", {}).fit(X, y, owners)


def test_clips_of_one_frame_are_trained_on():
    X = np.empty(33, dtype=object)
    X[:] = list(np.random.default_rng(0).normal(size=(33, 1, 3)).astype(np.float32))
    y = np.array(["angry", "sad", "happy"] * 11)
    for network, options in NETWORKS:
        assert small(network, options, fixed_epochs=1).fit(X, y, np.zeros(33)).predict(X).shape == (33,)


@pytest.mark.parametrize("name", DEEP)
def test_a_run_keeps_curves_size_and_what_was_decided(tiny, cache, tmp_path, brief_networks, name):
    features = "mfcc_rms_zcr_sequence" if MODELS[name].takes == SEQUENCES else "mfcc13"
    cells = [Cell("tiny", protocol, features, name) for protocol in ("loso", "holdout25")]
    outcome = bench(cells, tmp_path, cache=cache, own={"tiny": tiny})
    assert outcome.problems == []
    leaky, apart = (run for run in sorted(store.runs(tmp_path), key=lambda run: run.id))
    # Three speakers to train on are too few to hold one out; a leaky protocol holds clips out.
    assert [fold["tuned"] for fold in apart.record["folds"]] == [False] * 4
    assert leaky.record["folds"][0]["tuned"]
    assert set(leaky.record["folds"][0]["chosen"]) == {"best_epoch", "device"}
    assert leaky.record["size"] > 10_000
    assert leaky.record["versions"]["torch"]
    curves = apart.curves()
    assert curves["fold"].tolist() == [f"s0{speaker}" for speaker in (1, 1, 2, 2, 3, 3, 4, 4)]
    assert curves["epoch"].tolist() == [1, 2] * 4
    assert curves["train_loss"].gt(0).all()
    assert curves["valid_uar"].isna().all()
    assert leaky.curves()["valid_uar"].notna().all()


def test_on_the_synthetic_voices_speakers_are_held_out_and_epochs_logged(
    cache, tmp_path, brief_networks, caplog
):
    cell = Cell("synthetic", "speakers5", "mfcc_rms_zcr_sequence", "cnn1d_frames")
    root, clips, corpus = load("synthetic", cache=cache)
    some = Loaded(root, clips.iloc[::3], replace(corpus, clips=168))
    with caplog.at_level(logging.INFO, "ser_classic.experiment"):
        assert bench([cell], tmp_path, cache=cache, own={"synthetic": some}).problems == []
    assert sum(", 3 epochs of " in line and "best_epoch" in line for line in caplog.messages) == 5
    (run,) = store.runs(tmp_path)
    assert all(fold["tuned"] for fold in run.record["folds"])
    assert run.curves()["valid_uar"].notna().all()
    uar = score(run.predictions(), store.read_clips(tmp_path, "synthetic"))["uar"]
    assert uar > 1.5 / 7


def test_a_training_part_without_a_class_predicts_the_others():
    X, y, owners = clips()
    kept = y != "sad"
    entry = {"scale": False, "takes": SEQUENCES}
    model = Model("m", "", lambda seed: small("gru", SMALL["gru"], epochs=2), **entry)
    fitted = fit(model, X[kept], y[kept], owners[kept])
    assert list(fitted.probabilities(X).columns) == ["angry", "happy"]


def test_without_torch_the_command_that_installs_it_is_told(tiny, cache, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(SerClassicError, match=r"pip install 'ser-classic\[deep\]'"):
        DeepClassifier().fit(*clips())
    cells = [Cell("tiny", "loso", "mfcc13", name) for name in ("cnn1d", "prior")]
    outcome = bench(cells, tmp_path, cache=cache, own={"tiny": tiny})
    assert outcome.done == [cells[1].id]
    assert outcome.failed == [cells[0].id]
    assert "pip install 'ser-classic[deep]'" in outcome.problems[0]
