"""Deep models trained from scratch, in scikit-learn's convention, and the sequences of frames that they read.

`features` and `models` hold the entries of the tables; `training` and `networks` alone import PyTorch.
"""
