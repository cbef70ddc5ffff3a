"""What no numpy program can do without: matrix products alone, or for the circuit its ufunc calls alone."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from benchmarks.engine.cases import ROUNDS, Arrays, Case


def prepare(case: Case, dtype: str, threads: int) -> Callable[[Arrays, Arrays], tuple[float, Arrays] | None]:
    return circuit if case.family == "d" else products(case, dtype)


def products(case: Case, dtype: str) -> Callable[[Arrays, Arrays], None]:
    """x Wᵀ, δᵀ x and δ W of every linear layer, into arrays that are there already; no loss comes of it."""
    stream = np.random.default_rng(0)

    def normal(*shape: int) -> np.ndarray:
        return stream.standard_normal(shape, np.float32).astype(dtype)

    layers = []
    for width, units, sends_down in case.products():
        x, delta, weight = normal(case.batch, width), normal(case.batch, units), normal(units, width)
        layers += [(x, weight.T, np.empty_like(delta)), (delta.T, x, np.empty_like(weight))]
        if sends_down:
            layers.append((delta, weight, np.empty_like(x)))

    def call(params: Arrays, data: Arrays) -> None:
        for left, right, product in layers:
            np.matmul(left, right, out=product)

    return call


def circuit(params: Arrays, data: Arrays) -> tuple[float, Arrays]:
    """The circuit and its derivatives, as one would write them by hand."""
    x, y, z = data["x"], data["y"], data["z"]
    kept = []
    for _ in range(ROUNDS):
        q = x + y
        s = 1 / (1 + np.exp(-(q * z)))
        y = np.tanh(s * x)
        kept.append((q, s, y))
    loss = float(y.mean())
    dx, dz = np.zeros_like(x), np.zeros_like(z)
    dy = np.full_like(y, 1 / len(y))
    for q, s, y in reversed(kept):
        dt = dy * (1 - y * y)
        dr = dt * x * s * (1 - s)
        dx += dt * s
        dz += dr * q
        dy = dr * z
        dx += dy
    return loss, {"x": dx, "y": dy, "z": dz}
