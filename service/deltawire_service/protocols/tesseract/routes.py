"""Tesseract: each network is a Tesseract of its own, at /tesseract/NAME.

Its inputs are those of the network that lead to the values it offers, and `params`, nested by node, which
take the place of those that the service has. A learned input is in `params` under its own name. The outputs
are these values. All but integers are differentiable.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

from flask import Flask, Response, request

from deltawire import wire
from deltawire.wire import Array
from deltawire_layers import Shape
from deltawire_plugins.shown import shown
from deltawire_service.engine import BodyCost, Direction
from deltawire_service.http.bodies import body_cost
from deltawire_service.protocols.context import ProtocolContext, json, name_parameters, refusal
from deltawire_service.protocols.tesseract.arrays import read_abstract, read_array, write_array
from deltawire_service.protocols.tesseract.parameters import cast_parameters
from deltawire_service.protocols.tesseract.schema import (
    Place,
    Signature,
    check_jacobian,
    openapi,
    whole_jacobian,
)

JSON, BASE64 = "application/json", "application/json+base64"


def register(app: Flask, protocol: ProtocolContext) -> None:
    """Add the routes of every network, below /tesseract/NAME."""
    routes = protocol.blueprint("tesseract", write_error)
    signature_of = protocol.cached(Signature)

    def find(name: str) -> Signature:
        return signature_of(protocol.served.find(name).interface)

    def begin(name: str) -> tuple[Signature, dict[str, Any], Inputs]:
        """Return the interface, the request, and the inputs to compute at."""
        opened = protocol.open(name)
        signature, body = signature_of(opened.interface), protocol.read_document()
        params = partial(cast_parameters, opened, caches=protocol.caches)
        inputs = Inputs(signature, body.get("inputs"), params, protocol, read_array)
        if inputs.stored_parameters:
            name_parameters(opened)
        return signature, body, inputs

    def respond(arrays: Mapping[str, Array]) -> Response:
        return json({path: write_array(array, encoding()) for path, array in arrays.items()})

    @routes.get("/tesseract/<name>/openapi.json")
    def described(name: str) -> Response:
        """Describe the endpoints and their arrays, as clients look them up."""
        return json(openapi(find(name)))

    @routes.get("/tesseract/<name>/health")
    def health(name: str) -> Response:
        """Answer when there is such a network: it is served then."""
        find(name)
        return json({"status": "ok"})

    @routes.post("/tesseract/<name>/apply")
    def apply(name: str) -> Response:
        """Compute the values offered."""
        signature, _, inputs = begin(name)
        values = list(signature.outputs)
        result = signature.network.forward(
            inputs.params, inputs.data, values, non_finite=inputs.non_finite, body_cost=inputs.body_cost
        )
        return respond({value: result[value] for value in values})

    @routes.post("/tesseract/<name>/abstract_eval")
    def abstract_eval(name: str) -> Response:
        """Return shapes and dtypes of the values offered, from those of the inputs."""
        signature = find(name)
        body, params = protocol.read_document(), signature.abstract_parameters
        inputs = Inputs(signature, body.get("inputs"), params, protocol, read_abstract)
        shapes = signature.output_shapes(inputs.batch)
        return json({value: {"shape": shape, "dtype": inputs.dtype} for value, shape in shapes.items()})

    @routes.post("/tesseract/<name>/vector_jacobian_product")
    def vector_jacobian_product(name: str) -> Response:
        """Compute cotangentᵀ J, for each of the listed inputs."""
        signature, body, inputs = begin(name)
        by, outputs = signature.inputs_of(body, "vjp_inputs"), signature.outputs_of(body, "vjp_outputs")
        vectors = read_vectors(body, "cotangent_vector", outputs.keys())
        shapes = signature.output_shapes(inputs.batch)
        result = signature.network.vjp(
            inputs.params,
            inputs.data,
            {
                output: inputs.vector(vectors[path], f"/cotangent_vector/{path}", shapes[output])
                for path, output in outputs.items()
            },
            wrt_params=[each for part, each in by.values() if part == "params"],
            wrt_data=[each for part, each in by.values() if part == "data"],
            non_finite=inputs.non_finite,
            body_cost=inputs.body_cost,
        )
        return respond({path: getattr(result, part)[each] for path, (part, each) in by.items()})

    @routes.post("/tesseract/<name>/jacobian_vector_product")
    def jacobian_vector_product(name: str) -> Response:
        """Compute J tangent, for each of the listed outputs."""
        signature, body, inputs = begin(name)
        by, outputs = signature.inputs_of(body, "jvp_inputs"), signature.outputs_of(body, "jvp_outputs")
        vectors = read_vectors(body, "tangent_vector", by.keys())
        along: dict[str, dict[str, Array]] = {"params": {}, "data": {}}
        for path, (part, each) in by.items():
            tangent = inputs.vector(vectors[path], f"/tangent_vector/{path}", inputs.shape(part, each))
            along[part][each] = tangent
        result = signature.network.jvp(
            inputs.params,
            inputs.data,
            Direction(**along),
            list(outputs.values()),
            non_finite=inputs.non_finite,
            body_cost=inputs.body_cost,
        )
        return respond({path: result.tangents[output] for path, output in outputs.items()})

    @routes.post("/tesseract/<name>/jacobian")
    def jacobian(name: str) -> Response:
        """Compute J, of each listed output by each listed input: its shape is that of output, then input."""
        signature, body, inputs = begin(name)
        by, outputs = signature.inputs_of(body, "jac_inputs"), signature.outputs_of(body, "jac_outputs")
        shapes = signature.output_shapes(inputs.batch)
        whole = [
            ((*shapes[output], *inputs.shape(*place)), signature.batched(*place))
            for output in outputs.values()
            for place in by.values()
        ]
        check_jacobian([shape for shape, _ in whole], protocol.settings)
        result = signature.network.jacobian(
            inputs.params,
            inputs.data,
            list(outputs.values()),
            wrt_params=[each for part, each in by.values() if part == "params"],
            wrt_data=[each for part, each in by.values() if part == "data"],
            made=[shape for shape, batched in whole if batched],
            non_finite=inputs.non_finite,
            body_cost=inputs.body_cost,
        )

        def block(output: str, place: Place) -> dict[str, Any]:
            each = getattr(result.outputs[output], place.part)[place.name]
            rank = len(signature.outputs[output])
            return write_array(whole_jacobian(each, rank, signature.batched(*place)), encoding())

        return json({path: {at: block(output, by[at]) for at in by} for path, output in outputs.items()})

    @routes.route("/tesseract/<name>/<path:rest>", methods=["GET", "POST"])
    def nothing(name: str, rest: str) -> Response:
        """Refuse all other endpoints of the protocol."""
        find(name)
        raise refusal("not_found", f"there is no endpoint {shown(rest)}")

    app.register_blueprint(routes)


class Inputs:
    """The inputs of a request: the parameters and the data to compute with, and their one dtype.

    Args:
        signature: the interface of the network.
        inputs: the member `inputs` of the request.
        params: returns the parameters that the service has, in the dtype of the request.
        protocol: for the bounds on tensors.
        read: reads a leaf: `read_array` or `read_abstract`.
    """

    def __init__(
        self,
        signature: Signature,
        inputs: Any,
        params: Callable[[str], Mapping[str, Array]],
        protocol: ProtocolContext,
        read: Callable[[Any, str, str, wire.Limits], Array],
    ):
        leaves = signature.leaves(inputs)
        self.dtype = signature.dtype(leaves)
        arrays = {
            place: read(leaf, signature.dtype_at(place, self.dtype), pointer, protocol.settings.wire_limits)
            for place, (leaf, pointer) in leaves.items()
        }
        self.params, self.data = signature.complete(
            arrays, params(self.dtype), self.dtype, protocol.settings.wire_limits
        )
        self.stored_parameters = self.dtype == signature.interface.dtype and not any(
            place.part == "params" for place in arrays
        )
        signature.network.check_names(self.params, self.data, signature.outputs)
        self.batch = signature.network.check_arrays(self.params, self.data)
        self._limits = protocol.settings.wire_limits

    def shape(self, part: str, name: str) -> Shape:
        """Return the shape of an input."""
        return (self.params if part == "params" else self.data)[name].shape

    def vector(self, leaf: Any, pointer: str, shape: Shape) -> Array:
        """Return a tangent or a cotangent in the dtype of the inputs.

        Args:
            leaf: the vector as it came.
            pointer: JSON pointer to it.
            shape: the shape that it must have.
        """
        array = read_array(leaf, self.dtype, pointer, self._limits)
        if array.shape != shape:
            detail = f"expected shape {list(shape)}, got {list(array.shape)}"
            raise refusal("shape_mismatch", detail, pointer)
        return array

    @property
    def non_finite(self) -> str:
        """Either error or return: JSON cannot write results that are not finite."""
        return "error" if encoding() == "json" else "return"

    @property
    def body_cost(self) -> BodyCost:
        """The memory that the bodies take."""
        tensors = "lists" if encoding() == "json" else "base64"
        return body_cost(self.dtype, wire.JSON, wire.JSON, tensors, not self.stored_parameters)


def encoding() -> str:
    """Return how the answer writes arrays: as bytes, unless the client prefers plain JSON."""
    accepted = (media_type.partition(";")[0].strip() for media_type, _ in request.accept_mimetypes)
    known = (each for each in accepted if each in (JSON, BASE64, "application/*", "*/*"))
    return "json" if next(known, BASE64) == JSON else "base64"


def read_vectors(request: Mapping[str, Any], key: str, paths: Iterable[str]) -> dict[str, Any]:
    """Return the leaves under a key.

    Args:
        request: the request.
        key: the key.
        paths: the paths that must have a leaf there; no others may.
    """
    leaves = request.get(key)
    if not isinstance(leaves, dict) or leaves.keys() != set(paths):
        got = ", ".join(map(str, leaves)) if isinstance(leaves, dict) else shown(leaves)
        detail = f"expected an object with an array for each of {', '.join(paths)}; got {got}"
        raise refusal("field_invalid", detail, f"/{key}")
    return leaves


def write_error(problem: dict[str, Any]) -> Response:
    """Return a problem in the form that clients read: a list of errors, with status 422."""
    if problem["status"] not in (400, 422):
        members = {key: problem[key] for key in ("detail", "code", "request_id")}
        return json(members, problem["status"])
    errors = [
        {
            "type": error["code"],
            "loc": location(error["pointer"]),
            "msg": error["detail"],
            "input": None,
        }
        for error in problem["errors"]
    ]
    return json({"detail": errors}, 422)


def location(pointer: str) -> list[str]:
    """Return a pointer as a place in the protocol's requests: data and parameters are among the inputs."""
    part, *rest = pointer.removeprefix("/").split("/")
    if part == "params" and rest:
        rest = [part, *rest[0].split(".", 1), *rest[1:]]
    return ["inputs", *rest] if part in ("params", "data") else [part, *rest] if part else []
