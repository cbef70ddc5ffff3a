"""deltawire datasets upload and delete."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from deltawire.datasets.dataset import dataset_path
from deltawire.datasets.sources import MEDIA_TYPES
from deltawire_service.cli.datasets.descriptions import print_description
from deltawire_service.cli.models.arguments import key_option
from deltawire_service.cli.options import client_of, json_option, url_option
from deltawire_service.cli.outcome import Command
from deltawire_service.cli.terminal import print_json


def check_table(context: click.Context, argument: click.Parameter, path: Path) -> Path:
    """Return the path of a table. Raises BadParameter for a file that is none, by the end of its name.

    Args:
        context: Of the command.
        argument: That has the path.
        path: The path.
    """
    if path.suffix.lower() not in MEDIA_TYPES:
        raise click.BadParameter(f"'{path}': expected a file that ends in {', '.join(MEDIA_TYPES)}")
    return path


def table_argument(command: Any) -> Any:
    """Add FILE, the file of a table."""
    kind = click.Path(exists=True, dir_okay=False, path_type=Path)
    return click.argument("file", type=kind, callback=check_table)(command)


@click.command(cls=Command)
@click.argument("name")
@table_argument
@click.option("--texts", multiple=True, metavar="COLUMN", help="A column of a CSV whose cells are texts.")
@key_option
@url_option
@json_option
def upload(
    name: str, file: Path, texts: tuple[str, ...], key: str | None, url: str | None, as_json: bool
) -> None:
    """Keep the table in FILE as the dataset NAME: a CSV with a header, NPY, safetensors or Parquet."""
    with client_of(url) as client:
        description = client.upload_dataset(name, file, texts=texts, key=key).describe()
    print_description(description, as_json)


@click.command(cls=Command)
@click.argument("name")
@click.confirmation_option(prompt="Delete the dataset?", help="Do not ask.")
@key_option
@url_option
@json_option
def delete(name: str, key: str | None, url: str | None, as_json: bool) -> None:
    """Delete a dataset that no ledger needs."""
    with client_of(url) as client:  # by its path: with a key, the dataset may be gone already
        answer = client.connection.change("DELETE", dataset_path(name), None, dict, key=key)
    if as_json:
        print_json(answer)
    else:
        click.echo(f"deleted {name}")
