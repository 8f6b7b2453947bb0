"""Parts of a corpus: its own clips and speakers, found where the whole corpus lies."""

import pytest
from tiny_corpus import lay_out, touch

from ser_classic.corpora import CORPORA, CorpusError, available, load, shortfall
from ser_classic.corpora.fetching import fetch
from ser_classic.experiment.cells import Cell
from ser_classic.experiment.suites import runnable
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
    with pytest.raises(CorpusError, match=r"ravdess4: .*corpora fetch ravdess,"):
        load("ravdess4", tmp_path)
    touch(tmp_path / "ravdess", *CORPORA["ravdess"].official["file"][:100])
    part = load("ravdess4", tmp_path)
    assert shortfall(part.corpus, part.clips).endswith("corpora fetch ravdess")


def test_a_part_of_which_there_is_no_clip_is_not_at_hand(tmp_path):
    neutral = [file for file in CORPORA["ravdess"].official["file"] if "/03-01-01-" in file]
    touch(tmp_path / "ravdess", *neutral)
    assert "ravdess" in available(tmp_path)
    assert "ravdess4" not in available(tmp_path)
    with pytest.raises(CorpusError, match=r"ravdess4: .* calm"):
        load("ravdess4", tmp_path)


@pytest.mark.parametrize("source", [None, "archive.zip"])
def test_a_part_is_fetched_with_the_corpus(tmp_path, source):
    with pytest.raises(CorpusError, match=r"corpora fetch ravdess$"):
        fetch("ravdess4", tmp_path, source)


def test_a_suite_says_which_corpus_to_fetch_for_a_part(tmp_path):
    _, notices = runnable([Cell("ravdess4", "emobox", "mfcc13", "lda")], {}, tmp_path)
    (notice,) = notices
    assert notice.startswith("ravdess4: ")
    assert notice.endswith(" ser-classic corpora fetch ravdess")
