"""deltawire gradients: the loss and the gradients, as a table and in a file."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from support.commands import FLOW, REQUEST, document, without
from support.console import ROOT, run


def test_json_has_just_what_was_asked_for(here: Path) -> None:
    (here / "short.json").write_text(json.dumps(without(REQUEST, "losses", "values", "deltas", "wrt")))
    answer = document("gradients", "short.json")
    assert answer.keys() == {"loss", "gradients", "network_id"}
    assert answer["gradients"]["data"] == {}
    names = {array["name"] for array in document("check", "short.json")["arrays"]}
    assert "data/x" in names  # checked unless FILE says otherwise


def test_numbers_that_are_not_finite_are_json_too(here: Path) -> None:
    network = {"inputs": {"x": {"shape": []}}, "nodes": [{"kind": "reciprocal"}]}
    request = {"network": network, "data": {"x": [0]}, "wrt": {"data": True}, "non_finite": "return"}
    (here / "pole.json").write_text(json.dumps(request))
    assert document("gradients", "pole.json")["loss"] == "Infinity"
    assert "loss inf" in run("gradients", "pole.json").stdout


def test_out_has_every_array_by_its_place(here: Path) -> None:
    answer = document("gradients", FLOW, "--out", "out.npz")
    with np.load("out.npz") as out:
        arrays = {name: out[name].tolist() for name in out}
    expected = {"loss": answer["loss"], "losses": answer["losses"]}
    for place, part in (
        ("gradients/params", answer["gradients"]["params"]),
        ("gradients/data", answer["gradients"]["data"]),
        ("values", answer["values"]),
        ("deltas", answer["deltas"]),
    ):
        expected |= {f"{place}/{name}": array for name, array in part.items()}
    assert arrays == expected
    assert run("gradients", FLOW, "--out", "out.npz").stdout.endswith("written to out.npz\n")


def test_gradients_shows_the_lectures_numbers() -> None:
    shown = run("gradients", ROOT / "examples" / "circuit.json").stdout
    assert shown.startswith("loss -12   mean over the batch\n")
    rows = [line.split() for line in shown.splitlines()]
    assert [*rows[rows.index(["gradient", "of"]) + 1 :]][:3] == [
        [name, "(1,)", f"{abs(number)}", f"{number}"] for name, number in (("x", -4), ("y", -4), ("z", 3))
    ]
