"""The predictor that comes with the package: four emotions, for real voices from outside its corpora.

It was fitted on RAVDESS and EMO-DB with degraded copies, and tested on other corpora.
`python -m ser_classic.predictor.shipped FOLDER` fits it again; with the same versions, the file is identical.
"""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

from ser_classic.degradations import COPIES
from ser_classic.predictor.core import Predictor, load_predictor

CORPORA = ("ravdess", "emodb")
STRANGERS = ("tess", "urdu")  # corpora to test it on
EMOTIONS = ("angry", "happy", "neutral", "sad")
FEATURES, MODEL = "portable", "fusion_linear"
NAME = "voices.skops"
LICENCE = (
    "CC BY-NC-SA 4.0, as RAVDESS (Livingstone and Russo 2018), on which it was fitted: not for commercial "
    "use. EMO-DB is CC0. The licence of the code is another, MIT"
)
PURPOSE = "a first answer on recordings of any kind; for your own kind of recordings, fit one on such"
NOTICE = (
    "no model named, so the package's own answers: four emotions, fitted on RAVDESS and EMO-DB (actors), not "
    "for commercial use"
)
MADE = "2026-11-28"  # fixed, so that a refit gives the same file


def load() -> Predictor:
    """Load the predictor."""
    with file() as path:
        return load_predictor(path)


def file() -> AbstractContextManager[Path]:
    """Context manager for the path of its file."""
    return as_file(files("ser_classic") / "data" / NAME)


def make(folder: Path, data: Path | None = None, cache: Path | None = None, jobs: int = 1) -> None:
    """Fit it on the corpora under `data`, test it on strangers, and write it into a folder."""
    from ser_classic.predictor.fitting import fit

    predictor = fit(
        CORPORA,
        FEATURES,
        MODEL,
        evaluate=False,
        copies=COPIES,
        emotions=EMOTIONS,
        across=True,
        facts={"Licence": LICENCE, "Purpose": PURPOSE},
        data=data,
        cache=cache,
        jobs=jobs,
    )
    predictor.card["created"] = MADE
    predictor.card["evaluation"] = among_strangers(predictor, data, cache, jobs)
    predictor.save(folder / NAME)


def among_strangers(
    predictor: Predictor, data: Path | None = None, cache: Path | None = None, jobs: int = 1
) -> dict[str, Any]:
    """Evaluation on the `STRANGERS`, each counting the same, in the form of a card."""
    import numpy as np
    import pandas as pd

    from ser_classic import statistics
    from ser_classic.corpora import load as load_corpus
    from ser_classic.features.extraction import extract
    from ser_classic.metrics import uar_of
    from ser_classic.runtime.engines import Local

    shares, uars, clips, speakers = [], ([], []), 0, 0  # UARs without and with adapt
    for name in STRANGERS:
        root, table, corpus = load_corpus(name, data, cache)
        table = table[table["emotion"].isin(predictor.classes)]
        features = extract(table, root, predictor.features, cache, Local(jobs), corpus.channel)
        for adapt in (False, True):
            guesses = pd.Series(index=table.index, dtype=object)
            for _, rows in table.groupby("speaker", sort=False).indices.items():
                judged = predictor.judge(features.values[rows], table.index[rows], adapt and len(rows) > 1)
                guesses.iloc[rows] = [emotion for emotion, *_ in judged]
            counts = statistics.count(table["emotion"], guesses, table["corpus"], predictor.classes).counts[0]
            uars[adapt].append(float(uar_of(counts)))
            if not adapt:
                shares.append(counts / counts.sum(axis=1, keepdims=True))
        clips, speakers = clips + len(table), speakers + table["speaker"].nunique()
    alone, adapted = (
        " and ".join(f"{name} {100 * uar:.1f} %" for name, uar in zip(STRANGERS, own, strict=True))
        for own in uars
    )
    mean = np.mean(shares, axis=0).round(4).tolist()
    return {
        "protocol": "strangers",
        "title": "corpora that took no part in the fit, each counting the same",
        "uar": float(np.mean(uars[False])),
        "uar_low": None,
        "uar_high": None,
        "clips": clips,
        "speakers": int(speakers),
        "classes": len(predictor.classes),
        "source": f"the mean of {alone}, which took no part in the fit; with --adapt {adapted}",
        "confusion": {
            truth: dict(zip(predictor.classes, row, strict=True))
            for truth, row in zip(predictor.classes, mean, strict=True)
        },
    }


if __name__ == "__main__":
    make(Path(sys.argv[1]))
