"""What UM-Bridge calls models, of a published network: maps from vectors to vectors, and their derivatives.

`NAME` maps the inputs of one example to the values offered, with the published parameters. `NAME.loss` and
`NAME.loglik` map all parameters, in one vector, to the reduced loss of the data, and to minus the sum of the
examples' losses, which leaves the regularization out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import Any, NamedTuple, Protocol

import numpy as np

from deltawire import wire
from deltawire.wire import Array
from deltawire_service.engine import BodyCost, Direction, Network
from deltawire_service.http import bodies
from deltawire_service.networks.published import Published, standing_in
from deltawire_service.networks.request_tensors import read_values
from deltawire_service.protocols.protocol import own_parameters, refusal
from deltawire_service.settings import Settings

Arrays = Mapping[str, Array]


class Point(NamedTuple):
    """Where a model is evaluated."""

    params: Arrays
    data: Arrays
    body_cost: BodyCost


class Model(Protocol):
    """A map from vectors to vectors. x, sens and vec: flat, in `dtype`; out, by, along: which vectors."""

    @property
    def dtype(self) -> str: ...
    @property
    def input_sizes(self) -> list[int]: ...
    @property
    def output_sizes(self) -> list[int]: ...
    def at(self, x: list[Array], data: dict[str, Any], settings: Settings) -> Point: ...
    def evaluate(self, at: Point) -> list[Array]: ...
    def gradient(self, at: Point, out: int, by: int, sens: Array) -> Array: ...
    def apply_jacobian(self, at: Point, out: int, by: int, vec: Array) -> Array: ...
    def apply_hessian(self, at: Point, out: int, by: int, along: int, sens: Array, vec: Array) -> Array: ...


class Forward:
    """y = network(x) for one example: a vector for each input of floats, and for each value offered."""

    def __init__(self, published: Published):
        network, constants = published.network, standing_in(published, batch=True)
        leads = network.upstream(published.values)
        self._published = published
        self._network = network
        self.dtype = published.dtype
        self.inputs = {
            name: slot.shape if slot.shared else (1, *slot.shape)
            for name, slot in network.inputs.items()
            if slot.dtype == "float" and name in leads and name not in constants
        }
        self.outputs = {name: (1, *network.nodes[name].shape) for name in published.values}
        self.input_sizes = [prod(shape) for shape in self.inputs.values()]
        self.output_sizes = [prod(shape) for shape in self.outputs.values()]

    def at(self, x: list[Array], data: dict[str, Any], settings: Settings) -> Point:
        """The example at x. data: what else it needs, integers, as posted."""
        arrays = {name: v.reshape(self.inputs[name]) for name, v in zip(self.inputs, x, strict=True)}
        given = {**standing_in(self._published, batch=True), **data, **arrays}
        return _read(self._published, own_parameters(self._published), given, settings, list(self.outputs))

    def evaluate(self, at: Point) -> list[Array]:
        values = self._network.forward(at.params, at.data, list(self.outputs), body_cost=at.body_cost)
        return [values[name].ravel() for name in self.outputs]

    def gradient(self, at: Point, out: int, by: int, sens: Array) -> Array:
        of = list(self.inputs)[by]
        found = self._network.vjp(
            at.params,
            at.data,
            self._cotangent(out, sens),
            wrt_params=False,
            wrt_data=[of],
            body_cost=at.body_cost,
        )
        return found.data[of].ravel()

    def apply_jacobian(self, at: Point, out: int, by: int, vec: Array) -> Array:
        of = list(self.outputs)[out]
        found = self._network.jvp(at.params, at.data, self._along(by, vec), [of], body_cost=at.body_cost)
        return found.tangents[of].ravel()

    def apply_hessian(self, at: Point, out: int, by: int, along: int, sens: Array, vec: Array) -> Array:
        of = list(self.inputs)[by]
        found = self._network.hvp(
            at.params,
            at.data,
            self._along(along, vec),
            wrt_params=False,
            wrt_data=[of],
            cotangents=self._cotangent(out, sens),
            body_cost=at.body_cost,
        )
        return found.data[of].ravel()

    def _cotangent(self, out: int, sens: Array) -> dict[str, Array]:
        name, shape = list(self.outputs.items())[out]
        return {name: sens.reshape(shape)}

    def _along(self, by: int, vec: Array) -> Direction:
        name, shape = list(self.inputs.items())[by]
        return Direction(data={name: vec.reshape(shape)})


@dataclass(frozen=True)
class Objective:
    """sign · the reduced loss of the data, as a function of all parameters in one vector."""

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

    def at(self, x: list[Array], data: dict[str, Any], settings: Settings) -> Point:
        """The parameters x, and the data, as posted, or as pinned."""
        given = {**standing_in(self.published, bool(data)), **data}
        return _read(self.published, self._split(x[0]), given, settings)

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
        found = self.network.hvp(
            at.params,
            at.data,
            Direction(params=self._split(vec)),
            reduction=self.reduction,
            body_cost=at.body_cost,
        )
        return finite(self.sign * sens * self._joined(found.params))

    def _split(self, flat: Array) -> dict[str, Array]:
        """The parameters that lie one after the other, in the order of the spec."""
        shapes = {name: parameter.shape for name, parameter in self.network.parameters.items()}
        ends = np.cumsum([prod(shape) for shape in shapes.values()])[:-1]
        parts = zip(shapes.items(), np.split(flat, ends), strict=True)
        return {name: part.reshape(shape) for (name, shape), part in parts}

    def _joined(self, params: Arrays) -> Array:
        return np.concatenate([params[name].ravel() for name in self.network.parameters])


def finite(product: Array) -> Array:
    """A product that the engine has not seen. Raises Refused unless every number of it is finite."""
    if not np.isfinite(product).all():
        raise refusal("non_finite", f"the product is too large for {product.dtype}: send a smaller vector")
    return product


def _read(
    published: Published,
    params: dict[str, Array],
    data: dict[str, Any],
    settings: Settings,
    values: list[str] | None = None,
) -> Point:
    """A point, everything at it checked. values: the nodes that are wanted, where no loss is."""
    asked = {"params": params, "data": data, "dtype": published.dtype}
    read = read_values(published.network, asked, settings, values)
    return Point(*read, bodies.body_cost(published.dtype, wire.JSON, wire.JSON))
