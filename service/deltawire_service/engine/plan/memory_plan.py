"""The plan of a request, known from shapes alone: memory at the peak, rows at once, cost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from math import prod

from deltawire_service.engine.graph import Graph
from deltawire_service.engine.plan.body_cost import NO_BODY_COST, BodyCost, count_numbers
from deltawire_service.engine.plan.cuts import MOST_SEGMENTS
from deltawire_service.engine.plan.operations import count_operations
from deltawire_service.engine.plan.program import Program

# These are constants and no settings: where chunks end decides how sums round, so it is part of every result.

CHUNK_BYTES = 16 * 2**20
"""Work of one chunk of rows: near the size of caches, and a bound on the memory of any batch."""

CHUNK_ROWS, MOST_CHUNK_BYTES = 512, 128 * 2**20
"""A chunk has this many rows while its work stays below so many bytes: matrix products of fewer are slow."""

TWO_CHUNKS_ROWS, TWO_CHUNKS_OPERATIONS = 1024, 2**24
"""Rows of a batch, and operations of a pass over it, from which two chunks are worth their gradients."""

MOST_LATER = 2
"""Calls that are left to each other thread at a time, at most: one that it computes, and the next."""

DRAWN_ITEMSIZE = 8

DRAWN_OPERATIONS = 2**9
"""Operations for each parameter that is drawn."""


@dataclass(frozen=True)
class Plan:
    """The memory and the cost of a request."""

    given_bytes: int
    """Parameters and data."""
    answered_bytes: int
    """Gradients (with the copies that are held while they are summed), values, deltas and losses."""
    read_bytes: int
    """The body, while the given numbers are read from it."""
    work_bytes: int
    """Values, deltas, what layers save and what one works in, of the rows computed at once."""
    written_bytes: int
    """The answer's body, while the numbers are written into it."""
    rows_at_once: int
    chunks: int
    passes: int
    """1 for the values, 1 more when deltas are sent down, 1 more when parameters have gradients."""
    threads: int
    """Chunks computed at the same time."""
    operations: int
    """Operations over all passes, chunks and repetitions, calls of Python included: the cost of a request."""
    segments: int = 1
    """Parts of the batch that other machines can compute; their results are added up in order."""
    stored_bytes: int = 0
    """Of the parameters and data, those that the service keeps: they are no memory of the request."""

    @cached_property
    def peak_bytes(self) -> int:
        """The most memory held at once: a request is read, then computed, then its answer is written."""
        return (
            self.given_bytes
            - self.stored_bytes
            + max(self.read_bytes, self.answered_bytes + max(self.work_bytes, self.written_bytes))
        )


def row_numbers(network: Graph) -> int:
    """Return how many numbers one example holds at the peak: values, noise, what layers save, deltas.

    Values are held until the deltas have reached them, and noise until the end. A delta is released once it
    is passed down.
    """
    values = sum(prod(node.shape) + node.saved for node in network.nodes.values())
    noise = sum(prod(each.shape) for each in network.noise.values())
    return values + noise + delta_numbers(network)


def temporary_numbers(network: Graph) -> int:
    """Return how many numbers of one example a layer holds for a moment, beside what it saves and returns.

    Equations are written with numpy, which makes an array for each step: one as large as the largest that the
    layer takes or returns. Layers that work in more declare it as saved.
    """
    return max(prod(shape) for node in network.nodes.values() for shape in (node.shape, *node.input_shapes))


def delta_numbers(network: Graph) -> int:
    """Return how many numbers the deltas of one example hold when most of them are on their way."""
    arrived: set[str] = set()
    now = most = 0
    for node in reversed(list(network.nodes.values())):
        own = prod(node.shape)
        if node.name not in arrived:  # the loss, or a node beside it, which is counted as well
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
    """Return how many numbers all parameters have, or the named ones."""
    chosen = network.parameters if names is None else names
    return sum(prod(network.parameters[name].shape) for name in chosen)


def left_numbers(network: Graph) -> int:
    """Return how many numbers of one example wait, at most, for one thread to compute gradients of them.

    A node's signal is as large as its delta, or what its layer declares as saved.
    """
    sizes = [prod(node.shape) + node.saved for node in network.nodes.values() if node.parameters]
    return MOST_LATER * max(sizes, default=0) + temporary_numbers(network)


def copied_numbers(network: Graph) -> int:
    """Return how many numbers the copies of parameters have that a layer holds for a while."""
    return max(
        parameter_numbers(
            network, [name for local, name in node.parameters.items() if local in node.layer.copied]
        )
        for node in network.nodes.values()
    )


def count_chunks(network: Graph, batch: int, itemsize: int) -> int:
    """Return how many chunks a batch is cut into: few, and an even number for two threads.

    The number depends on the arguments only, never on threads or load: same request, same bits. Each chunk
    writes, tests and adds a gradient of every parameter. That takes as long as 130 multiplications for each
    of its numbers: 4 % of three passes over `TWO_CHUNKS_ROWS` rows, but more than half of those over 64.

    Args:
        network: the network to be computed.
        batch: number of examples.
        itemsize: bytes of one floating-point number.
    """
    row = max(1, row_numbers(network) * itemsize)
    # Every chunk adds gradients as large as the parameters: these should not outweigh its work.
    parameters = parameter_numbers(network) * itemsize
    most = max(CHUNK_BYTES, min(MOST_CHUNK_BYTES, CHUNK_ROWS * row), parameters // 2) // row
    chunks = -(-batch // max(1, most))
    if chunks == 1 and batch >= TWO_CHUNKS_ROWS and parameters <= CHUNK_BYTES:
        operations = batch * sum(node.work.each for node in network.nodes.values())
        return 2 if operations >= TWO_CHUNKS_OPERATIONS else 1
    return chunks + chunks % 2 if chunks > 1 else 1


def make_drawing_plan(
    network: Graph, itemsize: int, body_cost: BodyCost = NO_BODY_COST, in_place: bool = False
) -> Plan:
    """Return the plan of drawing a network's parameters, one after the other.

    Each is drawn in float64, and held twice for a moment: while it is scaled, then while it is converted.

    Args:
        network: the network.
        itemsize: bytes of one number of the parameters.
        body_cost: cost of writing the answer.
        in_place: the parameters are written to arrays that the caller has.
    """
    shapes = [parameter.shape for parameter in network.parameters.values()]
    drawn = 0 if in_place else count_numbers(shapes) * itemsize
    converted = DRAWN_ITEMSIZE if in_place else DRAWN_ITEMSIZE - itemsize
    return Plan(
        given_bytes=0,
        answered_bytes=drawn,
        read_bytes=0,
        work_bytes=(DRAWN_ITEMSIZE + converted) * max(map(prod, shapes), default=0),
        written_bytes=body_cost.written_bytes(shapes),
        rows_at_once=0,
        chunks=1,
        passes=1,
        threads=1,
        operations=DRAWN_OPERATIONS * count_numbers(shapes),
    )


def make_plan(
    network: Graph,
    program: Program,
    batch: int,
    itemsize: int,
    body_cost: BodyCost = NO_BODY_COST,
    threads: int = 1,
) -> Plan:
    """Return the plan of a program.

    Args:
        network: the network of the program.
        program: the steps that are computed.
        batch: number of examples.
        itemsize: bytes of one floating-point number.
        body_cost: cost of reading the request's body and of writing its answer.
        threads: how many chunks may be computed at the same time.
    """
    targets = program.targets
    parameter_shapes = [parameter.shape for parameter in network.parameters.values()]
    data_shapes = [input_spec.array_shape(batch) for input_spec in network.inputs.values()]
    read_shapes = [
        *(parameter_shapes if body_cost.with_parameters else ()),
        *(data_shapes if body_cost.with_data else ()),
    ]
    gradient_shapes = [network.parameters[name].shape for name in targets.params]
    row_shapes = [(batch, *network.input_shape(name)) for name in targets.data]
    row_shapes += [(batch, *network.nodes[name].shape) for name in (*targets.values, *targets.deltas)]
    row_shapes += (len(network.loss) + 1) * [(batch,)]
    rows, gradients = count_numbers(row_shapes), count_numbers(gradient_shapes)

    traced = 0  # a trace keeps the gradients of each node apart
    if targets.trace:
        traced = sum(
            parameter_numbers(network, [name]) for step in program.backward for _, name, _ in step.grads
        )

    chunks = min(batch, count_chunks(network, batch, itemsize))
    helpers = threads - 1 if chunks == 1 and gradient_shapes and not targets.trace else 0
    threads = 1 if targets.trace else min(chunks, threads)
    # Of gradients over chunks, there are the total, perhaps a segment's sum, and each chunk's own: those in
    # the threads, and with several threads the one that is being added.
    copies = 1 + threads + (threads > 1) + (chunks > MOST_SEGMENTS)
    if chunks == 1:
        copies = 2 if network.regularization.l2 else 1
    # The gradient of a node that shares a parameter is there beside the one that it is added to.
    uses = Counter(name for step in program.backward for _, name, _ in step.grads)
    shared = max((parameter_numbers(network, [name]) for name, count in uses.items() if count > 1), default=0)
    rows_at_once = -(-batch // chunks)
    worked = threads * (row_numbers(network) + temporary_numbers(network)) + helpers * left_numbers(network)
    passes = 1 + any(step.deltas for step in program.backward) + any(step.grads for step in program.backward)
    return Plan(
        given_bytes=count_numbers(parameter_shapes + data_shapes) * itemsize,
        answered_bytes=(copies * gradients + threads * shared + traced + rows) * itemsize,
        read_bytes=body_cost.read_bytes(read_shapes),
        work_bytes=(rows_at_once * worked + threads * copied_numbers(network)) * itemsize,
        written_bytes=body_cost.written_bytes(gradient_shapes + row_shapes),
        rows_at_once=rows_at_once,
        chunks=chunks,
        passes=passes,
        threads=threads,
        operations=count_operations(network, program, batch, itemsize, chunks),
        segments=1 if targets.trace else min(chunks, MOST_SEGMENTS),
        stored_bytes=0 if body_cost.with_parameters else count_numbers(parameter_shapes) * itemsize,
    )
