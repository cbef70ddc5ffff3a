"""Flat programs: a program as straight-line Python, in which names, steps and sums are resolved.

A program that repeats is written as two functions once, one for each pass, and they are compiled. They
compute the same equations in the same order as `Pass` does, so every bit is the same. They leave out the
guard of the layer contract, which takes longer than a small layer: only layers that come with deltawire are
computed so. Runs of steps become one call each, where there are compiled kernels (runs.py). Where anything is
unusual, `NotFlat` or the layer's own error sends the pass back to the loop.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import count
from time import monotonic
from typing import Any, NamedTuple

from deltawire_layers import Array, DeadlineExceeded, sums
from deltawire_service.engine.execute.finite import is_finite
from deltawire_service.engine.execute.flat.left_gradients import Wanted, gradients_of
from deltawire_service.engine.execute.flat.runs import RecordedRun, Run, find_runs
from deltawire_service.engine.execute.threads import Later
from deltawire_service.engine.graph import Arrays, Graph
from deltawire_service.engine.plan.program import BackwardStep, Program

TRUSTED = "deltawire_layers."
"""The package of layers that are known to keep the contract: the conformance kit checks each in every way."""

FILE = "<a flat program>"
"""The file name of the code, in tracebacks."""

Tick = Callable[[float], None]
"""Called with the time before each step, and before each run."""

Looks = list[tuple[tuple[str, float], ...]]
"""The kinds that are computed between two looks at the clock, and their shares of the time."""


class NotFlat(Exception):
    """The loop has to compute the pass: it tells what is wrong, and where."""


LEAST_LATER = 2**21
"""Operations of a node's pass from which its gradients are left to another thread, which takes 20 µs."""


class Backward(NamedTuple):
    """The numbers of a backward pass, as `Pass` has them."""

    grads: dict[str, Array]
    deltas: dict[str, Array]
    finite: bool
    apart: Sequence[tuple[str, float]]
    """What was left to other threads: the kinds of layers, and the seconds that their gradients took."""


MOST_STEPS = 256
"""Steps of a pass, at most: to compile the code of so many takes about 16 MB for a moment."""

STEP_BYTES = 1300
"""Bytes that the code of a step takes, in both passes."""

LEFT_BYTES = 600
"""Bytes that it takes more where its gradients may be left to another thread."""

RUN_BYTES, JOINED_BYTES, PARAMETER_BYTES = 6000, 250, 550
"""Bytes that a run takes, each step in it, and each parameter of these."""


class FlatProgram(NamedTuple):
    """A program as two functions."""

    bytes: int
    """Bytes that the code and the runs take."""
    starts: frozenset[str]
    """The nodes that the backward pass starts from."""
    joined: bool
    """Whether runs are computed at once, so that nothing is saved of each node."""
    forward_looks: Looks
    backward_looks: Looks
    forward: Callable[[Arrays, Arrays, float, Tick], tuple[dict[str, Array], list[Any]]]
    """From the data, the parameters, the deadline and a clock to the results, and to what is saved."""
    backward: Callable[[Arrays, list[Any], float, Tick, Later | None], Backward]
    """From the cotangents, what was saved, the deadline, a clock and who computes what has time.

    It empties what was saved.
    """

    def __sizeof__(self) -> int:
        return self.bytes


def flatten(network: Graph, program: Program, rows: int | None = 0) -> FlatProgram | None:
    """Return a program as straight-line code; None where it has layers of others, is traced, or is long.

    Args:
        network: the network of the program.
        program: the steps to compute.
        rows: the examples of a batch, at most, whose runs are computed by one call; 0 for any number.
            None for code that saves what each node needs.
    """
    layers = [type(step.node.layer) for step in program.forward]
    trusted = all(layer.__module__.startswith(TRUSTED) for layer in layers)
    if program.targets.trace or len(layers) > MOST_STEPS or not trusted:
        return None
    starts = frozenset(network.loss)
    broadcast = {*network.learned, *(name for name, each in network.inputs.items() if each.shared)}
    writer = _Writer(program, [] if rows is None else list(find_runs(program, broadcast, rows)))
    backward = [*writer.backward(starts)]
    source = "\n".join([*writer.forward(), *backward])
    names: dict[str, Any] = {
        **writer.layers,
        **{f"r{start}": recorded for start, recorded in writer.runs.items()},
        **writer.wanted,
        "Backward": Backward, "DeadlineExceeded": DeadlineExceeded, "NotFlat": NotFlat,
        "is_finite": is_finite, "monotonic": monotonic, "sum_batch": sums.sum_batch,
        "gradients": gradients_of, "partial": partial,
    }  # fmt: skip
    exec(compile(source, FILE, "exec"), names)
    runs = [recorded.run for recorded in writer.runs.values()]
    joined, parameters = sum(len(run.nodes) for run in runs), sum(len(run.params) for run in runs)
    size = STEP_BYTES * (len(layers) - joined) + LEFT_BYTES * len(writer.wanted)
    size += RUN_BYTES * len(runs) + JOINED_BYTES * joined + PARAMETER_BYTES * parameters
    return FlatProgram(size, starts, bool(runs), *writer.looks, names["forward"], names["backward"])


class _Writer:
    """Writes the lines of both functions: those of the backward pass first, which tell what is saved.

    Args:
        program: the steps to compute.
        found: the runs among them.
    """

    def __init__(self, program: Program, found: Sequence[Run]):
        self.layers: dict[str, Any] = {}
        """The forward functions that the lines call, by their names there."""
        self.runs: dict[int, RecordedRun] = {}
        """The runs, by the place of their first step."""
        self.looks: tuple[Looks, Looks] = [], []
        """What is computed between looks at the clock, in either pass."""
        self.wanted: dict[str, Wanted] = {}
        """What `gradients_of` computes of each node, by its name in the lines."""
        self._program, self._found = program, found
        self._uses = Counter(name for step in program.backward for _, name, _ in step.grads)
        number = count()
        steps = program.forward
        sources = [source for step in steps for source in step.node.inputs]
        self._place = {
            name: next(number) for name in dict.fromkeys([*sources, *(step.node.name for step in steps)])
        }
        """The number of the value, and of the delta, of each node and input."""

    def forward(self) -> Iterator[str]:
        """Yield the lines of the forward pass."""
        program, place = self._program, self._place
        nodes = {step.node.name for step in program.forward}
        yield "def forward(data, given, deadline, tick):"
        yield "    saved = []"
        for name in place.keys() - nodes:
            yield f"    v{place[name]} = data[{name!r}]"
        parameters = dict.fromkeys(name for step in program.forward for name in step.node.parameters.values())
        number = {name: i for i, name in enumerate(parameters)}
        for name, i in number.items():
            yield f"    p{i} = given[{name!r}]"
        stop = 0
        for i, (node, saved, release) in enumerate(program.forward):
            if i < stop:
                continue
            yield from _clock()
            if i in self.runs:
                yield from self._forward_run(recorded := self.runs[i], number)
                stop = recorded.run.stop
                continue
            self.looks[0].append(((node.kind, 1),))
            self.layers[f"f{i}"] = node.layer.forward
            params = ", ".join(
                f"{local!r}: p{number[name]}" + (".T" if local in node.transposed else "")
                for local, name in node.parameters.items()
            )
            inputs = "".join(f", v{place[source]}" for source in node.inputs)
            call = f"f{i}({{{params}}}{inputs})"
            if saved:
                yield f"    a = {call}"
                yield "    saved.append(a)"
                yield f"    v{place[node.name]} = a[0]"
            else:
                yield f"    v{place[node.name]} = {call}[0]"
            if release:
                yield "    del " + ", ".join(f"v{place[name]}" for name in release)
        retained = ", ".join(f"{name!r}: v{place[name]}" for name in program.retained)
        yield f"    return {{{retained}}}, saved"

    def _forward_run(self, recorded: RecordedRun, number: Mapping[str, int]) -> Iterator[str]:
        """Yield the lines of a run. number: those of the parameters."""
        run, place = recorded.run, self._place
        steps = self._program.forward[run.start : run.stop]
        self.looks[0].append(run.shares)
        results = ", ".join(f"v{place[name]}" for name in run.results)
        given = [f"v{place[name]}" for name in run.sources] + [f"p{number[name]}" for name in run.params]
        yield f"    a, {results} = r{run.start}.forward({', '.join(given)})"
        if recorded.saved:
            yield "    saved.append(a)"
        for step in steps:
            for name in step.release:
                if name in run.sources:
                    yield f"    del v{place[name]}"

    def backward(self, starts: frozenset[str]) -> Iterator[str]:
        """Yield the lines of the backward pass. starts: the nodes that it starts from."""
        program, place = self._program, self._place
        shares = dict.fromkeys(place, 0)
        """How many shares of a delta the lines so far have added up."""
        gradients = set[str]()
        yield "def backward(cotangents, saved, deadline, tick, later):"
        yield "    grads, deltas, finite, left, apart = {}, {}, True, [], []"
        yield "    rows = max(map(len, cotangents.values()))"
        for name in program.retained:
            if name in starts:
                yield f"    d{place[name]} = cotangents[{name!r}]"
                shares[name] += 1
        runs = dict[str, Run]()
        for run in self._found:
            runs.update(dict.fromkeys(run.nodes, run))
            self.runs[run.start] = RecordedRun(run)
        done = set[str]()
        for step in program.backward:
            node = step.node
            if node.name in done:
                continue
            yield from _clock()
            if node.name in runs:
                done.update(runs[node.name].nodes)
                yield from self._backward_run(runs[node.name], shares)
                continue
            self.looks[1].append(((node.kind, 1),))
            delta = f"d{place[node.name]}"
            if not shares[node.name]:
                yield "    raise NotFlat"
                return
            if node.name in program.targets.deltas:
                yield f"    deltas[{node.name!r}] = {delta}"
            if step.grads or step.deltas:
                yield "    a = saved.pop()"
                yield f"    s = a[3]({delta})"
                yield from self._gradients(step, gradients)
                for position, source, _ in step.deltas:
                    yield f"    e = a[1][{position}]"
                    yield "    if e is None: raise NotFlat"
                    yield f"    {_add(f'd{place[source]}', shares[source])} e(s)"
                    shares[source] += 1
                yield "    del a, s"
            yield f"    del {delta}"
        self.looks[1].append(())  # what follows is counted by itself
        yield from _clock()
        yield "    for wait in left:"
        yield "        found = wait()"
        yield "        grads.update(found.grads)"
        yield "        finite = finite and found.finite"
        yield "        apart.append(found.apart)"
        for name in program.targets.data:
            if shares.get(name):
                yield f"    deltas[{name!r}] = d{place[name]}"
        for name in program.learned:
            if shares.get(name):
                yield f"    grads[{name!r}] = g = sum_batch(d{place[name]})"
                yield "    finite = finite and is_finite(g)"
        yield "    return Backward(grads, deltas, finite, apart)"

    def _gradients(self, step: BackwardStep, seen: set[str]) -> Iterator[str]:
        """Yield the lines of a node's gradients. seen: the parameters that have one already; gets these."""
        names, node = [name for _, name, _ in step.grads], step.node
        # After the last node nothing is left to do meanwhile. Gradients of shared parameters add up in order.
        leaves = names and step.deltas and node.work.each and all(self._uses[name] == 1 for name in names)
        if leaves:
            wanted = f"w{self._place[node.name]}"
            self.wanted[wanted] = [(local, name, local in node.transposed) for local, name, _ in step.grads]
            yield "    wait = None"
            yield f"    if later and rows * {node.work.each} >= {LEAST_LATER}:"
            yield f"        wait = later(partial(gradients, {node.kind!r}, {wanted}, a[2], s))"
            yield "    if wait: left.append(wait)"
            yield "    else:"
        indent = "    " if leaves else ""
        for local, name, _ in step.grads:
            turned = ".swapaxes(-1, -2)" if local in node.transposed else ""
            gradient = f"a[2][{local!r}](s){turned}"
            before = f"grads[{name!r}] + " if name in seen else ""
            yield f"{indent}    grads[{name!r}] = g = {before}{gradient}"
            yield f"{indent}    finite = finite and is_finite(g)"
            seen.add(name)

    def _backward_run(self, run: Run, shares: dict[str, int]) -> Iterator[str]:
        """Yield the lines of a run. shares: of each delta until now; gets those of the run."""
        program, place = self._program, self._place
        steps = [step for step in program.backward if step.node.name in run.nodes]
        arriving = [name for name, count in shares.items() if count]
        self.runs[run.start] = recorded = RecordedRun(run, steps, arriving, program.targets.deltas)
        self.looks[1].append(run.shares)
        arrived = ", ".join(f"d{place[name]}" for name in recorded.arriving)
        found = [f"d{place[name]}" for name in recorded.leaving]
        found += [f"deltas[{name!r}]" for name in recorded.asked]
        found += [f"grads[{name!r}]" for name in recorded.grads]
        yield f"    e, f = r{run.start}.backward(saved.pop(), {arrived})"
        yield f"    del {arrived}"
        yield "    finite = finite and f"
        yield f"    [{', '.join(found)}] = e"
        yield "    del e"
        for step in steps:
            for _, source, _ in step.deltas:
                shares[source] += 1


def _clock() -> Iterator[str]:
    yield "    now = monotonic()"
    yield "    tick(now)"
    yield "    if now > deadline: raise DeadlineExceeded"


def _add(name: str, shares: int) -> str:
    """Return the beginning of a line that adds a share to a delta.

    Layers may return their arguments, so only sums made here are added to in place.

    Args:
        name: the variable.
        shares: how many shares it has.
    """
    return f"{name} =" if not shares else f"{name} = {name} +" if shares == 1 else f"{name} +="
