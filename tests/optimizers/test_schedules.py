"""Schedules against torch.optim.lr_scheduler, and by hand."""

from __future__ import annotations

from typing import Any

import pytest
from marshmallow import ValidationError

from deltawire_optimizers import SCHEDULES, dump_schedule, load_schedule

WARM_UP = {
    "kind": "sequence",
    "schedules": [
        {"kind": "linear", "start_factor": 0.01, "total_iters": 10},
        {"kind": "cosine", "T_max": 50, "eta_min": 1e-4},
        {"kind": "constant"},
    ],
    "milestones": [10, 60],
}


def rates(document: dict[str, Any], count: int = 100, base: float = 0.1) -> list[float]:
    schedule = load_schedule(document)
    return [schedule.learning_rate(base, number) for number in range(1, count + 1)]


def test_by_hand() -> None:
    assert rates({"kind": "constant"}, 3) == [0.1, 0.1, 0.1]
    assert rates({"kind": "step", "step_size": 2, "gamma": 0.5}, 5) == [0.1, 0.1, 0.05, 0.05, 0.025]
    assert rates({"kind": "linear", "start_factor": 0.5, "total_iters": 2}, 4) == pytest.approx(
        [0.05, 0.075, 0.1, 0.1]
    )
    assert rates({"kind": "cosine", "T_max": 2}, 3) == pytest.approx([0.1, 0.05, 0.0])
    warm_up = rates(WARM_UP)
    assert warm_up[0] == pytest.approx(0.001) and warm_up[10] == 0.1 and warm_up[60] == 0.1
    assert warm_up[59] == pytest.approx(1e-4, rel=1)


@pytest.mark.torch
@pytest.mark.parametrize(
    "document",
    [
        {"kind": "constant"},
        {"kind": "step", "step_size": 7, "gamma": 0.3},
        {"kind": "step", "step_size": 1},
        {"kind": "cosine", "T_max": 30},
        {"kind": "cosine", "T_max": 100, "eta_min": 0.02},
        {"kind": "linear"},
        {"kind": "linear", "start_factor": 0.01, "end_factor": 0.7, "total_iters": 33},
        WARM_UP,
    ],
)
def test_100_rates_are_those_of_torch(document: dict[str, Any]) -> None:
    torch = pytest.importorskip("torch")
    schedulers = torch.optim.lr_scheduler
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1)

    def theirs(document: dict[str, Any]) -> Any:
        config = {key: value for key, value in document.items() if key != "kind"}
        if document["kind"] == "sequence":
            config["schedulers"] = [theirs(each) for each in config.pop("schedules")]
        names = {
            "constant": "LambdaLR",
            "step": "StepLR",
            "cosine": "CosineAnnealingLR",
            "linear": "LinearLR",
            "sequence": "SequentialLR",
        }
        config |= {"lr_lambda": lambda _: 1.0} if document["kind"] == "constant" else {}
        return getattr(schedulers, names[document["kind"]])(optimizer, **config)

    scheduler, expected = theirs(document), []
    for _ in range(100):
        expected.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    assert rates(document) == pytest.approx(expected, rel=1e-12, abs=1e-14)


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ("cosine", "an object"),
        ({}, "expected one of constant, step, cosine, linear, sequence"),
        ({"kind": "cosin"}, "expected one of"),
        ({"kind": ["step"]}, "expected one of"),
        ({"kind": "constant", "factor": 1}, "factor"),
        ({"kind": "cosine"}, "T_max"),
        ({"kind": "cosine", "T_max": 0}, "T_max"),
        ({"kind": "step", "step_size": 2.0}, "step_size"),
        ({"kind": "linear", "total_iters": 10**400}, "total_iters"),
        ({"kind": "sequence", "schedules": [], "milestones": []}, "schedules"),
        ({"kind": "sequence", "schedules": [{"kind": "constant"}], "milestones": [3]}, "one milestone"),
        ({"kind": "sequence", "schedules": [{"kind": "constant"}] * 3, "milestones": [3, 3]}, "grow"),
        ({"kind": "sequence", "schedules": [{"kind": "constant"}] * 2, "milestones": [0]}, "grow"),
        ({"kind": "sequence", "schedules": [{"kind": "no"}], "milestones": []}, "expected one of"),
    ],
)
def test_a_document_that_does_not_fit_is_refused(document: Any, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        load_schedule(document)


@pytest.mark.parametrize(
    "document",
    [
        {"kind": "constant"},
        {"kind": "step", "step_size": 3, "gamma": 0.5},
        {"kind": "cosine", "T_max": 10, "eta_min": 0.0},
        {
            "kind": "sequence",
            "schedules": [
                {"kind": "linear", "start_factor": 0.1, "end_factor": 1.0, "total_iters": 4},
                {"kind": "sequence", "schedules": [{"kind": "constant"}], "milestones": []},
            ],
            "milestones": [4],
        },
    ],
)
def test_a_schedule_is_written_as_it_is_read(document: dict[str, Any]) -> None:
    assert dump_schedule(load_schedule(document)) == document


def test_every_key_of_every_schedule_is_described() -> None:
    for kind in SCHEDULES.values():
        for field in kind.Config().fields.values():
            assert field.metadata["description"]
