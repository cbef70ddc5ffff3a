"""deltawire models: the group of its commands."""

from __future__ import annotations

import click

from deltawire_service.cli.models.changes import change, delete, fork, restore
from deltawire_service.cli.models.create import create
from deltawire_service.cli.models.descriptions import list_models, show
from deltawire_service.cli.models.ledger import ledger
from deltawire_service.cli.models.params import params
from deltawire_service.cli.models.steps import step


@click.group()
def models() -> None:
    """Make, train and read models that learn.

    Without --url they are kept in the folder DELTAWIRE_DATA_DIR of this machine.
    """


for command in (change, create, delete, fork, ledger, list_models, params, restore, show, step):
    models.add_command(command)
