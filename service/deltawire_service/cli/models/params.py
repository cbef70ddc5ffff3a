"""deltawire models params: the parameters of a version, shown or written to a file."""

from __future__ import annotations

from pathlib import Path

import click
import numpy as np

from deltawire import Checkpoint
from deltawire.network.files import write
from deltawire.text import shape_text
from deltawire_service.cli.models.arguments import name_argument, version_option
from deltawire_service.cli.options import client_of, json_option, url_option
from deltawire_service.cli.outcome import Command
from deltawire_service.cli.terminal import console, one_line, print_json, table

SHOWN = 3
"""Numbers shown of every array, the first ones."""

ORIGIN = ("model", "version", "step", "params_id", "lineage")


@click.command(cls=Command)
@name_argument
@version_option
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE.safetensors",
              help="Write network and parameters here, as deltawire publish reads them.")  # fmt: skip
@url_option
@json_option
def params(name: str, version: int | None, out: Path | None, url: str | None, as_json: bool) -> None:
    """Show the parameters of a model, or write them to a file."""
    with client_of(url) as client:
        checkpoint = client.model(name).checkpoint(version)
    if out:
        write(out, checkpoint.network, checkpoint.params, checkpoint.constants)
    if as_json:
        origin = {field: getattr(checkpoint, field) for field in ORIGIN}
        constants = {"data": checkpoint.constants} if checkpoint.constants else {}
        print_json({"network": checkpoint.network, "params": checkpoint.params, "origin": origin} | constants)
        return
    _show(checkpoint)
    if out:
        click.echo(f"\nwritten to {out}")


def _show(checkpoint: Checkpoint) -> None:
    screen = console()
    screen.print(
        f"{checkpoint.model}   version {checkpoint.version:,}, step {checkpoint.step:,}", style="bold"
    )
    screen.print(f"params_id {checkpoint.params_id}\n")
    rows = table("parameter", "shape", "largest", "numbers", right=["largest"], wrap=["numbers"])
    for name, array in checkpoint.params.items():
        first = "  ".join(f"{number:10.4g}" for number in array.ravel()[:SHOWN])
        numbers = one_line(f"{first}  …" if array.size > SHOWN else first)
        rows.add_row(name, shape_text(array.shape), f"{np.abs(array).max():.4g}", numbers)
    screen.print(rows)
