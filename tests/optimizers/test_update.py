"""A step: in place or into other arrays with the same bits, in any layout, with little memory."""

from __future__ import annotations

import tracemalloc
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from support.training import drawn

from deltawire_optimizers import Array, Clip, Optimizer, Step, init_state, load_optimizers, update
from deltawire_optimizers.optimizers.sgd import Sgd

OPTIMIZERS = load_optimizers()
CONFIGS: dict[str, dict[str, Any]] = {
    "sgd": {"momentum": 0.9, "nesterov": True, "weight_decay": 0.1},
    "adam": {"weight_decay": 0.1, "amsgrad": True},
    "adamw": {"amsgrad": True},
    "rmsprop": {"centered": True, "momentum": 0.9, "weight_decay": 0.1},
    "adagrad": {"weight_decay": 0.1, "lr_decay": 0.1},
    "lion": {"weight_decay": 0.1},
}
every = pytest.mark.parametrize("kind", OPTIMIZERS)
dtypes = pytest.mark.parametrize("dtype", [np.float32, np.float64])


def made(kind: str) -> Optimizer:
    return OPTIMIZERS[kind](learning_rate=0.01, **CONFIGS[kind])


def bits(*groups: Mapping[str, Array]) -> list[bytes]:
    return [array.tobytes() for group in groups for array in group.values()]


def test_every_optimizer_is_tried() -> None:
    assert sorted(CONFIGS) == list(OPTIMIZERS)


@every
@dtypes
def test_a_step_allocates_no_array(kind: str, dtype: Any) -> None:
    optimizer = made(kind)
    params, gradients = ({"w": np.ones((1000, 1000), dtype)} for _ in range(2))
    state = init_state(optimizer, params)
    new_params, new_state = (
        {name: np.empty_like(a) for name, a in arrays.items()} for arrays in (params, state)
    )
    tracemalloc.start()
    try:
        for out in ({}, {"out_params": new_params, "out_state": new_state}):
            tracemalloc.reset_peak()
            before, _ = tracemalloc.get_traced_memory()
            update(optimizer, params, gradients, state, Step(2, 0.1), clip=Clip(0.5, 0.1), **out)
            assert tracemalloc.get_traced_memory()[1] - before < 450_000 < params["w"].nbytes / 8
    finally:
        tracemalloc.stop()


@every
@dtypes
def test_other_arrays_get_the_same_bits_and_nothing_else_is_written(kind: str, dtype: Any) -> None:
    optimizer = made(kind)
    params, state = drawn(dtype=dtype), init_state(optimizer, drawn(dtype=dtype))
    slots = [
        ({k: a.copy() for k, a in params.items()}, {k: a.copy() for k, a in state.items()}) for _ in "ab"
    ]
    for number in range(1, 5):
        gradients = drawn(number, dtype)
        before = bits(*slots[0], gradients)
        for array in (*slots[1][0].values(), *slots[1][1].values()):
            array.fill(np.nan)
        out = {"out_params": slots[1][0], "out_state": slots[1][1]}
        update(optimizer, slots[0][0], gradients, slots[0][1], Step(number, 0.1), clip=Clip(0.5, 0.1), **out)
        assert bits(*slots[0], gradients) == before
        slots.reverse()
        update(optimizer, params, gradients, state, Step(number, 0.1), clip=Clip(0.5, 0.1))
        assert bits(params, state) == bits(*slots[0])


@every
def test_layout_and_strides_do_not_matter(kind: str) -> None:
    optimizer = made(kind)
    usual = {"w": np.random.default_rng(0).normal(size=(90, 70))}
    room = np.zeros((180, 140))
    for turned in (np.asfortranarray(usual["w"]), room[::2, ::2], room[::-2, 1::2]):
        turned[...] = usual["w"]
        results = []
        for params in ({"w": usual["w"].copy()}, {"w": turned}):
            state = init_state(optimizer, params)
            for number in (1, 2):
                gradients = {"w": np.asfortranarray(np.random.default_rng(number).normal(size=(90, 70)))}
                update(optimizer, params, gradients, state, Step(number, 0.1))
            results.append(bits(params, state))
        assert results[0] == results[1]


@every
def test_a_learning_rate_of_0_moves_nothing(kind: str) -> None:
    optimizer, params = made(kind), drawn()
    update(optimizer, params, drawn(1), init_state(optimizer, params), Step(1, 0.0))
    assert bits(params) == bits(drawn())


@every
def test_the_learning_rate_of_the_step_counts(kind: str) -> None:
    low, high = drawn(), drawn()
    for params, rate in ((low, 0.01), (high, 0.02)):
        update(made(kind), params, drawn(1), init_state(made(kind), params), Step(1, rate))
    start = drawn()["long"]
    np.testing.assert_allclose(high["long"] - start, 2 * (low["long"] - start), rtol=1e-9, atol=1e-12)


def test_gradients_are_clipped_first_scaled_then_bounded() -> None:
    sgd = OPTIMIZERS["sgd"]()
    params = {"w": np.zeros(4)}
    gradients = {"w": np.array([4.0, 1.0, -6.0, 0.0])}
    update(sgd, params, gradients, {}, Step(1, 1.0), clip=Clip(scale=0.5, bound=1.0))
    assert params["w"].tolist() == [-1, -0.5, 1, 0]
    assert gradients["w"].tolist() == [4, 1, -6, 0]


class Normalized(Optimizer):
    """θ ← θ − γ g / ‖g‖: not elementwise."""

    elementwise = False

    def update(self, param: Any, gradient: Any, state: Any, scratch: Any, step: Step) -> None:
        param -= step.learning_rate * gradient / np.linalg.norm(gradient)


def test_a_rule_that_is_not_elementwise_gets_whole_arrays() -> None:
    params = {"w": np.zeros((100, 100))}
    update(Normalized(), params, {"w": np.ones((100, 100))}, {}, Step(1, 1.0), clip=Clip(3.0))
    assert np.linalg.norm(params["w"]) == pytest.approx(1)


def test_state_has_the_dtype_of_its_parameter() -> None:
    params = {"narrow": np.zeros(2, np.float32), "wide": np.zeros((2, 2))}
    state = init_state(OPTIMIZERS["adam"](), params)
    assert {name: (array.dtype, array.shape) for name, array in state.items()} == {
        f"{name}.{key}": (array.dtype, array.shape)
        for name, array in params.items()
        for key in ("exp_avg", "exp_avg_sq")
    }


class Half(Sgd):
    """A rule of its own, whose class has the kernel of another."""

    def update(self, param: Any, gradient: Any, state: Any, scratch: Any, step: Step) -> None:
        param -= step.learning_rate * gradient / 2


def test_a_rule_that_derives_from_ours_is_not_computed_by_our_kernel() -> None:
    optimizer = Half()
    for order in ("C", "F"):
        params = {"w": np.ones((2, 3), order=order)}  # type: ignore[call-overload]
        update(optimizer, params, {"w": np.ones((2, 3), order=order)}, {}, Step(1, 0.5))  # type: ignore[call-overload]
        np.testing.assert_array_equal(params["w"], 0.75)


@pytest.mark.parametrize("clip", [Clip(), Clip(scale=0.5)])
def test_a_gradient_of_another_shape_is_refused(clip: Clip) -> None:
    params = {"w": np.zeros((2, 3))}
    with pytest.raises(ValueError, match="shapes differ"):
        update(Sgd(), params, {"w": np.arange(6.0).reshape(3, 2)}, {}, Step(1, 0.5), clip=clip)
    np.testing.assert_array_equal(params["w"], 0)
