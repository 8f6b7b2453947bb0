"""Parts of a corpus that published recipes confine themselves to, under names of their own."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

import pandas as pd

from ser_classic.corpora.clips import Corpus, CorpusError
from ser_classic.corpora.ravdess import RAVDESS


def only(corpus: Corpus, name: str, emotions: tuple[str, ...], clips: int) -> Corpus:
    """The clips of some emotions of a corpus.

    It lies where the corpus lies, and its clips and speakers keep their names; it is verified and downloaded
    as the whole.

    Parameters
    ----------
    corpus : Corpus
    name : str
        Of the part: in the table, on the command line, in the names of runs.
    emotions : tuple of str
    clips : int
        How many there are.
    """
    return replace(
        corpus,
        name=name,
        title=f"{corpus.title}: {', '.join(emotions)} only",
        scan=partial(_scan, corpus=corpus, emotions=emotions),
        clips=clips,
        parse=None,
        checksums=None,
        folders=(corpus.name, *corpus.folders),
        identical=(),
        archive=None,
        files_url=None,
        part_of=corpus.name,
        emotions=emotions,
    )


def _scan(root: Path, corpus: Corpus, emotions: tuple[str, ...]) -> pd.DataFrame:
    clips = corpus.scan(root)
    clips = clips[clips["emotion"].isin(list(emotions))]
    if clips.empty:
        raise CorpusError(
            f"{corpus.name}: no clip of {', '.join(emotions)} under {root}. {corpus.remedy('them')}"
        )
    return clips


RAVDESS4 = only(RAVDESS, "ravdess4", ("calm", "happy", "fear", "disgust"), clips=768)
