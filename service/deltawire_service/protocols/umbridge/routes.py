"""UM-Bridge 1.0, the protocol of uncertainty quantification: models that map vectors to vectors.

A network is up to three models: `NAME`, `NAME.loss` and `NAME.loglik`. Each has its derivatives.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Flask, Response

from deltawire import wire
from deltawire.wire import Array
from deltawire_plugins.shown import shown
from deltawire_service.faults import nearest
from deltawire_service.networks.interfaces import Interface
from deltawire_service.protocols.context import ProtocolContext, json, name_parameters, refusal
from deltawire_service.protocols.served import Opened
from deltawire_service.protocols.umbridge.models import Forward, Model, Objective, Point

SUPPORT = ("Evaluate", "Gradient", "ApplyJacobian", "ApplyHessian")


def register(app: Flask, protocol: ProtocolContext) -> None:
    """Add the routes, at the root, where the C++ client looks for them, and below /umbridge."""
    routes = protocol.blueprint("umbridge", write_error)
    models_of, limits = protocol.cached(models), protocol.settings.wire_limits

    def find(body: Mapping[str, Any]) -> Model:
        return offered(body, protocol.served.find(network_name(body)).interface)

    def offered(body: Mapping[str, Any], interface: Interface) -> Model:
        name, known = body.get("name"), models_of(interface)
        if name not in known:
            raise refusal("network_not_found", f"there is no model {shown(name)}{nearest(name, known)}")
        return known[name]

    def begin() -> tuple[dict[str, Any], Model, Opened]:
        """Return the request, and the model with the parameters that the service has."""
        body = protocol.read_document()
        opened = protocol.open(network_name(body))
        return body, offered(body, opened.interface), opened

    def point(model: Model, opened: Opened, body: Mapping[str, Any]) -> Point:
        vectors = body.get("input")
        sizes = model.input_sizes
        if not isinstance(vectors, list) or len(vectors) != len(sizes):
            raise refusal("field_invalid", f"expected {len(sizes)} vectors, got {shown(vectors)}", "/input")
        x = [read_vector(model, vectors[i], size, f"/input/{i}", limits) for i, size in enumerate(sizes)]
        if not model.brings_parameters:
            name_parameters(opened)
        return model.at(opened.params, x, read_data(body), limits)

    @routes.get("/Info")
    def info() -> Response:
        """Return the protocol's version, and the names of all models of whoever asks."""
        served = protocol.served.list().served
        names = [name for interface, _ in served for name in models_of(interface)]
        return json({"protocolVersion": 1.0, "models": names})

    @routes.post("/ModelInfo")
    def model_info() -> Response:
        """Return what a model supports: everything."""
        find(protocol.read_document())
        return json({"support": dict.fromkeys(SUPPORT, True)})

    @routes.post("/InputSizes")
    def input_sizes() -> Response:
        """Return the sizes of a model's input vectors."""
        return json({"inputSizes": find(protocol.read_document()).input_sizes})

    @routes.post("/OutputSizes")
    def output_sizes() -> Response:
        """Return the sizes of a model's output vectors."""
        return json({"outputSizes": find(protocol.read_document()).output_sizes})

    @routes.post("/Evaluate")
    def evaluate() -> Response:
        """Compute the output vectors at a point."""
        body, model, opened = begin()
        return json({"output": model.evaluate(point(model, opened, body))})

    @routes.post("/Gradient")
    def gradient() -> Response:
        """Compute sensᵀ J, for one output vector by one input vector."""
        body, model, opened = begin()
        out, by = read_index(body, "outWrt", model.output_sizes), read_index(body, "inWrt", model.input_sizes)
        sens = read_vector(model, body.get("sens"), model.output_sizes[out], "/sens", limits)
        return json({"output": model.gradient(point(model, opened, body), out, by, sens)})

    @routes.post("/ApplyJacobian")
    def apply_jacobian() -> Response:
        """Compute J vec, for one output vector by one input vector."""
        body, model, opened = begin()
        out, by = read_index(body, "outWrt", model.output_sizes), read_index(body, "inWrt", model.input_sizes)
        vec = read_vector(model, body.get("vec"), model.input_sizes[by], "/vec", limits)
        return json({"output": model.apply_jacobian(point(model, opened, body), out, by, vec)})

    @routes.post("/ApplyHessian")
    def apply_hessian() -> Response:
        """Compute the derivative of sensᵀ J by the first input vector, along vec in the second."""
        body, model, opened = begin()
        out, sizes = read_index(body, "outWrt", model.output_sizes), model.input_sizes
        by, along = read_index(body, "inWrt1", sizes), read_index(body, "inWrt2", sizes)
        sens = read_vector(model, body.get("sens"), model.output_sizes[out], "/sens", limits)
        vec = read_vector(model, body.get("vec"), sizes[along], "/vec", limits)
        return json({"output": model.apply_hessian(point(model, opened, body), out, by, along, sens, vec)})

    app.register_blueprint(routes)
    app.register_blueprint(routes, url_prefix="/umbridge", name="umbridge_below")


def network_name(body: Mapping[str, Any]) -> Any:
    """Return the name of the network that the model of a request is of."""
    name = body.get("name")
    return name.partition(".")[0] if isinstance(name, str) else name


def models(interface: Interface) -> dict[str, Model]:
    """Return the models of a network, by name."""
    offered: dict[str, Model] = {}
    forward = Forward(interface)
    if forward.inputs:
        offered[interface.name] = forward
    if interface.network.loss and interface.network.parameters:
        offered[f"{interface.name}.loss"] = Objective(interface, likelihood=False)
        offered[f"{interface.name}.loglik"] = Objective(interface, likelihood=True)
    return offered


def read_data(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the data in a request's config: all else that a model is evaluated with."""
    config = body.get("config")
    config = {} if config is None else config  # some clients write null for what they leave out
    if not isinstance(config, dict) or not config.keys() <= {"data"}:
        raise refusal("field_invalid", f'expected {{"data": …}} or nothing, got {shown(config)}', "/config")
    data = config.get("data", {})
    if not isinstance(data, dict):
        raise refusal("field_invalid", f"expected an object of tensors, got {shown(data)}", "/config/data")
    return data


def read_vector(model: Model, leaf: Any, size: int, pointer: str, limits: wire.Limits) -> Array:
    """Return a vector in the dtype of a model.

    Args:
        model: the model.
        leaf: the vector as it came.
        size: the size that it must have.
        pointer: JSON pointer to it.
        limits: bounds on tensors.

    Raises:
        Refused: the leaf is no list of so many numbers.
    """
    if not isinstance(leaf, list) or len(leaf) != size:
        got = f"{len(leaf)} of them" if isinstance(leaf, list) else shown(leaf)
        raise refusal("shape_mismatch", f"expected a list of {size} numbers, got {got}", pointer)
    vector = wire.read_tensor(leaf, model.dtype, pointer, limits)
    if vector.ndim != 1:
        raise refusal("shape_mismatch", "expected a list of numbers, got lists in it", pointer)
    return vector


def read_index(body: Mapping[str, Any], key: str, sizes: list[int]) -> int:
    """Return the index of a vector.

    Args:
        body: the request.
        key: the key of the index.
        sizes: the sizes of the vectors.

    Raises:
        Refused: there is no such vector.
    """
    index = body.get(key)
    if type(index) is not int or not 0 <= index < len(sizes):
        detail = f"expected a whole number from 0 to {len(sizes) - 1}, got {shown(index)}"
        raise refusal("field_invalid", detail, f"/{key}")
    return index


def write_error(problem: dict[str, Any]) -> Response:
    """Return a problem in the form of the protocol. Clients read JSON whatever the status is."""
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
