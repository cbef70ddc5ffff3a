"""Derivatives of networks that contain layers of `orders` 1, beside their twins that are analytic."""

from __future__ import annotations

from typing import Any

import autograd.numpy as anp
import numpy as np
import pytest
from autograd import grad, jacobian
from support.layers import registry
from support.simulated import Analytic, Simulated

from deltawire.errors import Refused
from deltawire_layers import Activation
from deltawire_service.engine import Direction, Network, PluginError, compile_network

SPEC: dict[str, Any] = {
    "inputs": {"x": {"shape": [3]}, "y": {"shape": [2]}},
    "nodes": [
        {"name": "a", "kind": "linear", "inputs": ["x"], "config": {"units": 2, "bias": False}},
        {"name": "sim", "kind": "simulated"},
        {"name": "b", "kind": "linear", "config": {"units": 2, "bias": False}},
        {"name": "c", "kind": "tanh"},
        {"name": "loss", "kind": "squared_error", "inputs": ["c", "y"]},
    ],
}
RNG = np.random.default_rng(5)
X, Y = RNG.standard_normal((5, 3)), RNG.standard_normal((5, 2))
DATA = {"x": X, "y": Y}


def compiled(layer: type[Analytic]) -> Network:
    return compile_network(SPEC, registry(simulated=layer))


@pytest.fixture(scope="module")
def network() -> Network:
    return compiled(Simulated)


@pytest.fixture(scope="module")
def params(network: Network) -> dict[str, np.ndarray]:
    return {**network.init(seed=1), "sim.w": np.array(1.5)}


def scores(a: Any, w: Any, b: Any, x: Any) -> Any:
    return anp.tanh((w * anp.tanh(x @ a.T)) @ b.T)


def loss(a: Any, w: Any, b: Any, x: Any = X, y: Any = Y) -> Any:
    return ((scores(a, w, b, x) - y) ** 2).sum() / len(x)


def args(params: dict[str, np.ndarray]) -> tuple[np.ndarray, ...]:
    return params["a.weight"], params["sim.w"], params["b.weight"]


def test_first_derivatives_are_those_of_the_oracle(network: Network, params: dict[str, np.ndarray]) -> None:
    found = network.gradients(params, DATA, wrt_data=["x"])
    for place, name in enumerate(("a.weight", "sim.w", "b.weight")):
        np.testing.assert_allclose(found.params[name], grad(loss, place)(*args(params)), rtol=1e-12)
    np.testing.assert_allclose(found.data["x"], grad(loss, 3)(*args(params), X), rtol=1e-12)
    found = network.gradients(params, DATA, per_example=True)
    assert found.params["sim.w"].shape == (5,)


@pytest.mark.parametrize("mode", [None, "reverse"])
def test_jacobians_go_backwards(network: Network, params: dict[str, np.ndarray], mode: str | None) -> None:
    found = network.jacobian(params, DATA, ["c"], wrt_params=False, wrt_data=["x"], mode=mode)
    assert found.mode == "reverse"
    for row in range(5):
        right = jacobian(lambda x: scores(*args(params), x))(X[row])
        np.testing.assert_allclose(found.outputs["c"].data["x"][row], right, rtol=1e-12)


def test_a_forward_jacobian_is_refused_where_it_was_asked_for(
    network: Network, params: dict[str, np.ndarray]
) -> None:
    with pytest.raises(Refused, match=r"'sim' \(simulated\) has first derivatives only.*reverse") as refused:
        network.jacobian(params, DATA, ["c"], mode="forward")
    assert (refused.value.code, refused.value.pointer) == ("first_order_only", "/mode")
    after = network.jacobian(params, DATA, ["c"], wrt_params=["b.*"], wrt_data=False, mode="forward")
    reverse = network.jacobian(params, DATA, ["c"], wrt_params=["b.*"], wrt_data=False, mode="reverse")
    np.testing.assert_allclose(
        after.outputs["c"].params["b.weight"], reverse.outputs["c"].params["b.weight"], rtol=1e-12
    )


def test_tangents_go_around_it_and_not_through_it(network: Network, params: dict[str, np.ndarray]) -> None:
    along = RNG.standard_normal((2, 2))
    found = network.jvp(params, DATA, Direction({"b.weight": along}), ["c"])
    by_b = jacobian(lambda b: scores(params["a.weight"], params["sim.w"], b, X))(params["b.weight"])
    np.testing.assert_allclose(found.tangents["c"], np.einsum("rkij,ij->rk", by_b, along), rtol=1e-12)
    before = network.jvp(params, DATA, Direction(data={"x": X}), ["a"])
    np.testing.assert_allclose(before.tangents["a"], X @ params["a.weight"].T, rtol=1e-12)
    for direction in (Direction(data={"x": X}), Direction({"sim.w": np.array(1.0)})):
        with pytest.raises(Refused, match=r"'sim' \(simulated\).*Jacobian in reverse mode") as refused:
            network.jvp(params, DATA, direction, ["c"])
        assert (refused.value.code, refused.value.pointer) == ("first_order_only", "/network/nodes/1")


def test_products_with_the_hessian_go_back_through_it(
    network: Network, params: dict[str, np.ndarray]
) -> None:
    """Its equations are linear in delta: parameters after it may move, whatever rows are asked for."""
    along = RNG.standard_normal((2, 2))
    found = network.hvp(params, DATA, Direction({"b.weight": along}), wrt_params=True, wrt_data=["x"])
    for place, name in enumerate(("a.weight", "sim.w", "b.weight")):
        gradient = grad(loss, place)

        def along_b(b: Any, gradient: Any = gradient) -> Any:
            return gradient(params["a.weight"], params["sim.w"], b)

        right = np.tensordot(jacobian(along_b)(params["b.weight"]), along, 2)
        np.testing.assert_allclose(found.params[name], right, rtol=1e-10, atol=1e-14)
    twin = compiled(Analytic).hvp(
        params, DATA, Direction({"b.weight": along}), wrt_params=True, wrt_data=["x"]
    )
    np.testing.assert_allclose(found.data["x"], twin.data["x"], rtol=1e-12)


@pytest.mark.parametrize("size", [1e-300, 1e300])
def test_a_vector_may_have_any_size(network: Network, params: dict[str, np.ndarray], size: float) -> None:
    one = network.hvp(params, DATA, Direction({"b.weight": np.eye(2)}), wrt_params=["a.*"])
    other = network.hvp(params, DATA, Direction({"b.weight": size * np.eye(2)}), wrt_params=["a.*"])
    np.testing.assert_allclose(other.params["a.weight"] / size, one.params["a.weight"], rtol=1e-12)


@pytest.mark.parametrize("cotangents", [None, {"c": np.ones((5, 2))}])
def test_vectors_that_move_it_are_refused(
    network: Network, params: dict[str, np.ndarray], cotangents: dict[str, np.ndarray] | None
) -> None:
    with pytest.raises(Refused, match=r"'sim' \(simulated\)") as refused:
        network.hvp(params, DATA, Direction(data={"x": X}), cotangents=cotangents)
    assert refused.value.code == "first_order_only"
    with pytest.raises(Refused, match=r"'sim' \(simulated\)"):
        network.hessian_diagonal(params, DATA, cotangents=cotangents)
    found = network.hessian_diagonal(params, DATA, wrt_params=["b.*"], cotangents=cotangents)
    assert set(found.params) == {"b.weight"}


def test_the_check_compares_with_differences_alone_where_it_must(
    network: Network, params: dict[str, np.ndarray]
) -> None:
    checked = {array.name: array for array in network.check(params, DATA, deltas=["sim", "a"])}
    assert all(array.passed for array in checked.values())
    without = {name for name, array in checked.items() if array.worst[0].complex_step is None}
    assert without == {"params/a.weight", "params/sim.w", "data/x", "deltas/a"}
    assert all(checked[name].worst[0].relative_difference is None for name in without)
    assert all(checked[name].worst[0].relative_difference_to_differences < 1e-6 for name in without)
    assert checked["params/b.weight"].worst[0].relative_difference < 1e-12  # type: ignore[operator]


def test_the_check_finds_a_wrong_equation_by_differences(params: dict[str, np.ndarray]) -> None:
    class Wrong(Simulated):
        """y = w tanh(x), for x (...), w (), its δ 1 % too large."""

        def forward(self, given: Any, x: Any) -> Activation:
            right = super().forward(given, x)
            return right._replace(deltas=(lambda delta: 1.01 * right.deltas[0](delta),))  # type: ignore[misc]

    checked = {array.name: array.passed for array in compiled(Wrong).check(params, DATA)}
    assert checked == {
        "params/a.weight": False, "params/sim.w": True, "params/b.weight": True,
        "data/x": False, "data/y": True,
    }  # fmt: skip


def test_a_wrong_declaration_is_the_layers_own_mistake(params: dict[str, np.ndarray]) -> None:
    class Claims(Simulated):
        """y = w tanh(x), for x (...), w (), that takes no complex numbers and does not say so."""

        orders = 2

    with pytest.raises(PluginError, match="'simulated' fails in its forward pass"):
        compiled(Claims).jvp(params, DATA, Direction(data={"x": X}), ["c"])


def test_a_broken_equation_is_named_in_a_run_of_complex_numbers(params: dict[str, np.ndarray]) -> None:
    class Short(Simulated):
        """y = w tanh(x), for x (...), w (), its δ one number for each example."""

        def forward(self, given: Any, x: Any) -> Activation:
            return super().forward(given, x)._replace(deltas=(lambda delta: delta[:, :1],))

    with pytest.raises(PluginError, match=r"delta sent to 'a' has shape \[5, 1\], expected \[5, 2\]"):
        compiled(Short).hvp(params, DATA, Direction({"b.weight": np.eye(2)}), wrt_params=["a.*"])
