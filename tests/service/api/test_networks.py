"""GET /v1/networks and /v1/networks/<name>: what is published is shown, the files refused too."""

from __future__ import annotations

from pathlib import Path

from flask.testing import FlaskClient
from support.posting import good
from support.publishing import publish

from deltawire_service.app import create_app
from deltawire_service.settings import Settings


def client(folder: Path) -> FlaskClient:
    return create_app(Settings(log_level="error", networks_dir=str(folder))).test_client()


def test_a_published_network_is_shown(tmp_path: Path) -> None:
    publish(tmp_path, data=good()["data"], values=["scores"])
    publish(tmp_path, "plain", dtype="float32")
    asking = client(tmp_path)
    plain, shown = (asking.get(f"/v1/networks/{name}").json for name in ("plain", "good"))
    assert shown["inputs"]["y"] == {"shape": [], "dtype": "int64", "shared": False, "pinned": True}
    assert not plain["inputs"]["y"]["pinned"]
    assert (shown["values"], plain["values"]) == (["scores"], ["loss"])
    assert (shown["dtype"], plain["dtype"]) == ("float64", "float32")
    assert shown["parameters"][0] == {"name": "scores.weight", "shape": [3, 2], "numbers": 6}
    compiled = asking.post("/v1/init", json={"network": shown["network"]}).json
    assert compiled["network_id"] == shown["network_id"] == plain["network_id"]


def test_the_list_has_those_served_and_those_refused(tmp_path: Path) -> None:
    publish(tmp_path)
    (tmp_path / "broken.safetensors").write_bytes(b"nothing")
    asking = client(tmp_path)
    listed = asking.get("/v1/networks").json
    assert listed["networks"] == [
        {
            key: part
            for key, part in asking.get("/v1/networks/good").json.items()
            if key in listed["networks"][0]
        }
    ]
    assert listed["refused"][0]["name"] == "broken"
    answer = asking.get("/v1/networks/broken")
    assert (answer.status_code, answer.json["code"]) == (404, "network_not_found")


def test_without_a_folder_there_are_none() -> None:
    asking = create_app(Settings(log_level="error")).test_client()
    assert asking.get("/v1/networks").json == {"networks": [], "refused": []}
    assert asking.get("/v1/networks/good").json["code"] == "network_not_found"
