"""Layers of `orders` 1: the kit asks no complex numbers of them, and finds what differences show."""

from __future__ import annotations

import numpy as np
import pytest
from support.broken_layers import Array, OneInput, Params
from support.layers import SEEDS
from support.simulated import Simulated

from deltawire_layers import Activation, ConformanceError, Shape, check_layer


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("shape", [(), (3,), (2, 2)])
def test_a_right_layer_passes(shape: Shape, seed: int) -> None:
    check_layer(Simulated(), shape, seed=seed)


def test_without_the_declaration_it_breaks_rule_4() -> None:
    class Silent(Simulated):
        """y = w tanh(x), for x (...), w ()."""

        orders = 2

    with pytest.raises(ConformanceError, match="given complex128"):
        check_layer(Silent(), (3,))


class WrongDelta(Simulated):
    """y = w tanh(x), for x (...), w (), its δ 0.1 % too large."""

    def forward(self, params: Params, x: Array) -> Activation:
        right = super().forward(params, x)
        return right._replace(deltas=(lambda delta: 1.001 * right.deltas[0](delta),))  # type: ignore[misc]


class WrongGradient(Simulated):
    """y = w tanh(x), for x (...), w (), its gradient 0.1 % too small."""

    def forward(self, params: Params, x: Array) -> Activation:
        right = super().forward(params, x)
        return right._replace(
            grads={"w": lambda delta: np.asarray(0.999 * right.grads["w"](delta), delta.dtype)}
        )


class NoDelta(Simulated):
    """y = w tanh(x), for x (...), w (), without a δ."""

    def forward(self, params: Params, x: Array) -> Activation:
        return super().forward(params, x)._replace(deltas=(None,))


class Neighbours(OneInput):
    """y = x + the number before it, for x (...)."""

    orders, elementwise = 1, True

    def forward(self, params: Params, x: Array) -> Activation:
        return Activation(
            x + np.roll(x, 1, axis=-1), deltas=(lambda delta: delta + np.roll(delta, -1, axis=-1),)
        )


class Orders(Simulated):
    """y = w tanh(x), for x (...), w ()."""

    orders = 3


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(
    ("layer", "rule", "closure"),
    [
        (WrongDelta, 4, "δ of input 0"),
        (WrongGradient, 4, "gradient of 'w'"),
        (NoDelta, 3, "δ of input 0"),
        (Neighbours, 5, "elementwise"),
        (Orders, 5, "orders"),
    ],
)
def test_a_wrong_layer_is_found(layer: type[Simulated], rule: int, closure: str, seed: int) -> None:
    with pytest.raises(ConformanceError) as broken:
        check_layer(layer(), (3,), seed=seed)
    assert (broken.value.rule, broken.value.closure) == (rule, closure)
