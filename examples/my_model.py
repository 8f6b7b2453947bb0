"""A model of your own on folds of this benchmark: `python examples/my_model.py folds.csv predictions.csv`.

Any library would do in the place of scikit-learn; what counts is the table it reads and the one it writes.
"""

from __future__ import annotations

import sys

import pandas as pd
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from ser_classic import FEATURES, extract, load

root, clips, _ = load("synthetic")
features = extract(clips, root, FEATURES["mfcc13"]).frame
folds = pd.read_csv(sys.argv[1], dtype=str)
predictions = []
for fold, rows in folds.groupby("fold"):
    train, test = rows[rows["part"] == "train"], rows[rows["part"] == "test"]
    model = LinearDiscriminantAnalysis().fit(features.loc[train["clip"]], train["emotion"])
    guesses = model.predict(features.loc[test["clip"]])
    predictions.append(pd.DataFrame({"fold": fold, "clip": test["clip"], "emotion": guesses}))
pd.concat(predictions).to_csv(sys.argv[2], index=False)
