"""PUT, GET and DELETE /v1/datasets: every format, refusals, keys, owners and paths."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save
from support.http_models import SPEC, DescribedClient, code, make_client, make_model

from deltawire import wire
from deltawire_service.api.datasets.routes import TABLES
from deltawire_service.datasets.formats.media_types import READERS
from deltawire_service.settings import Settings

CSV = b"a,b,kind\n1,0.5,cat\n2,,dog\n"
TOKENS = {name: f"the key of {name}".replace(" ", "-") for name in ("anna", "bert")}
KEYS = "\n".join(f"{hashlib.sha256(token.encode()).hexdigest()} {name}" for name, token in TOKENS.items())
SAVED = save({"x": np.arange(6.0).reshape(3, 2)})


def put(
    client: DescribedClient, body: bytes = CSV, name: str = "d", sent: str = "text/csv", **headers: str
) -> Any:
    return client.put(f"/v1/datasets/{name}", data=body, content_type=sent, headers=headers)


@pytest.fixture
def client(tmp_path: Path) -> DescribedClient:
    return make_client(tmp_path)


def npy() -> bytes:
    file = io.BytesIO()
    np.save(file, np.arange(6.0).reshape(3, 2))
    return file.getvalue()


def test_a_csv_is_described_with_its_types(client: DescribedClient) -> None:
    answer = put(client)
    assert answer.status_code == 201 and answer.json["rows"] == 2
    a, b, kind = answer.json["columns"]
    assert (a["dtype"], b["dtype"], kind["dtype"]) == ("int64", "float64", "int64")
    assert kind["categories"] == ["cat", "dog"] and b["missing"] == b["non_finite"] == 1
    assert (a["min"], a["max"], a["mean"], a["std"], a["distinct"]) == (1, 2, 1.5, 0.5, 2)
    shown = client.get("/v1/datasets/d").json
    assert answer.json == shown | {"unchanged": False, "replayed": False}


@pytest.mark.parametrize(
    "sent, body",
    [("application/x-npy", npy()), (wire.SAFETENSORS, save({"x": np.arange(6.0).reshape(3, 2)}))],
)
def test_equal_columns_are_one_dataset(client: DescribedClient, sent: str, body: bytes) -> None:
    first = put(client, npy(), sent="application/x-npy")
    again = put(client, body, sent=sent)
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json == first.json | {"unchanged": True}


def test_a_dataset_is_deleted_while_few_requests_have_uploaded_it(client: DescribedClient) -> None:
    put(client)
    put(client)
    refused = client.delete("/v1/datasets/d?uploads=1")
    assert (refused.status_code, code(refused)) == (409, "dataset_in_use")
    assert code(client.delete("/v1/datasets/d?uploads=0")) == "field_invalid"
    assert client.delete("/v1/datasets/d?uploads=2").status_code == 200


def test_few_tables_are_read_at_once(client: DescribedClient) -> None:
    with TABLES.take():
        assert put(client).status_code == 201
        with TABLES.take():
            late = put(client, name="e", **{"Deltawire-Deadline": "0.2"})
    assert code(late) == "deadline_exceeded"
    assert put(client, name="e").status_code == 201


def test_a_table_is_described_again_for_its_key(client: DescribedClient) -> None:
    made = put(client, **{"Idempotency-Key": "k"}).json
    assert put(client, **{"Idempotency-Key": "k"}).json == made | {"replayed": True}
    client.delete("/v1/datasets/d")
    late = put(client, **{"Idempotency-Key": "k"})
    assert (late.status_code, code(late)) == (410, "answer_expired")


def test_datasets_are_listed_in_pages(client: DescribedClient) -> None:
    for name in ("b", "a", "c"):
        put(client, name=name)
    page = client.get("/v1/datasets?limit=2").json
    assert [each["name"] for each in page["datasets"]] == ["a", "b"] and page["next"] == "b"
    rest = client.get("/v1/datasets?after=b").json
    assert [each["name"] for each in rest["datasets"]] == ["c"] and rest["next"] is None


def test_a_dataset_is_deleted_once(client: DescribedClient) -> None:
    made = put(client).json
    gone = client.delete("/v1/datasets/d", headers={"Idempotency-Key": "k"})
    assert gone.json == {"name": "d", "dataset_id": made["dataset_id"], "replayed": False}
    assert client.delete("/v1/datasets/d", headers={"Idempotency-Key": "k"}).json["replayed"]
    assert code(client.delete("/v1/datasets/d")) == code(client.get("/v1/datasets/d")) == "dataset_not_found"


def test_a_key_is_answered_as_the_first_time(client: DescribedClient) -> None:
    make_model(client, "d")  # a model of the same name is something else
    first = put(client, **{"Idempotency-Key": "k"})
    again = put(client, **{"Idempotency-Key": "k"})
    assert again.status_code == 201 and again.json == first.json | {"replayed": True}
    assert code(put(client, CSV + b"3,1,cat\n", **{"Idempotency-Key": "k"})) == "idempotency_key_reused"


@pytest.mark.parametrize(
    "body, sent, name, expected",
    [
        (b"a,b\n1\n", "text/csv", "d", "dataset_invalid"),
        (b"nonsense", "application/x-npy", "d", "dataset_invalid"),
        (b"nonsense", wire.SAFETENSORS, "d", "tensor_body_invalid"),
        (save({"x": np.zeros(2, "int8")}), wire.SAFETENSORS, "d", "dtype_unsupported"),
        (CSV, "text/plain", "d", "media_type_unsupported"),
        (CSV, "text/csv", "-d", "name_invalid"),
        (b"{}", wire.JSON, "d", "field_missing"),
        (b'{"path": "/etc/passwd"}', wire.JSON, "d", "field_invalid"),
        (b'{"path": "/etc/passwd.csv"}', wire.JSON, "d", "path_not_allowed"),
    ],
)
def test_what_is_no_table_leaves_nothing(
    client: DescribedClient, tmp_path: Path, body: bytes, sent: str, name: str, expected: str
) -> None:
    assert code(put(client, body, name, sent)) == expected
    assert not list((tmp_path / "models" / "datasets").iterdir())


def test_other_numbers_under_a_name_are_refused(client: DescribedClient) -> None:
    put(client)
    assert code(put(client, CSV + b"3,1,cat\n")) == "dataset_exists"


def test_a_body_may_have_the_bytes_of_its_setting(tmp_path: Path) -> None:
    client = make_client(tmp_path, dataset_body_bytes=100, binary_body_bytes=10)
    assert put(client).status_code == 201
    assert code(put(client, b"a\n" + 50 * b"1\n", name="e")) == "body_too_large"


def test_without_a_folder_nothing_is_kept(tmp_path: Path) -> None:
    client = make_client(tmp_path, data_dir="")
    assert code(put(client)) == code(client.get("/v1/datasets")) == "store_missing"
    rows = client.post("/v1/gradients", json={"network": SPEC, "data": {"dataset": "d"}})
    assert (rows.status_code, code(rows, "/data/dataset")) == (501, "store_missing")
    assert "POST /v1/models/NAME/gradients" in rows.json["detail"]
    document = {"network": {}, "params": {}, "data": {"dataset": "d"}}
    assert code(client.post("/v1/gradients", json=document)) != "internal"


def test_each_key_has_datasets_of_its_own(tmp_path: Path) -> None:
    client = make_client(tmp_path, api_keys=KEYS)
    anna, bert = ({"Authorization": f"Bearer {token}"} for token in TOKENS.values())
    assert put(client, **anna).status_code == 201
    assert code(client.get("/v1/datasets/d", headers=bert)) == "dataset_not_found"
    assert client.get("/v1/datasets", headers=bert).json["datasets"] == []
    assert code(client.delete("/v1/datasets/d", headers=bert)) == "dataset_not_found"
    assert put(client, CSV + b"3,1,cat\n", **bert).status_code == 201


@pytest.fixture
def rooted(tmp_path: Path) -> DescribedClient:
    for name in ("root", "other"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "table.csv").write_bytes(CSV)
    (tmp_path / "root" / "out.csv").symlink_to(tmp_path / "other" / "table.csv")
    (tmp_path / "root" / "empty.csv").touch()
    return make_client(tmp_path, dataset_roots=str(tmp_path / "root"), dataset_body_bytes=1000)


def test_a_file_below_a_root_is_copied(rooted: DescribedClient, tmp_path: Path) -> None:
    path = tmp_path / "root" / "table.csv"
    first = rooted.put("/v1/datasets/d", json={"path": str(path)})
    assert first.status_code == 201, first.text
    path.unlink()
    assert put(rooted).json == first.json | {"unchanged": True}


def test_copies_of_files_count_among_the_bodies_in_files(rooted: DescribedClient, tmp_path: Path) -> None:
    service = rooted.application.extensions["deltawire"]
    room, path = service.connection_limits.upload_room, str(tmp_path / "root" / "table.csv")
    assert room.claim(Settings().upload_bytes - len(CSV) + 1)  # as if other bodies were coming
    full = rooted.put("/v1/datasets/d", json={"path": path})
    assert (full.status_code, code(full), full.headers["Retry-After"]) == (503, "overloaded", "1")
    assert "DELTAWIRE_UPLOAD_BYTES" in full.json["detail"]
    room.release(1)
    assert rooted.put("/v1/datasets/d", json={"path": path}).status_code == 201
    (tmp_path / "root" / "table.csv").write_text("a\nbroken\n1,2\n")
    assert rooted.put("/v1/datasets/e", json={"path": path}).status_code == 422
    assert room.claim(len(CSV)) and not room.claim(1)  # each copy has given back what it took


@pytest.mark.parametrize(
    "path, expected",
    [
        ("other/table.csv", "path_not_allowed"),
        ("root/out.csv", "path_not_allowed"),
        ("root/../other/table.csv", "path_not_allowed"),
        ("root/none.csv", "field_invalid"),
        ("root/empty.csv", "dataset_invalid"),
        ("root/large.csv", "body_too_large"),
    ],
)
def test_a_path_that_leads_elsewhere_is_refused(
    rooted: DescribedClient, tmp_path: Path, path: str, expected: str
) -> None:
    (tmp_path / "root" / "large.csv").write_bytes(b"a\n" * 1000)
    assert code(rooted.put("/v1/datasets/d", json={"path": str(tmp_path / path)})) == expected


def test_every_format_is_described(client: DescribedClient) -> None:
    described = client.get("/openapi.json").json["paths"]["/v1/datasets/{name}"]["put"]
    assert described["requestBody"]["content"].keys() == {wire.JSON, *READERS}
    assert {"200", "201", "422"} <= described["responses"].keys()
