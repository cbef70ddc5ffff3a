"""deltawire demo: watch a network learn by a run on a service."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from deltawire_service.cli.demos.digits import Digits
from deltawire_service.cli.demos.interrupts import ended_by_signals
from deltawire_service.cli.demos.next_steps import show_next_steps
from deltawire_service.cli.demos.service import running_service
from deltawire_service.cli.demos.text import Text
from deltawire_service.cli.demos.training import Demo, train
from deltawire_service.cli.options import client_of
from deltawire_service.cli.outcome import Command, Exit
from deltawire_service.cli.terminal import console

DEMOS: dict[str, type[Demo]] = {demo.name: demo for demo in (Digits, Text)}


@click.command(cls=Command)
@click.argument("name", type=click.Choice([*DEMOS]), default=Digits.name, metavar="[digits|text]")
@click.option("--url", envvar="DELTAWIRE_URL", metavar="URL",
              help="Address of a service (or DELTAWIRE_URL); by default a new one, which is stopped at the "
              "end.")  # fmt: skip
@click.option("--data-dir", type=click.Path(file_okay=False, path_type=Path), metavar="FOLDER",
              help="Keep the model here.  [default: a temporary folder, removed at the end]")  # fmt: skip
@click.option("--epochs", type=click.IntRange(1), metavar="N",
              help="How often all rows are taken.  [default: 30 for digits, 5 for text]")  # fmt: skip
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), default=0, show_default=True, metavar="N",
              help="Of the first parameters and the order of the rows.")  # fmt: skip
@click.pass_context
def demo(
    ctx: click.Context, name: str, url: str | None, data_dir: Path | None, epochs: int | None, seed: int
) -> None:
    """Watch a network learn by a run on a service.

    "digits" reads handwritten digits, "text" writes like the reference of the Python language. Exit code 1
    when fewer than 96 % of the digits to test are read right. Ctrl-C cancels the run.
    """
    if url and data_dir:
        raise click.UsageError("--data-dir is for the demo's own service, and --url names another one")
    chosen, screen = DEMOS[name](), console()
    with ended_by_signals(), _service(url, data_dir) as address, client_of(address) as client:
        trained = train(chosen, client, screen, address, epochs=epochs or chosen.epochs, seed=seed)
        good = chosen.show_after(trained.model, screen)
    show_next_steps(screen, name, trained, url, data_dir)
    ctx.exit(Exit.DONE if good else Exit.NO)


@contextmanager
def _service(url: str | None, data_dir: Path | None) -> Iterator[str]:
    """Return the address of the service that is named, or of one that runs until the block ends."""
    if url:
        yield url
    else:
        with running_service(data_dir) as address:
            yield address
