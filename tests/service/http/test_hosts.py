"""The Host of a request: well-formed, and without keys no name that a foreign page can have chosen."""

from __future__ import annotations

from hashlib import sha256

import pytest
from flask.testing import FlaskClient

from deltawire_service.app import create_app
from deltawire_service.http.hosts import OPEN, HostInvalid, name_of
from deltawire_service.settings import Settings

KEY = {"Authorization": "Bearer secret"}


@pytest.fixture(scope="module")
def client() -> FlaskClient:
    return create_app(Settings(log_level="error", allowed_hosts="api.example Other.Example")).test_client()


@pytest.fixture(scope="module")
def with_keys() -> FlaskClient:
    keys = f"{sha256(b'secret').hexdigest()} me"
    return create_app(Settings(log_level="error", api_keys=keys)).test_client()


def status(
    client: FlaskClient, host: str | None, path: str = "/v1/limits", **environ: str
) -> tuple[int, str]:
    overrides = environ | ({} if host is None else {"HTTP_HOST": host})
    with client.get(path, environ_overrides=overrides, headers=KEY) as answer:
        return answer.status_code, answer.json["code"] if answer.status_code >= 400 else ""


ADDRESSES = [
    "127.0.0.1",
    "127.0.0.1:8000",
    "10.1.2.3:80",
    "[::1]",
    "[::1]:8000",
    "[2001:DB8::1]:1",
    "0.0.0.0",
]
NAMES = ["localhost", "localhost:8000", "LOCALHOST", "localhost.", "api.example:443", "other.example"]


@pytest.mark.parametrize("host", ADDRESSES + NAMES)
def test_addresses_localhost_and_names_of_the_service_are_answered(client: FlaskClient, host: str) -> None:
    assert status(client, host) == (200, "")


FOREIGN = [
    "attacker.example", "attacker.example:8000", "127.0.0.1.attacker.example", "localhost.attacker.example",
    "api.example.attacker.example", "xapi.example", "2130706433", "0x7f.1", "127.1", "0177.0.0.1",
    "1.2.3.4.5", "_", "a" * 60 + ".example",
]  # fmt: skip


@pytest.mark.parametrize("host", FOREIGN)
@pytest.mark.parametrize("path", ["/", "/v1/limits", "/v1/gradients", "/explorer/main.js", "/docs"])
def test_any_other_name_is_refused(client: FlaskClient, host: str, path: str) -> None:
    assert status(client, host, path) == (421, "host_not_allowed")


@pytest.mark.parametrize("path", sorted(OPEN))
def test_probes_and_scrapes_may_use_any_name(client: FlaskClient, path: str) -> None:
    assert status(client, "pod-7.example", path) == (200, "")


MALFORMED = [
    "", " ", "a b", "a,b", "a/b", "user@host", "a:b", "a:123456", "a:1:2", "[::1", "::1", "[1.2.3.4.5]", "[]",
    "[::g]", ".", "a\x85", "é.example", "a\x00", "127.0.0.1, 127.0.0.1", "a?b", "a#b", "%41", "a\n",
]  # fmt: skip


@pytest.mark.parametrize("host", MALFORMED)
@pytest.mark.parametrize("path", ["/v1/limits", "/livez"])
def test_a_malformed_host_is_refused_everywhere(
    client: FlaskClient, with_keys: FlaskClient, host: str, path: str
) -> None:
    assert status(client, host, path) == status(with_keys, host, path) == (400, "bad_request")


def test_with_keys_any_name_will_do(with_keys: FlaskClient) -> None:
    for host in (*FOREIGN, *ADDRESSES, *NAMES):
        assert status(with_keys, host) == (200, "")


def without_host(client: FlaskClient, path: str, version: str) -> int:
    """Return the status for a request that has no Host: Flask's test client would add one."""
    environ = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": path,
        "SERVER_PROTOCOL": version,
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80",
        "HTTP_AUTHORIZATION": "Bearer secret",
        "wsgi.url_scheme": "http",
    }
    statuses = list[str]()
    body = client.application(environ, lambda status, headers, exc_info=None: statuses.append(status))
    body.close()  # type: ignore[attr-defined]
    return int(statuses[0][:3])


def test_http_1_1_has_a_host_and_http_1_0_need_not(client: FlaskClient, with_keys: FlaskClient) -> None:
    for path in ("/livez", "/v1/limits"):
        assert without_host(client, path, "HTTP/1.1") == without_host(with_keys, path, "HTTP/1.1") == 400
    assert without_host(client, "/livez", "HTTP/1.0") == 200
    assert without_host(client, "/v1/limits", "HTTP/1.0") == 400  # a name cannot be told from another
    assert without_host(with_keys, "/v1/limits", "HTTP/1.0") == 200


@pytest.mark.parametrize("host, name", [("A.b:1", "a.b"), ("[::1]:1", "::1"), ("a.", "a"), ("a:", "a")])
def test_the_name_in_a_host(host: str, name: str) -> None:
    assert name_of(host) == name


@pytest.mark.parametrize("host", ["[a]", ":1", ".", "[127.0.0.1"])
def test_a_host_without_a_name(host: str) -> None:
    with pytest.raises(HostInvalid):
        name_of(host)
