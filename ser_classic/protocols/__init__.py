"""Protocols: how clips are dealt into folds, and what the system may know of the test speaker."""

from __future__ import annotations

from functools import partial

from ser_classic.degradations import COPIES, DEGRADATIONS
from ser_classic.errors import SerClassicError
from ser_classic.protocols.deals import (
    five_speaker_groups,
    holdout,
    leave_one_speaker_out,
    other_corpora,
    published,
    published_folds,
    random_five,
    unseen_text,
)
from ser_classic.protocols.given import leave_one_session_out, official_parts
from ser_classic.protocols.protocol import Fold, Protocol, require_two_clips
from ser_classic.registry import Registry

__all__ = [
    "FOUR",
    "PROTOCOLS",
    "SOURCES",
    "TOGETHER",
    "Fold",
    "Protocol",
    "families",
    "leave_one_speaker_out",
    "ordinary",
    "published_folds",
    "require_two_clips",
]

# Corpora to train on, and to be tested elsewhere
SOURCES = (
    *("ravdess", "emodb", "tess", "savee", "crema_d", "emovo", "synthetic", "urdu", "ravdess_song", "cafe"),
    *("esd", "iemocap", "jl", "polish", "subesco", "msp_improv", "msp_podcast", "meld", "shemo", "enterface"),
    *("nemo", "turev_db", "ased", "aesdd", "emov_db", "emozionalmente"),
)
# To train on together, and to be left out in turn
TOGETHER = ("ravdess", "emodb", "tess", "urdu")
FOUR = ("angry", "happy", "neutral", "sad")  # emotions that nearly every corpus has
_ON_FOUR = partial(other_corpora, among=FOUR)
_FEW = (0, 4, 8, 16, 32)  # unlabelled clips of a test speaker, beside all of them
_COPIED = f"; {COPIES} degraded copies of each training clip are trained on, too"
_TRAINED = (4, 6, 8, 12)  # speakers to train on, beside all that a fold has
_LOSO = ("loso", "leave one speaker out", leave_one_speaker_out)
_SESSIONS = ("sessions", "leave one session out", leave_one_session_out)
_OFFICIAL = (
    "official",
    "official parts: trained on train and dev, tuned on dev, tested on test",
    partial(official_parts, shared=False),
)
_EMOBOX = ("emobox", "published speaker-disjoint folds", published)

PROTOCOLS: Registry[Protocol] = Registry(
    "protocols",
    [
        Protocol(*_LOSO),
        Protocol("loso_adapted", *_LOSO[1:], track="adapted", base="loso"),
        Protocol("speakers5", "five groups of speakers", five_speaker_groups),
        Protocol(
            "speakers5_adapted",
            "five groups of speakers",
            five_speaker_groups,
            track="adapted",
            base="speakers5",
        ),
        Protocol(*_EMOBOX),
        Protocol("emobox_adapted", *_EMOBOX[1:], track="adapted", base="emobox"),
        Protocol(*_SESSIONS),
        Protocol("sessions_adapted", *_SESSIONS[1:], track="adapted", base="sessions"),
        Protocol(*_OFFICIAL),
        Protocol("official_adapted", *_OFFICIAL[1:], track="adapted", base="official"),
        Protocol(
            "official_leaky",
            f"{_OFFICIAL[1]}; speakers on both sides",
            partial(official_parts, shared=True),
            unit=None,
        ),
        Protocol(
            "unseen_text",
            "test speakers and test sentences both absent from training",
            unseen_text,
            apart=("sentence",),
        ),
        Protocol(
            "unseen_text_adapted",
            "test speakers and test sentences both absent from training",
            unseen_text,
            track="adapted",
            apart=("sentence",),
            base="unseen_text",
        ),
        Protocol("random5", "five random folds, speakers on both sides", random_five, unit=None),
        Protocol(
            "holdout25", "random 75:25 split, speakers on both sides", partial(holdout, share=0.25), unit=None
        ),
        Protocol(
            "holdout15",
            "random split, 15 % to test on, 15 % to validate on where a model does, speakers on both sides",
            partial(holdout, share=0.15),
            unit=None,
        ),
        *(
            Protocol(
                f"cross_from_{source}{ending}",
                f"trained on all of {source}, tested on all of another corpus, on the emotions both have",
                other_corpora,
                track=track,
                base=f"cross_from_{source}",
                family=f"cross{ending}",
                trained_on=(source,),
            )
            for source in SOURCES
            for track, ending in (("blind", ""), ("adapted", "_adapted"))
        ),
        *(
            Protocol(
                f"leave_one_corpus_out{few}{copied}{ending}",
                f"trained on all of {', '.join(TOGETHER)} but the corpus to test on, "
                + ("on four emotions" if few else "on the emotions of both sides")
                + (_COPIED if copied else ""),
                deal,
                track=track,
                base=f"leave_one_corpus_out{few}",
                family=f"strangers{ending}",
                trained_on=TOGETHER,
                copies=COPIES if copied else None,
            )
            for few, deal in (("_4", _ON_FOUR), ("", other_corpora))
            for copied in ("", "_multi")
            for track, ending in (("blind", ""), ("adapted", "_adapted"))
        ),
        *(
            Protocol(
                f"{name}_adapted_m{heard}",
                f"{title}; {heard} unlabelled clips of a test speaker are used",
                deal,
                track="adapted",
                base=name,
                family=f"{name}_few",
                heard=heard,
            )
            for name, title, deal in (_LOSO, _EMOBOX)
            for heard in _FEW
        ),
        *(
            Protocol(
                f"{name}_degraded_{spoilt.name}",
                f"{title}; test clips degraded: {spoilt.kind}, {spoilt.level}",
                deal,
                base=name,
                family=f"{name}_degraded",
                degradation=spoilt.name,
            )
            for name, title, deal in (_LOSO, _EMOBOX)
            for spoilt in DEGRADATIONS.values()
        ),
        *(
            Protocol(
                f"{name}_multi_{spoilt.name}" if spoilt else f"{name}_multi",
                title + _COPIED + (f"; test clips degraded: {spoilt.kind}, {spoilt.level}" if spoilt else ""),
                deal,
                base=name,
                family=f"{name}_multi_degraded" if spoilt else "",
                copies=COPIES,
                degradation=spoilt.name if spoilt else None,
            )
            for name, title, deal in (_LOSO, _EMOBOX)
            for spoilt in (None, *DEGRADATIONS.values())
        ),
        *(
            Protocol(
                f"{name}_speakers{number}",
                f"{title}; {number} speakers are trained on",
                deal,
                base=name,
                family=f"{name}_speakers",
                speakers=number,
            )
            for name, title, deal in (_LOSO, _EMOBOX)
            for number in _TRAINED
        ),
    ],
)


def families() -> dict[str, list[Protocol]]:
    """Protocols that a suite lists under one name, by that name."""
    found: dict[str, list[Protocol]] = {}
    for protocol in PROTOCOLS.values():
        if protocol.family:
            found.setdefault(protocol.family, []).append(protocol)
    return found


def ordinary(base: str, track: str) -> Protocol:
    """The protocol with the folds of `base` on this track, under no condition.

    Raises
    ------
    SerClassicError
        There is none.
    """
    for protocol in PROTOCOLS.values():
        if (protocol.base, protocol.track) == (base, track) and not protocol.conditions(""):
            return protocol
    raise SerClassicError(f"{base}: no protocol has its folds on the {track} track")
