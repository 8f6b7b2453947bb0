"""Turn a fitted scikit-learn pipeline into a machine of plain arrays that gives the same answers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from functools import singledispatch
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
from ser_classic.estimators import SVCCV, BoostedTrees, KernelRidgeClassifierCV, PrimalSVCCV
from ser_classic.features.inputs import Features
from ser_classic.machines import Machine, Neighbours

EQUAL = 1e-6  # largest difference allowed between probabilities of machine and pipeline
COMPARED = 500  # clips to compare them on


def freeze(pipeline: Any, features: Features, name: str) -> Machine:
    """The machine of a fitted pipeline, checked to give the same answers to the features it was fitted on.

    An estimator of your own may have a method `machine(X)` that returns a `ser_classic.machines.Machine`.
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
        own = last.machine(inputs) if hasattr(last, "machine") else _machine(last, inputs)
    machine = Machine((*parts, *own.parts), own.decision)
    count = len(features.clips)
    sample = features.take(np.unique(np.linspace(0, count - 1, COMPARED).astype(int)))
    if any(isinstance(part, Neighbours) for part in machine.parts):
        # Points midway between clips, as scikit-learn rounds the distance of a clip to itself
        X = sample.values
        midway = (X + np.roll(X, 1, axis=0)) / 2
        apart = np.flatnonzero((midway != X).any(axis=1))
        if len(apart):
            sample = replace(sample, values=midway[np.resize(apart, len(X))])
    _require_equal(pipeline, machine, sample, name)
    return machine


def _require_equal(pipeline: Any, machine: Machine, features: Features, name: str) -> None:
    """Raise an error if the machine predicts anything else than the pipeline."""
    X = features.table
    with wrap_errors(f"{name}: its arrays cannot predict"):
        choice, probabilities = machine.judge(features.array)
        words = pipeline.classes_[choice]
    classes = len(pipeline.classes_)
    sure = hasattr(pipeline, "predict_proba")
    if machine.sure != sure or (sure and probabilities.shape[1] != classes):
        raise SerClassicError(f"{name}: its arrays have other classes than its pipeline, or no probabilities")
    close = np.zeros(len(X), dtype=bool)  # too close to call
    if probabilities is not None:
        expected = np.asarray(pipeline.predict_proba(X))
        if (apart := float(np.abs(probabilities - expected).max(initial=0.0))) > EQUAL:
            raise SerClassicError(
                f"{name}: the probabilities of its arrays and its pipeline differ by {apart:.1e}"
            )
        first, second = np.sort(expected, axis=1)[:, :-3:-1].T if classes > 1 else (1.0, 0.0)
        close = first - second <= 2 * EQUAL
    guess = np.asarray(pipeline.predict(X))
    if guess.shape != choice.shape:
        raise SerClassicError(f"{name} gives predictions of shape {guess.shape} for {len(X)} clips")
    other = (words != guess) & ~close
    if other.any():
        raise SerClassicError(f"{name}: its arrays and its pipeline disagree on {other.sum()} clips")


@singledispatch
def _machine(estimator: Any, X: np.ndarray) -> Machine:
    raise SerClassicError(
        f"no conversion is known for {type(estimator).__name__}; give it a method `machine(X)` that "
        "returns a ser_classic.machines.Machine (docs/plug-ins.md has an example), or use another model"
    )


@_machine.register
def _(estimator: DummyClassifier, X: np.ndarray) -> Machine:
    if estimator.strategy != "prior":
        raise SerClassicError(f"strategy {estimator.strategy!r}; expected 'prior'")
    return Machine((machines.Constant(np.asarray(estimator.class_prior_)),), machines.Probabilities())


@_machine.register(LogisticRegression)
@_machine.register(LinearDiscriminantAnalysis)
def _(estimator: Any, X: np.ndarray) -> Machine:
    return Machine((_linear(estimator.coef_, estimator.intercept_),), machines.Scores(1.0))


def _linear(coefficients: np.ndarray, offset: np.ndarray, both: bool = False) -> machines.Linear:
    """Scores of the classes.

    A single score is that of the second of two classes; the first gets 0, or with `both` its negative.
    """
    if len(offset) == 1:
        other = -coefficients if both else np.zeros_like(coefficients)
        coefficients = np.concatenate([other, coefficients])
        offset = np.concatenate([-offset if both else np.zeros_like(offset), offset])
    return machines.Linear(np.ascontiguousarray(coefficients.T), np.asarray(offset))


@_machine.register
def _(estimator: KNeighborsClassifier, X: np.ndarray) -> Machine:
    if (estimator.weights, estimator.effective_metric_) != ("distance", "euclidean"):
        raise SerClassicError("expected weights='distance' and Euclidean distances")
    codes = _smallest(np.asarray(estimator._y))
    part = machines.Neighbours(_exact(X), codes, estimator.n_neighbors, len(estimator.classes_))
    return Machine((part,), machines.Probabilities())


@_machine.register
def _(estimator: SVC, X: np.ndarray) -> Machine:
    if hasattr(estimator, "predict_proba"):
        raise SerClassicError(
            "probability=True is not supported: its probabilities disagree with its predictions"
        )
    vectors = _exact(np.asarray(estimator.support_vectors_))
    return Machine((_margins(estimator, None, vectors),), machines.Pairs(None, estimator.break_ties))


@_machine.register
def _(estimator: SVCCV, X: np.ndarray) -> Machine:
    scaler, svc = estimator.scaler_, estimator.svc_
    decision = machines.Pairs(estimator.sharpness_, estimator.break_ties)
    if estimator.kernel == "linear":
        return Machine((scaler, _margins(svc, None, svc.support_vectors_)), decision)
    return Machine((_margins(svc, scaler, np.ascontiguousarray(X[svc.support_])),), decision)


def _margins(svc: SVC, scaler: machines.Standardise | None, vectors: np.ndarray) -> Any:
    """Margins of all pairs of classes, positive in favour of the first."""
    dual, offset = svc.dual_coef_, svc.intercept_
    if len(svc.classes_) == 2:  # scikit-learn's sign favours the second
        dual, offset = -dual, -offset
    ends = np.cumsum(svc.n_support_)
    own = [slice(end - count, end) for end, count in zip(ends, svc.n_support_, strict=True)]
    weights = np.zeros((len(vectors), len(offset)))
    for pair, (first, second) in enumerate(zip(*np.triu_indices(len(svc.classes_), 1), strict=True)):
        weights[own[first], pair] = dual[second - 1, own[first]]
        weights[own[second], pair] = dual[first, own[second]]
    if svc.kernel == "linear":
        return machines.Linear(vectors.T.astype(np.float64) @ weights, offset)
    if svc.kernel != "rbf":
        raise SerClassicError(f"kernel {svc.kernel!r}; expected 'linear' or 'rbf'")
    gamma = svc.gamma
    if isinstance(gamma, str):
        if gamma != "auto":
            raise SerClassicError(f"gamma={gamma!r}; expected a number or 'auto'")
        gamma = 1 / svc.n_features_in_
    return machines.Gaussians(scaler, vectors, float(gamma), weights, offset)


@_machine.register
def _(estimator: PrimalSVCCV, X: np.ndarray) -> Machine:
    linear = _linear(estimator.svc_.coef_, estimator.svc_.intercept_, both=True)
    return Machine((estimator.scaler_, linear), machines.Scores(estimator.sharpness_))


@_machine.register
def _(estimator: LinearSVC, X: np.ndarray) -> Machine:
    return Machine((_linear(estimator.coef_, estimator.intercept_, both=True),), machines.Scores(None))


@_machine.register
def _(estimator: KernelRidgeClassifierCV, X: np.ndarray) -> Machine:
    ridges = replace(estimator.ridges_, columns=tuple(map(_smallest, estimator.ridges_.columns)))
    classes = len(estimator.classes_)
    together = np.tile(np.eye(classes), (len(ridges.columns), 1)), np.zeros(classes)
    if estimator.weights_ is not None:  # stacked, not summed
        together = estimator.weights_, estimator.bias_
    parts = estimator.scaler_, ridges, machines.Linear(*together)
    return Machine(parts, machines.Scores(estimator.sharpness_))


@_machine.register(RandomForestClassifier)
@_machine.register(ExtraTreesClassifier)
def _(estimator: Any, X: np.ndarray) -> Machine:
    trees = [tree.tree_ for tree in estimator.estimators_]
    ends = [tree.children_left == -1 for tree in trees]
    values = [tree.value[end, 0] for tree, end in zip(trees, ends, strict=True)]
    leaves = np.concatenate(values)
    forest = _grown(
        [tree.feature for tree in trees],
        [_floored(tree.threshold) for tree in trees],
        [tree.children_left for tree in trees],
        [tree.children_right for tree in trees],
        leaves / leaves.sum(axis=1, keepdims=True),
        np.zeros(leaves.shape[1]),
        len(trees),
    )
    return Machine((forest,), machines.Probabilities())


@_machine.register
def _(estimator: BoostedTrees, X: np.ndarray) -> Machine:
    import xgboost

    booster = xgboost.Booster()
    booster.load_model(bytearray(estimator.booster_))
    # See XGBoost's documentation, "Introduction to Model IO"
    learner = json.loads(booster.save_raw("json"))["learner"]
    classes = len(estimator.classes_)
    base = np.array(json.loads(f"[{learner['learner_model_param']['base_score'].strip('[]')}]"), np.float32)
    trees = learner["gradient_booster"]["model"]["trees"]
    left = [np.array(tree["left_children"]) for tree in trees]
    conditions = [np.array(tree["split_conditions"], dtype=np.float32) for tree in trees]
    grown = _grown(
        [np.array(tree["split_indices"]) for tree in trees],
        # XGBoost goes left only below the threshold, not at it
        [np.nextafter(each, np.float32(-np.inf)) for each in conditions],
        left,
        [np.array(tree["right_children"]) for tree in trees],
        np.concatenate([each[end == -1] for each, end in zip(conditions, left, strict=True)])[:, None],
        np.broadcast_to(base, classes).copy(),
        1,
    )
    return Machine((grown,), machines.Scores(1.0))


def _grown(
    column: Sequence[np.ndarray],
    threshold: Sequence[np.ndarray],
    left: Sequence[np.ndarray],
    right: Sequence[np.ndarray],
    leaves: np.ndarray,
    base: np.ndarray,
    divisor: float,
) -> machines.Trees:
    """Trees from lists of nodes for each tree, with children as node numbers; -1 marks a leaf."""
    sizes = [len(each) for each in left]
    roots, own = np.cumsum([0, *sizes[:-1]]), np.concatenate([np.arange(size) for size in sizes])
    ends = np.concatenate(left) == -1
    further = [np.where(ends, 0, np.concatenate(each) - own) for each in (left, right)]
    depth, at = 0, roots
    while len(at := at[~ends[at]]):
        at, depth = np.concatenate([at + each[at] for each in further]), depth + 1
    return machines.Trees(
        _smallest(roots),
        _smallest(np.where(ends, 0, np.concatenate(column))),
        np.where(ends, 0, np.concatenate(threshold)).astype(np.float32),
        *map(_smallest, further),
        depth,
        leaves,
        base,
        float(divisor),
    )


@_machine.register
def _(estimator: MLPClassifier, X: np.ndarray) -> Machine:
    hidden = {"relu": "relu", "tanh": "tanh", "logistic": "logistic", "identity": None}[estimator.activation]
    parts: list[Any] = []
    *inner, last = zip(estimator.coefs_, estimator.intercepts_, strict=True)
    for weights, offset in inner:
        parts += [machines.Linear(weights, offset), *([machines.Activation(hidden)] if hidden else [])]
    parts.append(_linear(last[0].T, last[1]))
    return Machine(tuple(parts), machines.Scores(1.0))


def _floored(threshold: np.ndarray) -> np.ndarray:
    """Rounded down to single precision, which decides equally for single-precision features."""
    rounded = threshold.astype(np.float32)
    return np.where(rounded > threshold, np.nextafter(rounded, np.float32(-np.inf)), rounded)


def _exact(values: np.ndarray) -> np.ndarray:
    """In single precision, if that loses nothing."""
    single = values.astype(np.float32)
    return single if np.array_equal(single, values) else values


def _smallest(numbers: np.ndarray) -> np.ndarray:
    """Whole numbers in the smallest type that holds them."""
    return numbers.astype(np.min_scalar_type(int(numbers.max(initial=0))))
