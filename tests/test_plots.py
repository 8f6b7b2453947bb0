"""Figures: equal bytes for equal figures, the figures that they state, and colours that are told apart."""

import itertools
import re
import warnings
import xml.etree.ElementTree as ElementTree

import matplotlib
import numpy as np
import pandas as pd
import pytest

from ser_classic.plots import clips, scores, style
from ser_classic.tracks import LEAKY, TRACKS


def leak_table():
    return pd.DataFrame(
        {
            "corpus": ["one", "one", "two"],
            "system": ["a + b", "a + c", "a + b"],
            "uar": [0.5, 0.4, 0.61],
            "leaky_uar": [0.8, 0.9, 0.58],
            "premium": [0.3, 0.5, -0.03],
            "low": [0.2, 0.4, -0.1],
            "high": [0.4, 0.6, 0.1],
            "speakers": [10, 10, 2],
        }
    )


RELIABILITY = pd.DataFrame({"confidence": [0.4, 0.9], "accuracy": [0.5, 0.8], "clips": [10, 20]})
COUNTS = np.array([[8, 2, 0], [1, 9, 0], [5, 0, 5]])


FEATURE_SETS = pd.DataFrame(
    [("f", "m", 5, 0.9, 0.8, 0.95), ("f", "n", 5, 0.4, 0.3, 0.5), ("g", "m", 5, 0.1, np.nan, np.nan)],
    columns=["features", "model", "classes", "uar", "low", "high"],
)
DRAWINGS = {
    "leak_premium": lambda: scores.leak_premium(leak_table()),
    "feature_sets": lambda: scores.feature_sets({"one": FEATURE_SETS}),
    "beside_networks": lambda: scores.beside_networks(
        pd.DataFrame(
            {
                "corpus": "one",
                "track": ["blind", "blind", "adapted"],
                "system": ["ours", "a system with a very long name, longer than forty", "ours"],
                "protocol": ["loso", "6 speaker groups", "loso"],
                "uar": [0.7, 0.6, 0.8],
                "low": [0.65, np.nan, np.nan],
                "high": [0.75, np.nan, np.nan],
                "own": [True, False, True],
                "approximate": [False, True, False],
            }
        )
    ),
    "confusion": lambda: scores.confusions({"one": (COUNTS, ("sad", "angry", "fear"), RELIABILITY)}),
}  # fmt: skip


def texts(figure):
    svg = style.inline_svg(style.svg(figure), "x", "title")
    return [
        "".join(node.itertext()).strip()
        for node in ElementTree.fromstring(svg).iter()
        if node.tag.endswith("text")
    ]


@pytest.mark.parametrize("name", DRAWINGS)
def test_equal_figures_are_equal_bytes(name):
    one, two = DRAWINGS[name](), DRAWINGS[name]()
    assert style.svg(one) == style.svg(two)
    assert style.png(one, dots=60) == style.png(two, dots=60)
    assert b"Software" not in style.png(one, dots=60)
    assert "<dc:date>" not in style.svg(one)


@pytest.mark.parametrize("name", ["leak_premium", "confusion"])
def test_the_callers_style_neither_shows_nor_changes(name):
    expected = style.svg(DRAWINGS[name]())
    with matplotlib.rc_context({"font.size": 30, "axes.facecolor": "black", "text.color": "red"}):
        before = dict(matplotlib.rcParams)
        assert style.svg(DRAWINGS[name]()) == expected
        assert dict(matplotlib.rcParams) == before


def test_letters_that_no_font_has_are_drawn_without_a_word(caplog):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure = scores.confusions({"中文": (COUNTS, ("愤怒", "喜び", "슬픔"), None)})
        style.png(figure)
        style.svg(figure)
    assert not caplog.records


def test_a_font_for_other_letters_is_used_where_it_is_installed(monkeypatch, caplog):
    monkeypatch.setattr(style, "FALLBACKS", ("No Such Font", "STIXGeneral"))
    figure = DRAWINGS["confusion"]()
    assert figure.axes[0].title.get_fontfamily() == ["DejaVu Sans", "STIXGeneral"]
    style.png(figure)
    assert not caplog.records


def test_leak_premium_states_its_figures():
    said = texts(DRAWINGS["leak_premium"]())
    assert {"+.30", "+.50", "−.03", "(.20 to .40)", "one", "two", "a + c"} <= set(said)
    assert "(−.10 to .10)" not in said, "no interval for two speakers"


def test_confusion_states_recalls_and_leaves_zeros_blank():
    said = texts(scores.confusions({"one": (COUNTS, ("sad", "angry", "fear"), None)}))
    assert "no probabilities" in said
    assert [word for word in said if word.startswith(".")] == [".80", ".20", ".10", ".90", ".50", ".50"]
    assert "sad  10" in said or "sad 10" in said


def test_reliability_stands_beside_the_matrix_of_the_same_system():
    matrix, curve = scores.confusions({"one": (COUNTS, ("sad", "angry", "fear"), RELIABILITY)}).axes
    assert matrix.get_title(loc="left") == "one"
    np.testing.assert_array_equal(curve.collections[0].get_offsets(), RELIABILITY[["confidence", "accuracy"]])


def test_counts_of_clips_follow_the_colours_of_the_page():
    table = pd.DataFrame({"sad": [3, 0], "angry": [12, 7]}, index=["a", "b"])
    figure = clips.counts(table)
    assert [word for word in texts(figure) if word.isdigit()] == ["3", "12", "0", "7"]
    drawing = style.inline_svg(style.svg(figure), "x", "title")
    assert "<image" not in drawing, "a raster has the colours of a light page"
    assert "var(--deep)" in drawing
    many = texts(clips.counts(pd.DataFrame({"sad": range(60), "angry": range(60)})))
    assert "60 speakers" in many
    assert not any(word.isdigit() for word in many)


def test_long_names_run_over_two_lines_and_only_then_are_cut():
    said = texts(DRAWINGS["beside_networks"]())
    assert {"a system with a very long name, longer than forty"} <= set(said)
    assert scores.wrapped("wav2vec2-large dimensional embeddings + SVC").count("\n") == 1
    assert scores.wrapped("IS13_ComParE + best of 9 classifiers").count("\n") == 0
    assert scores.wrapped("word " * 30).endswith(" …")
    assert max(map(len, scores.wrapped("letters" * 30).splitlines())) == 36


@pytest.mark.parametrize("scale", [1e-5, 4.6e-3, 1.0, 1e4])
def test_ticks_of_spreads_do_not_run_together(scale):
    values = {f"feature {n}": {"sad": scale * (np.arange(30.0) + n) / 7} for n in range(4)}
    figure = clips.spreads(values)
    style.png(figure, dots=int(figure.dpi))
    for ax in figure.axes[:4]:
        shown = [tick.get_window_extent() for tick in ax.get_xticklabels()]
        shown = [box for box in shown if ax.bbox.x0 - 1 <= (box.x0 + box.x1) / 2 <= ax.bbox.x1 + 1]
        assert len(shown) >= 2
        for one, two in itertools.pairwise(shown):
            assert two.x0 - one.x1 > 3


@pytest.mark.parametrize(("lowest", "ends"), [(0.47, (0.4, 0.7)), (0.0, (0.0, 0.7))])
def test_axes_end_at_round_shares_that_hold_all(lowest, ends):
    table = pd.DataFrame({"corpus": "one", "system": "a + b", "at": [1, 2], "words": ["1", "2"]})
    table = table.assign(uar=[lowest, 0.55], low=[np.nan, 0.5], high=[np.nan, 0.61], classes=7, joined=True)
    assert scores.curves(table, "clips").axes[0].get_ylim() == ends


def test_files(tmp_path):
    paths = [tmp_path / f"one.{ending}" for ending in ("svg", "png", "pdf")]
    style.write(DRAWINGS["confusion"](), *paths)
    assert paths[1].read_bytes().startswith(b"\x89PNG")
    assert paths[2].read_bytes().startswith(b"%PDF")
    assert ElementTree.parse(paths[0]).getroot().tag.endswith("svg")


@pytest.mark.parametrize("name", DRAWINGS)
def test_coordinates_are_as_exact_as_can_be_seen(name):
    drawing = style.svg(DRAWINGS[name]())
    number = r"-?\d+(\.\d{1,2})?"
    paths = re.findall(r' d="([^"]*)"', drawing)
    places = re.findall(r"translate\(([^)]*)\)", drawing)
    assert paths
    assert all(re.fullmatch(rf"([MLQC]{number}(\s{number})*|z)*", path) for path in paths)
    assert all(re.fullmatch(rf"{number} {number}", place) for place in places)


def test_inline_figures_share_no_ids():
    figure = DRAWINGS["feature_sets"]()
    one, two = (style.inline_svg(style.svg(figure), name, "a <title>") for name in ("one", "two"))
    ids = [
        {node.get("id") for node in ElementTree.fromstring(svg).iter() if node.get("id")}
        for svg in (one, two)
    ]
    assert ids[0]
    assert not ids[0] & ids[1]
    assert "#" not in "".join(one.split("url(#")).replace('href="#', ""), "no colour is fixed"
    assert 'aria-label="a &lt;title&gt;"' in one


# Machado, Oliveira and Fernandes, IEEE TVCG 15, 2009: full protanopia and deuteranopia, in linear RGB.
BLINDNESS = {
    "protanopia": "0.152286 1.052583 -0.204868 0.114503 0.786281 0.099216 -0.003882 -0.048116 1.051998",
    "deuteranopia": "0.367322 0.860646 -0.227968 0.280085 0.672501 0.047413 -0.011820 0.042940 0.968881",
}


@pytest.mark.parametrize("kind", BLINDNESS)
def test_groups_are_told_apart_without_red_or_green(kind):
    seen = {}
    for name, colour in {track.name: track.colour for track in (*TRACKS.values(), LEAKY)}.items():
        rgb = np.array(matplotlib.colors.to_rgb(colour)) ** 2.2
        seen[name] = np.clip(np.array(BLINDNESS[kind].split(), float).reshape(3, 3) @ rgb, 0, 1) ** (1 / 2.2)
    for one, two in itertools.combinations(seen, 2):
        assert np.linalg.norm(seen[one] - seen[two]) > 0.2, (one, two)


def luminance(colour):
    rgb = np.array(matplotlib.colors.to_rgb(colour))
    return np.where(rgb <= 0.03928, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4) @ [0.2126, 0.7152, 0.0722]


@pytest.mark.parametrize("value", [0.0, 0.04, 0.3, 0.5, 0.65, 0.66, 0.8, 1.0])
def test_text_on_cells_is_legible(value):
    ground = (1 - value) + value * np.array(matplotlib.colors.to_rgb(style.DEEP))
    text = style.ON_COLOUR if value > style.LIGHT_TEXT_FROM else style.INK if value >= 0.05 else style.MUTED
    light, dark = sorted((luminance(ground), luminance(text)), reverse=True)
    assert (light + 0.05) / (dark + 0.05) > 4
