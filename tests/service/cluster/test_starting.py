"""Dask is imported where it is configured, and nowhere else."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from environs import EnvError

from deltawire_service.settings import Settings

LOADED = """
import sys
for name in sys.argv[1:]:
    sys.modules[name] = None  # as where it is not installed
from deltawire_service.app import create_app
app = create_app()
answer = app.test_client().post("/v1/gradients", json={
    "network": {"inputs": {"x": {"shape": []}}, "nodes": [{"kind": "exp", "inputs": ["x"]}]},
    "data": {"x": [1.0]}, "wrt": {"data": True},
})
assert answer.status_code == 200, answer.text
assert app.test_client().get("/v1/limits").json["workers"] is None
print(*sorted(name for name, module in sys.modules.items() if module))
"""


DASK = ("dask", "distributed", "tornado", "cloudpickle", "msgpack")


def loaded(*missing: str) -> set[str]:
    """Return the modules of a service without a scheduler. missing: those that are not installed."""
    command = [sys.executable, "-c", LOADED, *missing]
    return set(subprocess.run(command, check=True, capture_output=True, text=True).stdout.split())


def test_a_service_without_a_scheduler_imports_nothing_of_dask() -> None:
    """So it starts as soon, and takes as much memory, as where Dask is not installed."""
    found = loaded()
    assert found.isdisjoint(DASK)
    assert not [name for name in found if name.startswith("deltawire_service.cluster.working")]
    assert found == loaded(*DASK)


def test_a_scheduler_needs_a_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DELTAWIRE_DASK", "tcp://127.0.0.1:8786")
    monkeypatch.delenv("DELTAWIRE_DATA_DIR", raising=False)
    with pytest.raises(EnvError, match="DELTAWIRE_DATA_DIR"):
        Settings.from_environment()
    monkeypatch.setenv("DELTAWIRE_DATA_DIR", str(tmp_path))
    assert Settings.from_environment().dask == "tcp://127.0.0.1:8786"


def test_a_scheduler_elsewhere_needs_tls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DELTAWIRE_DASK", "tcp://10.0.0.1:8786")
    with pytest.raises(EnvError, match="DELTAWIRE_DASK.*only tls:// is allowed"):
        Settings.from_environment()
