"""The service does not open itself to other machines by accident."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
import requests
from support.service import free_port, running_service

from deltawire_service.environment import variable
from deltawire_service.server.public_binding import is_public, may_be_public
from deltawire_service.settings import Settings

DIGEST = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


@pytest.mark.parametrize(
    "address, public",
    [
        (("127.0.0.1", 80), False),
        (("127.8.9.1", 80), False),
        (("::1", 80, 0, 0), False),
        ("/run/deltawire.sock", False),
        (("0.0.0.0", 80), True),
        (("::", 80, 0, 0), True),
        (("10.0.0.1", 80), True),
    ],
)
def test_addresses_of_sockets(address: object, public: bool) -> None:
    assert is_public(address) == public


@pytest.mark.parametrize(
    "setting, value, opens",
    [
        ("api_keys", f"{DIGEST} me", True),
        ("api_keys_file", "/keys", True),
        ("insecure_public", "1", True),
        ("insecure_public", "y", True),
        ("insecure_public", "0", False),
        ("insecure_public", "off", False),
        ("api_keys", "", False),
    ],
)
def test_what_opens_it(setting: str, value: str, opens: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("api_keys", "api_keys_file", "insecure_public"):
        monkeypatch.delenv(variable(name), raising=False)
    monkeypatch.setenv(variable(setting), value)
    assert may_be_public(Settings.from_environment()) == opens


def test_it_refuses_to_start_for_everybody_and_says_what_to_do() -> None:
    command = [sys.executable, "-m", "gunicorn", "-c", "python:deltawire_service.gunicorn_conf", "-w", "1"]
    command += ["-b", f"127.0.0.1:{free_port()}", "-b", f"0.0.0.0:{free_port()}"]
    environ = {name: text for name, text in os.environ.items() if not name.startswith("DELTAWIRE_")}
    ended = subprocess.run(
        [*command, "deltawire_service.app:create_app()"],
        capture_output=True,
        text=True,
        env=environ,
        timeout=60,
    )
    assert ended.returncode == 1
    assert "DELTAWIRE_API_KEYS_FILE" in ended.stderr and "DELTAWIRE_INSECURE_PUBLIC=1" in ended.stderr
    assert "Traceback" not in ended.stderr and "serves at" not in ended.stdout


def test_with_a_key_it_takes_what_has_the_key() -> None:
    with running_service("-w", "1", api_keys=f"{DIGEST} me") as service:
        assert requests.get(f"{service}/v1/limits", timeout=5).status_code == 401
        known = requests.get(f"{service}/v1/limits", headers={"Authorization": "Bearer abc"}, timeout=5)
        assert known.status_code == 200
        in_url = requests.get(f"{service}/v1/limits".replace("://", "://me:abc@"), timeout=5)
        assert in_url.status_code == 200
