"""The derivatives beside the gradient of the loss, named as jax names them: methods of `Client`.

Every function takes the client first, then a network, parameters and data as `Client.gradients` does, and
raises what `Client.gradients` raises. Only the parameters and inputs that lead to the named outputs are
needed. Results are by name in one dict: a parameter of a node has a dot in its name (`hidden.weight`), an
input has none, learned or not.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

from deltawire.arguments.names import name_list, wrt_document
from deltawire.request_builder import Arrays, Caller, ComputeRequest, Data, Names, Spec, Wrt
from deltawire.responses import merge_places, to_array, to_arrays
from deltawire.wire import Array


def vjp(
    client: Caller,
    network: Spec,
    params: Arrays,
    data: Data,
    cotangents: Arrays,
    *,
    wrt: Wrt | None = None,
    non_finite: str = "error",
    noise_seed: int | None = None,
) -> dict[str, Array]:
    """Return vector-Jacobian products Σ cotangent · ∂output/∂(parameter, input), by name.

    Args:
        client: The client that asks.
        network: A network, a spec, a published network, or a model (`params={}`: its own).
        params: Parameters by name.
        data: Inputs by name, (batch, *shape), or rows of a dataset.
        cotangents: By node, (batch, *shape). With a leading axis more, (count, batch, *shape), one forward
            pass serves `count` products, and the results have that axis too.
        wrt: What to differentiate with respect to; every parameter and no input by default.
        non_finite: "error", or "return" to get results that are not finite.
        noise_seed: Where the noise inputs start from, 0 to 2^64 − 1; None: they have their means.

    Returns:
        The products by name, each of the shape of its parameter or input.
    """
    options = {"wrt": wrt_document(wrt), "non_finite": non_finite, "noise_seed": noise_seed}
    request = client.requests.with_data(network, params, data, options, {"cotangents": cotangents})
    return _post_by_name(client, "vjp", request, "products")


def jvp(
    client: Caller,
    network: Spec,
    params: Arrays,
    data: Data,
    tangents: Arrays,
    outputs: Names,
    *,
    non_finite: str = "error",
    noise_seed: int | None = None,
) -> tuple[dict[str, Array], dict[str, Array]]:
    """Return values of outputs and their Jacobian-vector products Σ ∂output/∂(parameter, input) · tangent.

    Args:
        client: The client that asks.
        network: A network, a spec, a published network, or a model (`params={}`: its own).
        params: Parameters by name.
        data: Inputs by name, (batch, *shape), or rows of a dataset.
        tangents: By parameter and input, of its shape; what is left out does not move. With a leading axis
            more, several products come from one call, and the results have that axis too.
        outputs: Names of nodes.
        non_finite: "error", or "return" to get results that are not finite.
        noise_seed: Where the noise inputs start from, 0 to 2^64 − 1; None: they have their means.

    Returns:
        Values and products, each by node, (batch, *shape).
    """
    options = {
        "outputs": name_list("outputs", outputs), "non_finite": non_finite, "noise_seed": noise_seed,
    }  # fmt: skip
    request = client.requests.with_data(network, params, data, options, along={"tangents": tangents})
    dtype = request.dtype

    def read(answer: Any) -> tuple[dict[str, Array], dict[str, Array]]:
        return to_arrays(answer["values"], dtype), to_arrays(answer["tangents"], dtype)

    return client.connection.post(request.path("jvp"), request.document, read)


def jacobian(
    client: Caller,
    network: Spec,
    params: Arrays,
    data: Data,
    outputs: Names,
    *,
    wrt: Wrt | None = None,
    mode: str | None = None,
    non_finite: str = "error",
    noise_seed: int | None = None,
) -> dict[str, dict[str, Array]]:
    """Return ∂output/∂(parameter, input) of each example.

    Args:
        client: The client that asks.
        network: A network, a spec, a published network, or a model (`params={}`: its own).
        params: Parameters by name.
        data: Inputs by name, (batch, *shape), or rows of a dataset.
        outputs: Names of nodes.
        wrt: What to differentiate with respect to; every parameter and no input by default.
        mode: "reverse" (like jax.jacrev) or "forward" (like jax.jacfwd); by default the cheaper one.
        non_finite: "error", or "return" to get results that are not finite.
        noise_seed: Where the noise inputs start from, 0 to 2^64 − 1; None: they have their means.

    Returns:
        By output, then by name: (batch, *output shape, *shape).
    """
    options = {
        "outputs": name_list("outputs", outputs), "wrt": wrt_document(wrt), "mode": mode,
        "non_finite": non_finite, "noise_seed": noise_seed,
    }  # fmt: skip
    request = client.requests.with_data(network, params, data, options)
    dtype = request.dtype

    def read(answer: Any) -> dict[str, dict[str, Array]]:
        return {name: merge_places(block, dtype) for name, block in answer["jacobian"].items()}

    return client.connection.post(request.path("jacobian"), request.document, read)


def hvp(
    client: Caller,
    network: Spec,
    params: Arrays,
    data: Data,
    vectors: Arrays,
    *,
    wrt: Wrt | None = None,
    cotangents: Arrays = MappingProxyType({}),
    reduction: str = "mean",
    non_finite: str = "error",
    noise_seed: int | None = None,
) -> dict[str, Array]:
    """Return Hessian-vector products of the reduced loss, its regularization included, by name.

    Args:
        client: The client that asks.
        network: A network, a spec, a published network, or a model (`params={}`: its own).
        params: Parameters by name.
        data: Inputs by name, (batch, *shape), or rows of a dataset.
        vectors: By parameter and input, of its shape; what is left out counts as zero. With a leading axis
            more, several products come from one call, and the results have that axis too.
        wrt: The rows of the Hessian to return; by default those that `vectors` names.
        cotangents: By node, (batch, *shape): Σ cotangent · node is differentiated twice instead of the loss.
        reduction: "mean" or "sum" of the loss over the examples.
        non_finite: "error", or "return" to get results that are not finite.
        noise_seed: Where the noise inputs start from, 0 to 2^64 − 1; None: they have their means.

    Returns:
        The products by name, each of the shape of its parameter or input.
    """
    options = {"reduction": reduction, "non_finite": non_finite, "noise_seed": noise_seed, **_rows(wrt)}
    request = client.requests.with_data(
        network, params, data, options, {"cotangents": cotangents}, {"vectors": vectors}
    )
    return _post_by_name(client, "hvp", request, "products")


def quadratic_form(
    client: Caller,
    network: Spec,
    params: Arrays,
    data: Data,
    vectors: Arrays,
    *,
    reduction: str = "mean",
    non_finite: str = "error",
    noise_seed: int | None = None,
) -> Array:
    """Return vᵀHv, the curvature of the reduced loss along vectors.

    Args:
        client: The client that asks.
        network: A network, a spec, a published network, or a model (`params={}`: its own).
        params: Parameters by name.
        data: Inputs by name, (batch, *shape), or rows of a dataset.
        vectors: As for `hvp`.
        reduction: "mean" or "sum" of the loss over the examples.
        non_finite: "error", or "return" to get results that are not finite.
        noise_seed: Where the noise inputs start from, 0 to 2^64 − 1; None: they have their means.

    Returns:
        An array of shape (), or (count,) for several vectors.
    """
    options = {
        "reduction": reduction, "non_finite": non_finite, "noise_seed": noise_seed, "quadratic": True,
        "wrt": {"params": False, "data": False},
    }  # fmt: skip
    request = client.requests.with_data(network, params, data, options, along={"vectors": vectors})
    dtype = request.dtype
    return client.connection.post(
        request.path("hvp"), request.document, lambda answer: to_array(answer["quadratic"], dtype)
    )


def hessian_diagonal(
    client: Caller,
    network: Spec,
    params: Arrays,
    data: Data,
    *,
    wrt: Wrt | None = None,
    samples: int = 10,
    seed: int = 0,
    reduction: str = "mean",
    non_finite: str = "error",
    noise_seed: int | None = None,
) -> dict[str, Array]:
    """Return unbiased estimates of ∂²loss/∂θ², exact where the Hessian is diagonal.

    Args:
        client: The client that asks.
        network: A network, a spec, a published network, or a model (`params={}`: its own).
        params: Parameters by name.
        data: Inputs by name, (batch, *shape), or rows of a dataset.
        wrt: What to differentiate with respect to; every parameter and no input by default.
        samples: Hessian-vector products with random signs that are averaged.
        seed: Of the signs: the same seed gives the same estimates.
        reduction: "mean" or "sum" of the loss over the examples.
        non_finite: "error", or "return" to get results that are not finite.
        noise_seed: Where the noise inputs start from, 0 to 2^64 − 1; None: they have their means.

    Returns:
        The estimates by name, each of the shape of its parameter or input. Their sum estimates the trace.
    """
    options = {
        "diagonal": {"samples": samples, "seed": seed}, "reduction": reduction, "non_finite": non_finite,
        "noise_seed": noise_seed,
        **_rows(wrt),
    }  # fmt: skip
    request = client.requests.with_data(network, params, data, options)
    return _post_by_name(client, "hvp", request, "diagonal")


def per_example_gradients(
    client: Caller,
    network: Spec,
    params: Arrays,
    data: Data,
    *,
    wrt: Wrt | None = None,
    non_finite: str = "error",
    noise_seed: int | None = None,
) -> dict[str, Array]:
    """Return the gradients of each example's own loss: not divided by the batch, not regularized.

    Args:
        client: The client that asks.
        network: A network, a spec, a published network, or a model (`params={}`: its own).
        params: Parameters by name.
        data: Inputs by name, (batch, *shape), or rows of a dataset.
        wrt: What to differentiate with respect to; every parameter and no input by default.
        non_finite: "error", or "return" to get results that are not finite.
        noise_seed: Where the noise inputs start from, 0 to 2^64 − 1; None: they have their means.

    Returns:
        The gradients by name, (batch, *shape).
    """
    options = {
        "wrt": wrt_document(wrt), "per_example": True, "non_finite": non_finite, "noise_seed": noise_seed,
    }  # fmt: skip
    request = client.requests.with_data(network, params, data, options)
    return _post_by_name(client, "gradients", request, "gradients")


def _post_by_name(client: Caller, route: str, request: ComputeRequest, part: str) -> dict[str, Array]:
    """POST a request; return the arrays that the answer has under `part`, in one dict."""
    return client.connection.post(
        request.path(route), request.document, lambda answer: merge_places(answer[part], request.dtype)
    )


def _rows(wrt: Wrt | None) -> dict[str, Any]:
    return {} if wrt is None else {"wrt": wrt_document(wrt)}
