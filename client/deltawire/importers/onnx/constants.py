"""Fold nodes whose inputs are all known: into the same array in another layout, or into constants."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import onnx

from deltawire.importers.onnx.inference import evaluated
from deltawire.importers.onnx.model import DOMAINS, attribute
from deltawire.importers.operands import Stored
from deltawire.importers.site import Site
from deltawire.wire import Array

RANDOM = frozenset(
    {
        "Bernoulli", "Dropout", "Multinomial", "RandomNormal", "RandomNormalLike", "RandomUniform",
        "RandomUniformLike",
    }
)  # fmt: skip
"""Operators that draw random numbers; Dropout only in training mode."""

ARRANGING = frozenset(
    {
        "Cast", "Concat", "DequantizeLinear", "Flatten", "Reshape", "Slice", "Split", "Squeeze", "Transpose",
        "Unsqueeze",
    }
)  # fmt: skip
"""Operators that make weights of weights stored in parts, in another shape or with fewer bits."""


@dataclass(frozen=True, eq=False)
class ByBatch:
    """An array that depends on the number of examples alone.

    Args:
        name: Its name in the model.
        arrays: Its numbers for batches of `BATCHES` examples.
    """

    name: str
    arrays: tuple[Array, Array]

    def of_one_example(self) -> Stored | None:
        """Return what all examples have, with the batch as an axis of size 1; None when they differ."""
        first, second = self.arrays
        if first.ndim != second.ndim:
            return None
        axes = [axis for axis in range(first.ndim) if first.shape[axis] != second.shape[axis]]
        if len(axes) != 1:
            return None
        one = first.take([0], axes[0])
        if any((array != one).any() for array in self.arrays):
            return None
        return constant(self.name, one)


def constant(name: str, array: Array) -> Stored:
    """Return an array as one that no layer learns."""
    return Stored(name, array, object())


def folded(
    site: Site, node: onnx.NodeProto, inputs: Sequence[Stored | ByBatch | None], opset: int
) -> tuple[Stored | ByBatch | None, ...]:
    """Return the results of a node whose inputs are all known; None for an omitted one.

    Args:
        site: The site of the node.
        node: The node.
        inputs: Its inputs in order; None for an omitted one.
        opset: The opset of ONNX's own operators.

    Raises:
        Refused: The operator is not ONNX's own or draws random numbers, or the node has a subgraph or a
            result that is no tensor.
    """
    if node.domain not in DOMAINS:
        site.refuse(f"is an operator of the domain '{node.domain}': no layer does this")
    if node.op_type in RANDOM and not _drops_nothing(node, inputs):
        site.refuse("draws other numbers each time: drawn once, they would be a constant")
    for one in node.attribute:
        if one.type in (onnx.AttributeProto.GRAPH, onnx.AttributeProto.GRAPHS):
            site.refuse(f"has a graph of its own, '{one.name}': no layer does this")
    laid_out = _laid_out(node, inputs)
    if laid_out is not None:
        return (laid_out,)
    for given in inputs:
        if isinstance(given, Stored):
            site.builder.use_as_constant(given)
    if not any(isinstance(given, ByBatch) for given in inputs):
        arrays = _arrays(site, node, inputs, 0, opset)
        learnable = _are_weights(node, inputs)
        return tuple(
            None if array is None else Stored(name, array, name, learnable and _is_float(array))
            for name, array in zip(node.output, arrays, strict=True)
        )
    pairs = zip(*(_arrays(site, node, inputs, batch, opset) for batch in (0, 1)), strict=True)
    return tuple(
        None if pair[0] is None or pair[1] is None else by_batch(name, pair[0], pair[1])
        for name, pair in zip(node.output, pairs, strict=True)
    )


def by_batch(name: str, first: Array, second: Array) -> Stored | ByBatch:
    """Return an array that is known for both batches: a constant when it is the same.

    Args:
        name: Its name in the model.
        first: Its numbers for a batch of the first size.
        second: Its numbers for a batch of the second size.
    """
    if first.shape == second.shape and np.array_equal(first, second, equal_nan=first.dtype.kind == "f"):
        return constant(name, first)
    return ByBatch(name, (first, second))


def _arrays(
    site: Site, node: onnx.NodeProto, inputs: Sequence[Stored | ByBatch | None], batch: int, opset: int
) -> list[Array | None]:
    """Compute the results of a node for one of the two batches."""
    given = {
        name: one.array if isinstance(one, Stored) else one.arrays[batch]
        for name, one in zip(node.input, inputs, strict=True)
        if one is not None
    }
    results = evaluated(node, given, opset)
    for name, result in zip(node.output, results, strict=True):
        if name and not isinstance(result, np.ndarray | np.generic):
            site.refuse(f"makes no tensor of what is stored ('{name}')")
    return [None if result is None else np.asarray(result) for result in results]


def _is_float(array: Array) -> bool:
    return array.dtype.kind == "f" and array.ndim > 0


def _are_weights(node: onnx.NodeProto, inputs: Sequence[Stored | ByBatch | None]) -> bool:
    """Return True for arrays that a node holds, or makes of weights: some exporters write weights so."""
    if node.op_type == "Constant":
        return True
    floats = [one for one in inputs if isinstance(one, Stored) and one.array.dtype.kind == "f"]
    return node.op_type in ARRANGING and all(one.trainable for one in floats if one.array.ndim)


def _drops_nothing(node: onnx.NodeProto, inputs: Sequence[Stored | ByBatch | None]) -> bool:
    if node.op_type != "Dropout":
        return False
    training = inputs[2] if len(inputs) > 2 else None
    return training is None or (isinstance(training, Stored) and not training.array.any())


def _laid_out(node: onnx.NodeProto, inputs: Sequence[Stored | ByBatch | None]) -> Stored | None:
    """Return the first input in another layout, as exporters write weights; None for other operators."""
    first = inputs[0] if inputs else None
    if (
        not isinstance(first, Stored)
        or not first.trainable
        or len([name for name in node.output if name]) != 1
    ):
        return None
    if node.op_type in ("Identity", "Dropout"):
        return first
    if node.op_type == "Transpose":
        given = {one.name: attribute(one) for one in node.attribute}
        return first.permuted(given.get("perm") or list(reversed(range(first.array.ndim))))
    return None
