"""Predictions in: checked line by line, scored, compared, stored, removed."""

import json
import os
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ser_classic import MODELS, PROTOCOLS, evaluate, load, store
from ser_classic.corpora.labels import example_key, named
from ser_classic.experiment.bench import bench
from ser_classic.experiment.cells import Cell
from ser_classic.experiment.stale import differences
from ser_classic.metrics import METRICS
from ser_classic.protocols import Fold
from ser_classic.protocols.export import fold_table
from ser_classic.report import leak_premium, read, systems, write
from ser_classic.report.text import best_systems
from ser_classic.vocabulary import LISTED

LOSO = ("--protocol", "loso", "--name", "my CNN")
ID = "tiny--loso--external--my_cnn--0"


@pytest.fixture(scope="module")
def made(tiny, mfcc13) -> pd.DataFrame:
    """Predictions of a real model, as another program would write them."""
    made = evaluate(tiny.clips, mfcc13, MODELS["logistic"], PROTOCOLS["loso"])
    table = made.rename(columns={"guess": "emotion"}).assign(
        file=tiny.clips["file"].loc[made["clip"]].to_numpy()
    )
    return table.drop(columns="clip").sample(frac=1, random_state=0)


@pytest.fixture
def predictions(made) -> pd.DataFrame:
    """A copy that may be changed."""
    return made.copy()


@pytest.fixture
def scored(own_folder, ser):
    """Run `score` on the tiny corpus; its exit code and what it printed."""

    def run(*words: object, protocol: str = "loso") -> tuple[int, str, str]:
        own = ("--corpus", own_folder, "--speaker", r"/(s\d\d)_", "--protocol", protocol, "--name", "my CNN")
        return ser("score", *words, *own)

    return run


def test_figures_are_those_of_the_predictions(scored, tiny, predictions, tmp_path):
    predictions.to_csv(tmp_path / "p.csv", index=False)
    code, told, errors = scored("p.csv", "--json")
    assert (code, errors) == (0, "")
    found = json.loads(told)
    truth = tiny.clips.set_index("file")["emotion"].loc[predictions["file"]].to_numpy()
    guess = predictions["emotion"].to_numpy()
    for name in ("uar", "accuracy", "macro_f1"):
        assert found[name]["value"] == pytest.approx(METRICS[name](truth, guess))
    assert np.sum(found["confusion"]["counts"]) == 48
    assert set(found["recall"]) == {"neutral", "angry", "sad"}
    assert set(found["by_speaker"]) == {f"tiny/s0{number}" for number in range(1, 5)}
    speakers = tiny.clips.set_index("file")["speaker"].loc[predictions["file"]].to_numpy()
    own = speakers == "tiny/s02"
    assert found["by_speaker"]["tiny/s02"]["uar"] == pytest.approx(METRICS["uar"](truth[own], guess[own]))
    sad = own & (truth == "sad")
    assert found["by_speaker"]["tiny/s02"]["recall"]["sad"] == pytest.approx(np.mean(guess[sad] == "sad"))
    assert 0 <= found["ece"]["value"] <= 1
    assert found["brier"].keys() == found["uar"].keys()
    assert found["comparison"] is None
    assert "UAR" in scored("p.csv")[1]


def test_guesses_alone_will_do_and_a_table_of_folds_with_a_guess(scored, predictions, tiny, tmp_path):
    predictions[["file", "emotion"]].to_csv(tmp_path / "p.csv", index=False)
    first = json.loads(scored("p.csv", "--json")[1])
    assert "ece" not in first
    folds = fold_table(tiny.clips, PROTOCOLS["loso"])
    folds = folds[folds["part"] == "test"]
    folds["guess"] = predictions.set_index("file")["emotion"].loc[folds["file"]].to_numpy()
    folds.to_csv(tmp_path / "q.csv", index=False)
    assert json.loads(scored("q.csv", "--json")[1])["uar"] == first["uar"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda p: p.iloc[1:], "1 of 48 "),
        (lambda p: pd.concat([p, p.iloc[[4]]]), "line 50: .*line 6"),
        (lambda p: p.assign(file=["other.wav", *p["file"][1:]]), r"line 2: 'other\.wav'.*tiny.*\.wav"),
        (lambda p: p.assign(emotion=["cross", *p["emotion"][1:]]), "line 2: 'cross'"),
        (lambda p: p.assign(fold="s01"), "line .*fold s0"),
        (lambda p: p.assign(p_sad=7.0), "line 2 and 47 more: "),
        (lambda p: p.replace({"emotion": {"sad": "cross"}}), r"line \d+ and \d+ more: 'cross'.*\n$"),
        (lambda p: p.assign(p_joy=0.0), "p_joy"),
        (lambda p: p.assign(prediction="sad"), "prediction.* guess "),
        (lambda p: p.drop(columns="p_sad"), r"p\.csv: [^\n]*p_sad[^\n]*\n$"),
        (lambda p: p.assign(emotion=["", *p["emotion"][1:]]), "line 2: .* no emotion"),
        (lambda p: p.assign(part="train"), "line 2: .*part 'train'"),
        (lambda p: p.drop(columns="emotion"), r"emotion \(or guess\)"),
        (lambda p: p.drop(columns="file"), r"clip \(or file\)"),
    ],
)
def test_whatever_is_wrong_is_named_with_its_line(scored, predictions, tmp_path, change, reason):
    change(predictions).to_csv(tmp_path / "p.csv", index=False)
    code, told, errors = scored("p.csv", "--add")
    assert (code, told) == (1, "")
    assert re.search(reason, errors)
    assert not (tmp_path / "results").exists()


def test_a_name_with_a_dot_is_not_cut_there():
    clips = pd.DataFrame({"corpus": "c", "file": ["1.01.wav", "1.02.wav", "a/x.wav", "a/x.flac"]})
    clips.index = pd.Index(["c/1.01", "c/1.02", "c/a/x.wav", "c/a/x.flac"], name="clip")
    keys = pd.Series(["1.01", "c/1.02.MP3", ".\\a\\x.flac", "a/x", "1.03"])
    assert named(keys, clips).fillna("").tolist() == ["c/1.01", "c/1.02", "c/a/x.flac", "", ""]
    parts = clips.assign(file="call.wav")  # that a message names has to be one that names a clip
    for each in (clips, parts):
        assert named(pd.Series([example_key(each)]), each).tolist() == ["c/a/x.flac"]


def test_a_file_is_known_as_its_manifest_lists_it(own_folder, tiny, tmp_path):
    for number, folder in enumerate((own_folder, Path("..") / os.path.relpath(own_folder, tmp_path))):
        manifest = tmp_path / f"m{number}" / "tiny.csv"
        manifest.parent.mkdir()
        table = tiny.clips[["emotion"]].assign(file=[f"{folder}/{file}" for file in tiny.clips["file"]])
        table.to_csv(manifest, index=False)
        clips = load(manifest).clips
        assert named(table["file"].reset_index(drop=True), clips).tolist() == clips.index.tolist()
        assert store.table_digest(clips) == store.table_digest(clips.drop(columns=LISTED))


def test_words_are_mapped(scored, predictions, tmp_path):
    odd = predictions.replace({"emotion": {"angry": "wrath"}}).rename(columns={"p_angry": "p_wrath"})
    odd.to_csv(tmp_path / "p.csv", index=False)
    assert scored("p.csv")[0] == 1
    right = scored("p.csv", "--map", "Wrath=angry", "--json")
    assert right[0] == 0
    for word, column in (("Angry", "p_angry"), ("anger", "p_Anger")):  # as a corpus may write it
        odd = predictions.replace({"emotion": {"angry": word}}).rename(columns={"p_angry": column})
        odd.to_csv(tmp_path / "p.csv", index=False)
        assert scored("p.csv", "--json") == right


@pytest.mark.parametrize("more", [(), ("--map", "wrath=angry")])
def test_a_map_of_the_corpus_holds_for_truth_and_guess(scored, predictions, tmp_path, more):
    merged = predictions.assign(emotion=predictions["emotion"].replace("sad", "angry"))
    merged = merged.replace({"emotion": {"angry": "wrath"}} if more else {})
    merged[["file", "emotion"]].to_csv(tmp_path / "p.csv", index=False)
    code, told, _ = scored("p.csv", "--map", "sad=angry", *more, "--json")
    assert code == 0
    assert set(json.loads(told)["recall"]) == {"neutral", "angry"}


def test_words_of_the_corpus_and_of_the_predictions_are_mapped_at_once(predictions, tiny, tmp_path, ser):
    table = tiny.clips[["file", "emotion", "speaker"]].replace({"emotion": {"sad": "blue"}})
    table["file"] = [str(tiny.root / file) for file in table["file"]]
    table.to_csv(tmp_path / "mine.csv", index=False)
    predictions.replace({"emotion": {"angry": "wrath"}})[["file", "emotion"]].to_csv(
        tmp_path / "p.csv", index=False
    )
    maps = ("--map", "blue=sad", "--map", "wrath=angry")
    code, told, _ = ser("score", "p.csv", "--corpus", "mine.csv", *maps, *LOSO, "--json")
    assert code == 0
    assert set(json.loads(told)["recall"]) == {"neutral", "angry", "sad"}


def test_predictions_for_the_folds_of_another_seed_are_scored_alone(scored, tiny, cache, tmp_path):
    bench([Cell("tiny", "holdout25", "mfcc13", "lda")], tmp_path / "results", cache=cache, own={"tiny": tiny})
    for seed in (0, 1):
        folds = fold_table(tiny.clips, PROTOCOLS["holdout25"], seed)
        folds = folds[folds["part"] == "test"].assign(guess="sad")
        folds.to_csv(tmp_path / "p.csv", index=False)
        code, told, _ = scored("p.csv", "--seed", seed, "--json", protocol="holdout25")
        assert code == 0
        assert (json.loads(told)["comparison"] is None) == bool(seed)


def test_an_external_run_is_compared_stored_told_apart_and_removed(
    scored, predictions, tiny, cache, tmp_path, monkeypatch, ser
):
    results = tmp_path / "results"
    bench([Cell("tiny", "loso", "mfcc13", "ridge")], results, cache=cache, own={"tiny": tiny})
    predictions.to_csv(tmp_path / "p.csv", index=False)
    code, told, _ = scored("p.csv", "--add", "--note", "https://example.org", "--json")
    assert code == 0
    assert json.loads(told)["comparison"]["second"] == "tiny--loso--mfcc13--ridge--0"
    run = store.find_run(results, ID)
    assert run.record["external"] == {"name": "my CNN", "note": "https://example.org"}
    assert sorted(run.predictions()["clip"]) == sorted(tiny.clips.index)
    assert differences(run.record, lambda _: run.record["digests"]["clips"]) == {}
    board = read(results)
    assert dict(zip(board["model"], board["source"], strict=True)) == {"my_cnn": "external", "ridge": ""}
    assert "my_cnn" not in best_systems(systems(board)).markdown()
    write(results, figures=False)
    assert "my_cnn" in (results / "leaderboard.md").read_text()
    monkeypatch.setattr("ser_classic.report.write", lambda *_, **__: None)
    ser("results", "remove", ID).said()
    assert [path.name for path in store.folders(results)] == ["tiny--loso--mfcc13--ridge--0"]


def test_predictions_never_take_the_place_of_another_models(scored, predictions, tmp_path, ser):
    predictions.to_csv(tmp_path / "p.csv", index=False)
    assert scored("p.csv", "--add")[0] == 0
    assert scored("p.csv", "--add")[0] == 0
    assert scored("p.csv", "--add", "--results", "other")[0] == 0
    run = store.find_run(tmp_path / "other", ID)
    store.write_run(
        tmp_path / "other",
        {**run.record, "external": {"name": "My-CNN!", "note": ""}},
        run.predictions().assign(guess="sad"),
    )
    code, _, errors = scored("p.csv", "--add", "--results", "other")
    assert (code, "My-CNN!" in errors, "--name" in errors) == (1, True, True)
    assert set(store.find_run(tmp_path / "other", ID).predictions()["guess"]) == {"sad"}
    ser("results", "merge", "results", "other", "--into", "all").refused(f"other/runs/{ID}", "different")


def test_folds_that_test_a_clip_twice_are_refused(scored, predictions, tmp_path):
    twice = replace(
        PROTOCOLS["loso"], name="twice", split=lambda clips, seed: [*halves(clips), *halves(clips, 1)]
    )
    predictions[["file", "emotion"]].to_csv(tmp_path / "p.csv", index=False)
    with PROTOCOLS.also([twice]):
        code, _, errors = scored("p.csv", protocol="twice")
    assert (code, "several folds" in errors) == (1, True)


def halves(clips, first=0):
    """Two folds of speakers."""
    tested = clips["speaker"].isin(sorted(set(clips["speaker"]))[first : first + 2]).to_numpy()
    parts = np.flatnonzero(tested), np.flatnonzero(~tested)
    return [Fold(f"{first}{number}", *each) for number, each in enumerate((parts, parts[::-1]))]


def test_without_speakers_nothing_is_said_of_runs_to_compare_with(own_folder, predictions, tmp_path, ser):
    folds = fold_table(load(own_folder).clips, PROTOCOLS["random5"])
    of = folds[folds["part"] == "test"].set_index("file")["fold"].astype(float)  # as pandas may leave it
    predictions.assign(fold=of.loc[predictions["file"]].to_numpy()).to_csv(tmp_path / "p.csv", index=False)
    told = ser("score", "p.csv", "--corpus", own_folder, "--protocol", "random5", "--name", "my CNN").said()
    assert "speaker" in told.splitlines()[-1]
    assert "bench" not in told.splitlines()[-1]


def test_random_splits_show_in_the_leak_chapter(scored, predictions, tiny, tmp_path):
    predictions.to_csv(tmp_path / "p.csv", index=False)
    assert scored("p.csv", "--add")[0] == 0
    predictions.drop(columns="fold").to_csv(tmp_path / "q.csv", index=False)
    assert scored("q.csv", "--add", protocol="random5")[0] == 0
    (row,) = leak_premium(read(tmp_path / "results")).to_dict("records")
    assert (row["model"], row["leaky_protocol"], row["premium"]) == ("my_cnn", "random5", 0)
