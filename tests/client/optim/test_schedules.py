"""Each function has the config of its schedule as arguments, with the same defaults."""

from __future__ import annotations

import inspect

import pytest
from marshmallow import missing

from deltawire import Refused
from deltawire.optim import schedules
from deltawire_optimizers import SCHEDULES


@pytest.mark.parametrize("kind", SCHEDULES)
def test_the_arguments_are_the_config(kind: str) -> None:
    arguments = inspect.signature(getattr(schedules, kind)).parameters
    expected = {
        name: inspect.Parameter.empty if field.load_default is missing else field.load_default
        for name, field in SCHEDULES[kind].Config().fields.items()
    }
    assert {name: argument.default for name, argument in arguments.items()} == expected


def test_a_warm_up_followed_by_a_cosine() -> None:
    schedule = schedules.sequence(
        [schedules.linear(0.1, 1.0, 10), schedules.cosine(20, 0.1), schedules.constant()], milestones=[10, 30]
    )
    rates = [schedule.learning_rate(1.0, number) for number in range(1, 33)]
    assert (
        rates[0] == 0.1 and rates[10] == 1.0 and rates[20] == pytest.approx(0.55) and rates[30:] == [1.0, 1.0]
    )


def test_what_does_not_fit_is_named() -> None:
    with pytest.raises(Refused) as caught:
        schedules.cosine(T_max=0, eta_min=-1)
    assert {fault.pointer for fault in caught.value.faults} == {"/T_max", "/eta_min"}
    with pytest.raises(Refused) as caught:
        schedules.sequence([schedules.constant()], milestones=[1])
    assert caught.value.pointer == "/milestones"
