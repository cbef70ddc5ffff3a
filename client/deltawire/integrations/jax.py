"""A served network as a function of jax: its values and derivatives come from a deltawire service."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from deltawire.client import Client
from deltawire.documents import Spec
from deltawire.extras import missing
from deltawire.integrations.bridge import served
from deltawire.wire import Array

try:
    import jax
    from jax import numpy as jnp
except ModuleNotFoundError as error:
    raise missing("jax", error) from error

Function = Callable[[Mapping[str, Any], Mapping[str, Any]], dict[str, jax.Array]]


def remote_function(
    network: Spec,
    outputs: Iterable[str] = (),
    *,
    params: Mapping[str, Array] | None = None,
    constants: Mapping[str, Array] | None = None,
    client: Client | None = None,
) -> Function:
    """f(params, data) -> values, {name: (batch, *shape)}, under jax.jit, jax.grad, jax.vjp and jax.vmap.

    network: its spec, or one from `Client.published`, whose parameters stay at the service: give {}.
    outputs: names of nodes, by default the last one. params, constants: parameters, and data, that are not
    among the arguments, so that no derivative is taken by them. client: of the service; by default one in
    this process.
    The arguments are dicts by name (`hidden.weight`, `x`), of one dtype; integers have no derivative. vmap
    makes one request after the other. Reverse mode is a request of its own; forward mode (jax.jvp,
    jax.jacfwd) and derivatives of derivatives (jax.hessian) raise TypeError: `Client.jvp` and `Client.hvp`
    have those.
    """
    known = served(network, outputs, client)
    service, spec = known.client, known.request
    kept, with_data = (
        _numpy({n: jnp.asarray(x) for n, x in (own or {}).items()}) for own in (params, constants)
    )

    def host_forward(params: Any, data: Any) -> Any:
        return service.forward(spec, kept | _numpy(params), with_data | _numpy(data), known.outputs)

    def host_vjp(params: Any, data: Any, cotangents: Any) -> Any:
        wrt = {"params": list(params) or False, "data": list(_floating(data)) or False}
        numbers = kept | _numpy(params), with_data | _numpy(data)
        products = service.vjp(spec, *numbers, _numpy(cotangents), wrt=wrt)
        return {name: products[name] for name in (*params, *_floating(data))}

    def shaped(params: Any, data: Any) -> Any:
        """What forward will give: the batch is the leading axis of any input that is not shared."""
        rows = next((jnp.shape(x)[0] for name, x in data.items() if name not in known.shared), 1)
        dtype = jnp.result_type(*params.values(), *_floating(data).values(), *kept.values())
        return {name: jax.ShapeDtypeStruct((rows, *known.shapes[name]), dtype) for name in known.outputs}

    @jax.custom_vjp  # type: ignore[untyped-decorator]
    def function(params: Any, data: Any) -> Any:
        return jax.pure_callback(host_forward, shaped(params, data), params, data, vmap_method="sequential")

    def forward(params: Any, data: Any) -> Any:
        return function(params, data), (params, data)

    @jax.custom_jvp  # type: ignore[untyped-decorator]
    def vjp(params: Any, data: Any, cotangents: Any) -> Any:
        found = {**params, **_floating(data)}
        like = {name: jax.ShapeDtypeStruct(jnp.shape(x), jnp.result_type(x)) for name, x in found.items()}
        return jax.pure_callback(host_vjp, like, params, data, cotangents, vmap_method="sequential")

    @vjp.defjvp  # type: ignore[untyped-decorator]
    def second_order(primals: Any, tangents: Any) -> Any:
        raise TypeError(
            "a remote function has first derivatives only: Client.hvp gives second ones of a loss"
        )

    def backward(arguments: Any, cotangents: Any) -> Any:
        params, data = arguments
        products = vjp(params, data, cotangents)
        nothing = {
            name: np.zeros(jnp.shape(x), jax.dtypes.float0)
            for name, x in data.items()
            if name not in products
        }
        return {name: products[name] for name in params}, {name: (products | nothing)[name] for name in data}

    function.defvjp(forward, backward)
    return lambda params, data: function(dict(params), dict(data))


def _floating(data: Mapping[str, Any]) -> dict[str, Any]:
    return {name: x for name, x in data.items() if jnp.issubdtype(jnp.result_type(x), jnp.floating)}


def _numpy(arrays: Mapping[str, Any]) -> dict[str, Array]:
    """Arrays for the client; jax's whole numbers are of 32 bits unless it is told otherwise."""
    found = {name: np.asarray(x) for name, x in arrays.items()}
    return {name: x.astype(np.int64) if x.dtype.kind == "i" else x for name, x in found.items()}
