"""Recurrent layers: the rules of the contract, small known numbers, and what does not fit."""

from __future__ import annotations

from math import tanh
from typing import Any

import numpy as np
import pytest
from marshmallow import ValidationError
from support.layers import FEW_SEEDS

from deltawire_layers import Activation, ConformanceError, LayerError, check_layer
from deltawire_layers.layer import Shape
from deltawire_layers.layers.recurrent.cells import Elman, Gru, Lstm
from deltawire_layers.layers.recurrent.recurrent import Recurrent

KINDS = pytest.mark.parametrize("kind", [Elman, Gru, Lstm])


@KINDS
@pytest.mark.parametrize(("units", "shape"), [(2, (3, 2)), (1, (1, 3)), (3, (5, 1)), (1, (2, 1))])
@pytest.mark.parametrize("seed", FEW_SEEDS)
def test_keeps_the_contract(kind: type[Recurrent], units: int, shape: Shape, seed: int) -> None:
    check_layer(kind(units=units), shape, seed=seed)


@KINDS
def test_saved_counts_the_equations_and_the_signal(kind: type[Recurrent]) -> None:
    layer, x, units = kind(units=5), (4, 3), 5
    params = {name: np.ones(shape) for name, (shape, _) in layer.parameters(x).items()}
    signal = layer.forward(params, np.ones((1, *x))).signal(np.ones((1, 4, 5)))
    arrays = (signal.u, signal.s, *signal.states)
    made = sum(array.size for array in {id(array): array for array in arrays}.values())
    by_equations = layer.saved(x) - made

    class Less(kind):  # type: ignore[misc,valid-type]
        """h = the same."""

        def saved(self, x: Shape) -> int:
            return by_equations - 1

    assert by_equations == {Elman: 1 * 4, Gru: 4 * 4 + 1, Lstm: 5 * 4 + 1}[kind] * units
    if by_equations:
        message = f"saved is {by_equations - 1}, but the equations save {by_equations} numbers"
        with pytest.raises(ConformanceError, match=message):
            check_layer(Less(units=units), x)


def numbered(layer: Recurrent, n: int, **given: Any) -> dict[str, np.ndarray]:
    """Parameters of 0, but for the given ones."""
    zeros = {name: np.zeros(shape) for name, (shape, _) in layer.parameters((1, n)).items()}
    return zeros | {name: np.array(numbers, float) for name, numbers in given.items()}


def gradients(activation: Activation, delta: Any) -> dict[str, list[Any]]:
    signal = activation.signal(np.array(delta, float))
    return {name: equation(signal).tolist() for name, equation in activation.grads.items()}


def test_elman_of_two_steps() -> None:
    layer = Elman(units=1)
    params = numbered(layer, 1, weight_ih=[[2]], weight_hh=[[3]], bias_ih=[0.25], bias_hh=[0.25])
    run = layer.forward(params, np.array([[[0.5], [-1.0]]]))
    first, second = tanh(1.5), tanh(-2 + 3 * tanh(1.5) + 0.5)
    assert run.value[0, :, 0] == pytest.approx([first, second])

    late = 1 - second**2
    early = (1 - first**2) * 3 * late  # δ of the second step comes back through W_hh
    assert gradients(run, [[[0], [1]]]) == {
        "weight_ih": [[pytest.approx(0.5 * early - late)]],
        "weight_hh": [[pytest.approx(first * late)]],
        "bias_ih": [pytest.approx(early + late)],
        "bias_hh": [pytest.approx(early + late)],
    }
    delta = run.deltas[0](run.signal(np.array([[[0.0], [1.0]]])))  # type: ignore[misc]
    assert delta.tolist() == [[[pytest.approx(2 * early)], [pytest.approx(2 * late)]]]


def test_gru_keeps_its_state_while_z_is_1() -> None:
    layer = Gru(units=1)
    params = numbered(layer, 2, weight_ih=[[0, 0], [0, 1e3], [1, 0]])
    run = layer.forward(params, np.array([[[0.5, -1.0], [9.0, 1.0]]]))
    assert run.value[0, :, 0] == pytest.approx([tanh(0.5), tanh(0.5)])


def test_gru_resets_what_it_sees_of_the_state() -> None:
    """With r = 0 the candidate does not see W_hh h, but for r = 1 it does."""
    layer = Gru(units=1)
    params = numbered(
        layer, 2, weight_ih=[[0, 1e3], [0, 0], [1, 0]], weight_hh=[[0], [0], [1]], bias_ih=[0, -1e3, 0]
    )
    reset, seen = (
        layer.forward(params, np.array([[[0.5, -1.0], [0.25, sign]]])).value[0, 1, 0] for sign in (-1, 1)
    )
    assert (reset, seen) == pytest.approx((tanh(0.25), tanh(0.25 + tanh(0.5))))


def test_lstm_adds_to_its_cell_behind_open_gates() -> None:
    """Gates i, f and o wide open: the cell is a sum of its inputs."""
    layer = Lstm(units=1)
    params = numbered(layer, 1, weight_ih=[[0], [0], [1], [0]], bias_hh=[1e3, 1e3, 0, 1e3])
    run = layer.forward(params, np.array([[[0.5], [0.25]]]))
    cell = tanh(0.5) + tanh(0.25)
    assert run.value[0, :, 0] == pytest.approx([tanh(tanh(0.5)), tanh(cell)])
    sent = 1 - tanh(cell) ** 2
    assert gradients(run, [[[0], [1]]])["bias_ih"] == [
        0, 0, pytest.approx(sent * (1 - tanh(0.5) ** 2 + 1 - tanh(0.25) ** 2)), 0,
    ]  # fmt: skip


def test_lstm_forgets() -> None:
    layer = Lstm(units=1)
    params = numbered(layer, 1, weight_ih=[[0], [0], [1], [0]], bias_hh=[1e3, -1e3, 0, 1e3])
    value = layer.forward(params, np.array([[[0.5], [0.25]]])).value
    assert value[0, 1, 0] == pytest.approx(tanh(tanh(0.25)))


@KINDS
def test_time_is_run_back_once(kind: type[Recurrent]) -> None:
    """The equations only read the signal: they give the same for every array that stands in it."""
    layer = kind(units=2)
    stream = np.random.default_rng(0)
    params = {name: init(stream, shape) for name, (shape, init) in layer.parameters((3, 4)).items()}
    x = stream.standard_normal((2, 3, 4))
    run = layer.forward(params, x)
    signal = run.signal(np.ones((2, 3, 2)))
    u, s = (stream.standard_normal(array.shape) for array in (signal.u, signal.s))
    other = type(signal)(u, s, signal.states)
    before = np.concatenate([np.zeros((2, 1, 2)), run.value[:, :-1]], axis=1)
    expected = {
        "weight_ih": np.einsum("bti,btj->ij", u, x),
        "weight_hh": np.einsum("bti,btj->ij", s, before),
        "bias_ih": u.sum(axis=(0, 1)),
        "bias_hh": s.sum(axis=(0, 1)),
    }
    for name, equation in run.grads.items():
        assert equation(other) == pytest.approx(expected[name], rel=1e-12)
    assert run.deltas[0](other) == pytest.approx(u @ params["weight_ih"], rel=1e-12)  # type: ignore[misc]


@KINDS
def test_saturated_gates_stay_finite(kind: type[Recurrent]) -> None:
    layer = kind(units=2)
    params = {name: np.full(shape, -1e4) for name, (shape, _) in layer.parameters((3, 1)).items()}
    run = layer.forward(params, np.array([[[1e4], [-1e4], [0.0]]]))
    signal = run.signal(np.ones((1, 3, 2)))
    answers = [run.value, *(equation(signal) for equation in (*run.deltas, *run.grads.values()) if equation)]
    assert all(np.isfinite(array).all() for array in answers)


@KINDS
@pytest.mark.parametrize("shape", [(), (3,), (2, 3, 4)])
def test_what_is_no_sequence_is_named(kind: type[Recurrent], shape: Shape) -> None:
    with pytest.raises(LayerError) as caught:
        kind(units=2).output_shape(shape)
    assert str(caught.value) == f"expected a sequence of shape (steps, n), got shape {list(shape)}"
    assert caught.value.input == 0


@KINDS
@pytest.mark.parametrize("config", [{}, {"units": 0}, {"units": 1.5}, {"units": 2, "layers": 2}])
def test_config(kind: type[Recurrent], config: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        kind(**config)


@pytest.mark.parametrize(("kind", "gates"), [(Elman, 1), (Gru, 3), (Lstm, 4)])
def test_parameters_are_laid_out_as_in_torch(kind: type[Recurrent], gates: int) -> None:
    layer = kind(units=5)
    assert layer.output_shape((2, 3)) == (2, 5)
    assert {name: parameter.shape for name, parameter in layer.parameters((2, 3)).items()} == {
        "weight_ih": (gates * 5, 3),
        "weight_hh": (gates * 5, 5),
        "bias_ih": (gates * 5,),
        "bias_hh": (gates * 5,),
    }


@KINDS
@pytest.mark.parametrize(
    "config", [{"reverse": True}, {"last": True}, {"reverse": True, "last": True}, {"bias": False}]
)
@pytest.mark.parametrize("started", [False, True])
def test_options_keep_the_contract(kind: type[Recurrent], config: dict[str, Any], started: bool) -> None:
    first = ((2,),) * (kind.states if started else 0)
    for seed in FEW_SEEDS:
        check_layer(kind(units=2, **config), (3, 2), *first, seed=seed)


@KINDS
def test_first_states_of_zero_are_the_default(kind: type[Recurrent]) -> None:
    layer, stream = kind(units=2, reverse=True), np.random.default_rng(0)
    x, zero = stream.standard_normal((4, 3, 2)), np.zeros((4, 2))
    params = {name: stream.standard_normal(shape) for name, (shape, _) in layer.parameters((3, 2)).items()}
    plain, started = layer.forward(params, x), layer.forward(params, x, *[zero] * kind.states)
    np.testing.assert_array_equal(plain.value, started.value)


@pytest.mark.parametrize(
    ("kind", "shapes", "message"),
    [
        (Lstm, [(3, 2), (2,)], "expected x and 2 first states, or none, got 1"),
        (Gru, [(3, 2), (2,), (2,)], "expected x and 1 first states, or none, got 2"),
        (Gru, [(3, 2), (3,)], "expected a state of shape [2], got [3]"),
    ],
)
def test_first_states_that_do_not_fit(kind: type[Recurrent], shapes: list[Shape], message: str) -> None:
    with pytest.raises(LayerError) as caught:
        kind(units=2).output_shape(*shapes)
    assert str(caught.value) == message


def test_elman_with_relu_keeps_the_contract() -> None:
    for seed in FEW_SEEDS:
        check_layer(Elman(units=2, nonlinearity="relu"), (3, 2), seed=seed)
    with pytest.raises(ValidationError):
        Elman(units=2, nonlinearity="gelu")


@pytest.mark.parametrize("last", [False, True])
@pytest.mark.parametrize("reverse", [False, True])
def test_the_cells_of_lstm_keep_the_contract(last: bool, reverse: bool) -> None:
    for states in ((), ((2,), (2,))):
        check_layer(Lstm(units=2, cells=True, last=last, reverse=reverse), (3, 2), *states)


def test_the_value_of_lstm_is_its_states_or_its_cells() -> None:
    states, cells = Lstm(units=1), Lstm(units=1, cells=True)
    params = numbered(states, 1, weight_ih=[[1], [1], [1], [1]])
    x = np.array([[[0.5], [-1.0]]])
    h, c = (layer.forward(params, x).value for layer in (states, cells))
    sigmoid = 1 / (1 + np.exp(-x))
    first = sigmoid[0, 0, 0] * tanh(0.5)
    second = sigmoid[0, 1, 0] * first + sigmoid[0, 1, 0] * tanh(-1.0)
    assert c[0, :, 0] == pytest.approx([first, second])
    assert h == pytest.approx(sigmoid * np.tanh(c))
