"""Say how to declare where a layer is defined, when it fails at a point that may lie outside."""

from __future__ import annotations

from math import inf

import numpy as np

from deltawire_layers.kit.points import Point, is_integer
from deltawire_layers.layer import Array, Layer

INTERVALS = ((0, inf), (-inf, 0), (-1, 1), (0, 1), (1, inf), (-1, inf), (-inf, 1))
"""Domains to suggest, the most usual first."""


def domain_mend(layer: Layer, point: Point, result: Array | None = None) -> str | None:
    """Return how to declare the domain; None where the point cannot lie outside of it.

    Args:
        layer: the layer.
        point: where it fails.
        result: a value or δ that is not a number in some examples, if there is one.
    """
    floats = [x for x in point.inputs if not is_integer(x)]
    if not floats or point.delta.dtype != np.float64:  # float32 fails where float64 does not
        return None
    if layer.domain != (-inf, inf):
        return f"if it is not defined for such inputs, declare a narrower domain than {layer.domain}"
    inside = INTERVALS[0] if result is None else _interval(floats, np.isnan(result))
    if inside is None:
        return "look for ∞ − ∞, 0 · ∞ or the root of a negative number, or declare a domain"
    return f"if it is not defined for such inputs, declare where it is: domain = {inside}"


def _interval(floats: list[Array], unknown: Array) -> tuple[float, float] | None:
    """Return the first interval that holds what leads to numbers, and nothing else; None without one.

    Places are compared where every input has those of the result, and else whole examples. Inputs may have
    domains of their own, so an interval will do that holds only some of what leads to numbers.
    """
    by_place = all(x.shape == unknown.shape for x in floats)

    def whole(places: Array) -> Array:
        return places if by_place else np.asarray(places.reshape(len(places), -1).all(axis=1))

    known = whole(~unknown)
    inside = {
        (low, high): np.logical_and.reduce([whole((x > low) & (x < high)) for x in floats])
        for low, high in INTERVALS
    }
    exact = (interval for interval, places in inside.items() if (places == known).all())
    some = (interval for interval, places in inside.items() if places.any() and known[places].all())
    return next(exact, None) or next(some, None)
