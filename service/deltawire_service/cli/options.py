"""Arguments and options that several commands share."""

from __future__ import annotations

import os
from typing import Any

import click

from deltawire import Client
from deltawire_service.cli.request_file import read_arrays


def client_of(url: str | None) -> Client:
    """Return the client for a `--url`. Its key is in DELTAWIRE_API_KEY: others can read a command line."""
    try:
        return Client(url, api_key=(os.environ.get("DELTAWIRE_API_KEY") or None) if url else None)
    except ValueError as error:  # of the URL, or of the key
        raise click.UsageError(str(error)) from None


def url_option(command: Any) -> Any:
    """Add `--url`, for commands that need a service."""
    text = "Address of a service (or DELTAWIRE_URL); by default it runs in this process."
    return click.option("--url", envvar="DELTAWIRE_URL", metavar="URL", help=text)(command)


def json_option(command: Any) -> Any:
    """Add `--json`, for commands that print an answer."""
    text = "Print one JSON document: the answer, or what is wrong."
    return click.option("--json", "as_json", is_flag=True, help=text)(command)


def request_argument(command: Any) -> Any:
    """Add FILE, and the dtype to use instead of FILE's."""
    text = "Dtype to compute with.  [default: that of FILE]"
    command = click.option("--dtype", type=click.Choice(["float64", "float32"]), help=text)(command)
    return click.argument("file", type=click.File("rb"))(command)


def array_options(command: Any) -> Any:
    """Add options for parameters and data that are not in FILE."""
    seed = "Draw the parameters from this seed.  [default: 0 where none are given]"
    for option in (
        click.option("--seed", type=int, metavar="N", help=seed),
        click.option("--params", type=read_arrays, metavar="FILE", help="Parameters, by name."),
        click.option("--data", type=read_arrays, metavar="FILE", help="A batch, by the names of inputs."),
    ):
        command = option(command)
    return command
