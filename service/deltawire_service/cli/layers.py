"""deltawire layers: show the installed kinds, or one of them in full."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from deltawire.errors import Fault, Refused
from deltawire.text import counted
from deltawire_layers import load_layers
from deltawire_service.cli.formula import readable
from deltawire_service.cli.options import client_of, json_option, url_option
from deltawire_service.cli.outcome import Command
from deltawire_service.cli.terminal import console, one_line, print_json, table
from deltawire_service.faults import unknown_kind

Described = Mapping[str, Any]
FROM = itemgetter("distribution")
BOUNDS = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}


@click.command(cls=Command)
@click.argument("kind", required=False)
@url_option
@json_option
def layers(kind: str | None, url: str | None, as_json: bool) -> None:
    """Show the installed layers, or KIND in full."""
    with client_of(url) as client:
        answer = client.connection.get("/v1/layers", dict)
    listed = answer["layers"]
    if kind is None:
        if as_json:
            print_json(answer)
        else:
            show_layers(console(), listed)
        return
    described = {layer["kind"]: layer for layer in listed}
    if kind not in described:
        raise Refused([Fault("", "layer_not_found", unknown_kind(kind, described))])
    if as_json:
        print_json(described[kind])
    else:
        # A service sends the first line of a docstring; this process has all of it for its own layers.
        docstring = None if url else inspect.getdoc(load_layers()[kind])
        show_layer(console(), described[kind], docstring or described[kind]["summary"])


def show_layers(screen: Console, listed: Sequence[Described]) -> None:
    """Print a table for each distribution."""
    for distribution, group in groupby(sorted(listed, key=FROM), FROM):
        rows = table("kind", "inputs", "what it computes", wrap=["what it computes"])
        rows.columns[1].max_width = 17
        for layer in group:
            rows.add_row(layer["kind"], _inputs(layer), one_line(layer["summary"]))
        screen.print(f"{distribution}: {counted(rows.row_count, 'layer')}\n", style="bold")
        screen.print(rows, "")
    screen.print("deltawire layers KIND shows one in full, with config and equations", style="dim")


def show_layer(screen: Console, layer: Described, docstring: str) -> None:
    """Print a layer in full: its docstring, config and equations.

    Args:
        screen: the terminal.
        layer: its description, as in the catalogue.
        docstring: the docstring of its class.
    """
    screen.print(f"{layer['kind']}({_inputs(layer)})", style="bold", end="")
    screen.print(f"   from {layer['distribution']}\n", style="dim")
    screen.print(re.sub(r"(?<!\n)\n(?=[^\s*-])", " ", docstring))  # paragraphs as wide as the terminal
    screen.print()
    if layer["orders"] == 1:
        screen.print("It has first derivatives only: no complex step goes through it.\n")
    config = table("config", "takes", "default", "what it is", wrap=["takes", "what it is"])
    for key, schema in layer["config"]["properties"].items():
        default = json.dumps(schema["default"]) if "default" in schema else "required"
        config.add_row(key, takes(schema), default, schema.get("description", ""))
    screen.print(config if config.row_count else "It takes no config.")
    screen.print()
    if "formula" in layer:
        screen.print(equations(layer))


def equations(layer: Described) -> Table:
    """Return the equations: of the value, of each δ, and of each parameter's gradient and first numbers."""
    inputs = [*layer["inputs"]["names"], *layer["inputs"]["optional"]]
    formula = layer["formula"]
    names = {f"x{place}": f"x{place}" for place in range(len(formula["deltas"]) + 8)}
    names |= {f"x{place}": name for place, name in enumerate(inputs)}
    names |= {name: name for name in formula["grads"]} | {"value": "y", "delta": "δ"}
    rows = table("", "equation", wrap=["equation"])
    rows.add_row("y", readable(formula["value"], names))
    for name, delta in zip(inputs, formula["deltas"], strict=False):  # a variadic layer may have more deltas
        rows.add_row(f"δ of {name}", readable(delta, names) if delta else "none: it takes integers")
    for name, gradient in formula["grads"].items():
        rows.add_row(f"gradient of {name}", readable(gradient, names))
    for name, first in formula["init"].items():
        rows.add_row(f"{name} at first", first)
    return rows


def _inputs(layer: Described) -> str:
    names = [*layer["inputs"]["names"], *(f"[{name}]" for name in layer["inputs"]["optional"])]
    return ", ".join([*names, "…"] if layer["inputs"]["variadic"] else names)


def takes(schema: Mapping[str, Any]) -> str:
    """Return a JSON Schema in a few words: `integer ≥ 1 or null`."""
    if "anyOf" in schema or "enum" in schema:
        return " or ".join([*map(takes, schema.get("anyOf", ())), *map(json.dumps, schema.get("enum", ()))])
    types = schema.get("type", "any value")
    words = " or ".join([types] if isinstance(types, str) else types)
    if "items" in schema:
        words = words.replace("array", f"list of {takes(schema['items'])}")
    bounds = ", ".join(f"{sign} {schema[key]:g}" for key, sign in BOUNDS.items() if key in schema)
    return f"{words} {bounds}".rstrip()
