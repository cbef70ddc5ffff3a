"""Layers of several inputs: small known numbers, the rules of the contract, and inputs that do not fit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from marshmallow import ValidationError
from support.layers import FEW_SEEDS

from deltawire_layers import LayerError, check_layer, load_layers
from deltawire_layers.layers.combine import Divide, Matmul, Minimum

Answering = Callable[..., Any]

LAYERS = load_layers()

A = [[1.0, 2.0, 3.0]]
B = [[4.0, 2.0, -1.0]]
DELTA = [[1.0, 10.0, 100.0]]


@pytest.mark.parametrize(
    ("kind", "value", "a_delta", "b_delta"),
    [
        ("add", [5, 4, 2], [1, 10, 100], [1, 10, 100]),
        ("subtract", [-3, 0, 4], [1, 10, 100], [-1, -10, -100]),
        ("multiply", [4, 4, -3], [4, 20, -100], [1, 20, 300]),
        ("maximum", [4, 2, 3], [0, 5, 100], [1, 5, 0]),
    ],
)
def test_number_by_number(
    answers: Answering, kind: str, value: list[float], a_delta: list[float], b_delta: list[float]
) -> None:
    got = answers(LAYERS[kind](), [A, B], DELTA)
    assert got.value.tolist() == [value]
    assert [delta.tolist() for delta in got.deltas] == [[a_delta], [b_delta]]
    assert got.grads == {}


def test_the_circuit_of_the_lecture(answers: Answering) -> None:
    q = answers(LAYERS["add"](), [[-2.0], [5.0]])
    f = answers(LAYERS["multiply"](), [q.value, [-4.0]])
    assert (q.value.item(), f.value.item()) == (3, -12)
    assert [delta.item() for delta in f.deltas] == [-4, 3]
    assert [delta.item() for delta in answers(LAYERS["add"](), [[-2.0], [5.0]], f.deltas[0]).deltas] == [
        -4,
        -4,
    ]


@pytest.mark.parametrize("count", [1, 2, 5])
def test_add_takes_any_number_of_inputs(answers: Answering, count: int) -> None:
    got = answers(LAYERS["add"](), [A] * count, DELTA)
    assert got.value.tolist() == [[count, 2 * count, 3 * count]]
    assert [delta.tolist() for delta in got.deltas] == [DELTA] * count


def test_dot_contracts_the_last_axis(answers: Answering) -> None:
    a, b = [[[1.0, 2.0], [3.0, 4.0]]], [[[5.0, 6.0], [7.0, 8.0]]]
    got = answers(LAYERS["dot"](), [a, b], delta=[[1.0, 10.0]])
    assert got.value.tolist() == [[17, 53]]
    assert got.deltas[0].tolist() == [[[5, 6], [70, 80]]]
    assert got.deltas[1].tolist() == [[[1, 2], [30, 40]]]


@pytest.mark.parametrize("kind", ["add", "subtract", "multiply", "maximum", "dot"])
@pytest.mark.parametrize("other", [(3,), (1,), (2, 2), ()])
def test_nothing_broadcasts(kind: str, other: tuple[int, ...]) -> None:
    with pytest.raises(LayerError) as caught:
        LAYERS[kind]().output_shape((2,), other)
    assert caught.value.input == 1
    told = f"expected the shape of the first input, [2], got {list(other)}"
    mend = "" if other == (3,) else ": nothing broadcasts; repeat an input by reshape and expand"
    assert str(caught.value) == told + mend


def test_add_names_the_first_input_that_differs() -> None:
    with pytest.raises(LayerError) as caught:
        LAYERS["add"]().output_shape((2,), (2,), (3,), (4,))
    assert caught.value.input == 2


def test_dot_needs_an_axis() -> None:
    with pytest.raises(LayerError, match="at least one axis, got a single number"):
        LAYERS["dot"]().output_shape((), ())


@pytest.mark.parametrize("kind", ["add", "subtract", "multiply", "maximum", "dot"])
@pytest.mark.parametrize("position", [0, 1])
def test_what_is_not_a_number_is_not_hidden(answers: Answering, kind: str, position: int) -> None:
    inputs = [[[1.0, 2.0]], [[2.0, 1.0]]]
    inputs[position][0][1] = np.nan
    assert np.isnan(answers(LAYERS[kind](), inputs).value).any()


@pytest.mark.parametrize("shape", [(), (3,), (2, 3)])
@pytest.mark.parametrize("layer", [Divide(), Minimum()])
def test_pairs_pass_the_kit(layer: Divide | Minimum, shape: tuple[int, ...]) -> None:
    for seed in FEW_SEEDS:
        check_layer(layer, shape, shape, seed=seed)


@pytest.mark.parametrize(
    ("a", "b"), [((1, 1), (1, 1)), ((2, 3), (3, 4)), ((2, 1, 3), (2, 3, 2)), ((1, 2, 2, 1), (1, 2, 1, 2))]
)
def test_matmul_passes_the_kit(a: tuple[int, ...], b: tuple[int, ...]) -> None:
    for seed in FEW_SEEDS:
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


EINSUMS: list[tuple[str, list[tuple[int, ...]]]] = [
    ("ij,jk->ik", [(2, 3), (3, 2)]),
    ("ij->", [(2, 3)]),
    ("i,j->ij", [(2,), (3,)]),
    ("ij,jk,kl->li", [(2, 3), (3, 2), (2, 2)]),
    ("ij,k->i", [(2, 3), (2,)]),
    (",i->i", [(), (2,)]),
]


@pytest.mark.parametrize(("equation", "shapes"), EINSUMS)
def test_einsum_keeps_the_contract(equation: str, shapes: list[tuple[int, ...]]) -> None:
    for seed in FEW_SEEDS:
        check_layer(LAYERS["einsum"](equation=equation), *shapes, seed=seed)


@pytest.mark.parametrize("equation", ["ij", "ii->i", "ij->k", "i...->i", "ij->ii", "", 3])
def test_other_equations_are_refused(equation: Any) -> None:
    with pytest.raises(ValidationError):
        LAYERS["einsum"](equation=equation)


@pytest.mark.parametrize(
    ("shapes", "message"),
    [
        ([(2, 3)], "the equation has 2 terms, and the node 1 inputs"),
        ([(2, 3), (3,)], "the term 'jk' does not fit shape [3]"),
        ([(2, 3), (4, 2)], "'j' is 3 before, and 4 in shape [4, 2]"),
    ],
)
def test_inputs_of_an_einsum_fit_its_terms(shapes: list[tuple[int, ...]], message: str) -> None:
    with pytest.raises(LayerError) as caught:
        LAYERS["einsum"](equation="ij,jk->ik").output_shape(*shapes)
    assert str(caught.value) == message
