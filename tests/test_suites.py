"""Suites: products of names, and clear errors for what cannot be run."""

from collections import Counter
from pathlib import Path

import pytest

from ser_classic.degradations import DEGRADATIONS
from ser_classic.errors import SerClassicError
from ser_classic.experiment.cells import Cell
from ser_classic.experiment.suites import (
    SUITES,
    on_own_corpus,
    parse_shard,
    read_suite,
    runnable,
    select,
    shard_of,
)

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


def test_a_grid_is_the_product_of_its_lists_and_seeds_and_overlaps_count_once(suite):
    cells = read_suite(suite(GRID))
    assert cells == [
        Cell(corpus, "loso", "mfcc13", model)
        for corpus in ("emodb", "synthetic")
        for model in ("prior", "lda")
    ]
    cells = read_suite(suite(GRID + "seeds = [0, 1]\n" + GRID))
    assert len(cells) == 8


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("grid = 3", "s.toml: "),
        ("[[grid]]\ncorpora = ['emodb']", "s.toml: .*features"),
        (GRID + "folds = [1]", "folds"),
        (GRID.replace('["mfcc13"]', "[]"), "s.toml: .*features"),
        (GRID.replace('["mfcc13"]', '"mfcc13"'), "s.toml: .*features"),
        (GRID.replace("mfcc13", "mfcc31"), "'mfcc13'"),
        (GRID + "[other]", "other"),
        ("[[grid", "s.toml: .*TOML"),
        ("grid = [1, 2]", r"\[\[grid\]\].* 1"),
        (GRID.replace('"mfcc13"', '["mfcc13"]'), r"features .*\['mfcc13'\]"),
        (GRID.replace('"mfcc13"', "13"), "features .*13"),
        (GRID.replace("loso", "crosss"), "'crosss'.*'cross'"),
        (GRID.replace("loso", "loso_few_"), "'loso_few_'.*'loso_few'"),
        (GRID.replace("loso", "cross").replace(', "synthetic"', ""), "cross .*emodb"),
        (GRID.replace("loso", "cross").replace("synthetic", "ravdess4"), "ravdess4"),
        (GRID + "seeds = ['a']", r"seeds .*\['a'\]"),
        (GRID + "seeds = [true]", "seeds .*True"),
        (GRID + "seeds = [-1]", "seeds .*-1"),
    ],
)
def test_a_suite_that_cannot_be_run_says_why(suite, text, reason):
    with pytest.raises(SerClassicError, match=reason):
        read_suite(suite(text))


@pytest.mark.parametrize(
    ("named", "reason"),
    [
        ("quik", "'quik'.*'quick'"),
        ("folder", "'folder'.*quick"),
        ("./folder", "'./folder'.*quick"),
        ("my.toml", "my.toml: .*quick"),
    ],
)
def test_what_is_no_suite_is_told_with_those_there_are(tmp_path, monkeypatch, named, reason):
    monkeypatch.chdir(tmp_path)
    Path("folder").mkdir()
    with pytest.raises(SerClassicError, match=reason):
        read_suite(named)


def test_select_keeps_what_is_named(suite):
    cells = read_suite(suite(GRID))
    assert select(cells, corpus=["emodb"], model=None) == cells[:2]
    with pytest.raises(SerClassicError, match=r"model: .*'svn'.* prior, lda"):
        select(cells, model=["lda", "svn"])
    with pytest.raises(SerClassicError, match=r"corpus: .*'tess'"):
        select(cells, corpus=["tess"])


@pytest.mark.parametrize("suite", ["classic", "quick", "flagship"])
@pytest.mark.parametrize("count", [1, 3, 8, 100])
def test_every_cell_is_in_exactly_one_shard(suite, count):
    cells = read_suite(suite)
    parts = [shard_of(cells, number, count) for number in range(1, count + 1)]
    assert sorted(cell for part in parts for cell in part) == sorted(cells)
    assert max(map(len, parts)) - min(map(len, parts)) <= 1
    assert all(part == [cell for cell in cells if cell in set(part)] for part in parts[:8])


def test_a_shard_does_not_hang_on_the_order_of_cells_and_has_its_share_of_every_model():
    cells = read_suite("classic")
    assert set(shard_of(cells, 2, 8)) == set(shard_of(cells[::-1], 2, 8))
    cells = read_suite("classic")
    for number in range(1, 9):
        count = Counter(cell.model for cell in shard_of(cells, number, 8))
        of_all = Counter(cell.model for cell in cells)
        assert all(abs(count[model] - of_all[model] / 8) < 2 for model in of_all)


def test_shards_are_read_as_one_of_how_many():
    assert parse_shard("2/8") == (2, 8)
    assert parse_shard("8/8") == (8, 8)


@pytest.mark.parametrize(
    "text", ["0/8", "9/8", "2", "2/", "/8", "-1/8", "2/0", "2 / 8", "a/b", "1/2/3", "", "²/8", "2/8\n"]
)
def test_what_is_no_shard_is_refused(text):
    with pytest.raises(SerClassicError, match="1/8 to 8/8"):
        parse_shard(text)


def test_absent_corpora_are_left_out_with_a_notice(suite, tmp_path):
    cells, notices = runnable(read_suite(suite(GRID)), {}, tmp_path)
    assert {cell.corpus for cell in cells} == {"synthetic"}
    assert len(notices) == 1
    assert "corpora fetch emodb" in notices[0]


def test_a_corpus_of_ones_own_takes_the_place_of_the_embedded_one(suite, tmp_path):
    cells = on_own_corpus(read_suite(suite(GRID)), "mine")
    assert [cell.id for cell in cells] == ["mine--loso--mfcc13--prior--0", "mine--loso--mfcc13--lda--0"]
    assert runnable(cells, {"mine": None}, tmp_path) == (cells, [])
    with pytest.raises(SerClassicError, match=r"synthetic.* mine"):
        on_own_corpus(read_suite(suite(GRID.replace(', "synthetic"', ""))), "mine")


def test_a_corpus_of_ones_own_may_have_folds_of_its_own(suite):
    cells = on_own_corpus(read_suite(suite(GRID)), "mine", ["sessions", "random5"])
    assert {cell.id.removesuffix("--0") for cell in cells} == {
        f"mine--{protocol}--mfcc13--{model}"
        for protocol in ("sessions", "random5")
        for model in ("prior", "lda")
    }
    with pytest.raises(SerClassicError, match="'session'"):
        on_own_corpus(read_suite(suite(GRID)), "mine", ["session"])


@pytest.mark.parametrize("name", SUITES)
def test_the_suites_of_the_package_can_be_read_in_any_folder(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert read_suite(name)


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
    cells, notices = runnable(read_suite(suite(text)), {"emodb": None}, tmp_path)
    assert {cell.corpora for cell in cells} == {("emodb", "synthetic"), ("synthetic", "emodb")}
    assert [notice.partition(":")[0] for notice in notices] == ["tess"]
