"""How every figure looks, and how it becomes SVG and PNG with equal bytes for equal figures."""

from __future__ import annotations

import io
import logging
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ser_classic.runtime.files import replacing
from ser_classic.tracks import track_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK, MUTED, LINE, PAPER = "#1b1f24", "#5b6570", "#d5dae0", "#ffffff"
ON_COLOUR = "#fefefe"  # text upon a coloured cell
DEEP = "#00416f"  # the colour of cells, by opacity
LIGHT_TEXT_FROM = 0.655  # opacity of a cell from which light text on it is the more legible
# Okabe and Ito, "Color universal design", 2008: told apart with any colour vision. One meaning each.
BLIND, ADAPTED, LEAKY = (track_of(name).colour for name in ("blind", "adapted", "leaky"))
PUBLISHED = "#8a939c"
SERIES = (BLIND, LEAKY, ADAPTED, "#d97fb0", "#e69f00", "#56b4e9", MUTED, INK)
MARKERS = ("o", "s", "D", "^", "v", "P", "X", "*")  # a second sign for what colour tells

VARIABLES = {
    INK: "ink",
    MUTED: "muted",
    LINE: "line",
    PAPER: "paper",
    ON_COLOUR: "on-colour",
    DEEP: "deep",
    BLIND: "blind",
    ADAPTED: "adapted",
    LEAKY: "leaky",
    PUBLISHED: "published",
    "#d97fb0": "series-4",
    "#e69f00": "series-5",
    "#56b4e9": "series-6",
}

STYLE: dict[str, Any] = {
    "font.family": ["DejaVu Sans"],  # the one that matplotlib brings along
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlepad": 8,
    "axes.labelsize": 9,
    "axes.edgecolor": LINE,
    "axes.facecolor": PAPER,
    "axes.labelcolor": MUTED,
    "axes.titlecolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "grid.color": LINE,
    "grid.linewidth": 0.6,
    "xtick.color": LINE,
    "ytick.color": LINE,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.labelsize": 8.5,
    "ytick.labelsize": 8.5,
    "text.color": INK,
    "lines.linewidth": 1.6,
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "figure.facecolor": PAPER,
    "savefig.facecolor": PAPER,
    "svg.hashsalt": "ser-classic",
    "svg.fonttype": "none",
    "path.simplify": False,
    "text.parse_math": False,  # a dollar in a name is a dollar
}

# For what DejaVu lacks, in this order where installed: Chinese, Japanese, Korean, then as much as can be.
FALLBACKS = (
    *("Noto Sans CJK SC", "Noto Sans CJK JP", "Noto Sans CJK KR", "Noto Sans CJK TC", "Noto Sans SC"),
    *("Source Han Sans SC", "Source Han Sans", "WenQuanYi Micro Hei", "WenQuanYi Zen Hei"),
    *("PingFang SC", "Hiragino Sans", "Apple SD Gothic Neo", "Microsoft YaHei", "Yu Gothic", "Malgun Gothic"),
    *("Arial Unicode MS", "Droid Sans Fallback", "Unifont"),
)

_NOTHING = dict.fromkeys(("Date", "Creator", "Type", "Format"))  # of what matplotlib would say of itself


@contextmanager
def styled() -> Iterator[None]:
    """The style of our figures, whatever the caller has set; no warning of letters that no font here has.

    Around a block, or as the decorator of a function that draws.
    """
    import matplotlib

    fonts = logging.getLogger("matplotlib.font_manager")  # tells of fonts that have no bold
    level = fonts.level
    with matplotlib.rc_context(), warnings.catch_warnings():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update({**STYLE, "font.family": installed_fonts()})
        warnings.filterwarnings("ignore", r"Glyph \d+ .* missing from font")
        fonts.setLevel(logging.ERROR)
        try:
            yield
        finally:
            fonts.setLevel(level)


def installed_fonts() -> list[str]:
    """The fonts of every figure, those for other letters as far as they are installed."""
    from matplotlib.font_manager import fontManager

    installed = {font.name for font in fontManager.ttflist}  # matplotlib complains of each that is not
    return [*STYLE["font.family"], *(name for name in FALLBACKS if name in installed)]


def blank(width: float, height: float) -> Figure:
    """An empty figure of that size [inch], laid out without overlaps."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def rows_axis(ax: Axes, labels: list[str], grid: bool = True) -> None:
    """Name rows from the top down on the vertical axis, with no ticks of their own."""
    ax.set_yticks(range(len(labels)), labels)
    ax.set_ylim(len(labels) - 0.4, -0.6)
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    if grid:
        ax.grid(axis="x")


def beside(ax: Axes, place: float, text: str, offset: float = 6, **style: Any) -> None:
    """Write to the right of a row, so many points beyond the axis."""
    ax.annotate(
        text,
        (1, place),
        xycoords=ax.get_yaxis_transform(),
        xytext=(offset, 0),
        textcoords="offset points",
        va="center",
        annotation_clip=False,
        **{"size": 8.5, **style},
    )


def cells(ax: Axes, values: np.ndarray, words: np.ndarray, framed: np.ndarray | None = None) -> None:
    """Shares as coloured or `framed` cells with words in them, the first line in larger letters.

    The colour is the opacity of one hue, on any ground.
    """
    from matplotlib.patches import Rectangle

    for (row, column), value in np.ndenumerate(values):
        if np.isnan(value):
            continue
        frame = framed is not None and framed[row, column]
        look = {"fill": False, "edgecolor": LINE} if frame else {"facecolor": DEEP, "alpha": value, "lw": 0}
        ax.add_patch(Rectangle((column - 0.48, row - 0.47), 0.96, 0.94, **look))
        colour = ON_COLOUR if value > LIGHT_TEXT_FROM else INK if value >= 0.05 else MUTED
        text = {"ha": "center", "color": MUTED if frame else colour}
        first, _, others = words[row, column].partition("\n")
        if others:
            ax.text(column, row - 0.1, first, va="bottom", size=9.5, weight="bold", **text)
            ax.text(column, row - 0.06, others, va="top", size=6.5, linespacing=1.5, **text)
        else:
            ax.text(column, row, first, va="center", size=8, **text)
    ax.set_xlim(-0.55, values.shape[1] - 0.45)
    ax.set_ylim(values.shape[0] - 0.45, -0.55)
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)


def share_axis(ax: Axes, axis: str = "x", low: float = 0, high: float = 1) -> None:
    """Ticks of a share without the leading zero: 0, .2, .4 … 1."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    scale = ax.xaxis if axis == "x" else ax.yaxis
    scale.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.2g}".removeprefix("0") or "0"))
    scale.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
    (ax.set_xlim if axis == "x" else ax.set_ylim)(low, high)


def legend(figure: Figure, columns: int, place: str = "outside upper left") -> None:
    """Every label of the figure, once."""
    drawn = (ax.get_legend_handles_labels() for ax in figure.axes)
    handles = {label: handle for one in drawn for handle, label in zip(*one, strict=True)}
    figure.legend(handles.values(), handles.keys(), loc=place, ncols=min(columns, len(handles)))


def png(figure: Figure, dots: int = 160) -> bytes:
    """The figure as PNG with this resolution [dots per inch], without a date or a version."""
    return _written(figure, "png", dpi=dots, metadata={"Software": None})


def svg(figure: Figure) -> str:
    """The figure as SVG with letters as text; equal for equal figures."""
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    target = io.StringIO()
    with _laid_out(figure):
        FigureCanvasSVG(figure).print_svg(target, metadata=_NOTHING)  # draws once, where `savefig` does twice
    text = re.sub(r"\n +", "\n", _with_numbered_parts(target.getvalue()))
    return _with_classes(re.sub(r"<[^>]+>", _tidied, text))


def inline_svg(text: str, name: str, title: str) -> str:
    """A figure as an element of a page that gives the colours (`--ink`, `--blind`…) and the letters.

    Parameters
    ----------
    text : str
        As `svg` gives it.
    name : str
        Put before every id and class, so that figures on one page do not share any.
    title : str
        What a screen reader says.
    """
    text = text[text.index("<svg") :].rstrip()
    for colour, variable in VARIABLES.items():
        text = text.replace(colour, f"var(--{variable})")
    text = re.sub(r"(font-family: |font: [^;'}]*?px )[^;}]*", r"\1system-ui, sans-serif", text)
    text = re.sub(r'(id="|class="|\n\.(?=style))', rf"\1{name}-", text)
    text = re.sub(r'(xlink:href="|url\()#', rf"\1#{name}-", text)
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    head, _, body = text.partition(">")
    wide = float(re.search(r'width="([\d.]+)pt"', head)[1])
    head = re.sub(r'\s(?:width|height|version)="[^"]*"', "", head)
    return f'{head} role="img" aria-label="{escape(title)}" style="--width: {wide:.0f}px">{body}'


def write(figure: Figure, *paths: Path) -> None:
    """Write a figure as PNG, SVG or PDF, whichever each file's ending says, each in one step."""
    for path in paths:
        if path.suffix.lower() == ".svg":
            content = svg(figure).encode()
        else:
            content = png(figure) if path.suffix.lower() == ".png" else _written(figure, "pdf", dpi=160)
        with replacing(path) as draft:
            draft.write_bytes(content)


def _with_numbered_parts(text: str) -> str:
    """An SVG in which the names of its parts are numbers.

    matplotlib names them by a hash of their last digits, which the layout's solver leaves open.
    """
    names = dict.fromkeys(re.findall(r'id="(\w*[0-9a-f]{10})"', text))
    numbers = {name: f"part{number}" for number, name in enumerate(names, start=1)}
    return re.sub(r"\w*[0-9a-f]{10}\b", lambda found: numbers.get(found[0], found[0]), text)


def _with_classes(text: str) -> str:
    """An SVG with classes for styles, of which a drawing has few."""
    pattern = r'(<[^>]*?) style="([^"]*)"'
    styles = dict.fromkeys(style for _, style in re.findall(pattern, text))
    classes = {style: f"style{number}" for number, style in enumerate(styles, start=1)}
    text = re.sub(pattern, lambda found: f'{found[1]} class="{classes[found[2]]}"', text)
    rules = "\n".join(f".{name} {{{style}}}" for style, name in classes.items())
    return text.replace("</style>", f"\n{rules}\n</style>", 1)


def _tidied(tag: re.Match[str]) -> str:
    """A tag with short coordinates, without names to which nothing refers and rotations by 0 degrees."""
    text = re.sub(r' id="(?!part)[^"]*"| transform="rotate\(-0 [^)]*\)"', "", tag[0])
    return re.sub(r'(?<= [dxy]=")[^"]*|(?<=translate\()[^)]*|(?<=rotate\()[^)]*', _shorter, text)


def _shorter(found: re.Match[str]) -> str:
    """Coordinates to a hundredth of a point and no idle spaces: nobody sees it, and files are smaller."""
    text = re.sub(r"\d+\.\d{3,}", lambda number: f"{float(number[0]):.2f}".rstrip("0").rstrip("."), found[0])
    return re.sub(r"\s*([MLQCz]|$)\s*", r"\1", text)


def _written(figure: Figure, form: str, **options: Any) -> bytes:
    target = io.BytesIO()
    with _laid_out(figure):
        figure.savefig(target, format=form, **options)
    return target.getvalue()


@contextmanager
def _laid_out(figure: Figure) -> Iterator[None]:
    """Our style in the block, which draws a figure; its layout then stays the same in all forms."""
    with styled():
        yield
    figure.set_layout_engine("none")
