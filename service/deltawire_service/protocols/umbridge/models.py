"""The models of UM-Bridge that a published network is: maps from vectors to vectors, and their derivatives.

`NAME` maps the inputs of one example to the values offered, with the published parameters. `NAME.loss` maps
all parameters, in one vector, to the reduced loss of the data. `NAME.loglik` maps them to minus the sum of
the examples' losses, without the regularization.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import Any, ClassVar, NamedTuple, Protocol

import numpy as np

from deltawire import wire
from deltawire.wire import Array
from deltawire_service.engine import BodyCost, Direction, Network
from deltawire_service.http.bodies import body_cost
from deltawire_service.networks.published import Published, default_data
from deltawire_service.networks.request_tensors import read_values
from deltawire_service.protocols.context import refusal

Arrays = Mapping[str, Array]


class Point(NamedTuple):
    """The point at which a model is evaluated."""

    params: Arrays
    data: Arrays
    body_cost: BodyCost


class Model(Protocol):
    """A map from vectors to vectors, and its derivatives.

    Vectors (`x`, `sens`, `vec`) are flat, in `dtype`. `out`, `by` and `along` are indices: of the output that
    is differentiated, of the input it is differentiated by, and of the input that moves. `params_id` is that
    of the published parameters; None when the caller brings the parameters.
    """

    @property
    def dtype(self) -> str: ...
    @property
    def input_sizes(self) -> list[int]: ...
    @property
    def output_sizes(self) -> list[int]: ...
    @property
    def params_id(self) -> str | None: ...
    def at(self, x: list[Array], data: dict[str, Any], limits: wire.Limits) -> Point: ...
    def evaluate(self, at: Point) -> list[Array]: ...
    def gradient(self, at: Point, out: int, by: int, sens: Array) -> Array: ...
    def apply_jacobian(self, at: Point, out: int, by: int, vec: Array) -> Array: ...
    def apply_hessian(self, at: Point, out: int, by: int, along: int, sens: Array, vec: Array) -> Array: ...


class Forward:
    """y = network(x) for one example: a vector for each input of floats, and for each value offered."""

    def __init__(self, published: Published):
        network, constants = published.network, default_data(published, batch=True)
        leads = network.upstream(published.values)
        self._published = published
        self._network = network
        self.dtype = published.dtype
        self.params_id = published.params_id
        self.inputs = {
            name: slot.shape if slot.shared else (1, *slot.shape)
            for name, slot in network.inputs.items()
            if slot.dtype == "float" and name in leads and name not in constants
        }
        self.outputs = {name: (1, *network.nodes[name].shape) for name in published.values}
        self.input_sizes = [prod(shape) for shape in self.inputs.values()]
        self.output_sizes = [prod(shape) for shape in self.outputs.values()]

    def at(self, x: list[Array], data: dict[str, Any], limits: wire.Limits) -> Point:
        """Return the example at x.

        Args:
            x: the inputs of floats.
            data: what else the network needs, integers, as posted.
            limits: bounds on tensors.
        """
        arrays = {name: v.reshape(self.inputs[name]) for name, v in zip(self.inputs, x, strict=True)}
        data = {**default_data(self._published, batch=True), **data, **arrays}
        return _point(self._published, dict(self._published.params), data, limits, False)

    def evaluate(self, at: Point) -> list[Array]:
        values = self._network.forward(at.params, at.data, list(self.outputs), body_cost=at.body_cost)
        return [values[name].ravel() for name in self.outputs]

    def gradient(self, at: Point, out: int, by: int, sens: Array) -> Array:
        of = list(self.inputs)[by]
        result = self._network.vjp(
            at.params,
            at.data,
            self._cotangent(out, sens),
            wrt_params=False,
            wrt_data=[of],
            body_cost=at.body_cost,
        )
        return result.data[of].ravel()

    def apply_jacobian(self, at: Point, out: int, by: int, vec: Array) -> Array:
        of = list(self.outputs)[out]
        result = self._network.jvp(at.params, at.data, self._along(by, vec), [of], body_cost=at.body_cost)
        return result.tangents[of].ravel()

    def apply_hessian(self, at: Point, out: int, by: int, along: int, sens: Array, vec: Array) -> Array:
        of = list(self.inputs)[by]
        result = self._network.hvp(
            at.params,
            at.data,
            self._along(along, vec),
            wrt_params=False,
            wrt_data=[of],
            cotangents=self._cotangent(out, sens),
            body_cost=at.body_cost,
        )
        return result.data[of].ravel()

    def _cotangent(self, out: int, sens: Array) -> dict[str, Array]:
        name, shape = list(self.outputs.items())[out]
        return {name: sens.reshape(shape)}

    def _along(self, by: int, vec: Array) -> Direction:
        name, shape = list(self.inputs.items())[by]
        return Direction(data={name: vec.reshape(shape)})


@dataclass(frozen=True)
class Objective:
    """sign · the reduced loss of the data, as a function of all parameters in one vector."""

    params_id: ClassVar[None] = None
    published: Published
    network: Network
    sign: int
    reduction: str

    @classmethod
    def loss(cls, published: Published) -> Objective:
        return cls(published, published.network, 1, "mean")

    @classmethod
    def loglik(cls, published: Published) -> Objective:
        return cls(published, published.network.without_regularization(), -1, "sum")

    @property
    def dtype(self) -> str:
        return self.published.dtype

    @property
    def input_sizes(self) -> list[int]:
        return [sum(prod(parameter.shape) for parameter in self.network.parameters.values())]

    @property
    def output_sizes(self) -> list[int]:
        return [1]

    def at(self, x: list[Array], data: dict[str, Any], limits: wire.Limits) -> Point:
        """Return the point with these parameters and data.

        Args:
            x: all parameters, in one vector.
            data: the data, as posted; pinned data is added.
            limits: bounds on tensors.
        """
        data = {**default_data(self.published, bool(data)), **data}
        return _point(self.published, self._split(x[0]), data, limits, True)

    def evaluate(self, at: Point) -> list[Array]:
        result = self.network.gradients(
            at.params, at.data, wrt_params=False, reduction=self.reduction, body_cost=at.body_cost
        )
        return [np.array([self.sign * result.loss])]

    @np.errstate(all="ignore")  # the product is checked
    def gradient(self, at: Point, out: int, by: int, sens: Array) -> Array:
        result = self.network.gradients(at.params, at.data, reduction=self.reduction, body_cost=at.body_cost)
        return finite(self.sign * sens * self._joined(result.params))

    @np.errstate(all="ignore")  # the product is checked
    def apply_jacobian(self, at: Point, out: int, by: int, vec: Array) -> Array:
        return finite(np.array([self.gradient(at, out, by, np.ones(1, self.dtype)) @ vec]))

    @np.errstate(all="ignore")  # the product is checked
    def apply_hessian(self, at: Point, out: int, by: int, along: int, sens: Array, vec: Array) -> Array:
        result = self.network.hvp(
            at.params,
            at.data,
            Direction(params=self._split(vec)),
            reduction=self.reduction,
            body_cost=at.body_cost,
        )
        return finite(self.sign * sens * self._joined(result.params))

    def _split(self, flat: Array) -> dict[str, Array]:
        """Return the parameters that lie one after the other in a vector, in the order of the spec."""
        shapes = {name: parameter.shape for name, parameter in self.network.parameters.items()}
        ends = np.cumsum([prod(shape) for shape in shapes.values()])[:-1]
        parts = zip(shapes.items(), np.split(flat, ends), strict=True)
        return {name: part.reshape(shape) for (name, shape), part in parts}

    def _joined(self, params: Arrays) -> Array:
        return np.concatenate([params[name].ravel() for name in self.network.parameters])


def finite(product: Array) -> Array:
    """Return a product that the engine has not checked. Raises Refused unless all its numbers are finite."""
    if not np.isfinite(product).all():
        raise refusal("non_finite", f"the product is too large for {product.dtype}: send a smaller vector")
    return product


def _point(
    published: Published,
    params: dict[str, Array],
    data: dict[str, Any],
    limits: wire.Limits,
    with_parameters: bool,
) -> Point:
    """Return a point, its tensors read. with_parameters: the request brings its parameters."""
    values = read_values(published.network, params, data, published.dtype, limits)
    return Point(*values, body_cost(published.dtype, wire.JSON, wire.JSON, with_parameters))
