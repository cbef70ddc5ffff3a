"""FILE, and arrays beside it: where the numbers of a command come from."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from support.commands import BATCH, FLOW, REQUEST, SPEC, document
from support.console import run

from deltawire import Client
from deltawire_service.cli.outcome import Exit


def test_a_spec_alone_gets_its_data_from_a_file_and_its_parameters_from_a_seed(
    spec: Path, batch: Path
) -> None:
    with Client() as client:
        expected = {seed: client.value_and_grad(SPEC, client.init(SPEC, seed), BATCH) for seed in (0, 7)}
    for seed, arguments in ((0, []), (7, ["--seed", "7"])):
        answer = document("gradients", spec, "--data", batch, *arguments)
        assert answer["loss"] == expected[seed][0]
        assert answer["gradients"]["params"] == {n: g.tolist() for n, g in expected[seed][1].items()}


def test_parameters_beside_file_win(spec: Path, batch: Path, here: Path) -> None:
    np.savez("params.npz", **{name: np.array(numbers) for name, numbers in REQUEST["params"].items()})
    of_file = document("gradients", FLOW)["loss"]
    assert document("gradients", spec, "--data", batch, "--params", "params.npz")["loss"] == of_file
    drawn = document("gradients", FLOW, "--seed", "0")["loss"]
    assert drawn == document("gradients", spec, "--data", batch)["loss"] != of_file
    result = run("gradients", FLOW, "--seed", "0", "--params", "params.npz")
    assert result.exit_code == Exit.USAGE and "not from both" in result.stderr


def test_data_beside_file_wins(here: Path) -> None:
    np.savez("one.npz", x=np.zeros((1, 4), np.float32), y=np.array([1], np.int32))
    assert len(document("gradients", FLOW, "--data", "one.npz")["losses"]) == 1


def test_standard_input(spec: Path) -> None:
    assert json.loads(run("plan", "-", "--json", given=spec.read_text()).stdout) == document("plan", spec)


@pytest.mark.parametrize("source", ["file", "npz", "seed"])
def test_dtype(source: str, spec: Path, batch: Path, here: Path) -> None:
    np.savez("params.npz", **{name: np.array(numbers) for name, numbers in REQUEST["params"].items()})
    arguments = {
        "file": [FLOW],
        "npz": [spec, "--data", batch, "--params", "params.npz"],
        "seed": [spec, "--data", batch],
    }[source]
    for dtype in ("float32", "float64"):
        assert run("gradients", *arguments, "--dtype", dtype, "--out", "out.npz").exit_code == 0
        with np.load("out.npz") as out:
            assert out["gradients/params/hidden.weight"].dtype == dtype


def test_missing_data_is_named_with_its_shape(here: Path) -> None:
    inputs = SPEC["inputs"] | {"mask": {"shape": [4], "shared": True}}
    (here / "spec.json").write_text(json.dumps(SPEC | {"inputs": inputs}))
    for command in ("gradients", "check"):
        result = run(command, "spec.json")
        assert result.exit_code == Exit.USAGE
        assert (
            "--data FILE.npz with arrays for x (batch, 4), y (batch,) of integers, mask (4,)" in result.stderr
        )
    (here / "wrong.json").write_text(json.dumps(SPEC | {"inputs": []}))
    np.savez("params.npz")
    result = run("gradients", "wrong.json", "--params", "params.npz")
    assert result.exit_code == Exit.REFUSED and "/network/inputs" in result.stderr


def test_a_file_that_cannot_be_read_is_named(spec: Path, here: Path) -> None:
    (here / "text.md").write_text("# no JSON")
    for arguments, name in (
        (("publish", spec, spec), "spec.json"),
        (("gradients", "text.md"), "text.md"),
        (("plan", "text.md"), "text.md"),
    ):
        assert name in document(*arguments, code=Exit.REFUSED)["errors"][0]["detail"]
    assert "standard input: not strict JSON" in run("gradients", "-", given="{").output
