"""Output of commands: tables for people, JSON for programs."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import click
from rich.box import SIMPLE_HEAD
from rich.console import Console, JustifyMethod
from rich.table import Table
from rich.text import Text

from deltawire import wire


def console(stderr: bool = False) -> Console:
    """Return standard output, as wide as the terminal; text is shown as it is, brackets too."""
    return Console(stderr=stderr, markup=False, emoji=False, highlight=False)


def print_json(document: Any) -> None:
    """Print one JSON document on standard output; tensors as nested lists."""
    click.echo(wire.encode(document, wire.JSON).decode())


def table(*columns: str, right: Collection[str] = (), wrap: Collection[str] = ()) -> Table:
    """Return an empty table.

    Args:
        columns: Their titles.
        right: Columns of numbers.
        wrap: Columns that give way to the others where there is no room.
    """
    made = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, header_style="dim")
    for column in columns:
        justify: JustifyMethod = "right" if column in right else "left"
        made.add_column(column, justify=justify, no_wrap=column not in wrap)
    return made


def one_line(text: str) -> Text:
    """Return a text that is cut, not wrapped, in a column of `wrap`."""
    return Text(text, no_wrap=True, overflow="ellipsis")


def print_verdict(screen: Console, good: bool, text: str) -> None:
    """Print the verdict of a command.

    Args:
        screen: the terminal.
        good: whether the verdict is good; it sets the mark and the color.
        text: the verdict.
    """
    screen.print(f"{'✓' if good else '✗'} {text}", style="bold green" if good else "bold red")
