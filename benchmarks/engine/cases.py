"""What is computed: networks, written once as specs, and the numbers they are given.

Every engine builds its network from the same spec: ours compiles it, the others walk it with their own
operations (`walk`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np

Spec = dict[str, Any]
Arrays = dict[str, Any]


@dataclass(frozen=True)
class Case:
    """A network and a batch size.

    wrt: what gradients are taken of, `params` or (the circuit, which has none) `data`.
    """

    family: str
    batch: int
    spec: Spec
    parameters: Mapping[str, tuple[int, ...]]
    classes: int = 0
    wrt: str = "params"

    @property
    def name(self) -> str:
        return f"{self.family} {self.batch}"

    def arrays(self, dtype: str) -> tuple[Arrays, Arrays]:
        """Parameters and data, the same numbers in every process and, rounded, in both dtypes."""
        stream = np.random.default_rng(0)

        def normal(shape: tuple[int, ...], deviation: float) -> Any:
            return (stream.standard_normal(shape, np.float32) * np.float32(deviation)).astype(dtype)

        params = {name: normal(shape, 1 / sqrt(shape[-1])) for name, shape in self.parameters.items()}
        data = {
            name: stream.integers(self.classes, size=self.batch)
            if slot.get("dtype") == "int64"
            else normal((self.batch, *slot["shape"]), 1)
            for name, slot in self.spec["inputs"].items()
        }
        return params, data

    def products(self) -> Iterator[tuple[int, int, bool]]:
        """Each linear layer: numbers in, numbers out, and whether a delta is sent down through it."""
        weights = [shape for shape in self.parameters.values() if len(shape) == 2]
        for place, (units, width) in enumerate(weights):
            yield width, units, place > 0


def walk(case: Case, operations: Mapping[str, Callable[..., Any]]) -> Callable[[Arrays, Arrays], Any]:
    """The network as a function of (params, data), in somebody's operations by kind.

    Its value is the last node's; a peer's loss may be the mean over the batch already.
    """
    steps = [
        (
            operations[node["kind"]],
            node["name"],
            node["inputs"],
            [name for name in case.parameters if name.startswith(f"{node['name']}.")],
        )
        for node in case.spec["nodes"]
    ]

    def network(params: Arrays, data: Arrays) -> Any:
        values = dict(data)
        for operation, name, inputs, owned in steps:
            values[name] = operation(*[values[of] for of in inputs], *[params[of] for of in owned])
        return values[name]

    return network


def node(kind: str, name: str, *inputs: str, **config: Any) -> dict[str, Any]:
    return {"name": name, "kind": kind, "inputs": list(inputs), "config": config}


def classifier(family: str, batch: int, *widths: int) -> Case:
    """Linear layers with sigmoids between them, and −log softmax of the right class."""
    nodes, parameters, last = [], {}, "x"
    for place, units in enumerate(widths[1:], start=1):
        nodes.append(node("linear", f"z{place}", last, units=units))
        parameters |= linear_parameters(f"z{place}", units, widths[place - 1])
        last = f"z{place}"
        if place < len(widths) - 1:
            nodes.append(node("sigmoid", f"a{place}", last))
            last = f"a{place}"
    nodes.append(node("softmax_nll", "loss", last, "y"))
    inputs = {"x": {"shape": [widths[0]]}, "y": {"shape": [], "dtype": "int64"}}
    return Case(family, batch, {"inputs": inputs, "nodes": nodes}, parameters, classes=widths[-1])


def residual(batch: int, blocks: int, width: int) -> Case:
    """Blocks x + sigmoid(W x + b), one after the other, and the squared error."""
    nodes, parameters, last = [], {}, "x"
    for place in range(blocks):
        nodes += [
            node("linear", f"z{place}", last, units=width),
            node("sigmoid", f"a{place}", f"z{place}"),
            node("add", f"x{place}", f"a{place}", last),
        ]
        parameters |= linear_parameters(f"z{place}", width, width)
        last = f"x{place}"
    return squared_error("c", batch, nodes, parameters, width, last)


def wide(batch: int, layers: int, width: int) -> Case:
    """Linear layers alone, and the squared error."""
    nodes, parameters, last = [], {}, "x"
    for place in range(layers):
        nodes.append(node("linear", f"z{place}", last, units=width))
        parameters |= linear_parameters(f"z{place}", width, width)
        last = f"z{place}"
    return squared_error("e", batch, nodes, parameters, width, last)


def squared_error(
    family: str, batch: int, nodes: list[Any], parameters: Mapping[str, Any], width: int, last: str
) -> Case:
    nodes.append(node("squared_error", "loss", last, "y"))
    inputs = {"x": {"shape": [width]}, "y": {"shape": [width]}}
    return Case(family, batch, {"inputs": inputs, "nodes": nodes}, parameters)


def linear_parameters(name: str, units: int, width: int) -> dict[str, tuple[int, ...]]:
    return {f"{name}.weight": (units, width), f"{name}.bias": (units,)}


ROUNDS = 10
"""Of the circuit; each has five gates."""


def circuit(batch: int) -> Case:
    """Fifty gates on single numbers: y ← tanh(x · sigmoid((x + y) z)), ten times."""
    nodes, last = [], "y"
    for place in range(ROUNDS):
        q, r, s, t, y = (f"{gate}{place}" for gate in ("q", "r", "s", "t", "y"))
        nodes += [
            node("add", q, "x", last),
            node("multiply", r, q, "z"),
            node("sigmoid", s, r),
            node("multiply", t, s, "x"),
            node("tanh", y, t),
        ]
        last = y
    inputs = {name: {"shape": []} for name in ("x", "y", "z")}
    return Case("d", batch, {"inputs": inputs, "nodes": nodes}, {}, wrt="data")


CASES = [
    *(classifier("a", batch, 250, 100, 5) for batch in (1, 32, 1024)),
    *(classifier("b", batch, 784, 512, 256, 10) for batch in (128, 4096)),
    *(residual(batch, 32, 256) for batch in (64, 512)),
    *(circuit(batch) for batch in (1, 4096)),
    wide(512, 3, 4096),
]
