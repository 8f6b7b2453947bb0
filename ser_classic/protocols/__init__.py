"""Protocols: how clips are split into folds, and what a system may know of the test speaker."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from ser_classic.corpora.published import PUBLISHED
from ser_classic.corpora.synthetic import SYNTHETIC
from ser_classic.degradations import COPIES, DEGRADATIONS
from ser_classic.errors import SerClassicError
from ser_classic.protocols.protocol import Fold, Protocol, SplitFunction, require_two_clips
from ser_classic.protocols.splits import (
    five_speaker_groups,
    holdout,
    leave_one_session_out,
    leave_one_speaker_out,
    official_parts,
    other_corpora,
    published,
    published_folds,
    random_five,
    unseen_text,
)
from ser_classic.registry import Registry
from ser_classic.vocabulary import EMOTIONS

__all__ = [
    "FOUR",
    "PROTOCOLS",
    "SOURCES",
    "TOGETHER",
    "Fold",
    "Protocol",
    "families",
    "leave_one_speaker_out",
    "ordinary_protocol",
    "published_folds",
    "require_two_clips",
]

# Corpora to train on for tests on another corpus: those with two emotions that others may have
SOURCES = tuple(
    corpus.name
    for corpus in (*PUBLISHED, SYNTHETIC)
    if corpus.part_of is None and len({*corpus.emotions.values()}.intersection(EMOTIONS)) > 1
)
# Corpora to train on together, each left out in turn
TOGETHER = ("ravdess", "emodb", "tess", "urdu")
FOUR = ("angry", "happy", "neutral", "sad")  # emotions that nearly every corpus has
_FEW = (0, 4, 8, 16, 32)  # unlabelled clips of a test speaker, besides all of them
_TRAINED = (4, 6, 8, 12)  # training speakers, besides all of a fold
_LOSO = Protocol("loso", "leave one speaker out", leave_one_speaker_out)
_EMOBOX = Protocol("emobox", "published speaker-disjoint folds", published)
_OFFICIAL = "official parts: trained on train and dev, tuned on dev, tested on test"
_LEAKY = "speakers on both sides"
_HOLDOUT15 = f"random split, 15 % to test on, 15 % to validate on where a model does, {_LEAKY}"
_UNSEEN = "test speakers and test sentences both absent from training"


def _on(tracks: tuple[str, ...], protocol: Protocol) -> Iterator[Protocol]:
    """A protocol on each of these tracks."""
    for track in tracks:
        ending = "" if track == "blind" else f"_{track}"
        family = protocol.family and f"{protocol.family}{ending}"
        yield replace(protocol, name=f"{protocol.name}{ending}", track=track, family=family)


_both = partial(_on, ("blind", "adapted"))
# For tests on another corpus
_across = partial(_on, ("blind", "adapted", "evened", "self_taught", "adapted_corpus"))


def _conditions(plain: Protocol) -> Iterator[Protocol]:
    """Variants of a protocol: few clips heard, degraded test clips, copies in training, or few speakers."""
    name, title = plain.name, plain.title
    for heard in _FEW:
        yield replace(
            plain,
            name=f"{name}_adapted_m{heard}",
            title=f"{title}; {heard} unlabelled clips of a test speaker are used",
            track="adapted",
            family=f"{name}_few",
            heard=heard,
        )
    multi = plain.with_copies(COPIES)
    yield from _degraded(plain, f"{name}_degraded")
    yield multi
    yield from _degraded(multi, multi.name)
    for number in _TRAINED:
        yield replace(
            plain,
            name=f"{name}_speakers{number}",
            title=f"{title}; {number} speakers are trained on",
            family=f"{name}_speakers",
            speakers=number,
        )


def _degraded(plain: Protocol, prefix: str) -> Iterator[Protocol]:
    """A protocol with each degradation of the test clips."""
    for degradation in DEGRADATIONS.values():
        yield replace(
            plain,
            name=f"{prefix}_{degradation.name}",
            title=f"{plain.title}; test clips degraded: {degradation.kind}, {degradation.level}",
            family=f"{plain.name}_degraded",
            degradation=degradation.name,
        )


def _together(few: str, split: SplitFunction, emotions: str) -> Iterator[Protocol]:
    """Each of `TOGETHER` left out in turn, with and without copies in training."""
    name = f"leave_one_corpus_out{few}"
    title = f"trained on all of {', '.join(TOGETHER)} but the corpus to test on, {emotions}"
    plain = Protocol(name, title, split, family="strangers", trained_on=TOGETHER)
    yield from _across(plain)
    yield from _across(plain.with_copies(COPIES))


def _entries() -> Iterator[Protocol]:
    yield from (
        *_both(_LOSO),
        *_both(Protocol("speakers5", "five groups of speakers", five_speaker_groups)),
        *_both(_EMOBOX),
        *_both(Protocol("sessions", "leave one session out", leave_one_session_out)),
        *_both(Protocol("official", _OFFICIAL, partial(official_parts, shared=False))),
        Protocol("official_leaky", f"{_OFFICIAL}; {_LEAKY}", partial(official_parts, shared=True), unit=None),
        *_both(Protocol("unseen_text", _UNSEEN, unseen_text, apart=("sentence",))),
        Protocol("random5", f"five random folds, {_LEAKY}", random_five, unit=None),
        Protocol("holdout25", f"random 75:25 split, {_LEAKY}", partial(holdout, share=0.25), unit=None),
        Protocol("holdout15", _HOLDOUT15, partial(holdout, share=0.15), unit=None),
        *(
            protocol
            for source in SOURCES
            for protocol in _across(
                Protocol(
                    f"cross_from_{source}",
                    f"trained on all of {source}, tested on all of another corpus, on the emotions both have",
                    other_corpora,
                    family="cross",
                    trained_on=(source,),
                )
            )
        ),
        *_together("_4", partial(other_corpora, among=FOUR), "on four emotions"),
        *_together("", other_corpora, "on the emotions of both sides"),
        *_conditions(_LOSO),
        *_conditions(_EMOBOX),
    )


PROTOCOLS: Registry[Protocol] = Registry("protocols", _entries())


def families() -> dict[str, list[Protocol]]:
    """Protocols that a suite lists under one family name, by that name."""
    found: dict[str, list[Protocol]] = {}
    for protocol in PROTOCOLS.values():
        if protocol.family:
            found.setdefault(protocol.family, []).append(protocol)
    return found


def ordinary_protocol(base: str, track: str) -> Protocol:
    """The protocol with the folds of `base` on this track that sets none of the `CONDITIONS`."""
    for protocol in PROTOCOLS.values():
        if (protocol.base, protocol.track) == (base, track) and not protocol.conditions(""):
            return protocol
    raise SerClassicError(f"{base}: no protocol has its folds on the {track} track")
