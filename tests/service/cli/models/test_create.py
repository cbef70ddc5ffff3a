"""deltawire models create: from any FILE, with any parameters and optimizer."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.commands import FLOW, REQUEST, SPEC, document
from support.console import run

from deltawire import Client, Fault, Model, Unreachable, optim
from deltawire_service.cli.outcome import Exit


def params_of(data_dir: Path, name: str) -> dict[str, Any]:
    return {key: array.tolist() for key, array in Client(data_dir=data_dir).model(name).params().items()}


def test_parameters_come_from_file_or_beside_it_or_from_a_seed(data_dir: Path) -> None:
    drawn = {seed: Client().init(SPEC, seed=seed) for seed in (0, 3)}
    Path("spec.json").write_text(json.dumps(SPEC))
    np.savez("params.npz", **drawn[3])
    document("models", "create", "in_file", FLOW)
    document("models", "create", "beside", FLOW, "--params", "params.npz")
    document("models", "create", "seed", FLOW, "--seed", "3")
    document("models", "create", "nowhere", "spec.json")
    assert params_of(data_dir, "in_file") == REQUEST["params"]
    expected = {seed: {name: array.tolist() for name, array in each.items()} for seed, each in drawn.items()}
    assert params_of(data_dir, "beside") == params_of(data_dir, "seed") == expected[3]
    assert params_of(data_dir, "nowhere") == expected[0]
    wrong = run("models", "create", "both", FLOW, "--params", "params.npz", "--seed", "3")
    assert wrong.exit_code == Exit.USAGE and "not from both" in wrong.stderr


def test_a_saved_network_brings_its_parameters(data_dir: Path, flow: Client) -> None:
    flow.model("flow").save("flow.safetensors")
    made = document("models", "create", "again", "flow.safetensors", "--dtype", "float64")
    assert made["network_id"] == flow.model("flow").describe()["network_id"]
    assert params_of(data_dir, "again") == params_of(data_dir, "flow")


def test_the_optimizer(data_dir: Path) -> None:
    schedule = optim.schedules.cosine(T_max=10)
    expected = optim.sgd(0.5, momentum=0.9, schedule=schedule, clip_norm=1.0, clip_value=0.1).rule()
    made = document(
        *("models", "create", "flow", FLOW, "--optimizer", "sgd", "--learning-rate", "0.5"),
        *("--config", '{"momentum": 0.9}', "--schedule", '{"kind": "cosine", "T_max": 10}'),
        *("--clip-norm", "1", "--clip-value", "0.1", "--dtype", "float32"),
    )
    assert made["optimizer"]["config"] == expected["config"] and made["optimizer"]["clip"] == expected["clip"]
    assert made["optimizer"]["schedule"]["kind"] == "cosine" and made["dtype"] == "float32"


def test_what_is_wrong_is_said(data_dir: Path) -> None:
    for options, code, message in (
        (["--optimizer", "adem"], Exit.REFUSED, "adam"),
        (["--config", "[1]"], Exit.USAGE, "expected an object"),
        (["--config", "{"], Exit.USAGE, "it is not JSON"),
        (["--config", '{"momentun": 1}'], Exit.REFUSED, "momentun"),
    ):
        result = run("models", "create", "flow", FLOW, *options)
        assert result.exit_code == code and message in result.stderr, result.stderr


def test_a_key_makes_it_once(data_dir: Path) -> None:
    first = document("models", "create", "flow", FLOW, "--key", "once")
    assert document("models", "create", "flow", FLOW, "--key", "once") == first
    again = run("models", "create", "flow", FLOW)
    assert again.exit_code == Exit.REFUSED and "model_name_taken" in again.stderr


def test_a_model_that_was_made_and_cannot_be_read_is_said_to_be_made(
    data_dir: Path, flow: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lose(model: Model) -> Any:
        raise Unreachable([Fault("", "unreachable", "the cable is cut")])

    monkeypatch.setattr(Model, "describe", lose)
    for command, name in ((["create", "a", FLOW], "a"), (["fork", "flow", "b"], "b")):
        result = run("models", *command, columns=300)
        assert result.exit_code == Exit.UNREACHABLE and flow.model(name)
        said = rf"model '{name}' was made; the same command with --key [0-9a-f]{{32}} returns it"
        assert re.search(said, result.stderr), result.stderr


def test_a_key_whose_model_is_deleted_says_so(flow: Client) -> None:
    document("models", "create", "a", FLOW, "--key", "once")
    document("models", "delete", "a", "--yes")
    gone = run("models", "create", "a", FLOW, "--key", "once", columns=300)
    assert gone.exit_code == Exit.REFUSED
    assert "the command with --key once made it, and it was deleted since" in gone.stderr


def test_constants_come_from_file(data_dir: Path) -> None:
    entry = {"shape": [2], "shared": True, "constant": True}
    network = {
        "inputs": {"x": {"shape": [2]}, "mean": entry, "var": entry},
        "nodes": [{"name": "normed", "kind": "batch_norm", "inputs": ["x", "mean", "var"]}],
    }
    constants = {"mean": [0.5, -1.0], "var": [4.0, 0.25]}
    Path("normed.json").write_text(json.dumps({"network": network, "data": {"x": [[1.0, 2.0]], **constants}}))
    document("models", "create", "normed", "normed.json")
    model = Client(data_dir=data_dir).model("normed")
    kept = {name: array.tolist() for name, array in model.checkpoint().constants.items()}
    assert kept == constants
    shown = document("models", "params", "normed", "--out", "saved.safetensors")
    assert shown["data"] == constants
    document("models", "create", "again", "saved.safetensors")
