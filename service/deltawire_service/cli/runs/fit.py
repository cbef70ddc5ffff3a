"""deltawire fit: from a table to a model that predicts one of its columns."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from deltawire.datasets.catalogue import Uploads
from deltawire.errors import Refused
from deltawire.tables.columns import assign_roles
from deltawire_service.cli.datasets.changes import table_argument
from deltawire_service.cli.options import client_of, json_option, url_option
from deltawire_service.cli.outcome import Command
from deltawire_service.cli.runs.fitted import Fitted
from deltawire_service.cli.runs.follow import wait
from deltawire_service.cli.runs.scores import Learning, example_of, read_split, score_model
from deltawire_service.cli.runs.train import name_of
from deltawire_service.cli.terminal import console, print_json


def units(text: str) -> list[int]:
    """Return units of layers: `100` or `64,32`; nothing for no hidden layer."""
    parts = [part for part in text.split(",") if part.strip()]
    if not all(part.strip().isdecimal() and int(part) for part in parts):
        raise click.BadParameter(f"'{text}': expected units of each hidden layer, as 64,32")
    return [int(part) for part in parts]


@click.command(cls=Command)
@table_argument
@click.option("--target", required=True, metavar="COLUMN", help="The column to predict.")
@click.option("--task", type=click.Choice(["classification", "regression"]),
              help="[default: texts and few different integers are classes]")  # fmt: skip
@click.option("--name", metavar="NAME", help="Of the dataset and of the model.  [default: that of FILE]")
@click.option("--drop", multiple=True, metavar="COLUMN", help="A column that is left out; repeatable.")
@click.option("--categorical", multiple=True, metavar="COLUMN",
              help="A column of integers that are categories; repeatable.")  # fmt: skip
@click.option("--hidden", type=units, default="100", show_default=True, metavar="N,…",
              help="Units of each hidden layer.")  # fmt: skip
@click.option("--epochs", type=click.IntRange(1), default=200, show_default=True, metavar="N",
              help="How often all rows are taken.")  # fmt: skip
@click.option("--batch-size", type=click.IntRange(1), default=32, show_default=True, metavar="N",
              help="Rows of a step.")  # fmt: skip
@click.option("--learning-rate", type=float, default=1e-3, show_default=True, metavar="X", help="Of Adam.")
@click.option("--l2", type=float, default=0.0, show_default=True, metavar="X",
              help="λ of the penalty (λ/2)·ΣW² on the weights.")  # fmt: skip
@click.option("--held-out", type=click.FloatRange(0, 1, min_open=True, max_open=True), default=0.2,
              show_default=True, metavar="X", help="Share of the rows that the score is of.")  # fmt: skip
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), default=0, show_default=True, metavar="N",
              help="Of the first parameters and the order of the rows.")  # fmt: skip
@url_option
@json_option
def fit(
    file: Path,
    target: str,
    task: str | None,
    name: str | None,
    drop: tuple[str, ...],
    categorical: tuple[str, ...],
    held_out: float,
    url: str | None,
    as_json: bool,
    **learning: Any,
) -> None:
    """Learn to predict a column of the table in FILE, and serve the model.

    DELTAWIRE_DATA_DIR names the folder that keeps the dataset, the run and the model, or --url a service
    that keeps them. A second fit needs another --name, or `deltawire models delete NAME` first.

    Uploads FILE, makes a network that takes its numbers as they are, trains it in the background, and scores
    it on rows that it did not learn from: beside a constant, and beside scikit-learn's network where that is
    installed.
    """
    how = Learning(**learning)
    name = name or name_of(file)
    with client_of(url) as client:
        with Uploads(client) as uploads:
            dataset = uploads.file(name, file)
            chosen: Any = {"drop": drop, "categorical": categorical}
            roles = assign_roles(dataset.describe()["columns"], target, task, **chosen)
            net = dataset.network(target, roles.task, hidden=how.hidden, l2=how.l2, **chosen)
            optimizer = {"kind": "adam", "config": {"learning_rate": how.learning_rate}}
            model = client.create_model(net, name=name, optimizer=optimizer, seed=how.seed)
            try:
                run = model.fit(
                    dataset, epochs=how.epochs, batch_size=how.batch_size, seed=how.seed,
                    validation=held_out, wait=False,
                )  # fmt: skip
            except Refused:
                model.delete()
                raise
        description = wait(run, progress=not as_json)
        split = read_split(dataset, roles, description)
        scores = score_model(model, roles, split, how)
        example = example_of(model, split)
    fitted = Fitted(name, run.id, roles, split, scores, *example, url)
    if as_json:
        print_json(fitted.document())
    else:
        fitted.show(console())
