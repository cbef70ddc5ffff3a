"""deltawire fit: from a table to a model that predicts a column of it."""

from __future__ import annotations

import shlex
from pathlib import Path

import numpy as np
import pytest
from support.commands import document
from support.console import ROOT, run
from support.service import free_port, running_service

from deltawire import Client
from deltawire_service.cli.outcome import Exit

IRIS = ROOT / "examples" / "iris.csv"
PRICES = "size,shop,price\n" + "".join(
    f"{size},{shop},{3 * size + (100 if shop == 'north' else 0) + 5}\n"
    for size in range(40)
    for shop in ("north", "south")
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DELTAWIRE_DATA_DIR", str(tmp_path / "data"))
    return tmp_path


def test_classes_are_learned_and_served(folder: Path) -> None:
    fitted = document("fit", IRIS, "--target", "species", "--epochs", "40", "--learning-rate", "0.01")
    assert (fitted["task"], fitted["score"], fitted["held_out"]) == ("classification", "accuracy", 30)
    scores = fitted["scores"]
    assert scores["model"] >= 0.9 > 0.5 > scores["constant"]
    assert abs(scores["model"] - scores["scikit-learn"]) <= 2 / 30
    model = Client().model("iris")
    probabilities = model.forward({"x": [[5.1, 3.5, 1.4, 0.2]]}, ["probabilities"])["probabilities"]
    assert probabilities.argmax() == 0


def test_numbers_and_texts_predict_a_number(folder: Path) -> None:
    Path("prices.csv").write_text(PRICES)
    options = ("--name", "shop-prices", "--hidden", "16", "--epochs", "150", "--learning-rate", "0.01")
    fitted = document("fit", "prices.csv", "--target", "price", *options)
    assert (fitted["model"], fitted["score"]) == ("shop-prices", "R²")
    assert fitted["scores"]["model"] > 0.98 and abs(fitted["scores"]["constant"]) < 0.3
    got = Client().model("shop-prices").forward({"x": [[10.0]], "shop": np.array([0])}, ["prediction"])
    assert got["prediction"][0] == pytest.approx(135, abs=15)


def test_the_scores_and_a_request_are_shown(folder: Path) -> None:
    done = run("fit", IRIS, "--target", "species", "--epochs", "2", "--hidden", "8,4", columns=100)
    assert done.exit_code == 0, done.output
    assert "on 30 rows held out" in done.stdout and "scikit-learn's MLPClassifier" in done.stdout
    assert "The probabilities of species setosa, versicolor, virginica, for one row:" in done.stdout
    assert done.stdout.endswith("x: sepal_length, sepal_width, petal_length, petal_width\n")
    words = shlex.split(done.stdout[done.stdout.index("curl ") :])
    assert (
        words[2] == "http://127.0.0.1:8000/v1/models/iris/forward"
        and '"values": ["probabilities"]' in words[words.index("-d") + 1]
    )


def test_the_columns_of_each_input_are_shown(folder: Path) -> None:
    Path("prices.csv").write_text(PRICES)
    done = run("fit", "prices.csv", "--target", "price", "--hidden", "2", "--epochs", "1", columns=100)
    assert done.stdout.endswith("x: size\nshop: shop (north 0, south 1)\n")


def test_a_port_without_a_service_is_no_unsure_change(folder: Path) -> None:
    done = run("fit", IRIS, "--target", "species", "--url", f"http://127.0.0.1:{free_port()}", columns=200)
    assert done.exit_code == Exit.UNREACHABLE
    assert "--key" not in done.stderr and "may have been made" not in done.stderr


def test_a_service_at_url_that_keeps_nothing_says_how_it_is_started(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DELTAWIRE_DATA_DIR")
    with running_service("-w", "1") as url:
        done = run("fit", IRIS, "--target", "species", "--url", url, columns=200)
    assert "start the service at --url with DELTAWIRE_DATA_DIR" in done.stderr
    assert "or pass --url" not in done.stderr


def test_a_second_fit_says_what_to_do_with_the_first(folder: Path) -> None:
    arguments = ("fit", IRIS, "--target", "species", "--hidden", "2", "--epochs", "1")
    assert run(*arguments).exit_code == 0
    again = run(*arguments, columns=200)
    assert again.exit_code == Exit.REFUSED
    assert "choose another name, or `deltawire models delete NAME` first" in again.stderr


def test_help_names_the_folder_that_keeps_the_model(folder: Path) -> None:
    assert "DELTAWIRE_DATA_DIR" in run("fit", "--help").stdout


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        (("--target", "colour"), Exit.REFUSED, "no column 'colour'"),
        (("--target", "species", "--hidden", "0"), Exit.USAGE, "units of each hidden layer"),
        (("--target", "species", "--held-out", "1"), Exit.USAGE, "0<x<1"),
        (("--target", "species", "--drop", "x"), Exit.REFUSED, "no column 'x'"),
        (("--target", "species", "--held-out", "0.001"), Exit.REFUSED, "0 of 150 rows would be held out"),
    ],
)
def test_what_does_not_fit_is_refused(
    folder: Path, arguments: tuple[str, ...], code: Exit, text: str
) -> None:
    wrong = run("fit", IRIS, *arguments)
    assert wrong.exit_code == code and text in " ".join(wrong.stderr.split())
    assert Client().datasets() == Client().models() == []
