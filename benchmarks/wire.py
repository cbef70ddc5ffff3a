"""Encode and decode: our binary bodies beside the safetensors library, JSON lists and a plain copy.

python -m benchmarks.wire [--rounds 5] [--quick]
"""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from collections.abc import Callable
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np

from benchmarks.machine import machine
from benchmarks.side_by_side import Program, ratio, side_by_side, times
from benchmarks.tables import number, table

SIZES = {"10 million": 10_000_000, "1,000": 1000}
CONTENDERS = ("ours", "memcpy", "library", "lists")
TARGETS = [("10 million", "memcpy", 3.0), ("10 million", "library", 0.5), ("1,000", "library", 1.0)]


Contender = Callable[[Any], Any]


def ours() -> Contender:
    from deltawire import wire

    limits = wire.Limits(elements=2**40)

    def there_and_back(array: Any) -> Any:
        body = wire.encode({"data": {"x": array}}, wire.SAFETENSORS)
        return wire.decode(body, wire.SAFETENSORS, limits)["data"]["x"]

    return there_and_back


def memcpy() -> Contender:
    return lambda array: np.frombuffer(array.tobytes(), array.dtype)


def library() -> Contender:
    from safetensors import numpy as safetensors

    return lambda array: safetensors.load(safetensors.save({"data/x": array}))["data/x"]


def lists() -> Contender:
    import orjson

    numpy = orjson.OPT_SERIALIZE_NUMPY
    return lambda array: np.array(orjson.loads(orjson.dumps(array, option=numpy)), array.dtype)


def work(name: str) -> None:
    """A contender in its process: reads a size from a line, writes how long so many numbers take."""
    contender: Contender = globals()[name]()
    for line in sys.stdin:
        array = np.random.default_rng(0).standard_normal(SIZES[line.strip()], np.float32)
        if contender(array).tobytes() != array.tobytes():
            raise SystemExit(f"{name} does not give the same numbers back")
        spent: list[float] = []
        start = perf_counter()
        while len(spent) < 3 or perf_counter() - start < 0.3:
            begin = perf_counter()
            contender(array)
            spent.append(perf_counter() - begin)
        print(json.dumps({"ms": 1e3 * median(spent)}), flush=True)


def header_refused() -> float:
    """Milliseconds to refuse a header of a million empty tensors (FAULTS F13), the least of five."""
    from deltawire import Refused, wire

    entry = b'"t%d":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}'
    header = b"{" + b",".join(entry % place for place in range(1_000_000)) + b"}"
    body = len(header).to_bytes(8, "little") + header
    spent = []
    for _ in range(5):
        begin = perf_counter()
        try:
            wire.decode(body, wire.SAFETENSORS)
        except Refused as refused:
            assert refused.code == "tensor_header_too_large"
        else:
            raise SystemExit("a million empty tensors were accepted")
        spent.append(perf_counter() - begin)
    return 1e3 * min(spent)


def missed(value: float, most: float) -> str:
    return " (missed)" if value > most else ""


def main() -> None:
    parser = ArgumentParser(prog="python -m benchmarks.wire", description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=5, help="in each, every contender has a new process")
    parser.add_argument("--quick", action="store_true", help="two rounds")
    given = parser.parse_args()
    programs = {name: Program(["-m", "benchmarks.wire", "--work", name]) for name in CONTENDERS}
    found = side_by_side(programs, SIZES, 2 if given.quick else given.rounds)
    print(machine(["safetensors", "orjson"]))
    rows = [
        [f"{size} float32", *(number(median(times(found[size], name))) for name in CONTENDERS)]
        for size in SIZES
    ]
    print(
        "",
        table(["encode + decode", *(f"{name}, ms" for name in CONTENDERS)], rows),
        "",
        "### Reached?",
        sep="\n",
    )
    for size, other, most in TARGETS:
        value = ratio(found[size], "ours", other)
        print(f"- {size} float32, ours / {other}: {value:.2f}, at most {most} wanted{missed(value, most)}")
    refused = header_refused()
    print(f"- a million empty tensors refused in {refused:.3f} ms, at most 20 wanted{missed(refused, 20)}")


if __name__ == "__main__":
    work(sys.argv[2]) if sys.argv[1:2] == ["--work"] else main()
