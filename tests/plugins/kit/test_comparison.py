"""`check_layer(layer, against=other)`: closures beside a layer that means the same."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from deltawire_layers import Activation, ConformanceError, Layer, Parameter, analytic, check_layer, products
from deltawire_layers.autodiff import analytic as traced
from deltawire_layers.autodiff import from_numpy
from deltawire_layers.initializers import fan_in, ones

Shape = tuple[int, ...]


def gated(params: Any, x: Any) -> Any:
    """y = W x ∘ σ(V x)"""
    return (x @ params["weight"].T) * traced.sigmoid(x @ params["gate"].T)


def matrices(x: Shape) -> dict[str, Parameter]:
    return {name: Parameter((2, x[-1]), fan_in(x[-1])) for name in ("weight", "gate")}


Forward = from_numpy(gated, parameters=matrices)


class Gated(Layer):
    """y = W x ∘ σ(V x)"""

    mistakes: dict[str, float] = {}

    def output_shape(self, x: Shape) -> Shape:
        return (*x[:-1], 2)

    def parameters(self, x: Shape) -> dict[str, Parameter]:
        return matrices(x)

    def saved(self, x: Shape) -> int:
        return 6 * int(np.prod(x[:-1]))

    def forward(self, params: Mapping[str, Any], x: Any) -> Activation:
        W, V = params["weight"], params["gate"]
        a, s = x @ W.T, analytic.sigmoid(x @ V.T)
        slope = analytic.sigmoid_slope(x @ V.T)
        factor = self.mistakes.get
        return Activation(
            value=factor("value", 1.0) * a * s,
            signal=lambda delta: (delta * s, delta * a * slope),
            deltas=(lambda both: factor("δ of input 0", 1.0) * (both[0] @ W + both[1] @ V),),
            grads={
                "weight": lambda both: factor("gradient of 'weight'", 1.0) * products.outer(both[0], x),
                "gate": lambda both: factor("gradient of 'gate'", 1.0) * products.outer(both[1], x),
            },
        )


@pytest.mark.parametrize("shape", [(3,), (2, 3)])
def test_right_closures_pass(shape: Shape) -> None:
    check_layer(Gated(), shape, against=Forward())
    check_layer(Forward(), shape, against=Gated())


@pytest.mark.parametrize("closure", ["value", "δ of input 0", "gradient of 'weight'", "gradient of 'gate'"])
@pytest.mark.parametrize("factor", [-1.0, 0.5, 1.0001])
def test_a_difference_is_named(closure: str, factor: float) -> None:
    layer = type("Wrong", (Gated,), {"__doc__": Gated.__doc__, "mistakes": {closure: factor}})()
    with pytest.raises(ConformanceError, match=re.escape(f"{closure} differs from that of Gated")) as caught:
        check_layer(layer, (3,), against=Forward())
    assert (caught.value.closure, caught.value.rule) == (closure, 4)


def test_another_meaning_is_found_though_the_layer_is_consistent() -> None:
    """Right closures of another function pass the kit alone."""

    class Doubled(Layer):
        """y = 2 x"""

        def output_shape(self, x: Shape) -> Shape:
            return x

        def forward(self, params: Mapping[str, Any], x: Any) -> Activation:
            return Activation(2 * x, (lambda delta: 2 * delta,))

    triple = from_numpy(lambda x: 3.0 * x, formula="y = 3 x")
    check_layer(Doubled(), (3,))
    with pytest.raises(ConformanceError, match="value differs from that of Lambda"):
        check_layer(Doubled(), (3,), against=triple())


def test_a_wrong_second_derivative_is_found() -> None:
    class Bent(Layer):
        """y = x³"""

        def output_shape(self, x: Shape) -> Shape:
            return x

        def forward(self, params: Mapping[str, Any], x: Any) -> Activation:
            slope = 3 * x.real**2 + (0j if np.iscomplexobj(x) else 0)
            return Activation(x**3, (lambda delta: slope * delta,))

    cube = from_numpy(lambda x: x**3, formula="y = x³")
    with pytest.raises(ConformanceError, match=r"δ of input 0 has another derivative .*second order"):
        check_layer(Bent(), (3,), against=cube())


def test_a_missing_equation_is_found() -> None:
    class Deaf(Layer):
        """y = x z"""

        def output_shape(self, x: Shape, z: Shape) -> Shape:
            return x

        def forward(self, params: Mapping[str, Any], x: Any, z: Any) -> Activation:
            return Activation(x * z, (lambda delta: delta * z, None))

    product = from_numpy(lambda x, z: x * z, formula="y = x z")
    with pytest.raises(ConformanceError, match="δ of input 1 is None, but that of Lambda is not 0"):
        check_layer(Deaf(), (3,), (3,), against=product())


def test_parameters_with_other_names_belong_together_by_order() -> None:
    def renamed(params: Any, x: Any) -> Any:
        """y = A x ∘ σ(B x)"""
        return gated({"weight": params["a"], "gate": params["b"]}, x)

    other = from_numpy(renamed, parameters=lambda x: dict(zip("ab", matrices(x).values(), strict=True)))
    check_layer(Gated(), (3,), against=other())
    swapped = from_numpy(
        renamed, parameters=lambda x: {"a": Parameter((3, x[-1]), ones), "b": matrices(x)["gate"]}
    )
    with pytest.raises(ConformanceError, match=r"parameters are .*'a': \(3, 3\)"):
        check_layer(Gated(), (3,), against=type("Other", (swapped,), {"output_shape": Gated.output_shape})())


def test_parameters_with_the_same_names_may_stand_in_another_order() -> None:
    other = from_numpy(gated, parameters=lambda x: dict(reversed(matrices(x).items())))
    check_layer(Gated(), (3,), against=other())


def test_where_the_other_overflows_nothing_is_compared() -> None:
    """The author's closures may be the better ones far out."""
    naive = from_numpy(lambda x: np.log(1 + np.exp(x)), formula="y = log(1 + eˣ)")
    stable = from_numpy(lambda x: traced.softplus(x), formula="y = log(1 + eˣ)")
    check_layer(stable(), (3,), against=naive())


def test_another_shape_or_number_of_inputs_is_named() -> None:
    wide = from_numpy(lambda x: np.concatenate([x, x], -1), formula="y = (x, x)")
    same = from_numpy(lambda x: 1.0 * x, formula="y = x")
    two = from_numpy(lambda x, y: x + y, formula="z = x + y")
    with pytest.raises(ConformanceError, match=r"output_shape is \(3,\), but that of Lambda is \(6,\)"):
        check_layer(same(), (3,), against=wide())
    with pytest.raises(TypeError, match="takes 2 inputs"):
        check_layer(same(), (3,), against=two())
    table = from_numpy(lambda i: 1.0 * i + 0.5, integers={0: range(3)}, formula="y = i + ½")
    with pytest.raises(
        ConformanceError, match=r"integer_inputs names the inputs \[\], but that of Lambda \[0\]"
    ):
        check_layer(same(), (3,), against=table())


def test_a_layer_that_is_nowhere_finite_is_no_oracle() -> None:
    same = from_numpy(lambda x: 1.0 * x, formula="y = x")
    endless = from_numpy(lambda x: x + np.inf, formula="y = ∞")
    with pytest.raises(ConformanceError, match="nowhere finite"):
        check_layer(same(), (3,), against=endless())
