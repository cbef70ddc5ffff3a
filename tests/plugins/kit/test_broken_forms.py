"""Layers that give something of another form: types, shapes, dtypes, names, counts; and those that raise."""

from __future__ import annotations

import sys
from collections import OrderedDict, UserDict, namedtuple
from typing import Any

import numpy as np
import pytest
from support.broken_layers import OneInput, caught
from support.made_layers import Case, broken_test, made, scaled, twice

from deltawire_layers import Activation, Formula, Layer, Parameter, Work
from deltawire_layers.initializers import ones

DELTA, VALUE, GRADIENT = "δ of input 0", "value", "gradient of 'w'"


class OwnTuple(tuple[Any, ...]):
    """A subclass of tuple."""


class OwnArray(np.ndarray):
    """A subclass of ndarray."""


class OwnActivation(Activation):
    """A subclass of Activation."""


def raising(error: BaseException) -> Any:
    def way(*_: Any) -> Any:
        raise error

    return way


def declaring(**members: Any) -> Layer:
    """The layer y = 2x with other declarations."""
    return made(lambda params, x: Activation(2 * x, deltas=(lambda delta: 2 * delta,)), **members)


def of_gradient(change: Any) -> Layer:
    """y = w x, whose gradient is given in another form."""
    return made(
        lambda params, x: Activation(
            params["w"] * x,
            deltas=(lambda delta: params["w"] * delta,),
            grads={"w": lambda delta: change(np.asarray((delta * x).sum()))},
        ),
        parameters=lambda self, x: {"w": Parameter((), ones)},
    )


def per_example(change: Any) -> Layer:
    """y = w x with gradients of each example, given in another form."""
    return scaled(
        lambda x, w: w * x,
        lambda x, w: w,
        lambda x, w: x,
        per_example=lambda self, params, delta, x: change((delta * x).sum(axis=-1)),
    )


ACTIVATIONS = {
    "a missing comma": Case(3, "deltas", twice(deltas=(lambda delta: 2 * delta))),
    "a list of deltas": Case(3, "deltas", twice(deltas=[lambda delta: 2 * delta])),
    "no deltas": Case(3, "deltas", twice(deltas=None)),
    "a tuple of its own": Case(3, "deltas", twice(deltas=OwnTuple([lambda delta: 2 * delta]))),
    "an empty tuple": Case(3, DELTA, twice(deltas=())),
    "a number for a delta": Case(3, DELTA, twice(deltas=(2.0,))),
    "an array for a delta": Case(3, DELTA, twice(deltas=(np.ones((6, 3)),))),
    "grads=None": Case(3, "grads", twice(grads=None)),
    "a list of grads": Case(3, "grads", twice(grads=[])),
    "an ordered dict": Case(3, "grads", twice(grads=OrderedDict())),
    "a dict of its own": Case(3, "grads", twice(grads=UserDict())),
    "signal=None": Case(3, "signal", twice(signal=None)),
    "an array for the signal": Case(3, "signal", twice(signal=np.ones(3))),
    "a number for a gradient": Case(
        3,
        GRADIENT,
        made(
            lambda p, x: Activation(p["w"] * x, (lambda d: p["w"] * d,), {"w": 3.0}),
            parameters=lambda self, x: {"w": Parameter((), ones)},
        ),
    ),
    "a gradient named otherwise": Case(
        3,
        GRADIENT,
        made(
            lambda p, x: Activation(p["w"] * x, (lambda d: p["w"] * d,), {"W": lambda d: d}),
            parameters=lambda self, x: {"w": Parameter((), ones)},
        ),
    ),
    "a tuple for an Activation": Case(
        3, "forward", made(lambda p, x: (2 * x, (lambda d: 2 * d,), {}, lambda d: d))
    ),
    "nothing returned": Case(3, "forward", made(lambda p, x: None)),
    "an array alone": Case(3, "forward", made(lambda p, x: 2 * x)),
    "an Activation of its own": Case(
        3, "forward", made(lambda p, x: OwnActivation(2 * x, (lambda d: 2 * d,)))
    ),
    "None for a real input": Case(3, DELTA, twice(deltas=(None,))),
}

ARRAYS = {
    "a closure for the value": Case(5, VALUE, twice(value=lambda: 3)),
    "a number for the value": Case(5, VALUE, twice(value=3.0)),
    "None for the value": Case(5, VALUE, twice(value=None)),
    "a masked value": Case(
        5, VALUE, made(lambda p, x: Activation(np.ma.masked_array(2 * x), (lambda d: 2 * d,)))
    ),
    "a matrix": Case(5, VALUE, made(lambda p, x: Activation((2 * x).view(np.matrix), (lambda d: 2 * d,)))),
    "a record array": Case(
        5, VALUE, made(lambda p, x: Activation((2 * x).view(np.recarray), (lambda d: 2 * d,)))
    ),
    "an array of its own class": Case(
        5, VALUE, made(lambda p, x: Activation((2 * x).view(OwnArray), (lambda d: 2 * d,)))
    ),
    "a list": Case(5, VALUE, made(lambda p, x: Activation((2 * x).tolist(), (lambda d: 2 * d,)))),
    "a closure for a delta's array": Case(5, DELTA, twice(deltas=(lambda d: lambda: 2 * d,))),
    "no array of a delta": Case(5, DELTA, twice(deltas=(lambda d: None,))),
    "a masked delta": Case(5, DELTA, twice(deltas=(lambda d: np.ma.masked_array(2 * d),))),
    "a tuple of a delta": Case(5, DELTA, twice(deltas=(lambda d: (2 * d,),))),
    "a delta with one axis more": Case(5, DELTA, twice(deltas=(lambda d: 2 * d[None],))),
    "a delta with another order of axes": Case(5, DELTA, twice(deltas=(lambda d: 2 * d.T,))),
    "a numpy number for a gradient": Case(5, GRADIENT, of_gradient(lambda g: g[()])),
    "a gradient with an axis": Case(5, GRADIENT, of_gradient(lambda g: g[None])),
    "a gradient in float16": Case(4, GRADIENT, of_gradient(lambda g: g.astype(np.float16))),
    "objects": Case(4, VALUE, made(lambda p, x: Activation((2 * x).astype(object), (lambda d: 2 * d,)))),
    "integers": Case(4, DELTA, twice(deltas=(lambda d: np.ones(d.shape, int),))),
    "the other byte order": Case(4, DELTA, twice(deltas=(lambda d: (2 * d).astype(d.dtype.newbyteorder()),))),
    "always float64": Case(4, DELTA, twice(deltas=(lambda d: (2 * d).real.astype(np.float64),))),
    "a list per example": Case(5, "per_example", per_example(lambda g: [g])),
    "a mapping per example": Case(5, "per_example", per_example(lambda g: OrderedDict(w=g))),
    "another name per example": Case(3, "per_example", per_example(lambda g: {"v": g})),
    "another shape per example": Case(5, "per_example", per_example(lambda g: {"w": g[:, None]})),
    "other numbers per example": Case(2, "per_example", per_example(lambda g: {"w": 2 * g})),
}

DECLARATIONS = {
    "a list": Case(5, "output_shape", declaring(output_shape=lambda self, x: [3])),
    "a tuple of its own": Case(5, "output_shape", declaring(output_shape=lambda self, x: OwnTuple(x))),
    "a named tuple": Case(5, "output_shape", declaring(output_shape=lambda self, x: namedtuple("S", "a")(3))),
    "no size": Case(5, "output_shape", declaring(output_shape=lambda self, x: (0,))),
    "a negative size": Case(5, "output_shape", declaring(output_shape=lambda self, x: (-3,))),
    "a size of numpy": Case(5, "output_shape", declaring(output_shape=lambda self, x: (np.int64(3),))),
    "a size that is True": Case(5, "output_shape", declaring(output_shape=lambda self, x: (True,))),
    "a shape that raises": Case(5, "output_shape", declaring(output_shape=lambda self, x: (x[7],))),
    "another shape than the value's": Case(5, VALUE, declaring(output_shape=lambda self, x: (4,))),
    "parameters=None": Case(5, "parameters", declaring(parameters=lambda self, x: None)),
    "an ordered dict of parameters": Case(
        5, "parameters", declaring(parameters=lambda self, x: OrderedDict())
    ),
    "a shape with no initializer": Case(
        5, "parameter 'w'", declaring(parameters=lambda self, x: {"w": Parameter((3,), None)})
    ),
    "a tuple for a Parameter": Case(
        5, "parameter 'w'", declaring(parameters=lambda self, x: {"w": ((3,), ones)})
    ),
    "a parameter named in Greek": Case(
        5, "parameter 'ω'", declaring(parameters=lambda self, x: {"ω": Parameter((3,), ones)})
    ),
    "a parameter without a name": Case(
        5, "parameter ''", declaring(parameters=lambda self, x: {"": Parameter((3,), ones)})
    ),
    "a parameter named by a number": Case(
        5, "parameter 0", declaring(parameters=lambda self, x: {0: Parameter((3,), ones)})
    ),
    "first numbers in float32": Case(
        5,
        "parameter 'w'",
        declaring(parameters=lambda self, x: {"w": Parameter(x, lambda r, s: np.ones(s, np.float32))}),
    ),
    "first numbers that are infinite": Case(
        5,
        "parameter 'w'",
        declaring(parameters=lambda self, x: {"w": Parameter(x, lambda r, s: np.full(s, np.inf))}),
    ),
    "an initializer that raises": Case(
        5,
        "parameter 'w'",
        declaring(parameters=lambda self, x: {"w": Parameter(x, raising(ValueError("no")))}),
    ),
    "integers=None": Case(5, "integer_inputs", declaring(integer_inputs=lambda self, x: None)),
    "a list of integers": Case(5, "integer_inputs", declaring(integer_inputs=lambda self, x: {0: [0, 1]})),
    "a step of two": Case(5, "integer_inputs", declaring(integer_inputs=lambda self, x: {0: range(0, 9, 2)})),
    "ranges that overlap": Case(
        5, "integer_inputs", declaring(integer_inputs=lambda self, x: {0: (range(4), range(3, 9))})
    ),
    "integers of no input": Case(
        5, "integer_inputs", declaring(integer_inputs=lambda self, x: {1: range(4)})
    ),
    "work of floats": Case(5, "work", declaring(work=lambda self, x: Work(1.5))),
    "work that raises": Case(5, "work", declaring(work=raising(ZeroDivisionError("no")))),
    "constant rows of nothing": Case(5, "constant_rows", declaring(constant_rows=lambda self: {"v": (0,)})),
    "saved=None": Case(5, "saved", declaring(saved=lambda self, x: None)),
    "saved below 0": Case(5, "saved", declaring(saved=lambda self, x: -1)),
    "a domain of one number": Case(5, "domain", declaring(domain=(0,))),
    "a domain the wrong way round": Case(5, "domain", declaring(domain=(1, 0))),
    "bounds of a list": Case(5, "bounds", declaring(bounds=[(0, 1)])),
    "elementwise of a number": Case(5, "elementwise", declaring(elementwise=1)),
    "a formula of text": Case(6, "formula", declaring(formula="y = 2x")),
    "a formula of one delta": Case(6, "formula", declaring(formula=Formula("2 {x0}", "2 {delta}"))),
    "a formula with grads=None": Case(
        6, "formula", declaring(formula=Formula("2 {x0}", ("2 {delta}",), None))
    ),
    "no docstring": Case(6, "docstring", declaring(__doc__=None)),
    "a shape that changes": Case(
        5, "work", declaring(work=lambda self, x, n=[0]: n.append(0) or Work(len(n)))
    ),
    "elementwise that sums": Case(
        5,
        "elementwise",
        made(
            lambda p, x: Activation(
                x + x.sum(axis=-1, keepdims=True), (lambda d: d + d.sum(axis=-1, keepdims=True),)
            ),
            elementwise=True,
        ),
    ),
}

RAISES = {
    "the value": Case(5, VALUE, made(raising(ValueError("no")))),
    "sys.exit": Case(5, VALUE, made(lambda p, x: sys.exit(3))),
    "a keyboard interrupt": Case(5, DELTA, twice(deltas=(raising(KeyboardInterrupt()),))),
    "the signal": Case(5, "signal", twice(signal=raising(RuntimeError("no")))),
    "in complex numbers": Case(
        4,
        VALUE,
        made(
            lambda p, x: (
                raising(TypeError("complex"))()
                if np.iscomplexobj(x)
                else Activation(2 * x, (lambda d: 2 * d,))
            )
        ),
    ),
    "a key of its own dict": Case(5, VALUE, made(lambda p, x: {}["missing"])),
    "a parameter that is none": Case(5, VALUE, made(lambda p, x: Activation(p["w"] * x, (lambda d: d,)))),
    "a singular matrix it makes itself": Case(5, VALUE, made(lambda p, x: np.linalg.inv(np.zeros((2, 2))))),
    "two arguments": Case(5, DELTA, twice(deltas=(lambda d, x: 2 * d,))),
    "no end of recursion": Case(5, VALUE, made(lambda p, x: (f := lambda n: f(n + 1))(0))),
    "writing to a broadcast of its own": Case(
        1, VALUE, made(lambda p, x: np.broadcast_to(1.0, (3,)).__iadd__(1))
    ),
}

test_broken = broken_test(
    {
        f"{kind} {name}": case
        for kind, cases in (
            ("activation:", ACTIVATIONS),
            ("array:", ARRAYS),
            ("declaration:", DECLARATIONS),
            ("raises:", RAISES),
        )
        for name, case in cases.items()
    }
)


@pytest.mark.parametrize(
    "layer, mend",
    [
        (ACTIVATIONS["a missing comma"].layer, "write the comma of a tuple: deltas=(lambda delta: …,)"),
        (ACTIVATIONS["grads=None"].layer, "leave it out where there are no parameters"),
        (ARRAYS["a masked value"].layer, "fill the masked places: array.filled(0)"),
        (ARRAYS["a closure for a delta's array"].layer, "call it, and give the array that it returns"),
        (ARRAYS["a numpy number for a gradient"].layer, "np.asarray(…, dtype) makes it an array"),
        (ACTIVATIONS["an array for a delta"].layer, "give a function of the signal: lambda delta: …"),
    ],
)
def test_the_mend_is_named(layer: Layer, mend: str) -> None:
    assert mend in str(caught(layer, (3,)))


def test_a_class_for_a_layer_is_named_with_the_mend() -> None:
    assert "give a configured layer" in str(caught(OneInput, (3,)))  # type: ignore[arg-type]
