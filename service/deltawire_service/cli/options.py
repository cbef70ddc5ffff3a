"""Arguments and options that several commands share."""

from __future__ import annotations

import os
from typing import Any

import click

from deltawire import Client
from deltawire_service.cli.reading import npz


def asked(url: str | None) -> Client:
    """The client for a `--url`, with the key in DELTAWIRE_API_KEY: others can read a command line."""
    try:
        return Client(url, api_key=(os.environ.get("DELTAWIRE_API_KEY") or None) if url else None)
    except ValueError as error:  # of the URL, or of the key
        raise click.UsageError(str(error)) from None


def url_option(command: Any) -> Any:
    """`--url`, for commands that ask a service."""
    told = "The service to ask (or DELTAWIRE_URL); without one it runs embedded, in this process."
    return click.option("--url", envvar="DELTAWIRE_URL", metavar="URL", help=told)(command)


def json_option(command: Any) -> Any:
    """`--json`, for commands that print an answer."""
    told = "Print one JSON document: the answer, or what was wrong."
    return click.option("--json", "as_json", is_flag=True, help=told)(command)


def request_argument(command: Any) -> Any:
    """FILE, and the dtype that may be asked for beside it."""
    dtypes, told = click.Choice(["float64", "float32"]), "Numbers to compute with.  [default: as FILE says]"
    command = click.option("--dtype", type=dtypes, help=told)(command)
    return click.argument("file", type=click.File("rb"))(command)


def array_options(command: Any) -> Any:
    """Where parameters and data come from, when not from FILE."""
    seed = "Draw the parameters from this seed.  [default: 0 where none are given]"
    for option in (
        click.option("--seed", type=int, metavar="N", help=seed),
        click.option("--params", type=npz, metavar="FILE.npz", help="Parameters, by name."),
        click.option("--data", type=npz, metavar="FILE.npz", help="A batch, by the names of inputs."),
    ):
        command = option(command)
    return command
