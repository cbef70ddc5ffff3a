"""deltawire models ledger: everything that changed a model, in order."""

from __future__ import annotations

from itertools import islice
from typing import Any

import click

from deltawire_service.cli.models.arguments import name_argument
from deltawire_service.cli.options import client_of, json_option, url_option
from deltawire_service.cli.outcome import Command
from deltawire_service.cli.terminal import console, one_line, print_json, table

COLUMNS = {
    "version": "version", "kind": "kind", "step": "step", "loss": "loss", "gradient_norm": "norm",
    "learning_rate": "rate",
}  # fmt: skip
"""Titles of the fields of an entry that have columns of their own."""


@click.command(cls=Command)
@name_argument
@click.option("--after", type=click.IntRange(-1), default=-1, metavar="N", help="Begin after this version.")
@click.option("--limit", type=click.IntRange(1), metavar="N", help="Show so many entries at most.")
@url_option
@json_option
def ledger(name: str, after: int, limit: int | None, url: str | None, as_json: bool) -> None:
    """Show the ledger of a model: everything that changed it, in order."""
    with client_of(url) as client:
        entries = list(islice(client.model(name).ledger(after), limit))
    if as_json:
        print_json({"entries": entries})
        return
    rows = table(*COLUMNS.values(), "details", right={*COLUMNS.values()} - {"kind"}, wrap=["details"])
    for entry in entries:
        more = ", ".join(f"{field} {value}" for field, value in entry.items() if field not in COLUMNS)
        rows.add_row(*(_cell(entry.get(column)) for column in COLUMNS), one_line(more))
    console().print(rows)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.6g}" if isinstance(value, float) else str(value)
