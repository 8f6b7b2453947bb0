"""Features of speech encoders, on tiny ones whose weights are random: the batch changes nothing."""

import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

from ser_classic.errors import SerClassicError
from ser_classic.features.extraction import extract
from ser_classic.features.tables import brought_set

torch = pytest.importorskip("torch", reason="the extra `embeddings` is not installed")
transformers = pytest.importorskip("transformers", reason="the extra `embeddings` is not installed")

from ser_classic.extras.embeddings import encoder_set  # noqa: E402 - it needs what is looked for above

RATE, UNITS, LAYERS = 16_000, 16, 2
HEADS = {"attention_heads": 2, "ffn_dim": 32}
WAVES = {"num_hidden_layers": LAYERS, "hidden_size": UNITS, "num_attention_heads": 2, "intermediate_size": 32}
WAVES |= {"conv_dim": (8, 8, 8), "conv_kernel": (10, 3, 3), "conv_stride": (8, 5, 4)}
WAVES |= {"num_conv_pos_embeddings": 8, "num_conv_pos_embedding_groups": 2}
SPECTRA = {"d_model": UNITS, "encoder_layers": LAYERS, "decoder_layers": 1, "vocab_size": 50}
SPECTRA |= {f"{part}_{name}": size for part in ("encoder", "decoder") for name, size in HEADS.items()}
SPECTRA |= {"pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2, "decoder_start_token_id": 1}
SPECTRA |= {"max_source_positions": 100}  # 2 s
STABLE = {"feat_extract_norm": "layer", "do_stable_layer_norm": True}
KINDS = {
    "wav2vec2": ("Wav2Vec2", WAVES),
    "wav2vec2_large": ("Wav2Vec2", WAVES | STABLE),
    "hubert": ("Hubert", WAVES),
    "hubert_large": ("Hubert", WAVES | STABLE),
    "wavlm": ("WavLM", WAVES),
    "whisper": ("Whisper", SPECTRA),
}


@pytest.fixture(scope="module")
def encoders(tmp_path_factory) -> Path:
    """A folder of each kind."""
    root = tmp_path_factory.mktemp("encoders")
    for name, (kind, settings) in KINDS.items():
        torch.manual_seed(0)
        config = getattr(transformers, f"{kind}Config")(**settings)
        getattr(transformers, f"{kind}Model")(config).save_pretrained(root / name)
        if kind == "Whisper":
            prepare = transformers.WhisperFeatureExtractor(chunk_length=2)
        else:
            prepare = transformers.Wav2Vec2FeatureExtractor(return_attention_mask=True)
        prepare.save_pretrained(root / name)
    return root


@pytest.fixture(scope="module")
def waveforms() -> list[np.ndarray]:
    """Noise of several lengths: one shorter than a frame, one longer than Whisper's window here."""
    random = np.random.default_rng(0)
    return [random.normal(0, 0.1, length).astype(np.float32) for length in (40, 5000, 16_000, 40_003, 8000)]


@pytest.mark.parametrize("layer", range(LAYERS + 1))
@pytest.mark.parametrize("kind", KINDS)
def test_neither_padding_nor_the_batch_changes_a_value(kind, layer, encoders, waveforms):
    extractor = encoder_set(str(encoders / kind), layer).extractor
    alone = np.stack([extractor(each, RATE) for each in waveforms])
    assert alone.shape == (len(waveforms), len(extractor.columns)) == (5, 2 * UNITS)
    in_threes = encoder_set(str(encoders / kind), layer, batch=3).extractor
    together = np.stack(in_threes.together(waveforms, RATE))
    assert np.abs(together - alone).max() < 1e-5
    assert np.ptp(alone, axis=0).max() > 1e-3  # it is not deaf


@pytest.mark.parametrize("kind", ["wav2vec2", "hubert", "wavlm"])
def test_values_are_those_of_the_model_as_transformers_runs_it(kind, encoders, waveforms):
    model = transformers.AutoModel.from_pretrained(encoders / kind).eval()
    wave = waveforms[2]
    whitened = (wave - wave.mean()) / np.sqrt(wave.var() + 1e-7)
    with torch.inference_mode():
        states = model(torch.tensor(whitened)[None], output_hidden_states=True).hidden_states[1][0].numpy()
    expected = np.concatenate([states.mean(axis=0), states.std(axis=0)])
    extractor = encoder_set(str(encoders / kind), 1).extractor
    np.testing.assert_allclose(extractor(wave, RATE), expected, atol=1e-5)


def test_of_whisper_only_the_frames_of_the_recording_count(encoders, waveforms):
    folder = encoders / "whisper"
    model = transformers.AutoModel.from_pretrained(folder).eval().get_encoder()
    prepare = transformers.AutoFeatureExtractor.from_pretrained(folder)
    wave = waveforms[2]  # 1 s of 2: 50 of 100 frames
    inputs = prepare(wave, sampling_rate=RATE, return_tensors="pt").input_features
    with torch.inference_mode():
        states = model(inputs).last_hidden_state[0, :50].numpy()
    expected = np.concatenate([states.mean(axis=0), states.std(axis=0)])
    np.testing.assert_allclose(encoder_set(str(folder)).extractor(wave, RATE), expected, atol=1e-5)


def test_the_command_makes_a_table_that_can_be_brought(encoders, own_folder, tiny, cache, tmp_path, ser):
    words = ("features", "extract", own_folder, "--encoder", encoders / "hubert", "--layer", 1)
    speakers = ("--speaker", r"/(s\d\d)_", "--cache", "cache", "--jobs", 1)
    ser(*words, *speakers, "--batch", 5, "-o", "five.npz").said()
    brought = brought_set("hubert", tmp_path / "five.npz")
    assert len(brought.columns) == 2 * UNITS
    values = extract(tiny.clips, tiny.root, brought, cache).values
    one = extract(tiny.clips, tiny.root, encoder_set(str(encoders / "hubert"), 1, batch=1), cache).values
    np.testing.assert_allclose(values, one, atol=1e-5)


def test_what_is_cached_is_not_computed_again(encoders, tiny, tmp_path, monkeypatch):
    hubert = encoder_set(str(encoders / "hubert"))
    before = extract(tiny.clips, tiny.root, hubert, tmp_path).values
    monkeypatch.setattr(type(hubert.extractor), "together", None)
    monkeypatch.setattr(type(hubert.extractor), "__call__", None)
    assert np.array_equal(extract(tiny.clips, tiny.root, hubert, tmp_path).values, before)
    with pytest.raises(SerClassicError):
        extract(tiny.clips, tiny.root, encoder_set(str(encoders / "hubert"), 0), tmp_path)


def test_a_batch_that_does_not_fit_is_tried_one_by_one(encoders, tiny, tmp_path, monkeypatch):
    wavlm = encoder_set(str(encoders / "wavlm"), batch=4)
    together, sizes = type(wavlm.extractor).together, []

    def little_memory(self, waveforms, rate):
        sizes.append(len(waveforms))
        if len(waveforms) > 1:
            raise torch.OutOfMemoryError("no memory")
        return together(self, waveforms, rate)

    monkeypatch.setattr(type(wavlm.extractor), "together", little_memory)
    assert len(extract(tiny.clips, tiny.root, wavlm, tmp_path).values) == len(tiny.clips)
    assert sizes.count(1) == len(tiny.clips)
    assert len(sizes) > len(tiny.clips)


EXTRACT = ("features", "extract", "synthetic", "-o", "x.npz", "--encoder")


@pytest.fixture
def offline(monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)


def test_what_is_no_model_is_one_line(encoders, tmp_path, ser, offline):
    (tmp_path / "empty").mkdir()
    for name in ("/no/such/folder", "nobody/nothing", tmp_path / "empty"):
        told = ser(*EXTRACT, name)
        told.refused(str(name))
        assert len(told.stderr.splitlines()) == 1
    ser(*EXTRACT, encoders / "wavlm", "--layer", LAYERS + 1).refused(f"to {LAYERS}")
    assert not (tmp_path / "x.npz").exists()


def test_a_model_at_hand_needs_no_network(encoders, offline):
    assert encoder_set(str(encoders / "wavlm")).columns


def test_weights_that_are_missing_are_not_made_up(encoders, tmp_path):
    from safetensors.torch import load_file, save_file

    folder = shutil.copytree(encoders / "hubert", tmp_path / "hubert")
    weights = load_file(folder / "model.safetensors")
    del weights["encoder.layers.1.attention.k_proj.weight"]
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    with pytest.raises(SerClassicError, match="k_proj"):
        encoder_set(str(folder))


def test_a_model_of_text_is_refused(encoders, tmp_path):
    folder = shutil.copytree(encoders / "hubert", tmp_path / "bert")
    (folder / "model.safetensors").unlink()
    config = transformers.BertConfig(
        vocab_size=9, hidden_size=8, num_hidden_layers=1, num_attention_heads=1, intermediate_size=8
    )
    transformers.BertModel(config).save_pretrained(folder)
    assert json.loads((folder / "config.json").read_text())["model_type"] == "bert"
    with pytest.raises(SerClassicError, match="bert"):
        encoder_set(str(folder))


def test_without_the_extra_the_command_says_what_to_install(ser, monkeypatch):
    monkeypatch.setitem(sys.modules, "transformers", None)
    ser(*EXTRACT, "any/other").refused("pip install 'ser-classic[embeddings]'")


@pytest.mark.parametrize(
    "words", [(), ("--features", "mfcc13", "--encoder", "x"), ("--features", "mfcc13", "--layer", "1")]
)
def test_options_that_do_not_go_together_are_wrong_usage(words, ser):
    ser(*EXTRACT[:-1], *words).said(code=2)
