"""Parts of a corpus: its own clips and speakers, found where the whole corpus lies."""

from __future__ import annotations

import pytest
from tiny_corpus import lay_out

from ser_classic.corpora import CORPORA, CorpusError, load, shortfall
from ser_classic.protocols import PROTOCOLS


def test_ravdess4_is_ravdess_with_four_emotions(tmp_path):
    lay_out(tmp_path / "Audio_Speech_Actors_01-24", "ravdess")
    whole, part = (load(name, tmp_path) for name in ("ravdess", "ravdess4"))
    assert part.root == whole.root
    assert len(part.clips) == CORPORA["ravdess4"].clips == 768
    assert set(part.clips["emotion"]) == {"calm", "happy", "fear", "disgust"}
    assert part.clips["speaker"].nunique() == CORPORA["ravdess4"].speakers
    assert part.clips.equals(whole.clips.loc[part.clips.index])
    assert shortfall(part.corpus, part.clips) is None


def test_the_published_folds_hold_for_a_part(tmp_path):
    lay_out(tmp_path / "ravdess", "ravdess")
    folds = PROTOCOLS["emobox"].folds(load("ravdess4", tmp_path).clips)
    assert sum(len(fold.test) for fold in folds) == 768


def test_what_is_missing_of_a_part_is_missing_of_the_corpus(tmp_path):
    with pytest.raises(CorpusError, match="ravdess4: not found"):
        load("ravdess4", tmp_path)
    assert "corpora fetch ravdess" in CORPORA["ravdess4"].obtain
