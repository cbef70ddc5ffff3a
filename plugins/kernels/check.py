"""Test that an installed deltawire-kernels computes: python -P check.py, with nothing beside it but numpy."""

from __future__ import annotations

import deltawire_kernels as kernels
import numpy as np


def main() -> None:
    if kernels.instructions is None:
        raise SystemExit("this processor has none of the instructions of the kernels")
    x = np.linspace(-9, 9, 1001, dtype=np.float32)
    y, slope = np.empty_like(x), np.empty_like(x)
    function = kernels.functions.index("sigmoid")
    kernels.value(function, x, y)
    kernels.delta(function, x, np.ones_like(x), slope)
    exact = 1 / (1 + np.exp(-x.astype(float)))
    np.testing.assert_allclose(y, exact, rtol=1e-6)
    np.testing.assert_allclose(slope, exact * (1 - exact), rtol=1e-5)
    for dtype in ("float32", "float64"):
        param, gradient, buffer = (np.full(1001, number, dtype) for number in (1, 0.5, 2))
        kernels.sgd(param, buffer, gradient, param, buffer, False, False, (0.0, 0.5, 1.0, 0.25))
        assert (buffer == 1.5).all() and (param == 0.625).all()
    print(f"the kernels for {kernels.instructions} compute")


if __name__ == "__main__":
    main()
