"""deltawire cluster: look at the workers of a scheduler."""

from __future__ import annotations

import click

from deltawire_service.cli.cluster.status import status


@click.group()
def cluster() -> None:
    """Look at the workers that compute for a service."""


cluster.add_command(status)
