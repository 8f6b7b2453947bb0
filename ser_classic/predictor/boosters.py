"""Checking XGBoost's trees before XGBoost sees them: it follows numbers without looking, and crashes."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np

DEEPEST = 16  # levels of objects and lists; XGBoost's have eight
PER_NODE = (
    "base_weights",
    "default_left",
    "left_children",
    "loss_changes",
    "parents",
    "right_children",
    "split_conditions",
    "split_indices",
    "split_type",
    "sum_hessian",
)
NO_CATEGORIES = ("categories", "categories_nodes", "categories_segments", "categories_sizes")
NUMBERS = {"U": ">u1", "i": ">i1", "I": ">i2", "l": ">i4", "L": ">i8", "d": ">f4", "D": ">f8"}


def check(booster: np.ndarray, features: int, classes: int) -> None:
    """Refuse boosted trees whose parts do not fit together.

    Parameters
    ----------
    booster : np.ndarray [shape=(bytes,), dtype=uint8]
        In XGBoost's UBJSON format (XGBoost documentation, "Introduction to Model IO").
    features, classes : int
        What the trees should read and give.

    Raises
    ------
    ValueError
        Not UBJSON, or a tree that leads outside its arrays; other errors of Python where a part is missing.
    """
    if booster.dtype != np.uint8 or booster.ndim != 1:
        raise ValueError("the trees are no bytes")
    reader = _Reader(booster.tobytes())
    learner = reader.value()["learner"]
    if reader.place != len(reader.data):
        raise ValueError("something follows the trees")
    shape = learner["learner_model_param"]
    booster_ = learner["gradient_booster"]
    model = booster_["model"]
    trees = model["trees"]
    sound = (
        booster_["name"] == "gbtree"
        and learner["objective"]["name"] == "multi:softprob"
        and learner["objective"]["softmax_multiclass_param"]["num_class"] == str(classes)
        and shape["num_class"] == str(classes)
        and shape["num_feature"] == str(features)
        and shape["num_target"] == "1"
        and len(_scores(shape["base_score"])) in (1, classes)
        and not any(len(part) for part in model.get("cats", {}).values())
        and int(model["gbtree_model_param"]["num_trees"]) == len(trees) == len(model["tree_info"])
        and model["gbtree_model_param"]["num_parallel_tree"] == "1"
        and list(model["tree_info"]) == [number % classes for number in range(len(trees))]
        and list(model["iteration_indptr"]) == list(range(0, len(trees) + 1, classes))
        and len(trees) % classes == 0
        and all(_is_sound(tree, number, features) for number, tree in enumerate(trees))
    )
    if not sound:
        raise ValueError("boosted trees whose parts do not fit together")


def _scores(text: str) -> list[float]:
    """`[0E0,0E0]` or `5E-1`."""
    return [float(part) for part in text.strip("[]").split(",")]


def _is_sound(tree: dict[str, Any], number: int, features: int) -> bool:
    nodes = len(tree["left_children"])
    if not nodes or any(len(tree[name]) != nodes for name in PER_NODE):
        return False
    if any(len(tree[name]) for name in NO_CATEGORIES) or np.asarray(tree["split_type"]).any():
        return False
    parameters = tree["tree_param"]
    wanted = {"num_nodes": nodes, "num_feature": features, "num_deleted": 0, "size_leaf_vector": 1}
    if tree["id"] != number or any(parameters[name] != str(value) for name, value in wanted.items()):
        return False
    own = np.arange(nodes)
    left, right = np.asarray(tree["left_children"]), np.asarray(tree["right_children"])
    splits, parents = np.asarray(tree["split_indices"]), np.asarray(tree["parents"])
    leaf = (left == -1) & (right == -1)
    inside = (left > own) & (right > own) & (left < nodes) & (right < nodes)
    inner = ~leaf
    return bool(
        (leaf | inside).all()
        and ((splits >= 0) & (splits < features)).all()
        and (parents[left[inner]] == own[inner]).all()
        and (parents[right[inner]] == own[inner]).all()
    )


class _Reader:
    """The part of UBJSON (ubjson.org, draft 12) that XGBoost writes."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.place = 0
        self.depth = 0

    def value(self, kind: str = "") -> Any:
        kind = kind or self._take(1).decode()
        if kind in NUMBERS:
            return self._array(kind, 1)[0].item()
        if kind == "S":
            return self._text()
        self.depth += 1
        if self.depth > DEEPEST:
            raise ValueError("objects within objects without end")
        made = self._object() if kind == "{" else self._list() if kind == "[" else None
        if made is None:
            raise ValueError(f"a value of kind {kind!r}")
        self.depth -= 1
        return made

    def _object(self) -> dict[str, Any]:
        made = {}
        while self._peek() != "}":
            key = self._text()
            made[key] = self.value()
        self.place += 1
        return made

    def _list(self) -> Any:
        kind = ""
        if self._peek() == "$":
            self.place += 1
            kind = self._take(1).decode()
        if self._peek() != "#":
            raise ValueError("a list of unknown length")
        self.place += 1
        count = self._count()
        return self._array(kind, count) if kind else [self.value() for _ in range(count)]

    def _array(self, kind: str, count: int) -> np.ndarray:
        size = np.dtype(NUMBERS[kind]).itemsize
        return np.frombuffer(self._take(size * count), dtype=NUMBERS[kind])

    def _text(self) -> str:
        return self._take(self._count()).decode()

    def _count(self) -> int:
        kind = self._take(1)
        if kind != b"L":
            raise ValueError("a length that is no 64-bit number")
        count = struct.unpack(">q", self._take(8))[0]
        if not 0 <= count <= len(self.data) - self.place:
            raise ValueError("a length beyond the end")
        return count

    def _peek(self) -> str:
        return self.data[self.place : self.place + 1].decode()

    def _take(self, count: int) -> bytes:
        taken = self.data[self.place : self.place + count]
        if len(taken) < count:
            raise ValueError("the end comes too early")
        self.place += count
        return taken
