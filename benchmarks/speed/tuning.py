"""How fast nested tuning is beside the plain way, and whether both choose and predict the same.

    python benchmarks/speed/tuning.py [--json FILE] [--rounds 3]

Support vector machines stand beside GridSearchCV over a pipeline, the kernel ridge beside itself fitted for
one penalty after the other. Four inner speaker folds, one thread. The features are `pooled` of RAVDESS if
$SER_DATA holds it, else random numbers of its size. Both ways take turns, so that what else the machine does
falls on both alike; a ratio is one of medians.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from threadpoolctl import threadpool_limits

from ser_classic.corpora import available, load
from ser_classic.estimators import SVCCV, KernelRidgeClassifierCV, inner_folds
from ser_classic.features import FEATURES
from ser_classic.features.extraction import extract
from ser_classic.runtime.provenance import machine, versions

CS = {"linear": (0.0001, 0.001, 0.01, 0.1, 1.0), "rbf": (1.0, 3.0, 10.0, 30.0)}
GAMMAS = (0.1, 0.3, 1.0)  # in units of 1 / n_features
ALPHAS = tuple(np.logspace(-3, 1, 17).round(6).tolist())
TEST_SPEAKERS = 4

Splits = list[tuple[np.ndarray, np.ndarray]]
# Fits on (X, y, inner folds); gives the chosen parameters and a function that predicts.
Way = Callable[[np.ndarray, np.ndarray, Splits], tuple[dict[str, Any], Callable]]


def data() -> tuple[str, np.ndarray, np.ndarray, np.ndarray]:
    """Name, features [shape=(n, d), float64], emotions and speakers of the clips to tune on."""
    if "ravdess" in available():
        root, clips, corpus = load("ravdess")
        features = extract(clips, root, FEATURES["pooled"], channel=corpus.channel)
        X = np.asarray(features.values, dtype=np.float64)
        return "pooled of RAVDESS", X, clips["emotion"].to_numpy(str), clips["speaker"].to_numpy(str)
    generator = np.random.default_rng(0)
    speaker, y = np.repeat(np.arange(24), 60), np.tile(np.arange(60) % 8, 24)
    centres = generator.normal(size=(8, 920)) * 0.3
    X = generator.normal(size=(1440, 920)) + centres[y] + generator.normal(size=(24, 920))[speaker]
    return "random numbers", X, y.astype(str), speaker.astype(str)


def svm(kernel: str) -> tuple[Way, Way]:
    """SVCCV, and a grid search over a pipeline."""

    def ours(X: np.ndarray, y: np.ndarray, splits: Splits) -> tuple[dict, Callable]:
        model = SVCCV(kernel, Cs=CS[kernel], gammas=GAMMAS, cv=splits).fit(X, y)
        return model.best_params_, model.predict

    def plain(X: np.ndarray, y: np.ndarray, splits: Splits) -> tuple[dict, Callable]:
        grid: dict[str, Any] = {"svc__C": CS[kernel]}
        if kernel == "rbf":
            grid["svc__gamma"] = [gamma / X.shape[1] for gamma in GAMMAS]
        classifier = SVC(kernel=kernel, class_weight="balanced", break_ties=True)
        search = GridSearchCV(
            make_pipeline(StandardScaler(), classifier), grid, cv=splits, scoring="balanced_accuracy"
        ).fit(X, y)
        chosen = {"C": search.best_params_["svc__C"]}
        if kernel == "rbf":
            chosen["gamma"] = GAMMAS[grid["svc__gamma"].index(search.best_params_["svc__gamma"])]
        return chosen, search.predict

    return ours, plain


def ridge() -> tuple[Way, Way]:
    """The kernel ridge's own grid, and a fit for every penalty and fold."""

    def ours(X: np.ndarray, y: np.ndarray, splits: Splits) -> tuple[dict, Callable]:
        model = KernelRidgeClassifierCV(alphas=ALPHAS, cv=splits).fit(X, y)
        return model.best_params_, model.predict

    def plain(X: np.ndarray, y: np.ndarray, splits: Splits) -> tuple[dict, Callable]:
        search = GridSearchCV(
            KernelRidgeClassifierCV(), {"alpha": ALPHAS}, cv=splits, scoring="balanced_accuracy"
        )
        search.fit(X, y)
        return search.best_params_, search.predict

    return ours, plain


def compare(
    title: str, ways: tuple[Way, Way], X: np.ndarray, y: np.ndarray, speakers: np.ndarray, rounds: int
) -> dict[str, Any]:
    """Times [s] of both ways in turns, what they choose, and how often they predict alike."""
    test = np.isin(speakers, np.unique(speakers)[:TEST_SPEAKERS])
    splits = inner_folds(y[~test], speakers[~test])
    seconds: tuple[list[float], list[float]] = ([], [])
    chosen, guesses = [{}, {}], [y[test], y[test]]
    for _ in range(rounds):
        for number, way in enumerate(ways):
            start = time.perf_counter()
            chosen[number], predict = way(X[~test], y[~test], splits)
            seconds[number].append(time.perf_counter() - start)
            guesses[number] = predict(X[test])
    ours, plain = (float(np.median(part)) for part in seconds)
    return {
        "title": title,
        "ours_s": ours,
        "plain_s": plain,
        "ratio": plain / ours,
        "chosen": chosen[0],
        "same_choice": chosen[0] == chosen[1],
        "same_predictions": float(np.mean(guesses[0] == guesses[1])),
        "uar": float(balanced_accuracy_score(y[test], guesses[0])),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything measured here")
    parser.add_argument("--rounds", type=int, default=3, help="how often each (3)")
    arguments = parser.parse_args()
    name, X, y, speakers = data()
    print(f"{name}: {X.shape[0]} clips x {X.shape[1]} features, four inner speaker folds, one thread\n")
    print(f"{'':<28}{'ours':>9}{'plain':>9}{'ratio':>8}  same choice, predictions")
    rows = []
    with threadpool_limits(1):
        for title, ways in (
            ("svm, linear, 5 settings", svm("linear")),
            ("svm, rbf, 12 settings", svm("rbf")),
            (f"kernel ridge, {len(ALPHAS)} settings", ridge()),
        ):
            row = compare(title, ways, X, y, speakers, arguments.rounds)
            rows.append(row)
            print(
                f"{title:<28}{row['ours_s']:>7.2f} s{row['plain_s']:>7.2f} s{row['ratio']:>8.1f}  "
                f"{'yes' if row['same_choice'] else 'NO'}, {row['same_predictions']:.1%}  {row['chosen']}"
            )
    if arguments.json:
        result = {"machine": machine(), "versions": versions(), "data": name, "shape": X.shape, "rows": rows}
        arguments.json.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
