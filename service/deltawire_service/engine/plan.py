"""What a request takes, known from shapes alone: memory at the peak, rows at once, cost."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import prod

from deltawire_layers import Shape
from deltawire_service.engine.graph import Graph
from deltawire_service.engine.program import Program
from deltawire_service.engine.wanted import Wanted

CHUNK_BYTES = 16 * 2**20
"""The work of one chunk of rows is about this large: near the caches, and the memory of any batch bounded.

It is part of the numbers a network gives (sums are cut where chunks are), so it is no setting.
"""


@dataclass(frozen=True)
class Plan:
    """What a request would take. Bytes are those of the numbers; a body in JSON takes its own on top."""

    given_bytes: int
    """Parameters and data."""
    answered_bytes: int
    """Gradients (while they are summed, twice), values, deltas and losses."""
    work_bytes: int
    """Values, what equations hold, and deltas of the rows computed at once."""
    rows_at_once: int
    chunks: int
    passes: int
    """1 for the values, 1 more when deltas are sent down, 1 more when parameters have gradients."""
    cost_bytes: int
    """Bytes touched, over all passes and chunks: what one request costs beside another."""

    @property
    def peak_bytes(self) -> int:
        """The most memory the request holds at once."""
        return self.given_bytes + self.answered_bytes + self.work_bytes


def row_numbers(network: Graph) -> int:
    """Numbers that one example takes at the peak: values, what the equations hold, and deltas."""
    inputs = sum(prod(slot.shape) for slot in network.inputs.values() if not slot.shared)
    return 2 * inputs + sum(2 * prod(node.shape) + node.held for node in network.nodes.values())


def parameter_numbers(network: Graph, names: Iterable[str] | None = None) -> int:
    """Numbers in all parameters, or in the named ones."""
    chosen = network.parameters if names is None else names
    return sum(prod(network.parameters[name].shape) for name in chosen)


def chunk_rows(network: Graph, itemsize: int) -> int:
    """Most examples computed at once. Depends on network and dtype only: same request, same bits."""
    return max(1, CHUNK_BYTES // max(1, row_numbers(network) * itemsize))


def make_plan(network: Graph, program: Program, batch: int, itemsize: int) -> Plan:
    """The plan of a program for a batch of this many examples, its floats of this many bytes."""
    wants: Wanted = program.wants

    def numbers(shapes: Iterable[Shape]) -> int:
        return sum(prod(shape) for shape in shapes)

    shared = numbers(slot.shape for slot in network.inputs.values() if slot.shared)
    example = numbers(slot.shape for slot in network.inputs.values() if not slot.shared)
    given = parameter_numbers(network) + shared + batch * example

    rows = numbers(network.inputs[name].shape for name in wants.data)
    rows += numbers(network.nodes[name].shape for name in (*wants.values, *wants.deltas))
    answered = 2 * parameter_numbers(network, wants.params) + batch * (rows + len(network.loss) + 1)

    if wants.trace:  # what each node gives to its parameters is kept apart
        answered += sum(
            parameter_numbers(network, [name]) for step in program.backward for _, name in step.grads
        )

    at_once = min(batch, chunk_rows(network, itemsize))
    passes = 1 + any(step.deltas for step in program.backward) + any(step.grads for step in program.backward)
    return Plan(
        given_bytes=given * itemsize,
        answered_bytes=answered * itemsize,
        work_bytes=at_once * row_numbers(network) * itemsize,
        rows_at_once=at_once,
        chunks=-(-batch // at_once),
        passes=passes,
        cost_bytes=passes * (parameter_numbers(network) + batch * row_numbers(network)) * itemsize,
    )
