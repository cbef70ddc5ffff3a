"""UM-Bridge 1.0, the protocol of uncertainty quantification: models that map vectors to vectors.

A published network is up to three models: `NAME`, `NAME.loss` and `NAME.loglik`. Each has its derivatives.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from flask import Flask, Response

from deltawire import wire
from deltawire.wire import Array
from deltawire_service.faults import nearest, shown
from deltawire_service.networks.published import Published
from deltawire_service.protocols.protocol import Protocol, json, refusal
from deltawire_service.protocols.umbridge.models import Forward, Model, Objective

SUPPORT = ("Evaluate", "Gradient", "ApplyJacobian", "ApplyHessian")


def register(app: Flask, protocol: Protocol) -> None:
    """The routes, at the root, where the C++ client looks for them, and below /umbridge."""
    routes = protocol.blueprint("umbridge", failed)
    models_of, limits = lru_cache(256)(models), protocol.settings.wire_limits

    def every() -> list[str]:
        return [name for published in protocol.published.served.values() for name in models_of(published)]

    def named(asked: Mapping[str, Any]) -> Model:
        name = asked.get("name")
        known = name if isinstance(name, str) else ""
        published = protocol.published.served.get(known.partition(".")[0])
        offered = models_of(published) if published else {}
        if known not in offered:
            raise refusal("network_not_found", f"there is no model {shown(name)}{nearest(known, every())}")
        return offered[known]

    def point(model: Model, asked: Mapping[str, Any]) -> Any:
        vectors = asked.get("input")
        sizes = model.input_sizes
        if not isinstance(vectors, list) or len(vectors) != len(sizes):
            raise refusal("field_invalid", f"expected {len(sizes)} vectors, got {shown(vectors)}", "/input")
        x = [vector(model, vectors[i], size, f"/input/{i}", limits) for i, size in enumerate(sizes)]
        return model.at(x, data(asked), protocol.settings)

    @routes.get("/Info")
    def info() -> Response:
        """The protocol's version, and the names of all models."""
        return json({"protocolVersion": 1.0, "models": every()})

    @routes.post("/ModelInfo")
    def model_info() -> Response:
        """What a model supports: everything."""
        named(protocol.document())
        return json({"support": dict.fromkeys(SUPPORT, True)})

    @routes.post("/InputSizes")
    def input_sizes() -> Response:
        """The sizes of a model's input vectors."""
        return json({"inputSizes": named(protocol.document()).input_sizes})

    @routes.post("/OutputSizes")
    def output_sizes() -> Response:
        """The sizes of a model's output vectors."""
        return json({"outputSizes": named(protocol.document()).output_sizes})

    @routes.post("/Evaluate")
    def evaluate() -> Response:
        """The output vectors at a point."""
        asked = protocol.document()
        model = named(asked)
        return json({"output": model.evaluate(point(model, asked))})

    @routes.post("/Gradient")
    def gradient() -> Response:
        """sensᵀ J, for one output vector by one input vector."""
        asked = protocol.document()
        model = named(asked)
        out, by = place(asked, "outWrt", model.output_sizes), place(asked, "inWrt", model.input_sizes)
        sens = vector(model, asked.get("sens"), model.output_sizes[out], "/sens", limits)
        return json({"output": model.gradient(point(model, asked), out, by, sens)})

    @routes.post("/ApplyJacobian")
    def apply_jacobian() -> Response:
        """J vec, for one output vector by one input vector."""
        asked = protocol.document()
        model = named(asked)
        out, by = place(asked, "outWrt", model.output_sizes), place(asked, "inWrt", model.input_sizes)
        vec = vector(model, asked.get("vec"), model.input_sizes[by], "/vec", limits)
        return json({"output": model.apply_jacobian(point(model, asked), out, by, vec)})

    @routes.post("/ApplyHessian")
    def apply_hessian() -> Response:
        """The derivative of sensᵀ J by the first input vector, along vec in the second."""
        asked = protocol.document()
        model = named(asked)
        out, sizes = place(asked, "outWrt", model.output_sizes), model.input_sizes
        by, along = place(asked, "inWrt1", sizes), place(asked, "inWrt2", sizes)
        sens = vector(model, asked.get("sens"), model.output_sizes[out], "/sens", limits)
        vec = vector(model, asked.get("vec"), sizes[along], "/vec", limits)
        return json({"output": model.apply_hessian(point(model, asked), out, by, along, sens, vec)})

    app.register_blueprint(routes)
    app.register_blueprint(routes, url_prefix="/umbridge", name="umbridge_below")


def models(published: Published) -> dict[str, Model]:
    """The models of a published network, by name."""
    found: dict[str, Model] = {}
    forward = Forward(published)
    if forward.inputs:
        found[published.name] = forward
    if published.network.loss and published.network.parameters:
        found[f"{published.name}.loss"] = Objective.loss(published)
        found[f"{published.name}.loglik"] = Objective.loglik(published)
    return found


def data(asked: Mapping[str, Any]) -> dict[str, Any]:
    """The data in a request's config: all else that a model is evaluated with."""
    config = asked.get("config")
    config = {} if config is None else config  # clients write what they leave out as null, too
    if not isinstance(config, dict) or not config.keys() <= {"data"}:
        raise refusal("field_invalid", f'expected {{"data": …}} or nothing, got {shown(config)}', "/config")
    given = config.get("data", {})
    if not isinstance(given, dict):
        raise refusal("field_invalid", f"expected an object of tensors, got {shown(given)}", "/config/data")
    return given


def vector(model: Model, leaf: Any, size: int, pointer: str, limits: wire.Limits) -> Array:
    """A vector of this size, in the dtype of the network."""
    if not isinstance(leaf, list) or len(leaf) != size:
        got = f"{len(leaf)} of them" if isinstance(leaf, list) else shown(leaf)
        raise refusal("shape_mismatch", f"expected a list of {size} numbers, got {got}", pointer)
    read = wire.read_tensor(leaf, model.dtype, pointer, limits)
    if read.ndim != 1:
        raise refusal("shape_mismatch", "expected a list of numbers, got lists in it", pointer)
    return read


def place(asked: Mapping[str, Any], key: str, sizes: list[int]) -> int:
    """The index of a vector."""
    index = asked.get(key)
    if type(index) is not int or not 0 <= index < len(sizes):
        detail = f"expected a whole number from 0 to {len(sizes) - 1}, got {shown(index)}"
        raise refusal("field_invalid", detail, f"/{key}")
    return index


def failed(problem: dict[str, Any]) -> Response:
    """A problem in the protocol's words. Clients read JSON whatever the status is."""
    status, kind = problem["status"], "InternalError"
    if problem["code"] == "network_not_found":
        status, kind = 400, "ModelNotFound"
    elif problem["code"] == "non_finite":
        status, kind = 500, "InvalidOutput"
    elif status in (400, 422):
        status, kind = 400, "InvalidInput"
    elif status < 500:
        kind = "InvalidInput"
    pointer = problem["errors"][0]["pointer"]
    message = f"{pointer}: {problem['detail']}".removeprefix(": ")
    return json({"error": {"type": kind, "message": message}}, status)
