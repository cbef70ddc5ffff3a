"""New models: of a spec, of a published network, of another model; every field that does not fit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.http_models import ADAM, SPEC, DescribedClient, code, in_binary, make_client, make_model, step
from support.posting import good
from support.publishing import publish

from deltawire_service.networks.published import params_id

WRONG_NAMES = ("", "-a", "a b", "a/b", "é", ".", "a\n", "a" * 65)
ONE_INPUT = {"x": {"shape": []}}
NEW: dict[str, Any] = {"name": "new", "network": SPEC, "optimizer": ADAM}


def params(client: DescribedClient, name: str = "new") -> dict[str, Any]:
    return dict(client.get(f"/v1/models/{name}/params").json["params"])


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_parameters_are_those_of_the_seed(client: DescribedClient, dtype: str) -> None:
    made = make_model(client, "new", seed=3, dtype=dtype)
    drawn = client.post("/v1/init", json={"network": SPEC, "seed": 3, "dtype": dtype}).json
    assert params(client) == drawn["params"] and made["network_id"] == drawn["network_id"]
    arrays = {name: np.asarray(leaf, dtype) for name, leaf in drawn["params"].items()}
    assert made["params_id"] == params_id(arrays)
    assert (
        make_model(client, "null", seed=None)["params_id"] == make_model(client, "zero", seed=0)["params_id"]
    )


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_parameters_may_come_in_binary(client: DescribedClient, dtype: str) -> None:
    """Their dtype is that of the model, which need not be named."""
    drawn = client.post("/v1/init", json={"network": SPEC, "dtype": dtype}).json["params"]
    arrays = {name: np.asarray(leaf, dtype) for name, leaf in drawn.items()}
    answer = client.post("/v1/models", **in_binary(NEW | {"params": arrays}), headers={"Accept": "*/*"})
    assert answer.status_code == 201
    assert client.get("/v1/models/new").json["dtype"] == dtype
    assert params(client) == drawn


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_published_network_lends_its_parameters(tmp_path: Path, dtype: str) -> None:
    publish(tmp_path, "good", dtype)
    client = make_client(tmp_path, networks_dir=str(tmp_path))
    make_model(client, "new", network={"name": "good"})
    assert client.get("/v1/models/new").json["dtype"] == dtype
    assert params(client) == good()["params"]
    make_model(client, "drawn", network={"name": "good"}, seed=0)
    assert params(client, "drawn") != good()["params"]
    missing = client.post("/v1/models", json=NEW | {"network": {"name": "god"}})
    assert code(missing, "/network/name") == "network_not_found"


def test_a_version_of_a_model_lends_its_parameters(client: DescribedClient) -> None:
    step(client)
    make_model(client, "newest", network={"model": "model"}, optimizer={"kind": "sgd"})
    make_model(client, "first", network={"model": "model", "version": 0})
    make_model(client, "drawn", network={"model": "model"}, seed=0)
    zero = [[0.0] * 4] * 8
    make_model(client, "mixed", network={"model": "model"}, params={"hidden.weight": zero})
    assert params(client, "newest") == params(client, "model")
    assert params(client, "first") == params(client, "drawn") != params(client, "newest")
    assert params(client, "mixed") == params(client, "model") | {"hidden.weight": zero}
    assert client.get("/v1/models/newest").json["step"] == 0


@pytest.mark.parametrize(
    "changes, pointer, problem",
    [
        *[({"name": name}, "/name", "name_invalid") for name in WRONG_NAMES],
        *[({"name": name}, "/name", "field_invalid") for name in (None, 3, ["a"], {})],
        ({"name": "model"}, "/name", "model_name_taken"),
        *[({"network": network}, "/network", "field_invalid") for network in (None, "model", 3, [])],
        ({"network": {"model": "modl"}}, "/network", "model_not_found"),
        ({"network": {"model": 3}}, "/network/model", "field_invalid"),
        ({"network": {"model": "model", "name": "x"}}, "/network/name", "field_unknown"),
        ({"network": {"model": "model", "version": 9}}, "/network/version", "version_not_found"),
        ({"network": {"model": "model", "version": -1}}, "/network/version", "field_invalid"),
        ({"network": {"model": "model", "version": "0"}}, "/network/version", "field_invalid"),
        ({"network": {"model": "model"}, "dtype": "float32"}, "/dtype", "dtype_mismatch"),
        ({"network": {"nodes": []}}, "/network/inputs", "field_missing"),
        ({"network": {"inputs": ONE_INPUT, "nodes": [{"kind": "sum"}]}}, "/network", "field_invalid"),
        ({"network": {"inputs": ONE_INPUT, "nodes": [{}] * 641}}, "/network/nodes", "too_many_nodes"),
        ({"params": None}, "/params", "field_invalid"),
        ({"params": {"hidden.weight": [[1]]}}, "/params/hidden.weight", "shape_mismatch"),
        ({"params": {"hiden.weight": [[1]]}}, "/params/hiden.weight", "unknown_parameter"),
        ({"params": {"hidden.bias": [0] * 8}}, "/params/hidden.weight", "missing_parameter"),
        ({"params": {"hidden.bias": ["a"]}}, "/params/hidden.bias/0", "tensor_invalid"),
        ({"params": {"hidden.bias": [0] * 8}, "seed": 1}, "/seed", "field_invalid"),
        ({"params": None, "seed": 1}, "/params", "field_invalid"),
        ({"params": [], "seed": 1}, "/params", "field_invalid"),
        *[({"seed": seed}, "/seed", "field_invalid") for seed in (-1, 2**64, 1.5, "1", True)],
        ({"dtype": "float16"}, "/dtype", "dtype_unsupported"),
        ({"dtype": None}, "/dtype", "field_invalid"),
        *[({"optimizer": rule}, "/optimizer", "field_invalid") for rule in (None, "adam", [])],
        ({"optimizer": {}}, "/optimizer/kind", "field_missing"),
        ({"optimizer": {"kind": "adm"}}, "/optimizer/kind", "unknown_kind"),
        ({"optimizer": {"kind": ["adam"]}}, "/optimizer/kind", "field_invalid"),
        ({"optimizer": ADAM | {"config": {"lr": 1}}}, "/optimizer/config/lr", "field_unknown"),
        ({"optimizer": ADAM | {"config": {"eps": -1}}}, "/optimizer/config/eps", "field_invalid"),
        ({"optimizer": ADAM | {"config": None}}, "/optimizer/config", "field_invalid"),
        ({"optimizer": ADAM | {"schedule": {}}}, "/optimizer/schedule/kind", "field_invalid"),
        ({"optimizer": ADAM | {"schedule": "cosine"}}, "/optimizer/schedule", "field_invalid"),
        ({"optimizer": ADAM | {"schedule": {"kind": "cosine"}}}, "/optimizer/schedule/T_max",
         "field_missing"),
        ({"optimizer": ADAM | {"clip": {"norm": 0}}}, "/optimizer/clip/norm", "field_invalid"),
        ({"optimizer": ADAM | {"clip": {"norms": 1}}}, "/optimizer/clip/norms", "field_unknown"),
        ({"optimizer": ADAM | {"more": 1}}, "/optimizer/more", "field_unknown"),
    ],
)  # fmt: skip
def test_a_field_that_does_not_fit_is_refused_at_its_place(
    unchanged: DescribedClient, changes: dict[str, Any], pointer: str, problem: str
) -> None:
    assert code(unchanged.post("/v1/models", json=NEW | changes), pointer) == problem
    assert [model["name"] for model in unchanged.get("/v1/models").json["models"]] == ["model"]


@pytest.mark.parametrize("field", NEW)
def test_a_field_that_is_missing_is_named(unchanged: DescribedClient, field: str) -> None:
    answer = unchanged.post("/v1/models", json={key: value for key, value in NEW.items() if key != field})
    assert code(answer, f"/{field}") == "field_missing"


def test_a_tensor_in_place_of_all_parameters_is_refused(unchanged: DescribedClient) -> None:
    """A binary body may put an array anywhere."""
    for more in ({}, {"seed": 1}):
        answer = unchanged.post("/v1/models", **in_binary(NEW | more | {"params": {"params": np.zeros(3)}}))
        assert code(answer) in (
            "unknown_parameter",
            "field_invalid",
            "tensor_body_invalid",
            "missing_parameter",
        )


def test_text_that_is_no_unicode_is_refused(unchanged: DescribedClient) -> None:
    for name in (rb'"\ud800"', b'"\xed\xa0\x80"'):
        body = b'{"network": {"model": ' + name + b'}, "name": "new", "optimizer": {"kind": "sgd"}}'
        assert (
            code(unchanged.post("/v1/models", data=body, content_type="application/json")) == "json_invalid"
        )


def test_a_fork_takes_the_optimizer_with_its_state(client: DescribedClient) -> None:
    for seed in range(3):
        step(client, seed)
    made = client.post("/v1/models/model/fork", json={"name": "new", "version": 2})
    assert (made.status_code, made.json["version"], made.json["step"]) == (201, 0, 2)
    theirs, mine = (
        client.get(path).json for path in ("/v1/models/model/optimizer?version=2", "/v1/models/new/optimizer")
    )
    assert (mine["optimizer"], mine["state"]) == (theirs["optimizer"], theirs["state"])
    assert step(client, 2, "new").status_code == 200
    assert params(client) == params(client, "model")


@pytest.mark.parametrize(
    "path, document, pointer, problem",
    [
        ("model", {}, "/name", "field_missing"),
        ("model", {"name": "model"}, "/name", "model_name_taken"),
        ("model", {"name": "a b"}, "/name", "name_invalid"),
        ("model", {"name": "new", "version": 1}, "/version", "version_not_found"),
        ("model", {"name": "new", "version": -1}, "/version", "field_invalid"),
        ("model", {"name": "new", "version": 2**70}, "/version", "field_invalid"),
        ("model", {"name": "new", "version": True}, "/version", "field_invalid"),
        ("modl", {"name": "new"}, "", "model_not_found"),
    ],
)
def test_a_fork_that_does_not_fit_is_refused(
    unchanged: DescribedClient, path: str, document: Any, pointer: str, problem: str
) -> None:
    assert code(unchanged.post(f"/v1/models/{path}/fork", json=document), pointer) == problem
