"""The models of UM-Bridge that a network is: maps from vectors to vectors, and their derivatives.

`NAME` maps the inputs of one example to the values offered, with the network's parameters. `NAME.loss` maps
all parameters, in one vector, to the reduced loss of the data. `NAME.loglik` maps them to minus the sum of
the examples' losses, without the regularization.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from math import prod
from typing import Any, NamedTuple

import numpy as np

from deltawire import wire
from deltawire.wire import Array
from deltawire_service.engine import BodyCost, Direction
from deltawire_service.http.bodies import body_cost
from deltawire_service.networks.interfaces import Interface, default_data
from deltawire_service.networks.request_tensors import read_values
from deltawire_service.protocols.context import refusal

Arrays = Mapping[str, Array]


class Point(NamedTuple):
    """The point at which a model is evaluated."""

    params: Arrays
    data: Arrays
    body_cost: BodyCost


class Model(ABC):
    """A map from vectors to vectors, and its derivatives. Vectors are flat."""

    dtype: str
    input_sizes: list[int]
    output_sizes: list[int]
    brings_parameters: bool
    """The caller brings the parameters, in the input vectors."""

    @abstractmethod
    def at(self, params: Arrays, x: list[Array], data: dict[str, Any], limits: wire.Limits) -> Point:
        """Return the point of a request, its tensors read.

        Args:
            params: the parameters that the service has.
            x: the input vectors.
            data: what else the network needs, as posted.
            limits: bounds on tensors.

        Raises:
            Refused: a tensor cannot be read.
        """

    @abstractmethod
    def evaluate(self, at: Point) -> list[Array]:
        """Return the output vectors at a point."""

    @abstractmethod
    def gradient(self, at: Point, out: int, by: int, sens: Array) -> Array:
        """Return sensᵀ J.

        Args:
            at: the point.
            out: index of the output that is differentiated.
            by: index of the input that it is differentiated by.
            sens: a vector like the output.
        """

    @abstractmethod
    def apply_jacobian(self, at: Point, out: int, by: int, vec: Array) -> Array:
        """Return J vec.

        Args:
            at: the point.
            out: index of the output that is differentiated.
            by: index of the input that it is differentiated by.
            vec: a vector like that input.
        """

    @abstractmethod
    def apply_hessian(self, at: Point, out: int, by: int, along: int, sens: Array, vec: Array) -> Array:
        """Return the derivative of sensᵀ J along vec.

        Args:
            at: the point.
            out: index of the output that is differentiated.
            by: index of the input that it is differentiated by.
            along: index of the input that moves.
            sens: a vector like the output.
            vec: a vector like the input that moves.
        """


class Forward(Model):
    """y = network(x) for one example: a vector for each input of floats, and for each value offered."""

    brings_parameters = False

    def __init__(self, interface: Interface):
        network, constants = interface.network, default_data(interface, batch=True)
        leads = network.upstream(interface.values)
        self._interface = interface
        self._network = network
        self.dtype = interface.dtype
        self.inputs = {
            name: spec.shape if spec.shared else (1, *spec.shape)
            for name, spec in network.inputs.items()
            if spec.dtype == "float" and name in leads and name not in constants
        }
        self.outputs = {name: (1, *network.nodes[name].shape) for name in interface.values}
        self.input_sizes = [prod(shape) for shape in self.inputs.values()]
        self.output_sizes = [prod(shape) for shape in self.outputs.values()]

    def at(self, params: Arrays, x: list[Array], data: dict[str, Any], limits: wire.Limits) -> Point:
        arrays = {name: v.reshape(self.inputs[name]) for name, v in zip(self.inputs, x, strict=True)}
        data = {**default_data(self._interface, batch=True), **data, **arrays}
        return read_point(self._interface, dict(params), data, limits)

    def evaluate(self, at: Point) -> list[Array]:
        values = self._network.forward(at.params, at.data, list(self.outputs), body_cost=at.body_cost)
        return [values[name].ravel() for name in self.outputs]

    def gradient(self, at: Point, out: int, by: int, sens: Array) -> Array:
        name = list(self.inputs)[by]
        result = self._network.vjp(
            at.params,
            at.data,
            self._cotangent(out, sens),
            wrt_params=False,
            wrt_data=[name],
            body_cost=at.body_cost,
        )
        return result.data[name].ravel()

    def apply_jacobian(self, at: Point, out: int, by: int, vec: Array) -> Array:
        name = list(self.outputs)[out]
        result = self._network.jvp(
            at.params, at.data, self._direction(by, vec), [name], body_cost=at.body_cost
        )
        return result.tangents[name].ravel()

    def apply_hessian(self, at: Point, out: int, by: int, along: int, sens: Array, vec: Array) -> Array:
        name = list(self.inputs)[by]
        result = self._network.hvp(
            at.params,
            at.data,
            self._direction(along, vec),
            wrt_params=False,
            wrt_data=[name],
            cotangents=self._cotangent(out, sens),
            body_cost=at.body_cost,
        )
        return result.data[name].ravel()

    def _cotangent(self, out: int, sens: Array) -> dict[str, Array]:
        name, shape = list(self.outputs.items())[out]
        return {name: sens.reshape(shape)}

    def _direction(self, along: int, vec: Array) -> Direction:
        name, shape = list(self.inputs.items())[along]
        return Direction(data={name: vec.reshape(shape)})


class Objective(Model):
    """The reduced loss of the data, or minus it, as a function of all parameters in one vector."""

    brings_parameters = True

    def __init__(self, interface: Interface, likelihood: bool):
        """likelihood: minus the sum of the examples' losses, without the regularization."""
        self._interface = interface
        network = interface.network
        self._network = network.without_regularization() if likelihood else network
        self._sign, self._reduction = (-1, "sum") if likelihood else (1, "mean")
        self.dtype = interface.dtype
        self.input_sizes = [sum(prod(parameter.shape) for parameter in network.parameters.values())]
        self.output_sizes = [1]

    def at(self, params: Arrays, x: list[Array], data: dict[str, Any], limits: wire.Limits) -> Point:
        data = {**default_data(self._interface, bool(data)), **data}
        return read_point(self._interface, self._split(x[0]), data, limits, with_parameters=True)

    def evaluate(self, at: Point) -> list[Array]:
        result = self._network.gradients(
            at.params, at.data, wrt_params=False, reduction=self._reduction, body_cost=at.body_cost
        )
        return [np.array([self._sign * result.loss])]

    @np.errstate(all="ignore")  # the product is checked
    def gradient(self, at: Point, out: int, by: int, sens: Array) -> Array:
        result = self._network.gradients(
            at.params, at.data, reduction=self._reduction, body_cost=at.body_cost
        )
        return check_finite(self._sign * sens * self._join(result.params))

    @np.errstate(all="ignore")  # the product is checked
    def apply_jacobian(self, at: Point, out: int, by: int, vec: Array) -> Array:
        return check_finite(np.array([self.gradient(at, out, by, np.ones(1, self.dtype)) @ vec]))

    @np.errstate(all="ignore")  # the product is checked
    def apply_hessian(self, at: Point, out: int, by: int, along: int, sens: Array, vec: Array) -> Array:
        result = self._network.hvp(
            at.params,
            at.data,
            Direction(params=self._split(vec)),
            reduction=self._reduction,
            body_cost=at.body_cost,
        )
        return check_finite(self._sign * sens * self._join(result.params))

    def _split(self, flat: Array) -> dict[str, Array]:
        """Return the parameters that lie one after the other in a vector, in the order of the spec."""
        shapes = {name: parameter.shape for name, parameter in self._network.parameters.items()}
        ends = np.cumsum([prod(shape) for shape in shapes.values()])[:-1]
        parts = zip(shapes.items(), np.split(flat, ends), strict=True)
        return {name: part.reshape(shape) for (name, shape), part in parts}

    def _join(self, params: Arrays) -> Array:
        return np.concatenate([params[name].ravel() for name in self._network.parameters])


def check_finite(product: Array) -> Array:
    """Return a product that the engine has not checked. Raises Refused unless all its numbers are finite."""
    if not np.isfinite(product).all():
        raise refusal("non_finite", f"the product is too large for {product.dtype}: send a smaller vector")
    return product


def read_point(
    interface: Interface,
    params: dict[str, Array],
    data: dict[str, Any],
    limits: wire.Limits,
    with_parameters: bool = False,
) -> Point:
    """Read the tensors of a point.

    Args:
        interface: the network.
        params: its parameters.
        data: its data; some of it as posted.
        limits: bounds on tensors.
        with_parameters: the request brings the parameters.

    Raises:
        Refused: a tensor cannot be read.
    """
    values = read_values(interface.network, params, data, interface.dtype, limits)
    return Point(*values, body_cost(interface.dtype, wire.JSON, wire.JSON, with_parameters=with_parameters))
