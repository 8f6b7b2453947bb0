"""Train on each fold, predict its test clips: python my_model.py folds.csv predictions.csv"""

import sys

import pandas as pd
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from ser_classic import FEATURES, extract, load

root, clips, _ = load("synthetic")
features = extract(clips, root, FEATURES["mfcc13"]).frame
folds = pd.read_csv(sys.argv[1], dtype=str)
predictions = []
for _, rows in folds.groupby("fold"):
    train, test = rows[rows["part"] == "train"], rows[rows["part"] == "test"]
    model = LinearDiscriminantAnalysis()  # or any model of any library
    model.fit(features.loc[train["clip"]], train["emotion"])
    guesses = model.predict(features.loc[test["clip"]])
    predictions.append(test[["fold", "clip"]].assign(emotion=guesses))
table = pd.concat(predictions)
table.to_csv(sys.argv[2], index=False)
print(f"{sys.argv[2]}: {len(table)} predictions in {len(predictions)} folds")
