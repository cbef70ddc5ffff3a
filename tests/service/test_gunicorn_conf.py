"""The shipped gunicorn configuration, run."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import requests
from support.service import command, free_port, running_service

from deltawire_service import gunicorn_conf

PROBE = """
import os, sys
early = "numpy" in sys.modules
NAMES = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS")
threads = {name: os.environ.get(name) for name in NAMES}

def app(environ, start):
    body = repr((early, threads)).encode()
    start("200 OK", [("Content-Length", str(len(body)))])
    return [body]
"""


def test_blas_gets_one_thread_before_numpy_is_loaded_and_every_line_is_json(tmp_path: Path) -> None:
    (tmp_path / "probe.py").write_text(PROBE)
    port = free_port()
    probe = [sys.executable, "-m", "gunicorn", "-c", "python:deltawire_service.gunicorn_conf"]
    probe += ["--pythonpath", str(tmp_path), "probe:app"]
    environment = {"PORT": str(port), "WEB_CONCURRENCY": "1", "HOME": str(tmp_path)}
    service = subprocess.Popen(probe, env=environment, stderr=subprocess.PIPE, text=True)
    try:
        end = time.monotonic() + 30
        while True:
            try:
                answer = requests.get(f"http://127.0.0.1:{port}/", timeout=5).text
                break
            except requests.ConnectionError:
                assert service.poll() is None and time.monotonic() < end, "the service does not start"
                time.sleep(0.05)
    finally:
        service.send_signal(signal.SIGTERM)
        _, log = service.communicate(timeout=30)
    early, threads = eval(answer)
    assert not early
    assert set(threads.values()) == {"1"}
    assert service.returncode == 0
    lines = [json.loads(line) for line in log.splitlines()]
    assert any("Listening at" in line["event"] for line in lines)
    assert [path.name for path in tmp_path.iterdir() if path.name not in ("probe.py", "__pycache__")] == []


@pytest.mark.parametrize(
    "variable, value",
    [
        ("DELTAWIRE_COMPUTE_THREADS", "many"),
        ("DELTAWIRE_DEADLINE_SECONDS", "-1"),
        ("DELTAWIRE_DRAIN_SECONDS", "nan"),
        ("DELTAWIRE_LOG_LEVEL", "loud"),
        ("DELTAWIRE_INSECURE_PUBLIC", "perhaps"),
        ("WEB_CONCURRENCY", "0"),
        ("PORT", "http"),
    ],
)
def test_a_setting_that_does_not_fit_stops_the_start_and_is_named(variable: str, value: str) -> None:
    ended = subprocess.run(
        command(free_port()), env={**os.environ, variable: value}, capture_output=True, text=True, timeout=60
    )
    assert ended.returncode == 1
    assert ended.stderr.startswith(f"deltawire cannot start: {variable}: expected ")
    assert f"got {value!r}" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_importing_it_makes_no_folder(tmp_path: Path) -> None:
    program = (
        "import tempfile; tempfile.mkdtemp = lambda **_: 1 / 0;"
        " import os; os.mkdir = os.makedirs = lambda *_: 1 / 0; import deltawire_service.gunicorn_conf"
    )
    assert subprocess.run([sys.executable, "-c", program]).returncode == 0


def test_it_listens_to_this_machine_only() -> None:
    assert gunicorn_conf.bind.startswith("127.0.0.1:")
    assert gunicorn_conf.workers >= 1


NETWORK = {
    "inputs": {"x": {"shape": [2]}, "y": {"shape": []}},
    "nodes": [
        {"name": "line", "kind": "linear", "inputs": ["x"], "config": {"units": 1}},
        {"name": "flat", "kind": "reshape", "inputs": ["line"], "config": {"shape": []}},
        {"name": "loss", "kind": "squared_error", "inputs": ["flat", "y"]},
    ],
}
MODEL = {"name": "line", "network": NETWORK, "optimizer": {"kind": "adam"}}
BATCH = {"data": {"x": [[1.0, 2.0]], "y": [3.0]}}


def snapshots(folder: Path) -> list[Path]:
    return list(folder.glob("models/*/snapshots/*.safetensors"))


def params_id(url: str) -> str:
    return str(requests.get(f"{url}/v1/models/line/params", timeout=10).json()["origin"]["params_id"])


def test_models_outlive_the_service_and_it_takes_their_snapshots_at_its_end(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    with running_service("-w", "2", data_dir=str(folder)) as url:
        assert requests.post(f"{url}/v1/models", json=MODEL, timeout=10).status_code == 201
        for _ in range(5):
            assert requests.post(f"{url}/v1/models/line/steps", json=BATCH, timeout=10).ok
        before = params_id(url)
        assert len(snapshots(folder)) == 1
        os.kill(url.pid, signal.SIGTERM)
        assert url.wait(30) == 0
        assert "took snapshots of 1 changed models" in url.log()
    assert len(snapshots(folder)) == 2
    assert not list(folder.glob("*-wal"))  # whoever closes the last connection copies the log back
    for slot in folder.glob("models/*/slots/*"):
        slot.unlink()  # as after another boot
    with running_service("-w", "2", data_dir=str(folder)) as url:
        assert (
            len(list(folder.glob("models/*/slots/*"))) == 1
        )  # it was recovered before the service was ready
        assert params_id(url) == before
        assert requests.post(f"{url}/v1/models/line/steps", json=BATCH, timeout=10).json()["version"] == 6
        assert "cannot be recovered" not in url.log()


def test_a_folder_that_cannot_keep_models_stops_the_start_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    ended = subprocess.run(
        command(free_port()),
        env={**os.environ, "DELTAWIRE_DATA_DIR": str(tmp_path / "file")},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ended.returncode == 1
    (line,) = [line for line in ended.stderr.splitlines() if line]
    assert line.startswith(f"Error: models cannot be kept in {tmp_path / 'file'}: [Errno 20] Not a directory")
