"""Translate ONNX's Resize."""

from __future__ import annotations

from string import ascii_lowercase
from typing import Any

import numpy as np
import onnx

from deltawire.importers.arguments import Harmless, Shown
from deltawire.importers.onnx.inference import evaluated
from deltawire.importers.onnx.node_site import NodeSite
from deltawire.importers.onnx.operators.table import operator
from deltawire.importers.operands import Stored, Value
from deltawire.wire import Array

OPSET = 19
"""The opset in which Resize has all the attributes that are read."""


@operator("Resize")
def resize(
    at: NodeSite, x: Value, roi: Harmless = None, scales: Stored | None = None,
    sizes: Shown = None, *, axes: list[int] | None = None, antialias: int = 0,
    coordinate_transformation_mode: str = "half_pixel", cubic_coeff_a: float = -0.75,
    exclude_outside: int = 0, extrapolation_value: Harmless = 0.0,
    keep_aspect_ratio_policy: str = "stretch", mode: str = "nearest",
    nearest_mode: str = "round_prefer_floor",
) -> Value:  # fmt: skip
    """Resize by the layer upsample, or each axis by a product with the matrix of what places take."""
    if coordinate_transformation_mode == "tf_crop_and_resize":
        at.refuse("crops before it resizes")
    before, after = x.shape, at.shape()
    rank = len(before) + at.batched
    along = list(range(rank)) if axes is None else [axis % rank for axis in axes]
    factors = _factors(scales, along)
    changed = []
    for axis in along:
        factor = factors.get(axis)
        if axis == at.batch_axis:
            if factor not in (None, 1.0):
                at.refuse("works along the batch, and examples are independent of each other")
            continue
        own = at.axis(axis, len(before))
        if before[own] != after[own] or factor not in (None, 1.0):
            changed.append((own, factor))
    exact = all(factor is None or before[own] * factor == after[own] for own, factor in changed)
    if keep_aspect_ratio_policy != "stretch" and not exact:
        at.refuse(f"keep_aspect_ratio_policy={keep_aspect_ratio_policy}: its sizes do not fit its scale")
    kind = "nearest" if mode == "nearest" else "linear"
    corners = coordinate_transformation_mode == "align_corners"
    asymmetric = coordinate_transformation_mode == "asymmetric" and nearest_mode == "floor"
    half_pixel = coordinate_transformation_mode == "half_pixel"
    fits = asymmetric if kind == "nearest" else mode == "linear" and (half_pixel or corners)
    first = min((own for own, _ in changed), default=0)
    if changed and exact and fits and not antialias and not exclude_outside and len(before) - first <= 3:
        more: dict[str, Any] = {} if kind == "nearest" else {"mode": kind}
        more |= {"align_corners": True} if corners and kind == "linear" else {}
        return at.layer("upsample", x, size=list(after[first:]), **more)
    attributes: dict[str, Any] = {
        "antialias": antialias, "coordinate_transformation_mode": coordinate_transformation_mode,
        "cubic_coeff_a": cubic_coeff_a, "exclude_outside": exclude_outside, "mode": mode,
        "nearest_mode": nearest_mode,
    }  # fmt: skip
    for own, factor in changed:
        matrix = _matrix(before[own], after[own], factor, attributes, at.builder.dtype)
        x = _multiplied(at, x, own, matrix)
    return x if changed else at.layer("identity", x)


def _factors(scales: Stored | None, axes: list[int]) -> dict[int, float]:
    if scales is None or not scales.array.size:
        return {}
    return dict(zip(axes, scales.array.tolist(), strict=True))


def _matrix(
    before: int, after: int, factor: float | None, attributes: dict[str, Any], dtype: np.dtype[Any]
) -> Array:
    """Return what each new place takes of each old one, (after, before), as ONNX's reference resizes.

    Args:
        before: The number of places before.
        after: The number of places after.
        factor: The scale that is given; None when the sizes are.
        attributes: The attributes of Resize.
        dtype: The dtype of the model.
    """
    arrays: dict[str, Array] = {"x": np.eye(before, dtype=dtype)}
    if factor is None:
        arrays["sizes"] = np.array([before, after], np.int64)
        names = ["x", "", "", "sizes"]
    else:
        arrays["scales"] = np.array([1, factor], np.float32)
        names = ["x", "", "scales"]
    node = onnx.helper.make_node("Resize", names, ["y"], **attributes)
    (taken,) = evaluated(node, arrays, OPSET)
    return np.asarray(taken, dtype).T


def _multiplied(at: NodeSite, x: Value, axis: int, matrix: Array) -> Value:
    """Multiply the numbers along an axis by a matrix."""
    letters = ascii_lowercase[: len(x.shape)]
    out = f"{letters[:axis]}z{letters[axis + 1 :]}"
    shape = (*x.shape[:axis], len(matrix), *x.shape[axis + 1 :])
    weights = at.builder.constant(f"{at.name}_weights", matrix, "")
    return at.step("einsum", x, weights, out=shape, equation=f"{letters},z{letters[axis]}->{out}")
