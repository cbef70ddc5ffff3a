"""KServe V2, the Open Inference Protocol, with Triton's binary extension.

A network is the model `NAME`, whose outputs are the values it offers, and, where it has a loss, the model
`NAME:gradients`, whose outputs are named by their places in the answer of POST /v1/gradients. That one takes
parameters too, in the place of those that the service has: so a client can train.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from importlib.metadata import version as distribution_version
from typing import Any

from flask import Flask, Response

from deltawire import wire
from deltawire.errors import Refused
from deltawire_plugins.shown import shown
from deltawire_service.faults import nearest
from deltawire_service.http.request_context import current_request
from deltawire_service.networks.interfaces import Interface
from deltawire_service.protocols.context import ProtocolContext, json, name_parameters, refusal
from deltawire_service.protocols.kserve.body import (
    Body,
    json_bytes,
    read_body,
    read_inputs,
    respond,
    wants_binary,
)
from deltawire_service.protocols.kserve.models import Model, models
from deltawire_service.protocols.served import read_version


def register(app: Flask, protocol: ProtocolContext) -> None:
    """Add the routes, below /v2."""
    routes = protocol.blueprint("kserve", write_error, json_bytes)
    models_of = protocol.cached(models)

    def find(name: str, version: str | None) -> tuple[Model, int]:
        served = protocol.served.find(network_name(name), read_version(version))
        return offered(name, served.interface), served.version

    def offered(name: str, interface: Interface) -> Model:
        known = models_of(interface)
        if name not in known:
            detail = f"there is no model {shown(name)}{nearest(name, known)}"
            raise refusal("network_not_found", detail)
        return known[name]

    @routes.get("/v2")
    def server() -> Response:
        """Describe the server and its extensions."""
        extensions = ["binary_tensor_data", "model_configuration", "model_repository"]
        return json(
            {"name": "deltawire", "version": distribution_version("deltawire"), "extensions": extensions}
        )

    @routes.get("/v2/health/live")
    def live() -> Response:
        """Answer while the process runs."""
        return json({"live": True})

    @routes.get("/v2/health/ready")
    def ready() -> Response:
        """Answer while requests are taken."""
        if reason := protocol.readiness.reason():
            raise refusal("not_ready", reason)
        return json({"ready": True})

    @routes.get("/v2/models/<name>")
    @routes.get("/v2/models/<name>/versions/<version>")
    def metadata(name: str, version: str | None = None) -> Response:
        """Describe the inputs and outputs of a model."""
        model, number = find(name, version)
        return json(model.metadata(number))

    @routes.get("/v2/models/<name>/config")
    @routes.get("/v2/models/<name>/versions/<version>/config")
    def config(name: str, version: str | None = None) -> Response:
        """Describe a model in the words of Triton's configuration files."""
        model, _ = find(name, version)
        return json(model.config())

    @routes.get("/v2/models/<name>/ready")
    @routes.get("/v2/models/<name>/versions/<version>/ready")
    def model_ready(name: str, version: str | None = None) -> Response:
        """Answer when there is such a model: it is ready then."""
        model, _ = find(name, version)
        return json({"name": model.name, "ready": True})

    @routes.post("/v2/repository/index")
    def index() -> Response:
        """List all models of whoever asks."""
        listing = protocol.served.list()
        served = [
            {"name": name, "version": str(version), "state": "READY", "reason": ""}
            for interface, version in listing.served
            for name in models_of(interface)
        ]
        refused = [
            {"name": name, "version": str(version), "state": "UNAVAILABLE", "reason": reason}
            for name, version, reason in listing.refused
        ]
        return json(served + refused)

    @routes.post("/v2/models/<name>/infer")
    @routes.post("/v2/models/<name>/versions/<version>/infer")
    def infer(name: str, version: str | None = None) -> Response:
        """Compute outputs from inputs."""
        opened = protocol.open(network_name(name), read_version(version))
        model, settings = offered(name, opened.interface), protocol.settings
        body = read_body(current_request(), settings)
        head = {"model_name": model.name, "model_version": str(opened.version)}
        if (request_id := body.head.get("id")) is not None:
            if not isinstance(request_id, str):
                raise refusal("field_invalid", f"expected a string, got {shown(request_id)}", "/id")
            head["id"] = request_id
        outputs = wanted_outputs(body, model)
        binary = wants_binary(body.head, outputs) if not body.raw else [True] * len(outputs)
        arrays = read_inputs(body, model.accepts, model.inputs, settings.wire_limits)
        if arrays.keys() <= model.interface.network.inputs.keys():
            name_parameters(opened)
        media_types = body.media_type, wire.SAFETENSORS if all(binary) else wire.JSON
        body = body.without_tail()
        with pointers_to_inputs(body):
            names = [output["name"] for output in outputs]
            computed = model.infer(names, arrays, opened.params, settings.wire_limits, media_types)
        return respond(head, computed, binary)

    @routes.route("/v2/<path:rest>", methods=["GET", "POST"])
    def nothing(rest: str) -> Response:
        """Refuse all other routes of the protocol."""
        raise refusal("not_found", "there is no such route")

    app.register_blueprint(routes)


def network_name(name: str) -> str:
    """Return the name of the network that a model is of."""
    return name.partition(":")[0]


def wanted_outputs(body: Body, model: Model) -> list[dict[str, Any]]:
    """Return the entries of the outputs that a request names; without any, all in the model's metadata."""
    outputs = body.head.get("outputs") or [{"name": name} for name in model.outputs]
    if not isinstance(outputs, list) or not all(isinstance(each, dict) for each in outputs):
        raise refusal("field_invalid", f"expected a list of objects, got {shown(outputs)}", "/outputs")
    names = [each.get("name") for each in outputs]
    if not all(isinstance(name, str) for name in names) or len(set(names)) < len(names):
        raise refusal("field_invalid", f"expected names, each once, got {shown(names)}", "/outputs")
    return outputs


@contextmanager
def pointers_to_inputs(body: Body) -> Iterator[None]:
    """Point refusals of an array, which is known by its name, at its place among the inputs."""
    places = {entry["name"]: f"/inputs/{place}" for place, entry in enumerate(body.head.get("inputs", ()))}
    try:
        yield
    except Refused as refused:
        raise Refused(
            replace(fault, pointer=places.get(fault.pointer.split("/")[2], "/inputs"))
            if fault.pointer.startswith(("/data/", "/params/"))
            else fault
            for fault in refused.faults
        ) from None


def write_error(problem: dict[str, Any]) -> Response:
    """Return a problem in the form of the protocol: a string."""
    pointer = problem["errors"][0]["pointer"]
    message = f"{pointer}: {problem['detail']}".removeprefix(": ")
    status = 400 if problem["status"] == 422 else problem["status"]
    return json({"error": message, "code": problem["code"], "request_id": problem["request_id"]}, status)
