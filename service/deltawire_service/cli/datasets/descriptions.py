"""deltawire datasets list and show: what datasets there are, and one in full."""

from __future__ import annotations

from typing import Any

import click

from deltawire.text import counted, shape_text, size_text
from deltawire_service.cli.options import client_of, json_option, url_option
from deltawire_service.cli.outcome import Command
from deltawire_service.cli.terminal import console, one_line, print_json, table

STATISTICS = ("mean", "std", "min", "max")


@click.command("list", cls=Command)
@url_option
@json_option
def list_datasets(url: str | None, as_json: bool) -> None:
    """List the datasets."""
    with client_of(url) as client:
        datasets = client.datasets()
    if as_json:
        print_json({"datasets": datasets})
        return
    rows = table("dataset", "rows", "size", "dataset_id", right=["rows", "size"], wrap=["dataset_id"])
    for each in datasets:
        identity = one_line(each["dataset_id"])
        rows.add_row(each["name"], f"{each['rows']:,}", size_text(each["bytes"]), identity)
    console().print(rows if datasets else "There is no dataset: deltawire datasets upload makes one.")


@click.command(cls=Command)
@click.argument("name")
@url_option
@json_option
def show(name: str, url: str | None, as_json: bool) -> None:
    """Show a dataset: its columns, with their types and statistics."""
    with client_of(url) as client:
        description = client.dataset(name).describe()
    print_description(description, as_json)


def print_description(description: dict[str, Any], as_json: bool) -> None:
    """Print the description of a dataset, as JSON or for people."""
    if as_json:
        print_json(description)
        return
    screen = console()
    rows, columns = counted(description["rows"], "row"), counted(len(description["columns"]), "column")
    size = size_text(description["bytes"])
    screen.print(f"{description['name']}   {rows}, {columns}, {size}", style="bold")
    screen.print(one_line(f"dataset_id {description['dataset_id']}"))
    screen.print()
    missing = {column["name"]: column["missing"] or column["non_finite"] for column in description["columns"]}
    right = [*STATISTICS, *(["missing"] if any(missing.values()) else [])]
    shown = table("column", "type", *right, right=right, wrap=["column", "type"])
    for column in description["columns"]:
        cells = ["" if "categories" in column else _number(column[name]) for name in STATISTICS]
        if "missing" in right:
            cells.append(f"{missing[column['name']]:,}")
        shown.add_row(one_line(column["name"]), one_line(type_text(column)), *cells)
    screen.print(shown)


def type_text(column: dict[str, Any]) -> str:
    """Return the type of a column in a few words: `float64`, `float32 (28, 28)`, `3 categories: a, b, c`."""
    if "categories" in column:
        texts = column["categories"]
        return f"{len(texts)} categories: {', '.join(texts[:8])}{', …' if len(texts) > 8 else ''}"
    return f"{column['dtype']} {shape_text(column['shape'])}" if column["shape"] else str(column["dtype"])


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.4g}"
