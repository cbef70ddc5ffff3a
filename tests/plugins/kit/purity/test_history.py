"""Rule 1, pure: the kit catches numbers kept from an earlier call, which look like constants later."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np
from support.broken_layers import Array, OneInput, caught
from support.made_layers import Case, broken_test, made, right_test

from deltawire_layers import Activation, Layer

VALUE = "value"


def factor(of: Callable[[Array], Any]) -> Layer:
    """y = k x, for a number or array k that is computed somehow."""

    def forward(params: Any, x: Array) -> Activation:
        k = of(x)
        return Activation(x * k, (lambda delta: delta * k,))

    return made(forward)


def size(x: Array) -> float:
    return float(np.abs(x).mean())


BY_SHAPE: dict[Any, float] = {}
ROWS: dict[Any, int] = {}
WIDTH: dict[str, int] = {}
FIRST: list[float] = []
COUNT: int | None = None


class Record:
    """A record with an attribute."""

    size = 0.0


KEPT = Record()


def of_a_name(x: Array) -> int:
    global COUNT
    if COUNT is None:
        COUNT = len(x)
    return COUNT


def of_a_list(x: Array) -> float:
    if not FIRST:
        FIRST.append(size(x))
    return FIRST[0]


def of_a_record(x: Array) -> float:
    KEPT.size = KEPT.size or size(x)
    return KEPT.size


def of_a_closure() -> Callable[[Array], float]:
    found = None

    def of(x: Array) -> float:
        nonlocal found
        found = found or size(x)
        return found

    return of


class OnSelf(OneInput):
    """y = x / m, for the greatest number m of the first batch."""

    def forward(self, params: Any, x: Array) -> Activation:
        if not hasattr(self, "greatest"):
            self.greatest = float(np.abs(x).max())
        m = self.greatest
        return Activation(x / m, (lambda delta: delta / m,))


class OnItsClass(OneInput):
    """y = x / m, for the greatest number m of the first batch."""

    greatest: ClassVar[float | None] = None

    def forward(self, params: Any, x: Array) -> Activation:
        if OnItsClass.greatest is None:
            OnItsClass.greatest = float(np.abs(x).max())
        m = OnItsClass.greatest
        return Activation(x / m, (lambda delta: delta / m,))


CASES = {
    "of the first numbers of a shape": Case(
        1, VALUE, factor(lambda x: BY_SHAPE.setdefault(x.shape, size(x)))
    ),
    "of the first numbers": Case(1, VALUE, factor(lambda x: BY_SHAPE.setdefault(None, size(x)))),
    "rows of the first batch": Case(
        1, VALUE, factor(lambda x: ROWS.setdefault(x.shape[1:], len(x)) / len(x))
    ),
    "width of the first shape": Case(1, VALUE, factor(lambda x: WIDTH.setdefault("width", x.shape[1]))),
    "in a name": Case(1, VALUE, factor(of_a_name)),
    "in a list": Case(1, VALUE, factor(of_a_list)),
    "in a record": Case(1, VALUE, factor(of_a_record)),
    "in a closure": Case(1, VALUE, factor(of_a_closure())),
    "on self": Case(1, VALUE, OnSelf()),
    "on its class": Case(1, VALUE, OnItsClass()),
}

test_broken = broken_test(CASES)


def test_the_error_says_that_earlier_calls_matter() -> None:
    assert "depends on what the layer was called with before" in str(caught(CASES["in a list"].layer, (3,)))


def test_numbers_kept_before_the_check_are_forgotten() -> None:
    BY_SHAPE["kept"] = 3.0
    error = caught(factor(lambda x: BY_SHAPE.setdefault("kept", size(x))), (3,))
    assert (error.rule, error.closure) == (1, VALUE)


def test_everything_is_afterwards_as_it_was() -> None:
    WIDTH["width"] = 7
    caught(CASES["width of the first shape"].layer, (3,))
    caught(CASES["in a name"].layer, (3,))
    assert WIDTH == {"width": 7} and COUNT is None


@lru_cache
def ramp(width: int) -> Array:
    return np.arange(1.0, width + 1)


RAMPS: dict[int, Array] = {}
CONSTANTS = {"two": 2.0}
FUNCTIONS: list[Callable[[Array], Array]] = [np.abs, np.square]


def ramp_in_a_dict(x: Array) -> Array:
    width = x.shape[1]
    if width not in RAMPS:
        RAMPS[width] = ramp(width)
    return RAMPS[width].astype(x.dtype)


def registered(params: Any, x: Array) -> Activation:
    return Activation(FUNCTIONS[1](x), (lambda delta: 2 * delta * x,))


RIGHT: dict[str, Any] = {
    "a cache of shapes": (factor(lambda x: ramp(x.shape[1]).astype(x.dtype)), ((3,),)),
    "a dict of shapes": (factor(ramp_in_a_dict), ((3,),)),
    "a dict of constants": (factor(lambda x: CONSTANTS["two"]), ((3,),)),
    "a list of functions": (made(registered), ((3,),)),
}

test_right = right_test(RIGHT)
