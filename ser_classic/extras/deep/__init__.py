"""Deep models trained from scratch, as scikit-learn estimators, and the sequences of frames that they read.

`features` and `models` have the entries of the tables; only `training` and `networks` import PyTorch.
"""
