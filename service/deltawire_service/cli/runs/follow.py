"""Follow a run in the terminal until it ends; Ctrl-C pauses it."""

from __future__ import annotations

from shlex import quote
from typing import Any

import click

from deltawire.runs.fit import wait_or_pause
from deltawire.runs.run import Run
from deltawire_service.cli.runs.descriptions import print_run


def detach_option(command: Any) -> Any:
    """Add `--detach`, for commands that let a run go on."""
    text = "Do not wait for the end. Without --url, a trainer must be at work on the folder."
    return click.option("--detach", is_flag=True, help=text)(command)


def follow(run: Run, *, detach: bool, as_json: bool) -> None:
    """Wait for the end of a run, and print how it ended.

    Args:
        run: The run.
        detach: Do not wait.
        as_json: Show no bar, and print the description as JSON.

    Raises:
        KeyboardInterrupt: The run is paused, and it is said how it goes on.
        ServiceFailed: The run has failed.
    """
    description = run.describe() if detach else wait(run, progress=not as_json)
    print_run(description, as_json)


def wait(run: Run, *, progress: bool) -> dict[str, Any]:
    """Wait for the end of a run, and return its description.

    Args:
        run: The run.
        progress: Show a bar.

    Raises:
        KeyboardInterrupt: The run is paused, and it is said how it goes on.
        ServiceFailed: The run has failed.
    """
    try:
        return wait_or_pause(run, progress=progress)
    except KeyboardInterrupt:
        click.echo(f"paused: deltawire runs resume {quote(run.id)} lets it go on", err=True)
        raise
