"""Runs of gates: steps that follow each other, number by number, and are computed by one call of a kernel.

The kernel computes what the layers would, share by share in the same order, so every bit is the same.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from deltawire_layers import Array, gates, kernels
from deltawire_service.engine.graph import Node
from deltawire_service.engine.plan.program import BackwardStep, Program

LEAST_GATES = 2
"""Gates of a run, at least."""


Saved = tuple[tuple[Array, ...], Array]
"""What the backward pass of a run needs: arrays, and a memory of values that are no arrays."""


class Run(NamedTuple):
    """Gates that follow each other in a program."""

    start: int
    """The first of the steps of the forward pass."""
    stop: int
    nodes: Mapping[str, Node]
    sources: tuple[str, ...]
    """The inputs and nodes from outside, whose values the gates take."""
    kept: frozenset[str]
    """The sources that something outside the run keeps for the backward pass."""
    results: tuple[str, ...]
    """The nodes whose values are needed outside, too."""


def find_runs(program: Program, broadcast: Collection[str] = ()) -> Iterator[Run]:
    """Yield the runs of a program, each as long as it can be; none where there are no kernels.

    Args:
        program: the program.
        broadcast: inputs that have one row for all examples. No gate of a run takes them: a tape would copy
            the row for each example, which the plan does not count.
    """
    steps, start = program.forward, 0
    while kernels.compiled is not None and start < len(steps):
        stop, shape = start, steps[start].node.shape
        while stop < len(steps) and _is_gate(steps[stop].node, shape, broadcast):
            stop += 1
        if stop - start >= LEAST_GATES:
            yield _make_run(program, start, stop)
        start = max(stop, start + 1)


def _is_gate(node: Node, shape: tuple[int, ...], broadcast: Collection[str]) -> bool:
    alike = {node.shape, *node.input_shapes} == {shape}
    return type(node.layer) in gates.GATES and alike and not any(each in broadcast for each in node.inputs)


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
    )


class _Recording(NamedTuple):
    """The operations of a run, and the values that its names have there."""

    forward: list[gates.Operation]
    backward: list[gates.Operation]
    values: dict[str, int]
    starting: dict[str, int]
    """The deltas that arrive."""
    deltas: dict[str, int]
    """Those that leave the run."""
    found: dict[str, int]
    """Those that are asked for."""


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
    equations = dict[str, list[gates.Delta]]()
    for name, node in run.nodes.items():
        record = gates.function if name in rereading else gates.GATES[type(node.layer)]
        inputs = [values[source] for source in node.inputs]
        values[name], equations[name] = record(recorder, node.layer, *inputs)
    forward = recorder.start()
    touched = dict.fromkeys(source for step in steps for _, source, _ in step.deltas)
    touched.update(dict.fromkeys(run.nodes))
    starting = {name: recorder.new() for name in touched if name in arriving}
    deltas, found = dict(starting), dict[str, int]()
    for step in steps:
        name = step.node.name
        delta = deltas.pop(name)
        if name in asked:
            found[name] = delta
        for position, source, _ in step.deltas:
            share = equations[name][position](delta)
            deltas[source] = recorder.record("add", deltas[source], share) if source in deltas else share
    return _Recording(forward, recorder.start(), values, starting, deltas, found)


class RecordedRun:
    """A run whose passes are tapes.

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
    """

    def __init__(
        self,
        run: Run,
        steps: Sequence[BackwardStep] = (),
        arriving: Collection[str] = (),
        asked: Collection[str] = (),
    ):
        recording = _record(run, steps, arriving, asked)
        values, kept = recording.values, run.kept | _names_read(recording)
        # What these take is kept anyway: to keep their power beside it would take memory that no plan counts.
        rereading = {
            name
            for name, node in run.nodes.items()
            if type(node.layer) in gates.KEEPING and node.inputs[0] in kept
        }
        if rereading:
            recording = _record(run, steps, arriving, asked, rereading)
            values = recording.values
        forward, backward, _, starting, deltas, found = recording

        self.run, self.saved = run, bool(steps)
        self.arriving, self.leaving, self.asked = (*starting,), (*deltas,), (*found,)
        read = {value for each in backward for value in (each.a, each.b)}
        sources, results = [values[name] for name in run.sources], [values[name] for name in run.results]
        arrays = [*dict.fromkeys((*sources, *results))]
        memory = [each.to for each in forward if each.to in read and each.to not in arrays]
        self._kept = [place for place, value in enumerate(arrays) if value in read]
        self._forward = _assemble(forward, sources, results, memory)
        held, wanted = [arrays[place] for place in self._kept], [*deltas.values(), *found.values()]
        self._backward = _assemble(backward, [*held, *starting.values()], wanted, memory)

    def forward(self, *values: Array) -> tuple[Any, ...]:
        """Compute the gates; return what is saved of them, and then their results.

        values: those of the sources.
        """
        tape, places = self._forward
        memory = np.empty(tape.slots * values[0].size, values[0].dtype)
        arrays = values + tape.compute(values, memory)
        saved = tuple([arrays[place] for place in self._kept]), memory
        return (saved, *[arrays[place] for place in places])

    def backward(self, saved: Saved, *deltas: Array) -> list[Array]:
        """Send deltas through the gates; return those that leave the run, and then those asked for.

        Args:
            saved: what `forward` has saved.
            *deltas: those that have arrived.
        """
        tape, places = self._backward
        arrays, memory = saved
        given = arrays + deltas
        arrays = given + tape.compute(given, memory)
        return [arrays[place] for place in places]


def _names_read(recording: _Recording) -> frozenset[str]:
    """Return the names whose values the backward pass reads."""
    read = {value for each in recording.backward for value in (each.a, each.b)}
    return frozenset(name for name, value in recording.values.items() if value in read)


class _Assembled(NamedTuple):
    """A tape, and the places of what is wanted among the arrays that it is given, and that it makes."""

    tape: gates.Tape
    places: list[int]


def _assemble(
    operations: Sequence[gates.Operation],
    given: Sequence[int],
    wanted: Sequence[int],
    memory: Sequence[int] = (),
) -> _Assembled:
    made = [value for value in dict.fromkeys(wanted) if value not in given]
    arrays = [*given, *made]
    return _Assembled(
        gates.make_tape(operations, given, made, memory), [arrays.index(value) for value in wanted]
    )
