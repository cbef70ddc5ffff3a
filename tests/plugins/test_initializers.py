"""First numbers: from one seed the same on every machine, and in torch's ranges."""

from __future__ import annotations

from fractions import Fraction
from math import sqrt
from typing import Any

import numpy as np
import pytest
from support.layers import BUILT_IN

from deltawire_layers import Initializer, Parameter, initializers

SHAPES = [(), (0,), (3,), (2, 3, 4)]


def stream(seed: int = 0) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(seed))


def test_one_seed_gives_the_same_numbers_on_every_machine() -> None:
    assert initializers.fan_in(4)(stream(7), (2, 3)).tolist() == [
        [0.12509546660466697, 0.3972138009695755, 0.2756856902451935],
        [-0.27479281000940814, -0.19983371508877457, 0.3735534453962619],
    ]
    assert initializers.unit_variance(stream(0), (3,)).tolist() == [
        0.47444920226224196,
        -0.797482216676747,
        -1.5901143571236198,
    ]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(
    "init",
    [
        initializers.zeros,
        initializers.ones,
        initializers.fan_in(9),
        initializers.unit_variance,
        initializers.Normal(0.5),
        initializers.Constant(3),
    ],  # fmt: skip
)
def test_every_shape_gives_a_float64_array_from_the_stream_alone(
    init: Initializer, shape: tuple[int, ...]
) -> None:
    first, again = init(stream(), shape), init(stream(), shape)
    assert isinstance(first, np.ndarray) and (first.shape, first.dtype) == (shape, np.float64)
    assert first.tobytes() == again.tobytes()


def test_zeros_and_ones() -> None:
    assert initializers.zeros(stream(), (2,)).tolist() == [0, 0]
    assert initializers.ones(stream(), (2,)).tolist() == [1, 1]


@pytest.mark.parametrize(("count", "bound"), [(1, 1.0), (4, 0.5), (100, 0.1), (0, 1.0)])
def test_fan_in_spreads_over_one_by_the_root_of_the_count(count: int, bound: float) -> None:
    drawn = initializers.fan_in(count)(stream(), (10_000,))
    assert -bound <= drawn.min() < -0.99 * bound and 0.99 * bound < drawn.max() < bound
    assert abs(drawn.mean()) < 0.02 * bound


def test_unit_variance() -> None:
    assert initializers.unit_variance(stream(), (100_000,)).var() == pytest.approx(1, abs=0.01)


def test_scaled_draws_the_same_numbers_times_a_factor() -> None:
    drawn = initializers.fan_in(4)(stream(), (5, 3))
    assert np.array_equal(initializers.Scaled(initializers.fan_in(4), 0.5)(stream(), (5, 3)), 0.5 * drawn)
    assert initializers.Scaled(initializers.fan_in(4), 1.0)(stream(), (5, 3)).tobytes() == drawn.tobytes()
    assert not initializers.Scaled(initializers.ones, 0.0)(stream(), (2,)).any()


# What the layers say about their first numbers, and what they draw.

LAYERS: dict[str, tuple[dict[str, Any], list[tuple[int, ...]]]] = {
    "batch_norm": ({}, [(3, 4), (3,), (3,)]),
    "conv1d": ({"channels": 6, "kernel": [5], "groups": 2}, [(4, 9)]),
    "conv2d": ({"channels": 6, "kernel": [5, 3]}, [(4, 9, 9)]),
    "conv_transpose1d": ({"channels": 6, "kernel": [5], "groups": 2}, [(4, 9)]),
    "conv_transpose2d": ({"channels": 6, "kernel": [5, 3]}, [(4, 9, 9)]),
    "elman": ({"units": 7}, [(3, 5)]),
    "embedding": ({"rows": 40, "width": 9}, [()]),
    "group_norm": ({"groups": 2}, [(4, 3)]),
    "gru": ({"units": 7}, [(3, 5)]),
    "instance_norm": ({}, [(4, 3)]),
    "layer_norm": ({}, [(6,)]),
    "linear": ({"units": 30}, [(7,)]),
    "lstm": ({"units": 7}, [(3, 5)]),
    "multi_head_attention": ({"heads": 2}, [(3, 8), (4, 8), (4, 8)]),
    "prelu": ({}, [(6,)]),
    "rms_norm": ({}, [(6,)]),
    "scale": ({}, [(6,)]),
    "shift": ({}, [(6,)]),
}
BOUNDS = {
    "uniform within ±1/√n": 1 / sqrt(7),
    "uniform within ±√3, with variance 1": sqrt(3),
    "uniform within ±1/√units": 1 / sqrt(7),
    "uniform within ±√(3 / (2 e))": sqrt(3 / 16),
    "uniform within ±1/√e": 1 / sqrt(8),
}
WINDOWS = {
    "conv1d": 2 * 5,
    "conv2d": 4 * 5 * 3,
    "conv_transpose1d": 3 * 5,
    "conv_transpose2d": 6 * 5 * 3,
}


def first_parameters(kind: str, **config: Any) -> dict[str, Parameter]:
    own, shapes = LAYERS[kind]
    return BUILT_IN[kind](**own, **config).parameters(*shapes)


def test_every_layer_with_parameters_is_tried() -> None:
    assert sorted(LAYERS) == [kind for kind in BUILT_IN if BUILT_IN[kind].formula.grads]  # type: ignore[union-attr]


@pytest.mark.parametrize("kind", LAYERS)
def test_first_numbers_are_those_that_the_layer_says(kind: str) -> None:
    formula = BUILT_IN[kind].formula
    assert formula and formula.init.keys() == first_parameters(kind).keys()
    for name, (_, init) in first_parameters(kind).items():
        drawn, text = init(stream(), (10_000,)), formula.init[name]
        if text in ("0", "1", "1/4"):
            assert set(drawn.tolist()) == {float(Fraction(text))}
        else:
            bound = 1 / sqrt(WINDOWS[kind]) if "window" in text else BOUNDS[text]
            assert 0.999 * bound < np.abs(drawn).max() <= bound and abs(drawn.mean()) < 0.02 * bound


@pytest.mark.parametrize("kind", [kind for kind in LAYERS if kind != "shift"])
def test_init_scale_scales_what_is_drawn(kind: str) -> None:
    usual, tenth = first_parameters(kind), first_parameters(kind, init_scale=0.1)
    for name, (shape, init) in usual.items():
        assert np.array_equal(tenth[name].init(stream(), shape), 0.1 * init(stream(), shape))


def test_a_normal_draw_has_the_moments_of_the_distribution() -> None:
    drawn = initializers.Normal(0.5)(stream(), (200_000,))
    assert abs(drawn.mean()) < 0.005 and drawn.std() == pytest.approx(0.5, rel=0.01)
    assert np.mean(np.abs(drawn) < 0.5) == pytest.approx(0.6827, abs=0.01)  # one standard deviation
    assert np.abs(drawn).max() <= 3
    first = np.random.Generator(np.random.PCG64(0)).random((12, 1))
    assert initializers.Normal(2.0)(stream(), (1,))[0] == (sum(first.ravel(), start=-6.0)) * 2


def test_a_constant_is_one_number() -> None:
    assert initializers.Constant(-1.5)(stream(), (2,)).tolist() == [-1.5, -1.5]
