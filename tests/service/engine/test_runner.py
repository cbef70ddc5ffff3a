"""Runners: by default at once, and every computation through the network's own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from math import inf
from typing import Any

import numpy as np
import pytest
from support.engine import compiled

from deltawire_service.engine import (
    DeadlineExceeded,
    Direction,
    Network,
    Plan,
    call_until,
    current_deadline,
    ignore_seconds,
    run_now,
)

SPEC = {"inputs": {"x": {"shape": [2]}}, "nodes": [{"name": "t", "kind": "tanh"}, {"kind": "sum"}]}
X = {"x": np.ones((3, 2))}
ALONG = Direction(data=X)

COMPUTATIONS: dict[str, Callable[[Network], object]] = {
    "gradients": lambda network: network.gradients({}, X, wrt_data=True),
    "per example": lambda network: network.gradients({}, X, wrt_data=True, per_example=True),
    "forward": lambda network: network.forward({}, X, ["t"]),
    "vjp": lambda network: network.vjp({}, X, {"t": X["x"]}, wrt_data=True),
    "jvp": lambda network: network.jvp({}, X, ALONG, ["t"]),
    "reverse": lambda network: network.jacobian({}, X, ["t"], wrt_data=True, mode="reverse"),
    "forward mode": lambda network: network.jacobian({}, X, ["t"], wrt_data=True, mode="forward"),
    "hvp": lambda network: network.hvp({}, X, ALONG),
    "diagonal": lambda network: network.hessian_diagonal({}, X, wrt_data=True),
    "check": lambda network: network.check({}, X),
    "init": lambda network: network.init(0),
}


def test_by_default_a_computation_runs_at_once_without_a_deadline() -> None:
    assert run_now(current_deadline) == inf


@pytest.mark.parametrize("name", COMPUTATIONS)
def test_every_computation_goes_through_the_runner_once_with_its_plan(name: str) -> None:
    plans: list[Plan | None] = []

    def run(compute: Callable[[], Any], plan: Plan | None = None) -> Any:
        plans.append(plan)
        return compute()

    COMPUTATIONS[name](replace(compiled(SPEC), runner=run))
    assert len(plans) == 1 and plans[0] is not None and plans[0].peak_bytes >= 0


@pytest.mark.parametrize("name", COMPUTATIONS)
def test_a_deadline_that_has_passed_ends_every_computation(name: str) -> None:
    def run(compute: Callable[[], Any], plan: Plan | None = None) -> Any:
        return call_until(-inf, compute)

    with pytest.raises(DeadlineExceeded):
        COMPUTATIONS[name](replace(compiled(SPEC), runner=run))


def test_compute_seconds_are_reported_by_kind() -> None:
    reports: list[Mapping[str, float]] = []
    network = replace(compiled(SPEC), on_compute_seconds=reports.append)
    network.gradients({}, X, wrt_data=True)
    assert [report.keys() for report in reports] == [{"tanh", "sum"}]
    assert all(seconds > 0 for seconds in reports[0].values())
    ignore_seconds(reports[0])
