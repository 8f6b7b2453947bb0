"""Dimensions: arousal, valence and dominance of clips, as numbers."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ser_classic.corpora import CORPORA, CorpusError, Loaded
from ser_classic.registry import unknown
from ser_classic.vocabulary import DIMENSIONS


def rated(loaded: Loaded) -> Loaded:
    """A corpus as `load` gives it, whose clips table also has the dimensions that only the corpus knows."""
    ratings = {
        name: [f"{value:.3f}" for value in of(loaded.clips)] for name, of in loaded.corpus.ratings.items()
    }
    return loaded._replace(clips=loaded.clips.assign(**ratings)) if ratings else loaded


def values_of(clips: pd.DataFrame, dimension: str) -> np.ndarray:
    """One of `DIMENSIONS` of every clip [shape=(clips,)], on the corpus's own scale; of one corpus, `rated`.

    Examples
    --------
    >>> clips = pd.DataFrame({"corpus": "mine", "arousal": ["1.5", "4"]}, index=["mine/a", "mine/b"])
    >>> values_of(clips, "arousal")
    array([1.5, 4. ])
    """
    corpus = clips["corpus"].iloc[0]
    if dimension not in DIMENSIONS:
        raise CorpusError(unknown("dimensions", dimension, DIMENSIONS))
    if dimension not in clips:
        has = [name for name, known in CORPORA.items() if dimension in known.dimensions]
        raise CorpusError(
            f"{corpus}: its clips have no {dimension}; those of {', '.join(has)} do. For a corpus of your "
            f"own, add a column `{dimension}` of numbers to the manifest, or say which column of --labels it "
            f"is with --column COLUMN={dimension}"
        )
    values = pd.to_numeric(clips[dimension], errors="coerce").to_numpy(dtype=float)
    wrong = clips.index[~np.isfinite(values)]
    if len(wrong):
        found = clips.at[wrong[0], dimension]
        what = "missing" if pd.isna(found) else f"{found!r}, which is not a number"
        more = f" (one of {len(wrong)} such clips)" if len(wrong) > 1 else ""
        raise CorpusError(
            f"{corpus}: the {dimension} of {wrong[0]} is {what}{more}; complete the column, or leave "
            "such clips out"
        )
    if values.min() == values.max():
        raise CorpusError(
            f"{corpus}: the {dimension} of all clips is {values[0]:g}; there is nothing to predict"
        )
    return values
