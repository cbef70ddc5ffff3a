"""A served network as a function of jax: its values and derivatives come from a deltawire service."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from deltawire.client import Client
from deltawire.errors import missing_extra
from deltawire.integrations.bridge import serve_network
from deltawire.request_builder import Spec
from deltawire.wire import Array

try:
    import jax
    from jax import numpy as jnp
except ModuleNotFoundError as error:
    raise missing_extra("jax", error) from error

Function = Callable[[Mapping[str, Any], Mapping[str, Any]], dict[str, jax.Array]]


def remote_function(
    network: Spec,
    outputs: Iterable[str] = (),
    *,
    params: Mapping[str, Array] | None = None,
    constants: Mapping[str, Array] | None = None,
    client: Client | None = None,
) -> Function:
    """Return f(params, data) -> values, which works under jax.jit, jax.grad, jax.vjp and jax.vmap.

    Each call is one request, and so is each reverse pass; vmap sends one request after the other. Forward
    mode (jax.jvp, jax.jacfwd) and derivatives of derivatives (jax.hessian) raise TypeError: `Client.jvp` and
    `Client.hvp` compute those.

    Args:
        network: A network, a spec, or a published network or a model, whose parameters stay at the service
            where the function gets none. With parameters, a model stands for its network.
        outputs: Nodes whose values the function returns; by default the last one.
        params: Parameters that are not arguments of the function, and are not differentiated.
        constants: Data that is not an argument of the function, and is not differentiated.
        client: Of the service; by default that of the model, or one in this process.

    Returns:
        A function of two dicts by name (`hidden.weight`, `x`), whose floating-point arrays have one dtype.
        It returns {name: (batch, *shape)}.

    Raises:
        Refused: The network is wrong, or has no such node.
    """
    served = serve_network(network, outputs, client)
    fixed_params, fixed_data = (
        _numpy({name: jnp.asarray(x) for name, x in (fixed or {}).items()}) for fixed in (params, constants)
    )

    def host_forward(params: Any, data: Any) -> Any:
        return served.values(fixed_params | _numpy(params), fixed_data | _numpy(data))

    def host_vjp(params: Any, data: Any, cotangents: Any) -> Any:
        wrt = {"params": list(params) or False, "data": list(_floating(data)) or False}
        numbers = fixed_params | _numpy(params), fixed_data | _numpy(data)
        products = served.products(*numbers, _numpy(cotangents), wrt)
        return {name: products[name] for name in (*params, *_floating(data))}

    def result_shapes(params: Any, data: Any) -> Any:
        """Return the shapes of the values: the batch is the leading axis of any input that is not shared."""
        rows = next((jnp.shape(x)[0] for name, x in data.items() if name not in served.shared), 1)
        dtype = jnp.result_type(*params.values(), *_floating(data).values(), *fixed_params.values())
        return {name: jax.ShapeDtypeStruct((rows, *served.shapes[name]), dtype) for name in served.outputs}

    @jax.custom_vjp  # type: ignore[untyped-decorator]
    def function(params: Any, data: Any) -> Any:
        shapes = result_shapes(params, data)
        return jax.pure_callback(host_forward, shapes, params, data, vmap_method="sequential")

    def forward(params: Any, data: Any) -> Any:
        return function(params, data), (params, data)

    @jax.custom_jvp  # type: ignore[untyped-decorator]
    def vjp(params: Any, data: Any, cotangents: Any) -> Any:
        arrays = {**params, **_floating(data)}
        shapes = {name: jax.ShapeDtypeStruct(jnp.shape(x), jnp.result_type(x)) for name, x in arrays.items()}
        return jax.pure_callback(host_vjp, shapes, params, data, cotangents, vmap_method="sequential")

    @vjp.defjvp  # type: ignore[untyped-decorator]
    def second_order(primals: Any, tangents: Any) -> Any:
        raise TypeError("a remote function has first derivatives only: Client.hvp computes second ones")

    def backward(arguments: Any, cotangents: Any) -> Any:
        params, data = arguments
        products = vjp(params, data, cotangents)
        of_integers = {
            name: np.zeros(jnp.shape(x), jax.dtypes.float0)
            for name, x in data.items()
            if name not in products
        }
        products_of_data = products | of_integers
        return {name: products[name] for name in params}, {name: products_of_data[name] for name in data}

    function.defvjp(forward, backward)
    return lambda params, data: function(dict(params), dict(data))


def _floating(data: Mapping[str, Any]) -> dict[str, Any]:
    return {name: x for name, x in data.items() if jnp.issubdtype(jnp.result_type(x), jnp.floating)}


def _numpy(arrays: Mapping[str, Any]) -> dict[str, Array]:
    """Return arrays for the client; jax makes integers of 32 bits unless 64 are enabled."""
    converted = {name: np.asarray(x) for name, x in arrays.items()}
    return {name: x.astype(np.int64) if x.dtype.kind == "i" else x for name, x in converted.items()}
