"""Print the scores of a model that `deltawire fit` made, and how it predicts."""

from __future__ import annotations

import json
from dataclasses import dataclass
from shlex import quote
from typing import Any

from rich.console import Console

from deltawire.models.network import model_path
from deltawire.tables.columns import CLASSIFICATION, Roles
from deltawire.tables.table import Table
from deltawire_service.cli.runs.scores import CONSTANT, MODEL, SCIKIT_LEARN, Split
from deltawire_service.cli.terminal import table

LOCAL = "http://127.0.0.1:8000"
"""The address of `deltawire serve`."""

SHOWN = 8
"""Classes that are named."""


@dataclass(frozen=True)
class Fitted:
    """A model that has learned from a table.

    Attributes:
        name: The name of the model.
        run: The id of its run.
        roles: The columns of the table by their roles.
        split: Its rows.
        scores: On the rows that are held out, by what predicts.
        example: The inputs of one row.
        table: What the network notes of the table.
        url: The address of the service; None for a folder of this machine.
    """

    name: str
    run: str
    roles: Roles
    split: Split
    scores: dict[str, float]
    example: dict[str, Any]
    table: Table
    url: str | None

    @property
    def score_name(self) -> str:
        """The name of the score."""
        return "accuracy" if self.roles.task == CLASSIFICATION else "R²"

    def document(self) -> dict[str, Any]:
        """Return it for programs."""
        return {
            "model": self.name, "run": self.run, "task": self.roles.task, "score": self.score_name,
            "held_out": len(self.split.held_out), "scores": self.scores,
        }  # fmt: skip

    def show(self, screen: Console) -> None:
        """Print the scores, and a request that predicts."""
        classes = self.roles.task == CLASSIFICATION
        titles = {
            MODEL: f"model {self.name}",
            SCIKIT_LEARN: f"scikit-learn's {'MLPClassifier' if classes else 'MLPRegressor'}",
            CONSTANT: "the most frequent class" if classes else "the mean",
        }
        rows = table(
            f"on {len(self.split.held_out):,} rows held out", self.score_name, right=[self.score_name]
        )
        for what, score in self.scores.items():
            rows.add_row(titles[what], f"{score:.4f}")
        screen.print()
        screen.print(rows)
        screen.print(f"\n{self._meaning()}, for one row:\n", style="bold")
        if self.url is None:
            screen.print("deltawire serve   # with the same DELTAWIRE_DATA_DIR")
        body = json.dumps({"data": self.example, "values": [self.table.output]})
        address = f"{self.url or LOCAL}{model_path(self.name)}/forward"
        request = f"curl -s {quote(address)} -H 'Content-Type: application/json' \\\n  -d {quote(body)}"
        screen.print(request, soft_wrap=True)
        for name in self.example:
            screen.print(f"{name}: {self._columns(name)}", soft_wrap=True)

    def _columns(self, name: str) -> str:
        """Return the columns that an input takes, and the integers of its categories."""
        source = self.table.columns[name]
        listed = source if isinstance(source, str) else ", ".join(source)
        codes = [f"{text} {code}" for code, text in enumerate(self.table.categories.get(name, ()))]
        return f"{listed} ({', '.join(codes)})" if codes else listed

    def _meaning(self) -> str:
        """Return what the output of the model is."""
        target = self.roles.target
        if self.roles.task != CLASSIFICATION:
            return f"The predicted {target.name}"
        classes = list(target.categories) or [str(place) for place in range(target.count)]
        listed = ", ".join(classes[:SHOWN]) + (", …" if len(classes) > SHOWN else "")
        return f"The probabilities of {target.name} {listed}"
