"""Call every route below /v1 with the client that openapi-python-client made, and print each."""

import sys
from collections.abc import Callable
from typing import Any, TypeVar

from deltawire_api import Client
from deltawire_api.api.datasets import delete_dataset, list_datasets, put_dataset, show_dataset
from deltawire_api.api.layers import list_layers, show_layer
from deltawire_api.api.models import (
    change_model,
    create_model,
    delete_model,
    fork_model,
    list_all_models,
    model_check,
    model_forward,
    model_gradients,
    model_hvp,
    model_jacobian,
    model_jvp,
    model_plan,
    model_vjp,
    restore_model,
    show_ledger,
    show_model,
    show_optimizer,
    show_params,
    start_run,
    step_model,
)
from deltawire_api.api.networks import check, forward, gradients, hvp, init, jacobian, jvp, plan, vjp
from deltawire_api.api.operations import limits
from deltawire_api.api.optimizers import list_optimizers, show_optimizer_kind
from deltawire_api.api.published import list_networks, show_network
from deltawire_api.api.runs import cancel_run, list_all_runs, pause_run, resume_run, show_metrics, show_run
from deltawire_api.models import (
    ChangeModelRequest,
    CheckRequest,
    CreateModelRequest,
    Diagonal,
    Direction,
    ForkRequest,
    ForwardRequest,
    GradientsRequest,
    GradientsRequestParams,
    HvpRequest,
    InitRequest,
    JacobianRequest,
    JvpRequest,
    ModelCheckRequest,
    ModelForwardRequest,
    ModelGradientsRequest,
    ModelHvpRequest,
    ModelJacobianRequest,
    ModelJvpRequest,
    ModelPlanRequest,
    ModelVjpRequest,
    Network,
    Path,
    PlanRequest,
    ProblemResponse,
    PublishedName,
    Recipe,
    RestoreRequest,
    StepsRequest,
    Tensors,
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
    data=Tensors.from_dict(data),
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

# A model: made, stepped once for its key, computed with, brought back, forked, deleted.

made = {"name": "python", "network": spec, "params": params, "optimizer": {"kind": "sgd"}}
batch = {"data": data}
called(
    "POST /v1/models",
    create_model.sync(client=client, body=CreateModelRequest.from_dict(made)),
    lambda a: a.version == 0,
)
for replayed in (False, True):
    step = step_model.sync(
        "python", client=client, body=StepsRequest.from_dict(batch), idempotency_key="python-step"
    )
    assert step is not None and not isinstance(step, ProblemResponse), step
    assert (step.version, step.replayed) == (1, replayed), step
print("POST /v1/models/{name}/steps")
called(
    "GET /v1/models", list_all_models.sync(client=client), lambda a: "python" in [m.name for m in a.models]
)
called("GET /v1/models/{name}", show_model.sync("python", client=client), lambda a: a.step == 1)
called(
    "GET /v1/models/{name}/ledger", show_ledger.sync("python", client=client), lambda a: len(a.entries) == 2
)
called(
    "GET /v1/models/{name}/params",
    show_params.sync("python", client=client, version=0),
    lambda a: a.params.to_dict() == params,
)
called(
    "GET /v1/models/{name}/optimizer",
    show_optimizer.sync("python", client=client),
    lambda a: a.origin.step == 1,
)
change = ChangeModelRequest.from_dict({"optimizer": {"config": {"learning_rate": 0.5}}})
called(
    "PATCH /v1/models/{name}",
    change_model.sync("python", client=client, body=change),
    lambda a: a.version == 2,
)
called(
    "POST /v1/models/{name}/restore",
    restore_model.sync("python", client=client, body=RestoreRequest(0)),
    lambda a: (a.version, a.step) == (3, 0),
)
called(
    "POST /v1/models/{name}/gradients",
    model_gradients.sync("python", client=client, body=ModelGradientsRequest.from_dict(batch)),
    lambda a: isinstance(a.loss, float),
)
called(
    "POST /v1/models/{name}/forward",
    model_forward.sync(
        "python", client=client, body=ModelForwardRequest.from_dict(batch | {"values": ["line"]})
    ),
    lambda a: a.values.to_dict() == {"line": [[-2, 8.5, -8.5], [-3, 0.5, 23.125]]},
)
called(
    "POST /v1/models/{name}/vjp",
    model_vjp.sync(
        "python", client=client, body=ModelVjpRequest.from_dict(batch | {"cotangents": {"loss": [1, 0]}})
    ),
    lambda a: a.products.params.to_dict()["line.bias"] == [-4, 17, -17],
)
called(
    "POST /v1/models/{name}/jvp",
    model_jvp.sync(
        "python",
        client=client,
        body=ModelJvpRequest.from_dict(batch | {"tangents": ones, "outputs": ["line"]}),
    ),
    lambda a: a.tangents.to_dict() == {"line": [[1, 1, 1], [1, 1, 1]]},
)
called(
    "POST /v1/models/{name}/jacobian",
    model_jacobian.sync(
        "python", client=client, body=ModelJacobianRequest.from_dict(batch | {"outputs": ["loss"]})
    ),
    lambda a: a.mode in ("forward", "reverse"),
)
called(
    "POST /v1/models/{name}/hvp",
    model_hvp.sync(
        "python",
        client=client,
        body=ModelHvpRequest.from_dict(batch | {"vectors": ones, "quadratic": True}),
    ),
    lambda a: a.quadratic == 6,
)
called(
    "POST /v1/models/{name}/check",
    model_check.sync("python", client=client, body=ModelCheckRequest.from_dict(batch | {"samples": 2})),
    lambda a: a.passed,
)
called(
    "POST /v1/models/{name}/plan",
    model_plan.sync("python", client=client, body=ModelPlanRequest(batch=7)),
    lambda a: a.fits,
)
called(
    "POST /v1/models/{name}/fork",
    fork_model.sync("python", client=client, body=ForkRequest("python_fork", version=1)),
    lambda a: a.step == 1,
)

# A dataset and a run on it, which waits: this service has no trainer.

called(
    "PUT /v1/datasets/{name}",
    put_dataset.sync("python", client=client, body=Path(sys.argv[2])),
    lambda a: a.rows == 3,
)
called("GET /v1/datasets", list_datasets.sync(client=client), lambda a: a.datasets[0].name == "python")
called("GET /v1/datasets/{name}", show_dataset.sync("python", client=client), lambda a: len(a.columns) == 2)
recipe = Recipe.from_dict({"dataset": "python", "columns": {"x": ["a", "b"]}, "epochs": 2})
run = called(
    "POST /v1/models/{name}/runs",
    start_run.sync("python", client=client, body=recipe),
    lambda a: a.state == "queued",
)
called("GET /v1/runs", list_all_runs.sync(client=client), lambda a: a.runs[0].id == run.id)
called("GET /v1/runs/{id}", show_run.sync(run.id, client=client), lambda a: a.total_steps == 2)
called("GET /v1/runs/{id}/metrics", show_metrics.sync(run.id, client=client), lambda a: a.steps == [])
called("POST /v1/runs/{id}/pause", pause_run.sync(run.id, client=client), lambda a: a.state == "paused")
called("POST /v1/runs/{id}/resume", resume_run.sync(run.id, client=client), lambda a: a.state == "queued")
called("POST /v1/runs/{id}/cancel", cancel_run.sync(run.id, client=client), lambda a: a.state == "cancelled")
called("DELETE /v1/models/{name}", delete_model.sync("python", client=client), lambda a: a.version == 3)
called(
    "DELETE /v1/datasets/{name}", delete_dataset.sync("python", client=client), lambda a: a.name == "python"
)
called("GET /v1/optimizers", list_optimizers.sync(client=client), lambda a: len(a.optimizers) > 5)
called(
    "GET /v1/optimizers/{kind}",
    show_optimizer_kind.sync("adam", client=client),
    lambda a: a.kind == "adam",
)

refused = forward.sync(client=client, body=ForwardRequest(PublishedName("circle")))
assert isinstance(refused, ProblemResponse) and refused.code == "network_not_found", refused
