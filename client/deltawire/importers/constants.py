"""Make one `affine` layer of the numbers that a model adds and multiplies."""

from __future__ import annotations

from math import isfinite
from typing import Any

import numpy as np

from deltawire.importers.builder import Affine
from deltawire.importers.operands import Stored, Value
from deltawire.importers.site import Site


def affine(at: Site, kind: str, a: Any, b: Any, name: str = "") -> Value | None:
    """Add the layer of an operation with one number, `x * 2` or `1 - x`; return None for any other.

    It takes in an affine layer before it where every rounding stays as it was: `x * 2 + 1` is one layer, and
    `(x + 1) * 2` is two.

    Args:
        at: The operation.
        kind: `add`, `subtract`, `multiply` or `divide`.
        a, b: The inputs: values, rows, stored arrays or numbers.
        name: The name of the node; by default, that of the operation.
    """
    x, other = (a, b) if isinstance(a, Value) else (b, a)
    constant = _number(other)
    if not isinstance(x, Value) or constant is None or x.shape != at.shape():
        return None
    scale, shift = _scale_and_shift(kind, constant, x is a)
    if not (isfinite(scale) and isfinite(shift)):  # a config holds finite numbers only
        return None
    if isinstance(other, Stored):
        at.builder.use_as_constant(other)
    whole = _after(at.builder.affine_nodes.get(x.name), Affine(x, scale, shift))
    config: dict[str, Any] = {"scale": whole.scale} if whole.scale != 1 else {}
    config |= {"shift": whole.shift} if whole.shift != 0 else {}
    y = at.layer("affine" if config else "identity", whole.x, name=name, **config)
    at.builder.affine_nodes[y.name] = whole
    return y


def _number(given: Any) -> float | None:
    """Return an operand as one real number that no layer learns; None for any other."""
    if isinstance(given, Stored) and given.kept:
        return None
    array = given.array if isinstance(given, Stored) else np.asarray(given)
    return float(array.reshape(())) if array.size == 1 and array.dtype.kind in "fiub" else None


def _scale_and_shift(kind: str, constant: float, comes_first: bool) -> tuple[float, float]:
    """Return the scale and the shift of an operation; not finite where it is no affine one.

    Args:
        kind: The kind of the layer of two inputs.
        constant: The number.
        comes_first: Whether x is the first input, and the number the second.
    """
    if kind == "add":
        return 1.0, constant
    if kind == "subtract":
        return (1.0, -constant) if comes_first else (-1.0, constant)
    if kind == "multiply":
        return constant, 0.0
    return (1.0 / constant if comes_first and constant else np.inf), 0.0


def _after(before: Affine | None, last: Affine) -> Affine:
    """Return one affine function for two in a row, or the last one where its roundings would change."""
    exact = before is not None and abs(last.scale) == 1 and 0 in (before.shift, last.shift)
    if before is None or not exact:
        return last
    return Affine(before.x, last.scale * before.scale, last.scale * before.shift + last.shift)
