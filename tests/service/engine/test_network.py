"""The facade: what its methods take, and what they hand on."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from support.engine import compiled
from support.networks import Example, examples

from deltawire.errors import Refused

SPEC = {
    "inputs": {"x": {"shape": [2]}},
    "nodes": [
        {"name": "h", "kind": "linear", "config": {"units": 3}},
        {"name": "loss", "kind": "sum"},
        {"name": "beside", "kind": "tanh", "inputs": ["h"]},
    ],
    "loss": "loss",
    "regularization": {"l2": 0.5},
}
DATA = {"x": np.array([[1.0, -2.0], [0.5, 3.0]])}


def test_a_trace_and_gradients_of_each_example_exclude_each_other() -> None:
    network = compiled(SPEC)
    with pytest.raises(Refused, match="without per_example") as refused:
        network.gradients(network.init(0), DATA, trace=True, per_example=True)
    assert (refused.value.pointer, refused.value.code) == ("/trace", "field_invalid")


@given(examples())
def test_without_regularization_the_loss_is_that_of_the_examples(example: Example) -> None:
    network = compiled(example.spec).without_regularization()
    result = network.gradients(example.params, example.data, reduction="sum")
    assert result.loss == pytest.approx(result.losses.sum(), rel=1e-12, abs=1e-12)


@pytest.mark.parametrize(
    "check, argument, pointer",
    [
        ("check_values", ["h", "g"], "/values/1"),
        ("check_values", [], "/values"),
        ("check_outputs", {"g": None}, "/cotangents/g"),
        ("check_outputs", {}, "/cotangents"),
    ],
)
def test_names_can_be_checked_before_arrays_are_read(check: str, argument: Any, pointer: str) -> None:
    with pytest.raises(Refused) as refused:
        getattr(compiled(SPEC), check)(argument)
    assert refused.value.pointer == pointer


def test_checks_return_what_the_service_needs() -> None:
    network = compiled(SPEC)
    params = network.init(0)
    network.check_values(["beside"])
    network.check_names(params, DATA)
    network.check_names({}, {"x": None}, ["x"])  # only names are looked at
    assert network.check_outputs({"loss": None, "h": None}) == ("h", "loss")
    assert network.check_arrays(params, DATA) == 2


def test_plan_and_gradients_take_the_same_names() -> None:
    network = compiled(SPEC)
    plan = network.plan(2, wrt_params=["h.bias"], values=["beside"])
    assert plan.answered_bytes < network.plan(2, values=["beside"]).answered_bytes
    with pytest.raises(Refused) as refused:
        network.plan(2, wrt_params=["g.*"])
    assert refused.value.pointer == "/wrt/params/0"
