"""Calls: channels apart, utterances in the place of windows, labels, and a model that is there."""

from functools import partial

import numpy as np
import pytest
import soundfile
from test_utterances import RATE, conversation, voice

from ser_classic.adaptation import self_taught
from ser_classic.degradations import COPIES
from ser_classic.errors import SerClassicError
from ser_classic.predictor import load_predictor
from ser_classic.predictor.cutting import windows
from ser_classic.predictor.describing import Describer
from ser_classic.predictor.fitting import fit

EMOTIONS = ("angry", "happy", "neutral", "sad")  # of the built-in predictor


@pytest.fixture(scope="module")
def call(tmp_path_factory):
    """An agent on the left, a customer on the right, who speak in turns."""
    path = tmp_path_factory.mktemp("calls") / "call.wav"
    silence = np.zeros(3 * RATE, dtype=np.float32)
    left = np.concatenate([silence, voice(2), silence, silence, voice(3), silence])
    right = np.concatenate(
        [silence, silence, voice(2, 220), np.zeros(len(left) - 8 * RATE, dtype=np.float32)]
    )
    soundfile.write(path, np.column_stack([left, right]), RATE)
    return path


def test_each_party_is_answered_where_it_speaks(saved, call, ser):
    told = ser("predict", saved, call, "--segments", "--channel", "each", "--json").rows()
    found = [(row["channel"], row["start"], row["end"]) for row in told]
    expected = [("left", 3, 5), ("left", 11, 14), ("right", 6, 8)]
    assert [name for name, *_ in found] == [name for name, *_ in expected]
    assert [times for _, *times in found] == [pytest.approx(times, abs=0.3) for _, *times in expected]


def test_a_channel_without_an_answer_is_named(saved, tmp_path, ser):
    soundfile.write(tmp_path / "call.wav", np.column_stack([voice(2), np.zeros(2 * RATE)]), RATE)
    told = ser("predict", saved, "call.wav", "--channel", "each", "--json")
    assert [row["channel"] for row in told.rows(code=1)] == ["left"]
    told.refused("call.wav, channel right: ")


def test_an_utterance_is_answered_as_the_same_piece_cut_out_by_hand(saved, call, tmp_path, ser):
    first, *_ = ser("predict", saved, call, "--segments", "--channel", "left", "--json").rows()
    samples, rate = soundfile.read(call, dtype="float32")
    piece = samples[round(first["start"] * rate) : round(first["end"] * rate), 0]
    soundfile.write(tmp_path / "piece.wav", piece, rate, subtype="FLOAT")
    (alone,) = ser("predict", saved, "piece.wav", "--json").rows()
    assert alone["emotion"] == first["emotion"]
    assert alone["probabilities"] == pytest.approx(first["probabilities"], abs=1e-3)


def test_of_the_pieces_of_a_recording_answers_are_kept_and_no_features(call):
    predictor = load_predictor()
    sizes = []

    def keep(pieces):
        sizes.append(len(pieces))
        return predictor.answer(pieces)

    cutter = partial(windows, window=0.5, hop=0.1)
    rows = Describer(predictor.features, 0, cutter, keep).describe(call)
    assert len(rows) == sum(sizes) > max(sizes)
    assert {row["emotion"] for row in rows} <= {*predictor.classes, None}


def test_pieces_are_adapted_to_one_another_by_their_features(call):
    predictor = load_predictor()
    answers = predictor.predict(call, adapt=True, window=2, hop=1).dropna(subset="emotion")
    described = Describer(predictor.features, None, partial(windows, window=2, hop=1)).describe(call)
    vectors = np.stack([item.vector for item in described if item.vector is not None])
    expected = self_taught(predictor.machine.classify(vectors)[1], vectors)
    np.testing.assert_allclose(answers[[f"p_{word}" for word in EMOTIONS]], expected, atol=1e-6)


@pytest.mark.parametrize(
    ("name", "begins"), [("audacity", "2.9"), ("textgrid", "File type"), ("srt", "1\n00:00:02")]
)
def test_labels_are_printed_in_the_format_that_is_asked_for(saved, call, ser, name, begins):
    told = ser("predict", saved, call, "--segments", "--channel", "left", "--format", name)
    assert told.said().startswith(begins)


@pytest.mark.parametrize(
    "words",
    [
        ("--segments", "--window", "2"),
        ("--format", "srt"),
        ("--segments", "--format", "docx"),
        ("--segments", "--format", "srt", "--json"),
        ("--segments", "--format", "srt", "--top", "2"),
    ],
)
def test_options_that_contradict_each_other_are_wrong_usage(saved, call, ser, words):
    ser("predict", saved, call, *words).said(code=2)


def test_a_recording_without_speech_is_named(saved, tmp_path, ser):
    path = tmp_path / "noise.wav"
    soundfile.write(path, 0.1 * np.random.default_rng(0).normal(size=10 * RATE), RATE)
    ser("predict", saved, path, "--segments").refused(str(path))


def test_channels_of_a_recording_with_one_are_no_column(saved, tmp_path, ser):
    soundfile.write(tmp_path / "one.wav", conversation(3, turns=2)[0], RATE)
    (row,) = ser("predict", saved, "one.wav", "--channel", "each", "--json").rows()
    assert "channel" not in row


def test_two_parties_are_not_adapted_to_as_one_speaker(call, ser):
    ser("predict", call, "--segments", "--channel", "each", "--adapt").refused("--channel left")


def test_without_a_model_the_packages_own_answers_and_says_so(call, ser):
    told = ser("predict", call, "--channel", "left", "--json")
    (row,) = told.rows()
    assert row["emotion"] in EMOTIONS
    assert "RAVDESS" in told.stderr


def test_what_is_shipped_says_what_it_is():
    predictor = load_predictor()
    assert predictor.classes == EMOTIONS
    assert "CC BY-NC-SA" in predictor.card["facts"]["Licence"]
    assert [corpus["name"] for corpus in predictor.card["corpora"]] == ["ravdess", "emodb"]
    assert predictor.card["copies"] == COPIES
    assert all(name in predictor.card["evaluation"]["source"] for name in ("tess", "urdu"))
    assert set(predictor.card["evaluation"]["confusion"]) == set(EMOTIONS)
    assert predictor.card["evaluation"]["uar"] > 0.62, "the mean over both"
    for adapt in (False, True):
        predictor.require(adapt=adapt)


def test_a_fit_across_corpora_adapts_by_itself():
    with pytest.raises(SerClassicError, match="adapted=False"):
        fit(["ravdess", "emodb"], "mfcc13", "lda", across=True, adapted=True, evaluate=False)


@pytest.mark.corpus
@pytest.mark.parametrize("adapt", [False, True])
@pytest.mark.parametrize(
    ("name", "every", "least"), [("tess", 10, (0.75, 0.92)), ("urdu", 3, (0.48, 0.47))], ids=["tess", "urdu"]
)
def test_what_is_shipped_is_as_good_as_told_on_a_corpus_that_it_has_not_heard(
    corpora, name, every, least, adapt
):
    """Some clips of each speaker and emotion; see docs/shipped.md."""
    from ser_classic import load

    root, clips, _ = load(name, corpora)
    some = clips[clips["emotion"].isin(EMOTIONS)].groupby(["speaker", "emotion"]).nth(slice(0, None, every))
    predictor, guesses = load_predictor(), []
    for _, own in some.groupby("speaker"):
        answers = predictor.predict([root / file for file in own["file"]], adapt=adapt and len(own) > 1)
        guesses.append(own.assign(guess=answers["emotion"].to_numpy()))
    table = np.concatenate([own[["emotion", "guess"]].to_numpy() for own in guesses])
    recalls = [np.mean(table[table[:, 0] == word, 1] == word) for word in EMOTIONS]
    assert np.mean(recalls) > least[adapt]
