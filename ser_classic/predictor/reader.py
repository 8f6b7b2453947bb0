"""A small strict reader of skops files: our own few types, and no import of all of scikit-learn.

`skops.io` imports every estimator of scikit-learn to know what it may trust, which takes longer than all
the rest of a prediction. This reader knows the node types that our pipelines are made of (skops protocol 2)
and the types that they may name, and refuses the rest. It also checks what compiled code believes without
looking: the nodes of trees and the sizes in a support vector machine, which could crash the process.
"""

from __future__ import annotations

import importlib
import io
import json
import warnings
from typing import Any
from zipfile import ZipFile

import numpy as np

from ser_classic.errors import SerClassicError
from ser_classic.predictor import boosters

PROTOCOL = 2
LARGEST = 2**30  # [bytes] of all members together, unpacked
OWN = ("ser_classic.estimators.", "ser_classic.extras.deep.")  # every estimator below them is trusted
SKLEARN = frozenset(
    f"sklearn.{name}"
    for name in (
        "calibration.CalibratedClassifierCV",
        "calibration._CalibratedClassifier",
        "calibration._SigmoidCalibration",
        "calibration._TemperatureScaling",
        "decomposition._pca.PCA",
        "discriminant_analysis.LinearDiscriminantAnalysis",
        "discriminant_analysis.QuadraticDiscriminantAnalysis",
        "dummy.DummyClassifier",
        "ensemble._forest.ExtraTreesClassifier",
        "ensemble._forest.RandomForestClassifier",
        "feature_selection._univariate_selection.SelectKBest",
        "feature_selection._variance_threshold.VarianceThreshold",
        "impute._base.SimpleImputer",
        "linear_model._logistic.LogisticRegression",
        "linear_model._ridge.RidgeClassifier",
        "linear_model._ridge.Ridge",
        "naive_bayes.GaussianNB",
        "neighbors._classification.KNeighborsClassifier",
        "neural_network._multilayer_perceptron.MLPClassifier",
        "neural_network._stochastic_optimizers.AdamOptimizer",
        "neural_network._stochastic_optimizers.SGDOptimizer",
        "pipeline.Pipeline",
        "preprocessing._data.QuantileTransformer",
        "preprocessing._data.RobustScaler",
        "preprocessing._data.StandardScaler",
        "preprocessing._label.LabelBinarizer",
        "preprocessing._label.LabelEncoder",
        "svm._classes.LinearSVC",
        "svm._classes.SVC",
        "tree._classes.DecisionTreeClassifier",
        "tree._classes.ExtraTreeClassifier",
    )
)
BOOSTED = "ser_classic.estimators.boosting.BoostedTrees"
KEYS = {f"builtins.{kind.__name__}": kind for kind in (str, int, float, bool)}
SCALARS = {
    f"numpy.{name}": getattr(np, name) for name in ("bool_", "float32", "float64", "int32", "int64", "str_")
}
SCALARS["numpy.bool"] = np.bool_


class UntrustedError(SerClassicError):
    """A file that holds something that is none of the trusted types, or is put together wrongly."""


def read(archive: ZipFile) -> Any:
    """Rebuild the object of an open skops file.

    Raises
    ------
    UntrustedError
        It names an untrusted type, or is not what skops writes.
    """
    if sum(member.file_size for member in archive.infolist()) > LARGEST:
        raise UntrustedError(f"it would unpack to more than {LARGEST >> 30} GiB")
    try:
        schema = json.loads(archive.read("schema.json"))
        if schema["protocol"] != PROTOCOL:
            raise UntrustedError(
                f"it is of skops protocol {schema['protocol']}, expected {PROTOCOL}; fit it again"
            )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # other versions are refused with a reason of our own
            return _Builder(archive).build(schema)
    except SerClassicError:
        raise
    except Exception as error:  # the file is in other hands; whatever it makes Python say is its fault
        what = f"{type(error).__name__}: {error}".replace("\n", " ")
        raise UntrustedError(f"it is not put together as skops does it ({what})") from error


class _Builder:
    """Builds objects from nodes; a node met again is the same object."""

    def __init__(self, archive: ZipFile) -> None:
        self._archive = archive
        self._known: dict[int, Any] = {}

    def build(self, node: dict[str, Any]) -> Any:
        number = node.get("__id__")
        if number is not None and number in self._known:
            return self._known[number]
        name = f"{node['__module__']}.{node['__class__']}"
        maker = _MAKERS.get(node["__loader__"])
        if maker is None:
            raise UntrustedError(
                f"it holds {name!r} as a {node['__loader__']!r}, which no predictor of ours needs"
            )
        made = maker(self, node, name)
        if number is not None:
            self._known[number] = made
        return made

    def _json(self, node: dict[str, Any], name: str) -> Any:
        return json.loads(node["content"])

    def _list(self, node: dict[str, Any], name: str) -> list:
        _expect(name, "builtins.list")
        return [self.build(item) for item in node["content"]]

    def _tuple(self, node: dict[str, Any], name: str) -> tuple:
        _expect(name, "builtins.tuple")
        return tuple(self.build(item) for item in node["content"])

    def _dict(self, node: dict[str, Any], name: str) -> dict:
        _expect(name, "builtins.dict", "sklearn.utils._bunch.Bunch")
        kinds = self.build(node["key_types"])
        made = {
            kind(key): self.build(value)
            for kind, (key, value) in zip(kinds, node["content"].items(), strict=True)
        }
        return made

    def _type(self, node: dict[str, Any], name: str) -> type:
        known = KEYS | SCALARS
        _expect(name, *known)
        return known[name]

    def _bytes(self, node: dict[str, Any], name: str) -> bytes:
        _expect(name, "builtins.bytes")
        return self._archive.read(node["file"])

    def _array(self, node: dict[str, Any], name: str) -> Any:
        _expect(name, "numpy.ndarray", *SCALARS)
        if node["type"] == "numpy":
            content = np.load(io.BytesIO(self._archive.read(node["file"])), allow_pickle=False)
            return content if name == "numpy.ndarray" else SCALARS[name](content)
        shape = self.build(node["shape"])
        content = np.empty(len(node["content"]), dtype=object)
        for place, item in enumerate(node["content"]):
            content[place] = self.build(item)
        return content.reshape(shape)

    def _random_state(self, node: dict[str, Any], name: str) -> np.random.RandomState:
        _expect(name, "numpy.random.mtrand.RandomState")
        made = np.random.RandomState(0)
        made.set_state(self.build(node["content"]))
        return made

    def _object(self, node: dict[str, Any], name: str) -> Any:
        from sklearn.base import BaseEstimator

        if name not in SKLEARN and not name.startswith(OWN):
            raise UntrustedError(
                f"it holds {name!r}, which is not one of the types that a predictor is made of"
            )
        made_of = getattr(importlib.import_module(node["__module__"]), node["__class__"], None)
        if not isinstance(made_of, type) or (name.startswith(OWN) and not issubclass(made_of, BaseEstimator)):
            raise UntrustedError(f"it holds {name!r}, which is no estimator")
        state = self.build(node["content"])
        if "n_jobs" in state:
            state["n_jobs"] = 1  # a file does not decide how many processes a prediction starts
        made = made_of.__new__(made_of)
        if hasattr(made, "__setstate__"):
            made.__setstate__(state)
        else:
            made.__dict__.update(state)
        if name == "sklearn.svm._classes.SVC":
            _check_svc(made)
        if name == BOOSTED:
            boosters.check(made.booster_, made.n_features_in_, len(made.classes_))
        return made

    def _tree(self, node: dict[str, Any], name: str) -> Any:
        from sklearn.tree._tree import Tree

        _expect(name, "sklearn.tree._tree.Tree")
        features, classes, outputs = self.build(node["__reduce__"]["args"])
        state = self.build(node["content"])
        _check_tree(state["nodes"], state["values"], int(features), classes, int(outputs))
        made = Tree(int(features), np.asarray(classes, dtype=np.intp), int(outputs))
        made.__setstate__(state)
        return made


_MAKERS = {
    "JsonNode": _Builder._json,
    "ListNode": _Builder._list,
    "TupleNode": _Builder._tuple,
    "DictNode": _Builder._dict,
    "TypeNode": _Builder._type,
    "BytesNode": _Builder._bytes,
    "NdArrayNode": _Builder._array,
    "RandomStateNode": _Builder._random_state,
    "ObjectNode": _Builder._object,
    "TreeNode": _Builder._tree,
}


def _expect(name: str, *trusted: str) -> None:
    if name not in trusted:
        raise UntrustedError(f"it holds {name!r}, expected {' or '.join(trusted[:2])}")


def _check_tree(
    nodes: np.ndarray, values: np.ndarray, features: int, classes: np.ndarray, outputs: int
) -> None:
    """scikit-learn follows the children and feature numbers of a tree without looking whether they exist."""
    number = np.arange(len(nodes))
    left, right, feature = nodes["left_child"], nodes["right_child"], nodes["feature"]
    leaf = (left == -1) & (right == -1)
    inside = (left > number) & (right > number) & (left < len(nodes)) & (right < len(nodes))
    inside &= (feature >= 0) & (feature < features)
    shape = (len(nodes), outputs, int(np.max(classes)))
    if not len(nodes) or not (leaf | inside).all() or values.shape != shape:
        raise UntrustedError("it holds a decision tree whose branches lead nowhere")


def _check_svc(machine: Any) -> None:
    """libsvm trusts the counts that come with its arrays."""
    count, vectors = machine._n_support, machine.support_vectors_
    classes = len(machine.classes_)
    sound = (
        machine.kernel in ("linear", "rbf", "poly", "sigmoid")
        and not machine._sparse
        and vectors.ndim == 2
        and count.shape == (classes,)
        and (count >= 0).all()
        and count.sum() == len(vectors) == len(machine.support_)
        and machine._dual_coef_.shape == (classes - 1, len(vectors))
        and len(machine._intercept_) == classes * (classes - 1) // 2
        and vectors.shape[1] == machine.shape_fit_[1] == machine.n_features_in_
    )
    if not sound:
        raise UntrustedError("it holds a support vector machine whose parts do not fit together")
