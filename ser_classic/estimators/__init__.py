"""Estimators in scikit-learn's convention that scikit-learn itself does not have.

SVCCV : support vector machine whose whole grid costs one kernel matrix per inner fold
PrimalSVCCV : linear support vector machine for as many clips as there may be
KernelRidgeClassifierCV : class-balanced kernel ridge, one per feature group and kernel, scores summed
StackedKernelRidgeCV : the same, the groups' scores weighed by a logistic regression
ShrunkStackingCV : the same, the weights drawn towards the plain sum
BoostedTrees : XGBoost with words for labels, one thread and a saved form without pickle
inner_folds, held_out : folds by speaker, and one part of the speakers to validate on
uar : unweighted average recall
balanced_weights : weights under which every class counts the same
"""

from ser_classic.estimators.boosting import BoostedTrees
from ser_classic.estimators.folds import balanced_weights, held_out, inner_folds, uar
from ser_classic.estimators.primal import PrimalSVCCV
from ser_classic.estimators.ridge import KernelRidgeClassifierCV
from ser_classic.estimators.stacking import ShrunkStackingCV, StackedKernelRidgeCV
from ser_classic.estimators.svc import SVCCV

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
