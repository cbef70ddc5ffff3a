"""deltawire train: the run that the SDK starts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from client.runs.conftest import examples, network
from support.commands import document
from support.console import run

from deltawire import Client, optim
from deltawire_service.cli.outcome import Exit
from deltawire_service.cli.runs.train import column_of, name_of, validation_of


def test_a_run_is_started_and_followed_to_its_end(adder: Client) -> None:
    done = document("train", "adder", "--data", "sums", "--epochs", "2", "--batch-size", "20", "--in-order")
    assert (done["state"], done["steps"]) == ("finished", 6)
    twin = adder.create_model(network(), name="twin", optimizer=optim.sgd(0.01), seed=0)
    twin.fit("sums", epochs=2, batch_size=20, shuffle=False, progress=False)
    assert adder.model("adder").checkpoint().params_id == twin.checkpoint().params_id


def test_every_option_goes_into_the_recipe(adder: Client) -> None:
    started = document(
        "train", "adder", "--data", "sums", "--steps", "5", "--batch-size", "7", "--seed", "3",
        "--validation", "0.25", "--validate-every", "2", "--early-stopping", "4", "--schedule",
        '{"kind": "step", "step_size": 3}', "--clip-norm", "1", "--clip-value", "0.5",
        "--column", "x=x", "--detach",
    )  # fmt: skip
    recipe = started["recipe"]
    assert (recipe["steps"], recipe["batch_size"], recipe["seed"]) == (5, 7, 3)
    assert recipe["validation"] == {"dataset": None, "fraction": 0.25, "every": 2}
    assert recipe["early_stopping"]["patience"] == 4 and recipe["schedule"]["kind"] == "step"
    assert recipe["clip"] == {"norm": 1.0, "value": 0.5} and recipe["columns"] == {"x": "x"}


def test_a_file_becomes_a_dataset(adder: Client) -> None:
    x = examples()["x"]
    np.save("My sums!.npy", np.array([(row, row.sum()) for row in x], [("x", "f8", 3), ("y", "f8")]))
    done = document("train", "adder", "--data", "My sums!.npy")
    assert done["recipe"]["dataset"] == "My-sums" and done["state"] == "finished"
    missing = run("train", "adder", "--data", "none.csv")
    assert missing.exit_code == Exit.USAGE and "no file 'none.csv'" in missing.stderr


def test_the_end_is_shown(adder: Client) -> None:
    shown = run("train", "adder", "--data", "sums", "--validation", "0.5", "--batch-size", "10").stdout
    assert "finished" in shown.splitlines()[0] and "3 of 3 steps, version 3" in shown
    assert "adder learns from sums, 1 epoch, batches of 10, validated with 50% of the rows" in shown
    assert "best validation loss" in shown


@pytest.mark.parametrize(
    ("text", "source"), [("x=a", ("x", "a")), ("x=a,b", ("x", ["a", "b"])), ("y=a b", ("y", "a b"))]
)
def test_columns_of_inputs(text: str, source: object) -> None:
    assert column_of(text) == source


@pytest.mark.parametrize("text", ["x", "x=", "=a"])
def test_other_columns_are_refused(adder: Client, text: str) -> None:
    assert run("train", "adder", "--data", "sums", "--column", text).exit_code == Exit.USAGE


def test_names_are_made_of_files() -> None:
    names = {"a b.csv": "a-b", "ä.csv": "table", "x" * 80 + ".csv": "x" * 64, "red-wine_2.npy": "red-wine_2"}
    assert {path: name_of(Path(path)) for path in names} == names


def test_a_number_is_a_fraction(adder: Client) -> None:
    assert validation_of(adder, "0.1") == 0.1 and validation_of(adder, "sums") == "sums"
