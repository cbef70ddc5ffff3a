"""docs/networks.md, as shown; and published networks in a real gunicorn: shared, replaced, read again."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import requests
from support.console import ROOT, blocks, run
from support.posting import good
from support.publishing import publish
from support.service import children, running_service

PAGE = ROOT / "docs" / "networks.md"
NAMED = {"network": {"name": "good"}, "data": good()["data"]}


def until(condition: Callable[[], Any], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


def published_as(url: str) -> set[str]:
    """The ids that requests are answered with now, by several connections."""
    answers = [requests.post(f"{url}/v1/gradients", json=NAMED, timeout=10) for _ in range(6)]
    assert {answer.status_code for answer in answers} == {200}
    return {answer.json()["params_id"] for answer in answers}


def test_the_page_does_what_it_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("networks").mkdir()
    in_cli = next(
        block for block in blocks(ROOT / "docs" / "cli.md") if "checkpoint.safetensors" in block.text
    )
    exec(compile(in_cli.text, "docs/cli.md", "exec"), {})
    first, call, answer, python, printed = blocks(PAGE)
    publishing, serving = first.text.splitlines()
    assert run(*publishing.split()[1:]).exit_code == 0
    assert serving == "deltawire serve --networks networks"
    with running_service("-w", "2", networks_dir="networks") as url:
        text = call.text.replace("http://127.0.0.1:8000", url)
        done = subprocess.run(text, shell=True, capture_output=True, text=True, check=True, timeout=30)
        exec(compile(python.text.replace("http://127.0.0.1:8000", url), str(PAGE), "exec"), {})
    assert capsys.readouterr().out == printed.text
    assert json.loads(done.stdout) == json.loads(answer.text)


def test_workers_take_in_what_has_changed_and_drop_nothing(tmp_path: Path) -> None:
    publish(tmp_path)
    with running_service("-w", "2", networks_dir=str(tmp_path)) as url, ThreadPoolExecutor(2) as callers:
        (first,) = published_as(url)
        old, stop = children(url.pid), False

        def ask() -> set[int]:
            seen = set()
            while not stop:
                seen.add(requests.post(f"{url}/v1/gradients", json=NAMED, timeout=10).status_code)
            return seen

        asking = [callers.submit(ask) for _ in range(2)]
        changed = {name: np.add(array, 1.0) for name, array in good()["params"].items()}
        publish(tmp_path, "draft", params=changed).replace(tmp_path / "good.safetensors")
        (tmp_path / "broken.safetensors").write_bytes(b"nothing")
        assert published_as(url) == {first}  # until it is told
        os.kill(url.pid, signal.SIGHUP)
        until(lambda: len(children(url.pid)) == 2 and not children(url.pid) & old)
        (second,) = published_as(url)
        assert second != first
        refused = requests.get(f"{url}/v1/networks", timeout=10).json()["refused"]
        assert [network["name"] for network in refused] == ["broken"]
        (tmp_path / "good.safetensors").unlink()
        os.kill(url.pid, signal.SIGHUP)
        until(lambda: requests.post(f"{url}/v1/gradients", json=NAMED, timeout=10).status_code == 404)
        stop = True
        assert set().union(*(each.result() for each in asking)) <= {200, 404, 503}


def test_workers_share_the_memory_of_the_parameters(tmp_path: Path) -> None:
    size = 64 * 2**20
    spec = {
        "inputs": {"x": {"shape": [1024]}},
        "nodes": [{"name": "f", "kind": "linear", "config": {"units": 2**13}}],
    }
    weight = np.zeros((2**13, 1024))
    assert weight.nbytes == size
    publish(tmp_path, "large", network=spec, params={"f.weight": weight, "f.bias": np.zeros(2**13)})
    request = {
        "network": {"name": "large"},
        "data": {"x": [[1.0] * 1024]},
        "values": ["f"],
        "tensors": "base64",
    }
    with running_service("-w", "2", networks_dir=str(tmp_path)) as url:
        for _ in range(6):  # which worker is asked is up to the system
            assert requests.post(f"{url}/v1/forward", json=request, timeout=10).status_code == 200
        until(lambda: len(children(url.pid)) == 2)
        seen = [copied(pid, size) for pid in children(url.pid)]
        assert all(private < size // 16 for _, private in seen), seen


def test_a_file_that_is_spoilt_in_place_ends_no_process(tmp_path: Path) -> None:
    path = publish(tmp_path)
    whole = path.read_bytes()
    with running_service("-w", "2", networks_dir=str(tmp_path)) as url:
        (first,) = published_as(url)
        workers = children(url.pid)
        os.truncate(path, 0)
        assert published_as(url) == {first} and children(url.pid) == workers

        def reload() -> None:
            before = children(url.pid)
            os.kill(url.pid, signal.SIGHUP)
            until(lambda: len(children(url.pid)) == 2 and not children(url.pid) & before)

        reload()
        refused = requests.post(f"{url}/v1/gradients", json=NAMED, timeout=10)
        assert refused.status_code == 404 and "'good' cannot be served" in refused.json()["detail"]
        path.write_bytes(whole)
        reload()
        assert published_as(url) == {first}
        os.truncate(path, len(whole) - 8)
        os.kill(url.pid, signal.SIGHUP)
        until(lambda: requests.post(f"{url}/v1/gradients", json=NAMED, timeout=10).status_code == 404)


def copied(pid: int, size: int) -> tuple[int, int]:
    """Bytes of the part of a process's memory that holds the numbers: in memory, and of its own."""
    parts = [
        {key: 1024 * int(value) for key, value in re.findall(r"(\w+): +(\d+) kB", part)}
        for part in Path(f"/proc/{pid}/smaps").read_text().split("VmFlags")
    ]
    (kept,) = [part for part in parts if part.get("Rss", 0) >= size]
    return kept["Rss"], kept["Private_Clean"] + kept["Private_Dirty"]
