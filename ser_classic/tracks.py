"""Tracks: what a system may know of the clips that it is tested on, besides the one that it judges."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from ser_classic.errors import SerClassicError
from ser_classic.registry import Registry
from ser_classic.vocabulary import DIMENSIONS, EMOTION

LABELS = (EMOTION, "label", *DIMENSIONS)  # columns that no track may use
METHODS = ("scaled", "evened", "self_taught")


@dataclass(frozen=True)
class Track:
    """What a system may know of the clips that it is tested on; runs are ranked within their track.

    Attributes
    ----------
    name : str
        As in records.
    title : str
        What is known, in a few words.
    colour : str
        Of the track in figures and on the page: `#rrggbb`.
    method : {"scaled", "evened", "self_taught"} or ""
        What is done with clips that are known together: features are z-scored over them, in training and in
        test; or the probabilities of test clips are changed by `adaptation.evened` or
        `adaptation.self_taught`. By default every clip is judged alone.
    by : str
        Column of the clips table: clips with the same value in it are known together.
    label : str
        The name that reports show; by default `name`.

    Raises
    ------
    SerClassicError
        The method is unknown or lacks its column, the column holds what systems are to predict, or the colour
        is not of the form #rrggbb.
    """

    name: str
    title: str
    colour: str
    method: str = ""
    by: str = ""
    label: str = ""

    def __post_init__(self) -> None:
        if bool(self.method) != bool(self.by) or self.method not in ("", *METHODS):
            raise SerClassicError(
                f"{self.name}: method {self.method!r} by {self.by!r}; expected "
                f"one of {', '.join(METHODS)} by a column of the clips table, or neither"
            )
        if not re.fullmatch("#[0-9a-fA-F]{6}", self.colour):
            raise SerClassicError(f"{self.name}: colour {self.colour!r}; expected #rrggbb, such as #0072b2")
        if self.by in LABELS:
            raise SerClassicError(f"{self.name}: uses {self.by}, which is what systems are to predict")
        object.__setattr__(self, "label", self.label or self.name)


# In the order of reports. Colours: Okabe and Ito, "Color universal design", 2008; the purple is lighter than
# theirs, to be told from the blue without red, too.
TRACKS: Registry[Track] = Registry(
    "tracks",
    [
        Track("blind", "nothing is known of the test speaker but the clip", "#0072b2"),
        Track(
            "adapted",
            "features are scaled by the test speaker's own unlabelled clips",
            "#009e73",
            method="scaled",
            by="speaker",
        ),
        Track(
            "evened",
            "probabilities are evened out over the test speaker's own unlabelled clips",
            "#56b4e9",
            method="evened",
            by="speaker",
            label="evened out",
        ),
        Track(
            "self_taught",
            "probabilities are evened out, then corrected by what the speaker's own unlabelled clips teach",
            "#d97fb0",
            method="self_taught",
            by="speaker",
            label="self-taught",
        ),
        Track(
            "adapted_corpus",
            "features are scaled by all unlabelled clips of the test corpus",
            "#e69f00",
            method="scaled",
            by="corpus",
            label="adapted to the corpus",
        ),
    ],
)
# No protocol has it as its track: reports show runs of a leaky protocol under it, whatever their track.
LEAKY = Track("leaky", "the test speakers were heard in training", "#d55e00")


def track_of(name: str) -> Track:
    """The track of this name, or `LEAKY`; of a track that is not installed, little more than the name."""
    if name == LEAKY.name:
        return LEAKY
    return TRACKS[name] if name in TRACKS else Track(name, "a track that is not installed", "#5b6570")


def in_order(names: Iterable[str]) -> list[str]:
    """Names of tracks, each once: those of `TRACKS` in its order, others by name, `leaky` last."""
    found, order = set(names), [*TRACKS]
    last = len(order)
    place = {name: number for number, name in enumerate(order)} | {LEAKY.name: last + 1}
    return sorted(found, key=lambda name: (place.get(name, last), name))
