"""Quotients, minima and products of matrices: the kit, and inputs that do not fit."""

from __future__ import annotations

import numpy as np
import pytest

from deltawire_layers import LayerError, check_layer
from deltawire_layers.layers.combine import Divide, Matmul, Minimum


@pytest.mark.parametrize("shape", [(), (3,), (2, 3)])
@pytest.mark.parametrize("layer", [Divide(), Minimum()])
def test_pairs_pass_the_kit(layer: Divide | Minimum, shape: tuple[int, ...]) -> None:
    for seed in range(10):
        check_layer(layer, shape, shape, seed=seed)


@pytest.mark.parametrize(
    ("a", "b"), [((1, 1), (1, 1)), ((2, 3), (3, 4)), ((2, 1, 3), (2, 3, 2)), ((1, 2, 2, 1), (1, 2, 1, 2))]
)
def test_matmul_passes_the_kit(a: tuple[int, ...], b: tuple[int, ...]) -> None:
    for seed in range(10):
        check_layer(Matmul(), a, b, seed=seed)


@pytest.mark.parametrize(
    ("a", "b", "position", "message"),
    [
        ((), (3, 2), 0, "at least two axes"),
        ((3,), (3, 2), 0, r"at least two axes, got shape \[3\]"),
        ((2, 3), (3,), 1, r"expected shape \[3, any\], got \[3\]"),
        ((2, 3), (2, 3), 1, r"expected shape \[3, any\], got \[2, 3\]"),
        ((5, 2, 3), (4, 3, 2), 1, r"expected shape \[5, 3, any\], got \[4, 3, 2\]"),
        ((1, 2, 3), (4, 3, 2), 1, r"expected shape \[1, 3, any\]"),
        ((2, 3), (1, 3, 2), 1, r"expected shape \[3, any\]"),
    ],
)
def test_matrices_that_do_not_fit(
    a: tuple[int, ...], b: tuple[int, ...], position: int, message: str
) -> None:
    with pytest.raises(LayerError, match=message) as refused:
        Matmul().output_shape(a, b)
    assert refused.value.input == position


@pytest.mark.parametrize("layer", [Divide(), Minimum()])
def test_pairs_of_different_shapes(layer: Divide | Minimum) -> None:
    with pytest.raises(LayerError, match=r"\[2\], got \[1\]") as refused:
        layer.output_shape((2,), (1,))
    assert refused.value.input == 1


def test_divide_does_not_square_the_divisor() -> None:
    a, b = np.array([1e-200, 1e200]), np.array([1e-200, 1e200])
    activation = Divide().forward({}, a, b)
    assert activation.value.tolist() == [1, 1]
    down = activation.deltas[1]
    assert down is not None
    assert down(np.ones(2)) == pytest.approx([-1e200, -1e-200])


def test_minimum_splits_a_tie() -> None:
    activation = Minimum().forward({}, np.array([1.0, 2.0, 3.0]), np.array([1.0, 3.0, 2.0]))
    assert activation.value.tolist() == [1, 2, 2]
    assert [equation(np.ones(3)).tolist() for equation in activation.deltas if equation] == [
        [0.5, 1, 0],
        [0.5, 0, 1],
    ]
