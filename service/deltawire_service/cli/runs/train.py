"""deltawire train: have a model learn from a dataset, in the background."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import click

from deltawire.datasets.catalogue import Uploads
from deltawire.datasets.sources import MEDIA_TYPES
from deltawire_service.cli.models.arguments import json_object, key_option
from deltawire_service.cli.options import client_of, json_option, url_option
from deltawire_service.cli.outcome import Command
from deltawire_service.cli.runs.follow import detach_option, follow


@click.command(cls=Command)
@click.argument("model")
@click.option(
    "--data", required=True, metavar="DATASET", help="A dataset, or a file of one that is uploaded."
)
@click.option("--column", "columns", multiple=True, metavar="INPUT=COLUMN,…",
              help="The columns of an input; repeatable.  [default: the column of its name]")  # fmt: skip
@click.option(
    "--epochs", type=click.IntRange(1), metavar="N", help="How often all rows are taken.  [default: 1]"
)
@click.option("--steps", type=click.IntRange(1), metavar="N", help="In place of epochs: how many steps.")
@click.option("--batch-size", type=click.IntRange(1), default=32, show_default=True, metavar="N",
              help="Rows of a step.")  # fmt: skip
@click.option("--in-order", is_flag=True, help="Take the rows in their order, in every epoch.")
@click.option("--seed", type=int, default=0, show_default=True, metavar="N", help="Of the order of the rows.")
@click.option("--validation", metavar="ROWS", help="A fraction of the rows, as 0.1, or another dataset.")
@click.option("--validate-every", type=click.IntRange(1), metavar="N",
              help="Steps between validations.  [default: those of an epoch]")  # fmt: skip
@click.option("--early-stopping", type=click.IntRange(1), metavar="N",
              help="End after so many validations in a row that are not better.")  # fmt: skip
@click.option("--schedule", type=json_object, metavar="JSON", help="Schedule of the learning rate.")
@click.option("--clip-norm", type=float, metavar="X", help="Largest norm of all gradients together.")
@click.option("--clip-value", type=float, metavar="X", help="Largest size of a gradient's numbers.")
@detach_option
@key_option
@url_option
@json_option
def train(
    model: str,
    data: str,
    columns: tuple[str, ...],
    in_order: bool,
    validation: str | None,
    detach: bool,
    url: str | None,
    as_json: bool,
    **recipe: Any,
) -> None:
    """Train MODEL on a dataset in the background, and follow the run; Ctrl-C pauses it."""
    with client_of(url) as client:
        with Uploads(client) as uploads:
            run = client.model(model).fit(
                dataset_of(uploads, data),
                columns=dict(map(column_of, columns)) or None,
                shuffle=not in_order,
                validation=None if validation is None else validation_of(uploads, validation),
                wait=False,
                **recipe,
            )
        follow(run, detach=detach, as_json=as_json)


def dataset_of(uploads: Uploads, data: str) -> str:
    """Return the name of a dataset; a file of one is uploaded under its own name."""
    path = Path(data)
    if path.suffix.lower() not in MEDIA_TYPES:
        return data
    if not path.is_file():
        raise click.BadParameter(f"there is no file '{data}'", param_hint="--data")
    return uploads.file(name_of(path), path).name


def name_of(path: Path) -> str:
    """Return the name of a dataset or a model that is made of a file: `red wine.csv` becomes `red-wine`."""
    return re.sub(r"[^A-Za-z0-9_-]+", "-", path.stem).strip("-")[:64] or "table"


def validation_of(uploads: Uploads, rows: str) -> float | str:
    """Return a fraction as a number, and anything else as the name of a dataset."""
    try:
        return float(rows)
    except ValueError:
        return dataset_of(uploads, rows)


def column_of(text: str) -> tuple[str, str | list[str]]:
    """Return an input and its column, or its columns: `x=age,bmi`."""
    name, sign, columns = text.partition("=")
    if not (name and sign and columns):
        raise click.BadParameter(f"'{text}': expected INPUT=COLUMN, as x=age,bmi", param_hint="--column")
    return name, columns.split(",") if "," in columns else columns
