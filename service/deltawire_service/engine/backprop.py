"""The forward pass and backprop over some rows of a batch: each equation that is needed is called once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import inf
from time import monotonic
from typing import Any

import numpy as np

from deltawire.errors import Fault, Refused
from deltawire_layers import Activation, Array, Shape
from deltawire_service.engine.errors import LAYER_FAILURE, DeadlineExceeded, PluginError
from deltawire_service.engine.graph import Node
from deltawire_service.engine.program import BackwardStep, ForwardStep, Part, Program

Arrays = Mapping[str, Array]


VALUE, DELTA = Part("value"), Part("delta")

Watch = Callable[[Node, Part, Array], None]
"""Sees every array as it is made: the node, what it is to it, the numbers."""


def unwatched(node: Node, part: Part, array: Array) -> None:
    """The watch of an ordinary request."""


def read_only(array: Array) -> Array:
    """A view nobody can write through: what is handed to layers."""
    view = array.view()
    view.setflags(write=False)
    return view


class Pass:
    """One forward pass and the backward pass after it, over the rows of `data`; every array has its batch
    axis. params, data: read-only.

    After `forward`: losses and values by node. After `backward`: deltas by node and input as the program
    wants them, grads by parameter, summed over the rows.

    until: after this time (time.monotonic) no other node is computed, but DeadlineExceeded raised.
    """

    def __init__(
        self,
        program: Program,
        params: Arrays,
        data: Arrays,
        dtype: np.dtype[Any],
        watch: Watch = unwatched,
        until: float = inf,
    ):
        self.program = program
        self.params = params
        self.data = data
        self.watch = watch
        self.until = until
        self.values: dict[str, Array] = {}
        self.deltas: dict[str, Array] = {}
        self.grads: dict[str, Array] = {}
        self._activations: dict[str, Activation] = {}
        self._arriving = Deltas()
        self._dtype = dtype

    def forward(self) -> None:
        """Compute the nodes the program needs; `values` keeps those that stay: losses, and values asked
        for."""
        values = dict(self.data)
        for step in self.program.forward:
            self._in_time()
            values[step.node.name] = value = self._value(step, [values[name] for name in step.node.inputs])
            self.watch(step.node, VALUE, value)
            for name in step.release:
                del values[name]
        self.values = {name: value for name, value in values.items() if name not in self.data}

    def backward(self, cotangents: Arrays) -> None:
        """Send deltas down from the loss nodes, which start from their cotangents, (rows,) each."""
        for name, cotangent in cotangents.items():
            self._arriving.add(name, cotangent)
        for step in self.program.backward:
            self._in_time()
            if step.node.name not in self._arriving:  # traced, and behind an input without a derivative
                continue
            delta = self._arriving.take(step.node.name)
            self.watch(step.node, DELTA, delta)
            if step.node.name in self.program.wants.deltas:
                self.deltas[step.node.name] = delta
            if step.grads or step.deltas:
                self._equations(step, self._activations.pop(step.node.name), delta)
        self.deltas |= {
            name: self._arriving.take(name) for name in self.program.wants.data if name in self._arriving
        }

    def _in_time(self) -> None:
        if monotonic() > self.until:
            raise DeadlineExceeded

    def _value(self, step: ForwardStep, inputs: list[Array]) -> Array:
        node, given = step.node, self.params
        try:
            params = {local: given[name] for local, name in node.parameters.items()}
            activation = node.layer.forward(params, *inputs)
            value, equations = activation.value, len(activation.deltas)
        except LAYER_FAILURE as error:
            raise PluginError(node.name, node.kind, "fails in its forward pass") from error
        if equations != len(inputs):
            raise PluginError(
                node.name, node.kind, f"gives {equations} delta equations for {len(inputs)} inputs"
            )
        if step.kept:
            self._activations[node.name] = activation
        return self._held(node, VALUE, value, (len(inputs[0]), *node.shape))

    def _equations(self, step: BackwardStep, activation: Activation, delta: Array) -> None:
        node = step.node
        try:
            signal = activation.signal(delta)
        except LAYER_FAILURE as error:
            raise PluginError(node.name, node.kind, "fails to make its signal from delta") from error
        for local, name, what in step.grads:
            try:
                gradient = activation.grads[local](signal)
            except LAYER_FAILURE as error:
                raise PluginError(node.name, node.kind, f"fails in the {what}") from error
            gradient = self._held(node, what, gradient, self.params[name].shape)
            self.watch(node, what, gradient)
            self.grads[name] = self.grads[name] + gradient if name in self.grads else gradient
        for position, source, what in step.deltas:
            equation = activation.deltas[position]
            if equation is None and source not in self.program.needed:
                continue
            if equation is None:
                detail = (
                    f"node '{node.name}' ({node.kind}) has no derivative with respect to its input '{source}'"
                )
                raise Refused(
                    [Fault(f"/network/nodes/{node.place}/inputs/{position}", "not_differentiable", detail)]
                )
            try:
                below = equation(signal)
            except LAYER_FAILURE as error:
                raise PluginError(node.name, node.kind, f"fails in the {what}") from error
            below = self._held(node, what, below, (len(delta), *node.input_shapes[position]))
            self.watch(node, what, below)
            self._arriving.add(source, below)
            if step.local:
                self._local(node, activation, equation, Part("local", source, position), delta)

    def _local(
        self, node: Node, activation: Activation, equation: Callable[[Any], Array], part: Part, delta: Array
    ) -> None:
        """Show ∂value/∂input of a layer that works number by number: what it sends when 1 arrives."""
        try:
            slope = equation(activation.signal(read_only(np.ones_like(delta))))
        except LAYER_FAILURE as error:
            raise PluginError(node.name, node.kind, f"fails in the {part}") from error
        self.watch(node, part, self._held(node, part, slope, delta.shape))

    def _held(self, node: Node, what: Part, array: Any, shape: Shape) -> Array:
        """Hold a layer to its declared shape and the one dtype: numpy would broadcast and cast instead."""
        if not isinstance(array, np.ndarray):
            gives = f"gives a {type(array).__name__} for its {what}, not an array"
        elif array.shape != shape:
            gives = f"gives shape {list(array.shape)} for its {what}, expected {list(shape)}"
        elif array.dtype != self._dtype:
            gives = f"gives {array.dtype} for its {what}, expected {self._dtype}"
        else:
            array.setflags(write=False)  # whoever holds it next, another layer or this one, only reads
            return array
        raise PluginError(node.name, node.kind, gives)


class Deltas:
    """The deltas on their way down: those of several consumers add up."""

    def __init__(self) -> None:
        self._sums: dict[str, Array] = {}
        self._own: set[str] = set()

    def __contains__(self, name: str) -> bool:
        return name in self._sums

    def add(self, name: str, delta: Array) -> None:
        """A consumer's share. Layers may give back their arguments, so only sums made here are added to in
        place."""
        if name not in self._sums:
            self._sums[name] = delta
        elif name in self._own:
            self._sums[name] += delta
        else:
            self._sums[name] = self._sums[name] + delta
            self._own.add(name)

    def take(self, name: str) -> Array:
        """The sum of all shares, handed over for good."""
        self._own.discard(name)
        delta = self._sums.pop(name)
        delta.setflags(write=False)
        return delta
