"""deltawire runs pause, resume and cancel."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from deltawire.runs.run import Run
from deltawire_service.cli.models.arguments import key_option
from deltawire_service.cli.options import client_of, json_option, url_option
from deltawire_service.cli.outcome import Command
from deltawire_service.cli.runs.chosen import chosen_run
from deltawire_service.cli.runs.descriptions import print_run
from deltawire_service.cli.runs.follow import detach_option, follow


@click.command(cls=Command)
@click.argument("id")
@key_option
@url_option
@json_option
def pause(id: str, key: str | None, url: str | None, as_json: bool) -> None:
    """Let a run stand still until it is resumed."""
    _change(Run.pause, id, key, url, as_json)


@click.command(cls=Command)
@click.argument("id")
@detach_option
@key_option
@url_option
@json_option
def resume(id: str, detach: bool, key: str | None, url: str | None, as_json: bool) -> None:
    """Let a paused run go on, and follow it; Ctrl-C pauses it again."""
    with client_of(url) as client:
        run = chosen_run(client, id)
        run.resume(key=key)
        follow(run, detach=detach, as_json=as_json)


@click.command(cls=Command)
@click.argument("id")
@click.confirmation_option(prompt="Cancel the run for good?", help="Do not ask.")
@key_option
@url_option
@json_option
def cancel(id: str, key: str | None, url: str | None, as_json: bool) -> None:
    """End a run for good: its model stays as it is."""
    _change(Run.cancel, id, key, url, as_json)


def _change(
    change: Callable[..., dict[str, Any]], id: str, key: str | None, url: str | None, as_json: bool
) -> None:
    with client_of(url) as client:
        description = change(chosen_run(client, id), key=key)
    print_run(description, as_json)
