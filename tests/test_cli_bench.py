"""`bench` and `report` on the command line: what they print, write and answer."""

import re
import signal
from pathlib import Path

import pytest

from ser_classic.features import FEATURES

SUITE = """
[[grid]]
corpora = ["synthetic"]
protocols = ["loso"]
features = ["mfcc13"]
models = ["prior", "ridge"]
"""


@pytest.fixture(autouse=True)
def suite(tmp_path: Path) -> None:
    (tmp_path / "s.toml").write_text(SUITE)


@pytest.mark.drawn
def test_own_recordings_from_bench_to_report(ser, own_folder, tmp_path):
    own = ("bench", "s.toml", "--own", own_folder, "--speaker", r"/(s\d\d)_", "--jobs", "2")
    first = ser(*own)
    assert (first.returncode, first.stderr) == (0, "")
    counts, *_, heading, best, where = first.stdout.splitlines()
    assert counts == "2 runs done, 0 kept, 0 failed"
    assert (heading.split()[:3], best.split()[:2]) == (["corpus", "track", "UAR"], ["tiny", "blind"])
    assert where == "leaderboard: results/leaderboard.md"
    for name in ("leaderboard.csv", "leaderboard.md", "leaderboard.html", "clips/tiny.csv"):
        assert (tmp_path / "results" / name).is_file()
    written = (tmp_path / "results" / "leaderboard.md").stat().st_mtime_ns
    second = ser(*own)
    assert second.stdout.startswith("0 runs done, 2 kept, 0 failed\n")
    assert (tmp_path / "results" / "leaderboard.md").stat().st_mtime_ns == written
    shown = ser("report")
    assert "ridge" in shown.stdout
    assert max(map(len, shown.stdout.splitlines())) <= 80
    *_, title, heading, best = shown.stdout.splitlines()
    assert title.strip().startswith("The best systems")
    assert heading.split()[:3] == ["corpus", "track", "UAR"]
    assert best.split()[:2] == ["tiny", "blind"]
    (tmp_path / "results" / "runs" / "foreign").mkdir()
    told = ser("report")
    assert told.returncode == 0
    assert "foreign: " in told.stderr


def test_shards_share_the_cells(ser, own_folder, tmp_path):
    own = ("bench", "s.toml", "--own", own_folder, "--speaker", r"/(s\d\d)_", "--jobs", "1")
    told = [ser(*own, "--shard", f"{number}/3") for number in (1, 2, 3)]
    assert [done.stdout.split()[0] for done in told] == ["1", "1", "0"]
    assert [(done.returncode, done.stderr) for done in told] == [(0, "")] * 3
    assert ser(*own).stdout.startswith("0 runs done, 2 kept, 0 failed\n")


def test_what_folds_took_is_logged_where_it_is_asked_for(ser, own_folder, tmp_path):
    (tmp_path / "s.toml").write_text(SUITE.replace("ridge", "lda"))
    told = ser("bench", "s.toml", "--own", own_folder, "--speaker", r"/(s\d\d)_", "--model", "lda", "-v")
    lines = told.stderr.splitlines()
    assert len(lines) == 4, told.stderr
    for line in lines:
        assert re.search(
            r"^[\d:]{8} tiny--loso--mfcc13--lda--0: fold s0\d: fitted in [\d.]+ s; shrinkage", line
        )


def test_ctrl_c_keeps_what_is_finished_and_the_same_command_goes_on(start, stuck, own_folder, tmp_path):
    (tmp_path / "s.toml").write_text(SUITE.replace('"ridge"', '"ridge", "stuck", "lda"'))
    words = ["bench", "s.toml", "--own", own_folder, "--speaker", r"/(s\d\d)_", "--jobs", "1"]
    process = start("-m", "ser_classic", *words, PYTHONPATH=str(stuck))
    process.until("plug_in/begun")
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=300)
    assert process.returncode == 130
    assert len(told.splitlines()) == 1
    assert len(list(tmp_path.glob("results/runs/[!.]*/run.json"))) == 2
    (stuck / "go").touch()
    told, _ = start("-m", "ser_classic", *words, PYTHONPATH=str(stuck)).communicate()
    assert told.startswith("2 runs done, 2 kept, 0 failed\n")


@pytest.mark.parametrize(
    ("words", "code", "reason"),
    [
        (("bench", "nothing"), 1, "nothing"),
        (("bench", "s.toml", "--model", "svm"), 1, "'svm'"),
        (("bench", "s.toml", "--map", "a=b"), 2, "--own"),
        (("bench", "s.toml", "--own", "absent.csv"), 1, "absent.csv"),
        (("bench", "s.toml", "--jobs", "0"), 2, "--jobs"),
        (("bench",), 2, "suites"),
        (("bench", "s.toml", "--again", "--keep-stale"), 2, "--keep-stale"),
        (("bench", "s.toml", "--shard", "9/8"), 1, "the shard '9/8'"),
        (("bench", "s.toml", "--engine", "dask"), 2, "--scheduler"),
        (("bench", "s.toml", "--scheduler", "tcp://a:1"), 2, "--engine dask"),
        (("bench", "s.toml", "--engine", "dusk"), 1, "'dask'"),
        (("bench", "s.toml", "--engine", "dask", "--scheduler", "tcp://a:1", "-j", "2"), 2, "--jobs"),
        (("results", "merge", "absent", "--into", "out"), 1, "absent: "),
        (("results", "merge", "absent"), 2, "--into"),
        (("features", "extract", "synthetic", "--features", "mfcc31", "-o", "a.csv"), 1, "'mfcc13'"),
        (("features", "extract", "synthetic", "--features", "mfcc13", "-o", "a.txt"), 1, ".csv or .npz"),
        (("features", "extract", "synthetic", "--features", "mfcc_sequence", "-o", "a.csv"), 1, ".npz"),
        (("report", "--results", "s.toml"), 1, "s.toml"),
        (("bench", "./notes.md"), 1, "'./notes.md'"),
        (("bench", "t.toml"), 1, "t.toml: "),
        (("bench", "s.toml", "--own", "x", "--map", "a"), 1, "--map: "),
    ],
)
def test_a_mistake_is_one_message_and_an_exit_code(ser, tmp_path, words, code, reason):
    (tmp_path / "notes.md").touch()
    ser(*words).refused(reason, code=code)


def test_the_list_of_features_cuts_no_name(ser):
    listed = ser("features", "list").stdout
    assert {line.partition(" ")[0] for line in listed.splitlines()} >= set(FEATURES)
    assert max(len(line) for line in listed.splitlines()) <= 80


def test_named_corpora_that_are_absent_are_no_success(ser, tmp_path):
    (tmp_path / "s.toml").write_text(SUITE.replace('"synthetic"', '"synthetic", "emodb", "savee"'))
    done = ser("bench", "s.toml", "--corpus", "emodb", "--corpus", "savee")
    assert (done.returncode, done.stdout) == (1, "")
    assert "corpora fetch emodb\n" in done.stderr
    assert "http://kahlan.eps.surrey.ac.uk/savee/" in done.stderr
    assert "--corpus" in done.stderr.splitlines()[-1]
    assert not (tmp_path / "results").exists()
    some = ("bench", "s.toml", "--corpus", "synthetic", "--corpus", "emodb", "--model", "prior")
    assert ser(*some).returncode == 0
    again = ser(*some)
    assert again.returncode == 0
    assert again.stdout.startswith("0 runs done, 1 kept, 0 failed\n")


def test_a_readme_that_is_absent_says_what_it_would_have_to_hold(ser, own_folder):
    ser("bench", "s.toml", "--own", own_folder, "--speaker", r"/(s\d\d)_", "--model", "prior")
    done = ser("report", "--readme", "nosuch.md")
    done.refused("nosuch.md: ", "<!-- leaderboard")
