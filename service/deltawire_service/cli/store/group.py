"""deltawire store: check, export and import the folder that models are kept in."""

from __future__ import annotations

from pathlib import Path

import click

from deltawire_service.cli.options import json_option
from deltawire_service.cli.outcome import Exit
from deltawire_service.cli.store.opened import StoreCommand, data_dir_option, opened_store
from deltawire_service.cli.terminal import print_json
from deltawire_service.models.maintenance.export import export_store, import_store
from deltawire_service.models.maintenance.store_check import check_store
from deltawire_service.store.folders import StoreFolder


@click.group()
def store() -> None:
    """Check, export and import the folder that models are kept in."""


@store.command(cls=StoreCommand)
@data_dir_option
@click.option("--replay", is_flag=True, help="Compute the newest version of each model again too.")
@json_option
@click.pass_context
def check(ctx: click.Context, data_dir: Path, replay: bool, as_json: bool) -> None:
    """Read every row, snapshot and ledger, and show what is gone or damaged.

    Stop the service first: what it removes meanwhile would be missed. The exit code is 1 where anything is
    wrong.
    """
    with opened_store(data_dir) as opened:
        problems = check_store(opened, replay)
    if as_json:
        print_json({"problems": problems})
    else:
        click.echo("\n".join(problems) or "nothing is wrong")
    ctx.exit(Exit.NO if problems else Exit.DONE)


@store.command("export", cls=StoreCommand)
@click.argument("folder", type=click.Path(path_type=Path))
@data_dir_option
@click.pass_context
def export_models(ctx: click.Context, folder: Path, data_dir: Path) -> None:
    """Copy all models into the new folder FOLDER, while a service goes on stepping them.

    A model that cannot be computed here, because a layer is not installed, is copied with all of its steps.
    One whose files are gone is left out, and so is such a dataset: the exit code is 1.
    """
    with opened_store(data_dir) as opened:
        exported = export_store(opened, folder)
    click.echo(f"{_models(exported.count)} exported to {folder}")
    for problem in exported.unfinished:
        click.echo(f"its last steps are computed again where it is imported: {problem}", err=True)
    for problem in exported.left_out:
        click.echo(f"not exported: {problem}", err=True)
    ctx.exit(Exit.NO if exported.left_out else Exit.DONE)


@store.command("import", cls=StoreCommand)
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@data_dir_option
def import_models(folder: Path, data_dir: Path) -> None:
    """Make a new folder of models from the export FOLDER."""
    count = import_store(folder, StoreFolder(data_dir))
    click.echo(f"{_models(count)} imported into {data_dir}")


def _models(count: int) -> str:
    return "1 model" if count == 1 else f"{count} models"
