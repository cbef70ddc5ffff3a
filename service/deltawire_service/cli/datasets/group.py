"""deltawire datasets: the group of its commands."""

from __future__ import annotations

import click

from deltawire_service.cli.datasets.changes import delete, upload
from deltawire_service.cli.datasets.descriptions import list_datasets, show


@click.group()
def datasets() -> None:
    """Upload, list and show tables to learn from.

    Without --url they are kept in the folder DELTAWIRE_DATA_DIR of this machine.
    """


for command in (delete, list_datasets, show, upload):
    datasets.add_command(command)
