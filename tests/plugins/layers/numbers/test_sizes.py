"""Numbers near the ends of a dtype's range: no square, sum or length overflows or vanishes on the way."""

from __future__ import annotations

from collections.abc import Callable
from math import inf, log, sqrt
from typing import Any

import numpy as np
import pytest

from deltawire_layers import load_layers

Answering = Callable[..., Any]

LAYERS = load_layers()
DTYPES = [np.float32, np.float64]


def rounding(dtype: type[Any]) -> float:
    return float(np.finfo(dtype).eps)


@pytest.fixture(autouse=True)
def infinities_are_answers() -> Any:
    with np.errstate(all="ignore"):
        yield


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("side", ["tiny", "huge", "smallest"])
def test_cosine_distance(answers: Answering, dtype: type[Any], side: str) -> None:
    limits = np.finfo(dtype)
    size = {"tiny": limits.smallest_normal, "huge": limits.max / 4, "smallest": limits.smallest_subnormal}[
        side
    ]
    a, b = np.array([[3, 4]], dtype) * size, np.array([[4, 3]], dtype) * size
    value, (to_a, to_b), _ = answers(LAYERS["cosine_distance"](), [a, b])
    assert value[0] == pytest.approx(0.04, rel=16 * rounding(dtype))
    if side == "huge":  # else it has no number
        # (â aᵀb̂ − b̂) / ‖a‖, written out
        expected = np.array([[0.6 * 0.96 - 0.8, 0.8 * 0.96 - 0.6]]) / 5 / float(size)
        least = float(limits.smallest_subnormal)
        np.testing.assert_allclose(to_a, expected, rtol=16 * rounding(dtype), atol=2 * least)
        np.testing.assert_allclose(to_b, expected[:, ::-1], rtol=16 * rounding(dtype), atol=2 * least)


@pytest.mark.parametrize("dtype", DTYPES)
def test_huge_vectors_differ_by_right_angles(answers: Answering, dtype: type[Any]) -> None:
    most = np.finfo(dtype).max
    value = answers(LAYERS["cosine_distance"](), [np.array([[most, most]]), np.array([[most, -most]])]).value
    assert value[0] == pytest.approx(1, rel=4 * rounding(dtype))


@pytest.mark.parametrize("dtype", DTYPES)
def test_triplet_of_lengths_beyond_the_range(answers: Answering, dtype: type[Any]) -> None:
    most = np.finfo(dtype).max
    anchor, far = np.zeros((1, 4), dtype), np.full((1, 4), most)
    value, deltas, _ = answers(LAYERS["triplet"](), [anchor, far, -far])
    assert value.tolist() == [1]
    assert deltas[1].tolist() == [[0.5] * 4]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("kind", ["layer_norm", "rms_norm", "group_norm", "instance_norm"])
def test_norms_of_huge_numbers(answers: Answering, dtype: type[Any], kind: str) -> None:
    most = float(np.finfo(dtype).max) / 2
    x = np.array([[[most, most, -most, -most]]], dtype)
    config = {"group_norm": {"groups": 1}}.get(kind, {}) | {"affine": False}
    value, (delta,), _ = answers(LAYERS[kind](**config), [x], np.array([[[1.0, 0, 0, 0]]], dtype))
    assert value == pytest.approx(np.array([[[1, 1, -1, -1]]]), rel=4 * rounding(dtype))
    mean = 0 if kind == "rms_norm" else 0.25
    expected = np.array([0.75, -0.25, 0.25, 0.25]) - mean * np.array([1, 1, 1, 1])
    least = float(np.finfo(dtype).smallest_subnormal)
    np.testing.assert_allclose(delta[0, 0], expected / most, rtol=8 * rounding(dtype), atol=4 * least)


@pytest.mark.parametrize("dtype", DTYPES)
def test_sums_and_means_whose_parts_overflow(answers: Answering, dtype: type[Any]) -> None:
    most = np.finfo(dtype).max
    assert answers(LAYERS["mean"](), [np.full((1, 3), most)]).value[0] == pytest.approx(most, rel=1e-6)
    assert answers(LAYERS["sum"](), [np.array([[most, most, -most]])]).value[0] == most
    pools: dict[str, dict[str, Any]] = {
        "avg_pool1d": {"kernel": 3}, "avg_pool2d": {"kernel": [1, 3]}, "adaptive_avg_pool1d": {"size": 1},
    }  # fmt: skip
    for kind, config in pools.items():
        shape = (1, 1, 3) if kind == "avg_pool2d" else (1, 3)
        value = answers(LAYERS[kind](**config), [np.full(shape, most)]).value
        assert value.reshape(-1) == pytest.approx([float(most)], rel=1e-6)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("side", ["smallest_normal", "max"])
def test_norm_of_the_ends(answers: Answering, dtype: type[Any], side: str) -> None:
    end = getattr(np.finfo(dtype), side) / 8
    value, (delta,), _ = answers(LAYERS["norm"](), [np.array([[3, 4]], dtype) * end])
    assert value.tolist() == [5 * end]
    assert delta == pytest.approx(np.array([[0.6, 0.8]]), rel=2 * rounding(dtype))


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_length_beyond_the_range_has_a_slope(answers: Answering, dtype: type[Any]) -> None:
    delta = answers(LAYERS["norm"](), [np.full((1, 4), np.finfo(dtype).max)]).deltas[0]
    assert delta.tolist() == [[0.5] * 4]


@pytest.mark.parametrize("dtype", DTYPES)
def test_gelu_by_tanh_of_numbers_whose_cube_overflows(answers: Answering, dtype: type[Any]) -> None:
    most = float(np.finfo(dtype).max)
    value, (delta,), _ = answers(LAYERS["gelu"](approximate="tanh"), [np.array([[most, -most]], dtype)])
    assert value.tolist() == [[most, 0]]
    assert delta.tolist() == [[1, 0]]


@pytest.mark.parametrize("dtype", [*DTYPES, np.complex128])
@pytest.mark.parametrize(
    ("kind", "config", "values", "slopes"),
    [
        ("leaky_relu", {}, [inf, -inf], [1, 0.01]),
        ("leaky_relu", {"slope": 0}, [inf, 0], [1, 0]),
        ("elu", {}, [inf, -1], [1, 0]),
        ("elu", {"alpha": 0}, [inf, 0], [1, 0]),
        ("relu", {}, [inf, 0], [1, 0]),
        ("prelu", {}, [inf, -inf], [1, 0.25]),
        ("sigmoid", {}, [1, 0], [0, 0]),
        ("tanh", {}, [1, -1], [0, 0]),
        ("softplus", {}, [inf, 0], [1, 0]),
        ("hardsigmoid", {}, [1, 0], [0, 0]),
    ],
)
def test_pointwise_at_infinity(
    answers: Answering, kind: str, config: Any, values: list[float], slopes: list[float], dtype: type[Any]
) -> None:
    params = {"weight": np.array([0.25], dtype)} if kind == "prelu" else {}
    value, (delta,), _ = answers(LAYERS[kind](**config), [np.array([[inf, -inf]], dtype)], params=params)
    assert value.real.tolist() == [values]
    assert delta.real == pytest.approx(np.array([slopes]), rel=rounding(np.float32))


def test_logsumexp_of_the_ends(answers: Answering) -> None:
    most = float(np.finfo(np.float64).max)
    assert answers(LAYERS["logsumexp"](), [np.array([[-most, -most]])]).value.tolist() == [-most]
    assert answers(LAYERS["logsumexp"](), [np.array([[0.0, -most]])]).value.tolist() == [0]
    assert answers(LAYERS["norm"](), [np.array([[1e-300, 1e-300]])]).value[0] == pytest.approx(
        sqrt(2) * 1e-300
    )
    assert answers(LAYERS["logsumexp"](), [np.array([[-1e-20, 0]])]).value[0] == pytest.approx(log(2))
