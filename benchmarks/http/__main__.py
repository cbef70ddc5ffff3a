"""Requests over HTTP on this machine: ours beside an empty Flask route, the engine alone, and other servers.

python -m benchmarks.http [--rounds 5] [--quick]
"""

from __future__ import annotations

import json
import time
from argparse import ArgumentParser
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping, Sequence
from io import BytesIO
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from benchmarks.engine.cases import CASES
from benchmarks.http.bytes import call as bytes_alone
from benchmarks.http.raw import raw_call
from benchmarks.http.server import running, serving
from benchmarks.machine import machine
from benchmarks.side_by_side import Contender, Program
from benchmarks.tables import number, table
from deltawire import Client, wire

CASE = next(case for case in CASES if case.name == "b 128")
PARAMS, DATA = CASE.arrays("float32")
DOCUMENT = {"network": CASE.spec, "params": PARAMS, "data": DATA}
CIRCUIT = Path("examples/circuit.json").read_bytes()
BODY = wire.encode(DOCUMENT, wire.SAFETENSORS)


def timed(call: Callable[[], Any], seconds: float) -> list[float]:
    """Milliseconds of warm calls."""
    (spent,) = timed_in_turn([call], seconds)
    return spent


def timed_in_turn(calls: Sequence[Callable[[], Any]], seconds: float) -> list[list[float]]:
    """The same of several calls, one after the other again and again, so that what disturbs one disturbs
    all. seconds: for each."""
    spent: list[list[float]] = [[] for _ in calls]
    seconds *= len(calls)
    start = time.perf_counter()
    while time.perf_counter() - start < seconds / 2:
        for call in calls:
            call()
    start = time.perf_counter()
    while len(spent[0]) < 3 or time.perf_counter() - start < seconds:
        for call, its in zip(calls, spent, strict=True):
            begin = time.perf_counter()
            call()
            its.append(1e3 * (time.perf_counter() - begin))
    return spent


def one_round(seconds: float) -> dict[str, list[float]]:
    """Times of every contender, one after the other, each server in a process of its own."""
    import torch

    tensors = {name: torch.from_numpy(array) for name, array in PARAMS.items()}
    saved = BytesIO()
    torch.save(
        {"params": tensors, "data": {name: torch.from_numpy(array) for name, array in DATA.items()}}, saved
    )
    lists = wire.encode({"params": PARAMS, "data": DATA}, wire.JSON)
    found: dict[str, list[float]] = {}
    with serving() as ours, serving("benchmarks.http.peers:empty()") as empty:
        found["empty Flask route"] = timed(raw_call(empty.port, "/", b"{}", wire.JSON), seconds)
        found["circuit"] = timed(raw_call(ours.port, "/v1/gradients", CIRCUIT, wire.JSON), seconds)
        raw = raw_call(ours.port, "/v1/gradients", BODY, wire.SAFETENSORS)
        with Client(f"http://127.0.0.1:{ours.port}") as client:
            answer = client.gradients(CASE.spec, PARAMS, DATA)
            found["b 128, raw client"], found["b 128, SDK"] = timed_in_turn(
                [raw, lambda: client.gradients(CASE.spec, PARAMS, DATA)], seconds
            )
        found["cold start"] = [1e3 * ours.cold_start]
        found["MiB of a worker"] = [ours.worker_mib()]
    with running(lambda port: ["-m", "benchmarks.http.bytes", str(port)], http=False) as bare:
        found["b 128, its bytes alone"] = timed(bytes_alone(bare.port), seconds)
    with serving("benchmarks.http.peers:with_torch()") as peer:
        call = raw_call(peer.port, "/torch", saved.getvalue(), "application/octet-stream")
        loss, gradients = torch.load(BytesIO(call()))
        for name, array in gradients.items():
            agree("torch", name, array.numpy().ravel(), answer.params)
        found["b 128, Flask + torch.save"] = timed(call, seconds)
        found["b 128, Flask + torch, JSON"] = timed(raw_call(peer.port, "/json", lists, wire.JSON), seconds)
    found |= foreign(answer.params, seconds)
    engine = Contender(Program(["-m", "benchmarks.engine.worker", "ours", "float32", "1", str(seconds)]))
    found["b 128, in process"] = [engine.ask(CASE.name)["ms"]]
    engine.stop()
    return found


def foreign(expected: Mapping[str, Any], seconds: float) -> dict[str, list[float]]:
    """Times of the servers of tesseract-core and UM-Bridge, whose numbers must be those expected."""
    found: dict[str, list[float]] = {}
    paths = [f"params.{{{name}}}" for name in PARAMS]
    body = json.dumps({
        "inputs": {"params": {name: encoded(array) for name, array in PARAMS.items()}}
        | {name: encoded(array) for name, array in DATA.items()},
        "vjp_inputs": paths, "vjp_outputs": ["loss"], "cotangent_vector": {"loss": 1.0},
    }).encode()  # fmt: skip
    serve = ["-m", "tesseract_core.runtime", "serve", "--host", "127.0.0.1", "--port"]
    api = str(Path("benchmarks/http/tesseract_api.py").resolve())
    # It writes a folder for every request.
    with (
        TemporaryDirectory() as folder,
        running(
            lambda port: [*serve, str(port)], TESSERACT_API_PATH=api, TESSERACT_OUTPUT_PATH=folder
        ) as server,
    ):
        call = raw_call(server.port, "/vector_jacobian_product", body, wire.JSON, f"{wire.JSON}+base64")
        given = json.loads(bytes(call()))
        for name, path in zip(PARAMS, paths, strict=True):
            raw = b64decode(given[path]["data"]["buffer"])
            agree("tesseract", name, np.frombuffer(raw, np.float32), expected)
        found["b 128, tesseract-core (base64)"] = timed(call, seconds)
    body = json.dumps({
        "name": "b", "outWrt": 0, "inWrt": 0, "sens": [1.0],
        "input": [np.concatenate([array.ravel() for array in PARAMS.values()]).tolist()]
        + [array.ravel().tolist() for array in (DATA["x"], DATA["y"])],
    }).encode()  # fmt: skip
    with running(lambda port: ["-m", "benchmarks.http.umbridge_server", str(port)]) as server:
        call = raw_call(server.port, "/Gradient", body, wire.JSON)
        flat = np.array(json.loads(bytes(call()))["output"], np.float32)
        ends = np.cumsum([array.size for array in PARAMS.values()])
        for name, part in zip(PARAMS, np.split(flat, ends[:-1]), strict=True):
            agree("umbridge", name, part, expected)
        found["b 128, umbridge"] = timed(call, 0)
    return found


def encoded(array: Any) -> dict[str, Any]:
    """An array as Tesseracts take it."""
    data = {"buffer": b64encode(array.tobytes()).decode(), "encoding": "base64"}
    return {"object_type": "array", "shape": array.shape, "dtype": array.dtype.name, "data": data}


def agree(peer: str, name: str, gradient: Any, expected: Mapping[str, Any]) -> None:
    if not np.allclose(gradient, expected[name].ravel(), atol=1e-5):
        raise SystemExit(f"{peer} disagrees on {name}")


TARGETS = [
    ("circuit", "empty Flask route", 1.5),
    ("b 128, raw client", "b 128, in process", 1.75),
    ("b 128, raw client", "b 128, tesseract-core (base64)", 0.4),
    ("b 128, raw client", "b 128, umbridge", 0.01),
    ("b 128, raw client", "b 128, Flask + torch, JSON", 0.1),
]


def main() -> None:
    parser = ArgumentParser(prog="python -m benchmarks.http", description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=5, help="in each, every server has new processes")
    parser.add_argument("--quick", action="store_true", help="two short rounds")
    given = parser.parse_args()
    rounds, seconds = (2, 0.3) if given.quick else (given.rounds, 1.0)
    found = [one_round(seconds) for _ in range(rounds)]
    print(machine(["flask", "gunicorn", "requests", "torch", "tesseract-core", "umbridge"]), "", sep="\n")
    rows = [
        [
            name,
            number(median(median(each[name]) for each in found)),
            number(median(map(p99, (e[name] for e in found)))),
        ]
        for name in found[0]
    ]
    print(table(["", "median, ms", "p99, ms"], rows), "", "### Reached?", sep="\n")
    for mine, other, most in TARGETS:
        ratio = median(median(each[mine]) / median(each[other]) for each in found)
        print(
            f"- {mine} / {other}: {number(ratio)}, at most {most} wanted{' (missed)' if ratio > most else ''}"
        )
    more = median(median(each["b 128, SDK"]) - median(each["b 128, raw client"]) for each in found)
    print(
        f"- the SDK adds {more:.2f} ms to the raw client, at most 1 wanted{' (missed)' if more > 1 else ''}"
    )


def p99(times: list[float]) -> float:
    return quantiles(times, n=100)[98] if len(times) > 1 else times[0]


if __name__ == "__main__":
    main()
