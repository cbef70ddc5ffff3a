"""Kernels under the complex step: functions of one number beside mpmath, norms beside numpy."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from contextvars import Context

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.engine import compiled
from support.exact_functions import EXACT

from deltawire_layers.layers.norms import normalised
from deltawire_layers.numeric import kernels
from deltawire_layers.numeric.compiled import moved_norms
from deltawire_layers.numeric.complex_parts import moved_pass
from deltawire_service.engine import Direction

pytestmark = pytest.mark.kernels

FUNCTIONS = list(EXACT)
STEP = 2.0**-664
MOST = 1e-15
"""How far a second derivative may be off, relative to itself and the greater term of the first one."""


@pytest.fixture(autouse=True)
def in_a_pass() -> Iterator[None]:
    with moved_pass([], only_moves=False):
        yield


def test_elsewhere_the_step_is_numpys_so_that_it_can_check_the_kernels() -> None:
    moved = np.array([[0.5, -1.0]]) + 1j * STEP
    assert kernels.pointwise("tanh", moved) and moved_norms.norm(moved, 1e-5, centred=True)
    elsewhere = Context().run(lambda: (kernels.pointwise("tanh", moved), moved_norms.norm(moved, 1e-5, True)))
    assert elsewhere == (None, None)


def numbers(count: int) -> np.ndarray:
    random = np.random.default_rng(3)
    return np.concatenate([random.uniform(-most, most, count) for most in (1.5, 12, 45)])


@pytest.mark.parametrize("function", FUNCTIONS)
def test_values_move_by_their_slope(function: str) -> None:
    x = numbers(300) + 1j * STEP * numbers(300)[::-1]
    activation = kernels.pointwise(function, x)
    assert activation is not None
    real = kernels.pointwise(function, x.real.copy())
    assert real is not None
    np.testing.assert_array_equal(activation.value.real, real.value)
    np.testing.assert_array_equal(activation.value.imag, real.deltas[0](x.imag.copy()))  # type: ignore[misc]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_deltas_move_by_the_second_derivative(function: str) -> None:
    at, along = numbers(60), numbers(60)[::-1]
    one = np.ones(at.shape, complex)
    activation = kernels.pointwise(function, at + 1j * STEP * along)
    assert activation is not None
    below = activation.deltas[0](one)  # type: ignore[misc]
    with mpmath.workdps(60):
        for x, v, got in zip(at.tolist(), along.tolist(), (below.imag / STEP).tolist(), strict=True):
            slope = EXACT[function][1]
            exact = mpmath.diff(slope, mpmath.mpf(x), h=mpmath.mpf(10) ** -25)
            # Terms may cancel, near the points where f″ is 0. Below 1e-105, the step has no digits left.
            size = abs(exact) + abs(EXACT[function][2](mpmath.mpf(x)))
            assert abs(mpmath.mpf(got) - exact * v) <= MOST * size * abs(v) + mpmath.mpf(10) ** -105, (x, v)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_deltas_move_with_the_delta_above(function: str) -> None:
    at, delta = numbers(100), numbers(100)[::-1] * (1 + 1j * STEP)
    activation, real = kernels.pointwise(function, at + 0j), kernels.pointwise(function, at)
    assert activation is not None and real is not None
    below = activation.deltas[0](delta)  # type: ignore[misc]
    for part in ("real", "imag"):
        expected = real.deltas[0](getattr(delta, part).copy())  # type: ignore[misc]
        np.testing.assert_array_equal(getattr(below, part), expected)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_what_is_no_ordinary_number_goes_through(function: str) -> None:
    x = np.array([np.nan, np.inf, -np.inf, -0.0, 5e-324, 1e308, -1e308])
    activation = kernels.pointwise(function, x + 0j)
    assert activation is not None
    below = activation.deltas[0](np.ones(x.shape, complex))  # type: ignore[misc]
    assert np.isnan(activation.value[0].real) and np.isnan(below[0].real)
    assert not activation.value[1:].imag.any() and not below[1:].imag.any()
    moved = kernels.pointwise(function, x + 1j * STEP)
    assert moved is not None
    assert np.isfinite(moved.value[1:].imag).all()
    assert np.isfinite(moved.deltas[0](np.ones(x.shape, complex))[1:].imag).all()  # type: ignore[misc]


@pytest.mark.parametrize("arrays", [(3, 3), (4, 2), (4, 4)])
def test_arrays_that_do_not_fit_are_refused(arrays: tuple[int, int]) -> None:
    import deltawire_kernels

    first, second = np.zeros(arrays[0]), np.zeros(arrays[1])
    odd = arrays[0] % 2 or arrays[0] != arrays[1]
    for call in (
        lambda: deltawire_kernels.moved_value(0, first, second),
        lambda: deltawire_kernels.moved_delta(0, first, first, second),
        lambda: deltawire_kernels.moved_delta(0, second, first, first),
    ):
        if odd:
            with pytest.raises(ValueError):
                call()
        else:
            call()
    with pytest.raises(ValueError, match="no such function"):
        deltawire_kernels.moved_value(99, first, first)
    with pytest.raises(TypeError):
        deltawire_kernels.moved_value(0, first.astype(complex), first.astype(complex))


@given(
    shape=st.tuples(st.integers(1, 4), st.integers(1, 3), st.integers(1, 70)),
    centred=st.booleans(),
    scale=st.sampled_from([1e-6, 1.0, 1e4]),
    shift=st.sampled_from([0.0, 3.0]),
    seed=st.integers(0, 2**32 - 1),
)
def test_a_norm_moves_as_by_numpy(
    shape: tuple[int, int, int], centred: bool, scale: float, shift: float, seed: int
) -> None:
    random = np.random.default_rng(seed)
    x, along, delta, moves = random.normal(size=(4, *shape))
    x, delta = scale * (x + shift) + 1j * STEP * along, delta + 1j * STEP * moves
    found = moved_norms.norm(x, 1e-5, centred)
    assert found is not None
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kernels, "compiled", None)
        value, back = (normalised.normalised if centred else normalised.rescaled)(x, 1e-5)
        below = back(delta)
    size = (1 + abs(shift)) * scale / max(scale, 1e-5**0.5) ** 2
    for got, right, step in ((found[0], value, size), (found[1](delta), below, size**2)):
        np.testing.assert_allclose(got.real, right.real, rtol=1e-11, atol=1e-12 * (1 + size))
        np.testing.assert_allclose(got.imag / STEP, right.imag / STEP, rtol=1e-9, atol=1e-11 * (1 + step))


def test_a_norm_of_numbers_whose_squares_overflow_is_left_to_numpy() -> None:
    assert moved_norms.norm(np.array([[1e200, -1e200, 3.0]], complex), 1e-5, centred=True) is None
    assert moved_norms.norm(np.array([[1.0, 2.0]]), 1e-5, centred=True) is None


@pytest.mark.parametrize("kind", ["layer_norm", "rms_norm"])
def test_norms_take_no_more_memory_than_is_planned(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    nodes = [*({"kind": kind, "name": f"n{place}"} for place in range(8)), {"kind": "sum", "name": "s"}]
    network = compiled({"inputs": {"x": {"shape": [1024]}}, "nodes": nodes})
    random = np.random.default_rng(0)
    params = {name: random.normal(size=each.shape) for name, each in network.parameters.items()}
    x, along = random.normal(size=(2, 64, 1024))

    def peak() -> int:
        tracemalloc.start()
        network.hvp(params, {"x": x}, Direction(data={"x": along}), wrt_data=True)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    with_kernels = min(peak() for _ in range(3))
    monkeypatch.setattr(kernels, "compiled", None)
    assert with_kernels <= 1.1 * min(peak() for _ in range(3))
