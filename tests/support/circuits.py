"""Random circuits: gates one after the other, some layers that are none, several losses, and odd numbers."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

from deltawire_service.engine import Network

ONE = (
    *("abs", "erf", "gelu", "identity", "negate", "reciprocal"),
    *("sigmoid", "silu", "softplus", "sqrt", "tanh"),
)
TWO = ("add", "subtract", "multiply", "divide")
OTHER = ("exp", "relu")
"""Layers that end a run of gates."""

ODD = (np.nan, np.inf, -np.inf, 0.0, -0.0, 1e-40, -1e-40, 5e-324, 3e38, -1e308, 1.0, -1.0)
"""What is no ordinary number in at least one of the formats."""


class Circuit(NamedTuple):
    """A network and numbers for it, with what to ask of it."""

    spec: dict[str, Any]
    data: dict[str, np.ndarray]
    wrt: tuple[str, ...]
    values: tuple[str, ...]
    deltas: tuple[str, ...]

    def bits(self, network: Network) -> dict[str, bytes]:
        """Return the bits of all results, and of one NaN for all, whose sign and payload mean nothing."""
        result = network.gradients(
            {}, self.data, wrt_data=self.wrt, values=self.values, deltas=self.deltas, non_finite="return"
        )
        arrays = {"loss": np.asarray(result.loss), "losses": result.losses}
        for part in ("data", "values", "deltas"):
            arrays |= {f"{part}/{name}": array for name, array in getattr(result, part).items()}
        return {name: np.where(np.isnan(array), np.nan, array).tobytes() for name, array in arrays.items()}


@st.composite
def circuits(draw: st.DrawFn, most_rows: int = 5000) -> Circuit:
    """Draw a circuit, numbers for it and targets."""
    shape = draw(st.sampled_from([(), (), (1,), (3,), (2, 5)]))
    inputs = {name: {"shape": list(shape)} for name in ("x", "y", "z")}
    if draw(st.booleans()):
        inputs["z"]["shared"] = True
    names, nodes = list(inputs), []
    for place in range(draw(st.integers(2, 14))):
        kind = draw(
            st.sampled_from((*ONE, *TWO, *TWO, *TWO, *(OTHER if draw(st.integers(0, 3)) == 0 else ())))
        )
        count = draw(st.integers(1, 3)) if kind == "add" else 1 + (kind in TWO)
        # The last ones more often, so that deltas go a long way.
        taken = [draw(st.sampled_from((*names, *names[-2:], *names[-2:]))) for _ in range(count)]
        config = {"approximate": draw(st.sampled_from(["none", "tanh"]))} if kind == "gelu" else {}
        nodes.append({"name": f"n{place}", "kind": kind, "inputs": taken, "config": config})
        names.append(f"n{place}")
    gates = [node["name"] for node in nodes]
    losses = {*draw(st.lists(st.sampled_from(gates), max_size=2)), gates[-1]}
    if shape:
        nodes += [{"name": f"s{name}", "kind": "sum", "inputs": [name]} for name in losses]
        losses = {f"s{name}" for name in losses}
    weights = {name: draw(st.sampled_from([1.0, 0.5])) for name in sorted(losses)}
    rows, dtype = draw(st.integers(1, most_rows)), draw(st.sampled_from(["float32", "float64"]))
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    odd = draw(st.sampled_from([0, 0, 0.01, 0.5]))
    data = {}
    for name, each in inputs.items():
        size = shape if "shared" in each else (rows, *shape)
        numbers = random.normal(size=size) * draw(st.sampled_from([1, 1, 30]))
        with np.errstate(all="ignore"):
            data[name] = np.where(random.random(size) < odd, random.choice(ODD, size), numbers).astype(dtype)
    some = st.lists(st.sampled_from(gates), max_size=3, unique=True).map(tuple)
    wrt = draw(st.lists(st.sampled_from(sorted(inputs)), max_size=3, unique=True).map(tuple))
    spec = {"inputs": inputs, "nodes": nodes, "loss": weights}
    return Circuit(spec, data, wrt, draw(some), draw(some))
