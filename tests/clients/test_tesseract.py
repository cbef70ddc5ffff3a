"""The SDK of Tesseract and tesseract-jax, unmodified, against the network in jax itself."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import requests
from support.clients import PARAMS, X, Y
from support.publishing import publish
from support.service import Service, running_service
from tesseract_core import Tesseract
from tesseract_jax import apply_tesseract

pytestmark = [pytest.mark.clients, pytest.mark.filterwarnings("default")]


@pytest.fixture(autouse=True)
def float64() -> Iterator[None]:
    with jax.enable_x64(True):
        yield


@pytest.fixture
def flow(url: Service) -> Tesseract:
    return Tesseract.from_url(f"{url}/tesseract/flow")


def nested(params: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Parameters by node: a key of a tree in jax must have no dot."""
    tree: dict[str, dict[str, Any]] = {}
    for name, array in params.items():
        node, _, local = name.partition(".")
        tree.setdefault(node, {})[local] = jnp.asarray(array)
    return tree


def in_jax(x: Any, params: Any = None) -> Any:
    """The probabilities, as jax computes them."""
    p = params or nested(PARAMS)
    skip = jax.nn.sigmoid(x @ p["hidden"]["weight"].T + p["hidden"]["bias"]) + x
    return jax.nn.softmax(skip @ p["scores"]["weight"].T + p["scores"]["bias"])


def close(a: Any, b: Any) -> None:
    jax.tree.map(lambda left, right: np.testing.assert_allclose(left, right, rtol=1e-12, atol=1e-14), a, b)


def test_the_sdk_applies(flow: Tesseract) -> None:
    assert flow.health() == {"status": "ok"}
    close(flow.apply({"x": X})["probs"], in_jax(X))
    assert set(flow.available_endpoints) >= {"apply", "jacobian", "vector_jacobian_product"}
    twice = flow.apply({"x": X, "params": {"scores": {"bias": np.zeros(3)}}})["probs"]
    tree = nested(PARAMS)
    tree["scores"]["bias"] = jnp.zeros(3)
    close(twice, in_jax(X, tree))


def test_the_sdk_differentiates(flow: Tesseract) -> None:
    jacobian = flow.jacobian({"x": X}, ["x", "params.{hidden}.{weight}"], ["probs"])["probs"]
    whole = jax.jacrev(in_jax, argnums=(0, 1))(X, nested(PARAMS))
    close(jacobian["x"], whole[0])
    close(jacobian["params.{hidden}.{weight}"], whole[1]["hidden"]["weight"])
    one = np.arange(6.0).reshape(2, 3)
    _, back = jax.vjp(in_jax, X)
    found = flow.vector_jacobian_product({"x": X}, ["x"], ["probs"], {"probs": one})
    close(found["x"], back(one)[0])
    found = flow.jacobian_vector_product({"x": X}, ["x"], ["probs"], {"x": X + 1})
    close(found["probs"], jax.jvp(in_jax, (X,), (X + 1,))[1])


def test_a_learned_input_is_trained_in_jax(tmp_path: Path) -> None:
    spec = {
        "inputs": {"x": {"shape": [4]}, "positions": {"shape": [4], "parameter": {"normal": 0.1}}},
        "nodes": [
            {"name": "both", "kind": "add", "inputs": ["x", "positions"]},
            {"name": "f", "kind": "tanh"},
            {"kind": "sum"},
        ],
    }
    publish(tmp_path, "line", network=spec, params={"positions": np.ones(4)}, values=["f"])
    positions = jnp.linspace(-1, 1, 4)
    with running_service(networks_dir=str(tmp_path)) as url:
        f = Tesseract.from_url(f"{url}/tesseract/line")

        def total(p: Any) -> Any:
            inputs = {"x": X, "params": {"positions": p}}
            return apply_tesseract(f, inputs, vmap_method="sequential")["f"].sum()

        close(jax.grad(total)(positions), jax.grad(lambda p: jnp.tanh(X + p).sum())(positions))


@pytest.mark.parametrize("output_format", ["json", "json+base64"])
def test_both_forms_of_arrays(flow: Tesseract, output_format: Any) -> None:
    with flow.with_encoding(output_format=output_format) as encoded:
        close(encoded.apply({"x": X})["probs"], in_jax(X))


def served(flow: Tesseract) -> Any:
    def f(x: Any, params: Any = None) -> Any:
        inputs = {"x": x} | ({} if params is None else {"params": params})
        return apply_tesseract(flow, inputs, vmap_method="sequential")["probs"]

    return f


def test_jax_transforms_equal_pure_jax(flow: Tesseract) -> None:
    f, x, params = served(flow), jnp.asarray(X), nested(PARAMS)
    close(f(x), in_jax(x))
    close(jax.jit(f)(x), in_jax(x))

    def loss(model: Any) -> Any:
        return lambda x, params: -jnp.log(model(x, params)[jnp.arange(2), Y]).mean()

    for transform in (jax.grad, lambda g, argnums: jax.jit(jax.grad(g, argnums))):
        close(transform(loss(f), (0, 1))(x, params), transform(loss(in_jax), (0, 1))(x, params))
    close(jax.jvp(f, (x,), (x * 2,)), jax.jvp(in_jax, (x,), (x * 2,)))
    several = jnp.stack([x, x + 1, x - 2])
    close(jax.vmap(f)(several), jax.vmap(in_jax)(several))
    close(jax.jacrev(f)(x), jax.jacrev(in_jax)(x))


def test_what_is_not_finite_survives(url: Service, flow: Tesseract) -> None:
    spoilt = X.copy()
    spoilt[0, 0] = np.inf
    found = flow.apply({"x": spoilt})["probs"]
    np.testing.assert_allclose(found, np.asarray(in_jax(spoilt)), rtol=1e-12)
    assert np.isnan(found[0]).any() and np.isfinite(found[1]).all()
    line = Tesseract.from_url(f"{url}/tesseract/line")
    back = line.vector_jacobian_product(
        {"x": np.ones((3, 1)), "params": {"f": {"weight": np.ones((1, 1))}}},
        ["x"],
        ["f"],
        {"f": np.array([[np.nan], [-np.inf], [np.inf]])},
    )
    np.testing.assert_array_equal(back["x"], [[np.nan], [-np.inf], [np.inf]])


def test_dtypes_follow_the_inputs(url: Service) -> None:
    with jax.enable_x64(False):
        for name in ("flow", "flow32"):
            f = served(Tesseract.from_url(f"{url}/tesseract/{name}"))
            found = jax.grad(lambda x: f(x)[:, 0].sum())(jnp.asarray(X, jnp.float32))  # noqa: B023
            assert found.dtype == jnp.float32
    exact = jax.grad(lambda x: in_jax(x)[:, 0].sum())(X)
    np.testing.assert_allclose(found, exact, atol=1e-6)


def test_mistakes_are_told_in_words(flow: Tesseract, url: Service) -> None:
    with pytest.raises(Exception, match="there is no input 'z'"):
        flow.apply({"z": X})
    with pytest.raises(Exception, match=r"expected shape \(batch, 4\)|expected"):
        flow.apply({"x": X[:, :3]})
    with pytest.raises(Exception, match="there is no model 'flaw'; did you mean 'flow'"):
        Tesseract.from_url(f"{url}/tesseract/flaw").apply({"x": X})


def test_health_is_answered_while_it_computes(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("slow")
    spec = {
        "inputs": {"x": {"shape": []}},
        "nodes": [{"name": "s", "kind": "slow_value"}, {"name": "t", "kind": "slow_value"}],
    }
    publish(folder, "slow", network=spec, params={}, values=["t"])
    with running_service("-w", "2", app="support.odd_service:app()", networks_dir=str(folder)) as url:
        slow = Tesseract.from_url(f"{url}/tesseract/slow")
        took: list[float] = []

        def apply() -> None:
            began = time.monotonic()
            slow.apply({"x": np.ones(1)})
            took.append(time.monotonic() - began)

        thread = threading.Thread(target=apply)
        thread.start()
        time.sleep(0.3)
        for _ in range(20):
            began = time.monotonic()
            assert requests.get(f"{url}/tesseract/slow/health", timeout=5).json() == {"status": "ok"}
            assert time.monotonic() - began < 0.1
        assert not took
        thread.join()
        assert took[0] > 1.9
