"""Gradient check: backprop's numbers against two others that know nothing of the backward equations.

The complex step, f(x + i·h).imag / h with h = 1e-200, is exact for analytic layers; central differences,
(f(x + h) − f(x − h)) / 2h, are coarse but need nothing from the layers at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from deltawire_layers import Array
from deltawire_service.engine.backprop import Arrays
from deltawire_service.engine.rows import Work

STEP = 1e-200
"""So small that its square vanishes: where two factors move, their product leaves an exact tie a tie."""
EXACT = 1e-9
COARSE = 1e-4
"""Relative differences allowed to the complex step and to central differences."""


@dataclass(frozen=True)
class Place:
    """One number that was checked: the derivative of the loss with respect to it, three times over."""

    index: tuple[int, ...]
    gradient: float
    complex_step: float
    differences: float
    relative_difference: float
    """To the complex step, relative to the largest gradient of the array, or to 1 where that is less."""
    relative_difference_to_differences: float


@dataclass(frozen=True)
class Checked:
    """How one parameter or input did: its worst places first."""

    name: str
    numbers: int
    checked: int
    passed: bool
    worst: tuple[Place, ...]


def check_gradients(work: Work, params: Arrays, data: Arrays, samples: int, worst: int = 3) -> list[Checked]:
    """Check gradients of the work's loss, in float64, at up to `samples` places of every array.

    params, data: the gradients to check. Every place costs three forward passes.
    """
    float64 = work._replace(
        params={name: array.astype(np.float64) for name, array in work.params.items()},
        data={
            n: array if array.dtype == np.int64 else array.astype(np.float64)
            for n, array in work.data.items()
        },
        dtype=np.dtype(np.float64),
    )
    return [
        _checked(float64, kind, name, gradient, samples, worst)
        for kind, gradients in (("params", params), ("data", data))
        for name, gradient in gradients.items()
    ]


def _checked(work: Work, kind: str, name: str, gradient: Array, samples: int, worst: int) -> Checked:
    size = max(1.0, float(np.abs(gradient).max()))
    places = [_place(work, kind, name, gradient, size, index) for index in _indices(gradient.shape, samples)]
    places.sort(key=lambda place: -max(place.relative_difference, place.relative_difference_to_differences))
    passed = all(
        place.relative_difference <= EXACT and place.relative_difference_to_differences <= COARSE
        for place in places
    )
    return Checked(f"{kind}/{name}", gradient.size, len(places), passed, tuple(places[:worst]))


def _indices(shape: tuple[int, ...], samples: int) -> list[tuple[int, ...]]:
    """Up to `samples` places, spread evenly over an array: the same ones every time."""
    size = int(np.prod(shape))
    flat = np.unique(np.linspace(0, size - 1, min(samples, size)).round().astype(int))
    return [tuple(map(int, np.unravel_index(place, shape))) for place in flat]


def _place(work: Work, kind: str, name: str, gradient: Array, size: float, index: tuple[int, ...]) -> Place:
    h = float(np.cbrt(np.finfo(np.float64).eps)) * max(1.0, abs(float(getattr(work, kind)[name][index])))
    complex_step = _moved(work, kind, name, index, 1j * STEP).imag / STEP
    differences = (_moved(work, kind, name, index, h) - _moved(work, kind, name, index, -h)) / (2 * h)
    found = float(gradient[index])
    return Place(
        index, found, float(complex_step), float(differences),
        abs(found - float(complex_step)) / size, abs(found - float(differences)) / size,
    )  # fmt: skip


def _moved(work: Work, kind: str, name: str, index: tuple[int, ...], step: complex) -> Any:
    """The loss with one number moved by a step; complex steps make the whole computation complex."""
    dtype = np.dtype(np.complex128 if isinstance(step, complex) else np.float64)

    def cast(arrays: Arrays) -> dict[str, Array]:
        return {n: array if array.dtype == np.int64 else array.astype(dtype) for n, array in arrays.items()}

    params, data = cast(work.params), cast(work.data)
    {"params": params, "data": data}[kind][name][index] += step
    return work._replace(params=params, data=data, dtype=dtype).loss()
