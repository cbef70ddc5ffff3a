"""Find a short formula for the numbers that a layer saves: a sum of products of sizes."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import islice
from math import ceil, prod
from typing import Any, NamedTuple

import numpy as np

from deltawire_layers.layer import Array, Layer, Shape, arity

CANDIDATES = 300
"""Number of terms to combine with each other, the simplest first."""

COEFFICIENTS = range(1, 9)
"""Coefficients to try for all terms of a sum but the last."""

GRAIN = 0.25
"""Step of the last coefficient: a saved boolean is a quarter of a float32."""


class Sample(NamedTuple):
    """The numbers per example that a layer saves for these shapes."""

    layer: Layer
    shapes: tuple[Shape, ...]
    saved: float


class Factor(NamedTuple):
    """A size that a formula may contain.

    text:  its source
    value: its value for a layer and shapes
    cost:  how hard it is to read
    """

    text: str
    value: Callable[[Layer, tuple[Shape, ...]], int]
    cost: int = 1


class Term(NamedTuple):
    """A product of factors, and its values for the samples."""

    factors: tuple[Factor, ...]
    values: Array


def signature(layer: Layer) -> str:
    """Return the parameters of the layer's shape methods: `self, query, key, value, mask=None`."""
    optional = arity(layer).optional
    return ", ".join(["self", *(f"{name}=None" if name in optional else name for name in _names(layer))])


def closed_form(samples: Sequence[Sample]) -> str | None:
    """Return the simplest sum of products of sizes that fits every sample.

    Args:
        samples: numbers saved by one kind of layer, for several configs and shapes.

    Returns:
        A Python expression of the parameters of `saved` and of `self`; fractions in coefficients are rounded
        up. None when no formula of at most three terms fits.
    """
    target = np.array([sample.saved for sample in samples], np.float64)
    if not target.any():
        return "0" if samples else None
    terms = list(islice(_terms(samples, target), CANDIDATES))
    sums = _sums(terms, target)
    if not sums:
        return None
    best = min(sums, key=lambda chosen: sum(1 + _cost(terms[place].factors) for place in chosen))
    return " + ".join(_product(sums[best][place], terms[place]) for place in best)


def _sums(terms: Sequence[Term], target: Array) -> dict[tuple[int, ...], dict[int, float]]:
    """Return the shortest sums of terms that equal the target: coefficients by the terms' places."""
    places, coefficients, multiples = _multiples(terms, target)
    by_direction = {_direction(term.values): place for place, term in enumerate(terms)}
    sums: dict[tuple[int, ...], dict[int, float]] = {}

    def complete(rest: Array, chosen: dict[int, float]) -> None:
        """Add a sum if one more term equals the rest."""
        place = by_direction.get(_direction(rest))
        if place is None or place in chosen:
            return
        last = rest.max() / terms[place].values.max()
        if last % GRAIN == 0:
            whole = chosen | {place: float(last)}
            sums.setdefault(tuple(sorted(whole)), whole)

    complete(target, {})
    if not sums:
        for first, coefficient, multiple in zip(places, coefficients, multiples, strict=True):
            complete(target - multiple, {first: coefficient})
    if not sums:
        for first, coefficient, multiple in zip(places, coefficients, multiples, strict=True):
            rests = target - multiple - multiples
            for row in np.flatnonzero((rests >= 0).all(axis=1) & (places > first)):
                complete(rests[row], {first: coefficient, int(places[row]): coefficients[row]})
    return sums


def _multiples(terms: Sequence[Term], target: Array) -> tuple[Array, list[float], Array]:
    """Return the multiples of the terms that the target may contain: places, coefficients and values."""
    multiples = [
        (place, float(coefficient), coefficient * term.values)
        for place, term in enumerate(terms)
        for coefficient in COEFFICIENTS
        if (coefficient * term.values <= target).all()
    ]
    places, coefficients, values = zip(*multiples, strict=True) if multiples else ((), (), ())
    return np.array(places, int), list(coefficients), np.array(values).reshape(len(multiples), len(target))


def _direction(values: Array) -> bytes | None:
    """Return a key that is equal for positive multiples of each other; None for zeros or negative numbers."""
    largest = values.max()
    if largest <= 0 or (values < 0).any():
        return None
    key: bytes = np.round(values / largest, 12).tobytes()
    return key


def _cost(factors: Sequence[Factor]) -> int:
    return sum(factor.cost for factor in factors)


def _product(coefficient: float, term: Term) -> str:
    whole, factors = ceil(coefficient), [factor.text for factor in term.factors]
    return " * ".join([str(whole), *factors] if whole > 1 or not factors else factors)


def _terms(samples: Sequence[Sample], target: Array) -> Iterator[Term]:
    """Yield products that may be part of the formula, the simplest first; skip multiples of earlier ones."""
    layer = samples[0].layer
    sizes, axes, settings = list(_sizes(layer)), list(_axes(layer)), list(_settings(layer))
    products: list[tuple[Factor, ...]] = [(), *((size,) for size in (*sizes, *axes))]
    products += [(size, axis) for size in (*sizes, *axes) for axis in axes if size is not axis]
    products += [(*product, setting) for product in products for setting in settings]
    seen = set[bytes]()
    for factors in sorted(products, key=_cost):
        values = _values(factors, samples)
        # Coefficients are positive, so that no single term may exceed a sample.
        if values is None or (GRAIN * values > target).any() or (key := _direction(values)) in seen:
            continue
        if key is not None:
            seen.add(key)
            yield Term(factors, values)


def _values(factors: tuple[Factor, ...], samples: Sequence[Sample]) -> Array | None:
    """Return the product for each sample; None where a sample has no such axis."""
    try:
        return np.array([prod(f.value(s.layer, s.shapes) for f in factors) for s in samples], np.float64)
    except IndexError:
        return None


def _names(layer: Layer) -> list[str]:
    """Return the inputs as the layer's `output_shape` names them, a variadic one with its star."""
    parameters = inspect.signature(layer.output_shape).parameters.values()
    return [f"*{p.name}" if p.kind is p.VAR_POSITIONAL else p.name for p in parameters]


def _sizes(layer: Layer) -> Iterator[Factor]:
    """Yield the counts of numbers of the inputs and of the value, of all axes or of all but one."""
    names = _names(layer)
    for part, cut in (("", slice(None)), ("[:-1]", slice(-1)), ("[1:]", slice(1, None))):
        for at, name in enumerate(names):
            if not name.startswith("*") and name not in arity(layer).optional:
                yield Factor(f"prod({name}{part})", partial(_count, at=at, cut=cut))
    output = f"self.output_shape({', '.join(names)})"
    yield Factor(f"prod({output})", lambda layer, shapes: prod(layer.output_shape(*shapes)), cost=3)
    if names[-1].startswith("*"):
        yield Factor(f"sum(map(prod, {names[-1][1:]}))", partial(_count_from, at=len(names) - 1))


def _count(layer: Layer, shapes: tuple[Shape, ...], at: int, cut: slice) -> int:
    return prod(shapes[at][cut])


def _count_from(layer: Layer, shapes: tuple[Shape, ...], at: int) -> int:
    return sum(map(prod, shapes[at:]))


def _axes(layer: Layer) -> Iterator[Factor]:
    """Yield the sizes of single axes of the inputs."""
    for axis in (-1, 0, -2):
        for at, name in enumerate(_names(layer)):
            if not name.startswith("*"):
                yield Factor(f"{name}[{axis}]", partial(_size, at=at, axis=axis))


def _size(layer: Layer, shapes: tuple[Shape, ...], at: int, axis: int) -> int:
    return shapes[at][axis]


def _settings(layer: Layer) -> Iterator[Factor]:
    """Yield the whole numbers of the config, and the products of lists of them."""
    for name, value in vars(layer).items():
        if type(value) is int:
            yield Factor(f"self.{name}", partial(_setting, name=name))
        elif _is_list_of_wholes(value):
            yield Factor(f"prod(self.{name})", partial(_setting_product, name=name))


def _setting(layer: Layer, shapes: tuple[Shape, ...], name: str) -> int:
    return int(getattr(layer, name))


def _setting_product(layer: Layer, shapes: tuple[Shape, ...], name: str) -> int:
    return prod(getattr(layer, name))


def _is_list_of_wholes(value: Any) -> bool:
    return isinstance(value, list | tuple) and bool(value) and all(type(item) is int for item in value)
