"""deltawire trainer: take the runs of a service whose own process does not."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from deltawire_plugins.blas import ONE_THREAD
from deltawire_service.cli.outcome import Command
from deltawire_service.models.maintenance.starting import StoreUnusable, prepare_folder
from deltawire_service.settings import Settings
from deltawire_service.store.folders import StoreFolder


@click.command(cls=Command)
def trainer() -> None:
    """Take runs, one after the other, until SIGTERM.

    A service does this in a process of its own. Start this command where it shall run elsewhere: on the
    same machine, with the same DELTAWIRE_DATA_DIR, beside a service with DELTAWIRE_TRAINER=false. Of several
    trainers on one folder, one works and the others wait. Settings come from the environment
    (docs/settings.md).
    """
    settings = Settings.from_environment()
    if not settings.data_dir:
        raise click.UsageError("there are no runs without DELTAWIRE_DATA_DIR, the folder that models are in")
    try:
        prepare_folder(StoreFolder(Path(settings.data_dir)))
    except StoreUnusable as error:
        raise click.UsageError(str(error)) from None
    os.environ |= ONE_THREAD | os.environ  # as for the workers
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, "-m", "deltawire_service.training"])
