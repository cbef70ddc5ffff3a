"""Configs of optimizers: checked when they are made, and every key is known."""

from __future__ import annotations

from typing import Any

import pytest
from marshmallow import ValidationError

from deltawire_optimizers import Optimizer, StateArray, load_optimizers

OPTIMIZERS = load_optimizers()


@pytest.mark.parametrize("kind", OPTIMIZERS)
@pytest.mark.parametrize(
    "config", [{"learning_rate": -1}, {"learning_rate": "0.1"}, {"lr": 0.1}, {"learning_rate": float("nan")}]
)
def test_a_config_that_does_not_fit_is_refused(kind: str, config: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match=next(iter(config))):
        OPTIMIZERS[kind](**config)


@pytest.mark.parametrize("betas", [[0.9], [0.9, 1.0], [-0.1, 0.9], 0.9, [0.9, 0.99, 0.999], ["0.9", 0.9]])
@pytest.mark.parametrize("kind", ["adam", "adamw", "lion"])
def test_betas_are_two_numbers_below_1(kind: str, betas: Any) -> None:
    with pytest.raises(ValidationError, match="betas"):
        OPTIMIZERS[kind](betas=betas)
    assert OPTIMIZERS[kind](betas=(0.0, 0.5)).betas == [0.0, 0.5]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("kind", "config", "names"),
    [
        ("sgd", {}, []),
        ("sgd", {"momentum": 0.9}, ["momentum_buffer"]),
        ("adam", {}, ["exp_avg", "exp_avg_sq"]),
        ("adam", {"amsgrad": True}, ["exp_avg", "exp_avg_sq", "max_exp_avg_sq"]),
        ("adamw", {}, ["exp_avg", "exp_avg_sq"]),
        ("rmsprop", {}, ["square_avg"]),
        ("rmsprop", {"centered": True, "momentum": 0.1}, ["square_avg", "grad_avg", "momentum_buffer"]),
        ("lion", {}, ["exp_avg"]),
    ],
)
def test_the_state_is_named_as_in_torch(kind: str, config: dict[str, Any], names: list[str]) -> None:
    assert OPTIMIZERS[kind](**config).state((2, 3)) == dict.fromkeys(names, StateArray((2, 3)))


def test_adagrad_starts_its_sum_where_it_is_told() -> None:
    optimizer = OPTIMIZERS["adagrad"](initial_accumulator_value=0.5)
    assert optimizer.state((2,)) == {"sum": StateArray((2,), 0.5)}


def test_an_optimizer_without_a_rule_says_so() -> None:
    with pytest.raises(TypeError, match="Optimizer must define update"):
        Optimizer().update(*[None] * 5)  # type: ignore[arg-type]
