"""Broken layers of a second set, held back to measure the kit before it was changed for them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from support.broken_layers import Array, OneInput
from support.made_layers import Case, Lookup, broken_test, made, of_one, two

from deltawire_layers import Activation, Layer, Parameter, Shape
from deltawire_layers.initializers import fan_in, ones, zeros

DELTA, VALUE = "δ of input 0", "value"


def square(self: Layer, x: Shape) -> dict[str, Parameter]:
    return {"W": Parameter((*x, *x), fan_in(*x))}


def softmax(x: Array) -> Array:
    e = np.exp(x - x.real.max(-1, keepdims=True))
    return np.asarray(e / e.sum(-1, keepdims=True))


def log_softmax(x: Array) -> Array:
    top = x.real.max(-1, keepdims=True)
    return np.asarray(x - top - np.log(np.exp(x - top).sum(-1, keepdims=True)))


def layer_norm(params: Any, x: Array) -> Activation:
    c = x - x.mean(-1, keepdims=True)
    s = 1 / np.sqrt((c * c).mean(-1, keepdims=True) + 1e-2)
    y = c * s
    return Activation(y, (lambda d: s * (d - y * (d * y).mean(-1, keepdims=True)),))


def absolute(x: Array) -> Array:
    return np.where(x.real < 0, -x, x)


def huber(x: Array) -> Array:
    return np.where(np.abs(x.real) < 1, x * x / 2, absolute(x) - 0.5)


def clipped(x: Array) -> Array:
    return np.where(np.abs(x.real) > 1, np.sign(x.real) + 0 * x, x)


def half(x: Array) -> Array:
    return x.astype(np.complex64 if np.iscomplexobj(x) else np.float32).astype(x.dtype)


def naive(params: Any, x: Array) -> Activation:
    e = np.exp(x)
    return Activation(np.log(e.sum(-1)), (lambda d: d[:, None] * np.exp(x) / np.exp(x).sum(-1)[:, None],))


def unit(params: Any, x: Array) -> Activation:
    def length() -> Array:
        return np.sqrt((x * x).sum(-1, keepdims=True))

    return Activation(
        x / length(),
        (lambda d: d / length() - x * (d * x).sum(-1, keepdims=True) / length() ** 3,),
    )


def tanh(x: Array) -> Array:
    return (np.exp(x) - np.exp(-x)) / (np.exp(x) + np.exp(-x))


def last_axis(self: Layer, x: Shape) -> Shape:
    return x[:-1]


NUMBERS = {
    "square weights transposed": Case(
        4,
        "gradient of 'W'",
        made(
            lambda p, x: Activation(x @ p["W"], (lambda d: d @ p["W"].T,), {"W": lambda d: d.T @ x}),
            parameters=square,
        ),
    ),
    "layer norm without its mean": Case(4, DELTA, made(layer_norm, saved=lambda self, x: 3 * x[-1] + 3)),
    "log softmax without its sum": Case(4, DELTA, of_one(log_softmax, lambda x, d: d - softmax(x))),
    "huber bent at 1.2": Case(
        4, DELTA, of_one(huber, lambda x, d: d * np.where(np.abs(x.real) < 1.2, x, np.sign(x.real)))
    ),
    "cumulative sum of deltas": Case(4, DELTA, of_one(lambda x: x.cumsum(-1), lambda x, d: d.cumsum(-1))),
    "rolled on": Case(4, DELTA, of_one(lambda x: np.roll(x, 1, -1), lambda x, d: np.roll(d, 1, -1))),
    "clipped straight through": Case(4, DELTA, of_one(clipped, lambda x, d: d)),
    "rounded straight through": Case(4, DELTA, of_one(lambda x: np.round(x.real) + 0 * x, lambda x, d: d)),
    "conjugate": Case(4, VALUE, of_one(lambda x: x * x.conj(), lambda x, d: 2 * d * x)),
    "real delta": Case(4, DELTA, of_one(lambda x: x * x, lambda x, d: 2 * x * d.real)),
    "float32 inside": Case(4, VALUE, of_one(lambda x: half(x) * 2, lambda x, d: 2 * d)),
    "naive log of sums": Case(4, DELTA, made(naive, output_shape=last_axis)),
    "half a slope": Case(4, DELTA, of_one(lambda x: x * x, lambda x, d: d * x)),
    "unit vector": Case(4, VALUE, made(unit)),
    "root of a square": Case(4, DELTA, of_one(lambda x: np.sqrt(x * x), lambda x, d: d * x / np.sqrt(x * x))),
    "tanh of exponentials": Case(4, VALUE, of_one(tanh, lambda x, d: d * (1 - tanh(x) ** 2))),
    "maximum to all ties": Case(
        4,
        VALUE,
        made(
            lambda p, x: Activation(x.max(-1), (lambda d: d[:, None] * (x == x.max(-1)[:, None]),)),
            output_shape=last_axis,
        ),
    ),
    "half forgotten": Case(
        4,
        "δ of input 1",
        two(lambda a, b: a * b * 0.5, lambda a, b: b * 0.5, lambda a, b: a),
        ((3,), (3,)),
    ),
    "centred beyond 2000 rows": Case(
        2, VALUE, of_one(lambda x: 2 * x - (0 if len(x) < 2000 else x.mean(0)), lambda x, d: 2 * d)
    ),
    "mean of gradients": Case(
        2,
        "gradient of 'b'",
        made(
            lambda p, x: Activation(x + p["b"], (lambda d: d,), {"b": lambda d: d.mean(0)}),
            parameters=lambda self, x: {"b": Parameter(x, zeros)},
        ),
    ),
}


def memo(key: Callable[[Array], Any]) -> Layer:
    """y = x², from a memo."""
    found: dict[Any, Array] = {}

    def value(x: Array) -> Array:
        of = x.shape, x.dtype.char, key(x)
        if of not in found:
            found[of] = x * x * 1
        return found[of]

    return of_one(value, lambda x, d: 2 * d * x)


def memo_without_dtype() -> Layer:
    found: dict[Any, Array] = {}

    def value(x: Array) -> Array:
        return found.setdefault((x.shape, tuple(map(complex, x.flat))), x * x * 1)

    return of_one(value, lambda x, d: 2 * d * x)


def memo_of_weights() -> Layer:
    found: dict[Any, Array] = {}

    def turned(w: Array) -> Array:
        return found.setdefault((w.dtype.char, w.shape, complex(w.sum())), w.T.copy())

    def forward(params: Any, x: Array) -> Activation:
        W = params["W"]
        return Activation(x @ turned(W), (lambda d: d @ W,), {"W": lambda d: d.T @ x})

    return made(forward, parameters=square)


MEMOS = {
    "sum": memo(lambda x: x.sum()),
    "rounded numbers": memo(lambda x: x.round(2).tobytes()),
    "address": memo(lambda x: x.ctypes.data),
    "first row": memo(lambda x: x[0].tobytes()),
    "corners": memo(lambda x: (x.flat[0], x.flat[-1])),
    "every second number": memo(lambda x: x.ravel()[::2].tobytes()),
    "greatest and least": memo(lambda x: (x.max(), x.min())),
    "sorted numbers": memo(lambda x: np.sort(x, axis=None).tobytes()),
    "norm": memo(lambda x: round(float(np.linalg.norm(x)), 12)),
    "real parts": memo(lambda x: x.real.tobytes()),
    "all but the dtype": memo_without_dtype(),
    "sum of weights": memo_of_weights(),
}


def add_once(total: Array, x: Array, delta: Array) -> None:
    total[x] += delta


def from_an_iterator(params: Any, x: Array) -> Activation:
    w = params["w"]
    slopes = iter([w, x])
    return Activation(
        x * w, (lambda d: d * next(slopes),), {"w": lambda d: np.asarray((d * next(slopes)).sum())}
    )


class SortsItsConfig(OneInput):
    """y = 2x."""

    def __init__(self, **config: Any):
        super().__init__(**config)
        self.order = [3, 1, 2]

    def forward(self, params: Any, x: Array) -> Activation:
        self.order.sort()
        return Activation(2 * x, (lambda d: 2 * d,))


class TwicePerExample(OneInput):
    """y = w x, for x and w (n,)."""

    def parameters(self, x: Shape) -> dict[str, Parameter]:
        return {"w": Parameter(x, ones)}

    def forward(self, params: Any, x: Array) -> Activation:
        w = params["w"]
        return Activation(w * x, (lambda d: d * w,), {"w": lambda d: (d * x).sum(0)})

    def per_example(self, params: Any, delta: Array, *inputs: Array) -> Any:
        return {"w": delta * inputs[0] * (1 + (len(delta) > 3))}


def four_arrays(params: Any, x: Array) -> Activation:
    a, b, c, e = (x + k for k in range(4))
    return Activation(x * x, (lambda d: 2 * d * x + 0 * (a + b + c + e),))


FORMS = {
    "repeats lost": Case(2, "gradient of 'W'", Lookup(add_once)),
    "one iterator": Case(
        1, DELTA, made(from_an_iterator, parameters=lambda self, x: {"w": Parameter((), ones)})
    ),
    "config sorted": Case(1, "self.order", SortsItsConfig()),
    "per example": Case(2, "per_example", TwicePerExample()),
    "four arrays": Case(5, "saved", made(four_arrays)),
    "order of memory": Case(
        1, VALUE, of_one(lambda x: x.ravel("A").reshape(x.shape) * 2, lambda x, d: 2 * d), ((2, 3),)
    ),
}

test_broken = broken_test(
    NUMBERS | {f"memo by {name}": Case(1, VALUE, layer) for name, layer in MEMOS.items()} | FORMS
)
