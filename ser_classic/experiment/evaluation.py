"""One experiment without a store: a model under a protocol."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, clone

from ser_classic.errors import SerClassicError, some
from ser_classic.experiment.fold import Trial, predictions_of, run_folds
from ser_classic.experiment.preparation import labels_and_folds
from ser_classic.features.inputs import Features
from ser_classic.models import Model, model_for
from ser_classic.protocols import PROTOCOLS, Protocol
from ser_classic.runtime.engines import SERIAL, Engine
from ser_classic.vocabulary import EMOTION


def evaluate(
    clips: pd.DataFrame,
    features: Features | pd.DataFrame,
    model: Model | str | BaseEstimator,
    protocol: Protocol | str,
    seed: int = 0,
    degraded: Features | None = None,
    copies: Sequence[Features] = (),
    engine: Engine = SERIAL,
    target: str = EMOTION,
) -> pd.DataFrame:
    """Predictions of one model under one protocol.

    Parameters
    ----------
    clips : pd.DataFrame
        A clips table; where the protocol trains on another corpus, the clips of both.
    features : Features or pd.DataFrame
        Of the same clips, in the same order; or a DataFrame with one row per clip, by name.
    model : Model, str or estimator
        An entry of MODELS (REGRESSORS, for a dimension), its name, or an estimator of scikit-learn's kind
        (a Pipeline, too), which is fitted as it is: one copy per fold, neither scaled nor tuned here. If it
        has a search of its own, this gets folds by speaker as `cv`.
    protocol : Protocol or str
        An entry of PROTOCOLS or its name.
    seed : int
        Of everything random in both.
    degraded : Features, optional
        Of the same clips as the protocol degrades them: what is tested.
    copies : sequence of Features
        Of as many degraded copies of the same clips as the protocol trains on, each by a `training_copy`.
    engine : Engine
        Who runs the folds; see `engines`.
    target : str
        What is predicted: `emotion`, or one of `DIMENSIONS`, a column of numbers of the clips.

    Returns
    -------
    pd.DataFrame
        Columns fold, clip, guess and `p_<emotion>` where the model has probabilities; of a dimension, fold,
        clip and the dimension.

    Raises
    ------
    SerClassicError
        The clips cannot be split so, the features are not of these clips in this order, or the protocol
        degrades them and `degraded` is absent, or trains on another number of copies than are given; or an
        emotion is never trained where it is tested.

    Examples
    --------
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from ser_classic import FEATURES, extract, load
    >>> root, clips, corpus = load("synthetic")
    >>> features = extract(clips, root, FEATURES["mfcc13"])
    >>> predictions = evaluate(clips, features, GaussianNB(), "speakers5")
    >>> list(predictions.columns[:4]), len(predictions)
    (['fold', 'clip', 'guess', 'p_angry'], 504)
    """
    protocol = PROTOCOLS[protocol] if isinstance(protocol, str) else protocol
    if isinstance(model, str):
        model = model_for(target, model)
    elif not isinstance(model, Model):
        given = model
        model = Model(type(given).__name__.lower(), "", lambda seed: clone(given), scale=False)
    if isinstance(features, pd.DataFrame):
        missing = clips.index.difference(features.index)
        if len(missing) or features.index.has_duplicates:
            wrong = (
                f"{len(missing)} clips are missing, such as {missing[0]}" if len(missing) else "a clip twice"
            )
            raise SerClassicError(f"the DataFrame must have one row per clip, indexed by its name; {wrong}")
        words = features.columns[[kind.kind not in "fiub" for kind in features.dtypes]]
        if len(words):
            raise SerClassicError(f"the DataFrame has columns without numbers: {some(words)}; leave them out")
        values = features.loc[clips.index].to_numpy(dtype=np.float32)
        features = Features(clips.index, tuple(map(str, features.columns)), values)
    if not isinstance(features, Features):
        raise SerClassicError(
            f"the features are {type(features).__name__}; expected what `extract` gives, or a DataFrame with "
            "one row per clip, indexed by its name (pd.DataFrame(X, clips.index))"
        )
    if (protocol.degradation is None) != (degraded is None):
        raise SerClassicError(
            f"{protocol.name} tests on {protocol.degradation or 'the clips as they are'}; `degraded`, the "
            "features of the degraded clips, is for a protocol that degrades them, and required there"
        )
    if len(copies) != (protocol.copies or 0):
        raise SerClassicError(
            f"{protocol.name} trains on {protocol.copies or 'no'} degraded copies of each clip; `copies` "
            f"has the features of {len(copies)}"
        )
    for part in (features, degraded, *copies):
        if part is not None and not part.clips.equals(clips.index):
            raise SerClassicError("the features are not of these clips in this order; extract them again")
    labels, folds = labels_and_folds(protocol, clips, seed, target, set())
    name, parts = f"{protocol.name}, {model.name}", [(each,) for each in copies]
    trial = Trial(name, (features,), labels, folds, model, protocol, seed, degraded, parts)
    ((_, done),) = run_folds([[trial]], engine)
    for (result,) in done:
        if isinstance(result, SerClassicError):
            raise result
    return predictions_of(trial, [result for (result,) in done])
