"""The engine's face: a network ready to compute."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from typing import Any, TypeVar
from weakref import ref

import numpy as np

from deltawire.errors import Refused
from deltawire_layers import Array
from deltawire_service.engine.derivatives import (
    check_outputs,
    hessian_diagonal,
    hvp,
    jacobian,
    jvp,
    per_example_gradients,
    vjp,
)
from deltawire_service.engine.derivatives.gradient_check import (
    CheckedArray,
    as_dtype,
    check_gradients,
    check_plan,
)
from deltawire_service.engine.execute import layer_calls
from deltawire_service.engine.execute.backprop import Arrays
from deltawire_service.engine.execute.batch_run import BatchRun, Gradients
from deltawire_service.engine.execute.threads import Threads
from deltawire_service.engine.graph import Graph, Regularization
from deltawire_service.engine.plan import input_checks
from deltawire_service.engine.plan.memory_plan import (
    NO_BODY_COST,
    BodyCost,
    Plan,
    make_drawing_plan,
    make_plan,
)
from deltawire_service.engine.plan.program import Program, make_program
from deltawire_service.engine.plan.targets import Targets, gradient_targets, loss_targets, value_targets
from deltawire_service.engine.random_streams import stream
from deltawire_service.engine.runner import OnComputeSeconds, Runner, ignore_seconds, run_now

T = TypeVar("T")

KEPT = 16


@dataclass(frozen=True, eq=False)
class Network(Graph):
    """A network ready to compute. Made by `compile_network`; immutable, shared between threads.

    threads: those it computes with. run: how its computations are run, at once if nobody bounds them.
    on_compute_seconds: who counts what they take.
    """

    threads: Threads = field(default_factory=Threads)
    run: Runner = run_now
    on_compute_seconds: OnComputeSeconds = ignore_seconds

    # Requests repeat: the last few answers to each of the next questions are kept.

    @cached_property
    def _gradient_targets(self) -> Callable[..., Targets]:
        return self._keeping(gradient_targets)

    @cached_property
    def _program(self) -> Callable[[Targets], Program]:
        return self._keeping(make_program)

    @cached_property
    def _plan(self) -> Callable[..., Plan]:
        return self._keeping(Network._make_plan)

    def _make_plan(self, targets: Targets, batch: int, dtype: np.dtype[Any], body_cost: BodyCost) -> Plan:
        return make_plan(self, self._program(targets), batch, dtype.itemsize, body_cost, self.threads.count)

    @cached_property
    def with_outputs(self) -> Callable[[tuple[str, ...]], Network]:
        """This network with these nodes in its loss's place: deltas start from them, of any shape."""

        def with_outputs(network: Network, outputs: tuple[str, ...]) -> Network:
            return replace(network, loss=dict.fromkeys(outputs, 1.0), regularization=Regularization())

        return self._keeping(with_outputs)

    def _keeping(self, answer: Callable[..., T]) -> Callable[..., T]:
        """What answers a question about this network, and keeps the last few answers.

        It does not hold the network: one that is used no more goes at once, and not when the collector comes.
        """
        network = ref(self)
        return lru_cache(KEPT)(lambda *question: answer(network(), *question))

    check_outputs = check_outputs
    vjp = vjp
    jvp = jvp
    jacobian = jacobian
    hvp = hvp
    hessian_diagonal = hessian_diagonal

    def check_names(self, params: Arrays, data: Arrays, values: Iterable[str] | None = None) -> None:
        """Raises Refused unless the network's parameters and inputs are named, all of them and no others.

        values: for `forward`, which needs only what leads to these nodes.
        """
        input_checks.check_names(
            self, params.keys(), data.keys(), None if values is None else frozenset(values)
        )

    def init(self, seed: int, dtype: Any = np.float64) -> dict[str, Array]:
        """Parameters drawn from a seed, each from a stream of its own: the same numbers on every machine.

        The stream is PCG64, keyed by the seed and the SHA-256 of the parameter's name. Raises Refused when
        the parameters would not fit in the planned memory.
        """
        input_checks.check_parameter_bytes(self)
        return self.run(lambda _: self._drawn(seed, dtype), make_drawing_plan(self))

    def _drawn(self, seed: int, dtype: Any) -> dict[str, Array]:
        drawn = dict[str, Array]()
        for node in self.nodes.values():
            for name in set(node.parameters.values()) - drawn.keys():
                array = layer_calls.draw(node, name, self.parameters[name], stream(seed, name))
                drawn[name] = array.astype(dtype)
        return {name: drawn[name] for name in self.parameters}

    def gradients(
        self,
        params: Arrays,
        data: Arrays,
        *,
        wrt_params: bool | Iterable[str] = True,
        wrt_data: bool | Iterable[str] = False,
        reduction: str = "mean",
        values: Iterable[str] = (),
        deltas: Iterable[str] = (),
        non_finite: str = "error",
        body_cost: BodyCost = NO_BODY_COST,
        trace: bool = False,
        per_example: bool = False,
    ) -> Gradients:
        """Loss and gradients of the network on a batch.

        params: arrays by parameter name. data: arrays by input name, (batch, *shape), or (*shape) when
        shared.
        wrt_params, wrt_data: everything, nothing, or globs of parameters and names of inputs.
        values, deltas: nodes whose values and deltas are wanted.
        reduction: `mean` (divided by the number of examples) or `sum`. non_finite: `error`, or `return` to
        have results that are not finite given back. carriage: what the body takes, as far as the plan goes.
        trace: every array of both passes too, or its summary, in the order of computation.
        per_example: gradients and deltas of each example's own loss: not divided, without the regularization;
        gradients have the batch as leading axis.
        Raises Refused, pointers relative to the request, and PluginError when a layer breaks its contract.
        """
        targets = self._targets(wrt_params, wrt_data, values, deltas, trace and not per_example)
        self.check_names(params, data)
        if per_example:
            return per_example_gradients(self, targets, params, data, reduction, non_finite, body_cost)
        batch_run = self._batch_run(targets, params, data, body_cost, reduction)

        def compute(deadline: float) -> Gradients:
            result = batch_run.gradients(deadline)
            if non_finite == "error" and not result.finite:
                raise Refused([batch_run.first_non_finite(deadline)])
            return result

        return self.run(compute, batch_run.plan)

    def forward(
        self,
        params: Arrays,
        data: Arrays,
        values: Iterable[str],
        *,
        non_finite: str = "error",
        body_cost: BodyCost = NO_BODY_COST,
    ) -> dict[str, Array]:
        """Values of chosen nodes on a batch, (batch, *shape) by name.

        Only the parameters and inputs that lead to these nodes are needed. Raises as `gradients` does.
        """
        targets = value_targets(self, values)
        self.check_names(params, data, targets.values)
        batch_run = self._batch_run(targets, params, data, body_cost)

        def compute(deadline: float) -> dict[str, Array]:
            values, finite = batch_run.values(deadline)
            if non_finite == "error" and not finite:
                raise Refused([batch_run.first_non_finite(deadline)])
            return values

        return self.run(compute, batch_run.plan)

    def check(
        self,
        params: Arrays,
        data: Arrays,
        *,
        wrt_params: bool | Iterable[str] = True,
        wrt_data: bool | Iterable[str] = True,
        deltas: Iterable[str] = (),
        reduction: str = "mean",
        samples: int = 10,
        body_cost: BodyCost = NO_BODY_COST,
    ) -> list[CheckedArray]:
        """Gradients against the complex step and differences, at up to `samples` places of each array.

        deltas: nodes whose deltas are checked too, by moving their values. Computed in float64, whatever the
        arrays are; over all arrays, at most 5,000 places are checked.

        Raises as `gradients` does.
        """
        deltas = tuple(deltas)
        targets = self._targets(wrt_params, wrt_data, (), deltas)._replace(values=frozenset(deltas))
        self.check_names(params, data)
        batch, _ = input_checks.check_arrays(self, params, data)
        # The complex step works in complex128, whatever the arrays are.
        arrays = len(targets.params) + len(targets.data) + len(deltas)
        plan = check_plan(self._plan(targets, batch, np.dtype(np.complex128), body_cost), arrays, samples)
        input_checks.check_memory(self, plan, batch)
        params, data = as_dtype(params, np.float64), as_dtype(data, np.float64)
        batch_run = self._batch_run(targets, params, data, body_cost, reduction)
        loss = batch_run._replace(program=self._program(loss_targets(self)), plan=plan)

        def compute(deadline: float) -> list[CheckedArray]:
            result = batch_run.gradients(deadline)
            if not result.finite:
                raise Refused([batch_run.first_non_finite(deadline)])
            return check_gradients(loss, result, samples, deadline)

        return self.run(compute, plan)

    def plan(
        self,
        batch: int,
        dtype: Any = np.float64,
        *,
        wrt_params: bool | Iterable[str] = True,
        wrt_data: bool | Iterable[str] = False,
        values: Iterable[str] = (),
        deltas: Iterable[str] = (),
        body_cost: BodyCost = NO_BODY_COST,
    ) -> Plan:
        """What a gradient request would take (without a loss, a forward request), computing nothing.

        Raises Refused for names that do not exist, and for nothing else: a plan over the limit is a plan.
        """
        if self.loss:
            targets = self._targets(wrt_params, wrt_data, values, deltas)
        else:
            targets = value_targets(self, list(values) or list(self.nodes)[-1:])
        return self._plan(targets, batch, np.dtype(dtype), body_cost)

    def _targets(
        self,
        wrt_params: bool | Iterable[str],
        wrt_data: bool | Iterable[str],
        values: Iterable[str],
        deltas: Iterable[str],
        trace: bool = False,
    ) -> Targets:
        params = wrt_params if isinstance(wrt_params, bool) else tuple(wrt_params)
        data = wrt_data if isinstance(wrt_data, bool) else tuple(wrt_data)
        return self._gradient_targets(params, data, tuple(values), tuple(deltas), trace)

    def _batch_run(
        self, targets: Targets, params: Arrays, data: Arrays, body_cost: BodyCost, reduction: str = "mean"
    ) -> BatchRun:
        batch, dtype = input_checks.check_arrays(self, params, data)
        plan = self._plan(targets, batch, dtype, body_cost)
        input_checks.check_memory(self, plan, batch)
        program = self._program(targets)
        return BatchRun(
            self, program, params, data, batch, dtype, plan, self.threads, reduction, self.on_compute_seconds
        )
