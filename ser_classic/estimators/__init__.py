"""Estimators in scikit-learn's conventions that scikit-learn lacks.

SVCCV : support vector machine whose whole grid costs one kernel matrix per inner fold
PrimalSVCCV : linear support vector machine for any number of clips
KernelRidgeClassifierCV : class-balanced kernel ridge, one per feature group and kernel, scores summed
StackedKernelRidgeCV : the same, but a logistic regression weights the groups' scores
ShrunkStackingCV : the same, with the weights shrunk towards the plain sum
BoostedTrees : XGBoost for classes with any names, saved without pickle
inner_folds, held_out : folds by speaker; some speakers for validation
uar : unweighted average recall
balanced_weights : weights with which every class counts the same
"""

from ser_classic.estimators.boosting import BoostedTrees
from ser_classic.estimators.folds import balanced_weights, held_out, inner_folds, uar
from ser_classic.estimators.ridge import KernelRidgeClassifierCV
from ser_classic.estimators.stacking import ShrunkStackingCV, StackedKernelRidgeCV
from ser_classic.estimators.svc import SVCCV, PrimalSVCCV

__all__ = [
    "SVCCV",
    "BoostedTrees",
    "KernelRidgeClassifierCV",
    "PrimalSVCCV",
    "ShrunkStackingCV",
    "StackedKernelRidgeCV",
    "balanced_weights",
    "held_out",
    "inner_folds",
    "uar",
]
