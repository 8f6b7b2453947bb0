"""The benchmark of scale in its short form: it measures, judges and draws; nothing is timed here."""

import contextlib
import io
import json
import runpy
import sys
from pathlib import Path

import pytest

SPEED = Path(__file__).parents[1] / "benchmarks" / "speed"
pytestmark = pytest.mark.skipif(
    not Path("/proc/self/smaps_rollup").exists(), reason="memory is read from /proc, which only Linux has"
)


def run(script: str, *words: str) -> str:
    """What a script prints, in this process."""
    shown = io.StringIO()
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(shown):
        patch.setattr(sys, "argv", [script, *words])
        runpy.run_path(str(SPEED / script), run_name="__main__")
    return shown.getvalue()


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict, Path, str]:
    folder = tmp_path_factory.mktemp("scale")
    words = ("--max-clips", "36", "--jobs", "1", "--features", "mfcc13", "--models", "svm_primal")
    shown = run("scale.py", *words, "--json", str(folder / "scale.json"))
    return json.loads((folder / "scale.json").read_text()), folder, shown


def test_every_point_is_measured(measured):
    result, _, shown = measured
    extraction, primal = result["points"]
    assert [point["what"] for point in result["points"]] == ["extract", "run"]
    assert extraction["clips"] == 36
    assert extraction["seconds"] > 0
    assert extraction["processor_seconds"] > 0
    assert 20 < extraction["own_mb"] <= extraction["peak_mb"] < 2000
    assert 36 * 24 * 4 < extraction["cache_mb"] * 1e6 < 1e6  # 13 means and more of float32, twice
    assert 18 < primal["clips"] < 36  # the training part
    assert primal["note"].startswith("UAR")
    assert "mfcc13: at 36 clips" in shown


def test_it_is_judged(measured):
    result, _, _ = measured
    (verdict,) = result["verdicts"]
    assert (verdict["features"], verdict["clips"]) == ("mfcc13", [36, 36])
    assert verdict["below_limit"]
    assert "flat" not in verdict


@pytest.mark.parametrize(
    ("seconds", "peak_mb", "flat", "below_limit"),
    [
        (12.0, 240.0, True, True),  # ten times the clips: 1.2 times as long a clip, 1.2 times the memory
        (13.0, 240.0, False, True),
        (12.0, 260.0, False, True),
        (10.0, 2000.0, False, False),
    ],
)
def test_growth_is_noticed(seconds, peak_mb, flat, below_limit, monkeypatch):
    monkeypatch.syspath_prepend(SPEED)
    import scale

    small = scale.Point("extract", "pooled", "", 100, 1.0, 1.0, 200.0)
    large = scale.Point("extract", "pooled", "", 1000, seconds, seconds, peak_mb)
    (verdict,) = scale.verdicts([small, large])
    assert (verdict["flat"], verdict["below_limit"]) == (flat, below_limit)
    assert verdict["times_as_long_a_clip"] == seconds / 10
    said = f"from 100 to 1000 clips {seconds / 10} times as long a clip, {peak_mb / 200} times the memory: "
    assert said + ("flat" if flat else "NOT FLAT") in scale.in_words(verdict)
    assert scale.expected([small, large], 10_000) == pytest.approx(seconds * max(10, seconds))


def test_it_can_be_drawn(measured):
    _, folder, _ = measured
    run("draw_scale.py", str(folder / "scale.json"), str(folder / "scale.png"))
    assert (folder / "scale.png").read_bytes().startswith(b"\x89PNG")


def test_the_committed_table_is_that_of_the_committed_measurement():
    docs = SPEED.parents[1] / "docs"
    told = (docs / "scale.md").read_text()
    for point in json.loads((docs / "scale.json").read_text())["points"]:
        if "seconds" in point:
            per_clip = 1000 * point["processor_seconds"] / point["clips"]
            name = point["model"] or point["features"]
            assert f"| {name} | {point['clips']} | {per_clip:.1f} | {point['peak_mb']:.0f} |" in told
