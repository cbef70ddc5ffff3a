"""A CSV of 1 GB as the service is shipped: refused by its broken last line; and one of 600 MB is read.

    PYTHONPATH=tests python -m torture.large_tables [--short]

Both are answered within the deadline of a request, and the worker has at most 64 MiB more of memory that is
no mapped file. With --short, 64 MB and 40 MB.
"""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import requests
from support.service import children, running_service
from torture.anonymous_memory import peak_of
from torture.load import arguments, report

from deltawire_service.settings import Settings

MIB = 2**20
GROWTH = 64 * MIB
ROWS_AT_ONCE = 20_000


def write_table(path: Path, size: int, dice: np.random.Generator) -> int:
    """Write a table of about so many bytes, with integers, decimals, texts and gaps. Return its rows."""
    columns = [
        [str(number) for number in dice.integers(-(10**6), 10**6, ROWS_AT_ONCE)],
        *([f"{number:.4f}" for number in dice.normal(size=ROWS_AT_ONCE)] for _ in range(6)),
        *([repr(float(number)) for number in dice.normal(size=ROWS_AT_ONCE)] for _ in range(2)),
        [("north", "south", "west", "east")[number] for number in dice.integers(0, 4, ROWS_AT_ONCE)],
        [str(number) if number % 10 else "" for number in dice.integers(0, 10**5, ROWS_AT_ONCE)],
    ]
    block = "".join(",".join(row) + "\n" for row in zip(*columns, strict=True)).encode()
    count = max(1, size // len(block))
    with path.open("wb") as file:
        file.write((",".join(f"c{place}" for place in range(len(columns))) + "\n").encode())
        for _ in range(count):
            file.write(block)
    return count * ROWS_AT_ONCE


def processor_seconds(pid: int) -> float:
    """Return the processor time that a process has taken."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def send(url: str, path: Path) -> tuple[Any, float]:
    """Send a table; return the answer, and how many seconds it took."""
    began = time.monotonic()
    with path.open("rb") as file:
        answer = requests.put(url, data=file, headers={"Content-Type": "text/csv"}, timeout=600)
    return answer, time.monotonic() - began


def main() -> None:
    given = arguments("large_tables")
    figures, reached = dict[str, Any](), dict[str, bool]()
    deadline = Settings().deadline_seconds
    with (
        tempfile.TemporaryDirectory() as folder,
        running_service("-w", "1", data_dir=f"{folder}/data", log_level="error") as service,
    ):
        (pid,) = children(service.pid)
        path = Path(folder, "table.csv")
        size, dice = 2**26 if given.short else 10**9, np.random.default_rng(given.seed)
        rows = write_table(path, size, dice)
        with path.open("ab") as file:
            file.write(b"1,2,3\n")
        for name in ("broken", "whole"):
            with peak_of(pid) as peak:
                used = processor_seconds(pid)
                answer, seconds = send(f"{service}/v1/datasets/{name}", path)
            figures[name] = {
                "status": answer.status_code,
                "seconds": round(seconds, 1),
                "processor_seconds": round(processor_seconds(pid) - used, 1),
                "anonymous_mib_grown": round(peak.growth / MIB, 1),
            }
            reached[f"{name}: within the deadline"] = seconds <= deadline
            reached[f"{name}: memory"] = peak.growth <= GROWTH
            if name == "broken":
                detail = f"line {rows + 2}: expected 11 cells, as in the header, got 3"
                reached["broken: refused by its line"] = answer.json()["detail"] == detail
                rows = write_table(path, size // 10 * 6, dice)
            else:
                reached["whole: every row"] = answer.json().get("rows") == rows
    report({"seed": given.seed, "bytes": size, **figures}, reached)


if __name__ == "__main__":
    main()
