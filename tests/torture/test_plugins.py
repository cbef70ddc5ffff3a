"""Every way to break the contract, in every phase, is contained; a part of them over the real gunicorn."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from support.service import running_service
from torture.plugins import CAPACITY_BACK, CASES, Case, Server, Services, lose_a_worker, serving
from torture.starts import START_CASES, Start, installed


@pytest.fixture(scope="module")
def services() -> Services:
    return Services()


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving() as server:
        yield server


def test_there_are_twelve_ways_in_each_phase_and_four_of_each() -> None:
    ways = {(case.phase, case.what) for case in CASES} | {("start", case.what) for case in START_CASES}
    assert set(Counter(phase for phase, _ in ways).values()) == {12}
    assert len(CASES) + len(START_CASES) == 240


@pytest.mark.parametrize("case", START_CASES, ids=[case.id for case in START_CASES])
def test_a_start_is_refused(case: Start) -> None:
    case.run()


@pytest.mark.parametrize("case", CASES, ids=[case.id for case in CASES])
def test_a_request_is_contained(services: Services, case: Case) -> None:
    services.run(case)


@pytest.mark.parametrize("case", some := CASES[::11], ids=[case.id for case in some])
def test_a_request_to_the_real_server_is_contained(server: Server, case: Case) -> None:
    with ThreadPoolExecutor(2) as among:
        case.run(server.post, server.log, among)
    assert server.seconds_until_good() < CAPACITY_BACK
    assert not server.workers_replaced()


def test_a_layer_that_ends_its_process_costs_one_worker_and_no_capacity(server: Server) -> None:
    assert lose_a_worker(server) < CAPACITY_BACK


def test_the_real_server_does_not_start_with_a_broken_distribution() -> None:
    with installed("exits") as site, pytest.raises(AssertionError, match="acme 2.0"):
        with running_service(environ={"PYTHONPATH": str(site)}):
            pass
