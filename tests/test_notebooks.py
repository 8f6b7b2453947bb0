"""What a notebook shows of the things that a program is given, and in a terminal."""

from dataclasses import replace
from pathlib import Path

import pytest

from ser_classic import FEATURES, MODELS, extract, load
from ser_classic.explore import explore_file
from ser_classic.report.comparison import compare_stored
from ser_classic.store import Run, read_run

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def predictor(fitted):
    return fitted("ridge", evaluate=True)


def test_a_predictor_shows_its_card_and_its_confusion_matrix(predictor):
    assert repr(predictor).splitlines() == ["Predictor: tiny, mfcc13, ridge (angry, neutral, sad)"]
    shown = predictor._repr_html_()
    assert "<li><b>Emotions:</b> angry" in shown
    assert shown.count(">called ") == 3
    assert "**" not in shown
    unknown = replace(predictor, card=predictor.card | {"evaluation": None})
    assert ">called " not in unknown._repr_html_()


def test_features_show_the_first_of_them(cache):
    root, clips, _ = load("synthetic", cache=cache)
    some = extract(clips[:7], root, FEATURES["mfcc13"], cache)
    assert repr(some) == "Features: 7 clips, 13 columns"
    assert some._repr_html_().count("synthetic/s01") == 5
    frames = extract(clips[:2], root, FEATURES["mfcc_sequence"], cache)
    assert "rows" in frames._repr_html_()


def test_a_run_shows_what_was_chosen_and_why_it_failed(tmp_path):
    run = read_run(ROOT / "results" / "runs" / "ravdess--emobox--flagship--fusion--0")
    assert repr(run) == "Run: ravdess--emobox--flagship--fusion--0 (ok)"
    assert "chosen.alpha" in run._repr_html_()
    record = {"id": "c--p--f--m--0", "status": "failed", "error": "no <clips>"}
    assert "no &lt;clips&gt;" in Run(tmp_path, record)._repr_html_()


def test_a_comparison_shows_what_the_terminal_does_and_a_table_of_names_these():
    names = [f"emodb--loso--classic193--{model}--0" for model in ("svm_rbf", "lda")]
    shown = compare_stored(ROOT / "results", *names)._repr_html_()
    assert all(name in shown for name in names)
    assert repr(MODELS).startswith("models: ")
    assert "svm_rbf" in repr(MODELS)


def test_a_part_of_a_page_shows_its_figure(own_folder):
    (part,), _ = explore_file(own_folder / "angry" / "s01_t1_1.wav")
    shown = part._repr_html_()
    assert "<svg" in shown
    assert part.title in shown
    assert part.figure.axes
