"""A network prepared for requests: what every derivative starts from."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import Any, NamedTuple, Self, TypeVar
from weakref import ref

import numpy as np

from deltawire.errors import Fault, Refused
from deltawire_service.engine.caches import Caches
from deltawire_service.engine.execute.batch_run import Batch, BatchRun, no_program
from deltawire_service.engine.execute.finite import call_quietly
from deltawire_service.engine.execute.flat.counted import FLAT_AFTER, CountedProgram, Flattened
from deltawire_service.engine.execute.flat.program import FlatProgram, flatten
from deltawire_service.engine.execute.kept_passes import KeptPasses
from deltawire_service.engine.execute.objective import Objective, Starts
from deltawire_service.engine.execute.threads import Threads
from deltawire_service.engine.graph import Arrays, Graph, Regularization
from deltawire_service.engine.plan import input_checks
from deltawire_service.engine.plan.body_cost import NO_BODY_COST, BodyCost
from deltawire_service.engine.plan.memory_plan import Plan, make_plan
from deltawire_service.engine.plan.program import Program, make_program
from deltawire_service.engine.plan.targets import Targets, Wrt, gradient_targets, value_targets
from deltawire_service.engine.runner import OnComputeSeconds, Runner, ignore_seconds, run_now

T = TypeVar("T")


class Options(NamedTuple):
    """The options that all derivatives share."""

    reduction: str = "mean"
    """`mean` (divided by the number of examples) or `sum`."""
    non_finite: str = "error"
    """`error`, or `return` to return numbers that are not finite."""
    body_cost: BodyCost = NO_BODY_COST
    """The cost of reading the request's body and of writing its answer, for the plan."""


@dataclass(slots=True)
class Asked:
    """Questions that a network was asked until now."""

    loss: bool = False
    """Its loss without gradients."""
    product: bool = False
    """A product with one of its derivatives, or a gradient."""


@dataclass(frozen=True, eq=False)
class Prepared(Graph):
    """A network with its targets, programs and plans, and with the way its computations are run.

    Immutable, and shared between threads.
    """

    noise_seed: int | None = None
    """Where the noise starts from; None: noise inputs have their means."""
    threads: Threads = field(default_factory=Threads)
    """The threads that compute."""
    runner: Runner = run_now
    """Starts computations, and bounds their time."""
    on_compute_seconds: OnComputeSeconds = ignore_seconds
    """Called with the seconds that the layers of each kind took."""
    caches: Caches = field(default_factory=Caches)
    """Keeps targets, programs and plans: requests repeat."""
    flat_after: float = FLAT_AFTER
    """How often a program is computed step by step until it is flattened; inf for always."""
    kept_passes: KeptPasses | None = None
    """Keeps forward passes for products of the same numbers; None to keep none."""

    @property
    def parts(self) -> list[Any]:
        """The objects of this network, to which everything that is derived from it refers."""
        return [self, *vars(self).values(), *self.nodes.values()]

    def targets(
        self, wrt: Wrt, values: Iterable[str] = (), deltas: Iterable[str] = (), trace: bool = False
    ) -> Targets:
        """Return the targets of a request for gradients.

        Args:
            wrt: the parameters and inputs to differentiate with respect to.
            values: nodes whose values are asked for.
            deltas: nodes whose deltas are asked for.
            trace: whether every array of both passes is asked for.

        Raises:
            Refused: a name is unknown or not differentiable, or the network has no loss.
        """
        params = wrt.params if isinstance(wrt.params, bool) else tuple(wrt.params)
        data = wrt.data if isinstance(wrt.data, bool) else tuple(wrt.data)
        return self._gradient_targets(params, data, tuple(values), tuple(deltas), trace)

    def program(self, targets: Targets) -> Program:
        """Return the program of targets."""
        return self._counted_program(targets).program

    @cached_property
    def _counted_program(self) -> Callable[[Targets], CountedProgram]:
        def counted(network: Prepared, targets: Targets) -> CountedProgram:
            return CountedProgram.start(make_program(network, targets))

        return self._cached(counted)

    @cached_property
    def _flattened(self) -> Callable[[Targets, int | None], Flattened]:
        def flattened(network: Prepared, targets: Targets, rows: int | None) -> Flattened:
            return Flattened(flatten(network, network.program(targets), rows))

        return self._cached(flattened)

    @cached_property
    def asked(self) -> Callable[[], Asked]:
        """Return what was asked of this network until now, to be added to."""
        return self._cached(lambda network: Asked())

    @cached_property
    def memory_plan(self) -> Callable[[Targets, int, np.dtype[Any], BodyCost], Plan]:
        """Return the plan of targets for a number of examples, a dtype and a body cost."""
        return self._cached(type(self)._make_plan)

    def with_outputs(self, outputs: tuple[str, ...]) -> Self:
        """Return this network with nodes of any shape in its loss's place, for deltas to start from."""
        return self._outputs(outputs).with_noise(self.noise_seed)

    def with_noise(self, seed: int | None) -> Self:
        """Return this network with noise that starts from a seed; None: noise inputs have their means."""
        if seed == self.noise_seed or not self.noise:
            return self
        noisy = replace(self, noise_seed=seed)
        # Every step of a training may have a seed of its own: what is cached serves all of them.
        cached = (
            *("memory_plan", "asked", "_outputs", "_gradient_targets", "_counted_program", "_flattened"),
        )
        vars(noisy).update({name: getattr(self, name) for name in cached}, _cached_for=self)
        return noisy

    def without_regularization(self) -> Self:
        """Return the same network, its loss without the regularization."""
        return replace(self, regularization=Regularization())

    def without_bounds(self) -> Self:
        """Return the same network, which takes numbers beyond the bounds that its layers declare."""
        inputs = {name: replace(input_spec, bounds=None) for name, input_spec in self.inputs.items()}
        return replace(self, inputs=inputs)

    def check_names(self, params: Arrays, data: Arrays, values: Iterable[str] | None = None) -> None:
        """Check that parameters and inputs are named, all of them and no others.

        Args:
            params: parameters by name; only the names matter.
            data: inputs by name, likewise.
            values: nodes, where only what leads to these is needed.

        Raises:
            Refused: a name is unknown or missing.
        """
        nodes = None if values is None else frozenset(values)
        input_checks.check_names(self, params.keys(), data.keys(), nodes)

    def check_arrays(self, params: Arrays, data: Arrays) -> int:
        """Check that every array has its shape and dtype, and return the number of examples.

        Raises Refused where one has not.
        """
        return input_checks.check_arrays(self, params, data)[0]

    def check_values(self, values: Iterable[str]) -> None:
        """Raise Refused unless these are nodes, and at least one."""
        value_targets(self, values)

    def check_batch(self, params: Arrays, data: Arrays, values: frozenset[str] | None = None) -> Batch:
        """Check the arrays of a request.

        Args:
            params: arrays by parameter.
            data: arrays by input, (batch, *shape), or (*shape) when shared.
            values: nodes, where only what leads to these is needed.

        Raises:
            Refused: a name, a shape, a dtype, a label or a batch size is wrong.
        """
        input_checks.check_names(self, params.keys(), data.keys(), values)
        return Batch(params, data, *input_checks.check_arrays(self, params, data), self.noise_seed)

    def objective(self, batch: int, reduction: str) -> Objective:
        """Return the reduced loss of so many examples; reduction: `mean` or `sum`."""
        return Objective(self, batch if reduction == "mean" else 1)

    def batch_run(self, batch: Batch, targets: Targets, plan: Plan, *starts: Starts) -> BatchRun:
        """Return the run of a checked request.

        Args:
            batch: its arrays.
            targets: what is computed.
            plan: its plan.
            *starts: the deltas that backprop begins with, once for each backward pass.

        Raises:
            Refused: the plan exceeds the limit of memory, or of operations.
        """
        input_checks.check_plan(self, plan, batch.size)
        counted = self._counted_program(targets)
        flat, by_node = None, no_program
        if next(counted.runs) >= self.flat_after:
            flat = self._flattened(targets, counted.rows(plan.rows_at_once)).program
            by_node = partial(self._by_node, targets)
        report = self.on_compute_seconds
        return BatchRun(
            self, counted.program, batch, plan, starts, self.threads, report, flat=flat, by_node=by_node
        )

    def _by_node(self, targets: Targets) -> FlatProgram | None:
        """Return the flat program that saves what each node needs."""
        return self._flattened(targets, None).program

    def kept_run(self, run: BatchRun) -> BatchRun:
        """Return a run that keeps its forward pass, or continues one that is kept, where that may be."""
        passes = self.kept_passes
        owner = passes.owner(run.plan) if passes else None
        return run if passes is None or owner is None else run.keeping(passes, owner)

    def value_run(self, batch: Batch, targets: Targets, plan: Plan) -> BatchRun:
        """Return the run of a checked request for values.

        Where products of this network were asked for before, it keeps what they need.

        Args:
            batch: its arrays.
            targets: the values.
            plan: its plan, which counts as much as a product saves.

        Raises:
            Refused: as for `batch_run`.
        """
        run = self.batch_run(batch, targets, plan)
        return self._saving_run(run, self.with_outputs(run.program.values))

    def loss_run(self, batch: Batch, targets: Targets, plan: Plan, starts: Starts) -> BatchRun:
        """Return the run of a checked request for the loss, with gradients or without.

        Gradients keep their pass only where the loss alone was asked for before: a training asks for no
        number twice.

        Args:
            batch: its arrays.
            targets: what is computed.
            plan: its plan.
            starts: the deltas that backprop begins with.

        Raises:
            Refused: as for `batch_run`.
        """
        run = self.batch_run(batch, targets, plan, starts)
        if targets.trace or not self.kept_passes:
            return run
        asked = self.asked()
        if run.program.backward:
            asked.product = True
            return self.kept_run(run) if asked.loss else run
        asked.loss = True
        return self._saving_run(run, self)

    def _saving_run(self, run: BatchRun, outputs: Prepared) -> BatchRun:
        """Return a run of values that saves what products need, where these were asked for before.

        Args:
            run: the run that saves nothing.
            outputs: the network from whose loss the products would start.
        """
        kept = self.kept_run(run) if self.asked().product else run
        if not kept.kept:
            return run
        saving = outputs.targets(Wrt(data=True), run.program.values)
        other = outputs.batch_run(run.batch, saving, run.plan).keeping(kept.kept, kept.owner)
        return other.without_gradients()

    def compute(
        self,
        plan: Plan,
        work: Callable[[], tuple[T, bool]],
        non_finite: str,
        find: Callable[[], Fault],
    ) -> T:
        """Run the work of a request, and refuse a result that is not finite.

        Args:
            plan: memory and cost of the work.
            work: returns the result, and whether every number of it is finite.
            non_finite: `error` to refuse, `return` to return such a result as it is.
            find: returns the fault that names the first number that is not finite.

        Raises:
            Refused: the result is not finite.
            DeadlineExceeded: the deadline that the runner sets has passed.
        """

        def checked() -> T:
            result, finite = call_quietly(work)
            if not finite and non_finite == "error":
                raise Refused([find()])
            return result

        return self.runner(checked, plan)

    @cached_property
    def _outputs(self) -> Callable[[tuple[str, ...]], Self]:
        return self._cached(type(self)._with_outputs)

    @cached_property
    def _gradient_targets(self) -> Callable[..., Targets]:
        return self._cached(gradient_targets)

    def _make_plan(self, targets: Targets, batch: int, dtype: np.dtype[Any], body_cost: BodyCost) -> Plan:
        return make_plan(self, self.program(targets), batch, dtype.itemsize, body_cost, self.threads.count)

    def _with_outputs(self, outputs: tuple[str, ...]) -> Self:
        return replace(self, loss=dict.fromkeys(outputs, 1.0), regularization=Regularization())

    def _cached(self, function: Callable[..., T]) -> Callable[..., T]:
        """Return a function of this network, its results cached.

        The cache holds no reference to the network: one that is no longer used is freed at once.
        """
        network: Callable[[], Any] = ref(self)
        return self.caches.cached(
            lambda *arguments: function(network(), *arguments), beside=lambda *_: network().parts
        )
