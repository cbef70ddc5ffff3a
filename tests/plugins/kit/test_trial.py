"""The kit's error: rule, closure, point, place, numbers and cause."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from support.broken_layers import Array, Broken, OneInput, Params, caught

from deltawire_layers import (
    Activation,
)
from deltawire_layers.numeric import analytic, branches

broken = Broken()


@broken(4, "δ of input 0", (3,))
class WrongSign(OneInput):
    def forward(self, params: Params, x: Array) -> Activation:
        return Activation(-x, deltas=(lambda delta: delta,))


@broken(4, "δ of input 0", ())
class WrongBeyondSix(OneInput):
    def forward(self, params: Params, x: Array) -> Activation:
        return Activation(
            analytic.softplus(x),
            deltas=(lambda delta: delta * np.where(np.fabs(x.real) > 6, 1, analytic.sigmoid(x)),),
        )


@broken(4, "δ of input 0", (3,))
class WrongInOnePlace(OneInput):
    def forward(self, params: Params, x: Array) -> Activation:
        off = np.array([1, 1, 1 + 1e-7]).astype(x.dtype)
        return Activation(x * x, deltas=(lambda delta: 2 * delta * x * off,))


@broken(4, "δ of input 0", (3,))
class WrongOnlyAtTies(OneInput):
    def forward(self, params: Params, x: Array) -> Activation:
        return Activation(branches.relu(x), deltas=(lambda delta: delta * (x.real >= 0),))


@broken(5, "value", (3,))
class RaisesOnItsOwnShapes(OneInput):
    def forward(self, params: Params, x: Array) -> Activation:
        return Activation(x.reshape(2, 2, 2), deltas=(lambda delta: delta,))


test_a_broken_layer_is_caught_and_named = broken.test()


def test_the_error_says_rule_closure_place_and_numbers() -> None:
    error = caught(WrongInOnePlace(), (3,))
    assert isinstance(error, AssertionError)
    assert (error.layer, error.rule_name, error.point) == ("WrongInOnePlace", "analytic", "scale 0.001")
    assert error.place is not None and error.place[-1] == 2
    assert isinstance(error.expected, float) and error.got == pytest.approx(
        error.expected * (1 + 1e-7), rel=1e-10
    )
    assert str(error) == (
        "WrongInOnePlace breaks rule 4 (analytic): δ of input 0 is not the derivative of the value: "
        f"expected {error.expected}, got {error.got} at {list(error.place)}, at scale 0.001"
    )


def test_the_error_says_at_which_scale() -> None:
    assert caught(WrongBeyondSix(), ()).point == "scale 10"
    assert caught(WrongOnlyAtTies(), (3,)).point == "exact ties of scale 1"


def test_the_error_can_be_pickled() -> None:
    error = caught(WrongSign(), (3,))
    copy = pickle.loads(pickle.dumps(error))
    assert (str(copy), vars(copy)) == (str(error), vars(error))


def test_what_the_layer_raised_is_the_cause() -> None:
    error = caught(RaisesOnItsOwnShapes(), (3,))
    assert isinstance(error.__cause__, ValueError) and str(error.__cause__) in str(error)
