"""Tesseract: each published network is a Tesseract of its own, at /tesseract/NAME.

Its inputs are those of the network that lead to the values it offers, and `params`, nested by node, of which
those that come in take the place of the published ones. Its outputs are these values. All but integers are
differentiable.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from flask import Flask, Response, request

from deltawire import wire
from deltawire.wire import Array
from deltawire_layers import Shape
from deltawire_service.engine import Direction
from deltawire_service.faults import shown
from deltawire_service.http import bodies
from deltawire_service.protocols.protocol import Protocol, json, refusal
from deltawire_service.protocols.tesseract.arrays import read_abstract, read_array, write_array
from deltawire_service.protocols.tesseract.schema import (
    Place,
    Signature,
    check_jacobian,
    openapi,
    whole_jacobian,
)

JSON, BASE64 = "application/json", "application/json+base64"


def register(app: Flask, protocol: Protocol) -> None:
    """The routes of every network, below /tesseract/NAME."""
    routes = protocol.blueprint("tesseract", failed)
    signature_of = lru_cache(256)(Signature)

    def named(name: str) -> Signature:
        return signature_of(protocol.published.find(name))

    def begin(name: str) -> tuple[Signature, dict[str, Any], Inputs]:
        """What an endpoint is asked for, and at which inputs."""
        signature, asked = named(name), protocol.document()
        return signature, asked, Inputs(signature, asked.get("inputs"), protocol, read_array)

    def answered(arrays: Mapping[str, Array]) -> Response:
        return json({path: write_array(array, encoding()) for path, array in arrays.items()})

    @routes.get("/tesseract/<name>/openapi.json")
    def described(name: str) -> Response:
        """The endpoints and their arrays, as clients look them up."""
        return json(openapi(named(name)))

    @routes.get("/tesseract/<name>/health")
    def health(name: str) -> Response:
        """Whether there is such a network: then it is served."""
        named(name)
        return json({"status": "ok"})

    @routes.post("/tesseract/<name>/apply")
    def apply(name: str) -> Response:
        """The values offered."""
        signature, _, inputs = begin(name)
        values = list(signature.outputs)
        found = signature.network.forward(inputs.params, inputs.data, values, **inputs.options())
        return answered({value: found[value] for value in values})

    @routes.post("/tesseract/<name>/abstract_eval")
    def abstract_eval(name: str) -> Response:
        """Shapes and dtypes of the values offered, from those of the inputs."""
        signature = named(name)
        inputs = Inputs(signature, protocol.document().get("inputs"), protocol, read_abstract)
        shapes = signature.output_shapes(inputs.batch)
        return json({value: {"shape": shape, "dtype": inputs.dtype} for value, shape in shapes.items()})

    @routes.post("/tesseract/<name>/vector_jacobian_product")
    def vector_jacobian_product(name: str) -> Response:
        """cotangentᵀ J, for each of the inputs asked for."""
        signature, asked, inputs = begin(name)
        by, outputs = signature.inputs_of(asked, "vjp_inputs"), signature.outputs_of(asked, "vjp_outputs")
        given = vectors(asked, "cotangent_vector", outputs.keys())
        shapes = signature.output_shapes(inputs.batch)
        found = signature.network.vjp(
            inputs.params,
            inputs.data,
            {
                output: inputs.vector(given[path], f"/cotangent_vector/{path}", shapes[output])
                for path, output in outputs.items()
            },
            wrt_params=[each for part, each in by.values() if part == "params"],
            wrt_data=[each for part, each in by.values() if part == "data"],
            **inputs.options(),
        )
        return answered({path: getattr(found, part)[each] for path, (part, each) in by.items()})

    @routes.post("/tesseract/<name>/jacobian_vector_product")
    def jacobian_vector_product(name: str) -> Response:
        """J tangent, for each of the outputs asked for."""
        signature, asked, inputs = begin(name)
        by, outputs = signature.inputs_of(asked, "jvp_inputs"), signature.outputs_of(asked, "jvp_outputs")
        given = vectors(asked, "tangent_vector", by.keys())
        along = Direction({}, {})
        for path, (part, each) in by.items():
            tangent = inputs.vector(given[path], f"/tangent_vector/{path}", inputs.shape(part, each))
            along = along._replace(**{part: {**getattr(along, part), each: tangent}})
        found = signature.network.jvp(
            inputs.params, inputs.data, along, list(outputs.values()), **inputs.options()
        )
        return answered({path: found.tangents[output] for path, output in outputs.items()})

    @routes.post("/tesseract/<name>/jacobian")
    def jacobian(name: str) -> Response:
        """J, of each output asked for by each input: the shape of the one, then that of the other."""
        signature, asked, inputs = begin(name)
        by, outputs = signature.inputs_of(asked, "jac_inputs"), signature.outputs_of(asked, "jac_outputs")
        shapes = signature.output_shapes(inputs.batch)
        whole = [
            ((*shapes[output], *inputs.shape(*place)), signature.batched(*place))
            for output in outputs.values()
            for place in by.values()
        ]
        check_jacobian([shape for shape, _ in whole], protocol.settings)
        found = signature.network.jacobian(
            inputs.params,
            inputs.data,
            list(outputs.values()),
            wrt_params=[each for part, each in by.values() if part == "params"],
            wrt_data=[each for part, each in by.values() if part == "data"],
            made=[shape for shape, batched in whole if batched],
            **inputs.options(),
        )

        def block(output: str, place: Place) -> dict[str, Any]:
            each = getattr(found.outputs[output], place.part)[place.name]
            rank = len(signature.outputs[output])
            return write_array(whole_jacobian(each, rank, signature.batched(*place)), encoding())

        return json({path: {at: block(output, by[at]) for at in by} for path, output in outputs.items()})

    @routes.route("/tesseract/<name>/<path:rest>", methods=["GET", "POST"])
    def nothing(name: str, rest: str) -> Response:
        """All else of the protocol, which there is not."""
        named(name)
        raise refusal("not_found", f"there is no endpoint {shown(rest)}")

    app.register_blueprint(routes)


class Inputs:
    """The inputs of a request: the parameters and the data to compute with, and the one dtype of them."""

    def __init__(
        self,
        signature: Signature,
        inputs: Any,
        protocol: Protocol,
        read: Callable[[Any, str, str, wire.Limits], Array],
    ):
        leaves = signature.leaves(inputs)
        self.dtype = signature.dtype(leaves)
        arrays = {
            place: read(leaf, signature.dtype_at(place, self.dtype), pointer, protocol.settings.wire_limits)
            for place, (leaf, pointer) in leaves.items()
        }
        self.params, self.data = signature.completed(arrays, self.dtype, protocol.settings)
        self.batch = signature.network.check_arrays(self.params, self.data)
        self._limits = protocol.settings.wire_limits

    def shape(self, part: str, name: str) -> Shape:
        """The shape of one of them."""
        return (self.params if part == "params" else self.data)[name].shape

    def vector(self, leaf: Any, pointer: str, shape: Shape) -> Array:
        """A tangent or a cotangent: exactly one, in the dtype of the inputs."""
        array = read_array(leaf, self.dtype, pointer, self._limits)
        if array.shape != shape:
            detail = f"expected shape {list(shape)}, got {list(array.shape)}"
            raise refusal("shape_mismatch", detail, pointer)
        return array

    def options(self) -> dict[str, Any]:
        """How to compute: JSON has no numbers that are not finite."""
        body_cost = bodies.body_cost(self.dtype, wire.JSON, wire.JSON)
        return {"non_finite": "error" if encoding() == "json" else "return", "body_cost": body_cost}


def encoding() -> str:
    """How the answer writes arrays: as bytes, unless what the client would rather have is plain JSON."""
    accepted = (media_type.partition(";")[0].strip() for media_type, _ in request.accept_mimetypes)
    known = (each for each in accepted if each in (JSON, BASE64, "application/*", "*/*"))
    return "json" if next(known, BASE64) == JSON else "base64"


def vectors(asked: Mapping[str, Any], key: str, paths: Any) -> dict[str, Any]:
    """What there is under a key: something for each of these paths, and nothing else."""
    given = asked.get(key)
    if not isinstance(given, dict) or given.keys() != set(paths):
        got = ", ".join(map(str, given)) if isinstance(given, dict) else shown(given)
        detail = f"expected an object with an array for each of {', '.join(paths)}; got {got}"
        raise refusal("field_invalid", detail, f"/{key}")
    return given


def failed(problem: dict[str, Any]) -> Response:
    """A problem in the form that clients read: a list of errors, with status 422."""
    if problem["status"] not in (400, 422):
        told = {key: problem[key] for key in ("detail", "code", "request_id")}
        return json(told, problem["status"])
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
    """A place as the protocol's requests have it: data among the inputs, and parameters there by node."""
    part, *rest = pointer.removeprefix("/").split("/")
    if part == "params" and rest:
        rest = [part, *rest[0].split(".", 1), *rest[1:]]
    return ["inputs", *rest] if part in ("params", "data") else [part, *rest] if part else []
