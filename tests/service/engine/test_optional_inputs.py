"""Inputs that a node may leave out: every derivative with them and without them."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import Any

import autograd.numpy as anp
import numpy as np
import pytest
from autograd import grad, hessian
from support.layers import registry

from deltawire.errors import Refused
from deltawire_layers import Activation, Layer, LayerError, analytic
from deltawire_service.engine import Direction, Network, compile_network

Shape = tuple[int, ...]


class Gated(Layer):
    """y = tanh(x) ∘ gate + shift, for x, gate and shift (...); the last two may be left out."""

    def output_shape(self, x: Shape, gate: Shape | None = None, shift: Shape | None = None) -> Shape:
        for position, shape in ((1, gate), (2, shift)):
            if shape not in (None, x):
                raise LayerError(f"expected shape {list(x)}, got {list(shape)}", input=position)
        return x

    def saved(self, x: Shape, gate: Shape | None = None, shift: Shape | None = None) -> int:
        return prod(x)

    def forward(
        self, params: Mapping[str, Any], x: Any, gate: Any | None = None, shift: Any | None = None
    ) -> Activation:
        t = analytic.tanh(x)
        value = t if gate is None else t * gate
        deltas = [lambda delta: (delta if gate is None else delta * gate) * (1 - t * t)]
        deltas += [] if gate is None else [lambda delta: delta * t]
        deltas += [] if shift is None else [lambda delta: delta]
        return Activation(value if shift is None else value + shift, deltas=tuple(deltas))


RNG = np.random.default_rng(0)
NAMES = ("x", "gate", "shift")
DATA = {name: RNG.standard_normal((1, 3)) for name in NAMES}


def network(count: int) -> Network:
    inputs = list(NAMES[:count])
    nodes = [{"name": "y", "kind": "gated", "inputs": inputs}, {"kind": "power", "config": {"exponent": 2}}]
    spec = {"inputs": {name: {"shape": [3]} for name in inputs}, "nodes": [*nodes, {"kind": "sum"}]}
    return compile_network(spec, registry(gated=Gated))


def loss(x: Any, gate: Any = 1.0, shift: Any = 0.0) -> Any:
    return ((anp.tanh(x) * gate + shift) ** 2).sum()


@pytest.mark.parametrize("count", [1, 2, 3])
def test_every_derivative_is_that_of_the_oracle(count: int) -> None:
    net, data = network(count), {name: DATA[name] for name in NAMES[:count]}
    found = net.gradients({}, data, wrt_data=True)
    for place, name in enumerate(data):
        np.testing.assert_allclose(found.data[name], grad(loss, place)(*data.values()), rtol=1e-12)
    vector = np.array([[1.0, -2.0, 0.5]])
    product = net.hvp({}, data, Direction(data={"x": vector}))
    right = np.tensordot(hessian(loss)(*data.values())[0, :, 0], vector[0], 1)
    np.testing.assert_allclose(product.data["x"][0], right, rtol=1e-10)
    assert all(array.passed for array in net.check({}, data))


def test_a_stack_leaves_them_out() -> None:
    spec = {"inputs": {"x": {"shape": [3]}}, "nodes": [{"kind": "gated"}, {"kind": "sum"}]}
    net = compile_network(spec, registry(gated=Gated))
    assert net.nodes["gated1"].inputs == ("x",)


def test_one_that_does_not_fit_is_named() -> None:
    spec = {
        "inputs": {"x": {"shape": [3]}, "g": {"shape": [2]}},
        "nodes": [{"name": "y", "kind": "gated", "inputs": ["x", "g"]}],
    }
    with pytest.raises(
        Refused, match=r"node 'y' \(gated\) input 'g' as gate: expected shape \[3\], got \[2\]"
    ):
        compile_network(spec, registry(gated=Gated))
