"""KServe V2, the Open Inference Protocol, with Triton's binary extension.

A published network is the model `NAME`, whose outputs are the values it offers, and, where it has a loss, the
model `NAME:gradients`, whose outputs are named by their places in the answer of POST /v1/gradients. That one
takes parameters too, in the place of the published ones: so a client can train.
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
from deltawire_service.protocols.context import ProtocolContext, json, refusal
from deltawire_service.protocols.kserve.body import (
    Body,
    json_bytes,
    read_body,
    read_inputs,
    respond,
    wants_binary,
)
from deltawire_service.protocols.kserve.models import VERSION, Model, models


def register(app: Flask, protocol: ProtocolContext) -> None:
    """Add the routes, below /v2."""
    routes = protocol.blueprint("kserve", write_error, json_bytes)
    models_of = protocol.cached(models)

    def all_models() -> list[Model]:
        served = protocol.published.served.values()
        return [model for published in served for model in models_of(published).values()]

    def find(name: str, version: str = VERSION) -> Model:
        published = protocol.published.served.get(name.partition(":")[0])
        offered = models_of(published) if published else {}
        if name not in offered:
            known = nearest(name, [model.name for model in all_models()])
            raise refusal("network_not_found", f"there is no model {shown(name)}{known}")
        if version != VERSION:
            detail = f"model '{name}' has version {VERSION} only, not {shown(version)}"
            raise refusal("network_not_found", detail)
        return offered[name]

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
    def metadata(name: str, version: str = VERSION) -> Response:
        """Describe the inputs and outputs of a model."""
        return json(find(name, version).metadata())

    @routes.get("/v2/models/<name>/config")
    @routes.get("/v2/models/<name>/versions/<version>/config")
    def config(name: str, version: str = VERSION) -> Response:
        """Describe a model in the words of Triton's configuration files."""
        return json(find(name, version).config())

    @routes.get("/v2/models/<name>/ready")
    @routes.get("/v2/models/<name>/versions/<version>/ready")
    def model_ready(name: str, version: str = VERSION) -> Response:
        """Answer when there is such a model: it is ready then."""
        return json({"name": find(name, version).name, "ready": True})

    @routes.post("/v2/repository/index")
    def index() -> Response:
        """List all models."""
        served = [
            {"name": model.name, "version": VERSION, "state": "READY", "reason": ""} for model in all_models()
        ]
        refused = [
            {"name": name, "version": VERSION, "state": "UNAVAILABLE", "reason": fault.detail}
            for name, fault in protocol.published.refused.items()
        ]
        return json(served + refused)

    @routes.post("/v2/models/<name>/infer")
    @routes.post("/v2/models/<name>/versions/<version>/infer")
    def infer(name: str, version: str = VERSION) -> Response:
        """Compute outputs from inputs."""
        model, settings = find(name, version), protocol.settings
        body = read_body(current_request(), settings)
        head = {"model_name": model.name, "model_version": VERSION}
        if (request_id := body.head.get("id")) is not None:
            if not isinstance(request_id, str):
                raise refusal("field_invalid", f"expected a string, got {shown(request_id)}", "/id")
            head["id"] = request_id
        outputs = wanted_outputs(body, model)
        binary = wants_binary(body.head, outputs) if not body.raw else [True] * len(outputs)
        arrays = read_inputs(body, model.accepts, model.inputs, settings.wire_limits)
        if arrays.keys() <= model.published.network.inputs.keys():
            current_request().params_id = model.published.params_id
        media_types = body.media_type, wire.SAFETENSORS if all(binary) else wire.JSON
        body = body.without_tail()
        with pointers_to_inputs(body):
            names = [output["name"] for output in outputs]
            computed = model.infer(names, arrays, settings.wire_limits, media_types)
        return respond(head, computed, binary)

    @routes.route("/v2/<path:rest>", methods=["GET", "POST"])
    def nothing(rest: str) -> Response:
        """Refuse all other routes of the protocol."""
        raise refusal("not_found", "there is no such route")

    app.register_blueprint(routes)


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
