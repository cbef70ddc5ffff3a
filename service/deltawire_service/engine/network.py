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
from deltawire_service.engine import checks, contract
from deltawire_service.engine.backprop import Arrays
from deltawire_service.engine.check import Checked, as_dtype, check_gradients, check_plan
from deltawire_service.engine.derivatives import (
    check_outputs,
    gradients_apart,
    hessian_diagonal,
    hvp,
    jacobian,
    jvp,
    vjp,
)
from deltawire_service.engine.graph import Graph, Regularization
from deltawire_service.engine.plan import ARRAYS, Carriage, Plan, make_drawing_plan, make_plan
from deltawire_service.engine.program import Program, make_program
from deltawire_service.engine.rows import Result, Work
from deltawire_service.engine.running import Run, Spent, at_once, uncounted
from deltawire_service.engine.streams import stream
from deltawire_service.engine.threads import Threads
from deltawire_service.engine.wanted import Wanted, wanted_gradients, wanted_loss, wanted_values

T = TypeVar("T")

KEPT = 16


@dataclass(frozen=True, eq=False)
class Network(Graph):
    """A network ready to compute. Made by `compile_network`; immutable, shared between threads.

    threads: those it computes with. run: how its computations are run, at once if nobody bounds them.
    spent: who counts what they take.
    """

    threads: Threads = field(default_factory=Threads)
    run: Run = at_once
    spent: Spent = uncounted

    # Requests repeat: the last few answers to each of the next questions are kept.

    @cached_property
    def _wanted(self) -> Callable[..., Wanted]:
        return self._keeping(wanted_gradients)

    @cached_property
    def _program(self) -> Callable[[Wanted], Program]:
        return self._keeping(make_program)

    @cached_property
    def _plan(self) -> Callable[..., Plan]:
        return self._keeping(Network._make_plan)

    def _make_plan(self, wants: Wanted, batch: int, dtype: np.dtype[Any], carriage: Carriage) -> Plan:
        return make_plan(self, self._program(wants), batch, dtype.itemsize, carriage, self.threads.count)

    @cached_property
    def toward(self) -> Callable[[tuple[str, ...]], Network]:
        """This network with these nodes in its loss's place: deltas start from them, of any shape."""

        def toward(network: Network, outputs: tuple[str, ...]) -> Network:
            return replace(network, loss=dict.fromkeys(outputs, 1.0), regularization=Regularization())

        return self._keeping(toward)

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
        checks.check_names(self, params.keys(), data.keys(), None if values is None else frozenset(values))

    def init(self, seed: int, dtype: Any = np.float64) -> dict[str, Array]:
        """Parameters drawn from a seed, each from a stream of its own: the same numbers on every machine.

        The stream is PCG64, keyed by the seed and the SHA-256 of the parameter's name. Raises Refused when
        the parameters would not fit in the planned memory.
        """
        checks.check_parameter_bytes(self)
        return self.run(lambda _: self._drawn(seed, dtype), make_drawing_plan(self))

    def _drawn(self, seed: int, dtype: Any) -> dict[str, Array]:
        drawn = dict[str, Array]()
        for node in self.nodes.values():
            for name in set(node.parameters.values()) - drawn.keys():
                array = contract.draw(node, name, self.parameters[name], stream(seed, name))
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
        carriage: Carriage = ARRAYS,
        trace: bool = False,
        per_example: bool = False,
    ) -> Result:
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
        wants = self._wants(wrt_params, wrt_data, values, deltas, trace and not per_example)
        self.check_names(params, data)
        if per_example:
            return gradients_apart(self, wants, params, data, reduction, non_finite, carriage)
        work = self._work(wants, params, data, carriage, reduction)

        def compute(until: float) -> Result:
            result = work.gradients(until)
            if non_finite == "error" and not result.finite:
                raise Refused([work.first_non_finite(until)])
            return result

        return self.run(compute, work.plan)

    def forward(
        self,
        params: Arrays,
        data: Arrays,
        values: Iterable[str],
        *,
        non_finite: str = "error",
        carriage: Carriage = ARRAYS,
    ) -> dict[str, Array]:
        """Values of chosen nodes on a batch, (batch, *shape) by name.

        Only the parameters and inputs that lead to these nodes are needed. Raises as `gradients` does.
        """
        wants = wanted_values(self, values)
        self.check_names(params, data, wants.values)
        work = self._work(wants, params, data, carriage)

        def compute(until: float) -> dict[str, Array]:
            values, finite = work.values(until)
            if non_finite == "error" and not finite:
                raise Refused([work.first_non_finite(until)])
            return values

        return self.run(compute, work.plan)

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
        carriage: Carriage = ARRAYS,
    ) -> list[Checked]:
        """Gradients against the complex step and differences, at up to `samples` places of each array.

        deltas: nodes whose deltas are checked too, by moving their values. Computed in float64, whatever the
        arrays are; over all arrays, at most 5,000 places are checked.

        Raises as `gradients` does.
        """
        deltas = tuple(deltas)
        wants = self._wants(wrt_params, wrt_data, (), deltas)._replace(values=frozenset(deltas))
        self.check_names(params, data)
        batch, _ = checks.check_arrays(self, params, data)
        # The complex step works in complex128, whatever the arrays are.
        arrays = len(wants.params) + len(wants.data) + len(deltas)
        plan = check_plan(self._plan(wants, batch, np.dtype(np.complex128), carriage), arrays, samples)
        checks.check_memory(self, plan, batch)
        params, data = as_dtype(params, np.float64), as_dtype(data, np.float64)
        work = self._work(wants, params, data, carriage, reduction)
        loss = work._replace(program=self._program(wanted_loss(self)), plan=plan)

        def compute(until: float) -> list[Checked]:
            result = work.gradients(until)
            if not result.finite:
                raise Refused([work.first_non_finite(until)])
            return check_gradients(loss, result, samples, until)

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
        carriage: Carriage = ARRAYS,
    ) -> Plan:
        """What a gradient request would take (without a loss, a forward request), computing nothing.

        Raises Refused for names that do not exist, and for nothing else: a plan over the limit is a plan.
        """
        if self.loss:
            wants = self._wants(wrt_params, wrt_data, values, deltas)
        else:
            wants = wanted_values(self, list(values) or list(self.nodes)[-1:])
        return self._plan(wants, batch, np.dtype(dtype), carriage)

    def _wants(
        self,
        wrt_params: bool | Iterable[str],
        wrt_data: bool | Iterable[str],
        values: Iterable[str],
        deltas: Iterable[str],
        trace: bool = False,
    ) -> Wanted:
        params = wrt_params if isinstance(wrt_params, bool) else tuple(wrt_params)
        data = wrt_data if isinstance(wrt_data, bool) else tuple(wrt_data)
        return self._wanted(params, data, tuple(values), tuple(deltas), trace)

    def _work(
        self, wants: Wanted, params: Arrays, data: Arrays, carriage: Carriage, reduction: str = "mean"
    ) -> Work:
        batch, dtype = checks.check_arrays(self, params, data)
        plan = self._plan(wants, batch, dtype, carriage)
        checks.check_memory(self, plan, batch)
        program = self._program(wants)
        return Work(self, program, params, data, batch, dtype, plan, self.threads, reduction, self.spent)
