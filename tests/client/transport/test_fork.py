"""A client that was used before a fork, in the processes forked from it: every answer is its own."""

from __future__ import annotations

import copy
import json
import os
import pickle
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests
from support.service import running_service

from deltawire import Client, Network

FORKED = """
import json, multiprocessing, os, sys
import numpy as np, requests
from deltawire import Client, Refused

url, kind = sys.argv[1:]
product = {"kind": "multiply", "inputs": ["x", "y"]}
spec = {"inputs": {"x": {"shape": []}, "y": {"shape": []}}, "nodes": [product]}

def work(client, seed, calls):
    random, outcomes = np.random.default_rng(seed), []
    for _ in range(calls):
        x, y = random.standard_normal(5), random.standard_normal(5)
        try:
            answer = client.gradients(spec, {}, {"x": x, "y": y}, wrt={"data": True}, reduction="sum")
            outcomes.append("right" if np.array_equal(answer.data["x"], y) else "wrong")
        except Exception as error:
            outcomes.append(f"{type(error).__name__}: {error}")
    return outcomes

def child(client, seed, go, queue):
    go.wait()
    queue.put(work(client, seed, 8))

session = requests.Session() if kind == "session" else None
client = Client(None if kind == "embedded" else url, session=session)
print(json.dumps(work(client, 0, 2)))
fork = multiprocessing.get_context("fork")
queue, go = fork.Queue(), fork.Event()
children = [fork.Process(target=child, args=(client, seed, go, queue)) for seed in (1, 2, 3)]
for process in children:
    process.start()
go.set()
print(json.dumps(work(client, 4, 8)))
for process in children:
    print(json.dumps(queue.get(timeout=60)))
for process in children:
    process.join(10)
    assert process.exitcode == 0, process.exitcode
print(json.dumps(work(client, 5, 2)))
"""


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with running_service("-w", "2") as url:
        yield url


@pytest.mark.parametrize("kind", ["own", "session", "embedded"])
def test_forked_processes_and_their_parent_get_their_own_answers(kind: str, address: str) -> None:
    run = subprocess.run(
        [sys.executable, "-c", FORKED, address, kind], capture_output=True, text=True, timeout=120
    )
    assert run.returncode == 0, run.stderr
    outcomes = [outcome for line in run.stdout.splitlines() for outcome in json.loads(line)]
    assert outcomes == ["right"] * (2 + 8 + 3 * 8 + 2), run.stdout


UNPICKLED = """
import pickle, sys
with open(sys.argv[1], "rb") as file:
    client = pickle.load(file)
print(sorted(client.limits()))
"""


def circuit() -> Network:
    net = Network()
    net.loss = net.input("x") * net.input("y")
    return net


def copies() -> list[Callable[[Client], Client]]:
    return [copy.copy, copy.deepcopy, lambda client: pickle.loads(pickle.dumps(client))]


@pytest.mark.parametrize("make", copies())
@pytest.mark.parametrize("kind", ["own", "session", "embedded"])
def test_a_copy_is_a_client_too(kind: str, make: Callable[[Client], Client], address: str) -> None:
    session = requests.Session() if kind == "session" else None
    client = Client(None if kind == "embedded" else address, session=session)
    expected = client.value_and_grad(circuit(), {}, {"x": [2], "y": [3]}, wrt={"data": True})
    copied = make(client)
    for each in (copied, client):
        assert each.value_and_grad(circuit(), {}, {"x": [2], "y": [3]}, wrt={"data": True}) == expected
    assert repr(copied) == repr(client)
    copied.close()
    assert client.limits() == make(client).limits()


@pytest.mark.parametrize("kind", ["own", "embedded"])
def test_a_pickled_client_works_in_another_process(kind: str, address: str, tmp_path: Path) -> None:
    client = Client(None if kind == "embedded" else address, api_key="unread")
    client.limits()
    (tmp_path / "client").write_bytes(pickle.dumps(client))
    run = subprocess.run(
        [sys.executable, "-c", UNPICKLED, str(tmp_path / "client")],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert run.stdout.strip() == str(sorted(client.limits())), run.stderr


def test_a_child_leaves_its_parents_connections_open(address: str) -> None:
    client = Client(address)
    client.limits()
    child = os.fork()
    if not child:
        client.close()
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    assert client.limits()
