"""Corpora that their releases describe: a grammar of names, label files where there are any, and facts."""

from __future__ import annotations

from ser_classic.corpora.described.aesdd import AESDD
from ser_classic.corpora.described.ased import ASED
from ser_classic.corpora.described.baved import BAVED
from ser_classic.corpora.described.cafe import CAFE
from ser_classic.corpora.described.emov_db import EMOV_DB
from ser_classic.corpora.described.emozionalmente import EMOZIONALMENTE
from ser_classic.corpora.described.enterface import ENTERFACE
from ser_classic.corpora.described.esd import ESD
from ser_classic.corpora.described.iemocap import IEMOCAP, IEMOCAP6
from ser_classic.corpora.described.jl import JL
from ser_classic.corpora.described.meld import MELD
from ser_classic.corpora.described.msp_improv import MSP_IMPROV
from ser_classic.corpora.described.msp_podcast import MSP_PODCAST
from ser_classic.corpora.described.nemo import NEMO
from ser_classic.corpora.described.polish import POLISH
from ser_classic.corpora.described.ravdess_song import RAVDESS_SONG
from ser_classic.corpora.described.shemo import SHEMO, SHEMO_CORRECTED
from ser_classic.corpora.described.subesco import SUBESCO
from ser_classic.corpora.described.turev_db import TUREV_DB
from ser_classic.corpora.described.urdu import URDU

__all__ = ["DESCRIBED"]

DESCRIBED = [
    URDU,
    RAVDESS_SONG,
    CAFE,
    ESD,
    IEMOCAP,
    IEMOCAP6,
    JL,
    POLISH,
    SUBESCO,
    MSP_IMPROV,
    MSP_PODCAST,
    MELD,
    SHEMO,
    SHEMO_CORRECTED,
    ENTERFACE,
    NEMO,
    TUREV_DB,
    ASED,
    BAVED,
    AESDD,
    EMOV_DB,
    EMOZIONALMENTE,
]
