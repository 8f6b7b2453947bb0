"""A predictor's machine as an ONNX model: from features to label and chances; the only importer of onnx."""

from __future__ import annotations

import json
from functools import singledispatchmethod
from pathlib import Path
from typing import Any

import numpy as np

from ser_classic import machines
from ser_classic.errors import SerClassicError
from ser_classic.machines import formulas
from ser_classic.predictor import Predictor
from ser_classic.registry import need
from ser_classic.runtime.files import replacing, require_writable

SUFFIX = ".onnx"
OPSETS = {"": 17, "ai.onnx.ml": 3}
IR_VERSION = 8  # read by every onnxruntime from 1.13 on
INPUT, LABEL, CHANCES = "features", "label", "chances"


def export(predictor: Predictor, path: str | Path) -> None:
    """Write the classifier of a predictor, from its named features to label and chances, as ONNX.

    The model has one input, `features` [shape=(clips, columns), dtype=float32], in the order of
    `predictor.features.columns`, and the outputs `label` [shape=(clips,), string] and, where the predictor
    has them, `chances` [shape=(clips, classes), dtype=float32]. Its metadata are JSON: `classes`, `columns`,
    `features` (the feature set and its parameters) and `card`.

    Parameters
    ----------
    predictor : Predictor
    path : str or Path
        Ends in `.onnx`.

    Raises
    ------
    SerClassicError
        onnx is not installed.
        The model has no ONNX form.
        The file cannot be written.
    """
    path = Path(path)
    require_writable(path, "ONNX models", SUFFIX)
    content = model_of(predictor).SerializeToString()
    try:
        with replacing(path) as draft:
            draft.write_bytes(content)
    except OSError as error:
        raise SerClassicError(f"{path}: cannot be written ({error.strerror})") from error


def model_of(predictor: Predictor) -> Any:
    """The ONNX model (`onnx.ModelProto`) that `export` writes; raises as it does."""
    onnx = need("onnx", "onnx")
    helper, kinds = onnx.helper, onnx.TensorProto
    columns = predictor.features.columns
    graph = _Graph(onnx, predictor.card["title"], len(columns))
    for part in predictor.machine.parts:
        graph.add(part)
        graph.columns = part.width(graph.columns)
    choice, chances = graph.decided(predictor.machine.decision)
    graph.node("Gather", graph.constant(np.array(predictor.classes, dtype=object)), choice, out=LABEL)
    outputs = [helper.make_tensor_value_info(LABEL, kinds.STRING, ["clips"])]
    if chances:
        graph.node("Cast", chances, out=CHANCES, to=kinds.FLOAT)
        outputs.append(helper.make_tensor_value_info(CHANCES, kinds.FLOAT, ["clips", len(predictor.classes)]))
    inputs = [helper.make_tensor_value_info(INPUT, kinds.FLOAT, ["clips", len(columns)])]
    made = helper.make_model(
        helper.make_graph(graph.nodes, "ser_classic", inputs, outputs, graph.constants),
        producer_name="ser-classic",
        opset_imports=[helper.make_opsetid(domain, version) for domain, version in OPSETS.items()],
        ir_version=IR_VERSION,
    )
    told = {
        "classes": predictor.classes,
        "columns": columns,
        "features": predictor.card["features"],
        "card": predictor.card,
    }
    helper.set_model_props(made, {name: json.dumps(value) for name, value in told.items()})
    return made


class _Graph:
    """Nodes and constants, one after another; `at` is what the last part gave.

    It has `columns`, in the precision `kind`.
    """

    def __init__(self, onnx: Any, title: str, columns: int) -> None:
        self.onnx, self.title, self.columns = onnx, title, columns
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self.at, self.kind = INPUT, np.dtype(np.float32)

    def node(self, kind: str, *inputs: str, out: str = "", domain: str = "", **options: Any) -> str:
        """Add a node, and return the name of its output."""
        out = out or f"v{len(self.nodes)}"
        self.nodes.append(
            self.onnx.helper.make_node(kind, list(inputs), [out], domain=domain or None, **options)
        )
        return out

    def constant(self, values: Any) -> str:
        """Add a constant, and return its name."""
        name = f"c{len(self.constants)}"
        self.constants.append(self.onnx.numpy_helper.from_array(np.asarray(values), name))
        return name

    def number(self, value: float) -> str:
        """A constant in the precision at hand."""
        return self.constant(np.array(value, dtype=self.kind))

    def whole(self, *values: int) -> str:
        """A constant [shape=(values,), dtype=int64]."""
        return self.constant(np.array(values, dtype=np.int64))

    def array(self, values: np.ndarray) -> str:
        """A constant in the precision at hand; kept in single precision where nothing is lost by it."""
        if self.kind == np.float64 and values.dtype == np.float32:
            return self.cast(self.constant(values))
        return self.constant(values.astype(self.kind))

    def cast(self, name: str) -> str:
        return self.node("Cast", name, to=self.onnx.helper.np_dtype_to_tensor_dtype(self.kind))

    def to(self, kind: type | np.dtype) -> None:
        """Go on in that precision."""
        if self.kind != (kind := np.dtype(kind)):
            self.kind = kind
            self.at = self.cast(self.at)

    def squares(self, name: str) -> str:
        """Squared length [shape=(n, 1)] of every row."""
        return self.sum(self.node("Mul", name, name), 1)

    def sum(self, name: str, axis: int, keep: int = 1) -> str:
        return self.node("ReduceSum", name, self.whole(axis), keepdims=keep)

    @singledispatchmethod
    def add(self, part: Any) -> None:
        """Add a part."""
        raise SerClassicError(
            f"{self.title}: its {type(part).__name__.lower()} has no ONNX form; take another model, such as "
            "svm_rbf, ridge or random_forest"
        )

    @add.register
    def _(self, part: machines.Standardise) -> None:
        self.to(part.mean.dtype)
        self.at = self.node("Sub", self.at, self.array(part.mean))
        self.at = self.node("Div", self.at, self.array(part.scale))
        if part.limit is not None:
            self.at = self.node("Clip", self.at, self.number(-part.limit), self.number(part.limit))

    @add.register
    def _(self, part: machines.Constant) -> None:
        self.add(machines.Linear(np.zeros((self.columns, len(part.values))), part.values))

    @add.register
    def _(self, part: machines.Linear) -> None:
        self.to(np.result_type(self.kind, part.weights))
        self.at = self.node("MatMul", self.at, self.array(part.weights))
        self.at = self.node("Add", self.at, self.array(part.offset))

    @add.register
    def _(self, part: machines.Activation) -> None:
        self.at = self.node({"relu": "Relu", "tanh": "Tanh", "logistic": "Sigmoid"}[part.function], self.at)

    @add.register
    def _(self, part: machines.Gaussians) -> None:
        if part.scaler is not None:
            self.add(part.scaler)
        self.to(np.float64)
        V = self.array(part.vectors)
        if part.scaler is not None:
            V = self.node("Sub", V, self.array(part.scaler.mean))
            V = self.node("Div", V, self.array(part.scaler.scale))
        lengths = squared(part.places)
        kernel = self._gaussian(self._inner(self.at, V), self.squares(self.at), lengths, part.gamma)
        self.at = self.node("MatMul", kernel, self.array(part.weights))
        self.at = self.node("Add", self.at, self.array(part.offset))

    def _inner(self, Z: str, V: str) -> str:
        return self.node("MatMul", Z, self.node("Transpose", V))

    def _gaussian(self, inner: str, own: str, lengths: np.ndarray, gamma: float) -> str:
        D = self.node("Mul", inner, self.number(-2.0))
        D = self.node("Add", self.node("Add", D, own), self.array(lengths))
        D = self.node("Max", D, self.number(0.0))
        return self.node("Exp", self.node("Mul", D, self.number(-gamma)))

    @add.register
    def _(self, part: machines.Neighbours) -> None:
        self.to(np.float64)
        V = self.array(part.vectors)
        D = self.node("Mul", self._inner(self.at, V), self.number(-2.0))
        D = self.node("Add", D, self.array(squared(part.vectors)))
        nearest = f"v{len(self.nodes)}_i"
        self.nodes.append(
            self.onnx.helper.make_node(
                "TopK", [D, self.whole(part.count)], [f"{nearest}_d", nearest], axis=1, largest=0
            )
        )
        clip = self.node("Unsqueeze", self.at, self.whole(1))
        apart = self.node("Sub", self.node("Gather", V, nearest), clip)
        distance = self.node("Sqrt", self.sum(self.node("Mul", apart, apart), 2))  # [n, count, 1]
        weight = self.node("Div", self.number(1.0), self.node("Max", distance, self.number(1e-30)))
        said = self.node("Gather", self.array(np.eye(part.classes)[part.codes]), nearest)
        total = self.sum(self.node("Mul", said, weight), 1, keep=0)
        self.at = self.node("Div", total, self.sum(total, 1))

    @add.register
    def _(self, part: machines.Ridges) -> None:
        self.to(np.float64)
        groups = [self.whole(*group.tolist()) for group in part.columns]
        features = [self.node("Gather", self.at, group, axis=1) for group in groups]
        inner = [self._inner(Z, self.array(rows)) for Z, rows in zip(features, part.anchors, strict=False)]
        lengths = [squared(rows) for rows in part.anchors]
        if part.gaussian and part.whole:
            inner.append(self.node("Sum", *inner))
            lengths.append(np.sum(lengths, axis=0))
        scores = []
        for place, Z in enumerate(features):
            score = self.array(part.offset[place])
            if part.linear:
                score = self.node("Add", score, self.node("MatMul", Z, self.array(part.linear[place])))
            if part.gaussian:
                gamma = 0.5 / (float(part.widths[place]) * len(part.columns[place]))
                kernel = self._gaussian(inner[place], self.squares(Z), lengths[place], gamma)
                score = self.node("Add", score, self.node("MatMul", kernel, self.array(part.gaussian[place])))
            scores.append(score)
        self.at = self.node("Concat", *scores, axis=1)

    @add.register
    def _(self, part: machines.Trees) -> None:
        self.to(np.float32)
        nodes, k = len(part.column), len(part.base)
        number = np.arange(nodes)
        tree = np.searchsorted(part.roots, number, side="right") - 1
        inside = number - part.roots.astype(int)[tree]
        ends = part.left == 0
        leaf = np.flatnonzero(ends)
        weights = part.leaves / part.divisor
        if weights.shape[1] == 1:  # of the class whose turn it is
            weights = weights * np.eye(k)[tree[leaf] % k]
        row, target = np.nonzero(weights)
        self.at = self.node(
            "TreeEnsembleRegressor",
            self.at,
            domain="ai.onnx.ml",
            n_targets=k,
            base_values=(part.base / part.divisor).astype(np.float32).tolist(),
            nodes_treeids=tree.tolist(),
            nodes_nodeids=inside.tolist(),
            nodes_featureids=part.column.astype(int).tolist(),
            nodes_values=part.threshold.tolist(),
            nodes_modes=np.where(ends, "LEAF", "BRANCH_LEQ").tolist(),
            nodes_truenodeids=np.where(ends, 0, inside + part.left).tolist(),
            nodes_falsenodeids=np.where(ends, 0, inside + part.right).tolist(),
            target_treeids=tree[leaf[row]].tolist(),
            target_nodeids=inside[leaf[row]].tolist(),
            target_ids=target.tolist(),
            target_weights=weights[row, target].astype(np.float32).tolist(),
        )

    def first(self, name: str) -> str:
        """Number of the largest [shape=(n,)]."""
        return self.node("ArgMax", name, axis=1, keepdims=0)

    def decided(self, decision: Any) -> tuple[str, str]:
        """Names of the choice, and of the chances or nothing."""
        if isinstance(decision, machines.Chances):
            return self.first(self.at), self.at
        if isinstance(decision, machines.Scores):
            if decision.sharpness is None:
                return self.first(self.at), ""
            sharp = self.node("Mul", self.at, self.number(decision.sharpness))
            return self.first(self.at), self.node("Softmax", sharp, axis=1)
        return self._paired(decision)

    def _paired(self, decision: machines.Pairs) -> tuple[str, str]:
        self.to(np.float64)
        margins = self.at
        k = formulas.classes_of(self.columns)
        first, second = (np.eye(k)[each] for each in np.triu_indices(k, 1))
        lost = self.cast(self.node("Less", margins, self.number(0.0)))
        won = self.node("Sub", self.number(1.0), lost)
        rated = self.node(
            "Add",
            self.node("MatMul", won, self.array(first)),
            self.node("MatMul", lost, self.array(second)),
        )
        if decision.break_ties:
            total = self.node("MatMul", margins, self.array(first - second))
            under = self.node("Add", self.node("Abs", total), self.number(1.0))
            under = self.node("Mul", under, self.number(3.0))
            rated = self.node("Add", rated, self.node("Div", total, under))
        choice = self.first(rated)
        if decision.sharpness is None:
            return choice, ""
        p = self._coupled(self.node("Mul", margins, self.number(decision.sharpness)), k)
        best = self.node("ReduceMax", p, axes=[1], keepdims=1)
        chosen, leading = (self._marked(each, k) for each in (choice, self.first(p)))
        gap = self.node("Sub", best, self.sum(self.node("Mul", p, chosen), 1))
        return choice, self.node("Add", p, self.node("Mul", gap, self.node("Sub", chosen, leading)))

    def _marked(self, choice: str, k: int) -> str:
        """1 in the column of the choice, else 0 [shape=(n, k)]."""
        return self.cast(
            self.node("Equal", self.node("Unsqueeze", choice, self.whole(1)), self.whole(*range(k)))
        )

    def _coupled(self, sharp: str, k: int) -> str:
        """As `formulas.coupled`, by elimination.

        With 1 added to every entry, which is the same for all p of sum 1, its matrix is positive definite.
        """
        pairs = np.triu_indices(k, 1)
        favour = self.node("Clip", self.node("Sigmoid", sharp), self.number(1e-7), self.number(1 - 1e-7))
        into = np.zeros((len(pairs[0]), k * k))
        into[np.arange(len(into)), pairs[0] * k + pairs[1]] = 1
        back = np.zeros_like(into)
        back[np.arange(len(into)), pairs[1] * k + pairs[0]] = 1
        against = self.node("Sub", self.number(1.0), favour)
        r = self.node(
            "Add",
            self.node("MatMul", favour, self.array(into)),
            self.node("MatMul", against, self.array(back)),
        )
        r = self.node("Reshape", r, self.whole(-1, k, k))
        across = self.node("Mul", r, self.node("Transpose", r, perm=[0, 2, 1]))
        own = self.node("ReduceSum", self.node("Mul", r, r), self.whole(1), keepdims=1)
        Q = self.node("Sub", self.node("Mul", own, self.array(np.eye(k))), across)
        Q = self.node("Add", Q, self.number(1.0))
        ones = self.node("Add", self.node("Mul", self.sum(Q, 2), self.number(0.0)), self.number(1.0))
        M = self.node("Concat", Q, ones, axis=2)
        for step in range(k):
            at, after = self.whole(step), self.whole(step + 1)
            row = self.node("Slice", M, at, after, self.whole(1))
            row = self.node("Div", row, self.node("Slice", row, at, after, self.whole(2)))
            column = self.node("Slice", M, at, after, self.whole(2))
            # The row itself stays, over its pivot.
            column = self.node("Sub", column, self.array(np.eye(k)[step][:, None]))
            M = self.node("Sub", M, self.node("Mul", column, row))
        x = self.node("Slice", M, self.whole(k), self.whole(k + 1), self.whole(2))
        x = self.node("Squeeze", x, self.whole(2))
        p = self.node("Max", self.node("Div", x, self.sum(x, 1)), self.number(1e-12))
        return self.node("Div", p, self.sum(p, 1))


def squared(rows: np.ndarray) -> np.ndarray:
    """Squared length [shape=(1, m)] of every row."""
    return formulas.squares(rows)[None]
