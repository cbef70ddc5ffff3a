"""API keys of a client: sent in the right way, never shown."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import pytest
from support.console import run
from support.posting import good
from support.service import running_service

from deltawire import Client
from deltawire.errors import Refused, Unreachable
from deltawire.retries import Retries
from deltawire.transport.credentials import credentials

KEY = "a+b/c=~x@y:z"


def test_a_service_with_keys_answers_those_who_have_one(monkeypatch: pytest.MonkeyPatch) -> None:
    with running_service("-w", "1", api_keys=f"{sha256(KEY.encode()).hexdigest()} me") as service:
        quoted = "a%2Bb%2Fc%3D~x%40y%3Az"
        for client in (
            Client(service, api_key=KEY),
            Client(service.replace("://", f"://me:{quoted}@")),
            Client(service.replace("://", f"://{quoted}@")),
        ):
            x = good()
            with client:
                assert client.gradients(x["network"], x["params"], x["data"]).loss > 0
        with Client(service, api_key="wrong") as client, pytest.raises(Refused) as refused:
            client.limits()
        assert (refused.value.code, refused.value.status) == ("unauthorized", 401)
        assert "api_key=" in str(refused.value)

        assert run("layers", "--url", str(service)).exit_code == 3
        monkeypatch.setenv("DELTAWIRE_API_KEY", KEY)
        assert run("layers", "--url", str(service)).exit_code == 0
    assert run("layers").exit_code == 0


def test_no_message_shows_a_key() -> None:
    with Client("http://me:secret@127.0.0.1:9", retries=Retries(attempts=1)) as client:
        with pytest.raises(Unreachable) as error:
            client.limits()
    assert "secret" not in str(error.value) and "127.0.0.1:9" in str(error.value)


def test_a_url_without_a_user_stays_as_it_is() -> None:
    assert credentials("http://127.0.0.1:8000/base", None) == ("http://127.0.0.1:8000/base", None)
    assert credentials("http://u:p@[::1]:8000/base", None)[0] == "http://[::1]:8000/base"


@pytest.mark.parametrize(
    "url, words",
    [
        ("http://h?x=1", "without|no \\? and no #"),
        ("http://h/base?x=1", "no \\? and no #"),
        ("http://h#x", "no \\? and no #"),
        ("", "with its scheme"),
        ("127.0.0.1:8000", "with its scheme"),
        (None, "with its scheme"),
        ("ftp://h", "expected http:// or https://, got ftp://"),
        ("http://", "expected a host"),
        ("http://:8000", "expected a host"),
        ("http://h:", "expected a host"),
        ("http://h:0", "expected a host"),
        ("http://h:99999", "0-65535"),
        ("http://h:port", "port"),
        ("http://[::1", "IPv6"),
        ("http://a b", "characters that no URL has"),
        ("http://h/a b", "characters that no URL has"),
        ("http://h\r\nX: y", "characters that no URL has"),
        ("http://h\\x", "characters that no URL has"),
        ("http://me:secret@h?x=1", "no \\? and no #"),
    ],
)
def test_a_url_that_is_no_address_of_a_service_is_refused_by_name(url: str, words: str) -> None:
    with pytest.raises(ValueError, match=f"^url: .*({words})") as error:
        credentials(url, None)
    assert "secret" not in str(error.value)


@pytest.mark.parametrize(
    "url, address",
    [
        ("HTTP://H:1/", "http://H:1"),
        ("https://h/base/", "https://h/base"),
        ("https://h/b%20c/é", "https://h/b%20c/é"),
        ("http://[::1]:8000", "http://[::1]:8000"),
        ("http://me:a%40b@h:1/x", "http://h:1/x"),
    ],
)
def test_the_address_of_a_service(url: str, address: str) -> None:
    assert credentials(url, None)[0] == address


@pytest.mark.parametrize("key", ["é", "a b", "a\r\nX: y", "", 3, b"key"])
def test_a_key_that_cannot_be_in_a_header_is_refused(key: Any) -> None:
    with pytest.raises(ValueError):
        Client("http://127.0.0.1:9", api_key=key)
