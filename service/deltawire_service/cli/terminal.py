"""Output of commands: tables for people, JSON for programs."""

from __future__ import annotations

from collections.abc import Collection, Sequence
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


def shape_text(shape: Sequence[int | str]) -> str:
    """Return a shape as Python writes a tuple."""
    return f"({', '.join(map(str, shape))}{',' if len(shape) == 1 else ''})"


def size_text(count: float) -> str:
    """Return a number of bytes, in a unit that keeps it small."""
    for unit in ("B", "KiB", "MiB", "GiB", "TiB"):
        if count < 1024 or unit == "TiB":
            break
        count /= 1024
    return f"{count:.3g} {unit}" if count < 100 else f"{count:,.0f} {unit}"


def counted(count: int, name: str, plural: str | None = None) -> str:
    """Return a count with its noun, such as `3 layers`.

    Args:
        count: How many.
        name: The noun in the singular.
        plural: The noun in the plural; by default the singular with an s.
    """
    return f"{count:,} {name if count == 1 else plural or f'{name}s'}"
