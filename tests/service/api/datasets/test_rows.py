"""Rows of datasets in place of data: the bits of the answers to the same data in the request."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save
from support.http_models import (
    DescribedClient,
    code,
    in_binary,
    make_client,
    make_model,
    read,
    step,
    versions,
)
from support.models import SPEC
from support.publishing import publish
from support.runs import add_dataset

from deltawire import wire
from deltawire.wire import Array

NUMBERS = np.random.default_rng(0)
ARRAYS: dict[str, Array] = {
    "x": NUMBERS.normal(size=(30, 4)).astype("float32"),
    "y": NUMBERS.integers(0, 3, 30),
    **{f"f{i}": NUMBERS.normal(size=30) for i in range(4)},
}
INDICES = [5, 5, 29, 0]
ROUTES: dict[str, dict[str, Any]] = {
    "gradients": {"wrt": {"data": ["x"]}, "losses": True, "values": ["scores"], "deltas": ["hidden"]},
    "forward": {"values": ["scores", "loss"]},
    "vjp": {"cotangents": {"loss": np.ones(4)}},
    "jvp": {"tangents": {"data": {"x": np.ones((4, 4))}}, "outputs": ["scores"]},
    "jacobian": {"outputs": ["scores"], "wrt": {"data": ["x"]}},
    "hvp": {"vectors": {"params": {"scores.bias": np.ones(3)}}},
    "check": {"samples": 2},
}


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> DescribedClient:
    client = make_client(tmp_path_factory.mktemp("store"), dataset_roots="")
    make_model(client)
    put(client)
    return client


def put(client: DescribedClient) -> None:
    answer = client.put("/v1/datasets/table", data=save(ARRAYS), content_type=wire.SAFETENSORS)
    assert answer.status_code == 201, answer.text


def params(client: DescribedClient) -> dict[str, Any]:
    return dict(client.get("/v1/models/model/params").json["params"])


def as_json(node: Any) -> Any:
    if isinstance(node, dict):
        return {key: as_json(value) for key, value in node.items()}
    return node.tolist() if isinstance(node, np.ndarray) else node


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("named", ["x", ["f1", "f3", "f0", "f2"]], ids=["column", "joined"])
def test_rows_answer_as_data_does(client: DescribedClient, route: str, named: Any) -> None:
    x = ARRAYS["x"].astype("float64") if named == "x" else np.stack([ARRAYS[each] for each in named], axis=1)
    data = {"x": x[INDICES], "y": ARRAYS["y"][INDICES]}
    rows = {"dataset": "table", "rows": {"indices": INDICES}, "columns": {"x": named}}
    for path, more in (
        (f"/v1/models/model/{route}", {}),
        (f"/v1/{route}", {"network": SPEC, "params": params(client)}),
    ):
        document = {**more, **ROUTES[route], "data": data}
        inline = client.post(path, json=as_json(document))
        of_dataset = client.post(path, json=as_json({**document, "data": rows}))
        assert of_dataset.status_code == 200, of_dataset.text
        assert of_dataset.data == inline.data


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_binary_body_may_name_rows(client: DescribedClient, dtype: str) -> None:
    given = {name: np.asarray(array, dtype) for name, array in params(client).items()}
    document = {"network": SPEC, "params": given, "wrt": {"data": ["x"]}}
    data = {"x": ARRAYS["x"][3:20].astype(dtype), "y": ARRAYS["y"][3:20]}
    rows = {"dataset": "table", "rows": {"start": 3, "stop": 20}}
    inline, of_dataset = (
        client.post("/v1/gradients", **in_binary({**document, "data": each})) for each in (data, rows)
    )
    assert of_dataset.data == inline.data
    assert read(of_dataset)["gradients"]["data"]["x"].dtype == dtype


def test_steps_on_rows_are_those_on_data_and_replay(tmp_path: Path) -> None:
    client = make_client(tmp_path)
    for name in ("model", "other"):
        make_model(client, name)
    put(client)
    for indices in (INDICES, [1, 2, 3]):
        rows = {"dataset": "table", "rows": {"indices": indices}}
        data = {"x": ARRAYS["x"][indices].tolist(), "y": ARRAYS["y"][indices].tolist()}
        mine, others = (
            step(client, data=rows, losses=True),
            step(client, name="other", data=data, losses=True),
        )
        assert mine.status_code == 200 and mine.data == others.data
    latest, earlier = ("/v1/models/{}/params" + query for query in ("", "?version=1"))
    for url in (latest, earlier):
        mine, others = (client.get(url.format(name)).json["params"] for name in ("model", "other"))
        assert mine == others
    assert client.post("/v1/models/model/restore", json={"version": 1}).status_code == 200
    assert versions(client) == ["created", "step", "step", "restored"]
    entry = client.get("/v1/models/model/ledger?after=0").json["entries"][0]
    assert entry["dataset"] == "table" and entry["rows"] == {"indices": 4}
    assert code(client.delete("/v1/datasets/table")) == "dataset_in_use"


def test_a_repeated_step_is_answered_again_and_its_arrays_expire_with_the_dataset(tmp_path: Path) -> None:
    client = make_client(tmp_path)
    make_model(client)
    put(client)
    wanted: dict[str, Any] = {"data": {"dataset": "table"}, "losses": True}
    first = step(client, key="k", **wanted)
    again = step(client, key="k", **wanted)
    assert again.json == first.json | {"replayed": True}
    client.delete("/v1/models/model")
    client.delete("/v1/datasets/table")
    assert code(step(client, key="k", **wanted)) == "answer_expired"


@pytest.mark.parametrize(
    "data, expected, pointer",
    [
        ({"dataset": "tabel"}, "dataset_not_found", "/data/dataset"),
        ({"dataset": "table", "rows": {"stop": 31}}, "row_out_of_range", "/data/rows"),
        ({"dataset": "table", "rows": {"indices": [30]}}, "row_out_of_range", "/data/rows/indices/0"),
        ({"dataset": "table", "rows": {"stop": 0}}, "batch_empty", None),
        ({"dataset": "table", "columns": {"x": "z"}}, "unknown_column", "/data/columns/x"),
        ({"dataset": "table", "columns": {"z": "x"}}, "unknown_data", "/data/columns/z"),
        ({"dataset": "table", "columns": {"x": "y"}}, "shape_mismatch", "/data/columns/x"),
        ({"dataset": "table", "columns": {"y": "f0"}}, "dtype_mismatch", "/data/columns/y"),
        ({"dataset": "table", "x": [[1]]}, "field_unknown", "/data/x"),
    ],
)
def test_what_does_not_fit_is_refused(
    client: DescribedClient, data: Any, expected: str, pointer: str | None
) -> None:
    assert code(client.post("/v1/models/model/gradients", json={"data": data}), pointer) == expected
    assert code(step(client, data=data), pointer) == expected
    assert versions(client) == ["created"]


def test_a_fault_of_rows_names_the_column_and_the_row(client: DescribedClient) -> None:
    store = client.application.extensions["deltawire"].models
    arrays = {"x": np.ones((30, 4)), "y": np.zeros(30, np.int64), "z": np.ones((30, 4))}
    arrays["y"][[17, 20]], arrays["x"][5, 1] = 9, np.nan
    add_dataset(store, arrays, "faulty", owner="")
    for rows, pointer, end in (
        (
            {"indices": [1, 20, 17]},
            "/data/columns/y",
            "got 9 in example 1; it is in row 20 of the dataset, in column 'y'",
        ),
        (
            {"start": 16, "stop": 20},
            "/data/columns/y",
            "got 9 in example 1; it is in row 17 of the dataset, in column 'y'",
        ),
        (
            {"start": 4, "stop": 8},
            "/data/columns/x",
            "nan in example 1, at [1]; it is in row 5 of the dataset, in column 'x'",
        ),
    ):
        data = {"dataset": "faulty", "rows": rows}
        for answer in (
            client.post("/v1/models/model/gradients", json={"data": data}),
            step(client, data=data),
        ):
            assert code(answer, pointer) in ("label_out_of_range", "non_finite")
            assert end in answer.json["detail"], answer.text


def test_rows_are_planned_before_they_are_gathered(client: DescribedClient) -> None:
    many = {"dataset": "table", "rows": {"indices": [0] * 2000}}
    small = make_client(
        Path(client.application.extensions["deltawire"].models.folder.path).parent, planned_bytes=40_000
    )
    answer = small.post("/v1/models/model/forward", json={"data": many, "values": ["scores"]})
    assert code(answer, "/data/rows") == "memory_plan_exceeded"


def test_an_input_may_be_named_like_a_part_of_a_reference(client: DescribedClient) -> None:
    spec = {
        "inputs": {"dataset": {"shape": [2]}},
        "nodes": [{"name": "f", "kind": "sum", "inputs": ["dataset"]}],
    }
    document = {"network": spec, "data": {"dataset": [[1, 2]]}, "wrt": {"params": False, "data": True}}
    assert client.post("/v1/gradients", json=document).json["loss"] == 3.0


def test_a_table_with_gaps_is_the_engines_to_refuse(client: DescribedClient) -> None:
    body = b"f0,f1,f2,f3,y\n1,2,3,4,0\n1,,3,4,1\n"
    client.put("/v1/datasets/gaps", data=body, content_type="text/csv")
    data = {"dataset": "gaps", "columns": {"x": ["f0", "f1", "f2", "f3"]}}
    assert code(client.post("/v1/models/model/gradients", json={"data": data})) == "non_finite"
    data["rows"] = {"stop": 1}
    assert client.post("/v1/models/model/gradients", json={"data": data}).status_code == 200


def test_a_published_network_brings_its_shared_inputs_beside_rows(tmp_path: Path) -> None:
    spec = {
        "inputs": {"x": {"shape": [4]}, "mask": {"shape": [4], "shared": True}},
        "nodes": [{"name": "f", "kind": "dot", "inputs": ["x", "mask"]}],
    }
    publish(tmp_path, "masked", network=spec, params={}, data={"mask": [1.0, 0.0, 2.0, 0.5]})
    client = make_client(tmp_path, networks_dir=str(tmp_path))
    put(client)
    document = {"network": {"name": "masked"}, "values": ["f"]}
    inline = client.post("/v1/forward", json={**document, "data": {"x": ARRAYS["x"][INDICES].tolist()}})
    rows = {"dataset": "table", "rows": {"indices": INDICES}}
    of_dataset = client.post("/v1/forward", json={**document, "data": rows})
    assert of_dataset.status_code == 200 and of_dataset.data == inline.data
    alone = {"network": spec, "values": ["f"], "data": rows}
    assert code(client.post("/v1/forward", json=alone)) == "missing_data"
    named = {**alone, "data": {**rows, "columns": {"mask": "x"}}}
    assert code(client.post("/v1/forward", json=named), "/data/columns/mask") == "field_invalid"
