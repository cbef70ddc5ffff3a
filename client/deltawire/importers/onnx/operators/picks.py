"""Translate ONNX operators that take numbers at places that integers name."""

from __future__ import annotations

from typing import Any

import numpy as np

from deltawire.importers import steps
from deltawire.importers.onnx.node_site import NodeSite
from deltawire.importers.onnx.operators.table import operator
from deltawire.importers.operands import Stored, Value


@operator("Gather")
def gather(at: NodeSite, x: Any, index: Any, *, axis: int = 0) -> Value:
    """Look up rows of a table, or take places along an axis; a single place removes the axis."""
    if isinstance(x, Stored) and x.array.ndim == 2 and axis in (0, -2) and x.trainable:
        return steps.embedding(at, index, x)
    if isinstance(x, Stored) and isinstance(index, Value):
        table = at.constant(x, x.array.shape)
        return at.layer("take", table, index, axis=axis % x.array.ndim)
    if not isinstance(x, Value):
        at.refuse("takes rows of an array at fixed places: no layer does this")
    along = at.axis(axis, len(x.shape))
    if isinstance(index, Value):
        if at.batched:
            at.refuse("takes the places that every example names from every example")
        return at.layer("take", x, index, axis=along)
    places = index.array % x.shape[along]  # negative ones count from the end
    if places.size == 1:
        place = int(places.reshape(()))
        return at.reshaped(steps.part(at, x, along, place, place + 1))
    where = at.builder.constant(f"{at.name}_index", places, index.name, whole=True)
    return at.layer("take", x, where, axis=along)


@operator("GatherElements")
def gather_elements(at: NodeSite, x: Value, index: Any, *, axis: int = 0) -> Value:
    """Take a place along an axis for each number of the result; the index may be smaller along the others."""
    along = at.axis(axis, len(x.shape))
    if not isinstance(index, Value):
        if at.batched:
            at.refuse("takes other places of each example, by an index that is stored")
        places = np.where(index.array < 0, index.array + x.shape[along], index.array)
        index = at.builder.constant(f"{at.name}_index", places, index.name, whole=True)
    for other, size in enumerate(index.shape):
        if other != along:
            x = steps.part(at, x, other, 0, size)
    return at.layer("take_along_axis", x, index, axis=along)


@operator("GatherND")
def gather_nd(at: NodeSite, x: Value, index: Stored, *, batch_dims: int = 0) -> Value:
    """Take places that integers name along the first axes of an example."""
    if batch_dims != 0 or at.batched:
        at.refuse("takes places of the batch")
    depth = index.array.shape[-1]
    joined, rest = x.shape[:depth], x.shape[depth:]
    places = index.array % np.array(joined)
    rows = np.ravel_multi_index(tuple(np.moveaxis(places, -1, 0)), joined)
    flat = at.view(x, (int(np.prod(joined)), *rest))
    where = at.builder.constant(f"{at.name}_index", np.asarray(rows), index.name, whole=True)
    return at.layer("take", flat, where, axis=0)
