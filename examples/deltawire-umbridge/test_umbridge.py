"""RemoteModel keeps every rule of the contract, with a real server; without one, it says why it fails."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import requests
from deltawire_umbridge import URL_VARIABLE, RemoteModel

from deltawire_layers import DeadlineExceeded, LayerError, call_until, check_layer

SPRING = RemoteModel(model="spring", outputs=8)


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = subprocess.Popen([sys.executable, str(Path(__file__).with_name("spring_server.py")), str(port)])
    try:
        for _ in range(300):
            try:
                requests.get(f"http://127.0.0.1:{port}/Info", timeout=1)
                break
            except requests.ConnectionError:
                assert server.poll() is None, "the server ended"
                time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(timeout=30)


class Positive(RemoteModel):
    """y = F(x), for x (2,), y (8,), where both numbers are positive."""

    domain = (0.1, 3.0)


def test_the_server_is_for_this_machine_alone(url: str) -> None:
    """On another address of this machine, nothing listens."""
    port = int(url.rpartition(":")[2])
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.2", port), timeout=5)


def test_the_contract(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(URL_VARIABLE, url)
    check_layer(Positive(model="spring", outputs=8), (2,))


def test_what_the_server_refuses_is_quoted(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(URL_VARIABLE, url)
    x = np.array([[0.3, 2.0]])
    with pytest.raises(RuntimeError, match="refuses Evaluate of 'spiral'"):
        RemoteModel(model="spiral", outputs=8).forward({}, x)
    with pytest.raises(RuntimeError, match=r"gives shape \[8\], not \[7\]"):
        RemoteModel(model="spring", outputs=7).forward({}, x)
    assert np.isnan(SPRING.forward({}, np.array([[np.inf, 2.0]])).value).all()


def test_the_environment_names_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(URL_VARIABLE, raising=False)
    with pytest.raises(RuntimeError, match="DELTAWIRE_UMBRIDGE_URL is not set"):
        SPRING.forward({}, np.ones((1, 2)))
    monkeypatch.setenv(URL_VARIABLE, "http://127.0.0.1:9")
    with pytest.raises(RuntimeError, match="does not answer Evaluate"):
        SPRING.forward({}, np.ones((1, 2)))
    with pytest.raises(DeadlineExceeded):
        call_until(time.monotonic() - 1, lambda: SPRING.forward({}, np.ones((1, 2))))


def test_other_shapes_are_refused() -> None:
    with pytest.raises(LayerError, match="expected a vector") as refused:
        SPRING.output_shape((2,), (2, 2))
    assert refused.value.input == 1
