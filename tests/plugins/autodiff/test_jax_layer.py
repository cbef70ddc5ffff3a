"""Functions of jax as layers: they keep all six rules, and equal jax; what cannot be a layer is named."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from support import forward_jax
from support.oracles import distance

from deltawire_layers import LayerError, Parameter, check_layer
from deltawire_layers.initializers import ones

pytestmark = pytest.mark.jax


def layer_of(function: Any, **options: Any) -> Any:
    from deltawire_layers.autodiff import from_jax

    return from_jax(function, **options)()


@pytest.mark.parametrize("kind", forward_jax.SHAPES)
def test_it_keeps_the_contract(kind: str) -> None:
    check_layer(forward_jax.layers()[kind](), forward_jax.SHAPES[kind])


@pytest.mark.parametrize("rows", [1, 2, 5, 9])
def test_it_equals_jax(rows: int) -> None:
    import jax

    layer, stream = forward_jax.layers()["jax_scan"](), np.random.default_rng(rows)
    x = stream.standard_normal((rows, 3, 2))
    params = {name: stream.standard_normal(p.shape) for name, p in layer.parameters((3, 2)).items()}
    delta = stream.standard_normal((rows, 3, 2))
    with jax.enable_x64(True):
        value, pull = jax.vjp(forward_jax.scan, params, x)
        grads, expected = jax.tree.map(np.asarray, pull(delta))
    activation = layer.forward(params, x)
    signal = activation.signal(delta)
    assert distance(activation.value, np.asarray(value)) < 1e-12
    assert distance(activation.deltas[0](signal), expected) < 1e-12
    for name, right in grads.items():
        assert distance(activation.grads[name](signal), right) < 1e-12


def test_float32_stays_float32_whatever_the_function_makes() -> None:
    import jax.numpy as jnp

    def lifted(x: Any) -> Any:
        """y = x + (0, 1, 2)"""
        return x + jnp.arange(3.0)

    for dtype in (np.float32, np.float64):
        activation = layer_of(lifted).forward({}, np.ones((2, 3), dtype))
        assert activation.value.dtype == dtype
        assert activation.deltas[0](activation.signal(np.ones((2, 3), dtype))).dtype == dtype
    check_layer(layer_of(lifted), (3,))


def test_rules_of_ones_own_are_kept() -> None:
    import jax

    @jax.custom_vjp
    def cube(x: Any) -> Any:
        """y = x³"""
        return x**3

    cube.defvjp(lambda x: (x**3, x), lambda x, delta: (3 * x**2 * delta,))

    def cubed(x: Any) -> Any:
        """y = x³"""
        return cube(x)

    check_layer(layer_of(cubed), (2,))


def test_a_class_has_parameters_and_a_config() -> None:
    from marshmallow import Schema

    from deltawire_layers import config
    from deltawire_layers.autodiff import JaxLayer

    class Powers(JaxLayer):
        """y = s xⁿ over the last axis."""

        class Config(Schema):
            n = config.Integer(required=True)

        n: int

        def parameters(self, x: tuple[int, ...]) -> dict[str, Parameter]:
            return {"s": Parameter(x[-1:], ones)}

        def value(self, params: Any, x: Any) -> Any:
            return params["s"] * x**self.n

    check_layer(Powers(n=3), (2,))


def test_few_programs_serve_batches_of_any_size() -> None:
    layer = forward_jax.layers()["jax_gelu"]()
    right = forward_jax.layers()["jax_gelu"]()
    x = np.random.default_rng(0).standard_normal((64, 3))
    for rows in range(33, 65):
        value = layer.forward({}, x[:rows]).value
        assert value.shape == (rows, 3)
    assert layer.compiled() == 4  # 40, 48, 56 and 64 rows
    np.testing.assert_allclose(
        value, np.concatenate([right.forward({}, x[i : i + 1]).value for i in range(64)])
    )


@pytest.mark.parametrize("rows", [*range(1, 70), 1000, 4097])
def test_a_batch_is_filled_up_by_at_most_a_quarter(rows: int) -> None:
    from deltawire_layers.autodiff.jax_layer import PADDING, padded

    assert rows <= padded(rows) <= max(rows, PADDING * rows)
    assert padded(padded(rows)) == padded(rows)


def test_filling_up_stays_inside_the_domain() -> None:
    import jax.numpy as jnp

    def logarithm(params: Any, x: Any) -> Any:
        """y = s log x"""
        return params["s"] * jnp.log(x)

    layer = layer_of(logarithm, parameters={"s": Parameter((2,), ones)}, domain=(0, np.inf))
    check_layer(layer, (2,))
    activation = layer.forward({"s": np.ones(2)}, np.full((9, 2), np.e))
    gradient = activation.grads["s"](activation.signal(np.ones((9, 2))))
    np.testing.assert_allclose(gradient, [9, 9], rtol=1e-12)


def test_work_and_memory_follow_the_loops() -> None:
    layer = forward_jax.layers()["jax_scan"]()
    short, long = (layer.measures((steps, 2)) for steps in (10, 20))
    assert 1.8 < long.work.each / short.work.each < 2.2
    assert 1.8 < long.saved / short.saved < 2.2
    assert short.saved >= 10 * 2  # every state


def test_draws_for_each_example_are_refused() -> None:
    import jax

    key = jax.random.key_data(jax.random.key(0))

    def noisy(x: Any) -> Any:
        """y = x + noise"""
        return x + jax.random.normal(jax.random.wrap_key_data(key), x.shape)

    def same(x: Any) -> Any:
        """y = x + noise"""
        drawn = jax.random.normal(jax.random.wrap_key_data(key), x.shape[1:], "float32")  # alike in any dtype
        return x + drawn.astype(x.dtype)

    with pytest.raises(LayerError, match="Noisy draws random numbers for each example"):
        layer_of(noisy).output_shape((3,))
    check_layer(layer_of(same), (3,))


REFUSED = {
    "no batch": (lambda x: x.sum(), "first axis has to be the batch"),
    "integers": (lambda x: (x > 0).astype(int), "expected real numbers"),
    "a branch on numbers": (lambda x: x if x.sum() > 0 else -x, "does not take these inputs"),
    "another width": (lambda x: x @ np.ones((7, 2)), "does not take these inputs"),
    "batch among the axes": (lambda x: x @ x.T, "meets the batch axis of another"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_a_layer_is_named(case: str) -> None:
    function, message = REFUSED[case]
    with pytest.raises(LayerError, match=message):
        layer_of(function).output_shape((3,))
