"""Special tests in the report: other corpora, few clips or speakers, degraded clips, training with copies."""

import json
from dataclasses import replace

import made_up_runs as made_up
import numpy as np
import pandas as pd
import pytest
from test_plots import texts

from ser_classic import report, store
from ser_classic.degradations import DEGRADATIONS
from ser_classic.protocols import PROTOCOLS
from ser_classic.report.board import scored, to_csv
from ser_classic.report.conditions import (
    ALL,
    BLIND,
    COPIES,
    beside_ordinary,
    cross_chapter,
    crossings,
    degraded,
    degraded_chapter,
    few_chapter,
    speakers_chapter,
)
from ser_classic.report.leak import leak_chapter, leak_premium
from ser_classic.report.literature import published_chapter, recipes_chapter
from ser_classic.report.overview import networks_chapter
from ser_classic.report.page import section_of
from ser_classic.report.text import Chapter
from ser_classic.report.write import CHAPTERS
from ser_classic.tables import Table, share

SHARED = "neutral happy sad angry fear disgust"
CELL = ("pooled", "svm_rbf")
SYSTEM = " + ".join(CELL)


def special(protocol, model="svm_rbf", corpus="emodb", track="blind", skill=0.0, **conditions):
    kind = (track, False, skill)
    return made_up.run(corpus, protocol, "pooled", model, kind=kind, **{"base": "loso", **conditions})


def crossed(trained, tested, track="blind"):
    base, ending = f"cross_from_{trained}", "_adapted" if track == "adapted" else ""
    told = {"emotions": SHARED, "base": base, "trained_on": [trained]}
    return special(base + ending, "svm_rbf", tested, track, -0.6, **told)


def few(corpus, heard, model="svm_rbf"):
    return special(f"loso_adapted_m{heard}", model, corpus, "adapted", 0.01 * heard, heard=heard)


def spoilt(corpus, name, model="svm_rbf"):
    return special(f"loso_degraded_{name}", model, corpus, skill=-0.7, degradation=name)


def uar_of(runs):
    return {run.record["id"]: uar for run, uar in zip(runs["run"], runs["uar"], strict=True)}


@pytest.fixture(scope="module")
def crossing_runs():
    made = [crossed("emodb", "tess"), crossed("tess", "emodb"), crossed("tess", "emodb", "adapted")]
    made += [
        made_up.run(corpus, protocol, *CELL)
        for corpus in ("emodb", "tess")
        for protocol in ("loso", "random5")
    ]
    made.append(made_up.run("emodb", "loso_adapted", *CELL))
    made.append(made_up.run("emodb", "loso", "pooled", "knn"))  # never crossed: stands in no matrix
    made.append(made_up.run("ravdess", "loso", *CELL))
    return scored(made, made_up.clips)


@pytest.fixture(scope="module")
def few_runs():
    made = [few(corpus, heard) for corpus in ("emodb", "tess") for heard in (8, 0, 16)]
    made += [
        made_up.run(corpus, f"loso{ending}", *CELL)
        for corpus in ("emodb", "tess")
        for ending in ("", "_adapted")
    ]
    made += [few("emodb", 8, "knn"), made_up.run("emodb", "random5", *CELL)]
    return scored(made, made_up.clips)


@pytest.fixture(scope="module")
def degraded_runs():
    made = [spoilt("emodb", name) for name in DEGRADATIONS]
    made += [spoilt("emodb", "opus", "knn"), spoilt("tess", "opus"), spoilt("tess", "rain")]
    made.append(spoilt("emodb", "opus", "xgboost"))  # without a clean run, and without noise
    made += [made_up.run("emodb", "loso", "pooled", model) for model in ("svm_rbf", "knn", "mlp")]
    return scored(made, made_up.clips)


def test_crossings_stand_beside_the_same_system_within_each_corpus(crossing_runs):
    table = crossings(crossing_runs).set_index(["trained", "tested", "track"])
    uar = uar_of(crossing_runs)
    assert len(table) == 3 + 3
    there = table.loc["tess", "emodb", "adapted"]
    assert there["uar"] == uar["emodb--cross_from_tess_adapted--pooled--svm_rbf--0"]
    assert (there["classes"], bool(there["within"])) == (6, False)
    home = table.loc["emodb", "emodb", "blind"]
    assert home["uar"] == uar["emodb--loso--pooled--svm_rbf--0"]
    assert (home["classes"], bool(home["within"])) == (7, True)
    assert set(table["system"]) == {"pooled + svm_rbf"}
    assert "ravdess" not in table.index.get_level_values("tested")
    assert np.isnan(table.loc["emodb", "tess", "blind"]["low"]), "no interval for two speakers"
    assert home["low"] < home["uar"] < home["high"]


def test_crossings_in_words(crossing_runs):
    text = cross_chapter(crossing_runs).markdown()
    uar = uar_of(crossing_runs)
    emodb, across = (
        share(uar[name])
        for name in ("emodb--loso--pooled--svm_rbf--0", "emodb--cross_from_tess--pooled--svm_rbf--0")
    )
    assert f"\n| emodb | tess | 6 | {across} (" in text
    assert f"\n| emodb | itself | 7 | {emodb} (" in text


def test_crossings_are_drawn_with_their_emotions_and_the_diagonal_framed(crossing_runs):
    (picture,) = cross_chapter(crossing_runs).pictures
    said = texts(picture.draw())
    assert (said.count("6 emotions"), said.count("7 emotions")) == (3, 3)
    assert {"blind", "adapted", "trained on", "tested on"} <= set(said)
    framed = [patch for ax in picture.draw().axes for patch in ax.patches if not patch.get_fill()]
    assert len(framed) == 3


def test_a_curve_runs_from_blind_over_few_clips_to_all(few_runs):
    chapter = few_chapter(few_runs)
    table = chapter.pictures[0].draw.args[0]
    line = table[(table["corpus"] == "emodb") & (table["system"] == "pooled + svm_rbf")]
    uar = uar_of(few_runs)
    assert line["at"].tolist() == [BLIND, 0, 8, 16, ALL]
    cells = ("loso", "loso_adapted_m0", "loso_adapted_m8", "loso_adapted_m16", "loso_adapted")
    assert line["uar"].tolist() == [uar[f"emodb--{name}--pooled--svm_rbf--0"] for name in cells]
    assert table.loc[table["system"] == "pooled + knn", "at"].tolist() == [8]
    text = chapter.markdown()
    assert text.index("| blind |") < text.index("| 0 |") < text.index("| 8 |") < text.index("| all (54) |")
    assert "### tess, loso" in text
    assert " | – |" in text, "what did not run is a dash"


def test_several_corpora_to_train_on_are_listed_with_what_they_are(crossing_runs):
    base = "leave_one_corpus_out_4"
    told = {"base": base, "trained_on": ["tess", "ravdess"]}
    several = [special(base, **told), special(f"{base}_multi", copies=2, **told)]
    runs = pd.concat([crossing_runs, scored(several, made_up.clips)])
    chapter = cross_chapter(runs)
    text = chapter.markdown()
    assert f"\n| emodb | {base} | 7 |" in text
    assert f"\n| emodb | {base}{COPIES} | 7 |" in text
    assert f"\n| {base}" not in text
    assert f"{base}: {PROTOCOLS[base].title}." in chapter.about
    assert f"{base}{COPIES}: {PROTOCOLS[f'{base}_multi'].title}." in chapter.about


def test_a_condition_stands_beside_the_ordinary_runs_of_its_systems_alone(degraded_runs):
    table, _ = beside_ordinary(degraded_runs, "heard")
    assert not len(table)


def test_the_curve_is_drawn_apart_from_the_blind_point(few_runs):
    (picture,) = few_chapter(few_runs).pictures
    said = texts(picture.draw())
    assert {"emodb", "tess", "blind", "0", "16", "pooled + svm_rbf"} <= set(said)
    emodb = picture.draw().axes[0]
    lengths = sorted(len(line.get_xdata()) for line in emodb.lines if line.get_linestyle() == "-")
    assert lengths[-1] == 4


def test_degraded_clips_stand_beside_the_clean_ones(degraded_runs):
    table, _ = degraded(degraded_runs)
    emodb = table[table["corpus"] == "emodb"]
    assert list(dict.fromkeys(emodb["words"])) == ["clean", *DEGRADATIONS]
    assert set(emodb.loc[emodb["words"] == "clean", "system"]) == {"pooled + svm_rbf", "pooled + knn"}
    assert table.loc[table["corpus"] == "tess", "words"].tolist() == ["opus", "rain"]
    chapter = degraded_chapter(degraded_runs)
    assert "noise20 (white noise, 20 dB)" in chapter.about
    text = chapter.markdown()
    uar = uar_of(degraded_runs)["emodb--loso_degraded_mp3--pooled--svm_rbf--0"]
    (row,) = [line for line in text.splitlines() if line.startswith("| mp3 |")]
    assert f"| {share(uar, 2)} (" in row


def test_noise_is_a_curve_and_the_others_are_points(degraded_runs):
    (picture,) = degraded_chapter(degraded_runs).pictures
    emodb, tess = picture.draw().axes
    names = [[tick.get_text() for tick in ax.get_xticklabels()] for ax in (emodb, tess)]
    assert names == [["clean", *DEGRADATIONS], ["opus", "rain"]]
    drawn = {style: [] for style in ("-", "None")}
    for line in emodb.lines:
        if line.get_marker() != "None":
            drawn[line.get_linestyle()].append(np.rint(line.get_xdata()).tolist())
    assert max(drawn["-"], key=len) == [0, 1, 2, 3]
    assert max(drawn["None"], key=len) == list(range(4, 1 + len(DEGRADATIONS)))


@pytest.fixture(scope="module")
def runs_with_copies():
    made = [
        special("loso"),
        special("loso", "knn"),
        made_up.run("emodb", "loso_adapted", *CELL),
        *(spoilt("emodb", *cell) for cell in (("noise10",), ("faint",), ("faint", "knn"))),
        special("loso_multi", copies=1),
        special("loso_multi_noise10", skill=-0.2, copies=1, degradation="noise10"),
        special("loso_speakers8", skill=-0.1, speakers=8),
        special("loso_speakers4", skill=-0.5, speakers=4),
    ]
    return scored(made, made_up.clips)


def test_each_condition_stands_with_and_without_copies(runs_with_copies):
    table, _ = degraded(runs_with_copies)
    table = table[table["system"].str.startswith(SYSTEM)]
    uar = runs_with_copies[runs_with_copies["model"] == "svm_rbf"].set_index("protocol")["uar"]
    assert table.set_index(["words", "system"])["uar"].to_dict() == {
        ("clean", SYSTEM): uar["loso"],
        ("clean", SYSTEM + COPIES): uar["loso_multi"],
        ("noise10", SYSTEM): uar["loso_degraded_noise10"],
        ("noise10", SYSTEM + COPIES): uar["loso_multi_noise10"],
        ("faint", SYSTEM): uar["loso_degraded_faint"],
    }
    assert list(table["words"].unique()) == ["clean", "noise10", "faint"]


def test_the_chapter_tells_the_gain_and_a_dash_where_one_is_lacking(runs_with_copies):
    chapter = degraded_chapter(runs_with_copies)
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
    runs = scored([special("loso"), special("loso_multi", copies=1)], made_up.clips)
    chapter = degraded_chapter(runs)
    assert [row[0].text for row in chapter.tables[0].rows] == ["clean"]
    assert not chapter.pictures


def test_the_learning_curve_ends_with_all_speakers(runs_with_copies):
    chapter = speakers_chapter(runs_with_copies)
    (table,) = chapter.tables
    assert [row[0].text for row in table.rows] == ["4", "8", "all"]
    (picture,) = chapter.pictures
    table = picture.draw.args[0]
    assert table["at"].tolist() == [4, 8, ALL]
    assert set(table["system"]) == {SYSTEM}
    assert {"4", "8", "all"} <= set(texts(picture.draw()))


def test_without_such_runs_there_is_no_chapter():
    runs = scored([special("loso")], made_up.clips)
    special_tests = (cross_chapter, few_chapter, degraded_chapter, speakers_chapter)
    for make in (*special_tests, networks_chapter, recipes_chapter):
        assert not make(runs)
    assert not speakers_chapter(scored([special("loso"), spoilt("emodb", "faint")], made_up.clips))


def test_failed_runs_are_named_and_escaped():
    made = made_up.failed("emodb", "loso", *CELL, "ValueError: <b>too | short</b>\nmore")
    record = made.record | {"protocol": "loso_degraded_opus", "degradation": "opus"}
    runs = scored([made_up.MadeUp(record, made.table)], made_up.clips)
    chapter = degraded_chapter(runs)
    text = chapter.markdown()
    assert "- failed: emodb, loso_degraded_opus, pooled + svm_rbf: ValueError: &lt;b>too \\| short" in text
    assert "more" not in text.partition("failed")[2]
    assert "&lt;b&gt;too | short" in section_of(chapter).markup


def test_a_chapter_escapes_its_text():
    markup = section_of(
        Chapter("name", "Title", "about < this", (Table(("<i>",), (("<b>",),), "a & b"),))
    ).markup
    assert "<b>" not in markup
    assert "a &amp; b" in markup
    assert "about &lt; this" in markup


def test_the_report_has_every_chapter_that_there_is(tmp_path, degraded_runs, few_runs):
    for corpus in ("emodb", "tess"):
        store.write_clips(tmp_path, corpus, made_up.clips(corpus))
    runs = pd.concat([degraded_runs, few_runs]).groupby("test").head(3)["run"]
    for run in runs:
        record = {"schema": store.SCHEMA, "digests": {"clips": ""}, **run.record}
        store.write_run(tmp_path, record, run.predictions())
    report.write(tmp_path)
    text = (tmp_path / "leaderboard.md").read_text()
    page = (tmp_path / "leaderboard.html").read_text()
    assert "### emodb, loso\n" in text
    assert page.index('<section id="adaptation">') < page.index('<section id="degraded">')
    assert 'id="cross"' not in page
    for name in ("degraded", "adaptation"):
        assert f'<section id="{name}">' in page
        assert f'<a href="#{name}">' in page
    assert (tmp_path / "figures" / "degraded.svg").exists()


def as_sessions(made):
    """The same run under a protocol that a plug-in brings, which gives the very same folds."""
    facts = {name: made.record[name].replace("loso", "sessions") for name in ("id", "protocol", "base")}
    return replace(made, record=made.record | facts)


def test_a_protocol_of_a_plug_in_stands_wherever_a_built_in_one_does():
    """Name by name the same figures, rows of the leak premium and chapters."""
    made = [*made_up.grid(("emodb",)), few("emodb", 8), spoilt("emodb", "opus"), crossed("tess", "emodb")]
    said = []
    for each in (made, list(map(as_sessions, made))):
        runs = scored(each, made_up.clips)
        premium = leak_premium(runs)
        chapters = [
            leak_chapter(premium),
            *(make(runs) for make in CHAPTERS if make is not published_chapter),
        ]
        texts = [chapter.markdown() for chapter in chapters if chapter]
        drawn = [
            (picture.name, picture.caption) for chapter in chapters if chapter for picture in chapter.pictures
        ]
        said.append(json.dumps([to_csv(premium, [*premium]), *texts, *drawn]))
    assert len(said[0]) > 5000
    assert "loso" not in said[1]
    assert said[0].replace("loso", "sessions") == said[1]
