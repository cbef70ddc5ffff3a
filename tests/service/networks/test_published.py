"""Published networks: what a file must be, what becomes of one that is not, and what a name can reach."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from flask.testing import FlaskClient
from safetensors.numpy import load_file, save_file
from support.layers import failing, registry
from support.posting import changed, good, pointwise
from support.publishing import publish

from deltawire.errors import Refused
from deltawire_service.app import create_app
from deltawire_service.schemas.requests import ForwardRequest, schema_of
from deltawire_service.settings import Settings

NAMED = {"network": {"name": "good"}}
COMPUTING = ("/v1/gradients", "/v1/forward", "/v1/check")


@pytest.fixture
def client(tmp_path: Path) -> Callable[[], FlaskClient]:
    """A client of a service that publishes what is in the folder now."""
    settings = Settings(log_level="error", networks_dir=str(tmp_path))
    return lambda **layers: create_app(settings, layers.get("layers")).test_client()


def without_id(answer: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in answer.items() if key != "params_id"}


@pytest.mark.parametrize("route", COMPUTING)
def test_a_name_stands_for_spec_and_parameters(
    route: str, client: Callable[..., FlaskClient], tmp_path: Path
) -> None:
    publish(tmp_path)
    options = {"values": ["scores"]} if route == "/v1/forward" else {}
    asking = client()
    posted = asking.post(route, json=good() | options)
    named = asking.post(route, json=NAMED | {"data": good()["data"]} | options)
    assert named.status_code == 200, named.json
    assert without_id(named.json) == posted.json
    assert "params_id" not in posted.json
    assert named.headers["Deltawire-Params-Id"] == named.json["params_id"]
    assert "Deltawire-Params-Id" not in posted.headers


def test_resolving_a_name_leaves_the_document_as_it_is(tmp_path: Path) -> None:
    publish(tmp_path, data=good()["data"])
    networks = create_app(Settings(networks_dir=str(tmp_path))).extensions["deltawire"].published
    fields = schema_of(ForwardRequest)().fields
    params = {"scores.bias": [9.0, 9.0, -9.0]}
    document = {**NAMED, "params": params}
    resolved, params_id = networks.resolve(document, fields)
    assert document == {**NAMED, "params": params} and params == {"scores.bias": [9.0, 9.0, -9.0]}
    assert resolved["network"] is networks.find("good").network and params_id is None
    assert resolved["params"].keys() == good()["params"].keys() and resolved["data"].keys() == {"x", "y"}
    assert resolved["values"] == ["loss"] and resolved["dtype"] == "float64"
    assert networks.resolve(NAMED, fields)[1] == networks.find("good").params_id
    for spec in ([], {"network": 3}, {"network": good()["network"]}, {"network": {"name": 1, "nodes": []}}):
        assert networks.resolve(spec, fields) == (spec, None)


def test_init_and_plan_take_a_name(client: Callable[..., FlaskClient], tmp_path: Path) -> None:
    publish(tmp_path)
    asking = client()
    for route in ("/v1/init", "/v1/plan"):
        posted = asking.post(route, json={"network": good()["network"]})
        assert asking.post(route, json=NAMED).json == posted.json


def test_the_id_is_that_of_the_numbers(client: Callable[..., FlaskClient], tmp_path: Path) -> None:
    tensors = load_file(publish(tmp_path))
    digest = hashlib.sha256()
    for name in ("scores.bias", "scores.weight"):
        array = tensors[f"params/{name}"]
        digest.update(f"{name} float64 {list(array.shape)}\n".encode() + array.tobytes())
    (shown,) = client().get("/v1/networks").json["networks"]
    assert shown["params_id"] == digest.hexdigest()
    spoilt = {name: array + 1 for name, array in tensors.items()}
    save_file(
        spoilt,
        tmp_path / "good.safetensors",
        metadata={"request": json.dumps({"network": good()["network"]})},
    )
    assert client().get("/v1/networks").json["networks"][0]["params_id"] != digest.hexdigest()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_it_is_computed_in_the_dtype_it_was_published_in(
    dtype: str, client: Callable[..., FlaskClient], tmp_path: Path
) -> None:
    publish(tmp_path, dtype=dtype)
    asking = client()
    named = asking.post("/v1/gradients", json=NAMED | {"data": good()["data"]}).json
    posted = asking.post("/v1/gradients", json=good() | {"dtype": dtype}).json
    assert without_id(named) == posted
    other = "float64" if dtype == "float32" else "float32"
    refused = asking.post("/v1/gradients", json=NAMED | {"data": good()["data"], "dtype": other}).json
    assert [(fault["code"], fault["pointer"]) for fault in refused["errors"]] == [
        ("dtype_mismatch", "/dtype")
    ]
    assert f"network 'good' is {dtype}" in refused["detail"]
    all_of_them = NAMED | {"data": good()["data"], "dtype": other, "params": good()["params"]}
    assert asking.post("/v1/gradients", json=all_of_them).status_code == 200


@pytest.mark.parametrize("route", ["/v1/gradients", "/v1/forward", "/v1/init"])
def test_a_name_stands_alone(route: str, client: Callable[..., FlaskClient], tmp_path: Path) -> None:
    publish(tmp_path)
    answer = client().post(route, json={"network": {"name": "good", "version": 1}})
    assert [(fault["code"], fault["pointer"]) for fault in answer.json["errors"]] == [
        ("field_unknown", "/network/version")
    ]
    assert '{"name": "digits"}' in answer.json["detail"]


def test_parameters_that_come_along_take_the_place_of_the_published(
    client: Callable[..., FlaskClient], tmp_path: Path
) -> None:
    publish(tmp_path)
    asking = client()
    bias = {"scores.bias": [9.0, 9.0, -9.0]}
    named = asking.post("/v1/gradients", json=NAMED | {"data": good()["data"], "params": bias}).json
    assert named == asking.post("/v1/gradients", json=good() | {"params": good()["params"] | bias}).json


def test_pinned_data_stands_in_for_a_batch_left_out(
    client: Callable[..., FlaskClient], tmp_path: Path
) -> None:
    publish(tmp_path, data=good()["data"])
    asking = client()
    assert (
        without_id(asking.post("/v1/gradients", json=NAMED).json)
        == asking.post("/v1/gradients", json=good()).json
    )
    own = {"x": [[1.0, 2.0]]}
    forward = asking.post("/v1/forward", json=NAMED | {"data": own, "values": ["scores"]})
    assert np.shape(forward.json["values"]["scores"]) == (1, 3)
    halves = asking.post("/v1/gradients", json=NAMED | {"data": own}).json
    assert (halves["code"], halves["errors"][0]["pointer"]) == ("missing_data", "/data/y")


def test_a_pinned_constant_stands_in_beside_a_batch(
    client: Callable[..., FlaskClient], tmp_path: Path
) -> None:
    spec = {
        "inputs": {"x": {"shape": [2]}, "mask": {"shape": [2], "shared": True}},
        "nodes": [{"name": "f", "kind": "dot", "inputs": ["x", "mask"]}],
    }
    publish(tmp_path, network=spec, params={}, data={"mask": [2.0, 0.5]})
    answer = client().post(
        "/v1/gradients", json=NAMED | {"data": {"x": [[1.0, 2.0], [3.0, 4.0]]}, "losses": True}
    )
    assert answer.json["losses"] == [3.0, 8.0]


def test_a_binary_request_names_it_too(client: Callable[..., FlaskClient], tmp_path: Path) -> None:
    publish(tmp_path, dtype="float32")
    data = {"data/x": np.ones((2, 2), "f4"), "data/y": np.array([0, 1])}
    save_file(data, tmp_path / "request", metadata={"request": json.dumps(NAMED)})
    headers = {"Content-Type": "application/vnd.safetensors", "Accept": "application/json"}
    answer = client().post("/v1/gradients", data=(tmp_path / "request").read_bytes(), headers=headers)
    assert answer.status_code == 200, answer.json
    assert answer.json["params_id"] == answer.headers["Deltawire-Params-Id"]


def test_parameters_that_lie_here_are_not_planned_as_read(
    client: Callable[..., FlaskClient], tmp_path: Path
) -> None:
    """Eight million numbers would take 656 MB as lists of a JSON body, more than a request may."""
    spec = {
        "inputs": {"x": {"shape": [1]}},
        "nodes": [{"name": "f", "kind": "linear", "config": {"units": 2**22}}],
    }
    params = {"f.weight": np.ones((2**22, 1), "f4"), "f.bias": np.zeros(2**22, "f4")}
    publish(tmp_path, "large", "float32", network=spec, params=params)
    request = {"network": {"name": "large"}, "data": {"x": [[1.0]]}, "values": ["f"], "tensors": "base64"}
    answer = client().post("/v1/forward", json=request)
    assert answer.status_code == 200, answer.json


SPOILT: dict[str, tuple[Callable[[Path], Any], str]] = {
    "empty": (lambda path: path.write_bytes(b""), "tensor_body_invalid"),
    "cut": (lambda path: path.write_bytes(path.read_bytes()[:-1]), "tensor_body_invalid"),
    "longer": (lambda path: path.write_bytes(path.read_bytes() + b"\0"), "tensor_body_invalid"),
    "no tensors at all": (lambda path: path.write_text("PK\3\4 nothing of ours"), "tensor_body_invalid"),
    "a folder": (lambda path: (path.unlink(), path.mkdir()), "tensor_body_invalid"),
    "a pipe": (lambda path: (path.unlink(), os.mkfifo(path)), "tensor_body_invalid"),
    "a link to nothing": (lambda path: (path.unlink(), path.symlink_to("nowhere")), "tensor_body_invalid"),
    "no request": (lambda path: save_file(load_file(path), path), "tensor_body_invalid"),
    "no spec": (lambda path: save_file({}, path, metadata={"request": "{}"}), "field_missing"),
    "no object": (lambda path: save_file({}, path, metadata={"request": "[1]"}), "field_invalid"),
    "no JSON": (lambda path: save_file({}, path, metadata={"request": "{,}"}), "json_invalid"),
    "other fields": (lambda path: publish(path.parent, path.stem, trace=True), "field_unknown"),
    "a wrong kind": (
        lambda path: publish(
            path.parent, path.stem, network=changed(("/network/nodes/0/kind", "linaer"))["network"]
        ),
        "unknown_kind",
    ),
    "a parameter too few": (lambda path: publish(path.parent, path.stem, params={}), "missing_parameter"),
    "a parameter of another shape": (
        lambda path: publish(path.parent, path.stem, params=good()["params"] | {"scores.bias": [1.0]}),
        "shape_mismatch",
    ),
    "a label out of range": (
        lambda path: publish(path.parent, path.stem, data=good()["data"] | {"y": [0, 1, 3]}),
        "label_out_of_range",
    ),
    "data for nothing": (lambda path: publish(path.parent, path.stem, data={"z": [1.0]}), "unknown_data"),
    "a value of no node": (lambda path: publish(path.parent, path.stem, values=["score"]), "unknown_name"),
}  # fmt: skip


@pytest.mark.parametrize("how", SPOILT)
def test_a_broken_file_is_refused_by_name_and_the_others_are_served(
    how: str, client: Callable[..., FlaskClient], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    spoil, code = SPOILT[how]
    publish(tmp_path)
    spoil(publish(tmp_path, "broken"))
    asking = client()
    listed = asking.get("/v1/networks").json
    assert [network["name"] for network in listed["networks"]] == ["good"]
    assert [(entry["name"], entry["code"]) for entry in listed["refused"]] == [("broken", code)]
    assert str(tmp_path) not in json.dumps(listed)
    logged = json.loads(capfd.readouterr().err)
    assert (logged["event"], logged["network"], logged["code"]) == ("not published", "broken", code)
    answer = asking.post("/v1/init", json={"network": {"name": "broken"}})
    assert (answer.status_code, answer.json["code"]) == (404, "network_not_found")
    assert f"'broken' cannot be served: {code}" in answer.json["detail"]
    assert asking.post("/v1/gradients", json=NAMED | {"data": good()["data"]}).status_code == 200


def test_a_layer_that_fails_is_named(client: Callable[..., FlaskClient], tmp_path: Path) -> None:
    def output_shape(self: Any, x: Any) -> Any:
        raise RuntimeError("secret")

    odd = failing("value", None)
    odd.output_shape = output_shape
    publish(tmp_path, network=pointwise("odd", 1.0)["network"], params={})
    (refused,) = client(layers=registry(odd=odd)).get("/v1/networks").json["refused"]
    assert refused["code"] == "plugin_error" and "'odd'" in refused["detail"]
    assert "secret" not in refused["detail"]


@pytest.mark.parametrize("name", ["-x", "a.b", "é", "x" * 65, "a b", "a\nb", os.fsdecode(b"\xff")])
def test_a_file_with_no_name_for_a_network_is_refused(
    name: str, client: Callable[..., FlaskClient], tmp_path: Path
) -> None:
    publish(tmp_path).rename(tmp_path / f"{name}.safetensors")
    listed = client().get("/v1/networks").json
    assert listed["networks"] == []
    assert [entry["code"] for entry in listed["refused"]] == ["name_invalid"]


def test_what_is_no_published_network_is_left_alone(
    client: Callable[..., FlaskClient], tmp_path: Path
) -> None:
    (tmp_path / "README").write_text("")
    (tmp_path / ".draft.safetensors.tmp").write_text("")
    assert client().get("/v1/networks").json == {"networks": [], "refused": []}


NO_NAMES = [
    *(
        "..",
        ".",
        "",
        "../good",
        "./good",
        "good.safetensors",
        "/etc/passwd",
        "file:///etc/passwd",
        "*",
        "goo?",
    ),
    *("a\0b", "good\n", "a\nINFO", "x" * 65, "x" * 10**6, "gооd", "http://169.254.169.254/"),
    *(1, None, True, ["good"], {"name": "good"}),
]


@pytest.mark.parametrize("name", NO_NAMES, ids=lambda name: repr(name)[:30])
def test_a_name_is_looked_up_and_never_becomes_a_path(
    name: Any, client: Callable[..., FlaskClient], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(tmp_path)
    asking = client()

    touched = []
    with monkeypatch.context() as watched:
        for function in ("os.open", "os.stat", "os.lstat", "os.scandir", "os.listdir", "io.open"):
            watched.setattr(function, lambda *path, **_: touched.append(path))
        answer = asking.post("/v1/init", json={"network": {"name": name}})
    assert not touched
    assert (answer.status_code, answer.json["code"]) == (404, "network_not_found")
    assert answer.json["errors"][0]["pointer"] == "/network/name"
    assert len(answer.data) < 3000


@pytest.mark.parametrize(
    "path", ["..", "%2e%2e", "a%00b", "a%0aINFO", "x" * 65, "g%D0%BE%D0%BEd", "..%2fgood"]
)
def test_so_is_one_in_a_path(path: str, client: Callable[..., FlaskClient], tmp_path: Path) -> None:
    publish(tmp_path)
    answer = client().get(f"/v1/networks/{path}")
    assert answer.status_code == 404
    assert answer.json["code"] in ("network_not_found", "not_found")


def test_a_name_beside_anything_else_is_a_spec(client: Callable[..., FlaskClient], tmp_path: Path) -> None:
    publish(tmp_path)
    answer = client().post("/v1/init", json={"network": {"name": "good"} | good()["network"]})
    assert answer.json["code"] == "field_unknown"


def test_the_folder_is_read_again_on_demand(tmp_path: Path) -> None:
    app = create_app(replace(Settings(log_level="error"), networks_dir=str(tmp_path)))
    published = app.extensions["deltawire"].published
    with pytest.raises(Refused, match="there are none"):
        published.find("good")
    publish(tmp_path)
    published.reload()
    assert published.find("good").dtype == "float64"
    assert not published.find("good").params["scores.weight"].flags.writeable
    (tmp_path / "good.safetensors").unlink()
    published.reload()
    with pytest.raises(Refused):
        published.find("good")


def test_a_file_that_has_not_changed_is_not_read_again(tmp_path: Path) -> None:
    same, other = publish(tmp_path), publish(tmp_path, "other")
    published = create_app(Settings(networks_dir=str(tmp_path))).extensions["deltawire"].published
    before = dict(published.served)
    changed = publish(tmp_path, "draft", params={"scores.weight": np.ones((3, 2)), "scores.bias": np.ones(3)})
    changed.replace(other)
    published.reload()
    assert same.is_file() and published.served["good"] is before["good"]
    assert published.served["other"].params_id != before["other"].params_id


@pytest.mark.parametrize("error", [OSError(5, "Input/output error"), MemoryError()])
def test_a_file_that_cannot_be_read_is_refused_by_name(
    error: Exception, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(tmp_path)

    def fail(path: Path) -> Any:
        raise error

    monkeypatch.setattr("deltawire_service.networks.published.read_file", fail)
    settings = Settings(log_level="error", networks_dir=str(tmp_path))
    published = create_app(settings).extensions["deltawire"].published
    reason = "Input/output error" if isinstance(error, OSError) else "there is not enough memory"
    with pytest.raises(
        Refused, match=f"'good' cannot be served: internal: the file cannot be read: {reason}"
    ):
        published.find("good")
