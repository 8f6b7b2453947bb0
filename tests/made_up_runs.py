"""Runs nobody ran: plausible predictions drawn from a seed, to test what is read off predictions."""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from ser_classic.report.board import scored

CORPORA = {
    "ravdess": (24, 60, "neutral calm happy sad angry fear disgust surprise"),
    "emodb": (10, 54, "neutral happy sad angry fear disgust boredom"),
    "tess": (2, 280, "neutral happy sad angry fear disgust surprise"),
}
SKILL = {"prior": -9.0, "knn": 0.35, "xgboost": 0.8, "random_forest": 0.75}
SKILL |= {"svm_linear": 1.0, "svm_rbf": 1.15, "mlp": 1.1}
FEATURES = {"mfcc13": -0.35, "classic193": 0.0, "pooled": 0.35}
PROTOCOLS = {
    "loso": ("blind", False, 0.0),
    "loso_adapted": ("adapted", False, 0.5),
    "random5": ("blind", True, 0.9),
    "holdout25": ("blind", True, 0.8),
}
BASES = {"loso_adapted": "loso"}  # of which other protocols have the folds


@dataclass(frozen=True)
class MadeUp:
    """Looks like a stored run."""

    record: dict[str, Any]
    table: pd.DataFrame

    def predictions(self) -> pd.DataFrame:
        return self.table.copy()

    def answers(self) -> tuple[pd.DataFrame, dict[str, Any]]:
        return self.table[["fold", "clip"]], dict(self.table.drop(columns=["fold", "clip"]).items())


def clips(corpus: str) -> pd.DataFrame:
    """A clips table with the sizes of the corpus of that name."""
    return _clips(corpus)[0].copy()


@cache
def _clips(corpus: str) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """That table, and the number of the speaker and the emotion of each clip."""
    speakers, each, emotions = CORPORA[corpus]
    words = emotions.split()
    rows = [
        {
            "clip": f"{corpus}/{speaker:02d}/{number:03d}",
            "corpus": corpus,
            "speaker": f"{corpus}/{speaker:02d}",
            "emotion": words[number % len(words)],
            "label": words[number % len(words)][:2],
            "sex": "male" if speaker % 2 else "female",
            "sentence": f"s{number % 2}",
            "intensity": "strong" if number % 3 == 0 else "normal",
        }
        for speaker in range(1, speakers + 1)
        for number in range(each)
    ]
    table = pd.DataFrame(rows).set_index("clip")
    return table, np.repeat(np.arange(1, speakers + 1), each), table["emotion"].to_numpy(dtype=str)


def run(
    corpus: str,
    protocol: str,
    features: str,
    model: str,
    seed: int = 0,
    emotions: str = "",
    kind: tuple[str, bool, float] | None = None,
    **told: Any,
) -> MadeUp:
    """A run whose quality follows from the features, the model, the protocol and the speaker.

    `emotions` are those tested (all by default); `kind` that of a protocol that is not in `PROTOCOLS`, and
    `told` what its record tells beside the cell.
    """
    table, speakers, said = _clips(corpus)
    rows = np.flatnonzero(np.isin(said, emotions.split())) if emotions else np.arange(len(table))
    track, leaky, lift = kind or PROTOCOLS[protocol]
    rng = np.random.default_rng(abs(hash_of(f"{corpus}{protocol}{features}{model}{seed}")))
    words, truth = np.unique(said[rows], return_inverse=True)
    if protocol == "holdout25":
        kept = np.sort(rng.permutation(len(rows))[: len(rows) // 4])
        rows, truth = rows[kept], truth[kept]
    talent = np.random.default_rng(3).normal(0, 0.35, size=99)
    skill = 1.2 + SKILL[model] + FEATURES[features] + lift + talent[speakers[rows]]
    evidence = rng.normal(size=(len(rows), len(words)))
    evidence[np.arange(len(rows)), truth] += np.maximum(skill, 0)
    if model == "prior":
        evidence = np.tile(np.linspace(0.2, 0, len(words)), (len(rows), 1))
    folds = [f"{number:02d}" for number in speakers[rows]]
    frame = pd.DataFrame({"fold": folds, "clip": table.index[rows], "guess": words[evidence.argmax(axis=1)]})
    if model not in ("svm_linear", "svm_rbf"):
        odds = np.exp(1.6 * evidence)
        odds /= odds.sum(axis=1, keepdims=True)
        frame[[f"p_{word}" for word in words]] = odds.round(4)
    record = {
        "id": "--".join([corpus, protocol, features, model, str(seed)]),
        "corpus": corpus,
        "protocol": protocol,
        "track": track,
        "leaky": leaky,
        "base": BASES.get(protocol, protocol),
        "independent": not leaky,
        "features": features,
        "model": model,
        "seed": seed,
        "status": "ok",
        "parameters": {},
        "versions": {},
        "machine": {},
        "folds": [{"fold": fold, "chosen": {}} for fold in sorted(set(folds))],
        "size": 100_000,
        "fit_seconds": round(float(rng.gamma(2, 9)), 2),
        "predict_seconds": round(float(rng.gamma(2, 0.2)), 2),
        **told,
    }
    return MadeUp(record, frame)


def trained(
    corpus: str, protocol: str, features: str, model: str, estimator: str = "DeepClassifier"
) -> MadeUp:
    """A run whose record has what it took."""
    made = run(corpus, protocol, features, model)
    chosen = {"chosen": {"best_epoch": 5, "device": "cpu"}}
    record = made.record | {
        "parameters": {"model": {"estimator": estimator}},
        "folds": [fold | chosen for fold in made.record["folds"]],
    }
    return MadeUp(record, made.table)


def failed(corpus: str, protocol: str, features: str, model: str, error: str) -> MadeUp:
    """A run that came to nothing."""
    made = run(corpus, protocol, features, model)
    record = {**made.record, "status": "failed", "error": error}
    del record["fit_seconds"], record["predict_seconds"]
    return MadeUp(record, pd.DataFrame())


def grid(corpora: tuple[str, ...] = tuple(CORPORA)) -> Iterator[MadeUp]:
    """Every corpus, protocol, feature set and model, the perceptron with three seeds, and one failure."""
    for corpus in corpora:
        for protocol in PROTOCOLS:
            for features in FEATURES:
                for model in ("prior", "knn", "random_forest", "svm_linear", "svm_rbf", "mlp"):
                    for seed in range(3 if model == "mlp" else 1):
                        yield run(corpus, protocol, features, model, seed)
    yield failed(corpora[0], "loso", "pooled", "xgboost", "MemoryError: 2.1 GiB | <b>could not</b> be had")


@cache
def scored_grid(corpora: tuple[str, ...] = tuple(CORPORA)) -> pd.DataFrame:
    """The grid, scored once for all tests of a process."""
    return scored(grid(corpora), clips)


def hash_of(text: str) -> int:
    """A number that is the same in every process."""
    return zlib.crc32(text.encode())
