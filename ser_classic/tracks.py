"""Tracks: what a system may know of the clips that it is tested on, besides the one that it judges."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ser_classic.errors import SerClassicError
from ser_classic.registry import Registry
from ser_classic.vocabulary import DIMENSIONS, EMOTION

LABELS = (EMOTION, "label", *DIMENSIONS)  # columns that no track may use


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
    scaled_by : str or None
        Column of the clips table: every feature is z-scored over all clips, of training and test, that have
        the same value there. By default nothing is z-scored.
    evened_by : str or None
        Column of the clips table: probabilities of the test clips that have the same value there are shared
        out by `adaptation.evened`. By default they stay as they are.
    taught_by : str or None
        The same for `adaptation.self_taught`, which first evens them out.
    label : str
        The name that reports show; by default `name`.

    Raises
    ------
    SerClassicError
        A column holds what systems are to predict.
    """

    name: str
    title: str
    colour: str
    scaled_by: str | None = None
    evened_by: str | None = None
    taught_by: str | None = None
    label: str = ""

    def __post_init__(self) -> None:
        if known := set(self.by).intersection(LABELS):
            raise SerClassicError(f"{self.name}: uses {known.pop()}, which is what systems are to predict")
        object.__setattr__(self, "label", self.label or self.name)

    @property
    def by(self) -> tuple[str, ...]:
        """The columns that it goes by; none where every clip is judged alone."""
        return tuple(dict.fromkeys(filter(None, (self.scaled_by, self.evened_by, self.taught_by))))


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
            scaled_by="speaker",
        ),
        Track(
            "evened",
            "probabilities are evened out over the test speaker's own unlabelled clips",
            "#56b4e9",
            evened_by="speaker",
            label="evened out",
        ),
        Track(
            "self_taught",
            "probabilities are evened out, then corrected by what the speaker's own unlabelled clips teach",
            "#d97fb0",
            taught_by="speaker",
            label="self-taught",
        ),
        Track(
            "adapted_corpus",
            "features are scaled by all unlabelled clips of the test corpus",
            "#e69f00",
            scaled_by="corpus",
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
