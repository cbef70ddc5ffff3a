"""Tensors at the leaves of a document: numbers in lists, in base64 and in binary bodies."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deltawire import wire
from deltawire.errors import Refused


def same(a: np.ndarray, b: np.ndarray) -> bool:
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()


def test_lists_become_the_dtype_asked_for() -> None:
    assert same(wire.read_tensor([[1, 2.5]], "float32"), np.float32([[1, 2.5]]))
    assert same(wire.read_tensor(3, "int64"), np.array(3))
    assert same(wire.read_tensor([], "float64"), np.zeros(0))
    assert same(wire.read_tensor([[], []], "float64"), np.zeros((2, 0)))
    assert same(wire.read_tensor([2**62, -(2**63)], "int64"), np.array([2**62, -(2**63)]))
    assert same(wire.read_tensor([2**60, 1e300], "float64"), np.array([2.0**60, 1e300]))


@pytest.mark.parametrize(
    "leaf, dtype, pointer",
    [
        ([[1, 2], [3, None]], "float64", "/1/1"),
        ([[1, 2], [3]], "float64", "/1"),
        ([[1, 2], 3], "float64", "/1"),
        ([1, [2]], "float64", "/1"),
        ([[[0.5]], [[1e39]]], "float32", "/1/0/0"),
        ([0.5, -(2**128)], "float32", "/1"),
        ([0.5, 2**1024], "float64", "/1"),
        ([0.5, 10**5000], "float64", "/1"),
        ([0, 2**63], "int64", "/1"),
        ([0, -(2**63) - 1], "int64", "/1"),
        ("1", "float64", ""),
    ],
)
def test_the_very_number_is_pointed_at(leaf: Any, dtype: str, pointer: str) -> None:
    with pytest.raises(Refused) as refused:
        wire.read_tensor(leaf, dtype, "/data/x")
    assert (refused.value.code, refused.value.pointer) == ("tensor_invalid", f"/data/x{pointer}")


def test_lists_have_the_limits_of_tensors() -> None:
    limits = wire.Limits(rank=2, elements=4)
    wire.read_tensor([[1, 2], [3, 4]], "float64", limits=limits)
    for leaf, code in (([[[1]]], "shape_invalid"), ([1, 2, 3, 4, 5], "shape_too_large")):
        with pytest.raises(Refused) as refused:
            wire.read_tensor(leaf, "float64", limits=limits)
        assert refused.value.code == code


ANY_SIZE = wire.Limits(elements=2**62)


@pytest.mark.parametrize(
    "shape, limits",
    [
        ([0, 2**26 + 1], wire.DEFAULT),
        ([0, 2**26, 2**26, 2**26], wire.DEFAULT),
        ([2**40, 0, 2**40], ANY_SIZE),
        ([0, 2**62], ANY_SIZE),
    ],
)
def test_the_axes_of_an_array_without_numbers_are_bounded_too(shape: list[int], limits: wire.Limits) -> None:
    with pytest.raises(Refused) as refused:
        wire.read_tensor({"dtype": "float64", "shape": shape, "base64": ""}, "float64", limits=limits)
    assert (refused.value.code, refused.value.pointer) == ("shape_too_large", "/shape")


@pytest.mark.parametrize("size, limits", [(2**26, wire.DEFAULT), (2**59, ANY_SIZE)])
def test_a_long_axis_of_no_rows_is_read(size: int, limits: wire.Limits) -> None:
    leaf = {"dtype": "float64", "shape": [0, size], "base64": ""}
    assert wire.read_tensor(leaf, "float64", limits=limits).shape == (0, size)


def test_a_wrong_dtype_says_how_to_mend_it() -> None:
    def detail(sent: str, dtype: str) -> str:
        with pytest.raises(Refused) as refused:
            wire.read_tensor(json.loads(wire.encode(np.zeros(1, sent), wire.JSON, "base64")), dtype)
        return str(refused.value)

    assert 'set "dtype" of the request to "float32"' in detail("float32", "float64")
    assert "send floating-point numbers" in detail("int64", "float64")
    assert "takes integers" in detail("float64", "int64")


def test_every_tensor_that_cannot_be_read_is_told() -> None:
    leaves = {"a": [None], "b": [1], "c": "x"}
    with pytest.raises(Refused) as refused:
        wire.read_tensors(leaves, dict.fromkeys(leaves, "float64"), "/params")
    assert [fault.pointer for fault in refused.value.faults] == ["/params/a/0", "/params/c"]


def test_reading_does_not_run_python_for_each_number() -> None:
    """A million numbers take as long as numpy takes for them, several times over at most."""
    from time import perf_counter

    rows = np.random.default_rng(0).random((1000, 1000)).tolist()

    def seconds(work: Any) -> float:
        start = perf_counter()
        work()
        return perf_counter() - start

    numpy_alone = min(seconds(lambda: np.array(rows)) for _ in range(3))
    assert min(seconds(lambda: wire.read_tensor(rows, "float64")) for _ in range(3)) < 8 * numpy_alone


MANY = [0.5] * 65
"""More numbers than are examined one by one: a longer list is read another way."""


def spellings() -> st.SearchStrategy[str]:
    """JSON texts of one number each: integers of up to 25 digits, decimals, exponents."""
    integers = st.integers(-(10**25), 10**25).map(str)
    near_powers = st.builds(lambda power, off: str(2**power + off), st.integers(20, 80), st.integers(-3, 3))
    floats = st.floats(allow_nan=False, allow_infinity=False).map(repr)
    decimals = st.builds(
        "{}.{}e{}".format, st.integers(-99, 99), st.integers(0, 10**20), st.integers(-30, 30)
    )
    return integers | near_powers | floats | decimals


def json_number(text: str) -> Any:
    return wire.decode(f"[{text}]".encode(), wire.JSON)[0]


@given(spellings(), st.booleans())
def test_a_float_tensor_takes_the_nearest_number_however_it_is_spelled(text: str, many: bool) -> None:
    leaf = [json_number(text), *(MANY if many else [])]
    assert wire.read_tensor(leaf, "float64")[0] == float(text)
    with np.errstate(over="ignore"):
        single = np.float32(float(text))
    if np.isfinite(single):
        assert wire.read_tensor(leaf, "float32")[0] == single
    else:
        with pytest.raises(Refused, match="out of the range of float32") as refused:
            wire.read_tensor(leaf, "float32", "/data/x")
        assert (refused.value.code, refused.value.pointer) == ("tensor_invalid", "/data/x/0")


@given(spellings(), st.booleans())
def test_an_integer_tensor_is_exact_or_refused(text: str, many: bool) -> None:
    leaf = [json_number(text), *([1] * 65 if many else [])]
    if text.lstrip("-").isdigit() and -(2**63) <= int(text) < 2**63:
        assert int(wire.read_tensor(leaf, "int64")[0]) == int(text)
    else:
        with pytest.raises(Refused) as refused:
            wire.read_tensor(leaf, "int64", "/data/y")
        assert refused.value.code in ("tensor_invalid", "dtype_mismatch")
        assert refused.value.pointer == "/data/y/0"


@pytest.mark.parametrize("number", [2**53 + 1, 2**60, 2**63 - 1, 2**64 + 1])
def test_lists_base64_and_binary_bodies_hold_the_same_numbers(number: int) -> None:
    from_list = wire.read_tensor([json_number(str(number))], "float64")
    array = np.array([float(number)])
    for media_type, tensors in ((wire.JSON, "lists"), (wire.JSON, "base64"), (wire.SAFETENSORS, "lists")):
        body = wire.encode({"data": {"x": array}}, media_type, tensors)
        leaf = wire.decode(body, media_type)["data"]["x"]
        assert wire.read_tensor(leaf, "float64").tobytes() == from_list.tobytes()


def test_javascripts_spelling_of_a_large_integer() -> None:
    assert wire.read_tensor([json_number("1152921504606847000")], "float64")[0] == 2.0**60
    assert wire.read_tensor([json_number("1152921504606847000")], "int64")[0] == 1152921504606847000


@pytest.mark.parametrize("many", [[], MANY])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_numbers_that_are_not_finite_stay_so_in_lists_of_the_sdk(dtype: str, many: list[float]) -> None:
    read = wire.read_tensor([math.nan, math.inf, -math.inf, *many], dtype)[:3].tolist()
    assert math.isnan(read[0]) and read[1:] == [math.inf, -math.inf]
