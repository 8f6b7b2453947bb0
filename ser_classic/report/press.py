"""Pictures printed: drawn in several processes, and not again where nothing that they show has changed."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from importlib.metadata import version
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING

from ser_classic import store
from ser_classic.report.gallery import Picture
from ser_classic.report.memory import Memory
from ser_classic.report.page import identifier

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def printed(groups: Iterable[Iterable[Picture]], folder: Path, memory: Memory) -> list[list[Picture]]:
    """Write `<name>.svg` and `<name>.png` of every picture into the folder.

    Returns
    -------
    list of list of Picture
        The same, with their markup.

    Raises
    ------
    StoreError
        A file cannot be written.
    """
    import joblib

    from ser_classic.plots.style import families, font_files

    groups = [list(group) for group in groups]
    pictures = list(chain(*groups))
    calls = [(picture.draw, identifier(picture.name), picture.title, picture.system) for picture in pictures]
    look = [families(), font_files(), *(version(name) for name in ("matplotlib", "pillow", "kiwisolver"))]
    keys = [[joblib.hash(call), *look] for call in calls]
    found = memory.computed(_forms, calls, keys, 0.4, "figures")
    for picture, (drawing, image, _) in zip(pictures, found, strict=True):
        store.write_bytes(folder / f"{picture.name}.svg", drawing.encode())
        store.write_bytes(folder / f"{picture.name}.png", b64decode(image))
    marked = iter([replace(picture, markup=form[2]) for picture, form in zip(pictures, found, strict=True)])
    return [list(islice(marked, len(group))) for group in groups]


def _forms(draw: partial[Figure], name: str, title: str, system: str) -> list[str]:
    """The figure as SVG and as PNG (in base 64), headed, and as an element of a page."""
    from ser_classic.plots.style import headed, inline_svg, png, svg

    figure = headed(draw(), f"{title}\n{system}") if system else draw()
    files = [svg(figure), b64encode(png(figure)).decode()]
    return [*files, inline_svg(draw() if system else figure, name, title)]
