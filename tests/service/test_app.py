"""The application: what it is made of, and that two of them share nothing."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from support.layers import failing, registry
from support.posting import good, pointwise

from deltawire_layers import Registry, RegistryError
from deltawire_service.app import create_app
from deltawire_service.settings import Settings


def test_layers_and_settings_are_those_given() -> None:
    mine = create_app(Settings(), registry(mine=failing("none", None))).test_client()
    assert mine.post("/v1/gradients", json=pointwise("mine", 2.0)).json["loss"] == 2.0
    other = create_app(Settings()).test_client()
    assert other.post("/v1/gradients", json=pointwise("mine", 2.0)).json["code"] == "unknown_kind"
    empty = create_app(Settings(), Registry({})).test_client()
    assert empty.get("/v1/layers").json == {"layers": [], "languages": ["en", "ko"]}


def test_a_plugin_that_cannot_be_used_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    def load_layers() -> Registry:
        raise RegistryError("distribution 'broken 1.0' fails to import")

    monkeypatch.setattr("deltawire_service.app.load_layers", load_layers)
    with pytest.raises(RegistryError, match="broken 1.0"):
        create_app(Settings())


def test_the_same_request_gets_the_same_bits_from_every_thread() -> None:
    app = create_app(Settings(log_level="error"))
    with ThreadPoolExecutor(8) as threads:
        answers = list(
            threads.map(lambda _: app.test_client().post("/v1/gradients", json=good()).data, range(64))
        )
    assert len(set(answers)) == 1


@pytest.mark.parametrize("path", ["/v1/layers/", "/", ""])
def test_no_path_is_answered_with_a_redirect(path: str) -> None:
    answer = create_app(Settings()).test_client().get(path)
    assert answer.status_code == 200
    assert answer.mimetype == "application/json"


def test_no_other_origin_is_let_in() -> None:
    headers = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    answer = create_app(Settings()).test_client().options("/v1/gradients", headers=headers)
    assert not [name for name, _ in answer.headers if name.lower().startswith("access-control")]
