"""Over a real gunicorn: layers that hang or never let go, health while computing, and stopping."""

from __future__ import annotations

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
import requests
from support.posting import good, pointwise
from support.service import Service, children, running_service

from deltawire import Client

ODD = "support.odd_service:app()"


def post(service: Service, request: dict[str, Any], **headers: str) -> requests.Response:
    return requests.post(f"{service}/v1/gradients", json=request, headers=headers, timeout=20)


def timed(service: Service, request: dict[str, Any]) -> tuple[requests.Response, float]:
    started = time.monotonic()
    return post(service, request), time.monotonic() - started


def all_children(pid: int, count: int) -> set[int]:
    """The worker processes, once all have started."""
    end = time.monotonic() + 10
    while len(children(pid)) < count:
        assert time.monotonic() < end
        time.sleep(0.02)
    return children(pid)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_layer_that_hangs_is_answered_for_and_its_worker_replaced(workers: int) -> None:
    with running_service("-w", str(workers), app=ODD, deadline_seconds="1", hang_seconds="2") as service:
        before = all_children(service.pid, workers)
        answer, seconds = timed(service, pointwise("hang", 1.0))
        assert (answer.status_code, answer.json()["code"]) == (504, "deadline_exceeded")
        assert 1 <= seconds < 2
        hung = time.monotonic()
        assert children(service.pid) == before  # its layer is only late yet
        assert post(service, good()).status_code == 200
        assert time.monotonic() - hung < 2
        while not (len(children(service.pid)) == workers and children(service.pid) - before):
            assert time.monotonic() < hung + 10
            time.sleep(0.05)
        assert len(children(service.pid) & before) == workers - 1


def test_the_other_requests_of_a_worker_that_is_replaced_are_answered() -> None:
    with running_service("-w", "1", app=ODD, deadline_seconds="2.2", computations="2") as service:
        with ThreadPoolExecutor(1) as caller:
            hanging = caller.submit(post, service, pointwise("hang", 1.0))
            time.sleep(1.9)
            assert post(service, pointwise("slow", 1.0)).status_code == 200  # ends after the worker is told
            assert hanging.result().status_code == 504


def test_a_layer_that_never_lets_go_costs_a_worker_and_the_sdk_asks_again() -> None:
    with running_service("-w", "2", app=ODD) as service:
        before = all_children(service.pid, 2)
        started = time.monotonic()
        with pytest.raises(requests.ConnectionError):
            post(service, pointwise("hold", 1.0))
        assert time.monotonic() - started < 5.5
        while children(service.pid) & before == before or len(children(service.pid)) < 2:
            assert time.monotonic() < started + 6
            time.sleep(0.05)
        x = good()
        answer = Client(service).gradients(x["network"], x["params"], x["data"])
        assert np.isfinite(answer.loss)


def test_health_is_answered_while_everything_computes() -> None:
    with running_service("-w", "2", app=ODD) as service, ThreadPoolExecutor(6) as callers:
        computing = [callers.submit(post, service, pointwise("slow", 1.0)) for _ in range(6)]
        time.sleep(0.2)
        for route in ["/livez", "/readyz"] * 10:
            started = time.monotonic()
            assert requests.get(service + route, timeout=5).status_code == 200
            assert time.monotonic() - started < 0.1
        assert {call.result().status_code for call in computing} <= {200, 503}


def test_who_would_wait_too_long_is_told_at_once_when_to_come_again() -> None:
    with running_service("-w", "1", app=ODD) as service, ThreadPoolExecutor(1) as caller:
        computing = caller.submit(post, service, pointwise("slow", 1.0))
        time.sleep(0.2)
        refused = [timed(service, good()) for _ in range(5)]
        for answer, _ in refused:
            assert (answer.status_code, answer.json()["code"]) == (503, "overloaded")
            assert 1 <= int(answer.headers["Retry-After"]) <= 30
        assert min(seconds for _, seconds in refused) < 0.1
        assert computing.result().status_code == 200


def test_readiness_ends_before_connections_do_and_what_was_accepted_is_answered() -> None:
    with running_service("-w", "1", app=ODD, drain_seconds="1", computations="2") as service:
        with ThreadPoolExecutor(1) as caller:
            accepted = caller.submit(post, service, pointwise("slow", 1.0))
            time.sleep(0.3)
            os.kill(service.pid, signal.SIGTERM)
            time.sleep(0.2)
            answer = requests.get(f"{service}/readyz", timeout=5)
            assert (answer.status_code, answer.json()["detail"]) == (503, "draining")
            assert post(service, good()).status_code == 200
            assert accepted.result().status_code == 200
        assert service.wait(timeout=10) == 0


@pytest.mark.parametrize("workers, requests_", [(1, 1), (3, 9)])
def test_every_request_begun_before_the_stop_is_answered(workers: int, requests_: int) -> None:
    with (
        running_service("-w", str(workers), app=ODD, computations="9") as service,
        ThreadPoolExecutor(requests_) as callers,
    ):
        all_children(service.pid, workers)
        accepted = [callers.submit(post, service, pointwise("slow", 1.0)) for _ in range(requests_)]
        time.sleep(0.5)
        os.kill(service.pid, signal.SIGTERM)
        assert {call.result().status_code for call in accepted} == {200}
        assert service.wait(timeout=10) == 0
