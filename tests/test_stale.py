"""Stale runs: a change of the tables is noticed, what is no change is not, and bench and report act on it."""

import copy
import json
import re
import shutil
from dataclasses import replace

import pandas as pd
import pytest

from ser_classic import report, store
from ser_classic.corpora import Reading, load
from ser_classic.experiment.bench import bench
from ser_classic.experiment.cells import Cell, parameters
from ser_classic.experiment.stale import differences
from ser_classic.features import FEATURES
from ser_classic.models import MODELS, REGRESSORS
from ser_classic.protocols import PROTOCOLS
from ser_classic.report.text import best_systems

CELL = Cell("tiny", "loso", "mfcc13", "knn")


def changed(monkeypatch, table, name: str, **fields) -> None:
    monkeypatch.setitem(table._built_in, name, replace(table[name], **fields))


def record(cell: Cell = CELL, **more) -> dict:
    names = {name: getattr(cell, name) for name in store.NAMES}
    said = json.loads(json.dumps(parameters(cell), default=str))
    return names | {"parameters": said, "digests": {"clips": "c"}, "versions": {"scikit-learn": "0"}} | more


def differing(told: dict, digest: str | None = "c") -> dict[str, str]:
    return differences(told, lambda corpus: digest)


@pytest.mark.parametrize("model", MODELS)
def test_a_run_of_today_is_current(model):
    if MODELS[model].extra:
        pytest.importorskip("torch")
    told = record(replace(CELL, model=model))
    assert differing(told) == {}
    assert differing(told | {"versions": record()["versions"]}) == {}


def test_another_version_of_a_feature_set(monkeypatch):
    told = record()
    changed(monkeypatch, FEATURES, "mfcc13", version=2)
    assert differing(told) == {"features.version": "1, now 2"}


@pytest.mark.parametrize(
    ("table", "name", "fields", "what"),
    [
        (FEATURES, "mfcc13", {"sample_rate": 8000}, "features.sample_rate"),
        (MODELS, "knn", {"grid": {"n_neighbors": (1, 3)}}, "model.grid.n_neighbors"),
        (MODELS, "knn", {"scale": False}, "model.scale"),
        (MODELS, "knn", {"version": 2}, "model.version"),
        (PROTOCOLS, "loso", {"track": "adapted"}, "protocol.track"),
        (PROTOCOLS, "loso_adapted", {"heard": 4}, "protocol.heard"),
        (PROTOCOLS, "loso", {"version": 2}, "protocol.version"),
    ],
)
def test_other_tables(monkeypatch, table, name, fields, what):
    told = record(replace(CELL, protocol=name) if table is PROTOCOLS else CELL)
    changed(monkeypatch, table, name, **fields)
    assert list(differing(told)) == [what]


def test_other_clips_and_an_entry_that_is_gone():
    assert differing(record(), "d") == {"clips": "tiny changed"}
    assert differing(record(), None) == {}
    assert differing(record() | {"features": "mfcc31"}).keys() == {"features"}
    cross = record(
        replace(CELL, protocol="cross_from_emodb"), digests={"clips": "c", "trained_clips": {"emodb": "t"}}
    )
    assert differing(cross) == {"trained_clips": "emodb changed"}


def test_fields_that_older_records_lack_are_what_was_meant():
    told = record()
    older = copy.deepcopy(told)
    del older["parameters"]["model"]["version"], older["parameters"]["protocol"]["version"]
    assert differing(older) == {}
    older["parameters"]["protocol"] |= {"trained_on": None, "heard": None, "degradation": None}
    assert differing(older) == {}
    del older["parameters"]["model"]
    assert differing(older) == {}
    assert differing({name: told[name] for name in store.NAMES}) == {}


def test_what_is_no_change_of_the_tables(monkeypatch):
    told = record(replace(CELL, protocol="loso_degraded_opus"))
    told["parameters"]["protocol"]["title"] = "in other words"
    told["parameters"]["protocol"]["degraded_by"] = "opus.1.libsndfile-0.9"
    assert differing(told) == {}
    told["parameters"]["protocol"]["degraded_by"] = "opus.2.libsndfile-0.9"
    assert list(differing(told)) == ["protocol.degraded_by"]


def test_what_a_library_sets_by_itself_is_no_change_but_what_the_table_states_is():
    told = record()
    given = told["parameters"]["model"]["parameters"]
    given |= {"metric": "cosine", "a_name_of_old": 1}
    assert differing(told) == {}
    given["weights"] = "uniform"
    assert list(differing(told)) == ["model.parameters.weights"]


def test_what_a_model_sets_of_a_part_is_stated_as_the_record_has_it():
    stated = REGRESSORS["svr"].stated()["parameters"]
    assert stated == {"regressor__C": 1.0, "regressor__epsilon": 0.1}
    assert stated.items() <= REGRESSORS["svr"].parameters()["parameters"].items()


def test_bench_repeats_stale_runs_unless_told_to_keep_them(tiny, cache, tmp_path, monkeypatch, caplog):
    cells = [CELL, replace(CELL, model="prior")]

    def run(**more):
        return bench(cells, tmp_path, cache=cache, own={"tiny": tiny}, **more)

    run()
    assert run().kept == [cell.id for cell in cells]
    changed(monkeypatch, MODELS, "knn", grid={"n_neighbors": (1, 3)})
    kept = run(keep_stale=True)
    assert (kept.done, kept.stale, len(kept.kept)) == ([], [CELL.id], 2)
    assert "(model.grid.n_neighbors 1)" in caplog.text
    again = run()
    assert (again.done, again.stale, again.kept) == ([CELL.id], [], [cells[1].id])
    assert "--keep-stale" in caplog.text
    assert len(run().kept) == 2


def test_runs_of_a_manifest_edited_since_are_repeated(tiny, cache, tmp_path):
    cell, other = replace(CELL, model="lda"), replace(CELL, model="prior")
    bench([cell, other], tmp_path, cache=cache, own={"tiny": tiny})
    speakers = tiny.clips["speaker"].replace("tiny/s04", "tiny/s03")
    edited = tiny._replace(clips=tiny.clips.assign(speaker=speakers))
    kept = bench([cell], tmp_path, cache=cache, own={"tiny": edited}, keep_stale=True)
    assert kept.stale == [cell.id]
    refused = bench([replace(cell, seed=1)], tmp_path, cache=cache, own={"tiny": edited}, keep_stale=True)
    assert "tiny" in refused.problems[0]
    store.write_clips(tmp_path, "tiny", edited.clips, replace=True)  # and before the first is repeated,
    report.write(tmp_path, figures=False)
    assert "No run" in (tmp_path / "leaderboard.md").read_text()
    again = bench([cell], tmp_path, cache=cache, own={"tiny": edited})
    assert (again.done, again.problems) == ([cell.id], [])
    told: list[str] = []
    board = report.write(tmp_path, told.append, figures=False)[0].set_index("model")
    assert not board.at["lda", "stale"]
    assert board.at["lda", "speakers"] == 3
    assert board.at["prior", "stale"].startswith("clips: tiny")
    assert pd.isna(board.at["prior", "uar"])
    assert len(told) == 1
    assert re.match(r"1 of 2 runs .*\(clips 1\)", told[0])


def test_runs_are_current_again_once_their_corpus_is_read_as_before(tiny, cache, tmp_path):
    def run(clips):
        done = bench([CELL], tmp_path, cache=cache, own={"tiny": tiny._replace(clips=clips)})
        return done, report.write(tmp_path, figures=False)[0].iloc[0]["stale"]

    run(tiny.clips)
    failed, stale = run(tiny.clips.assign(speaker=None))
    assert (bool(failed.failed), stale) == (True, "")  # that no run could be made of it changes nothing
    store.write_clips(tmp_path, "tiny", tiny.clips.assign(speaker=None), replace=True)
    assert report.write(tmp_path, figures=False)[0].iloc[0]["stale"]
    done, stale = run(tiny.clips)
    assert (done.kept, stale) == ([CELL.id], "")


def test_runs_on_another_channel_are_repeated_and_never_ranked_together(own_folder, cache, tmp_path):
    other = replace(CELL, model="prior")
    for channel, cells in ((None, [CELL, other]), (0, [CELL]), (None, [CELL])):
        heard = load(own_folder, reading=Reading(speaker=r"/(s\d\d)_", channel=channel))
        for done in ([cell.id for cell in cells], []):
            assert bench(cells, tmp_path, cache=cache, own={"tiny": heard}).done == done
        board = report.write(tmp_path, figures=False)[0].set_index("model")
        assert board.at["prior", "stale"] == ("" if channel is None else "clips: tiny changed")


def test_runs_of_recordings_replaced_since_are_repeated(own_folder, cache, tmp_path):
    folder = tmp_path / "mine"
    shutil.copytree(own_folder, folder)

    def run():
        return bench(
            [replace(CELL, corpus="mine")],
            tmp_path / "results",
            cache=cache,
            own={"mine": load(folder, reading=Reading(speaker=r"/(s\d\d)_"))},
        )

    assert len(run().done) == 1
    assert len(run().kept) == 1
    shutil.copy(folder / "angry" / "s01_t1_1.wav", folder / "sad" / "s01_t1_1.wav")
    assert len(run().done) == 1
    assert len(run().kept) == 1


def test_what_a_model_that_cannot_be_made_any_more_ran_before_is_current(monkeypatch):
    told = record()
    changed(monkeypatch, MODELS, "knn", estimator=lambda seed: 1 / 0)
    assert differing(told) == {}


def test_an_incomplete_corpus_makes_nothing_stale(tiny, cache, tmp_path):
    bench([CELL], tmp_path, cache=cache, own={"tiny": tiny})
    half = tiny._replace(clips=tiny.clips[::2], corpus=replace(tiny.corpus, clips=48))
    outcome = bench([CELL, replace(CELL, model="prior")], tmp_path, cache=cache, own={"tiny": half})
    assert outcome.kept == [CELL.id]
    assert re.search("its 24 clips .* Complete the corpus", outcome.problems[0])


def test_a_cell_that_cannot_be_started_does_not_take_the_place_of_a_finished_run(
    tiny, cache, tmp_path, monkeypatch
):
    bench([CELL], tmp_path, cache=cache, own={"tiny": tiny})
    changed(monkeypatch, FEATURES, "mfcc13", version=2)
    gone = tiny._replace(root=tmp_path / "gone")
    outcome = bench([CELL], tmp_path, cache=tmp_path / "cache", own={"tiny": gone})
    assert outcome.failed == [CELL.id]
    (run,) = store.runs(tmp_path)
    assert run.ok


def test_a_cell_that_fails_does_not_take_the_place_of_a_finished_run(tiny, cache, tmp_path, monkeypatch):
    bench([CELL], tmp_path, cache=cache, own={"tiny": tiny})
    changed(monkeypatch, MODELS, "knn", grid={"n_neighbors": ("none",)})
    outcome = bench([CELL], tmp_path, cache=cache, own={"tiny": tiny}, again=True)
    assert outcome.failed == [CELL.id]
    assert "fold s01" in outcome.problems[0]
    (run,) = store.runs(tmp_path)
    assert len(run.predictions()) == len(tiny.clips)


def test_a_stale_run_is_marked_and_never_ranked_or_best(tiny, cache, tmp_path, monkeypatch):
    cells = [CELL, replace(CELL, model="prior"), replace(CELL, protocol="random5")]
    bench(cells, tmp_path, cache=cache, own={"tiny": tiny})
    changed(monkeypatch, MODELS, "knn", version=2)
    board, _ = report.write(tmp_path, [].append)
    assert not board["stale"][0]
    assert board["stale"].tolist()[1:] == ["model.version: 1, now 2"] * 2
    text = (tmp_path / "leaderboard.md").read_text()
    assert "| **1** | **mfcc13** | **prior** |" in text
    assert "| stale | mfcc13 | knn |" in text
    assert "- stale: mfcc13 + knn (loso): model.version: 1, now 2" in text
    assert "leak premium" not in text
    assert "knn" not in best_systems(report.systems(board)).markdown()
    page = (tmp_path / "leaderboard.html").read_text()
    assert '<abbr title="model.version: 1, now 2">stale</abbr>' in page
    assert "3 runs, 0 of them failed, 2 stale" in page
