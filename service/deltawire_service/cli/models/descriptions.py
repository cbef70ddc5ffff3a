"""deltawire models list and show: what models there are, and one in full."""

from __future__ import annotations

from typing import Any

import click
from rich.console import Console

from deltawire.text import counted, shape_text, size_text
from deltawire_service.cli.models.arguments import name_argument, optimizer_text
from deltawire_service.cli.options import client_of, json_option, url_option
from deltawire_service.cli.outcome import Command
from deltawire_service.cli.terminal import console, one_line, print_json, table


@click.command("list", cls=Command)
@url_option
@json_option
def list_models(url: str | None, as_json: bool) -> None:
    """List the models."""
    with client_of(url) as client:
        models = client.models()
    if as_json:
        print_json({"models": models})
        return
    rows = table("model", "version", "step", "optimizer", "size", right=["version", "step", "size"],
                 wrap=["optimizer"])  # fmt: skip
    for model in models:
        optimizer = one_line(optimizer_text(model["optimizer"]))
        size = _size(model)
        rows.add_row(model["name"], f"{model['version']:,}", f"{model['step']:,}", optimizer, size)
    screen = console()
    screen.print(rows if models else "There is no model: deltawire models create makes one.")


@click.command(cls=Command)
@name_argument
@url_option
@json_option
def show(name: str, url: str | None, as_json: bool) -> None:
    """Show a model: its optimizer, network and parameters."""
    with client_of(url) as client:
        description = client.model(name).describe()
    print_description(description, as_json)


def print_description(description: dict[str, Any], as_json: bool) -> None:
    """Print the description of a model, as JSON or for people."""
    if as_json:
        print_json(description)
    else:
        _show(console(), description)


def _size(model: dict[str, Any]) -> str:
    """Return the size of a model; a dash while a plugin that it takes is not installed."""
    return "–" if model["bytes"] is None else size_text(model["bytes"])


def _show(screen: Console, model: dict[str, Any]) -> None:
    screen.print(f"{model['name']}   version {model['version']:,}, step {model['step']:,}", style="bold")
    screen.print(optimizer_text(model["optimizer"]))
    nodes = counted(len(model["network"]["nodes"]), "node")
    screen.print(f"{nodes}, {model['dtype']}, {_size(model)} with the optimizer's state")
    if model["unusable"]:
        screen.print(f"It cannot be used now: {model['unusable']}", style="red")
    screen.print()
    rows = table("parameter", "shape", "numbers", right=["numbers"])
    for parameter in model["parameters"]:
        rows.add_row(parameter["name"], shape_text(parameter["shape"]), f"{parameter['numbers']:,}")
    rows.add_section()
    rows.add_row("all", "", f"{sum(each['numbers'] for each in model['parameters']):,}")
    screen.print(rows)
