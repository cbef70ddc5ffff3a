"""Compute losses, gradients and values of a batch, and plan and check such requests: methods of `Client`.

Every function takes the client first, then a network, parameters and data. `derivatives` has the others.
"""

from __future__ import annotations

from typing import Any

from numpy.typing import DTypeLike

from deltawire import wire
from deltawire.arguments.names import name_list, wrt_document
from deltawire.request_builder import Arrays, Caller, Data, Names, Spec, Wrt, default_outputs
from deltawire.responses import Gradients, gradients_reader, to_arrays
from deltawire.wire import Array


def init(client: Caller, network: Spec, seed: int = 0, dtype: DTypeLike | None = None) -> dict[str, Array]:
    """Draw first parameters of a network: the same numbers for the same seed on every machine.

    Args:
        client: The client that asks.
        network: A network, a spec, or a published network.
        seed: 0 to 2^64 − 1.
        dtype: "float64" or "float32"; by default that of a published network, else float64.

    Returns:
        The parameters by name (`hidden.weight`).
    """
    request = client.requests.without_arrays(network, dtype, {"seed": seed, "tensors": "base64"})
    return client.connection.post(
        request.path("init"),
        request.document,
        lambda answer: to_arrays(answer["params"], request.dtype),
        sends=wire.JSON,
    )


def value_and_grad(
    client: Caller,
    network: Spec,
    params: Arrays,
    data: Data,
    *,
    wrt: Wrt | None = None,
    reduction: str = "mean",
    noise_seed: int | None = None,
) -> tuple[float, dict[str, Array]]:
    """Return the loss of a batch and its gradients in one dict.

    Args:
        client: The client that asks.
        network: A network, a spec, a published network, or a model (`params={}`: its own).
        params: Parameters by name.
        data: Inputs by name, (batch, *shape), or rows of a dataset.
        wrt: What to differentiate with respect to, as for `gradients`.
        reduction: "mean" or "sum" of the loss over the examples.
        noise_seed: Where the noise inputs start from, 0 to 2^64 − 1; None: they have their means.

    Returns:
        The loss, and gradients by name: `node.parameter`, or the name of an input, learned or not.
    """
    # Without the options that this method does not take: errors name those of a request.
    options = {"wrt": wrt_document(wrt), "reduction": reduction, "noise_seed": noise_seed}
    request = client.requests.with_data(network, params, data, options)
    read = gradients_reader(request.dtype, losses=False, trace=False)
    result = client.connection.post(request.path("gradients"), request.document, read)
    return result.loss, result.params | result.data


def gradients(
    client: Caller,
    network: Spec,
    params: Arrays,
    data: Data,
    *,
    wrt: Wrt | None = None,
    reduction: str = "mean",
    losses: bool = False,
    values: Names = (),
    deltas: Names = (),
    non_finite: str = "error",
    noise_seed: int | None = None,
    trace: bool = False,
) -> Gradients:
    """Compute the loss of a batch, its gradients, and whatever else is requested.

    Floating-point arrays must share one dtype, float32 or float64, which the results keep. Lists,
    numbers and integers are converted to it (to float64 without such an array).

    Args:
        client: The client that asks.
        network: A network, a spec, a published network, or a model (`params={}`: its own).
        params: Parameters by name.
        data: Inputs by name, (batch, *shape), or rows of a dataset. Inputs of dtype int64 take integers.
        wrt: {"params": True, False or a list of globs, "data": True, False or a list of names}; by
            default True and False.
        reduction: "mean" or "sum" of the loss over the examples.
        losses: Return each example's loss too.
        values: Nodes whose values to return.
        deltas: Nodes whose deltas to return.
        non_finite: "error", or "return" to get results that are not finite.
        noise_seed: Where the noise inputs start from, 0 to 2^64 − 1; None: they have their means.
        trace: Return every value and every delta on its way; the answer then comes as JSON.
    """
    options = {
        "wrt": wrt_document(wrt), "reduction": reduction, "losses": losses, "non_finite": non_finite,
        "values": name_list("values", values), "deltas": name_list("deltas", deltas), "trace": trace,
        "noise_seed": noise_seed,
    }  # fmt: skip
    request = client.requests.with_data(network, params, data, options)
    read = gradients_reader(request.dtype, losses, trace)
    return client.connection.post(
        request.path("gradients"), request.document, read, accepts=wire.JSON if trace else None
    )


def forward(
    client: Caller,
    network: Spec,
    params: Arrays,
    data: Data,
    values: Names | None = None,
    *,
    non_finite: str = "error",
    noise_seed: int | None = None,
) -> dict[str, Array]:
    """Compute values of chosen nodes; only the parameters and inputs that lead to them are needed.

    Args:
        client: The client that asks.
        network: A network, a spec, a published network, or a model (`params={}`: its own).
        params: Parameters by name.
        data: Inputs by name, (batch, *shape), or rows of a dataset.
        values: Nodes; by default those that a published network offers, or the outputs: the nodes that no
            other takes, as far as the data lead. Without labels these are the scores, and not the loss.
        non_finite: "error", or "return" to get results that are not finite.
        noise_seed: Where the noise inputs start from, 0 to 2^64 − 1; None: they have their means.

    Returns:
        The values by node, (batch, *shape).
    """
    options: dict[str, Any] = {"non_finite": non_finite, "noise_seed": noise_seed}
    network = client.requests.resolve(network)
    if values is None:
        values = default_outputs(network, data)
    if values is not None:
        options["values"] = name_list("values", values)
    request = client.requests.with_data(network, params, data, options)
    dtype = request.dtype
    return client.connection.post(
        request.path("forward"), request.document, lambda answer: to_arrays(answer["values"], dtype)
    )


def plan(
    client: Caller,
    network: Spec,
    batch: int = 1,
    *,
    wrt: Wrt | None = None,
    values: Names = (),
    deltas: Names = (),
    dtype: DTypeLike | None = None,
) -> dict[str, Any]:
    """Work out shapes, memory and cost of a call of `gradients`; nothing is computed.

    Args:
        client: The client that asks.
        network: A network, a spec, a published network, or a model (`params={}`: its own).
        batch: The number of examples.
        wrt: What to differentiate with respect to, as for `gradients`.
        values: Nodes whose values are returned.
        deltas: Nodes whose deltas are returned.
        dtype: "float64" or "float32"; by default that of a published network, else float64.

    Returns:
        The answer of POST /v1/plan: `nodes` in order with their shapes, `parameters`, `peak_bytes` held
        at once, `limit_bytes`, whether that `fits`, `operations`, …
    """
    options = {
        "batch": batch, "wrt": wrt_document(wrt), "values": name_list("values", values),
        "deltas": name_list("deltas", deltas), "media_type": client.connection.media_type,
    }  # fmt: skip
    request = client.requests.without_data(network, dtype, options)
    return client.connection.post(
        request.path("plan"), request.document, dict, sends=wire.JSON, accepts=wire.JSON
    )


def check(
    client: Caller,
    network: Spec,
    params: Arrays,
    data: Data,
    *,
    wrt: Wrt | None = None,
    deltas: Names = (),
    reduction: str = "mean",
    samples: int = 10,
    noise_seed: int | None = None,
) -> dict[str, Any]:
    """Compare gradients with the complex step and with central differences.

    Args:
        client: The client that asks.
        network: A network, a spec, a published network, or a model (`params={}`: its own).
        params: Parameters by name.
        data: Inputs by name, (batch, *shape), or rows of a dataset.
        wrt: As for `gradients`, but every parameter and every input by default.
        deltas: Nodes whose deltas are checked too.
        reduction: "mean" or "sum" of the loss over the examples.
        samples: Places checked in each array, at most.
        noise_seed: Where the noise inputs start from, 0 to 2^64 − 1; None: they have their means.

    Returns:
        The answer of POST /v1/check: `passed`, and the `worst` places of each of the `arrays`.
    """
    options = {
        "wrt": wrt_document(wrt), "deltas": name_list("deltas", deltas), "reduction": reduction,
        "samples": samples, "noise_seed": noise_seed,
    }  # fmt: skip
    request = client.requests.with_data(network, params, data, options)
    return client.connection.post(request.path("check"), request.document, dict, accepts=wire.JSON)
