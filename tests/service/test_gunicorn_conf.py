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
from support.service import command, free_port

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
