"""KServe V2, the Open Inference Protocol, with Triton's binary extension.

A published network is the model `NAME`, which gives the values it offers, and, where it has a loss, the model
`NAME:gradients`, whose outputs are named by their places in the answer of POST /v1/gradients. That one takes
parameters too, in the place of the published ones: so a client can train.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from importlib.metadata import version
from typing import Any

from flask import Flask, Response

from deltawire import wire
from deltawire.errors import Refused
from deltawire_service.faults import nearest, shown
from deltawire_service.protocols.kserve.body import Body, answer, read_inputs, receive, wants_binary
from deltawire_service.protocols.kserve.models import VERSION, Model, models
from deltawire_service.protocols.protocol import Protocol, json, refusal


def register(app: Flask, protocol: Protocol) -> None:
    """The routes, below /v2."""
    routes = protocol.blueprint("kserve", failed)
    models_of = lru_cache(256)(models)

    def every() -> list[Model]:
        served = protocol.published.served.values()
        return [model for published in served for model in models_of(published).values()]

    def named(name: str, of: str = VERSION) -> Model:
        published = protocol.published.served.get(name.partition(":")[0])
        offered = models_of(published) if published else {}
        if name not in offered:
            known = nearest(name, [model.name for model in every()])
            raise refusal("network_not_found", f"there is no model {shown(name)}{known}")
        if of != VERSION:
            raise refusal("network_not_found", f"model '{name}' has version {VERSION} only, not {shown(of)}")
        return offered[name]

    @routes.get("/v2")
    def server() -> Response:
        """What the server is, and the extensions it has."""
        extensions = ["binary_tensor_data", "model_configuration", "model_repository"]
        return json({"name": "deltawire", "version": version("deltawire"), "extensions": extensions})

    @routes.get("/v2/health/live")
    def live() -> Response:
        """Whether the process runs."""
        return json({"live": True})

    @routes.get("/v2/health/ready")
    def ready() -> Response:
        """Whether requests are taken."""
        if reason := protocol.readiness.reason():
            raise refusal("not_ready", reason)
        return json({"ready": True})

    @routes.get("/v2/models/<name>")
    @routes.get("/v2/models/<name>/versions/<of>")
    def metadata(name: str, of: str = VERSION) -> Response:
        """What a model takes and gives."""
        return json(named(name, of).metadata())

    @routes.get("/v2/models/<name>/config")
    @routes.get("/v2/models/<name>/versions/<of>/config")
    def config(name: str, of: str = VERSION) -> Response:
        """The same, in the words of Triton's configuration files."""
        return json(named(name, of).config())

    @routes.get("/v2/models/<name>/ready")
    @routes.get("/v2/models/<name>/versions/<of>/ready")
    def model_ready(name: str, of: str = VERSION) -> Response:
        """Whether there is such a model: then it is ready."""
        return json({"name": named(name, of).name, "ready": True})

    @routes.post("/v2/repository/index")
    def index() -> Response:
        """All models."""
        told = [{"name": model.name, "version": VERSION, "state": "READY", "reason": ""} for model in every()]
        refused = protocol.published.refused.items()
        return json(
            told
            + [
                {"name": name, "version": VERSION, "state": "UNAVAILABLE", "reason": why.detail}
                for name, why in refused
            ]
        )

    @routes.post("/v2/models/<name>/infer")
    @routes.post("/v2/models/<name>/versions/<of>/infer")
    def infer(name: str, of: str = VERSION) -> Response:
        """The outputs for some inputs."""
        model = named(name, of)
        body = receive(protocol.settings)
        head = {"model_name": model.name, "model_version": VERSION}
        if "id" in body.head:
            if not isinstance(body.head["id"], str):
                raise refusal("field_invalid", f"expected a string, got {shown(body.head['id'])}", "/id")
            head["id"] = body.head["id"]
        asked = outputs(body, model)
        binary = wants_binary(body.head, asked) if not body.raw else [True] * len(asked)
        arrays = read_inputs(body, model.accepts, model.inputs, protocol.settings)
        media_types = body.media_type, wire.SAFETENSORS if all(binary) else wire.JSON
        with placed(body):
            found = model.infer([output["name"] for output in asked], arrays, protocol.settings, media_types)
        return answer(head, found, binary)

    @routes.route("/v2/<path:rest>", methods=["GET", "POST"])
    def nothing(rest: str) -> Response:
        """All else of the protocol, which there is not."""
        raise refusal("not_found", "there is no such route")

    app.register_blueprint(routes)


def outputs(body: Body, model: Model) -> list[dict[str, Any]]:
    """The outputs asked for; without any, all that the model tells of."""
    asked = body.head.get("outputs") or [{"name": name} for name in model.outputs]
    if not isinstance(asked, list) or not all(isinstance(each, dict) for each in asked):
        raise refusal("field_invalid", f"expected a list of objects, got {shown(asked)}", "/outputs")
    names = [each.get("name") for each in asked]
    if not all(isinstance(name, str) for name in names) or len(set(names)) < len(names):
        raise refusal("field_invalid", f"expected names, each once, got {shown(names)}", "/outputs")
    return asked


@contextmanager
def placed(body: Body) -> Iterator[None]:
    """What is wrong with an array, which is known by its name, is told with its place among the inputs."""
    places = {entry["name"]: f"/inputs/{place}" for place, entry in enumerate(body.head.get("inputs", ()))}
    try:
        yield
    except Refused as refused:
        raise Refused(
            fault._replace(pointer=places.get(fault.pointer.split("/")[2], "/inputs"))
            if fault.pointer.startswith(("/data/", "/params/"))
            else fault
            for fault in refused.faults
        ) from None


def failed(problem: dict[str, Any]) -> Response:
    """A problem in the protocol's words: a string."""
    pointer = problem["errors"][0]["pointer"]
    message = f"{pointer}: {problem['detail']}".removeprefix(": ")
    status = 400 if problem["status"] == 422 else problem["status"]
    return json({"error": message, "code": problem["code"], "request_id": problem["request_id"]}, status)
