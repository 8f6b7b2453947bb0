"""`compare` on the command line: what is said of two stored runs, and what is refused."""

import json
import re
import shutil
from pathlib import Path

import made_up_runs as made_up
import pytest

from ser_classic import store
from ser_classic.errors import SerClassicError
from ser_classic.report import compare_stored

GOOD, BAD = "ravdess--loso--pooled--svm_rbf--0", "ravdess--loso--mfcc13--knn--0"
KEPT = [
    ("ravdess", "loso", "pooled", "svm_rbf"),
    ("ravdess", "loso", "mfcc13", "knn"),
    ("ravdess", "loso_adapted", "mfcc13", "knn"),
    ("ravdess", "random5", "mfcc13", "knn"),
    ("ravdess", "random5", "pooled", "knn"),
    ("tess", "loso", "pooled", "svm_rbf"),
    ("tess", "loso", "mfcc13", "knn"),
]


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A results folder with made-up runs: one of half the clips, one of old clips, one that failed."""
    folder = tmp_path_factory.mktemp("compare") / "results"
    for corpus in ("ravdess", "tess"):
        store.write_clips(folder, corpus, made_up.clips(corpus))
    for cell in KEPT:
        _keep(folder, made_up.run(*cell))
    _keep(folder, made_up.run("ravdess", "loso", "classic193", "mlp"), rows=720)
    _keep(folder, made_up.run("ravdess", "loso", "classic193", "knn"), clips="old")
    failed = made_up.failed("ravdess", "loso", "pooled", "mlp", "no memory").record
    store.write_run(folder, {"schema": store.SCHEMA, "digests": {}, **failed}, None)
    return folder


def _keep(folder: Path, run: made_up.MadeUp, rows: int | None = None, clips: str | None = None) -> None:
    today = store.clips_digest(folder, run.record["corpus"])
    record = {"schema": store.SCHEMA, **run.record, "digests": {"clips": clips or today}}
    store.write_run(folder, record, run.predictions().iloc[:rows])


@pytest.fixture
def compare(results, ser):
    """Run the command; its exit code and what it printed."""
    return lambda *words: ser("compare", *words, "--results", results)


def test_two_runs_are_compared_in_figures_and_in_words(compare):
    code, told, errors = compare(GOOD, BAD)
    assert (code, errors) == (0, "")
    lines = told.splitlines()
    assert lines[0] == "ravdess, blind: 1440 clips of 24 speakers"
    assert "95 % interval" in told
    facts = json.loads(compare(GOOD, BAD, "--json")[1])
    assert facts["difference"] == pytest.approx(facts["values"][0] - facts["values"][1])
    assert 0 < facts["low"] < facts["difference"] < facts["high"]
    assert f"+{facts['difference']:.3f}".replace("+0.", "+.") in told
    assert (facts["first"], facts["second"], facts["speakers"], facts["notes"]) == (GOOD, BAD, 24, [])
    other = json.loads(compare(BAD, GOOD, "--json")[1])
    assert other["difference"] == -facts["difference"]
    assert other["verdict"].startswith(f"{GOOD} scores")


def test_a_minus_is_one_sign_throughout(compare):
    _, told, _ = compare(BAD, GOOD)
    low = re.search(r"interval\D*?(\S\.\d+)", told)[1]
    assert low.startswith("−.")
    assert not re.search(r"\s-[.\d]", told)


def test_another_metric_is_compared_by_its_own_name(compare):
    told = compare(GOOD, BAD, "--metric", "macro_f1")[1]
    assert "macro F1" in told
    assert "UAR" not in told


def test_of_two_speakers_each_is_shown_and_no_interval(compare):
    _, told, _ = compare("tess--loso--pooled--svm_rbf--0", "tess--loso--mfcc13--knn--0")
    assert told.splitlines()[2].split() == ["UAR", "01", "02"]
    assert "interval" not in told


def test_leaky_runs_are_compared_with_a_warning(compare):
    _, told, _ = compare("ravdess--random5--mfcc13--knn--0", "ravdess--random5--pooled--knn--0")
    assert told.startswith("ravdess, leaky: ")
    assert "unknown speakers" in told.replace("\n", " ")


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        ("ravdess--loso_adapted--mfcc13--knn--0", "is adapted"),
        ("ravdess--random5--mfcc13--knn--0", "is leaky"),
        ("tess--loso--mfcc13--knn--0", "is tess"),
        ("ravdess--loso--pooled--mlp--0", "(no memory)"),
        ("ravdess--loso--classic193--mlp--0", "1440 clips"),
        ("ravdess--loso--classic193--knn--0", "clips of ravdess"),
        ("ravdess--loso--mfc13--knn--0", f"did you mean '{BAD}'"),
        (GOOD, "two runs"),
        ("nothing", "'nothing'"),
        ("../runs", "'../runs'"),
    ],
)
def test_what_cannot_be_compared_is_refused_with_the_reason(compare, other, reason):
    code, told, errors = compare(GOOD, other)
    assert (code, told) == (1, "")
    assert errors.startswith("ser-classic: ")
    assert reason in errors


def test_runs_of_other_clips_than_the_table_tells_are_refused(results, tmp_path):
    """Both agree with one another, and would be scored by labels that they never saw."""
    folder = tmp_path / "results"
    shutil.copytree(results, folder)
    clips = made_up.clips("ravdess")
    relabelled = clips.assign(emotion=clips["emotion"].sample(frac=1, random_state=0).to_numpy())
    store.write_clips(folder, "ravdess", relabelled, replace=True)
    with pytest.raises(SerClassicError, match="clips of ravdess"):
        compare_stored(folder, GOOD, BAD)


def test_an_unknown_metric_and_an_empty_folder_say_what_to_do(compare, tmp_path):
    code, _, errors = compare(GOOD, BAD, "--metric", "macrof1")
    assert code == 1
    assert "'macro_f1'" in errors
    with pytest.raises(SerClassicError, match=r"known: none.*ser-classic bench SUITE"):
        store.find_run(tmp_path, GOOD)
