"""Protocols: who is on which side, and what is refused."""

import re
from pathlib import Path, PurePosixPath

import numpy as np
import pandas as pd
import pytest

import ser_classic
from ser_classic.corpora import CORPORA, CorpusError
from ser_classic.errors import SerClassicError
from ser_classic.protocols import PROTOCOLS, Fold, Protocol, leave_one_speaker_out, published_folds
from ser_classic.protocols.splits import _spelled_out


def table(
    corpus: str = "c", speakers: int = 6, each: int = 10, names: list[str] | None = None
) -> pd.DataFrame:
    owners = names or [f"{number:02d}" for number in range(1, speakers + 1)]
    rows = [
        {
            "speaker": f"{corpus}/{who}",
            "emotion": ("happy", "sad")[take % 2],
            "corpus": corpus,
            "sentence": f"t{take % 4}",
        }
        for who in owners
        for take in range(each)
    ]
    clips = pd.DataFrame(rows)
    return clips.set_axis(pd.Index([f"{corpus}/{row}" for row in range(len(rows))], name="clip"))


def sides(clips: pd.DataFrame, fold: Fold) -> tuple[set[str], set[str]]:
    owners = clips["speaker"].to_numpy()
    return set(owners[fold.train]), set(owners[fold.test])


@pytest.mark.parametrize(
    "name",
    [
        name
        for name, each in PROTOCOLS.items()
        if each.unit == "speaker" and not each.trained_on and each.base not in ("official", "sessions")
    ],
)
def test_every_speaker_is_tested_once_and_never_trained_on_then(name):
    clips = table("ravdess", speakers=24)
    folds = PROTOCOLS[name].folds(clips, seed=3)
    tested = np.concatenate([fold.test for fold in folds])
    assert sorted(tested) == list(range(len(clips)))
    for fold in folds:
        train, test = sides(clips, fold)
        assert not train & test
        if not PROTOCOLS[name].apart and not PROTOCOLS[name].speakers:
            assert len(fold.train) + len(fold.test) == len(clips)


@pytest.mark.parametrize("name", ["random5", "holdout25", "holdout15"])
def test_leaky_protocols_say_so_and_let_speakers_into_both_sides(name):
    clips = table()
    assert PROTOCOLS[name].leaky
    train, test = sides(clips, PROTOCOLS[name].folds(clips)[0])
    assert train & test


@pytest.mark.parametrize(("name", "percent"), [("holdout25", 25), ("holdout15", 15)])
def test_holdout_tests_its_share_and_keeps_the_emotions_in_proportion(name, percent):
    clips = table(each=20)
    (fold,) = PROTOCOLS[name].folds(clips)
    assert len(fold.test) == len(clips) * percent / 100
    assert clips["emotion"].iloc[fold.test].value_counts().nunique() == 1


@pytest.mark.parametrize("name", ["speakers5", "random5", "holdout25", "holdout15"])
def test_the_same_seed_deals_alike_and_another_otherwise(name):
    clips = table(speakers=12)
    one, same, other = (PROTOCOLS[name].folds(clips, seed) for seed in (1, 1, 2))
    assert all(np.array_equal(a.test, b.test) for a, b in zip(one, same, strict=True))
    assert not all(np.array_equal(a.test, b.test) for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize(
    ("corpus", "speakers", "folds"), [("ravdess", 24, 6 * 4), ("c", 10, 5 * 4), ("c", 3, 3 * 4)]
)
def test_unseen_text_keeps_speakers_and_sentences_apart(corpus, speakers, folds):
    clips = table(corpus, speakers=speakers, each=12)
    dealt = PROTOCOLS["unseen_text"].folds(clips)
    assert len(dealt) == folds
    said = clips["sentence"].to_numpy()
    for fold in dealt:
        train, test = sides(clips, fold)
        assert not train & test
        assert not set(said[fold.train]) & set(said[fold.test])
        neither = len(clips) - len(fold.train) - len(fold.test)
        assert neither > 0
    assert sorted(np.concatenate([fold.test for fold in dealt])) == list(range(len(clips)))


def test_unseen_text_needs_two_known_sentences():
    with pytest.raises(SerClassicError, match=r"c: unseen_text .*sentence"):
        PROTOCOLS["unseen_text"].folds(table().assign(sentence="t1"))
    with pytest.raises(SerClassicError, match=r"column `sentence`"):
        PROTOCOLS["unseen_text"].folds(table().assign(sentence=pd.NA))


def test_leave_one_speaker_out_names_its_folds_after_the_speaker():
    assert [fold.name for fold in PROTOCOLS["loso"].folds(table(speakers=3))] == ["01", "02", "03"]


def test_the_published_folds_of_ravdess_and_of_ranges_of_speakers():
    clips = table("ravdess", speakers=24)
    folds = PROTOCOLS["emobox"].folds(clips)
    assert len(folds) == 6
    assert sides(clips, folds[0])[1] == {f"ravdess/{who}" for who in ("01", "11", "20", "21")}
    clips = table("crema_d", each=2, names=[str(number) for number in range(1001, 1092)])
    folds = PROTOCOLS["emobox"].folds(clips)
    assert [len(sides(clips, fold)[1]) for fold in folds] == [18, 18, 18, 18, 19]


@pytest.mark.parametrize(("corpus", "rows"), list(published_folds().groupby("corpus")))
def test_every_corpus_with_published_folds_has_each_of_its_speakers_in_one(corpus, rows):
    names = [name for row in rows["test_speakers"] for name in _spelled_out(corpus, row)]
    assert len(set(names)) == len(names) == CORPORA[corpus].speakers
    official = CORPORA[corpus].official
    files = CORPORA[corpus].layout if official is None else official["file"]
    told = [CORPORA[corpus].parse(PurePosixPath(file)) for file in files]
    assert {f"{corpus}/{row['speaker']}" for row in told if row} <= set(names)
    clips = table(corpus, each=2, names=[name.removeprefix(f"{corpus}/") for name in names])
    assert len(PROTOCOLS["emobox"].folds(clips)) == len(rows)


def test_published_folds_need_the_whole_corpus_and_where_there_are_none_others_are_named():
    with pytest.raises(SerClassicError, match=r"ravdess/22, ravdess/23, ravdess/24"):
        PROTOCOLS["emobox"].folds(table("ravdess", speakers=21))
    with pytest.raises(SerClassicError, match="ravdess/25"):
        PROTOCOLS["emobox"].folds(table("ravdess", speakers=25))
    with pytest.raises(SerClassicError, match=r"emodb: .*loso or speakers5"):
        PROTOCOLS["emobox"].folds(table("emodb"))


def test_without_speakers_only_leaky_protocols_run_and_a_single_one_cannot_be_left_out():
    clips = table()
    clips["speaker"] = pd.NA
    with pytest.raises(CorpusError, match="leaky"):
        PROTOCOLS["loso"].folds(clips)
    assert len(PROTOCOLS["random5"].folds(clips)) == 5
    with pytest.raises(SerClassicError, match="1 speaker"):
        PROTOCOLS["loso"].folds(table(speakers=1))
    with pytest.raises(SerClassicError, match=r"5 .*loso"):
        PROTOCOLS["speakers5"].folds(table(speakers=4))


def test_too_few_clips_of_an_emotion_or_too_few_emotions_are_named():
    clips = table(each=2)
    clips["emotion"] = ["happy"] * (len(clips) - 1) + ["sad"]
    with pytest.raises(SerClassicError, match=r"1 .*'sad'.* 5"):
        PROTOCOLS["random5"].folds(clips)
    with pytest.raises(SerClassicError, match="c: loso, fold 01: "):
        PROTOCOLS["loso"].folds(table().assign(emotion="happy"))


@pytest.mark.parametrize(
    ("name", "emotions"), [("speakers5", 4), ("unseen_text", 4), ("holdout25", 8), ("holdout15", 4)]
)
def test_what_scikit_learn_cannot_deal_is_refused_by_name(name, emotions):
    """Fewer clips of every emotion than folds, or fewer clips to test than emotions."""
    place = np.arange(16)
    clips = table(each=3).iloc[:16]
    clips = clips.assign(
        speaker=[f"c/{number % 6}" for number in place],
        emotion=[f"e{number % emotions}" for number in place],
        sentence=[f"t{number % 5}" for number in place],
    )
    with pytest.raises(SerClassicError, match=f"c: {name} .*16 clips"):
        PROTOCOLS[name].folds(clips)


@pytest.mark.parametrize("name", ["loso_adapted", "speakers5_adapted", "loso_adapted_m4"])
def test_a_speaker_of_one_clip_cannot_be_adapted_to(name):
    """His z-scores are zeros, and the emotion that training lacks a clip of would be the answer."""
    clips = table().iloc[:51]
    with pytest.raises(SerClassicError, match=r"c/06 .*2"):
        PROTOCOLS[name].folds(clips)


def test_a_planted_leak_is_caught():
    """A split that puts one speaker on both sides, or a clip, cannot come through."""
    clips = table(speakers=3)
    rows = np.arange(len(clips))
    straddling = Protocol("planted", "", lambda clips, seed: [Fold("1", rows[5:], rows[:5])])
    said = Protocol("planted", "", lambda clips, seed: [Fold("1", rows[10:], rows[:10])], apart=("sentence",))
    with pytest.raises(SerClassicError, match=r"c: planted, fold 1: .*sentence t0, t1, t2, t3"):
        said.folds(clips)
    with pytest.raises(SerClassicError, match=r"c: planted, fold 1: .*speaker c/01"):
        straddling.folds(clips)
    with pytest.raises(SerClassicError, match="c: planted "):
        Protocol("planted", "", lambda clips, seed: []).folds(clips)
    doubled = Protocol("planted", "", lambda clips, seed: [Fold("1", rows, rows[:5])], unit=None)
    with pytest.raises(SerClassicError, match="c: planted, fold 1: clips"):
        doubled.folds(clips)


@pytest.mark.parametrize(
    ("split", "message"),
    [
        (lambda clips, seed: clips["room"], "30 clips: KeyError: 'room'"),
        (lambda clips, seed: [([0], [1])], "30 clips: AttributeError"),
        (lambda clips, seed: [Fold("1", *np.split(np.random.permutation(30), 2))], "seed"),
        (lambda clips, seed: [Fold("1", np.ones(30, bool), np.arange(5))], "fold 1: `train` .*0 to 29"),
        (lambda clips, seed: [Fold("1", np.arange(10, 30), np.arange(0))], "fold 1: `test` "),
        (lambda clips, seed: [Fold("1", np.arange(10, 31), np.arange(10))], "fold 1: `train` "),
        (lambda clips, seed: [Fold("1", np.arange(10, 30), np.zeros(2, int))], "fold 1: `test` .*twice"),
        (lambda clips, seed: [Fold("1", [[20], [25]], range(10))], "fold 1: `train` "),
        (lambda clips, seed: 2 * leave_one_speaker_out(clips, seed), "name"),
        (lambda clips, seed: [Fold("", range(10, 30), range(10))], "name"),
        (lambda clips, seed: [Fold("a\rb", range(10, 30), range(10))], "name"),
        (lambda clips, seed: [Fold("1", range(10, 30), range(10), range(10, 30))], "fold 1: `dev` "),
        (lambda clips, seed: [Fold("1", range(10, 30), range(10), range(9, 12))], "fold 1: `dev` "),
        (lambda clips, seed: [Fold("1", range(10, 30), range(10), [])], "fold 1: `dev` "),
        (lambda clips, seed: [Fold("1", range(10, 30), range(10), [[11], [12]])], "fold 1: `dev` "),
        (lambda clips, seed: [Fold("1", range(10, 30), range(10), [11, 11])], "fold 1: `dev` .*twice"),
    ],
)
def test_a_split_of_a_plug_in_that_is_none_is_told(split, message):
    with pytest.raises(SerClassicError, match=f"c: planted.*{message}"):
        Protocol("planted", "", split).folds(table(speakers=3))


@pytest.mark.parametrize("kind", [list, tuple, pd.Series, pd.Index, np.uint8])
def test_rows_of_a_fold_come_in_any_sequence_and_its_name_may_be_a_number(tiny, mfcc13, kind):
    def split(clips, seed):
        return [Fold(1, kind(range(1, 48, 2)), kind(range(0, 48, 2)), kind(range(1, 48, 6)))]

    leaky = Protocol("planted", "", split, unit=None)
    found = ser_classic.evaluate(tiny.clips, mfcc13, "ridge", leaky)
    assert found["fold"].unique().tolist() == ["1"]
    assert len(found) == 24


def test_what_is_to_be_kept_apart_is_known_and_folds_may_come_one_by_one():
    clips = table(speakers=3)
    with pytest.raises(SerClassicError, match=r"c: planted .*room"):
        Protocol("planted", "", leave_one_speaker_out, apart=("room",)).folds(clips)
    one_by_one = Protocol("planted", "", lambda clips, seed: iter(leave_one_speaker_out(clips, seed)))
    assert len(one_by_one.folds(clips)) == 3


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"track": "adaptd"}, "m: track 'adaptd'.*blind, adapted, "),
        ({"track": "adapted", "heard": -1}, "m: heard -1"),
        ({"heard": 4}, "m: `heard` .*adapted"),
        ({"track": "adapted", "heard": 4, "degradation": "noise10"}, "m: `heard` .*degradation"),
        ({"trained_on": ("emodb",), "degradation": "noise10"}, "m: `trained_on` .*degradation"),
        ({"track": "adapted", "heard": 4, "trained_on": ("emodb",)}, "m: `heard` .*`trained_on`"),
        ({"degradation": "noise11"}, "m: degradation 'noise11'.*noise20, noise10"),
        ({"trained_on": "emodb"}, "m: trained_on 'emodb'.*tuple"),
        ({"apart": "sentence"}, "m: apart 'sentence'.*tuple"),
        ({"unit": "sentence"}, "m: unit 'sentence'.*'speaker'"),
        ({"unit": None, "apart": ("speaker",)}, "m: .*unit='speaker'"),
    ],
)
def test_an_entry_that_contradicts_itself_is_refused(fields, message):
    with pytest.raises(SerClassicError, match=message):
        Protocol("m", "", leave_one_speaker_out, **fields)


def test_what_a_split_does_to_its_clips_hides_no_speaker_on_both_sides():
    def split(clips, seed):
        clips["speaker"] = [f"c/{row}" for row in range(len(clips))]
        first = np.arange(len(clips)) % 4 < 2
        return [Fold("1", np.flatnonzero(first), np.flatnonzero(~first))]

    clips = table(speakers=3)
    before = clips.copy()
    with pytest.raises(SerClassicError, match=r"fold 1: .*speaker"):
        Protocol("planted", "", split).folds(clips)
    pd.testing.assert_frame_equal(clips, before)


def test_no_name_of_a_protocol_is_parsed():
    """What a protocol is stands in its fields: no module but the table spells or takes apart a name."""
    methods = "remove(prefix|suffix)|r?partition|r?split|startswith|endswith"
    taken_apart = rf"(protocol|base|folds)\W{{0,4}}\.(str\.)?({methods})"
    spelled = r"_adapted\b(?!\.skops)|_adapted_m|_degraded_|cross_from|SPEAKER_INDEPENDENT"
    package = Path(ser_classic.__file__).parent
    found = {
        f"{path.relative_to(package)}: {line.strip()}"
        for path in package.rglob("*.py")
        if path != package / "protocols" / "__init__.py"
        for line in path.read_text().splitlines()
        if re.search(f"{taken_apart}|{spelled}", line)
    }
    assert found == set()
