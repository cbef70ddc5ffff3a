"""Call every route below /v1 with the client that openapi-python-client made, and print each."""

import sys
from collections.abc import Callable
from typing import Any, TypeVar

from deltawire_api import Client
from deltawire_api.api.layers import list_layers, show_layer
from deltawire_api.api.networks import check, forward, gradients, hvp, init, jacobian, jvp, plan, vjp
from deltawire_api.api.operations import limits
from deltawire_api.api.published import list_networks, show_network
from deltawire_api.models import (
    CheckRequest,
    Diagonal,
    Direction,
    ForwardRequest,
    GradientsRequest,
    GradientsRequestData,
    GradientsRequestParams,
    HvpRequest,
    InitRequest,
    JacobianRequest,
    JvpRequest,
    Network,
    PlanRequest,
    ProblemResponse,
    PublishedName,
    VjpRequest,
    Wrt,
)

R = TypeVar("R")

client = Client(sys.argv[1])
spec = {
    "inputs": {"x": {"shape": [2]}},
    "nodes": [
        {"kind": "linear", "name": "line", "config": {"units": 3}},
        {"kind": "multiply", "name": "square", "inputs": ["line", "line"]},
        {"kind": "sum", "name": "loss"},
    ],
}
network = Network.from_dict(spec)
params = {"line.weight": [[1, -2], [0.5, 4], [-8, 0.25]], "line.bias": [1, 0, -1]}
data = {"x": [[1, 2], [-3, 0.5]]}
whole: dict[str, Any] = {"network": spec, "params": params, "data": data}
ones = {"params": {"line.bias": [1, 1, 1]}, "data": {}}


def called(route: str, answer: R | ProblemResponse | None, holds: Callable[[R], bool]) -> R:
    """Print the route, after checking its answer."""
    assert answer is not None and not isinstance(answer, ProblemResponse), answer
    assert holds(answer), answer
    print(route)
    return answer


drawn = called(
    "POST /v1/init", init.sync(client=client, body=InitRequest(network, seed=3)), lambda a: bool(a.params)
)
body = GradientsRequest(
    network,
    params=GradientsRequestParams.from_dict(drawn.params.to_dict()),
    data=GradientsRequestData.from_dict(data),
    wrt=Wrt(data=["x"]),
    losses=True,
)
called("POST /v1/gradients", gradients.sync(client=client, body=body), lambda a: isinstance(a.loss, float))
called(
    "POST /v1/forward",
    forward.sync(client=client, body=ForwardRequest(PublishedName("line"))),
    lambda a: a.values.to_dict() == {"scores": [[-1.5, 4.75, 1.0]]},
)
called(
    "POST /v1/vjp",
    vjp.sync(client=client, body=VjpRequest.from_dict(whole | {"cotangents": {"loss": [1, 0]}})),
    lambda a: a.products.params.to_dict()["line.bias"] == [-4, 17, -17],
)
called(
    "POST /v1/jvp",
    jvp.sync(client=client, body=JvpRequest.from_dict(whole | {"tangents": ones, "outputs": ["line"]})),
    lambda a: a.tangents.to_dict() == {"line": [[1, 1, 1], [1, 1, 1]]},
)
called(
    "POST /v1/jacobian",
    jacobian.sync(
        client=client, body=JacobianRequest.from_dict(whole | {"outputs": ["loss"], "mode": "forward"})
    ),
    lambda a: a.mode == "forward",
)
called(
    "POST /v1/hvp",
    hvp.sync(
        client=client,
        body=HvpRequest(
            network,
            params=HvpRequest.from_dict(whole).params,
            data=HvpRequest.from_dict(whole).data,
            vectors=Direction.from_dict(ones),
            diagonal=Diagonal(samples=2),
            quadratic=True,
        ),
    ),
    lambda a: a.quadratic == 6,
)
called(
    "POST /v1/check",
    check.sync(client=client, body=CheckRequest.from_dict(whole | {"samples": 2})),
    lambda a: a.passed,
)
called("POST /v1/plan", plan.sync(client=client, body=PlanRequest(network, batch=7)), lambda a: a.fits)
called("GET /v1/layers", list_layers.sync(client=client), lambda a: len(a.layers) > 50)
called("GET /v1/layers/{kind}", show_layer.sync("linear", client=client), lambda a: a.kind == "linear")
called("GET /v1/networks", list_networks.sync(client=client), lambda a: a.networks[0].name == "line")
called("GET /v1/networks/{name}", show_network.sync("line", client=client), lambda a: a.dtype == "float32")
called("GET /v1/limits", limits.sync(client=client), lambda a: "float32" in a.dtypes)

refused = forward.sync(client=client, body=ForwardRequest(PublishedName("circle")))
assert isinstance(refused, ProblemResponse) and refused.code == "network_not_found", refused
