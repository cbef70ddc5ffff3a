"""The forward pass and backprop over some rows of a batch: each equation that is needed is called once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextvars import copy_context
from copy import copy
from itertools import pairwise
from math import inf, isfinite
from time import monotonic
from typing import Any

import numpy as np

from deltawire.errors import Fault, Refused
from deltawire_layers import Activation, Array
from deltawire_service.engine.errors import DeadlineExceeded
from deltawire_service.engine.execute import layer_calls
from deltawire_service.engine.graph import Node
from deltawire_service.engine.plan.program import ArrayRole, BackwardStep, Program

Arrays = Mapping[str, Array]


VALUE, DELTA = ArrayRole("value"), ArrayRole("delta")

Observer = Callable[[Node, ArrayRole, Array], None]
"""Sees every array as it is made: the node, what it is to it, the numbers."""


class Pass:
    """One forward pass and the backward pass after it, over the rows of `data`; every array has its batch
    axis. params, data: read-only.

    After `forward`: losses and values by node. After `backward`: deltas by node and input as the program
    wants them, grads by parameter, summed over the rows, and whether these are finite.

    deadline: after this time (time.monotonic) no other node is computed, but DeadlineExceeded raised.
    """

    def __init__(
        self,
        program: Program,
        params: Arrays,
        data: Arrays,
        dtype: np.dtype[Any],
        observer: Observer | None = None,
        deadline: float = inf,
    ):
        self.program = program
        self.params = params
        self.data = data
        self.observer = observer
        self.deadline = deadline
        self.values: dict[str, Array] = {}
        self.deltas: dict[str, Array] = {}
        self.grads: dict[str, Array] = {}
        self.finite = True
        self._activations: dict[str, Activation] = {}
        self._arriving: dict[str, Array] = {}
        self._summed: set[str] = set()
        self._dtype = dtype
        self._clock: list[float] = []  # before each step
        self._forked = False

    def forward(self) -> None:
        """Compute the nodes the program needs; `values` keeps those that stay: losses, and values asked
        for."""
        values, given, context, clock = dict(self.data), self.params, copy_context(), self._clock
        for node, kept, release in self.program.forward:
            clock.append(monotonic())
            if clock[-1] > self.deadline:
                raise DeadlineExceeded
            inputs = [values[name] for name in node.inputs]
            params = {local: given[name] for local, name in node.parameters.items()}
            value, activation = layer_calls.forward(node, params, inputs, self._dtype)
            if copy_context() != context:
                context = layer_calls.restored(context)
            values[node.name] = value
            if kept:
                self._activations[node.name] = activation
            if self.observer:
                self.observer(node, VALUE, value)
            for name in release:
                del values[name]
        self.values = {name: values[name] for name in self.program.retained}

    def fork(self) -> Pass:
        """The same forward pass, ready for a backward pass of its own: values stay with this one."""
        other = copy(self)
        other.values, other.deltas, other.grads = {}, {}, {}
        other._activations, other._arriving, other._summed = dict(self._activations), {}, set()
        other._clock, other._forked = [], True
        return other

    def backward(self, cotangents: Arrays) -> None:
        """Send deltas down from some nodes, which start from their cotangents, (rows, *shape) each: the
        pass's own from now on."""
        arriving, wanted, context = self._arriving, self.program.targets.deltas, copy_context()
        clock = self._clock
        for name, cotangent in cotangents.items():
            layer_calls.lock(cotangent)
            arriving[name] = cotangent.view()
        for step in self.program.backward:
            clock.append(monotonic())
            if clock[-1] > self.deadline:
                raise DeadlineExceeded
            name = step.node.name
            if name not in arriving:  # traced, and behind an input without a derivative
                continue
            delta = self._arrived(name)
            if self.observer:
                self.observer(step.node, DELTA, delta)
            if name in wanted:
                self.deltas[name] = delta
            if step.grads or step.deltas:
                self._equations(step, self._activations.pop(name), delta)
                if copy_context() != context:
                    context = layer_calls.restored(context)
        for name in self.program.targets.data:
            if name in arriving:
                self.deltas[name] = self._arrived(name)

    def seconds(self) -> dict[str, float]:
        """How long the steps took, by the kind of their node; asked as soon as all have ended.

        The forward pass counts where it was computed, and not in passes made `fork` from it.

        The clock is read before each step in any case, for the deadline: until the next reading is its time.
        """
        found: dict[str, float] = {}
        spans = pairwise((*self._clock, monotonic()))
        nodes = [] if self._forked else [step.node for step in self.program.forward]
        nodes += [step.node for step in self.program.backward]
        for node, (start, stop) in zip(nodes, spans, strict=False):
            found[node.kind] = found.get(node.kind, 0.0) + stop - start
        return found

    def _send(self, name: str, delta: Array) -> None:
        """A consumer's share of the delta of a node or an input: those of several add up."""
        arriving = self._arriving
        if name not in arriving:
            arriving[name] = delta
        elif name in self._summed:
            arriving[name] += delta
        else:  # layers may give back their arguments, so only sums made here are added to in place
            arriving[name] = arriving[name] + delta
            self._summed.add(name)

    def _arrived(self, name: str) -> Array:
        """The sum of all shares, handed over for good."""
        delta = self._arriving.pop(name)
        if name in self._summed:
            layer_calls.lock(delta)
            return delta.view()
        return delta

    def _equations(self, step: BackwardStep, activation: Activation, delta: Array) -> None:
        node, dtype, grads = step.node, self._dtype, self.grads
        signal = layer_calls.signal(node, activation, delta)
        for local, name, what in step.grads:
            shape = self.params[name].shape
            gradient = layer_calls.equation(node, what, activation.grads[local], signal, shape, dtype)
            if self.observer:
                self.observer(node, what, gradient)
            grads[name] = gradient = grads[name] + gradient if name in grads else gradient
            # Now, while the caches have it: for large layers, later would cost as much as their sigmoids.
            self.finite = self.finite and is_finite(gradient)
        for position, source, what in step.deltas:
            equation = activation.deltas[position]
            if equation is None:
                if source in self.program.needed:
                    raise not_differentiable(node, position)
                continue
            shape = (len(delta), *node.input_shapes[position])
            below = layer_calls.equation(node, what, equation, signal, shape, dtype)
            self._send(source, below)
            if self.observer:
                self.observer(node, what, below)
                if step.local:
                    part = ArrayRole("local", source, position)
                    self.observer(node, part, self._local(node, activation, equation, part, delta))

    def _local(
        self,
        node: Node,
        activation: Activation,
        equation: Callable[[Any], Array],
        part: ArrayRole,
        delta: Array,
    ) -> Array:
        """∂value/∂input of a layer that works number by number: what it sends when 1 arrives."""
        one = np.ones_like(delta)
        layer_calls.lock(one)
        signal = layer_calls.signal(node, activation, one.view())
        return layer_calls.equation(node, part, equation, signal, delta.shape, self._dtype)


def is_finite(array: Array) -> bool:
    """Whether every number is finite."""
    # One product, at the speed of memory: finite only where every number is, though it may overflow.
    return isfinite(np.vdot(array, array).real) or bool(np.isfinite(array).all())


def not_differentiable(node: Node, position: int) -> Refused:
    """The refusal of a derivative that a layer does not have."""
    source = node.inputs[position]
    detail = f"node '{node.name}' ({node.kind}) has no derivative with respect to its input '{source}'"
    return Refused([Fault(f"/network/nodes/{node.place}/inputs/{position}", "not_differentiable", detail)])
