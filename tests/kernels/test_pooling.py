"""Kernels of pooling beside numpy's lines: the same bits, also for numbers that are equal or not finite."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from marshmallow import ValidationError
from support.shared_pieces import shared

from deltawire_layers import LayerError, kernels, load_layers, sharing
from deltawire_layers.numeric.compiled import pooling

pytestmark = pytest.mark.kernels

DTYPES = pytest.mark.parametrize("dtype", ["float32", "float64"])
KINDS = pytest.mark.parametrize("kind", ["max_pool1d", "max_pool2d", "avg_pool1d", "avg_pool2d"])
SPECIAL = [np.nan, np.inf, -np.inf, -0.0, 0.0]


@contextmanager
def by_numpy() -> Iterator[None]:
    """Compute without kernels."""
    compiled, kernels.compiled = kernels.compiled, None
    try:
        yield
    finally:
        kernels.compiled = compiled


def results(kind: str, config: dict[str, Any], x: Any, delta: Any) -> list[Any]:
    """Return the value and δ of a layer."""
    with np.errstate(all="ignore"):
        run = load_layers()[kind](**config).forward({}, x)
        return [run.value, run.deltas[0](np.resize(delta, run.value.shape))]  # type: ignore[misc]


def bits(array: Any, signed_zeros: bool = True) -> bytes:
    """Return the bits of numbers, of which all NaN are alike; so are both zeros, unless their signs count."""
    array = np.where(np.isnan(array), np.nan, array).astype(array.dtype)
    return (array if signed_zeros else array + 0.0).tobytes()


def check_twins(kind: str, config: dict[str, Any], x: Any, delta: Any) -> None:
    """Compare a layer with its twin, and check that the first has kernels."""
    counts: list[str] = []

    class Counted:
        def __getattr__(self, name: str) -> Any:
            counts.append(name)
            return getattr(compiled, name)

    compiled = kernels.compiled
    assert compiled is not None
    kernels.compiled = Counted()
    try:
        value, below = results(kind, config, x, delta)
    finally:
        kernels.compiled = compiled
    with by_numpy():
        expected, expected_below = results(kind, config, x, delta)
    name = kind[:8]
    assert {name, f"{name}_delta"} <= {*counts}
    assert value.dtype == below.dtype == x.dtype and below.flags.c_contiguous
    assert value.shape == expected.shape and below.shape == expected_below.shape
    is_mean = name == "avg_pool"
    assert bits(value, is_mean) == bits(expected, is_mean)
    assert bits(below) == bits(expected_below)


@st.composite
def cases(draw: st.DrawFn) -> tuple[str, dict[str, Any], tuple[int, ...]]:
    """Draw a kind of layer, its config and the shape of a batch."""
    axes, name = draw(st.integers(1, 2)), draw(st.sampled_from(["max_pool", "avg_pool"]))
    kernel = draw(st.lists(st.integers(1, 6), min_size=axes, max_size=axes))
    config: dict[str, Any] = {"kernel": kernel}

    def each(least: int, most: int) -> list[int]:
        return draw(st.lists(st.integers(least, most), min_size=axes, max_size=axes))

    if draw(st.booleans()):
        config["stride"] = each(1, 7)
    if draw(st.booleans()):
        config["dilation"] = each(1, 4)
    if draw(st.booleans()):
        reach = [d * (k - 1) + 1 for k, d in zip(kernel, config.get("dilation", [1] * axes), strict=True)]
        config["padding"] = [[draw(st.integers(0, size // 2)) for _ in range(2)] for size in reach]
    if draw(st.booleans()):
        config["ceil_mode"] = True
    if name == "avg_pool" and draw(st.booleans()):
        config["count_include_pad"] = False
    outer = draw(st.lists(st.integers(1, 3), min_size=1, max_size=3))
    return f"{name}{axes}d", config, (*outer, *each(1, 40))


@given(
    case=cases(),
    dtype=st.sampled_from(["float32", "float64"]),
    ties=st.booleans(),
    special=st.sampled_from([0, 0.05, 0.5]),
    turned=st.booleans(),
    seed=st.integers(0, 2**32 - 1),
)
def test_any_windows_give_the_bits_of_numpy(
    case: tuple[str, dict[str, Any], tuple[int, ...]],
    dtype: str,
    ties: bool,
    special: float,
    turned: bool,
    seed: int,
) -> None:
    kind, config, shape = case
    try:
        load_layers()[kind](**config).output_shape(shape[1:])
    except (LayerError, ValidationError):
        assume(False)
    random = np.random.default_rng(seed)
    x, delta = random.normal(size=(2, *shape)).astype(dtype)
    if ties:
        x = np.round(x)
    for array in (x, delta):
        where = random.random(shape) < special
        array[where] = random.choice([*SPECIAL, np.finfo(dtype).max], where.sum())
    if turned:  # not in the order of memory
        x, delta = (np.asfortranarray(array) for array in (x, delta))
    check_twins(kind, config, x, delta)


TOUCHING = [
    {"kernel": size, **more} for size in (1, 2, 3, 4, 5) for more in ({}, {"ceil_mode": True})
]  # fmt: skip


@pytest.mark.parametrize("config", TOUCHING)
@KINDS
@DTYPES
def test_windows_that_touch_give_the_bits_of_numpy(kind: str, config: dict[str, Any], dtype: str) -> None:
    random = np.random.default_rng(0)
    for width in (60, 61, 62, 64, 67):
        x = np.round(random.normal(size=(2, 3, width - 40, width)), 1).astype(dtype)
        delta = random.choice([*SPECIAL, *range(1, 30)], x.shape).astype(dtype)
        for special in ([], SPECIAL):
            numbers = x.copy()
            where = random.random(x.shape) < 0.1 * bool(special)
            numbers[where] = random.choice([*special, 1], where.sum())
            check_twins(kind, config, numbers, delta)


@pytest.mark.parametrize("stride", [1, 2])
@KINDS
@DTYPES
def test_windows_that_overlap_add_up_in_the_order_of_numpy(kind: str, stride: int, dtype: str) -> None:
    random = np.random.default_rng(0)
    x = random.normal(size=(4, 3, 30, 31)).astype(dtype)
    delta = (random.normal(size=x.shape) * 10.0 ** random.integers(-3, 4, x.shape)).astype(dtype)
    check_twins(kind, {"kernel": 6, "stride": stride, "padding": 2}, x, delta)


@DTYPES
@pytest.mark.parametrize("config", [{"kernel": [1, 3]}, {"kernel": [1, 3], "stride": 1}])
def test_the_first_of_equal_numbers_is_the_greatest(config: dict[str, Any], dtype: str) -> None:
    x = np.array([[[1, 5, 5], [-0.0, 0.0, -1], [-np.inf, -np.inf, -np.inf], [4, np.nan, 4]]], dtype)
    value, below = results("max_pool2d", config, x, np.array([1, 2, 3, 4], dtype))
    np.testing.assert_array_equal(value, [[[5], [0], [-np.inf], [np.nan]]])
    np.testing.assert_array_equal(below, [[[0, 1, 0], [2, 0, 0], [3, 0, 0], [0, 0, 0]]])


@DTYPES
def test_a_window_that_reads_padding_alone_is_minus_infinity_and_sends_nothing(dtype: str) -> None:
    config = {"kernel": 2, "dilation": 3, "padding": 2, "stride": 2}
    value, below = results("max_pool1d", config, np.full((1, 1), 7, dtype), np.ones(1, dtype))
    assert value.tolist() == [[-np.inf]] and below.tolist() == [[0]]


@DTYPES
def test_a_mean_is_finite_although_its_sum_overflows(dtype: str) -> None:
    most = np.finfo(dtype).max
    x = np.full((2, 4, 6), most, dtype)
    x[1, 0, 0] = np.inf
    value, _ = results("avg_pool2d", {"kernel": 2}, x, np.ones(1, dtype))
    expected = np.full((2, 2, 3), most)
    expected[1, 0, 0] = np.inf
    np.testing.assert_array_equal(value, expected)


@KINDS
@DTYPES
@pytest.mark.parametrize("config", [{"kernel": 2}, {"kernel": 3, "stride": 2, "padding": 1}])
def test_threads_that_share_the_planes_change_no_bit(
    kind: str, config: dict[str, Any], dtype: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    x, delta = np.random.default_rng(0).normal(size=(2, 3, 5, 12, 13)).astype(dtype)
    alone = results(kind, config, x, delta)
    monkeypatch.setattr(sharing, "NUMBERS", 8)
    counts: list[int] = []
    with shared(counts):
        together = results(kind, config, x, delta)
    assert [each.tobytes() for each in together] == [each.tobytes() for each in alone]
    assert len(counts) == 2 and min(counts) > 1


@KINDS
def test_long_work_is_cut_into_calls_with_a_look_before_each(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    x, delta = np.random.default_rng(0).normal(size=(2, 7, 5, 6, 6))
    at_once = results(kind, {"kernel": 2}, x, delta)
    looks: list[int] = []
    monkeypatch.setattr(pooling, "check_deadline", lambda: looks.append(1))
    monkeypatch.setattr(pooling, "MOST_READS", 100)
    in_parts = results(kind, {"kernel": 2}, x, delta)
    assert len(looks) > 10
    assert [each.tobytes() for each in in_parts] == [each.tobytes() for each in at_once]


@pytest.mark.parametrize(
    ("kind", "config", "x"),
    [
        ("max_pool2d", {"kernel": 2}, np.ones((1, 4, 4), complex)),
        ("avg_pool2d", {"kernel": 2}, np.ones((1, 4, 4), complex)),
        ("max_pool1d", {"kernel": 1, "stride": 2**40}, np.ones((1, 4))),
        ("avg_pool1d", {"kernel": 1, "dilation": 2**70}, np.ones((1, 4))),
        ("avg_pool1d", {"kernel": 2, "padding": 1}, np.ones((0, 4))),
    ],
)
def test_what_has_no_kernel_is_left_to_numpy(kind: str, config: dict[str, Any], x: Any) -> None:
    layer = load_layers()[kind](**config)
    shape = (len(x), *layer.output_shape(x.shape[1:]))
    value, below = results(kind, config, x, np.ones(1, x.dtype))
    assert pooling.greatest(layer.windows, x, shape) is None
    assert pooling.greatest_delta(layer.windows, x, value, value) is None
    assert pooling.mean(layer.windows, x, x.real, shape) is None
    assert pooling.mean_delta(layer.windows, value, value, x.shape) is None
    assert value.dtype == below.dtype == x.dtype and below.shape == x.shape


def test_arrays_that_do_not_fit_are_refused() -> None:
    import deltawire_kernels as compiled

    x, y, share = np.ones((3, 4, 6)), np.ones((3, 2, 3)), np.ones((2, 3))
    sizes = (4, 6, 2, 3, 2, 2, 2, 2, 0, 0, 1, 1)
    calls = {
        "max_pool": (x, y),
        "max_pool_delta": (x, y, y.copy(), x.copy()),
        "avg_pool": (x, share, y),
        "avg_pool_delta": (share, y, x),
    }
    for name, arrays in calls.items():
        call = getattr(compiled, name)
        call(*arrays, sizes)
        for place, array in enumerate(arrays):
            for wrong in (array[..., ::2], array.astype(np.float32), array.astype(int)):
                with pytest.raises(TypeError):
                    call(*arrays[:place], wrong, *arrays[place + 1 :], sizes)
            for smaller in (array[1:].copy(), np.concatenate((array, array))):
                with pytest.raises(ValueError, match="differ in size|do not fill"):
                    call(*arrays[:place], smaller, *arrays[place + 1 :], sizes)
        for place in range(len(sizes)):
            for wrong_size in (0, -1, 2**24):
                changed = (*sizes[:place], wrong_size, *sizes[place + 1 :])
                if wrong_size == 0 and place in (8, 9):  # no padding
                    continue
                with pytest.raises((ValueError, TypeError)):
                    call(*arrays, changed)


@pytest.mark.parametrize(("kernel", "far", "greatest"), [(2, 3, 1), (3, 2**10, 4), (2**10, 2**20, 4)])
def test_windows_beyond_the_planes_read_nothing_there(kernel: int, far: int, greatest: int) -> None:
    """No sizes make the kernels read or write outside of the planes."""
    import deltawire_kernels as compiled

    x, share, delta = np.arange(1.0, 7).reshape(1, 2, 3), np.ones((4, 5)), np.ones((1, 4, 5))
    sizes = (
        2,
        3,
        4,
        5,
        kernel,
        kernel,
        far,
        far,
        1,
        0,
        1,
        far,
    )  # only the first window meets numbers: 1, then 4
    y, below, outside = np.empty((1, 4, 5)), np.empty_like(x), [-np.inf] * 19
    compiled.max_pool(x, y, sizes)
    assert y.ravel().tolist() == [greatest, *outside]
    compiled.max_pool_delta(x, y, delta, below, sizes)
    np.testing.assert_array_equal(below, x == greatest)
    compiled.avg_pool(x, share, y, sizes)
    assert y.ravel().tolist() == [1 if greatest == 1 else 1 + 4, *[0] * 19]
    compiled.avg_pool_delta(share, delta, below, sizes)
    np.testing.assert_array_equal(below, np.isin(x, [1, greatest]))
