"""Hessian-vector products and the diagonal: against the whole Hessian, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from support.engine import compiled

from deltawire.errors import Refused
from deltawire_service.engine import Direction, Network
from deltawire_service.engine.plan import memory_plan

CLASSIFIER = {
    "inputs": {
        "x": {"shape": [3]},
        "y": {"shape": [], "dtype": "int64"},
        "s": {"shape": [4], "shared": True},
    },
    "nodes": [
        {"name": "h", "kind": "linear", "inputs": ["x"], "config": {"units": 4}},
        {"name": "m", "kind": "multiply", "inputs": ["h", "s"]},
        {"name": "a", "kind": "tanh"},
        {"name": "o", "kind": "linear", "config": {"units": 2}},
        {"name": "loss", "kind": "softmax_nll", "inputs": ["o", "y"]},
    ],
    "regularization": {"l2": 0.25},
}


def given(dtype: str = "f8") -> tuple[Network, dict[str, np.ndarray], dict[str, np.ndarray]]:
    network, rng = compiled(CLASSIFIER), np.random.default_rng(0)
    data = {"x": rng.standard_normal((5, 3)).astype(dtype), "s": rng.standard_normal(4).astype(dtype)}
    return network, network.init(0, dtype), data | {"y": rng.integers(0, 2, 5)}


def hessian(network: Network, params: Any, data: Any, name: str) -> np.ndarray:
    """The whole Hessian of one parameter, by its columns."""
    size = params[name].size
    basis = np.eye(size).reshape(size, *params[name].shape)
    return network.hvp(params, data, Direction({name: basis})).params[name].reshape(size, size)


def test_a_hessian_is_symmetric_and_has_the_regularization_once() -> None:
    network, params, data = given()
    H = hessian(network, params, data, "h.weight")
    np.testing.assert_allclose(H, H.T, atol=1e-16)
    bare = compiled({**CLASSIFIER, "regularization": {"l2": 0}})
    np.testing.assert_allclose(H - hessian(bare, params, data, "h.weight"), 0.25 * np.eye(12), atol=1e-15)


def test_quadratic_forms_and_rows_asked_for() -> None:
    network, params, data = given()
    rng = np.random.default_rng(1)
    vectors = Direction({"h.weight": rng.standard_normal((4, 3))}, {"x": rng.standard_normal((5, 3))})
    whole = network.hvp(params, data, vectors, quadratic=True)
    vHv = sum((v * product).sum() for v, product in (
        (vectors.params["h.weight"], whole.params["h.weight"]), (vectors.data["x"], whole.data["x"]),
    ))  # fmt: skip
    assert whole.quadratic == pytest.approx(vHv, rel=1e-14)
    other = network.hvp(params, data, vectors, wrt_params=["o.*"], wrt_data=False, quadratic=True)
    assert other.params.keys() == {"o.weight", "o.bias"} and not other.data
    assert other.quadratic == whole.quadratic


def test_cotangents_in_place_of_the_loss() -> None:
    network, params, data = given()
    vector = Direction({"h.bias": np.ones(4)})
    weights = {"loss": np.full(5, 0.2)}
    ours = network.hvp(params, data, vector, cotangents=weights).params["h.bias"]
    np.testing.assert_allclose(ours, network.hvp(params, data, vector).params["h.bias"], atol=1e-17)
    with pytest.raises(Refused) as refused:
        network.hvp(params, data, vector, cotangents={"loss": np.ones((2, 5))})
    assert (refused.value.pointer, refused.value.code) == ("/cotangents/loss", "shape_mismatch")


def test_float32_is_computed_in_complex128() -> None:
    network, params, data = given("f4")
    wide = {name: array.astype("f8") for name, array in params.items()}
    more = {name: array.astype("f8") if array.dtype == "f4" else array for name, array in data.items()}
    vector = np.linspace(-1, 1, 4)
    single = network.hvp(params, data, Direction({"h.bias": vector.astype("f4")})).params["h.bias"]
    along = Direction({"h.bias": vector.astype("f4").astype("f8")})
    np.testing.assert_array_equal(single, network.hvp(wide, more, along).params["h.bias"].astype("f4"))
    assert single.dtype == "f4"
    moved = network.jvp(params, data, Direction({"h.bias": vector.astype("f4")}), ["o"])
    assert moved.values["o"].dtype == moved.tangents["o"].dtype == "f4"
    exact = network.jvp(wide, more, along, ["o"])
    np.testing.assert_array_equal(moved.tangents["o"], exact.tangents["o"].astype("f4"))


def test_the_diagonal_is_estimated_without_bias_and_the_same_everywhere() -> None:
    network, params, data = given()
    exact = np.diag(hessian(network, params, data, "h.weight")).reshape(4, 3)
    samples = 4000
    found = network.hessian_diagonal(params, data, wrt_params=["h.weight"], samples=samples)
    H = hessian(network, params, data, "h.weight")
    spread = np.sqrt(((H**2).sum(axis=1) - np.diag(H) ** 2) / samples).reshape(4, 3)
    assert (np.abs(found.params["h.weight"] - exact) <= 5 * spread).all()
    assert found.trace == pytest.approx(found.params["h.weight"].sum())
    one = network.hessian_diagonal(params, data, samples=1, seed=3)
    np.testing.assert_array_equal(
        one.params["o.bias"], network.hessian_diagonal(params, data, samples=1, seed=3).params["o.bias"]
    )
    assert one.trace != network.hessian_diagonal(params, data, samples=1, seed=4).trace


def test_a_trace_that_overflows_is_refused() -> None:
    """Each number of the diagonal is finite, their sum is not."""
    nodes = [{"kind": "exp"}, {"kind": "sum"}]
    network = compiled({"inputs": {"x": {"shape": [3]}}, "nodes": nodes})
    at, by = {"x": np.full((1, 3), 709.7)}, {"wrt_params": False, "wrt_data": True, "samples": 1}
    found = network.hessian_diagonal({}, at, non_finite="return", cotangents={"exp1": np.ones((1, 3))}, **by)
    assert np.isfinite(found.data["x"]).all() and found.trace == np.inf
    with pytest.raises(Refused) as refused:
        network.hessian_diagonal({}, at, cotangents={"exp1": np.ones((1, 3))}, **by)
    assert (refused.value.pointer, refused.value.code) == ("/network", "non_finite")


def test_a_diagonal_hessian_is_found_exactly() -> None:
    nodes = [{"kind": "exp"}, {"kind": "sum"}]
    network = compiled({"inputs": {"x": {"shape": [3]}}, "nodes": nodes})
    x = np.array([[0.0, 1.0, -2.0]])
    found = network.hessian_diagonal({}, {"x": x}, wrt_params=False, wrt_data=True, samples=1)
    np.testing.assert_allclose(found.data["x"], np.exp(x), rtol=1e-15)


def test_chunks_and_sums_are_those_of_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    network, params, data = given()
    along = Direction({"h.weight": np.ones((4, 3))}, {"s": np.ones(4), "x": np.ones((5, 3))})
    whole = network.hvp(params, data, along, reduction="sum")
    moved = network.jvp(params, data, along, ["o"])
    monkeypatch.setattr(memory_plan, "count_chunks", lambda network, batch, itemsize: batch)
    chunked = compiled(CLASSIFIER)
    fork = chunked.hvp(params, data, along, reduction="sum")
    for place, array in Direction(fork.params, fork.data).flat().items():
        np.testing.assert_allclose(array, Direction(whole.params, whole.data).flat()[place], atol=1e-14)
    found = chunked.jvp(params, data, along, ["o"])
    np.testing.assert_allclose(found.tangents["o"], moved.tangents["o"], atol=1e-14)


BIAS = np.ones(4)


@pytest.mark.parametrize(
    "vectors, pointer, code",
    [
        (Direction(), "", "field_invalid"),
        (Direction({"h.bia": BIAS}), "/params/h.bia", "unknown_parameter"),
        (Direction(data={"z": BIAS}), "/data/z", "unknown_data"),
        (Direction(data={"y": np.ones(5)}), "/data/y", "not_differentiable"),
        (Direction({"h.bias": np.ones(3)}), "/params/h.bias", "shape_mismatch"),
        (Direction({"h.bias": np.ones((2, 2, 4))}), "/params/h.bias", "shape_mismatch"),
        (Direction({"h.bias": np.ones((0, 4))}), "/params/h.bias", "shape_mismatch"),
        (Direction({"h.bias": BIAS}, {"s": np.ones((2, 4))}), "/data/s", "shape_mismatch"),
        (Direction({"h.bias": BIAS.astype("f4")}), "/params/h.bias", "dtype_mismatch"),
        (Direction({"h.bias": BIAS * np.nan}), "/params/h.bias", "non_finite"),
        (Direction({"h.bias": np.broadcast_to(BIAS, (10**7, 4))}), None, "memory_plan_exceeded"),
    ],
)
def test_what_is_refused(vectors: Direction, pointer: str | None, code: str) -> None:
    network, params, data = given()
    for place, call in (
        ("vectors", lambda: network.hvp(params, data, vectors)),
        ("tangents", lambda: network.jvp(params, data, vectors, ["o"])),
    ):
        with pytest.raises(Refused) as refused:
            call()
        expected = "/network" if pointer is None else f"/{place}{pointer}"
        assert (refused.value.pointer, refused.value.code) == (expected, code)
