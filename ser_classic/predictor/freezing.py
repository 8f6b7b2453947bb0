"""Turn a fitted scikit-learn pipeline into a machine of plain arrays that gives the same answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, LinearSVC

from ser_classic import machines
from ser_classic.errors import SerClassicError, wrap_errors
from ser_classic.estimators.svc import kernel_machine
from ser_classic.features.inputs import Features
from ser_classic.machines import Linear, Machine, Neighbours
from ser_classic.machines.formulas import exact, sampled, smallest

EQUAL = 1e-6  # largest difference allowed between probabilities of machine and pipeline
COMPARED = 500  # clips to compare them on


def freeze(pipeline: Any, features: Features, name: str) -> Machine:
    """The machine of a fitted pipeline, checked to give the same answers to features like those of the fit.

    Ours have a method `machine(X)` that returns it, and an estimator of your own may have one.
    """
    *before, last = (step for _, step in pipeline.steps)
    parts: list[Any] = []
    inputs = features.array
    for step in before:
        if not isinstance(step, StandardScaler):
            raise SerClassicError(f"{type(step).__name__} stands before the model; only StandardScaler may")
        # In the precision of the features, as in scikit-learn
        mean, scale = (each.astype(inputs.dtype) for each in (step.mean_, step.scale_))
        parts.append(machines.Standardise(mean, scale))
        inputs = parts[-1](inputs)
    with wrap_errors(f"{name}: its {type(last).__name__} cannot be saved as arrays"):
        own = last.machine(inputs) if hasattr(last, "machine") else _conversion(last)(last, inputs)
    machine = Machine((*parts, *own.parts), own.decision)
    sample = features.take(sampled(len(features.clips), COMPARED))
    # Not these very clips, as scikit-learn rounds the distance of a clip to itself
    _require_equal(pipeline, machine, replace(sample, values=1.001 * sample.values), name)
    return machine


def _require_equal(pipeline: Any, machine: Machine, features: Features, name: str) -> None:
    """Raise an error if the machine predicts anything else than the pipeline."""
    with wrap_errors(f"{name}: its arrays do not predict as its pipeline does"):
        choice, probabilities = machine.classify(features.array)
        other = pipeline.classes_[choice] != pipeline.predict(features.table)
        if machine.has_probabilities != hasattr(pipeline, "predict_proba"):
            raise ValueError("one of them has no probabilities")
        if machine.has_probabilities:
            expected = np.asarray(pipeline.predict_proba(features.table))
            if (apart := float(np.abs(probabilities - expected).max(initial=0.0))) > EQUAL:
                raise ValueError(f"probabilities differ by {apart:.1e}")
            *_, second, first = np.sort(expected, axis=1).T
            other &= first - second > 2 * EQUAL  # else too close to call
        if other.any():
            raise ValueError(f"other answers to {other.sum()} of {len(other)} clips")


def _prior(estimator: DummyClassifier, X: np.ndarray) -> Machine:
    if estimator.strategy != "prior":
        raise SerClassicError(f"strategy {estimator.strategy!r}; expected 'prior'")
    return Machine((machines.Constant(np.asarray(estimator.class_prior_)),), machines.Probabilities())


def _softmax(estimator: LogisticRegression | LinearDiscriminantAnalysis, X: np.ndarray) -> Machine:
    return Machine((Linear.of(estimator.coef_, estimator.intercept_),), machines.Scores(1.0))


def _linear_svc(estimator: LinearSVC, X: np.ndarray) -> Machine:
    return Machine((Linear.of(estimator.coef_, estimator.intercept_, both=True),), machines.Scores(None))


def _neighbours(estimator: KNeighborsClassifier, X: np.ndarray) -> Machine:
    if (estimator.weights, estimator.effective_metric_) != ("distance", "euclidean"):
        raise SerClassicError("expected weights='distance' and Euclidean distances")
    part = Neighbours(exact(X), smallest(estimator._y), estimator.n_neighbors, len(estimator.classes_))
    return Machine((part,), machines.Probabilities())


def _svc(estimator: SVC, X: np.ndarray) -> Machine:
    if hasattr(estimator, "predict_proba"):
        raise SerClassicError(
            "probability=True is not supported: its probabilities disagree with its predictions"
        )
    last = kernel_machine(estimator, np.asarray(estimator.support_vectors_))
    return Machine((last,), machines.Pairs(None, estimator.break_ties))


def _forest(estimator: RandomForestClassifier | ExtraTreesClassifier, X: np.ndarray) -> Machine:
    trees = [tree.tree_ for tree in estimator.estimators_]
    leaves = np.concatenate([tree.value[tree.children_left == -1, 0] for tree in trees])
    forest = machines.Trees.of(
        [tree.feature for tree in trees],
        [_floored(tree.threshold) for tree in trees],
        [tree.children_left for tree in trees],
        [tree.children_right for tree in trees],
        leaves / leaves.sum(axis=1, keepdims=True),
        np.zeros(leaves.shape[1]),
        float(len(trees)),
    )
    return Machine((forest,), machines.Probabilities())


def _perceptron(estimator: MLPClassifier, X: np.ndarray) -> Machine:
    hidden = {"relu": "relu", "tanh": "tanh", "logistic": "logistic", "identity": None}[estimator.activation]
    parts: list[Any] = []
    *inner, last = zip(estimator.coefs_, estimator.intercepts_, strict=True)
    for weights, offset in inner:
        parts += [Linear(weights, offset), *([machines.Activation(hidden)] if hidden else [])]
    parts.append(Linear.of(last[0].T, last[1]))
    return Machine(tuple(parts), machines.Scores(1.0))


def _floored(threshold: np.ndarray) -> np.ndarray:
    """Rounded down to single precision, which decides equally for single-precision features."""
    rounded = threshold.astype(np.float32)
    return np.where(rounded > threshold, np.nextafter(rounded, np.float32(-np.inf)), rounded)


# From a fitted estimator of scikit-learn, and the features that it was fitted to [shape=(n, d)].
CONVERSIONS: dict[type, Callable[[Any, np.ndarray], Machine]] = {
    DummyClassifier: _prior,
    LogisticRegression: _softmax,
    LinearDiscriminantAnalysis: _softmax,
    LinearSVC: _linear_svc,
    KNeighborsClassifier: _neighbours,
    SVC: _svc,
    RandomForestClassifier: _forest,
    ExtraTreesClassifier: _forest,
    MLPClassifier: _perceptron,
}


def _conversion(estimator: Any) -> Callable[[Any, np.ndarray], Machine]:
    for kind, conversion in CONVERSIONS.items():
        if isinstance(estimator, kind):
            return conversion
    raise SerClassicError(
        f"no conversion is known for {type(estimator).__name__}; give it a method `machine(X)` that "
        "returns a ser_classic.machines.Machine (docs/plug-ins.md has an example), or use another model"
    )
