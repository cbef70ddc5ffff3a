"""deltawire runs: the group of its commands."""

from __future__ import annotations

import click

from deltawire_service.cli.runs.changes import cancel, pause, resume
from deltawire_service.cli.runs.descriptions import list_runs, show


@click.group()
def runs() -> None:
    """List, show, pause, resume and cancel trainings in the background.

    `deltawire train` starts one.
    """


for command in (cancel, list_runs, pause, resume, show):
    runs.add_command(command)
