"""Steps over HTTP: the numbers of torch, what they return, what they refuse, and arrays on a replay."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from support.http_models import (
    DATA,
    DescribedClient,
    as_lists,
    code,
    in_binary,
    make_model,
    read,
    step,
    versions,
)
from support.models import NOISY, batch

from deltawire import wire
from deltawire_service.api.models import steps
from deltawire_service.models.steps import take_step

BATCH = {name.removeprefix("data/"): array for name, array in batch(0).items()}
ARRAYS = {"wrt": {"params": True, "data": ["x"]}, "values": ["scores"], "deltas": ["scores"], "losses": True}
FLOAT32 = {"dtype": "float32", "shape": [0, 4], "base64": ""}


@pytest.mark.torch
@pytest.mark.parametrize(
    "optimizer, make",
    [
        ({"kind": "adam", "config": {"learning_rate": 0.01}}, lambda t, p: t.optim.Adam(p, lr=0.01)),
        (
            {"kind": "adamw", "config": {"learning_rate": 0.01, "weight_decay": 0.05}},
            lambda t, p: t.optim.AdamW(p, lr=0.01, weight_decay=0.05),
        ),
        (
            {"kind": "sgd", "config": {"learning_rate": 0.1, "momentum": 0.9}},
            lambda t, p: t.optim.SGD(p, lr=0.1, momentum=0.9),
        ),
    ],
    ids=["adam", "adamw", "sgd"],
)
def test_a_hundred_steps_are_those_of_torch(client: DescribedClient, optimizer: Any, make: Any) -> None:
    import torch

    make_model(client, "trained", optimizer=optimizer, seed=3)
    params = {
        name: torch.tensor(leaf, dtype=torch.float64, requires_grad=True)
        for name, leaf in client.get("/v1/models/trained/params").json["params"].items()
    }
    oracle = make(torch, [*params.values()])
    for seed in range(100):
        x, y = (torch.tensor(batch(seed)[f"data/{name}"]) for name in "xy")
        hidden = torch.tanh(x @ params["hidden.weight"].T + params["hidden.bias"])
        scores = hidden @ params["scores.weight"].T + params["scores.bias"]
        loss = torch.nn.functional.cross_entropy(scores, y)
        oracle.zero_grad()
        loss.backward()
        oracle.step()
        answer = step(client, seed, "trained").json
        assert answer["loss"] == pytest.approx(loss.item(), rel=1e-10)
    assert (answer["version"], answer["step"]) == (100, 100)
    for name, leaf in client.get("/v1/models/trained/params").json["params"].items():
        np.testing.assert_allclose(leaf, params[name].detach().numpy(), rtol=0, atol=1e-10)


def test_an_answer_has_the_arrays_that_are_wanted(client: DescribedClient) -> None:
    """They are those of the gradients before the step."""
    request = {"data": DATA} | ARRAYS
    gradients = client.post("/v1/models/model/gradients", json=request).json
    answer = step(client, **ARRAYS).json
    for name in ("loss", "gradients", "values", "deltas", "losses"):
        assert answer[name] == gradients[name]
    assert answer.keys() >= {"gradient_norm", "learning_rate", "version", "step", "durable", "replayed"}
    assert step(client).json.keys().isdisjoint({"gradients", "values", "deltas", "losses"})
    only = step(client, wrt={"params": ["hidden.*"]}).json["gradients"]
    assert (only["params"].keys(), only["data"]) == ({"hidden.weight", "hidden.bias"}, {})


def test_a_replay_that_wants_arrays_has_them_again(client: DescribedClient) -> None:
    first = step(client, key="one", **ARRAYS)
    step(client, key="two")
    assert step(client, key="one", **ARRAYS).json == first.json | {"replayed": True}
    client.delete("/v1/models/model")
    assert code(step(client, key="one", **ARRAYS)) == "answer_expired"


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_bodies_in_every_form_take_the_same_step(client: DescribedClient, dtype: str) -> None:
    """Lists, base64 and safetensors; the answer in each of them too."""
    arrays = {name: a if a.dtype.kind == "i" else a.astype(dtype) for name, a in BATCH.items()}
    answers = list[Any]()
    for number, tensors in enumerate(("lists", "base64")):
        make_model(client, f"m{number}", seed=1, dtype=dtype)
        body = wire.encode({"data": arrays, "wrt": {"params": True}}, wire.JSON, tensors)
        sent = {"data": body, "content_type": wire.JSON}
        answers.append(client.post(f"/v1/models/m{number}/steps", **sent).json)
    make_model(client, "m2", seed=1, dtype=dtype)
    answer = client.post("/v1/models/m2/steps", **in_binary({"data": arrays, "wrt": {"params": True}}))
    assert answer.content_type == wire.SAFETENSORS
    answers.append(read(answer))
    lists, encoded, binary = answers
    assert lists == encoded
    for name, gradient in binary["gradients"]["params"].items():
        assert gradient.dtype == dtype
        np.testing.assert_array_equal(gradient, np.asarray(lists["gradients"]["params"][name], dtype))
    ids = {client.get(f"/v1/models/m{n}/params").json["origin"]["params_id"] for n in range(3)}
    assert len(ids) == 1


@pytest.mark.parametrize("binary", [False, True])
def test_gradients_of_the_caller_move_the_parameters(client: DescribedClient, binary: bool) -> None:
    asked = {"data": DATA, "wrt": {"params": True}}
    gradients = client.post("/v1/models/model/gradients", json=asked).json["gradients"]["params"]
    make_model(client, "twin")
    arrays = {name: np.asarray(leaf) for name, leaf in gradients.items()}
    body = in_binary({"gradients": arrays}) if binary else {"json": {"gradients": gradients}}
    answer = client.post("/v1/models/twin/steps", **body, headers={"Accept": wire.JSON}).json
    own = step(client).json
    assert answer == own | {"loss": None}
    a, b = (client.get(f"/v1/models/{name}/params").json["params"] for name in ("model", "twin"))
    assert a == b


@pytest.mark.parametrize(
    "changes, pointer, problem",
    [
        ({"data": {}}, "/data", "field_missing"),
        ({"gradients": {"hidden.bias": [0.0] * 8}}, "/gradients", "field_invalid"),
        ({"data": {"x": DATA["x"]}}, "/data/y", "missing_data"),
        ({"data": DATA | {"z": [1]}}, "/data/z", "unknown_data"),
        ({"data": DATA | {"x": [["a"]]}}, "/data/x/0/0", "tensor_invalid"),
        ({"data": DATA | {"x": [[1.0]]}}, "/data/x", "shape_mismatch"),
        ({"data": DATA | {"y": [9, 0, 0, 0, 0]}}, "/data/y/0", "label_out_of_range"),
        ({"data": {"x": [], "y": []}}, "/data/x", "shape_mismatch"),
        ({"data": [1]}, "/data", "field_invalid"),
        ({"data": DATA | {"x": FLOAT32}}, "/data/x/dtype", "dtype_mismatch"),
        ({"reduction": "max"}, "/reduction", "field_invalid"),
        ({"wrt": {"params": ["hiden.*"]}}, "/wrt/params/0", "unknown_name"),
        ({"wrt": {"data": ["y"]}}, "/wrt/data/0", "not_differentiable"),
        ({"values": ["score"]}, "/values/0", "unknown_name"),
        ({"deltas": "scores"}, "/deltas", "field_invalid"),
        ({"tensors": "hex"}, "/tensors", "field_invalid"),
        ({"if_version": 1}, "/if_version", "version_changed"),
        ({"if_version": -1}, "/if_version", "field_invalid"),
        ({"if_version": 2**70}, "/if_version", "field_invalid"),
        ({"if_version": "0"}, "/if_version", "field_invalid"),
        ({"optimizer": {"kind": "sgd"}}, "/optimizer/kind", "field_invalid"),
        ({"optimizer": {"config": {"lr": 1}}}, "/optimizer/config/lr", "field_unknown"),
        ({"optimizer": {"config": {"amsgrad": True}}}, "/optimizer/config", "field_invalid"),
        ({"optimizer": None}, "/optimizer", "field_invalid"),
        ({"optimizer": {"config": {"learning_rate": 1e308}}}, "", "non_finite"),
    ],
)  # fmt: skip
def test_a_step_that_does_not_fit_is_refused_at_its_place(
    unchanged: DescribedClient, changes: dict[str, Any], pointer: str | None, problem: str
) -> None:
    answer = unchanged.post("/v1/models/model/steps", json={"data": DATA} | changes)
    assert code(answer, pointer) == problem
    assert versions(unchanged) == ["created"]


@pytest.mark.parametrize(
    "gradients, pointer, problem",
    [
        ({}, "/data", "field_missing"),
        ({"hidden.bias": [0.0] * 8}, "/gradients/hidden.weight", "missing_parameter"),
        ({"hidden.bias": [0.0] * 7}, "/gradients/hidden.weight", "missing_parameter"),
        ({"hidden.bais": [0.0] * 8}, "/gradients/hidden.bais", "unknown_parameter"),
        ({"hidden.bias": None}, "/gradients/hidden.bias", "tensor_invalid"),
        ([], "/gradients", "field_invalid"),
    ],
)
def test_gradients_that_do_not_fit_are_refused(
    unchanged: DescribedClient, gradients: Any, pointer: str, problem: str
) -> None:
    answer = unchanged.post("/v1/models/model/steps", json={"gradients": gradients})
    assert code(answer, pointer) == problem
    assert versions(unchanged) == ["created"]


def test_gradients_of_the_caller_come_with_no_arrays(unchanged: DescribedClient) -> None:
    gradients = as_lists(unchanged.get("/v1/models/model/params").json["params"])
    answer = unchanged.post("/v1/models/model/steps", json={"gradients": gradients, "losses": True})
    assert code(answer, "/gradients") == "field_invalid"


def test_if_version_guards_a_step(client: DescribedClient) -> None:
    assert step(client, if_version=0).json["version"] == 1
    assert code(step(client, if_version=0), "/if_version") == "version_changed"
    assert step(client, if_version=None).json["version"] == 2


def test_hyperparameters_for_one_step_only(client: DescribedClient) -> None:
    once = step(client, optimizer={"config": {"learning_rate": 0.5}}).json
    assert (once["learning_rate"], step(client).json["learning_rate"]) == (0.5, 0.01)


def test_a_batch_that_is_not_aligned_is_computed_as_its_replay_is(
    client: DescribedClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """numpy sums what is not aligned in another order, and the ledger keeps the batch aligned."""
    taken = list[dict[str, Any]]()

    def noted(*args: Any) -> Any:
        taken.append(args[3].arrays)
        return take_step(*args)

    monkeypatch.setattr(steps, "take_step", noted)
    body = wire.encode({"data": BATCH}, wire.SAFETENSORS)
    size = int.from_bytes(body[:8], "little")
    for spaces in range(1, 8):
        moved = (size + spaces).to_bytes(8, "little") + body[8 : 8 + size] + b" " * spaces + body[8 + size :]
        answer = client.post("/v1/models/model/steps", data=moved, content_type=wire.SAFETENSORS)
        assert answer.status_code == 200
    assert len(taken) == 7
    assert all(array.flags.aligned and not array.flags.writeable for each in taken for array in each.values())
    assert client.get("/v1/models/model/params?version=6").status_code == 200


def test_the_seed_of_the_noise_is_kept_with_the_step(client: DescribedClient) -> None:
    make_model(client, "noisy", network=NOISY, seed=0)
    first = client.post("/v1/models/noisy/gradients", json={"data": DATA, "noise_seed": 9}).json
    assert step(client, name="noisy", noise_seed=9).json["loss"] == first["loss"]
    second = client.post("/v1/models/noisy/gradients", json={"data": DATA, "noise_seed": 2}).json
    assert step(client, name="noisy").json["loss"] == second["loss"]
    ledger = client.get("/v1/models/noisy/ledger").json["entries"]
    assert [entry.get("noise_seed") for entry in ledger] == [None, 9, 2]
    assert code(step(client, name="noisy", noise_seed=-1)) == "field_invalid"
    plain = client.post("/v1/models/noisy/forward", json={"data": DATA, "values": ["kept", "active"]}).json[
        "values"
    ]
    assert plain["kept"] == plain["active"]
