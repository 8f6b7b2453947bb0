"""Protocols: how clips are dealt into folds, and what the system may know of the test speaker."""

from __future__ import annotations

from functools import partial

from ser_classic.degradations import DEGRADATIONS
from ser_classic.protocols.deals import (
    five_speaker_groups,
    holdout,
    leave_one_speaker_out,
    other_corpus,
    published,
    published_folds,
    random_five,
    unseen_text,
)
from ser_classic.protocols.protocol import Fold, Protocol, ProtocolError, require_two_clips
from ser_classic.registry import Registry

__all__ = [
    "FEW",
    "PROTOCOLS",
    "SOURCES",
    "Fold",
    "Protocol",
    "ProtocolError",
    "leave_one_speaker_out",
    "published_folds",
    "require_two_clips",
]

# Corpora to train on, and to be tested elsewhere
SOURCES = ("ravdess", "emodb", "tess", "savee", "crema_d", "emovo", "synthetic")
FEW = (0, 4, 8, 16, 32)  # unlabelled clips of a test speaker, beside all of them
_LOSO = ("loso", "leave one speaker out", leave_one_speaker_out)
_EMOBOX = ("emobox", "published speaker-disjoint folds", published)

PROTOCOLS: Registry[Protocol] = Registry(
    "protocols",
    [
        Protocol(*_LOSO),
        Protocol("loso_adapted", *_LOSO[1:], track="adapted"),
        Protocol("speakers5", "five groups of speakers", five_speaker_groups),
        Protocol("speakers5_adapted", "five groups of speakers", five_speaker_groups, track="adapted"),
        Protocol(*_EMOBOX),
        Protocol("emobox_adapted", *_EMOBOX[1:], track="adapted"),
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
                partial(other_corpus, source=source),
                track=ending[1:] or "blind",
                trained_on=source,
            )
            for source in SOURCES
            for ending in ("", "_adapted")
        ),
        *(
            Protocol(
                f"{name}_adapted_m{heard}",
                f"{title}; {heard} unlabelled clips of a test speaker are used",
                deal,
                track="adapted",
                heard=heard,
            )
            for name, title, deal in (_LOSO, _EMOBOX)
            for heard in FEW
        ),
        *(
            Protocol(
                f"{name}_degraded_{spoilt.name}",
                f"{title}; test clips degraded: {spoilt.kind}, {spoilt.level}",
                deal,
                degradation=spoilt.name,
            )
            for name, title, deal in (_LOSO, _EMOBOX)
            for spoilt in DEGRADATIONS.values()
        ),
    ],
)
