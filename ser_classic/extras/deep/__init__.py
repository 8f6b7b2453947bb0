"""Deep models trained from scratch, in scikit-learn's convention; the only importer of PyTorch and skorch.

DeepClassifier can be made, described, cloned and loaded without PyTorch; to fit and to predict needs it.
"""

from ser_classic.extras.deep.estimator import DeepClassifier

__all__ = ["DeepClassifier"]
