"""A predictor's machine as an ONNX model, from features to probabilities; the only importer of onnx."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import singledispatchmethod
from pathlib import Path
from typing import Any

import numpy as np

from ser_classic import machines
from ser_classic.errors import SerClassicError, wrap_errors
from ser_classic.machines.formulas import squares
from ser_classic.predictor import Predictor
from ser_classic.registry import need
from ser_classic.runtime.files import replacing, require_writable

SUFFIX = ".onnx"
OPSETS = {"": 17, "ai.onnx.ml": 3}
IR_VERSION = 8  # read by every onnxruntime from 1.13 on
INPUT, LABEL, PROBABILITIES = "features", "label", "probabilities"  # names in the model


def export(predictor: Predictor, path: str | Path) -> None:
    """Write the classifier of a predictor, from its named features to label and probabilities, as ONNX.

    The model has one input, `features` [shape=(clips, columns), dtype=float32], in the order of
    `predictor.features.columns`, and the outputs `label` [shape=(clips,), string] and, if the predictor has
    them, `probabilities` [shape=(clips, classes), dtype=float32]. Its metadata are JSON: `classes`,
    `columns`, `features` (the feature set and its parameters) and `card`.

    Raises
    ------
    SerClassicError
        onnx is not installed, the model has no ONNX form, or the file cannot be written.
    """
    path = Path(path)
    require_writable(path, "ONNX models", SUFFIX)
    content = model_of(predictor).SerializeToString()
    with replacing(path) as draft:
        draft.write_bytes(content)


def model_of(predictor: Predictor) -> Any:
    """The ONNX model (`onnx.ModelProto`) that `export` writes; raises as it does."""
    onnx = need("onnx", "onnx")
    helper, kinds = onnx.helper, onnx.TensorProto
    columns, title = predictor.features.columns, predictor.card["title"]
    graph = _Graph(onnx, title)
    with wrap_errors(f"{title}: its machine cannot be exported", "was its file changed? Fit it again"):
        for part in predictor.machine.parts:
            graph.add(part)
        choice, probabilities = graph.decided(predictor.machine.decision, len(predictor.classes))
        # Raises where its parts do not fit together
        predictor.classify([predictor.familiarity.mean])
    graph.node("Gather", np.array(predictor.classes, dtype=object), choice, out=LABEL)
    outputs = [helper.make_tensor_value_info(LABEL, kinds.STRING, ["clips"])]
    if probabilities is not None:
        graph.node("Cast", probabilities, out=PROBABILITIES, to=kinds.FLOAT)
        outputs.append(
            helper.make_tensor_value_info(PROBABILITIES, kinds.FLOAT, ["clips", len(predictor.classes)])
        )
    inputs = [helper.make_tensor_value_info(INPUT, kinds.FLOAT, ["clips", len(columns)])]
    made = helper.make_model(
        helper.make_graph(graph.nodes, "ser_classic", inputs, outputs, graph.constants),
        producer_name="ser-classic",
        opset_imports=[helper.make_opsetid(domain, version) for domain, version in OPSETS.items()],
        ir_version=IR_VERSION,
    )
    facts = {
        "classes": predictor.classes,
        "columns": columns,
        "features": predictor.card["features"],
        "card": predictor.card,
    }
    helper.set_model_props(made, {name: json.dumps(value) for name, value in facts.items()})
    return made


def _operator(kind: str) -> Callable[[_Tensor, Any], _Tensor]:
    return lambda self, other: self.graph.node(kind, self, other)


class _Tensor:
    """The output of a node; what is computed with it becomes nodes of its graph."""

    __add__, __sub__, __mul__ = _operator("Add"), _operator("Sub"), _operator("Mul")
    __truediv__, __matmul__ = _operator("Div"), _operator("MatMul")

    def __init__(self, graph: _Graph, name: str) -> None:
        self.graph, self.name = graph, name

    def __rsub__(self, other: float) -> _Tensor:
        return self.graph.node("Sub", other, self)

    def sum(self, axis: int, keepdims: int = 1) -> _Tensor:
        return self.graph.node("ReduceSum", self, [axis], keepdims=keepdims)

    def first(self) -> _Tensor:
        """Number of the largest [shape=(n,)]."""
        return self.graph.node("ArgMax", self, axis=1, keepdims=0)

    def slice(self, number: int, axis: int) -> _Tensor:
        """One slice, with its axis kept."""
        return self.graph.node("Slice", self, [number], [number + 1], [axis])


class _Graph:
    """Nodes and constants; `at` is the output of the last part, in the precision `kind`."""

    def __init__(self, onnx: Any, title: str) -> None:
        self.onnx, self.title = onnx, title
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self.at, self.kind = _Tensor(self, INPUT), np.dtype(np.float32)

    def node(self, kind: str, *inputs: Any, out: str = "", domain: str = "", **options: Any) -> _Tensor:
        """Add a node; inputs are tensors, arrays, numbers (in the precision `kind`) or lists of integers."""
        names = [self.tensor(each).name for each in inputs]
        out = out or f"v{len(self.nodes)}"
        more = [f"{out}_first"] if kind == "TopK" else []  # its second output is needed
        node = self.onnx.helper.make_node(kind, names, [*more, out], domain=domain or None, **options)
        self.nodes.append(node)
        return _Tensor(self, out)

    def tensor(self, value: Any) -> _Tensor:
        """A value as a tensor, stored in single precision if nothing is lost."""
        if isinstance(value, _Tensor):
            return value
        array = np.array(value, dtype=np.int64) if isinstance(value, list) else np.asarray(value)
        single = array.ndim > 0 and array.dtype == np.float32
        if array.dtype.kind == "f" and not single:
            array = array.astype(self.kind)
        name = f"c{len(self.constants)}"
        self.constants.append(self.onnx.numpy_helper.from_array(array, name))
        return self.cast(_Tensor(self, name)) if single and self.kind != np.float32 else _Tensor(self, name)

    def cast(self, tensor: _Tensor) -> _Tensor:
        """In the precision `kind`."""
        return self.node("Cast", tensor, to=self.onnx.helper.np_dtype_to_tensor_dtype(self.kind))

    def to(self, kind: type | np.dtype) -> None:
        """Continue in this precision."""
        if self.kind != (kind := np.dtype(kind)):
            self.kind = kind
            self.at = self.cast(self.at)

    @singledispatchmethod
    def add(self, part: Any) -> None:
        """Add a part."""
        raise SerClassicError(
            f"{self.title}: its {type(part).__name__.lower()} has no ONNX form; use another model, such as "
            "svm_rbf, ridge or random_forest"
        )

    @add.register
    def _(self, part: machines.Standardise) -> None:
        self.to(part.mean.dtype)
        self.at = (self.at - part.mean) / part.scale
        if part.limit is not None:
            self.at = self.node("Clip", self.at, -part.limit, part.limit)

    @add.register
    def _(self, part: machines.Constant) -> None:
        self.at = self.at.sum(1) * 0.0 + part.values

    @add.register
    def _(self, part: machines.Linear) -> None:
        self.to(np.result_type(self.kind, part.weights))
        self.at = self.at @ part.weights + part.offset

    @add.register
    def _(self, part: machines.Activation) -> None:
        self.at = self.node({"relu": "Relu", "tanh": "Tanh", "logistic": "Sigmoid"}[part.function], self.at)

    @add.register
    def _(self, part: machines.Gaussians) -> None:
        if part.scaler is not None:
            self.add(part.scaler)
        self.to(np.float64)
        V = self.tensor(part.vectors)
        if part.scaler is not None:
            V = (V - part.scaler.mean) / part.scaler.scale
        kernel = self._gaussian(
            self.at @ self.node("Transpose", V), self.at, squares(part.scaled), part.gamma
        )
        self.at = kernel @ part.weights + part.offset

    def _gaussian(self, inner: _Tensor, Z: _Tensor, lengths: np.ndarray, gamma: float) -> _Tensor:
        D = self.node("Max", inner * -2.0 + (Z * Z).sum(1) + lengths, 0.0)
        return self.node("Exp", D * -gamma)

    @add.register
    def _(self, part: machines.Neighbours) -> None:
        self.to(np.float64)
        V = self.tensor(part.vectors)
        D = self.at @ self.node("Transpose", V) * -2.0 + squares(part.vectors)
        nearest = self.node("TopK", D, [part.count], axis=1, largest=0)
        apart = self.node("Gather", V, nearest) - self.node("Unsqueeze", self.at, [1])
        distance = self.node("Sqrt", (apart * apart).sum(2))  # [n, count, 1]
        probabilities = self.node("Gather", np.eye(part.classes)[part.codes], nearest)
        total = (probabilities / self.node("Max", distance, 1e-30)).sum(1, keepdims=0)
        self.at = total / total.sum(1)

    @add.register
    def _(self, part: machines.Ridges) -> None:
        self.to(np.float64)
        features = [self.node("Gather", self.at, group.tolist(), axis=1) for group in part.columns]
        inner = [Z @ self.node("Transpose", V) for Z, V in zip(features, part.anchors, strict=False)]
        lengths = [squares(rows) for rows in part.anchors]
        if part.gaussian and part.whole:
            inner.append(self.node("Sum", *inner))
            lengths.append(np.sum(lengths, axis=0))
        scores = []
        for place, Z in enumerate(features):
            score = self.tensor(part.offset[place])
            if part.linear:
                score = Z @ part.linear[place] + score
            if part.gaussian:
                gamma = 0.5 / (float(part.widths[place]) * len(part.columns[place]))
                kernel = self._gaussian(inner[place], Z, lengths[place], gamma)
                score = kernel @ part.gaussian[place] + score
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
        if weights.shape[1] == 1:  # for one class, which changes from tree to tree
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

    def decided(self, decision: Any, k: int) -> tuple[_Tensor, _Tensor | None]:
        """The choice among k classes, and the probabilities or None."""
        if isinstance(decision, machines.Probabilities):
            return self.at.first(), self.at
        if isinstance(decision, machines.Scores):
            if decision.sharpness is None:
                return self.at.first(), None
            return self.at.first(), self.node("Softmax", self.at * decision.sharpness, axis=1)
        self.to(np.float64)
        margins = self.at
        first, second = (np.eye(k)[each] for each in np.triu_indices(k, 1))
        lost = self.cast(self.node("Less", margins, 0.0))
        rated = (1.0 - lost) @ first + lost @ second
        if decision.break_ties:
            total = margins @ (first - second)
            rated = rated + total / ((self.node("Abs", total) + 1.0) * 3.0)
        choice = rated.first()
        if decision.sharpness is None:
            return choice, None
        p = self._coupled(margins * decision.sharpness, k)
        chosen, leading = (self._marked(each, k) for each in (choice, p.first()))
        gap = self.node("ReduceMax", p, axes=[1], keepdims=1) - (p * chosen).sum(1)
        return choice, p + gap * (chosen - leading)

    def _marked(self, choice: _Tensor, k: int) -> _Tensor:
        """1 in the column of the choice, else 0 [shape=(n, k)]."""
        return self.cast(self.node("Equal", self.node("Unsqueeze", choice, [1]), list(range(k))))

    def _coupled(self, sharp: _Tensor, k: int) -> _Tensor:
        """Like `formulas.coupled`, by elimination.

        Adding 1 to every entry, which changes nothing for a sum of 1, makes its matrix positive definite.
        """
        first, second = np.triu_indices(k, 1)
        favour = self.node("Clip", self.node("Sigmoid", sharp), 1e-7, 1 - 1e-7)
        to = np.eye(k * k)
        r = favour @ to[first * k + second] + (1.0 - favour) @ to[second * k + first]
        r = self.node("Reshape", r, [-1, k, k])
        across = r * self.node("Transpose", r, perm=[0, 2, 1])
        Q = (r * r).sum(1) * np.eye(k) - across + 1.0
        M = self.node("Concat", Q, Q.sum(2) * 0.0 + 1.0, axis=2)
        for step in range(k):
            row = M.slice(step, 1)
            row = row / row.slice(step, 2)
            # The row itself stays, divided by its pivot
            M = M - (M.slice(step, 2) - np.eye(k)[step][:, None]) * row
        x = self.node("Squeeze", M.slice(k, 2), [2])
        p = self.node("Max", x / x.sum(1), 1e-12)
        return p / p.sum(1)
