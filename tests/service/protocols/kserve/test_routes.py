"""KServe V2 with Triton's extension: bodies by the byte, and requests that are wrong."""

from __future__ import annotations

import gzip
import json
import tracemalloc
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from flask.testing import FlaskClient
from support.clients import PARAMS, X, Y
from support.kserve import HEAD, infer, received, sent
from support.publishing import publish

from deltawire_service.app import create_app
from deltawire_service.settings import Settings

LISTED = {"name": "x", "shape": [2, 4], "datatype": "FP64", "data": X.ravel().tolist()}
BINARY = {"name": "x", "shape": [2, 4], "datatype": "FP64", "parameters": {"binary_data_size": 64}}


def refused(answer: Any, words: str = "", status: int = 400) -> None:
    """An error is a string: clients raise errors of their own for anything else."""
    assert answer.status_code == status, answer.text
    assert answer.mimetype == "application/json"
    assert isinstance(answer.json["error"], str) and len(answer.json["error"]) < 700
    assert words in answer.json["error"], answer.json["error"]


def test_the_server(client: FlaskClient) -> None:
    for route in ("/v2", "/v2/"):
        assert client.get(route).status_code == 200  # no redirect
    assert "binary_tensor_data" in client.get("/v2").json["extensions"]
    for route in (
        "/v2/health/live",
        "/v2/health/ready",
        "/v2/models/flow/ready",
        "/v2/models/flow/versions/1/ready",
    ):
        assert client.get(route).status_code == 200
    index = client.post("/v2/repository/index").json
    assert {"name": "flow:gradients", "version": "1", "state": "READY", "reason": ""} in index


def test_metadata(client: FlaskClient) -> None:
    metadata = client.get("/v2/models/flow:gradients").json
    assert metadata == client.get("/v2/models/flow:gradients/versions/1").json
    assert metadata["versions"] == ["1"]
    inputs = {entry.pop("name"): entry for entry in metadata["inputs"]}
    assert inputs["x"] == {"datatype": "FP64", "shape": [-1, 4]}
    assert inputs["y"] == {"datatype": "INT64", "shape": [-1]}
    assert inputs["scores.weight"] == {"datatype": "FP64", "shape": [3, 4]}
    config = client.get("/v2/models/pinned:gradients/config").json
    assert {entry["name"] for entry in config["input"] if entry["optional"]} == {"x", "y", *PARAMS}
    assert client.get("/v2/models/flow32").json["inputs"][0]["datatype"] == "FP32"
    assert client.get("/v2/models/flow32:gradients").json["outputs"][0] == {
        "name": "loss",
        "datatype": "FP64",
        "shape": [1],
    }


def test_what_cannot_be_served_is_in_the_index(tmp_path: Path) -> None:
    (tmp_path / "broken.safetensors").write_bytes(b"nothing")
    asking = create_app(Settings(log_level="error", networks_dir=str(tmp_path))).test_client()
    (entry,) = asking.post("/v2/repository/index").json
    assert (entry["name"], entry["state"]) == ("broken", "UNAVAILABLE")
    refused(asking.get("/v2/models/broken"), "the file of network 'broken' cannot be served", 404)


def test_an_answer_echoes_the_id_and_has_a_head_length_only_with_bytes(client: FlaskClient) -> None:
    answer = infer(client, "flow", {"x": X}, binary=False, id="seven")
    assert answer.json["id"] == "seven" and answer.json["model_name"] == "flow"
    assert HEAD not in answer.headers and answer.mimetype == "application/json"
    answer = infer(client, "flow", {"x": X})
    assert HEAD in answer.headers and answer.mimetype == "application/octet-stream"
    assert b'"id"' not in answer.data


def test_outputs_may_be_wanted_in_either_form(client: FlaskClient) -> None:
    outputs = [
        {"name": "loss", "parameters": {"binary_data": False}},
        {"name": "losses"},
        {"name": "values/probs", "parameters": {"binary_data": True}},
    ]
    for default in (True, False):
        head = {"inputs": [], "outputs": outputs, "parameters": {"binary_data_output": default}}
        answer = sent(client, "pinned:gradients", head)
        entries = json.loads(answer.data[: int(answer.headers[HEAD])])["outputs"]
        assert ["data" in entry for entry in entries] == [True, not default, False]
        assert list(received(answer)) == ["loss", "losses", "values/probs"]


def test_lists_may_be_flat_or_nested(client: FlaskClient) -> None:
    flat = received(sent(client, "flow", {"inputs": [LISTED]}))["probs"]
    nested = received(sent(client, "flow", {"inputs": [LISTED | {"data": X.tolist()}]}))["probs"]
    assert flat.tobytes() == nested.tobytes()


def test_a_raw_body_is_the_only_input(client: FlaskClient) -> None:
    raw = client.post("/v2/models/flow/infer", data=X.tobytes(), headers={HEAD: "0"})
    assert received(raw)["probs"].tobytes() == received(infer(client, "flow", {"x": X}))["probs"].tobytes()
    refused(client.post("/v2/models/flow/infer", data=X.tobytes()[:-1], headers={HEAD: "0"}), "63 bytes")
    refused(
        client.post("/v2/models/flow:gradients/infer", data=X.tobytes(), headers={HEAD: "0"}), "one input"
    )


@pytest.mark.parametrize("encoding, pack", [("gzip", gzip.compress), ("deflate", zlib.compress)])
def test_compressed_bodies(client: FlaskClient, encoding: str, pack: Any) -> None:
    text = json.dumps({"inputs": [BINARY]}).encode()
    packed = pack(text + X.tobytes())
    headers = {HEAD: str(len(text)), "Content-Encoding": encoding}
    answer = client.post("/v2/models/flow/infer", data=packed, headers=headers)
    plain = received(infer(client, "flow", {"x": X}, binary=False))["probs"]
    np.testing.assert_array_equal(received(answer)["probs"], plain)
    assert "Accept-Encoding" in answer.vary and "Content-Encoding" not in answer.headers
    for spoilt in (packed[:-3], packed + b"x", b"no such thing", packed[:4] + b"\xff" * 8 + packed[12:]):
        refused(
            client.post("/v2/models/flow/infer", data=spoilt, headers=headers), "is not what Content-Encoding"
        )
    many = np.tile(X, (100, 1))
    got = infer(client, "flow", {"x": many})
    small = client.post(
        "/v2/models/flow/infer",
        data=json.dumps(
            {
                "inputs": [LISTED | {"shape": [200, 4], "data": many.tolist()}],
                "parameters": {"binary_data_output": True},
            }
        ),
        headers={"Accept-Encoding": encoding},
    )
    assert small.headers["Content-Encoding"] == encoding and "Accept-Encoding" in small.vary
    unpack = {"gzip": gzip.decompress, "deflate": zlib.decompress}[encoding]
    assert unpack(small.data) == got.data


@pytest.mark.parametrize("pack", [gzip.compress, zlib.compress])
def test_a_bomb_is_not_inflated(tmp_path: Path, pack: Any) -> None:
    publish(tmp_path)
    settings = Settings(log_level="error", networks_dir=str(tmp_path), binary_body_bytes=2**20)
    asking = create_app(settings).test_client()
    headers = {"Content-Encoding": "gzip" if pack is gzip.compress else "deflate"}
    bomb = pack(b" " * 2**26)
    assert len(bomb) < 2**20
    tracemalloc.start()
    refused(asking.post("/v2/models/good/infer", data=bomb, headers=headers), "when inflated", 413)
    assert tracemalloc.get_traced_memory()[1] < 8 * 2**20
    tracemalloc.stop()


WRONG: list[tuple[str, str, Any, bytes]] = [
    ("no JSON", "not strict JSON", b"{", b""),
    ("a list", "must begin with a JSON object", [], b""),
    ("no inputs", "/inputs: expected a list", {}, b""),
    ("inputs of no list", "/inputs: expected a list", {"inputs": {}}, b""),
    ("1001 inputs", "at most 1000", {"inputs": [{}] * 1001}, b""),
    ("an input of no object", "/inputs/0", {"inputs": [7]}, b""),
    ("an unknown input", "got 'z'", {"inputs": [LISTED | {"name": "z"}]}, b""),
    (
        "a parameter, where there are none",
        "got 'scores.bias'",
        {"inputs": [LISTED | {"name": "scores.bias"}]},
        b"",
    ),
    ("a name of no string", "/inputs/0", {"inputs": [LISTED | {"name": ["x"]}]}, b""),
    ("an input twice", "each once", {"inputs": [LISTED, LISTED]}, b""),
    ("another datatype", "expected FP64, got 'INT64'", {"inputs": [LISTED | {"datatype": "INT64"}]}, b""),
    (
        "a number that its datatype cannot hold",
        "out of the range of float16",
        {"inputs": [LISTED | {"datatype": "FP16", "data": [1e5] * 8}]},
        b"",
    ),
    ("BOOL", "expected FP64, got 'BOOL'", {"inputs": [LISTED | {"datatype": "BOOL"}]}, b""),
    ("BYTES", "expected FP64", {"inputs": [LISTED | {"datatype": "BYTES", "data": ["a"] * 8}]}, b""),
    ("a datatype of no string", "expected FP64", {"inputs": [LISTED | {"datatype": ["FP64"]}]}, b""),
    ("no shape", "/inputs/0/shape", {"inputs": [{**LISTED, "shape": None}]}, b""),
    ("a negative size", "/inputs/0/shape/0", {"inputs": [LISTED | {"shape": [-1, 4]}]}, b""),
    ("a huge shape", "/inputs/0/shape", {"inputs": [LISTED | {"shape": [2**32, 2**32]}]}, b""),
    ("a shape that overflows", "/inputs/0/shape", {"inputs": [LISTED | {"shape": [2**62, 4]}]}, b""),
    ("nine axes", "/inputs/0/shape", {"inputs": [LISTED | {"shape": [1] * 9}]}, b""),
    ("another shape", "/inputs/0: input 'x'", {"inputs": [LISTED | {"shape": [4, 2]}]}, b""),
    ("an empty batch", "/inputs/0: input 'x'", {"inputs": [LISTED | {"shape": [0, 4], "data": []}]}, b""),
    ("too few numbers", "expected the 8 numbers", {"inputs": [LISTED | {"data": [1.0]}]}, b""),
    ("ragged rows", "/inputs/0/data", {"inputs": [LISTED | {"data": [[1.0], [1.0, 2.0]]}]}, b""),
    ("strings", "/inputs/0/data", {"inputs": [LISTED | {"data": ["1"] * 8}]}, b""),
    (
        "no data",
        "expected the 8 numbers",
        {"inputs": [{k: v for k, v in LISTED.items() if k != "data"}]},
        b"",
    ),
    ("parameters of no object", "/parameters: expected", {"inputs": [{**BINARY, "parameters": 7}]}, b""),
    ("parameters beside a list", "/inputs/0/parameters", {"inputs": [LISTED | {"parameters": [1]}]}, b""),
    ("both forms at once", "needs 64 bytes", {"inputs": [LISTED | BINARY]}, X.tobytes()),
    (
        "fewer bytes than its shape",
        "needs 64 bytes",
        {"inputs": [BINARY | {"parameters": {"binary_data_size": 56}}]},
        X.tobytes()[:56],
    ),
    ("fewer bytes than announced", "needs 64 bytes", {"inputs": [BINARY]}, X.tobytes()[:-8]),
    ("bytes left over", "8 bytes after the last tensor", {"inputs": [BINARY]}, X.tobytes() + bytes(8)),
    (
        "a size of no number",
        "needs 64 bytes",
        {"inputs": [BINARY | {"parameters": {"binary_data_size": "64"}}]},
        X.tobytes(),
    ),
    (
        "a size of true",
        "needs 64 bytes",
        {"inputs": [BINARY | {"parameters": {"binary_data_size": True}}]},
        X.tobytes(),
    ),
    (
        "shared memory",
        "there is no shared memory",
        {"inputs": [BINARY | {"parameters": {"shared_memory_region": "r"}}]},
        b"",
    ),
    (
        "shared memory for an output",
        "no shared_memory_region",
        {"inputs": [LISTED], "outputs": [{"name": "probs", "parameters": {"shared_memory_region": "r"}}]},
        b"",
    ),
    (
        "classification",
        "no classification",
        {"inputs": [LISTED], "outputs": [{"name": "probs", "parameters": {"classification": 2}}]},
        b"",
    ),
    ("an unknown output", "did you mean 'probs'", {"inputs": [LISTED], "outputs": [{"name": "prob"}]}, b""),
    ("an output twice", "each once", {"inputs": [LISTED], "outputs": [{"name": "probs"}] * 2}, b""),
    ("outputs of no list", "/outputs", {"inputs": [LISTED], "outputs": {"name": "probs"}}, b""),
    ("an output of no name", "/outputs", {"inputs": [LISTED], "outputs": [{}]}, b""),
    ("an id of no string", "/id", {"inputs": [LISTED], "id": 7}, b""),
    (
        "parameters of a list",
        "expected an object of parameters",
        {"inputs": [LISTED], "parameters": [1]},
        b"",
    ),
]


@pytest.mark.parametrize("what, words, head, tail", WRONG, ids=[row[0] for row in WRONG])
def test_wrong_requests(client: FlaskClient, what: str, words: str, head: Any, tail: bytes) -> None:
    head = head if isinstance(head, bytes) else json.dumps(head).encode()
    refused(sent(client, "flow", head, tail), words)
    assert sent(client, "flow", {"inputs": [LISTED]}).status_code == 200


@pytest.mark.parametrize("length", ["-1", "99999", "x", "1e3", "", "0x10", "٣", "9" * 40])
def test_wrong_head_lengths(client: FlaskClient, length: str) -> None:
    body = json.dumps({"inputs": [LISTED]}).encode()
    headers = {HEAD: length.encode().decode("latin-1")}
    refused(client.post("/v2/models/flow/infer", data=body, headers=headers), HEAD)


@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip, gzip", "x"])
def test_other_encodings(client: FlaskClient, encoding: str) -> None:
    answer = client.post("/v2/models/flow/infer", data=b"{}", headers={"Content-Encoding": encoding})
    refused(answer, "gzip, deflate or none", 415)


@pytest.mark.parametrize(
    "name",
    [
        "flaw",
        "flow:",
        "flow:gradient",
        ":gradients",
        "..",
        "%2e%2e",
        "a%00b",
        "a%0aINFO",
        "x" * 65,
        "fl%D0%BEw",
    ],
)
def test_wrong_names(client: FlaskClient, name: str) -> None:
    for answer in (
        client.get(f"/v2/models/{name}"),
        client.get(f"/v2/models/{name}/ready"),
        client.post(f"/v2/models/{name}/infer", data=b"{}"),
    ):
        assert answer.status_code == 404
        assert isinstance(answer.json["error"], str) if "error" in answer.json else name == ".."


def test_what_there_is_not(client: FlaskClient) -> None:
    for route in (
        "/v2/models/flow/versions/2",
        "/v2/models/stats",
        "/v2/systemsharedmemory/status",
        "/v2/models/flow/infer",
    ):
        answer = client.get(route)
        refused(answer, status=404)
    refused(client.post("/v2/repository/models/flow/load"), "no such route", 404)


def test_what_is_not_finite_comes_as_bytes_or_as_an_error(client: FlaskClient) -> None:
    spoilt = X.copy()
    spoilt[0, 0] = np.inf
    found = received(infer(client, "flow", {"x": spoilt}))["probs"]
    assert np.isnan(found[0]).any() and np.isfinite(found[1]).all()
    head = {"inputs": [BINARY], "outputs": [{"name": "probs"}]}
    refused(sent(client, "flow", head, spoilt.tobytes()), "not finite")


def test_parameters_take_the_place_of_the_published(client: FlaskClient) -> None:
    bias = {"scores.bias": np.zeros(3)}
    changed = received(infer(client, "pinned:gradients", bias, ["loss"]))["loss"]
    everything = received(infer(client, "flow:gradients", {"x": X, "y": Y} | PARAMS | bias, ["loss"]))["loss"]
    assert changed == everything
    assert changed != received(infer(client, "pinned:gradients", {}, ["loss"]))["loss"]


def test_what_is_wrong_has_its_place_among_the_inputs(client: FlaskClient) -> None:
    everything = {"x": X, "y": Y} | PARAMS
    second = list(everything).index("y")
    refused(infer(client, "flow:gradients", everything | {"y": Y + 1}), f"/inputs/{second}: input 'y'")
    third = list(everything).index("hidden.bias")
    wrong = everything | {"hidden.bias": np.zeros(7)}
    refused(infer(client, "flow:gradients", wrong), f"/inputs/{third}: parameter 'hidden.bias'")
    refused(infer(client, "flow:gradients", {"x": X}), "/inputs: 'y' is missing")


NULL = {"parameters": None}


def test_null_stands_for_what_is_left_out(client: FlaskClient) -> None:
    """Clients write it for `id`, for `parameters` in every place, and for `outputs`."""
    plain = sent(client, "flow", {"inputs": [LISTED], "outputs": [{"name": "probs"}]})
    for outputs in (None, [{"name": "probs"} | NULL]):
        head = {"id": None, "inputs": [LISTED | NULL], "outputs": outputs} | NULL
        answer = sent(client, "flow", head)
        assert answer.status_code == 200, answer.text
        assert "id" not in answer.json and answer.json["outputs"] == plain.json["outputs"]
    answer = sent(client, "flow", {"inputs": [BINARY | {"data": None}]}, X.tobytes())
    np.testing.assert_array_equal(received(answer)["probs"], received(plain)["probs"])


def typed(name: str, datatype: str, array: np.ndarray, binary: bool) -> tuple[dict[str, Any], bytes]:
    """Return the entry and the bytes of an input."""
    entry = {"name": name, "shape": list(array.shape), "datatype": datatype}
    if binary:
        return entry | {"parameters": {"binary_data_size": array.nbytes}}, array.tobytes()
    return entry | {"data": array.tolist()}, b""


@pytest.mark.parametrize("binary", [True, False])
@pytest.mark.parametrize("datatype, dtype", [("FP32", "f4"), ("FP16", "f2")])
def test_narrower_floats_are_taken_exactly(
    client: FlaskClient, datatype: str, dtype: str, binary: bool
) -> None:
    narrow = (X / 3).astype(dtype)
    entry, tail = typed("x", datatype, narrow, binary)
    answer = received(sent(client, "flow", {"inputs": [entry]}, tail))
    expected = received(infer(client, "flow", {"x": narrow.astype("f8")}))
    assert answer["probs"].tobytes() == expected["probs"].tobytes()


@pytest.mark.parametrize("binary", [True, False])
@pytest.mark.parametrize(
    "datatype, dtype", [("INT8", "i1"), ("INT32", "i4"), ("UINT8", "u1"), ("UINT32", "u4")]
)
def test_narrower_integers_are_taken_exactly(
    client: FlaskClient, datatype: str, dtype: str, binary: bool
) -> None:
    x, floats = typed("x", "FP64", X, True)
    y, integers = typed("y", datatype, Y.astype(dtype), binary)
    answer = received(sent(client, "flow:gradients", {"inputs": [x, y]}, floats + integers))
    expected = received(infer(client, "flow:gradients", {"x": X, "y": Y}))
    assert {name: a.tobytes() for name, a in answer.items()} == {
        name: a.tobytes() for name, a in expected.items()
    }


@pytest.mark.parametrize(
    "datatype, number", [("INT8", 128), ("UINT8", -1), ("INT32", 2**31), ("UINT32", 2**32)]
)
def test_a_list_keeps_to_its_datatype(client: FlaskClient, datatype: str, number: int) -> None:
    x, tail = typed("x", "FP64", X, True)
    y = {"name": "y", "shape": [2], "datatype": datatype, "data": [0, number]}
    refused(sent(client, "flow:gradients", {"inputs": [x, y]}, tail), "out of the range")


@pytest.mark.parametrize("datatype", ["FP64", "INT32", "BF16", "BOOL", "UINT64"])
def test_no_other_datatype_is_converted(client: FlaskClient, datatype: str) -> None:
    entry = {"name": "x", "shape": [2, 4], "datatype": datatype, "data": [0] * 8}
    refused(sent(client, "flow32", {"inputs": [entry]}), "expected FP32")
