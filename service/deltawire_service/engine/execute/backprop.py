"""The forward pass and backprop over some rows of a batch: each equation that is needed is called once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextvars import copy_context
from copy import copy
from itertools import pairwise
from time import monotonic
from typing import Any

import numpy as np

from deltawire.errors import Fault, Refused
from deltawire_layers import Activation, Array, DeadlineExceeded, complex_parts, current_deadline, lock, sums
from deltawire_service.engine.execute import first_order, layer_calls
from deltawire_service.engine.execute.complex_step import COMPLEX
from deltawire_service.engine.execute.finite import is_finite
from deltawire_service.engine.execute.flat.program import FlatProgram, Looks
from deltawire_service.engine.execute.threads import later
from deltawire_service.engine.graph import Arrays, Node
from deltawire_service.engine.plan.program import ArrayRole, BackwardStep, ForwardStep, Program

VALUE, DELTA = ArrayRole("value"), ArrayRole("delta")

Observer = Callable[[Node, ArrayRole, Array], None]
"""A callback for every array that a pass makes: its node, its role there, its numbers."""


class Pass:
    """One forward pass, and the backward pass after it, over some rows of a batch.

    Args:
        program: the steps to compute.
        params: arrays by parameter, read-only.
        data: arrays by input, (rows, *shape) each, read-only.
        dtype: the one float dtype of all arrays.
        observer: called with every array as it is made.
        flat: the program as straight-line code, which computes the same bits faster; without an observer.

    Attributes:
        values: after `forward`, (rows, *shape) of losses and of the program's values, by node.
        deltas: after `backward`, (rows, *shape) of the program's deltas, by node and input.
        grads: after `backward`, gradients by parameter, summed over the rows.
        examples: other arrays with a row for each example, (rows, ...) by any name: what a computation adds.
        finite: whether every number of `grads` is finite.
    """

    def __init__(
        self,
        program: Program,
        params: Arrays,
        data: Arrays,
        dtype: np.dtype[Any],
        observer: Observer | None = None,
        flat: FlatProgram | None = None,
    ):
        self.program = program
        self.params = params
        self.data = data
        self.observer = observer
        self.values: dict[str, Array] = {}
        self.deltas: dict[str, Array] = {}
        self.grads: dict[str, Array] = {}
        self.examples: dict[str, Array] = {}
        self.finite = True
        self._activations: dict[str, Activation] = {}
        self._arriving: dict[str, Array] = {}
        self._summed: set[str] = set()
        self._dtype = dtype
        self._clock: list[float] = []  # before each step
        self._forked = False
        self._flat = None if observer else flat
        self._saved: list[Any] = []  # in place of `_activations`, in the order of computation
        self._forward_looks: Looks | None = None  # None: the clock was read before each step
        self._backward_looks: Looks | None = None
        self._apart: Sequence[tuple[str, float]] = ()

    def forward(self) -> None:
        """Compute the nodes of the program; afterwards `values` has those whose values are results.

        Raises DeadlineExceeded and PluginError.
        """
        if not self._flat:
            return self._forward()
        try:
            self.values, self._saved = self._flat.forward(
                self.data, self.params, current_deadline(), self._clock.append
            )
            self._forward_looks = self._flat.forward_looks
        except DeadlineExceeded:
            raise
        except Exception:  # found again, and named, by the loop
            self._compute_by_steps()

    def _compute_by_steps(self) -> None:
        """Compute the forward pass step by step, each of them guarded; the backward pass will be, too.

        A fork keeps the values it has, and still counts its backward pass only.
        """
        self._flat = self._forward_looks = None
        self._clock.clear()
        values = self.values
        self._forward()
        if self._forked:
            self.values = values
            self._clock.clear()

    def _forward(self) -> None:
        values, given, activations, dtype = dict(self.data), self.params, self._activations, self._dtype
        context, clock, deadline, observer = copy_context(), self._clock, current_deadline(), self.observer
        for node, saved, release in self.program.forward:
            now = monotonic()
            clock.append(now)
            if now > deadline:
                raise DeadlineExceeded
            inputs = [values[name] for name in node.inputs]
            params = node.arrays(given)
            in_parts = dtype == COMPLEX and node.layer.orders == 1
            forward = first_order.forward if in_parts else layer_calls.forward
            value, activation = forward(node, params, inputs, dtype)
            if copy_context() != context:
                context = layer_calls.restore_errstate(context)
            values[node.name] = value
            if saved:
                activations[node.name] = activation
            if observer:
                observer(node, VALUE, value)
            for name in release:
                del values[name]
        self.values = {name: values[name] for name in self.program.retained}

    def saved_nodes(self) -> list[str]:
        """Return the nodes whose equations are called in the backward pass, in the order of computation."""
        return [step.node.name for step in self.program.forward if step.saved]

    def activations(self) -> dict[str, Activation]:
        """Return what a forward pass that has just ended saved, by node."""
        if self._flat:
            return dict(zip(self.saved_nodes(), self._saved, strict=True))
        return dict(self._activations)

    def resume(self, activations: Mapping[str, Activation], values: Arrays) -> None:
        """Take what another forward pass made of the same numbers, in place of computing it.

        Args:
            activations: what it saved, by node; for all nodes of `saved_nodes`.
            values: its values, (rows, *shape) by node; all that are results of this program.
        """
        saved = {name: activations[name] for name in self.saved_nodes()}
        self.values = {name: values[name] for name in self.program.retained}
        self._activations, self._saved, self._forked = saved, [*saved.values()], True

    def fork(self) -> Pass:
        """Return a pass that shares this forward pass and is ready for a backward pass of its own.

        Its `values` are empty: they stay with this pass.
        """
        other = copy(self)
        other.values, other.deltas, other.grads, other.examples = {}, {}, {}, {}
        other._activations, other._arriving, other._summed = dict(self._activations), {}, set()
        other._clock, other._apart, other._forked, other._saved = [], (), True, [*self._saved]
        return other

    def backward(self, cotangents: Arrays) -> None:
        """Send deltas down from some nodes.

        cotangents: the deltas that these nodes start from, (rows, *shape) each; the pass locks them.
        Raises DeadlineExceeded, PluginError, and Refused where a derivative is needed that a layer lacks.
        """
        if not self._flat:
            return self._backward(cotangents)
        if cotangents.keys() != self._flat.starts:  # one output of several
            if self._flat.joined:
                self._compute_by_steps()
            else:
                self._activations = self.activations()
            return self._backward(cotangents)
        try:
            self.grads, self.deltas, self.finite, self._apart = self._flat.backward(
                cotangents, self._saved, current_deadline(), self._clock.append, later.get()
            )
            self._backward_looks = self._flat.backward_looks
            return
        except DeadlineExceeded:
            raise
        except Exception:
            pass  # found again, and named, by the loop, when the arrays of this pass are gone
        self._compute_by_steps()
        self._backward(cotangents)

    def _backward(self, cotangents: Arrays) -> None:
        arriving, targets, activations = self._arriving, self.program.targets.deltas, self._activations
        context, clock, deadline, observer = copy_context(), self._clock, current_deadline(), self.observer
        for name, cotangent in cotangents.items():
            lock(cotangent)
            arriving[name] = cotangent.view()
        for step in self.program.backward:
            now = monotonic()
            clock.append(now)
            if now > deadline:
                raise DeadlineExceeded
            name = step.node.name
            if name not in arriving:  # traced, and behind an input without a derivative
                continue
            delta = self._arrived(name)
            if observer:
                observer(step.node, DELTA, delta)
            if name in targets:
                self.deltas[name] = delta
            if step.grads or step.deltas:
                self._equations(step, activations.pop(name), delta)
                if copy_context() != context:
                    context = layer_calls.restore_errstate(context)
        for name in self.program.targets.data:
            if name in arriving:
                self.deltas[name] = self._arrived(name)
        for name in self.program.learned:
            if name in arriving:
                self.grads[name] = gradient = sums.sum_batch(self._arrived(name))
                self.finite = self.finite and is_finite(gradient)

    def seconds(self) -> dict[str, float]:
        """Return how long the steps took, by the kind of their nodes.

        Call it as soon as the last step has ended: the clock is read before each step, for the deadline, and
        the time until the next reading counts for the step. The nodes of a run share its time. A forked pass
        counts its backward pass only. Gradients that another thread computed are counted, too.
        """
        seconds: dict[str, float] = {}
        spans = pairwise((*self._clock, monotonic()))
        looks = [] if self._forked else [*(self._forward_looks or _looks(self.program.forward))]
        looks += self._backward_looks or _looks(self.program.backward)
        for shares, (start, stop) in zip(looks, spans, strict=False):
            for kind, share in shares:
                seconds[kind] = seconds.get(kind, 0.0) + (stop - start) * share
        for kind, apart in self._apart:
            seconds[kind] = seconds.get(kind, 0.0) + apart
        return seconds

    def _send(self, name: str, delta: Array) -> None:
        """Add one consumer's share to the delta of a node or an input."""
        arriving = self._arriving
        if name not in arriving:
            arriving[name] = delta
        elif name in self._summed:
            arriving[name] += delta
        else:  # layers may return their arguments, so only sums made here are added to in place
            arriving[name] = arriving[name] + delta
            self._summed.add(name)

    def _arrived(self, name: str) -> Array:
        """Return the sum of all shares, read-only, and release it here."""
        delta = self._arriving.pop(name)
        if name in self._summed:
            lock(delta)
            return delta.view()
        return delta

    def _equations(self, step: BackwardStep, activation: Activation, delta: Array) -> None:
        node, dtype, grads = step.node, self._dtype, self.grads
        signal = layer_calls.signal(node, activation, delta)
        for local, name, role in step.grads:
            shape = self.params[name].shape
            if local in node.transposed:
                shape = shape[::-1]
            gradient = layer_calls.equation(node, role, activation.grads[local], signal, shape, dtype)
            gradient = node.as_owned(local, gradient)
            if self.observer:
                self.observer(node, role, gradient)
            grads[name] = gradient = grads[name] + gradient if name in grads else gradient
            # Now, while it is in the caches: later, for large layers, it costs as much as their sigmoids.
            self.finite = self.finite and is_finite(gradient)
        for position, source, role in step.deltas:
            equation = activation.deltas[position]
            if equation is None:
                if source in self.program.needed:
                    raise not_differentiable(node, position)
                continue
            shape = (len(delta), *node.input_shapes[position])
            below = layer_calls.equation(node, role, equation, signal, shape, dtype)
            self._send(source, below)
            if self.observer:
                self.observer(node, role, below)
                if step.local:
                    local_role = ArrayRole("local", source, position)
                    self.observer(
                        node, local_role, self._local(node, activation, equation, local_role, delta)
                    )

    def _local(
        self,
        node: Node,
        activation: Activation,
        equation: Callable[[Any], Array],
        role: ArrayRole,
        delta: Array,
    ) -> Array:
        """Compute ∂value/∂input of an elementwise layer: the delta it sends when 1 arrives."""
        one = np.ones_like(delta)
        lock(one)
        signal = layer_calls.signal(node, activation, one.view())
        return layer_calls.equation(node, role, equation, signal, delta.shape, self._dtype)


class MovedPass(Pass):
    """The passes under the complex step.

    Args:
        made: the parts that the parameters were made of.
        arguments: as for `Pass`.
    """

    def __init__(self, made: Iterable[complex_parts.Known], *arguments: Any):
        super().__init__(*arguments)
        self._made = made

    def forward(self) -> None:
        with complex_parts.moved_pass(self._made, only_moves=False):
            super().forward()

    def backward(self, cotangents: Arrays) -> None:
        # Only layers that come with deltawire are known not to compute with gradients of others.
        with complex_parts.moved_pass(self._made, only_moves=self._flat is not None):
            super().backward(cotangents)


def _looks(steps: Iterable[ForwardStep | BackwardStep]) -> Looks:
    """Return what is computed after each reading of the clock where every step has one."""
    return [((step.node.kind, 1),) for step in steps]


def not_differentiable(node: Node, position: int) -> Refused:
    """Return the refusal of a derivative that a layer does not have."""
    source = node.inputs[position]
    detail = f"node '{node.name}' ({node.kind}) has no derivative with respect to its input '{source}'"
    return Refused([Fault(f"/network/nodes/{node.place}/inputs/{position}", "not_differentiable", detail)])
