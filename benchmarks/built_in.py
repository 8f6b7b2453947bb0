"""Fit the built-in predictor on RAVDESS and EMO-DB, test it on other corpora, and write it into a folder.

    python benchmarks/built_in.py ser_classic/data

With the same versions of the libraries, the file is identical. Corpora and cache are found as by every
command (SER_DATA, SER_CACHE).
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ser_classic import fit, load
from ser_classic.degradations import COPIES
from ser_classic.features.extraction import extract
from ser_classic.metrics import confusion, uar_of
from ser_classic.predictor import BUILT_IN, Predictor
from ser_classic.predictor.describing import Described

CORPORA = ("ravdess", "emodb")
STRANGERS = ("tess", "urdu")  # corpora to test it on
EMOTIONS = ("angry", "happy", "neutral", "sad")
FEATURES, MODEL = "portable", "fusion_linear"
FACTS = {
    "Licence": (
        "CC BY-NC-SA 4.0, as RAVDESS (Livingstone and Russo 2018), on which it was fitted: not for commercial"
        " use. EMO-DB is CC0. The licence of the code is another, MIT"
    ),
    "Purpose": "a first answer on recordings of any kind; for your own kind of recordings, fit one on such",
}
MADE = "2026-11-28"  # fixed, so that a refit gives the same file


def main() -> None:
    """Fit, test and write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="where to write the predictor")
    folder = parser.parse_args().folder
    predictor = fit(
        CORPORA,
        FEATURES,
        MODEL,
        evaluate=False,
        copies=COPIES,
        emotions=EMOTIONS,
        across=True,
        facts=FACTS,
    )
    predictor.card["created"] = MADE
    predictor.card["evaluation"] = among_strangers(predictor)
    predictor.save(folder / BUILT_IN.name)


def among_strangers(predictor: Predictor) -> dict[str, Any]:
    """Evaluation on the `STRANGERS`, each counting the same, in the form of a card."""
    shares, uars, clips, speakers = [], ([], []), 0, 0  # UARs without and with adapt
    for name in STRANGERS:
        root, table, corpus = load(name)
        table = table[table["emotion"].isin(predictor.classes)]
        features = extract(table, root, predictor.features, channel=corpus.channel)
        for adapt in (False, True):
            guesses = pd.Series(index=table.index, dtype=object)
            for _, rows in table.groupby("speaker", sort=False).indices.items():
                described = [Described(table.index[row], vector=features.values[row]) for row in rows]
                answers = predictor.answer(described, adapt and len(rows) > 1)
                guesses.iloc[rows] = [answer["emotion"] for answer in answers]
            (counts,) = confusion(table["emotion"], guesses, predictor.classes)
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
    main()
