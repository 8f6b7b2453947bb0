"""Suites: products of names, and clear errors for what cannot be run."""

from __future__ import annotations

from pathlib import Path

import pytest

from ser_classic.degradations import DEGRADATIONS
from ser_classic.errors import SerClassicError
from ser_classic.experiment import Cell
from ser_classic.suites import SuiteError, on_own, present, read_suite, select

GRID = """
[[grid]]
corpora = ["emodb", "synthetic"]
protocols = ["loso"]
features = ["mfcc13"]
models = ["prior", "lda"]
"""


@pytest.fixture
def suite(tmp_path: Path):
    def write(text: str) -> str:
        (tmp_path / "s.toml").write_text(text)
        return str(tmp_path / "s.toml")

    return write


def test_a_grid_is_the_product_of_its_lists(suite):
    cells = read_suite(suite(GRID))
    assert cells == [
        Cell(corpus, "loso", "mfcc13", model)
        for corpus in ("emodb", "synthetic")
        for model in ("prior", "lda")
    ]


def test_seeds_and_overlapping_grids(suite):
    cells = read_suite(suite(GRID + "seeds = [0, 1]\n" + GRID))
    assert len(cells) == 8


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("grid = 3", "expected a title and"),
        ("[[grid]]\ncorpora = ['emodb']", "check features, models, protocols"),
        (GRID + "folds = [1]", "check folds"),
        (GRID.replace('["mfcc13"]', "[]"), "empty or no list"),
        (GRID.replace('["mfcc13"]', '"mfcc13"'), "empty or no list"),
        (GRID.replace("mfcc13", "mfcc31"), "did you mean 'mfcc13'"),
        (GRID + "[other]", "found other"),
        ("[[grid", "not readable as TOML"),
        ("grid = [1, 2]", r"expected \[\[grid\]\] tables, found 1"),
        (GRID.replace('"mfcc13"', '["mfcc13"]'), r"features lists \['mfcc13'\]; expected names in quotes"),
        (GRID.replace('"mfcc13"', "13"), "features lists 13; expected names in quotes"),
        (GRID + "seeds = ['a']", "the seed 'a'; expected whole numbers"),
        (GRID + "seeds = [true]", "the seed True; expected whole numbers"),
        (GRID + "seeds = [-1]", "the seed -1; expected whole numbers"),
    ],
)
def test_a_suite_that_cannot_be_run_says_why(suite, text, reason):
    with pytest.raises(SerClassicError, match=reason):
        read_suite(suite(text))


def test_an_absent_suite_is_told_with_those_there_are(tmp_path):
    (tmp_path / "quick.toml").touch()
    with pytest.raises(SuiteError, match=r"there is no suite .*those in .*: quick"):
        read_suite("fast", tmp_path)


def test_select_keeps_what_is_named(suite):
    cells = read_suite(suite(GRID))
    assert select(cells, corpus=["emodb"], model=None) == cells[:2]
    with pytest.raises(SuiteError, match="no cell with model svn; they list prior, lda"):
        select(cells, model=["lda", "svn"])
    with pytest.raises(SuiteError, match="corpus tess"):
        select(cells, corpus=["tess"])


def test_absent_corpora_are_left_out_with_a_notice(suite, tmp_path):
    cells, notices = present(read_suite(suite(GRID)), tmp_path)
    assert {cell.corpus for cell in cells} == {"synthetic"}
    assert len(notices) == 1
    assert "corpora fetch emodb" in notices[0]


def test_a_corpus_of_ones_own_takes_the_place_of_the_embedded_one(suite, tmp_path):
    cells = on_own(read_suite(suite(GRID)), "mine")
    assert [cell.id for cell in cells] == ["mine--loso--mfcc13--prior--0", "mine--loso--mfcc13--lda--0"]
    assert present(cells, tmp_path, {"mine"}) == (cells, [])
    with pytest.raises(SuiteError, match="list nothing for synthetic, whose place mine would take"):
        on_own(read_suite(suite(GRID.replace(', "synthetic"', ""))), "mine")


@pytest.mark.parametrize("path", sorted(Path("benchmarks").glob("*.toml")), ids=lambda path: path.stem)
def test_the_suites_of_the_repository_can_be_read(path):
    assert read_suite(str(path))


def test_families_of_protocols_are_spelled_out(suite):
    cells = read_suite(suite(GRID.replace('"loso"', '"loso_degraded", "emobox_few", "loso"')))
    named = [cell.protocol for cell in cells if (cell.corpus, cell.model) == ("emodb", "lda")]
    assert named == [
        *(f"loso_degraded_{name}" for name in DEGRADATIONS),
        *(f"emobox_adapted_m{heard}" for heard in (0, 4, 8, 16, 32)),
        "loso",
    ]


def test_a_pair_needs_both_corpora(suite, tmp_path):
    text = GRID.replace('["emodb", "synthetic"]', '["emodb", "tess", "synthetic"]').replace("loso", "cross")
    (tmp_path / "tess").mkdir()
    cells, notices = present(read_suite(suite(text)), tmp_path, {"emodb"})
    assert {cell.corpora for cell in cells} == {("emodb", "synthetic"), ("synthetic", "emodb")}
    assert [notice.partition(":")[0] for notice in notices] == ["tess"]
