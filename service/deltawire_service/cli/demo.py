"""deltawire demo: learn handwritten digits through a service."""

from __future__ import annotations

import click

from deltawire.errors import missing_extra
from deltawire_service.cli.outcome import Command


@click.command(cls=Command)
@click.pass_context
def demo(ctx: click.Context) -> None:
    """Learn handwritten digits through a service.

    Starts the service, and stops it at the end. Exit code 1 when fewer than 96 % of the held-out digits are
    read right.
    """
    try:
        import sklearn  # noqa: F401
    except ModuleNotFoundError as error:
        raise missing_extra("demo", error) from error
    from deltawire import demo as digits

    ctx.exit(digits.main())
