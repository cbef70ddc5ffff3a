"""Errors of a training loop name the caller's rows, and the epoch and the step."""

from __future__ import annotations

import numpy as np
import pytest

from deltawire import Fault, Refused, Unreachable
from deltawire.optim.batch_faults import MEND, of_training

ROWS = np.array([7, 3, 5])


def told(fault: Fault, taken: int = 0) -> Fault:
    return of_training(Refused([fault], 422, "id"), ROWS, {"scale"}, 2, 4, taken).faults[0]


@pytest.mark.parametrize(
    ("fault", "pointer", "detail"),
    [
        (Fault("/data/x/1/0", "c", "got 9 in example 1"), "/data/x/3/0", "got 9 in example 3"),
        (
            Fault("/data/user/2", "c", "got 9 in example 2, at [1]"),
            "/data/user/5",
            "got 9 in example 5, at [1]",
        ),
        (Fault("/data/scale/1", "c", "got 9, at [1]"), "/data/scale/1", "got 9, at [1]"),
        (Fault("/data/x", "c", "expected 3 examples"), "/data/x", "expected 3 examples"),
        (Fault("/params/data/1", "c", "in example 0"), "/params/data/1", "in example 7"),
    ],
)
def test_rows_of_a_batch_become_those_of_the_data(fault: Fault, pointer: str, detail: str) -> None:
    translated = told(fault)
    assert (translated.pointer, translated.detail) == (pointer, f"{detail} (epoch 2, step 4)")


def test_a_training_diverges_after_its_first_step_only() -> None:
    node = Fault("/network/nodes/3", "non_finite", "inf in example 0")
    assert (told(node).mend, told(node, taken=1).mend) == ("", MEND)
    assert told(Fault("/data/x", "non_finite", "nan in example 0"), taken=1).mend == ""


def test_the_error_stays_what_it_is() -> None:
    lost = Unreachable([Fault("", "unreachable", "no service"), Fault("", "unreachable", "twice")])
    error = of_training(lost, ROWS, (), 1, 2, 3)
    assert type(error) is Unreachable
    assert [fault.detail for fault in error.faults] == ["no service (epoch 1, step 2)", "twice"]
