"""Random networks: fan-out, skip connections, ties, shared and learned inputs, several losses, embeddings.

Values are kept within bounds known while the graph grows, so that no example overflows and the comparison
with an oracle stays sharp.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import prod
from typing import Any

import numpy as np
from hypothesis import strategies as st

POINTWISE = ("sigmoid", "tanh", "relu", "exp", "negate", "reciprocal", "identity")
PAIRS = ("add", "subtract", "multiply", "maximum", "dot", "concat")
MOST = 30.0  # bound of a value that further layers may take


@dataclass
class Value:
    """Something in the graph that layers can take: its shape, and bounds of its numbers."""

    name: str
    shape: tuple[int, ...]
    size: float = 2.0
    least: float = 0.0
    """Numbers are at least this far above 0; 0 when they may be anything."""


@dataclass
class Example:
    """A network and a request for it."""

    spec: dict[str, Any]
    params: dict[str, np.ndarray] = field(default_factory=dict)
    data: dict[str, np.ndarray] = field(default_factory=dict)
    reduction: str = "mean"

    def astype(self, dtype: Any) -> Example:
        params = {name: array.astype(dtype) for name, array in self.params.items()}
        data = {
            n: array if array.dtype == np.int64 else array.astype(dtype) for n, array in self.data.items()
        }
        return Example(self.spec, params, data, self.reduction)


class Growing:
    """A graph under construction."""

    def __init__(self, draw: st.DrawFn):
        self.draw = draw
        self.inputs: dict[str, dict[str, Any]] = {}
        self.ranges: dict[str, int] = {}
        self.nodes: list[dict[str, Any]] = []
        self.values: list[Value] = []
        self.weights: dict[str, tuple[tuple[int, ...], float]] = {}

    def pick(self, options: Any) -> Any:
        return self.draw(st.sampled_from(options))

    def number(self, least: int, most: int) -> int:
        return self.draw(st.integers(least, most))

    def chance(self, one_in: int) -> bool:
        return self.number(1, one_in) == 1

    def input(self, shape: tuple[int, ...], integers: int | None = None) -> str:
        name = f"{'x' if integers is None else 'i'}{len(self.inputs)}"
        self.inputs[name] = {"shape": list(shape)}
        if integers is not None:
            self.inputs[name]["dtype"] = "int64"
            self.ranges[name] = integers
        if integers is None and self.chance(5):
            self.inputs[name]["parameter"] = {"constant": 0}
            self.weights[name] = (shape, 2.0)
        elif self.chance(4):
            self.inputs[name]["shared"] = True
        return name

    def node(
        self,
        kind: str,
        inputs: list[str],
        shape: tuple[int, ...],
        size: float,
        least: float = 0.0,
        **more: Any,
    ) -> Value:
        name = f"n{len(self.nodes)}"
        self.nodes.append({"name": name, "kind": kind, "inputs": inputs, **more})
        value = Value(name, shape, size, least)
        self.values.append(value)
        return value

    def shape(self) -> tuple[int, ...]:
        return tuple(self.draw(st.lists(st.integers(1, 3), max_size=3)))

    def usable(self) -> list[Value]:
        return [value for value in self.values if value.size <= MOST]

    def grow(self) -> None:
        """Add one node at a random place."""
        x = self.pick(self.usable())
        choices = ["pointwise", "pair", "reshape"]
        if x.shape:
            choices += ["linear", "softmax"]
        if self.chance(6):
            choices.append("embedding")
        getattr(self, f"grow_{self.pick(choices)}")(x)

    def grow_pointwise(self, x: Value) -> None:
        kind = self.pick(POINTWISE)
        if (kind == "exp" and x.size > 3) or (kind == "reciprocal" and not x.least):
            kind = "sigmoid"
        e = np.exp(min(x.size, 3.0))
        size, least = {
            "sigmoid": (1.0, 1 / (1 + np.exp(x.size))),
            "tanh": (1.0, 0.0),
            "relu": (x.size, 0.0),
            "exp": (e, 1 / e),
            "negate": (x.size, 0.0),
            "identity": (x.size, x.least),
            "reciprocal": (1 / (x.least or 1), 1 / x.size),
        }[kind]
        self.node(kind, [x.name], x.shape, size, least if least > 1e-3 else 0.0)

    def grow_pair(self, x: Value) -> None:
        kind = self.pick(PAIRS)
        same = [value for value in self.usable() if value.shape == x.shape]
        y = self.pick(same)
        sizes = {"multiply": x.size * y.size, "maximum": max(x.size, y.size)}
        if kind in ("dot", "concat") and not x.shape:
            kind = "add"
        if kind == "dot":
            self.node(kind, [x.name, y.name], x.shape[:-1], x.shape[-1] * x.size * y.size)
        elif kind == "concat":
            axis = self.number(-len(x.shape), len(x.shape) - 1)
            shape = list(x.shape)
            shape[axis] *= 2
            if prod(shape) <= 64:
                self.node(kind, [x.name, y.name], tuple(shape), max(x.size, y.size), config={"axis": axis})
        else:
            inputs = [x.name, y.name]
            size = sizes.get(kind, x.size + y.size)
            if kind == "add" and self.chance(3):
                z = self.pick(same)
                inputs, size = [*inputs, z.name], size + z.size
            self.node(kind, inputs, x.shape, size)

    def grow_reshape(self, x: Value) -> None:
        kind = self.pick(("flatten", "sum", "slice"))
        if kind == "flatten":
            self.node(kind, [x.name], (prod(x.shape),), x.size, x.least)
        elif kind == "sum":
            axes = (
                self.draw(st.none() | st.lists(st.sampled_from(range(len(x.shape))), unique=True))
                if x.shape
                else None
            )
            gone = range(len(x.shape)) if axes is None else axes
            shape = tuple(size for axis, size in enumerate(x.shape) if axis not in gone)
            self.node(
                kind, [x.name], shape, x.size * prod(x.shape[axis] for axis in gone), config={"axes": axes}
            )
        elif x.shape:
            axis = self.number(0, len(x.shape) - 1)
            start = self.number(0, x.shape[axis] - 1)
            stop = self.number(start + 1, x.shape[axis])
            shape = (*x.shape[:axis], stop - start, *x.shape[axis + 1 :])
            self.node(
                kind, [x.name], shape, x.size, x.least, config={"axis": axis, "start": start, "stop": stop}
            )

    def grow_softmax(self, x: Value) -> None:
        if self.pick((True, False)):
            self.node("softmax", [x.name], x.shape, 1.0)
        else:
            self.node("log_softmax", [x.name], x.shape, 2 * x.size + 2)

    def grow_linear(self, x: Value) -> None:
        n, bias = x.shape[-1], self.pick((True, False))
        units = self.number(1, 3)
        tied = [
            node
            for node in self.nodes
            if node["kind"] == "linear"
            and "tied_to" not in node
            and self.weights[f"{node['name']}.weight"][0][-1] == n
        ]
        more: dict[str, Any] = {}
        turned = [  # whose matrix, transposed, takes n numbers
            node
            for node in self.nodes
            if node["kind"] == "linear" and "tied_to" not in node and node["config"]["units"] == n
        ]
        if turned and self.chance(2):
            owner = self.pick(turned)
            units = self.weights[f"{owner['name']}.weight"][0][-1]
            more = {"tied_to": owner["name"], "transpose": True}
        elif tied and self.chance(2):
            owner = self.pick(tied)
            units, bias = owner["config"]["units"], owner["config"]["bias"]
            more = {"tied_to": owner["name"]}
        shape = (*x.shape[:-1], units)
        node = self.node(
            "linear", [x.name], shape, n * x.size + 1, config={"units": units, "bias": bias}, **more
        )
        if not more:
            self.weights[f"{node.name}.weight"] = ((units, n), 1.0)
        if bias and (not more or "transpose" in more):
            self.weights[f"{node.name}.bias"] = ((units,), 1.0)

    def grow_embedding(self, x: Value) -> None:
        rows, width = self.number(1, 4), self.number(1, 3)
        shape = self.shape()[:2]
        node = self.node(
            "embedding",
            [self.input(shape, rows)],
            (*shape, width),
            1.0,
            config={"rows": rows, "width": width},
        )
        self.weights[f"{node.name}.weight"] = ((rows, width), 1.0)

    def loss(self) -> str:
        """Add a loss on what is there."""
        x = self.pick(self.usable())
        kind = self.pick(("squared_error", "max_margin", "softmax_nll", "nll", "sum"))
        if kind in ("softmax_nll", "nll") and not x.shape:
            kind = "squared_error"
        if kind == "sum":
            node = self.node(kind, [x.name], (), 0)
        elif kind in ("squared_error", "max_margin"):
            y = self.pick([value for value in self.usable() if value.shape == x.shape])
            node = self.node(kind, [x.name, y.name], (), 0)
        else:
            if kind == "nll":
                x = self.node("log_softmax", [x.name], x.shape, 0)
            node = self.node(kind, [x.name, self.input(x.shape[:-1], x.shape[-1])], (), 0)
        self.values.remove(node)
        return node.name


@st.composite
def examples(draw: st.DrawFn, most_nodes: int = 26) -> Example:
    """A random network with parameters and a batch for it."""
    graph = Growing(draw)
    for _ in range(graph.number(1, 3)):
        shape = graph.shape()
        graph.values.append(Value(graph.input(shape), shape))
    for _ in range(graph.number(1, most_nodes)):
        graph.grow()
    losses = {graph.loss(): draw(st.floats(-2, 2)) for _ in range(graph.number(1, 3))}
    spec: dict[str, Any] = {
        "inputs": graph.inputs,
        "nodes": draw(st.permutations(graph.nodes)),
        "loss": losses,
    }
    if any(name.endswith(".weight") for name in graph.weights) and graph.chance(2):
        spec["regularization"] = {
            "l2": draw(st.floats(0, 2)),
            "parameters": draw(st.sampled_from([["*.weight"], ["*"]])),
        }
    batch = graph.number(1, 4)
    numbers = np.random.default_rng(graph.number(0, 2**32))
    data: dict[str, np.ndarray] = {}
    for name, slot in graph.inputs.items():
        if "parameter" in slot:
            continue
        shape = (*(() if slot.get("shared") else (batch,)), *slot["shape"])
        if name in graph.ranges:
            data[name] = np.asarray(numbers.integers(0, graph.ranges[name], shape))
        else:
            data[name] = np.asarray(np.clip(numbers.standard_normal(shape), -2, 2))
    params = {name: numbers.uniform(-most, most, shape) for name, (shape, most) in graph.weights.items()}
    return Example(spec, params, data, draw(st.sampled_from(["mean", "sum"])))
