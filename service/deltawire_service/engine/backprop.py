"""The forward pass and backprop over some rows of a batch: each equation that is needed is called once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextvars import copy_context
from copy import copy
from math import inf
from time import monotonic
from typing import Any

import numpy as np

from deltawire.errors import Fault, Refused
from deltawire_layers import Activation, Array
from deltawire_service.engine import contract
from deltawire_service.engine.errors import DeadlineExceeded
from deltawire_service.engine.graph import Node
from deltawire_service.engine.program import BackwardStep, Part, Program

Arrays = Mapping[str, Array]


VALUE, DELTA = Part("value"), Part("delta")

Watch = Callable[[Node, Part, Array], None]
"""Sees every array as it is made: the node, what it is to it, the numbers."""


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
        watch: Watch | None = None,
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
        values, given, context = dict(self.data), self.params, copy_context()
        for node, kept, release in self.program.forward:
            self._in_time()
            inputs = [values[name] for name in node.inputs]
            params = {local: given[name] for local, name in node.parameters.items()}
            value, activation = contract.forward(node, params, inputs, self._dtype)
            if copy_context() != context:
                context = contract.restored(context)
            values[node.name] = value
            if kept:
                self._activations[node.name] = activation
            if self.watch:
                self.watch(node, VALUE, value)
            for name in release:
                del values[name]
        self.values = {name: value for name, value in values.items() if name not in self.data}

    def again(self) -> Pass:
        """The same forward pass, ready for a backward pass of its own: values stay with this one."""
        other = copy(self)
        other.values, other.deltas, other.grads = {}, {}, {}
        other._activations, other._arriving = dict(self._activations), Deltas()
        return other

    def backward(self, cotangents: Arrays) -> None:
        """Send deltas down from the loss nodes, which start from their cotangents, (rows, *shape) each: the
        pass's own from now on."""
        for name, cotangent in cotangents.items():
            contract.lock(cotangent)
            self._arriving.add(name, cotangent.view())
        context = copy_context()
        for step in self.program.backward:
            self._in_time()
            node = step.node
            if node.name not in self._arriving:  # traced, and behind an input without a derivative
                continue
            delta = self._arriving.take(node.name)
            if self.watch:
                self.watch(node, DELTA, delta)
            if node.name in self.program.wants.deltas:
                self.deltas[node.name] = delta
            if step.grads or step.deltas:
                self._equations(step, self._activations.pop(node.name), delta)
                if copy_context() != context:
                    context = contract.restored(context)
        self.deltas |= {
            name: self._arriving.take(name) for name in self.program.wants.data if name in self._arriving
        }

    def _in_time(self) -> None:
        if monotonic() > self.until:
            raise DeadlineExceeded

    def _equations(self, step: BackwardStep, activation: Activation, delta: Array) -> None:
        node, dtype = step.node, self._dtype
        signal = contract.signal(node, activation, delta)
        for local, name, what in step.grads:
            shape = self.params[name].shape
            gradient = contract.equation(node, what, activation.grads[local], signal, shape, dtype)
            if self.watch:
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
            shape = (len(delta), *node.input_shapes[position])
            below = contract.equation(node, what, equation, signal, shape, dtype)
            self._arriving.add(source, below)
            if self.watch:
                self.watch(node, what, below)
                if step.local:
                    part = Part("local", source, position)
                    self.watch(node, part, self._local(node, activation, equation, part, delta))

    def _local(
        self, node: Node, activation: Activation, equation: Callable[[Any], Array], part: Part, delta: Array
    ) -> Array:
        """∂value/∂input of a layer that works number by number: what it sends when 1 arrives."""
        one = np.ones_like(delta)
        contract.lock(one)
        signal = contract.signal(node, activation, one.view())
        return contract.equation(node, part, equation, signal, delta.shape, self._dtype)


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
        delta = self._sums.pop(name)
        if name in self._own:
            self._own.discard(name)
            contract.lock(delta)
            return delta.view()
        return delta
