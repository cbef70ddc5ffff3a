"""The planned operations of a program: those its layers declare, and those of the engine around them."""

from __future__ import annotations

from math import prod

from deltawire_layers import CALL, NUMBER
from deltawire_service.engine.graph import Graph, Node
from deltawire_service.engine.plan.program import Program

NODE = 2 * CALL
"""Operations of the engine for each call of a layer: its arguments, the guard of the contract, the clock."""

COMPLEX_CALLS = 2
"""Calls of numpy in complex numbers, relative to real ones: functions compute the parts one by one."""

COMPLEX_ITEMSIZE = 16


def count_operations(network: Graph, program: Program, batch: int, itemsize: int, chunks: int = 1) -> int:
    """Return how many operations a program takes, over all its passes and chunks.

    Args:
        network: the network of the program.
        program: the steps that are computed.
        batch: number of examples.
        itemsize: bytes of one floating-point number.
        chunks: number of chunks of the batch.
    """
    noise = batch * sum(network.noise[name].work for name in program.noise)
    backward = {step.node.name: bool(step.grads) + bool(step.deltas) for step in program.backward}
    return noise + sum(
        (1 + backward.get(step.node.name, 0)) * pass_operations(network, step.node, batch, itemsize, chunks)
        for step in program.forward
    )


def pass_operations(network: Graph, node: Node, batch: int, itemsize: int, chunks: int = 1) -> int:
    """Return how many operations one pass takes at one node.

    Args:
        network: the network of the node.
        node: the node.
        batch: number of examples.
        itemsize: bytes of one floating-point number.
        chunks: number of chunks of the batch.
    """
    numbers = sum(map(prod, node.input_shapes)) + prod(node.shape) + node.saved
    parameters = sum(prod(network.parameters[name].shape) for name in node.parameters.values())
    size = itemsize // 4  # a number in float64 takes twice as long as in float32
    calls = COMPLEX_CALLS if itemsize == COMPLEX_ITEMSIZE else 1
    return (
        batch * size * (node.work.each + NUMBER * numbers)
        + chunks * size * NUMBER * parameters
        + chunks * calls * (node.work.once + NODE)
    )
