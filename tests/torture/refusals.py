"""What it costs to refuse a request: the processor time of the worker, for the worst bodies there are.

    PYTHONPATH=tests python -m torture.refusals

A refusal is what a request gets for what it is; a result that is not finite is known only when all of it is
computed, and costs what that costs. Each body is sent three times, and the least time counts: what is
measured is the service, not the machine. Times are those that the kernel counts for all threads of the worker
(/proc/PID/task/*/schedstat).
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from time import sleep
from typing import Any, NamedTuple

import numpy as np
import requests
from support.posting import changed, good
from support.service import running_service

from deltawire import wire

SMALL, LARGEST_JSON, LARGEST_BINARY = 2**16, 2**24, 2**26
MOST_SECONDS = {SMALL: 0.020, LARGEST_JSON: 0.300, LARGEST_BINARY: 0.100}
TIMES = 3


class Refusal(NamedTuple):
    """A body of at most so many bytes."""

    name: str
    most_bytes: int
    media_type: str
    body: Callable[[], bytes]


def filled(before: str, piece: str, after: str, size: int) -> bytes:
    """A text with a piece of it repeated up to the size."""
    room = size - len(before.encode()) - len(after.encode())
    return (before + piece * (room // len(piece.encode())) + after).encode()


def in_json(size: int) -> dict[str, Callable[[], bytes]]:
    """Bodies of JSON that are refused, as late as can be, or after as much as can be."""
    start = json.dumps(changed(("/data/x", "HERE")))
    before, after = start.split('"HERE"')
    nodes_before, nodes_after = json.dumps(changed(("/network/nodes", "HERE"))).split('"HERE"')
    numbers = {
        "zeros": "0,",
        "digits": "0.1234567890123456789,",
        "small floats": "4.9406564584124654e-324,",
        "integers": "9007199254740993,",
        "rows": "[0,0],",
        "empty lists": "[],",
        "strings": '"",',
        "nulls": "null,",
    }
    bodies = {
        f"{name} for a tensor": partial(filled, f"{before}[", piece, f"null]{after}", size)
        for name, piece in numbers.items()
    }
    bodies |= {
        f"{name} for nodes": partial(filled, f"{nodes_before}[", piece, f"null]{nodes_after}", size)
        for name, piece in numbers.items()
    }
    bodies |= {
        f"{name}, unclosed": partial(filled, "[", piece, "", size)
        for name, piece in (*numbers.items(), ("objects", "{},"), ("keys", '{"a":0},'))
    }
    return bodies | {
        "spaces": partial(filled, "", " ", "x", size),
        "one name": partial(filled, '{"', "a", '":1}', size),
        "one name of quotes": partial(filled, '{"', '\\"', '":1}', size),
        "one name of escapes": partial(filled, '{"', "\\u00e9", '":1}', size),
        "one name of backslashes": partial(filled, '{"', "\\\\", '":1}', size),
        "one name of é": partial(filled, '{"', "é", '":1}', size),
        "brackets in a name": partial(filled, '{"', "[", '":1}', size),
        "colons in a name": partial(filled, '{"', ":", '":1}', size),
        "quotes and brackets": partial(filled, "[", '"[",', "0", size),
        "a kind": partial(filled, nodes_before + '[{"kind":"', "linear ", f'"}}]{nodes_after}', size),
        "base64": partial(
            filled, before + '{"dtype":"float64","shape":[2],"base64":"', "A", f'"}}{after}', size
        ),
        "base64 with spaces": partial(
            filled, before + '{"dtype":"float64","shape":[1000,2],"base64":"', "AAA ", f'"}}{after}', size
        ),
        "an integer": partial(filled, before, "7", after, size),
        "deep": partial(filled, "", "[", "", size),
    }


def asking_for(globs: list[str]) -> dict[str, Any]:
    """A request for the gradients of parameters, and for the value of a node that there is not."""
    return good() | {"wrt": {"params": globs}, "values": ["nothing"]}


def many() -> dict[str, Callable[[], bytes]]:
    """Bodies up to 64 KiB with as many things wrong, or to compare, as there can be."""
    kinds = [{"kind": f"linea{number}"} for number in range(500)]
    long_cycle = [{"name": f"n{i}", "kind": "relu", "inputs": [f"n{(i + 1) % 500}"]} for i in range(500)]
    wide = [{"name": f"n{i}", "kind": "add", "inputs": ["x"] * 100} for i in range(100)]
    unknown = [{"name": f"n{i}", "kind": "relu", "inputs": [f"m{i}"]} for i in range(500)]
    doubling = [{"name": "c0", "kind": "concat", "inputs": ["x", "x"]}]
    doubling += [{"name": f"c{i}", "kind": "concat", "inputs": [f"c{i - 1}"] * 2} for i in range(1, 500)]
    documents: dict[str, Any] = {
        "unknown fields": good() | {f"field{number}": 1 for number in range(3000)},
        "unknown parameters": changed(*((f"/params/scores.weigh{number}", 0) for number in range(900))),
        "unknown names": good() | {"values": [f"score{number}" for number in range(1900)]},
        "unknown globs": good() | {"wrt": {"params": [f"*a*b*c*{number}*" for number in range(1900)]}},
        "globs of stars": good() | {"wrt": {"params": ["*a" * 120 for _ in range(200)]}},
        "globs of wildcards": asking_for([f"{'*?' * 13}{number}" for number in range(1900)]),
        "globs of ranges": asking_for([f"*[a-{'m-zb-' * 4}{number}]*" for number in range(1900)]),
        "globs of classes": asking_for([f"[{chr(33 + n % 90)}s{n}]*[{n}rw]*[gt{n}]*" for n in range(1900)]),
        "globs of letters": asking_for([f"scores.weight*{number}" for number in range(1900)]),
        "unknown kinds": changed(("/network/nodes", kinds)),
        "a cycle of 500": changed(("/network/nodes", long_cycle)),
        "wide sums": changed(("/network/nodes", wide)),
        "unknown inputs": changed(("/network/nodes", unknown)),
        "doubling": changed(("/network/nodes", doubling)),
        "long names": changed(("/network/nodes", [{"name": "a" * 100, "kind": "b" * 100}] * 200)),
        "unknown config": changed(
            ("/network/nodes/0/config", {f"unit{number}": 1 for number in range(4000)})
        ),
        "unknown inputs of spec": changed(("/network/inputs", {f"x{i}": {"shap": []} for i in range(2000)})),
        "regularization": changed(
            ("/network/regularization", {"l2": 1, "parameters": [f"*{number}" for number in range(1900)]})
        ),
    }
    bodies = {name: json.dumps(document).encode() for name, document in documents.items()}
    return {name: partial(bytes, body) for name, body in bodies.items() if len(body) <= SMALL}


def binary(document: dict[str, Any]) -> bytes:
    return b"".join(map(bytes, wire.encode_in_parts(document, wire.SAFETENSORS)))


def in_binary(size: int) -> Iterator[tuple[str, Callable[[], bytes]]]:
    """Binary bodies that are refused when all of them has been looked at."""
    rows = (size - 4096) // 24

    def of(x: np.ndarray, y: np.ndarray, **more: Any) -> bytes:
        request = good() | more
        request["params"] = {name: np.array(value) for name, value in request["params"].items()}
        return binary(request | {"data": {"x": x, "y": y}})

    def ending(array: np.ndarray, last: int) -> np.ndarray:
        array.flat[-1] = last
        return array

    yield "a label at the end", lambda: of(np.zeros((rows, 2)), ending(np.zeros(rows, "i8"), 3))
    yield "batches", lambda: of(np.zeros((rows, 2)), np.zeros(rows - 1, "i8"))
    yield "a shape", lambda: of(np.zeros((rows, 1, 2)), np.zeros(rows, "i8"))
    yield "a field", lambda: of(np.zeros((rows, 2)), np.zeros(rows, "i8"), reduction="max")
    yield "a value", lambda: of(np.zeros((rows, 2)), np.zeros(rows, "i8"), values=["nothing"])
    yield "a byte too many", lambda: of(np.zeros((rows, 2)), np.zeros(rows, "i8")) + b"0"
    yield "floats of both kinds", lambda: of(np.zeros((rows, 2), "f4"), np.zeros(rows, "i8"))
    yield "zeros", lambda: bytes(size)
    yield (
        "a header of up to 1 MiB",
        lambda: min(2**20, size - 8).to_bytes(8, "little") + b'{"a":' * 10_000 + bytes(size - 50_008),
    )


def refusals() -> list[Refusal]:
    found = [
        Refusal(name, size, wire.JSON, body)
        for size in (SMALL, LARGEST_JSON)
        for name, body in (in_json(size) | (many() if size == SMALL else {})).items()
    ]
    return found + [
        Refusal(name, size, wire.SAFETENSORS, body)
        for size in (SMALL, LARGEST_BINARY)
        for name, body in (in_binary(size) if size > 2**17 else in_binary(2**16))
    ]


def processor_seconds(pid: int) -> float:
    """What all threads of a process have had until now."""
    stats = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(stat.read_text().split()[0]) for stat in stats) / 1e9


def cost(url: str, worker: int, refusal: Refusal) -> float:
    """Least seconds of processor time. AssertionError unless the request is refused."""
    body, least = refusal.body(), float("inf")
    assert len(body) <= refusal.most_bytes, (refusal.name, len(body))
    for _ in range(TIMES):
        before = processor_seconds(worker)
        answer = requests.post(
            f"{url}/v1/gradients", data=body, headers={"Content-Type": refusal.media_type}, timeout=60
        )
        assert 400 <= answer.status_code < 500, (refusal.name, answer.status_code, answer.text[:200])
        sleep(0.02)  # what is done when the answer is out belongs to it
        least = min(least, processor_seconds(worker) - before)
    return least


def main() -> None:
    worst: dict[int, tuple[float, str]] = {size: (0.0, "") for size in MOST_SECONDS}
    with running_service("-w", "1", queue_seconds="10") as service:
        children = Path(f"/proc/{service.pid}/task/{service.pid}/children").read_text().split()
        for refusal in refusals():
            seconds = cost(service, int(children[0]), refusal)
            name = f"{refusal.media_type.rpartition('.')[2].rpartition('/')[2]}: {refusal.name}"
            worst[refusal.most_bytes] = max(worst[refusal.most_bytes], (seconds, name))
            if "-v" in sys.argv:
                print(f"{1000 * seconds:8.1f} ms  {refusal.most_bytes:>9}  {name}", file=sys.stderr)
    found = {
        f"worst_ms_up_to_{size}_bytes": {
            "ms": round(1000 * seconds, 1),
            "reach": 1000 * MOST_SECONDS[size],
            "body": name,
        }
        for size, (seconds, name) in worst.items()
    }
    print(json.dumps(found, indent=2, ensure_ascii=False))
    sys.exit(any(seconds > MOST_SECONDS[size] for size, (seconds, _) in worst.items()))


if __name__ == "__main__":
    main()
