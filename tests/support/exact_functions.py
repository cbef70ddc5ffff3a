"""Functions of one number that have kernels, in the precision of mpmath or of float64."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mpmath

Real = Callable[[Any], Any]


def functions(m: Any) -> dict[str, tuple[Real, Real, Real]]:
    """Return, by name, each function, its derivative, and the greater term of that: it may cancel the other.

    Args:
        m: has exp, log1p, tanh, erf, erfc, sqrt, maximum and pi: mpmath, or `Doubles`.
    """

    def sigmoid(x: Any) -> Any:
        power = m.exp(-abs(x))
        return m.where(x < 0, power, 1) / (1 + power)

    def normal(x: Any) -> Any:
        return m.erfc(-x / m.sqrt(2)) / 2

    def cubic(x: Any) -> Any:
        """Return 2 √(2/π) (x + 0.044715 x³), which a sigmoid takes for Φ, and its derivative."""
        root, small = 2 * m.sqrt(2 / m.pi), m.one * 44715 / 1000000
        return root * x * (1 + small * x * x), root * (1 + 3 * small * x * x)

    def silu(x: Any) -> Any:
        return sigmoid(x), x * sigmoid(x) * sigmoid(-x)

    def gelu(x: Any) -> Any:
        return normal(x), x * m.exp(-x * x / 2) / m.sqrt(2 * m.pi)

    def gelu_tanh(x: Any) -> Any:
        t, slope = cubic(x)
        return sigmoid(t), x * slope * sigmoid(t) * sigmoid(-t)

    def split(terms: Real) -> tuple[Real, Real]:
        return (lambda x: sum(terms(x))), (lambda x: m.maximum(*map(abs, terms(x))))

    def steep(x: Any) -> Any:
        power = m.exp(-2 * abs(x))
        return 4 * power / (1 + power) ** 2

    def alone(slope: Real) -> tuple[Real, Real]:
        return slope, slope

    return {
        "sigmoid": (sigmoid, *alone(lambda x: sigmoid(x) * sigmoid(-x))),
        "tanh": (m.tanh, *alone(steep)),
        "silu": (lambda x: x * sigmoid(x), *split(silu)),
        "softplus": (lambda x: m.log1p(m.exp(-abs(x))) + m.maximum(x, 0), *alone(sigmoid)),
        "gelu": (lambda x: x * normal(x), *split(gelu)),
        "gelu_tanh": (lambda x: x * sigmoid(cubic(x)[0]), *split(gelu_tanh)),
        "erf": (m.erf, *alone(lambda x: 2 / m.sqrt(m.pi) * m.exp(-x * x))),
    }


class Exact:
    """Functions of single numbers in the precision of mpmath."""

    exp, log1p, tanh, sqrt, maximum = mpmath.exp, mpmath.log1p, mpmath.tanh, mpmath.sqrt, max
    erf, erfc, pi, one = mpmath.erf, mpmath.erfc, mpmath.pi, mpmath.mpf(1)

    @staticmethod
    def where(condition: Any, yes: Any, no: Any) -> Any:
        return yes if condition else no


EXACT = functions(Exact)
