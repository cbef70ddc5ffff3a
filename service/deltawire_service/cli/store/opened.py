"""The store that a command works on, and the errors that it may end with."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import click

from deltawire_layers import load_layers
from deltawire_optimizers import load_optimizers
from deltawire_service.cli.outcome import Command, Exit
from deltawire_service.faults import ServiceError
from deltawire_service.models.maintenance.export import ExportDamaged, FolderTaken
from deltawire_service.models.model_store import ModelStore
from deltawire_service.networks.cache import NetworkCache
from deltawire_service.settings import Settings
from deltawire_service.store.folders import StoreFolder
from deltawire_service.store.tables.schema import SchemaUnknown

data_dir_option = click.option(
    "--data-dir",
    type=click.Path(file_okay=False, path_type=Path),
    envvar="DELTAWIRE_DATA_DIR",
    required=True,
    metavar="DIR",
    help="The folder of the models.  [default: DELTAWIRE_DATA_DIR]",
)


class StoreCommand(Command):
    """A command that shows the errors of stores too, and exits with their codes."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; never raises an error of a store."""
        try:
            return super().invoke(ctx)
        except FolderTaken as error:
            raise click.UsageError(str(error), ctx) from error
        except (ExportDamaged, SchemaUnknown) as error:
            click.echo(f"failed: {error}", err=True)
        except ServiceError as error:
            reason = f" ({error.__cause__})" if error.__cause__ else ""
            click.echo(f"failed: {error.faults[0].detail}{reason}", err=True)
        ctx.exit(Exit.FAILED)


@contextmanager
def opened_store(data_dir: Path) -> Iterator[ModelStore]:
    """Open the store in a folder; a service may use it at the same time.

    Raises:
        click.UsageError: there is none.
        SchemaUnknown, StoreFull, StoreUnavailable: it cannot be used.
    """
    folder = StoreFolder(data_dir)
    if not folder.database.is_file():
        raise click.UsageError(f"there are no models in {data_dir}")
    settings = Settings.from_environment()
    networks = NetworkCache(load_layers(), settings.engine_limits)
    store = ModelStore(
        *(folder, networks.compiled, load_optimizers(), networks.fingerprint, settings.store_limits)
    )
    with closing(store):
        store.prepare()
        yield store
