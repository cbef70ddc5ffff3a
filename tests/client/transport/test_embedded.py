"""The embedded transport: the service in this process, and what is said when it is not installed."""

from __future__ import annotations

import subprocess
import sys

import pytest

from deltawire import Client, Refused

WITHOUT_SERVICE = """
import sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"flask", "werkzeug", "structlog", "environs", "apispec", "gunicorn"}:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Missing())
from deltawire import Client, Network, NotInstalled

Client("http://127.0.0.1:9")
try:
    Client()
except NotInstalled as error:
    assert error.code == "not_installed" and "deltawire[service]" in str(error), error
    print("told")
"""


def test_the_client_works_without_the_service_and_names_the_extra() -> None:
    run = subprocess.run([sys.executable, "-c", WITHOUT_SERVICE], capture_output=True, text=True, timeout=60)
    assert run.stdout == "told\n", run.stderr


def test_settings_of_the_environment_hold_and_only_failures_are_logged(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DELTAWIRE_NODES", "1")
    spec = {"inputs": {"x": {"shape": []}}, "nodes": [{"kind": "tanh"}, {"kind": "tanh"}]}
    with Client() as client, pytest.raises(Refused) as refused:
        client.init(spec)
    assert refused.value.code == "too_many_nodes"
    assert capfd.readouterr() == ("", "")
