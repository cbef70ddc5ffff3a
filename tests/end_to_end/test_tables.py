"""`deltawire fit` on scikit-learn's tables does as well as scikit-learn's networks of the same sizes."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from sklearn import datasets
from support.commands import document

pytestmark = pytest.mark.recipes

WITHIN = 0.02
"""Of the score of scikit-learn's network."""

OPTIONS = {
    "diabetes": ("--epochs", "60", "--l2", "0.1"),
    "wine": ("--epochs", "60", "--l2", "0.01"),
    "breast_cancer": ("--epochs", "40", "--l2", "0.01"),
    "digits": ("--epochs", "40", "--l2", "0.001"),
}


@pytest.mark.parametrize("name", OPTIONS)
def test_a_table_is_learned_as_well_as_by_scikit_learn(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DELTAWIRE_DATA_DIR", "data")
    table = getattr(datasets, f"load_{name}")()
    with Path(f"{name}.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*table.feature_names, "target"])
        writer.writerows(
            [*row, wanted] for row, wanted in zip(table.data.tolist(), table.target.tolist(), strict=True)
        )
    fitted = document("fit", f"{name}.csv", "--target", "target", "--held-out", "0.3", *OPTIONS[name])
    assert fitted["task"] == ("regression" if name == "diabetes" else "classification")
    scores = fitted["scores"]
    assert scores["model"] >= (1 - WITHIN) * scores["scikit-learn"] > scores["constant"]
