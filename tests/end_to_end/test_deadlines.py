"""Over a real gunicorn: work of a few bytes and many steps ends at its deadline, and costs no worker."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import requests
from support.posting import good
from support.service import Service, children, running_service

Request = dict[str, Any]
HANG_SECONDS = 2
LATE = 1.5
"""Seconds after its deadline in which a request is answered, on a machine that does other things too."""


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    with running_service("-w", "1", hang_seconds=str(HANG_SECONDS)) as service:
        yield service


@pytest.fixture
def worker(service: Service) -> Iterator[None]:
    """The one worker is the same afterwards, once a layer would have hung, and answers."""
    before = children(service.pid)
    yield
    time.sleep(HANG_SECONDS + 0.5)
    assert children(service.pid) == before and len(before) == 1
    assert "a layer hangs" not in service.log()
    assert requests.post(f"{service}/v1/gradients", json=good(), timeout=20).status_code == 200


def enlarged(doublings: int, *nodes: dict[str, Any], batch: int = 1) -> Request:
    """A request whose network doubles one number again and again, for nodes that take many."""
    concat = [
        {"name": f"c{place}", "kind": "concat", "inputs": [f"c{place - 1}" if place else "x"] * 2}
        for place in range(doublings)
    ]
    return {
        "network": {"inputs": {"x": {"shape": [1]}}, "nodes": [*concat, *nodes]},
        "data": {"x": np.ones((batch, 1)).tolist()},
        "dtype": "float32",
    }


def sequence(doublings: int) -> Request:
    request = enlarged(
        doublings,
        {"name": "r", "kind": "reshape", "config": {"shape": [2**doublings, 1]}},
        {"name": "e", "kind": "lstm", "config": {"units": 1}},
        {"name": "s", "kind": "slice", "config": {"axis": 0, "stop": 1}},
    )
    weights = {f"e.weight_{part}": [[0.1]] * 4 for part in ("ih", "hh")}
    weights |= {f"e.bias_{part}": [0.0] * 4 for part in ("ih", "hh")}
    return request | {"params": weights, "values": ["s"]}


def convolution(kind: str, shape: list[int], kernel: list[int]) -> Request:
    size = int(np.prod(shape))
    doublings = int(np.ceil(np.log2(size)))
    request = enlarged(
        doublings,
        {"name": "part", "kind": "slice", "config": {"stop": size}},
        {"name": "r", "kind": "reshape", "config": {"shape": shape}},
        {"name": "e", "kind": kind, "config": {"channels": 1, "kernel": kernel, "bias": False}},
        {"name": "s", "kind": "sum"},
    )
    return request | {"params": {"e.weight": np.ones((1, 1, *kernel)).tolist()}, "values": ["s"]}


LONG: list[tuple[str, Request, float]] = [
    *((f"lstm of 2^{n}, {s} s", sequence(n), s) for n in (18, 20) for s in (0.01, 0.5)),
    ("conv1d", convolution("conv1d", [1, 2**18], [4096]), 2.0),
    ("conv2d", convolution("conv2d", [1, 400, 400], [100, 200]), 2.0),
]


@pytest.mark.usefixtures("worker")
@pytest.mark.parametrize("name, request_, seconds", LONG, ids=[name for name, _, _ in LONG])
def test_a_layer_of_many_steps_ends_at_the_deadline(
    service: Service, name: str, request_: Request, seconds: float
) -> None:
    started = time.monotonic()
    answer = requests.post(
        f"{service}/v1/forward", json=request_, headers={"Deltawire-Deadline": str(seconds)}, timeout=30
    )
    assert (answer.status_code, answer.json()["code"]) == (504, "deadline_exceeded")
    assert time.monotonic() - started < seconds + LATE
    # It is not computed any more: a worker computes one request at a time.
    assert requests.post(f"{service}/v1/gradients", json=good(), timeout=20).status_code == 200


def chain(count: int, size: int) -> Request:
    nodes = [
        {"name": f"n{place}", "kind": "linear", "config": {"units": size, "bias": False}}
        for place in range(count)
    ]
    return {
        "network": {"inputs": {"x": {"shape": [size]}}, "nodes": [*nodes, {"name": "loss", "kind": "sum"}]},
        "params": {f"n{place}.weight": np.eye(size).tolist() for place in range(count)},
        "data": {"x": [[0.5] * size]},
    }


REPEATED: dict[str, tuple[str, Request]] = {
    "check": ("/v1/check", chain(511, 4) | {"samples": 1000}),
    "diagonal": ("/v1/hvp", chain(511, 4) | {"diagonal": {"samples": 10_000}}),
    "jacobian": (
        "/v1/jacobian",
        enlarged(11, *({"name": f"g{place}", "kind": "gelu"} for place in range(500)))
        | {"outputs": ["g499"], "wrt": {"params": False, "data": True}, "mode": "reverse"},
    ),
}


@pytest.mark.usefixtures("worker")
@pytest.mark.parametrize("name", REPEATED)
def test_work_of_minutes_is_refused_before_it_begins(service: Service, name: str) -> None:
    route, request = REPEATED[name]
    started = time.monotonic()
    answer = requests.post(f"{service}{route}", json=request, timeout=40)
    assert (answer.status_code, answer.json()["code"]) == (422, "cost_plan_exceeded"), answer.json()
    assert time.monotonic() - started < 5
    assert "DELTAWIRE_PLANNED_OPERATIONS" in answer.json()["detail"]


def test_a_thousand_globs_are_matched_in_a_moment(service: Service) -> None:
    request = chain(511, 1)
    globs = [f"*n{place}.w*{'?' * (place % 5)}" for place in range(511)] + [
        f"n{place}*" for place in range(489)
    ]
    started = time.monotonic()
    answer = requests.post(
        f"{service}/v1/plan",
        json={"network": request["network"], "wrt": {"params": globs}},
        headers={"Deltawire-Deadline": "10"},
        timeout=40,
    )
    assert answer.status_code == 200, answer.json()
    assert time.monotonic() - started < 5
