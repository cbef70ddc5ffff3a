"""What a request takes, known from shapes alone: memory at the peak, rows at once, cost."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate
from math import prod
from operator import mul
from typing import NamedTuple

from deltawire_layers import Shape
from deltawire_service.engine.graph import Graph
from deltawire_service.engine.plan.program import Program
from deltawire_service.engine.plan.targets import Targets

# How a batch is cut is part of the numbers it gives (sums end where chunks do): so these are no settings.

CHUNK_BYTES = 16 * 2**20
"""The work of one chunk of rows is about this large: near the caches, and the memory of any batch bounded."""

CHUNK_ROWS, MOST_CHUNK_BYTES = 512, 128 * 2**20
"""But a chunk has this many rows if they are not larger than that: for fewer, matrix products are slower."""


class BodyCost(NamedTuple):
    """What it takes, beside the arrays, to bring the numbers in and to bring them out, in bytes."""

    read_number: int = 0
    read_list: int = 0
    """For each list of numbers, or of lists, that an array comes in."""
    written_number: int = 0
    with_parameters: bool = True
    """Whether the parameters come in too, or lie here already."""


NO_BODY_COST = BodyCost()
"""They come and go as they are."""


@dataclass(frozen=True)
class Plan:
    """What a request would take."""

    given_bytes: int
    """Parameters and data."""
    answered_bytes: int
    """Gradients (while they are summed over chunks, those of each thread too), values, deltas and losses."""
    read_bytes: int
    """The body, while the numbers given are read from it."""
    work_bytes: int
    """Values, what equations hold, and deltas of the rows computed at once."""
    written_bytes: int
    """The answer's body, while the numbers answered are written into it."""
    rows_at_once: int
    chunks: int
    passes: int
    """1 for the values, 1 more when deltas are sent down, 1 more when parameters have gradients."""
    threads: int
    """Chunks computed at the same time."""
    cost_bytes: int
    """Bytes touched, over all passes and chunks: what one request costs beside another."""

    @property
    def peak_bytes(self) -> int:
        """The most memory the request holds at once: it reads, then computes, then writes."""
        return self.given_bytes + max(
            self.read_bytes, self.answered_bytes + max(self.work_bytes, self.written_bytes)
        )


def row_numbers(network: Graph) -> int:
    """Numbers that one example takes at the peak: all values, what the equations hold, deltas on their way.

    Values stay until the deltas have come to them; deltas are gone as soon as they are passed down.
    """
    values = sum(prod(node.shape) + node.saved for node in network.nodes.values())
    return values + delta_numbers(network)


def delta_numbers(network: Graph) -> int:
    """Numbers of one example's deltas at the moment when most of them are on their way."""
    arrived: set[str] = set()
    now = most = 0
    for node in reversed(list(network.nodes.values())):
        own = prod(node.shape)
        if node.name not in arrived:  # the loss, or nothing: counted all the same
            now += own
        for name, shape in zip(node.inputs, node.input_shapes, strict=True):
            sent = prod(shape)
            # Where another consumer's share has arrived, their sum is a third array for a moment.
            most = max(most, now + sent * (2 if name in arrived else 1))
            now += 0 if name in arrived else sent
            arrived.add(name)
        now -= own
    return most


def parameter_numbers(network: Graph, names: Iterable[str] | None = None) -> int:
    """Numbers in all parameters, or in the named ones."""
    chosen = network.parameters if names is None else names
    return sum(prod(network.parameters[name].shape) for name in chosen)


def count_chunks(network: Graph, batch: int, itemsize: int) -> int:
    """How many chunks a batch is cut into: as few as memory allows, and an even number for two threads.

    Depends on network, batch and dtype only, never on threads or load: same request, same bits.
    """
    row = max(1, row_numbers(network) * itemsize)
    # Every chunk adds gradients as large as the parameters: these should not outweigh its work.
    parameters = parameter_numbers(network) * itemsize
    most = max(CHUNK_BYTES, min(MOST_CHUNK_BYTES, CHUNK_ROWS * row), parameters // 2) // row
    chunks = -(-batch // max(1, most))
    return chunks + chunks % 2 if chunks > 1 else 1


def make_drawing_plan(network: Graph) -> Plan:
    """The plan of drawing a network's parameters: each is drawn in float64, then has the dtype wanted."""
    drawn = 2 * 8 * parameter_numbers(network)
    return Plan(
        given_bytes=0,
        answered_bytes=drawn,
        read_bytes=0,
        work_bytes=0,
        written_bytes=0,
        rows_at_once=0,
        chunks=1,
        passes=1,
        threads=1,
        cost_bytes=drawn,
    )


def make_plan(
    network: Graph,
    program: Program,
    batch: int,
    itemsize: int,
    body_cost: BodyCost = NO_BODY_COST,
    threads: int = 1,
) -> Plan:
    """The plan of a program for a batch of this many examples, its floats of this many bytes.

    threads: how many chunks may be computed at the same time.
    """
    targets: Targets = program.targets

    def numbers(shapes: Iterable[Shape]) -> int:
        return sum(prod(shape) for shape in shapes)

    shared = numbers(input_spec.shape for input_spec in network.inputs.values() if input_spec.shared)
    example = numbers(input_spec.shape for input_spec in network.inputs.values() if not input_spec.shared)
    given = parameter_numbers(network) + shared + batch * example
    whole = [parameter.shape for parameter in network.parameters.values()]
    whole += [
        input_spec.shape if input_spec.shared else (batch, *input_spec.shape)
        for input_spec in network.inputs.values()
    ]
    if not body_cost.with_parameters:
        whole = whole[len(network.parameters) :]
    read = numbers(whole)
    lists = sum(sum(accumulate((1, *shape[:-1]), mul)) for shape in whole)

    rows = numbers(network.inputs[name].shape for name in targets.data)
    rows += numbers(network.nodes[name].shape for name in (*targets.values, *targets.deltas))
    gradients = parameter_numbers(network, targets.params)
    rows = batch * (rows + len(network.loss) + 1)

    kept = 0  # what a trace keeps apart: what each node gives to its parameters
    if targets.trace:
        kept = sum(
            parameter_numbers(network, [name]) for step in program.backward for _, name, _ in step.grads
        )

    chunks = min(batch, count_chunks(network, batch, itemsize))
    threads = 1 if targets.trace else min(chunks, threads)
    saved = 1 if chunks == 1 and not network.regularization.l2 else 1 + threads
    run_now = -(-batch // chunks)
    passes = 1 + any(step.deltas for step in program.backward) + any(step.grads for step in program.backward)
    return Plan(
        given_bytes=given * itemsize,
        answered_bytes=(saved * gradients + kept + rows) * itemsize,
        read_bytes=read * body_cost.read_number + lists * body_cost.read_list,
        work_bytes=threads * run_now * row_numbers(network) * itemsize,
        written_bytes=(gradients + rows) * body_cost.written_number,
        rows_at_once=run_now,
        chunks=chunks,
        passes=passes,
        threads=threads,
        cost_bytes=passes * (parameter_numbers(network) + batch * row_numbers(network)) * itemsize,
    )
