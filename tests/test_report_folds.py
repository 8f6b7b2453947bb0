"""The table of published folds that leak: in the report, and in the documentation."""

from pathlib import Path

import pandas as pd

from ser_classic.report.literature import fold_leaks, folds_chapter

DOCS = Path(__file__).parents[1] / "docs" / "corpora.md"


def test_the_table_adds_up():
    table = fold_leaks()
    assert table["verdict"].value_counts().to_dict() == {"leak": 19, "disjoint": 11, "unknown": 2}
    told = table[table["also_trained"].notna()]
    assert ((told["also_trained"] > 0) == (told["verdict"] == "leak")).all()
    assert ((told["share_of_test_clips"] > 0) == (told["verdict"] == "leak")).all()
    assert (told["also_trained"] <= told["test_speakers"]).all()
    assert (told["test_speakers"] <= told["speakers"]).all()


def test_the_chapter_stands_where_published_folds_were_run():
    assert not folds_chapter(pd.DataFrame({"base": ["loso"]}))
    chapter = folds_chapter(pd.DataFrame({"base": ["emobox"]}))
    assert len(chapter.tables[0].rows) == 32
    assert "| meld | 1 | 13706 | 304 | 100 | 69 | leak |" in chapter.markdown()
    assert "19" in chapter.about


def test_the_documentation_has_the_same_rows():
    text = DOCS.read_text(encoding="utf-8")
    for row in fold_leaks().to_dict("records"):
        assert f"| {row['corpus']} | {row['folds']} | {row['clips']} |" in text
