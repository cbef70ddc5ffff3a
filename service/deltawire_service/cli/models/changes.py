"""deltawire models change, restore, fork and delete: changes of a model other than steps."""

from __future__ import annotations

from typing import Any

import click

from deltawire.connection import chosen_key
from deltawire.models.catalogue import after_making
from deltawire.models.network import model_path
from deltawire_service.cli.models.arguments import (
    if_version_option,
    key_option,
    name_argument,
    optimizer_document,
    optimizer_options,
    print_change,
    version_option,
)
from deltawire_service.cli.models.descriptions import print_description
from deltawire_service.cli.options import client_of, json_option, url_option
from deltawire_service.cli.outcome import Command
from deltawire_service.cli.terminal import print_json


@click.command(cls=Command)
@name_argument
@optimizer_options
@if_version_option
@key_option
@url_option
@json_option
def change(
    name: str, if_version: int | None, key: str | None, url: str | None, as_json: bool, **rule: Any
) -> None:
    """Change hyperparameters from the next step on; the optimizer keeps its state."""
    changes = optimizer_document(**rule)
    if not changes:
        raise click.UsageError("pass what changes, as in --learning-rate 1e-4")
    with client_of(url) as client:
        result = client.model(name).change_optimizer(changes, if_version=if_version, key=key)
    print_change(result, "changed", as_json)


@click.command(cls=Command)
@name_argument
@click.argument("version", type=click.IntRange(0))
@if_version_option
@key_option
@url_option
@json_option
def restore(
    name: str, version: int, if_version: int | None, key: str | None, url: str | None, as_json: bool
) -> None:
    """Bring back VERSION of a model, its optimizer too, as a new version."""
    with client_of(url) as client:
        result = client.model(name).restore(version, if_version=if_version, key=key)
    print_change(result, f"restored version {version}", as_json)


@click.command(cls=Command)
@name_argument
@click.argument("new")
@version_option
@key_option
@url_option
@json_option
def fork(name: str, new: str, version: int | None, key: str | None, url: str | None, as_json: bool) -> None:
    """Make a model NEW of a version of another one: its parameters, its optimizer and its state."""
    key = chosen_key(key)
    with client_of(url) as client:
        made = client.model(name).fork(new, version=version, key=key)
        with after_making(new, key):
            description = made.describe()
    print_description(description, as_json)


@click.command(cls=Command)
@name_argument
@click.confirmation_option(prompt="Delete the model with its ledger?", help="Do not ask.")
@key_option
@url_option
@json_option
def delete(name: str, key: str | None, url: str | None, as_json: bool) -> None:
    """Delete a model with its ledger."""
    with client_of(url) as client:  # not by way of `client.model`: with a key, the model may be gone already
        answer = client.connection.change("DELETE", model_path(name), None, dict, key=key)
    if as_json:
        print_json(answer)
    else:
        click.echo(f"deleted {name}")
