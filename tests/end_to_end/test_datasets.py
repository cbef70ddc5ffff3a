"""Tables that are larger than memory should hold, at a real server: what they take, and what is left."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import Any

import numpy as np
import pytest
import requests
from support.memory import resident
from support.service import Service, children, running_service

pytestmark = pytest.mark.servers

MIB = 2**20
ROWS, COLUMNS = 2**18, 1024
"""Of a table with 1 GiB of numbers in float32."""


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    with running_service(
        "-w", "1", data_dir=str(tmp_path / "data"), protocols="", deadline_seconds="240"
    ) as service:
        yield service


@contextmanager
def peak_above(service: Service) -> Iterator[Callable[[], int]]:
    """Give a function that returns how much anonymous memory the worker has taken at its peak meanwhile."""
    (worker,) = children(service.pid)
    process = Path(f"/proc/{worker}")
    before, ends, peaks = resident(process, "RssAnon"), Event(), [0]

    def watch() -> None:
        while not ends.wait(0.01):
            peaks[0] = max(peaks[0], resident(process, "RssAnon"))

    watcher = Thread(target=watch)
    watcher.start()
    try:
        yield lambda: peaks[0] - before
    finally:
        ends.set()
        watcher.join()


def left(folder: Path) -> list[str]:
    return [name for part in ("datasets", "uploads") for name in os.listdir(folder / "data" / part)]


def put(service: Service, body: Any, media_type: str) -> requests.Response:
    return requests.put(
        f"{service}/v1/datasets/table", data=body, headers={"Content-Type": media_type}, timeout=300
    )


def test_a_large_csv_with_a_broken_last_line_leaves_nothing(service: Service, tmp_path: Path) -> None:
    line = b"12345,0.12345678,text\n"
    lines = 64 * MIB // len(line)
    path = tmp_path / "table.csv"
    path.write_bytes(b"a,b,c\n" + lines * line + b"12345,0.1\n")
    with peak_above(service) as peak, path.open("rb") as file:
        answer = put(service, file, "text/csv")
        assert answer.status_code == 422, answer.text
        detail = answer.json()["errors"][0]["detail"]
        assert detail == f"line {lines + 2}: expected 3 cells, as in the header, got 2"
        assert peak() < 64 * MIB
    assert left(tmp_path) == []


def saved(path: Path) -> Path:
    """A file of numpy.save whose row i has i in every place."""
    array = np.lib.format.open_memmap(path, "w+", "float32", (ROWS, COLUMNS))
    for start in range(0, ROWS, 2**12):
        array[start : start + 2**12] = np.arange(start, start + 2**12, dtype="float32")[:, None]
    array.flush()
    return path


def test_a_gibibyte_of_rows_takes_little_memory(service: Service, tmp_path: Path) -> None:
    with peak_above(service) as peak, saved(tmp_path / "table.npy").open("rb") as file:
        answer = put(service, file, "application/x-npy")
        assert answer.status_code == 201, answer.text
        assert peak() < 64 * MIB
    (tmp_path / "table.npy").unlink()
    (column,) = answer.json()["columns"]
    assert (column["min"], column["max"], column["mean"]) == (0, ROWS - 1, (ROWS - 1) / 2)
    network = {
        "inputs": {"x": {"shape": [COLUMNS]}},
        "nodes": [{"name": "f", "kind": "mean", "inputs": ["x"]}],
    }
    at_once, total = 2**13, 0.0
    with peak_above(service) as peak:
        for start in range(0, ROWS, at_once):
            rows: dict[str, Any] = {"start": start, "stop": start + at_once}
            if start % (2 * at_once):
                rows = {"indices": list(range(start, start + at_once))}
            document = {
                "network": network,
                "dtype": "float32",
                "data": {"dataset": "table", "rows": rows},
                "wrt": {"params": False},
            }
            answer = requests.post(f"{service}/v1/gradients", json=document, timeout=60)
            assert answer.status_code == 200, answer.text
            total += answer.json()["loss"] * at_once
        assert total == pytest.approx(ROWS * (ROWS - 1) / 2)
        # A request has 32 MiB of rows, gathered where they are indices, and the engine's work.
        assert peak() < 200 * MIB


def test_a_service_that_is_killed_while_it_reads_a_table_starts_without_it(tmp_path: Path) -> None:
    folder = str(tmp_path / "data")
    body = b"a,b\n" + 400_000 * b"1,0.5\n"
    for pause in (0.05, 0.3, 0.6):
        with running_service("-w", "1", data_dir=folder, protocols="") as service:
            (worker,) = children(service.pid)
            sender = Thread(target=lambda: _ignoring_errors(lambda: put(service, body, "text/csv")))
            sender.start()
            time.sleep(pause)
            os.kill(worker, 9)
            sender.join()
        with running_service("-w", "1", data_dir=folder, protocols="") as service:
            known = requests.get(f"{service}/v1/datasets", timeout=30).json()["datasets"]
            assert len(os.listdir(tmp_path / "data" / "datasets")) == len(known) <= 1
            assert put(service, body, "text/csv").status_code in (200, 201)
            requests.delete(f"{service}/v1/datasets/table", timeout=30)
            assert left(tmp_path) == []


def _ignoring_errors(send: Callable[[], object]) -> None:
    try:
        send()
    except requests.RequestException:  # its worker was killed
        return
