"""The chapters on training with copies and on the number of training speakers."""

import made_up_runs as made_up
import pytest
from test_plots import texts

from ser_classic.report.conditions import ALL, COPIES, degraded, degraded_chapter, speakers_chapter
from ser_classic.report.scoring import scored

SYSTEM = "pooled + svm_rbf"


def made(protocol, model="svm_rbf", skill=0.0, corpus="emodb", **conditions):
    kind = ("blind", False, skill)
    return made_up.run(corpus, protocol, "pooled", model, kind=kind, base="loso", **conditions)


@pytest.fixture(scope="module")
def runs():
    each = [
        made("loso"),
        made("loso", "knn"),
        made_up.run("emodb", "loso_adapted", "pooled", "svm_rbf"),
        made("loso_degraded_noise10", skill=-0.7, degradation="noise10"),
        made("loso_degraded_faint", skill=-0.5, degradation="faint"),
        made("loso_degraded_faint", "knn", skill=-0.5, degradation="faint"),
        made("loso_multi", copies=1),
        made("loso_multi_noise10", skill=-0.2, copies=1, degradation="noise10"),
        made("loso_speakers8", skill=-0.1, speakers=8),
        made("loso_speakers4", skill=-0.5, speakers=4),
    ]
    return scored(each, made_up.clips)


def test_each_condition_stands_with_and_without_copies(runs):
    table, _ = degraded(runs)
    table = table[table["system"].str.startswith(SYSTEM)]
    found = {(row.words, row.system): row.uar for row in table.itertuples()}
    assert set(found) == {
        *((name, SYSTEM) for name in ("clean", "noise10", "faint")),
        *((name, SYSTEM + COPIES) for name in ("clean", "noise10")),
    }
    assert list(table["words"].unique()) == ["clean", "noise10", "faint"]
    uar = runs[runs["model"] == "svm_rbf"].set_index("protocol")["uar"]
    assert found["noise10", SYSTEM] == uar["loso_degraded_noise10"]
    assert found["noise10", SYSTEM + COPIES] == uar["loso_multi_noise10"]


def test_the_chapter_tells_the_gain_and_a_dash_where_one_is_lacking(runs):
    chapter = degraded_chapter(runs)
    (table,) = chapter.tables
    assert table.headings == ("test clips", "pooled + knn", SYSTEM, f"{SYSTEM}{COPIES}", "gain")
    rows = {row[0].text: row[1:] for row in table.rows}
    for row in ("clean", "noise10"):
        assert rows[row][3].value == pytest.approx(rows[row][2].value - rows[row][1].value)
    assert rows["noise10"][3].text.startswith(("+.", "−."))
    assert rows["noise10"][0].text == "–"
    assert [cell.text for cell in rows["faint"][2:]] == ["–", "–"]
    (picture,) = chapter.pictures
    assert {f"{SYSTEM}{COPIES}", SYSTEM} <= set(texts(picture.draw()))


def test_copies_tested_on_clean_clips_alone_have_a_table_and_no_figure():
    chapter = degraded_chapter(scored([made("loso"), made("loso_multi", copies=1)], made_up.clips))
    assert [row[0].text for row in chapter.tables[0].rows] == ["clean"]
    assert not chapter.pictures


def test_the_learning_curve_ends_with_all_speakers(runs):
    chapter = speakers_chapter(runs)
    (table,) = chapter.tables
    assert [row[0].text for row in table.rows] == ["4", "8", "all"]
    (picture,) = chapter.pictures
    table = picture.draw.args[0]
    assert table["at"].tolist() == [4, 8, ALL]
    assert set(table["system"]) == {"pooled + svm_rbf"}
    assert {"4", "8", "all"} <= set(texts(picture.draw()))


def test_without_such_runs_there_is_no_chapter():
    plain = scored([made("loso"), made("loso_degraded_faint", degradation="faint")], made_up.clips)
    assert not speakers_chapter(plain)
