"""Runs: steps that follow each other, and are computed by one call of a kernel in each pass.

Gates of one shape form a tape, for any number of examples. For small batches, linear layers and gates of any
shapes form a routine. The kernels compute what the layers would, share by share in the same order, so every
bit is the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import partial
from math import prod
from typing import Any, NamedTuple

from deltawire_layers import NUMBER, Array, Shape, gates, kernels, sharing
from deltawire_service.engine.graph import Node
from deltawire_service.engine.plan.program import BackwardStep, Program

LEAST_GATES = 2
"""Gates of a run, at least; a single layer with a matrix is one, too."""

MOST_WORK = 2**27
"""Operations of a pass over a routine, at most: about 10 ms, for nothing looks at the deadline meanwhile."""

MOST_NUMBERS = 2 * sharing.NUMBERS
"""Numbers of an array in a routine, at most: larger ones fill caches."""

Saved = tuple[tuple[Array, ...], Array]
"""What the backward pass of a run needs: arrays, and a memory of values that are no arrays."""


class Run(NamedTuple):
    """Steps that follow each other in a program."""

    start: int
    """The first of the steps of the forward pass."""
    stop: int
    nodes: Mapping[str, Node]
    sources: tuple[str, ...]
    """The inputs and nodes from outside, whose values the run takes."""
    kept: frozenset[str]
    """The sources that something outside the run keeps for the backward pass."""
    results: tuple[str, ...]
    """The nodes whose values are needed outside, too."""
    params: tuple[str, ...]
    """The parameters that the run takes."""

    @property
    def shares(self) -> tuple[tuple[str, float], ...]:
        """The kind of each node, and its share of the run's time: estimated, as the run is one call."""
        works = [_work(node) for node in self.nodes.values()]
        return tuple(
            (node.kind, work / sum(works)) for node, work in zip(self.nodes.values(), works, strict=True)
        )

    @property
    def is_tape(self) -> bool:
        """Tell whether the run consists of gates of one shape alone."""
        return not self.params and len({node.shape for node in self.nodes.values()}) == 1


def _work(node: Node) -> int:
    """Return how many operations a node takes for each example in a run, where no gate calls numpy."""
    numbers = NUMBER * (prod(node.shape) + sum(map(prod, node.input_shapes)))
    return numbers + (node.work.each if node.parameters else 0)


def most_rows(program: Program) -> int:
    """Return for how many examples some layer of a program may be part of a routine; 0 if none may."""
    shared = _shared(program)
    return max((_most_rows(step.node, shared) for step in program.forward), default=0)


def find_runs(program: Program, broadcast: Collection[str] = (), rows: int = 0) -> Iterator[Run]:
    """Yield the runs of a program, each as long as it can be; none where there are no kernels.

    Args:
        program: the program.
        broadcast: inputs that have one row for all examples. No step of a run takes them: a kernel would copy
            the row for each example, which the plan does not count.
        rows: the examples of a batch, at most; 0 for any number, of which only gates are joined.
    """
    steps, start, shared = program.forward, 0, _shared(program)

    def is_matrix(node: Node) -> bool:
        return 0 < rows <= _most_rows(node, shared) and node.inputs[0] not in broadcast

    while kernels.compiled is not None and start < len(steps):
        stop, shape, work, joined = start, steps[start].node.shape, 0, True
        while stop < len(steps) and joined:
            node = steps[stop].node
            work += rows * _work(node)
            of_any_shape = work <= MOST_WORK and 0 < rows * prod(node.shape) <= MOST_NUMBERS
            joined = _is_gate(node, node.shape if of_any_shape else shape, broadcast)
            joined = joined or (is_matrix(node) and of_any_shape)
            stop += joined
        run = _make_run(program, start, stop)
        if run.params or len(run.nodes) >= LEAST_GATES:
            yield run
        start = max(stop, start + 1)


def _is_gate(node: Node, shape: Shape, broadcast: Collection[str]) -> bool:
    alike = {node.shape, *node.input_shapes} == {shape}
    return type(node.layer) in gates.GATES and alike and not any(each in broadcast for each in node.inputs)


def _most_rows(node: Node, shared: Collection[str]) -> int:
    """Return for how many examples a node with a matrix may be part of a routine; 0 for any other."""
    if node.transposed or any(name in shared for name in node.parameters.values()):
        return 0
    return gates.most_rows(node.layer, node.input_shapes, node.shape)


def _shared(program: Program) -> set[str]:
    """Return the parameters of several nodes, whose gradients add up."""
    uses = Counter(name for step in program.forward for name in step.node.parameters.values())
    return {name for name, count in uses.items() if count > 1}


def _make_run(program: Program, start: int, stop: int) -> Run:
    steps = program.forward
    inside = {step.node.name: step.node for step in steps[start:stop]}
    elsewhere = {source for step in (*steps[:start], *steps[stop:]) for source in step.node.inputs}
    taken = {source for step in steps[stop:] for source in step.node.inputs}
    nodes = {step.node.name for step in steps}
    sources = dict.fromkeys(each for node in inside.values() for each in node.inputs if each not in inside)
    return Run(
        start,
        stop,
        inside,
        tuple(sources),
        frozenset(name for name in sources if name in elsewhere or name not in nodes),
        tuple(name for name in inside if name in taken or name in program.retained),
        tuple(name for node in inside.values() for name in node.parameters.values()),
    )


class _Recording(NamedTuple):
    """The operations of a run, and the values that its names have there."""

    forward: list[gates.Operation]
    backward: list[gates.Operation]
    values: dict[str, int]
    params: dict[str, int]
    starting: dict[str, int]
    """The deltas that arrive."""
    deltas: dict[str, int]
    """Those that leave the run."""
    found: dict[str, int]
    """Those that are asked for."""
    grads: dict[str, int]


def _record(
    run: Run,
    steps: Sequence[BackwardStep],
    arriving: Collection[str],
    asked: Collection[str],
    rereading: Collection[str] = (),
) -> _Recording:
    """Record both passes of a run; for the arguments, see `RecordedRun`.

    rereading: the nodes that are recorded with what they take, because something else keeps it.
    """
    recorder = gates.Recorder()
    values = {source: recorder.new() for source in run.sources}
    params = {name: recorder.new() for name in run.params}
    equations = dict[str, gates.Recorded]()
    for name, node in run.nodes.items():
        record = gates.function if name in rereading else gates.EQUATIONS[type(node.layer)]
        own = {local: params[name] for local, name in node.parameters.items()}
        equations[name] = record(recorder, node.layer, *[values[source] for source in node.inputs], **own)
        values[name] = equations[name].value
    forward = recorder.start()
    touched = dict.fromkeys(source for step in steps for _, source, _ in step.deltas)
    touched.update(dict.fromkeys(run.nodes))
    starting = {name: recorder.new() for name in touched if name in arriving}
    deltas, found, grads = dict(starting), dict[str, int](), dict[str, int]()
    for step in steps:
        name = step.node.name
        delta = deltas.pop(name)
        if name in asked:
            found[name] = delta
        for local, parameter, _ in step.grads:
            grads[parameter] = equations[name].grads[local](delta)
        for position, source, _ in step.deltas:
            share = equations[name].deltas[position](delta)
            deltas[source] = recorder.record("add", deltas[source], share) if source in deltas else share
    return _Recording(forward, recorder.start(), values, params, starting, deltas, found, grads)


class RecordedRun:
    """A run whose passes are tapes, or routines.

    Args:
        run: the run.
        steps: its steps of the backward pass, in their order; () without one.
        arriving: the nodes and sources that have a share of their delta before these steps.
        asked: the nodes whose deltas are results.

    Attributes:
        run: the run.
        saved: whether there is a backward pass, for which something is saved.
        arriving: the names whose deltas the backward pass takes, in its order.
        leaving: the sources whose deltas it returns first.
        asked: the nodes whose deltas it returns behind them.
        grads: the parameters whose gradients it returns last.
    """

    def __init__(
        self,
        run: Run,
        steps: Sequence[BackwardStep] = (),
        arriving: Collection[str] = (),
        asked: Collection[str] = (),
    ):
        recording = _record(run, steps, arriving, asked)
        kept = run.kept | _names_read(recording)
        # What these take is kept anyway: to keep their power beside it would take memory that no plan counts.
        rereading = {
            name
            for name, node in run.nodes.items()
            if type(node.layer) in gates.KEEPING and node.inputs[0] in kept
        }
        if rereading:
            recording = _record(run, steps, arriving, asked, rereading)
        self.run, self.saved = run, bool(steps)
        self.arriving, self.leaving = (*recording.starting,), (*recording.deltas,)
        self.asked, self.grads = (*recording.found,), (*recording.grads,)
        self._assemble(recording)

    def _assemble(self, recording: _Recording) -> None:
        """Make what computes the passes."""
        forward, backward, values, params, starting, deltas, found, grads = recording
        run, read = self.run, {value for each in backward for value in (each.a, each.b)}
        sizes = None if run.is_tape else _sizes(recording, run)
        sources, results = [values[name] for name in run.sources], [values[name] for name in run.results]
        given = [*sources, *params.values()]
        arrays = [*dict.fromkeys((*given, *results))]
        memory = [each.to for each in forward if each.to in read and each.to not in arrays]
        self._kept = [place for place, value in enumerate(arrays) if value in read]
        self._forward = _assemble(forward, given, results, memory, sizes)
        held = [arrays[place] for place in self._kept]
        wanted = [*deltas.values(), *found.values(), *grads.values()]
        self._backward = _assemble(backward, [*held, *starting.values()], wanted, memory, sizes)

    def forward(self, *arrays: Array) -> tuple[Any, ...]:
        """Compute the run; return what is saved of it, and then its results.

        arrays: the values of the sources, and then the parameters.
        """
        computed, places = self._forward
        memory = computed.empty_memory(arrays[0])
        made, _ = computed.compute(arrays, memory)
        held = arrays + made
        saved = tuple([held[place] for place in self._kept]), memory
        return (saved, *[held[place] for place in places])

    def backward(self, saved: Saved, *deltas: Array) -> tuple[list[Array], bool]:
        """Send deltas through the run.

        Args:
            saved: what `forward` has saved.
            *deltas: those that have arrived.

        Returns:
            The deltas that leave the run, those asked for, and gradients; and whether these are finite.
        """
        computed, places = self._backward
        held, memory = saved
        given = held + deltas
        made, finite = computed.compute(given, memory)
        held = given + made
        return [held[place] for place in places], finite


def _names_read(recording: _Recording) -> frozenset[str]:
    """Return the names whose values the backward pass reads."""
    read = {value for each in recording.backward for value in (each.a, each.b)}
    return frozenset(name for name, value in recording.values.items() if value in read)


def _sizes(recording: _Recording, run: Run) -> dict[int, gates.Size]:
    """Return the sizes of all values of a run."""
    shapes, params = dict[str, Shape](), dict[str, Shape]()
    for node in run.nodes.values():
        shapes |= dict(zip(node.inputs, node.input_shapes, strict=True)) | {node.name: node.shape}
        declared = node.layer.parameters(*node.input_shapes)
        params |= {name: declared[local].shape for local, name in node.parameters.items()}
    given = {recording.values[name]: gates.Size(shapes[name]) for name in run.sources}
    given |= {value: gates.Size(shapes[name]) for name, value in recording.starting.items()}
    given |= {value: gates.Size(params[name], of_example=False) for name, value in recording.params.items()}
    return gates.value_sizes((*recording.forward, *recording.backward), given)


class _Assembled(NamedTuple):
    """What computes a pass, and the places of what is wanted among the arrays it is given, and it makes."""

    computed: gates.Tape | gates.Routine
    places: list[int]


def _assemble(
    operations: Sequence[gates.Operation],
    given: Sequence[int],
    wanted: Sequence[int],
    memory: Sequence[int] = (),
    sizes: Mapping[int, gates.Size] | None = None,
) -> _Assembled:
    """Make what computes a pass.

    Args:
        operations: the operations.
        given: the values that arrays have, in their order.
        wanted: the values that are returned.
        memory: the values in the memory.
        sizes: those of all values, for a routine; None for a tape.
    """
    made = [value for value in dict.fromkeys(wanted) if value not in given]
    arrays = [*given, *made]
    make = gates.make_tape if sizes is None else partial(gates.make_routine, sizes)
    return _Assembled(make(operations, given, made, memory), [arrays.index(value) for value in wanted])
