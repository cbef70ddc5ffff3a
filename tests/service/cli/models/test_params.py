"""deltawire models params: shown, and written for `deltawire publish`."""

from __future__ import annotations

import numpy as np
from support.commands import BATCH, document
from support.console import run

from deltawire import Client, Network


def test_parameters_of_a_version(flow: Client) -> None:
    model = flow.model("flow")
    model.step(BATCH)
    for version, options in ((1, []), (0, ["--version", "0"])):
        checkpoint = model.checkpoint(version)
        printed = document("models", "params", "flow", *options)
        assert printed["origin"] == {
            **{"model": "flow", "version": version, "step": version},
            **{"params_id": checkpoint.params_id, "lineage": checkpoint.lineage},
        }
        assert printed["params"] == {name: array.tolist() for name, array in checkpoint.params.items()}
        shown = run("models", "params", "flow", *options).stdout
        assert f"params_id {checkpoint.params_id}" in shown and "hidden.weight" in shown


def test_they_are_written_to_a_file_that_can_be_published(flow: Client) -> None:
    assert (
        "written to flow.safetensors" in run("models", "params", "flow", "--out", "flow.safetensors").stdout
    )
    _, params = Network.load("flow.safetensors")
    for name, array in flow.model("flow").params().items():
        np.testing.assert_array_equal(params[name], array)
    assert run("publish", "flow.safetensors", "--into", "networks").exit_code == 0
