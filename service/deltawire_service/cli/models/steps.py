"""deltawire models step: take one optimizer step on a batch."""

from __future__ import annotations

import click

from deltawire_service.cli.models.arguments import if_version_option, key_option, name_argument, print_change
from deltawire_service.cli.options import client_of, json_option, url_option
from deltawire_service.cli.outcome import Command
from deltawire_service.cli.request_file import Leaves, Request, batch_arrays, read_arrays


@click.command(cls=Command)
@name_argument
@click.argument("data", type=read_arrays)
@click.option("--reduction", type=click.Choice(["mean", "sum"]), default="mean", show_default=True,
              help="Of the loss over the examples.")  # fmt: skip
@click.option("--learning-rate", type=float, metavar="X", help="Learning rate of this step alone.")
@click.option("--not-durable", is_flag=True, help="Answer before the step outlives a crash of the machine.")
@if_version_option
@key_option
@url_option
@json_option
def step(
    name: str,
    data: Leaves,
    reduction: str,
    learning_rate: float | None,
    not_durable: bool,
    if_version: int | None,
    key: str | None,
    url: str | None,
    as_json: bool,
) -> None:
    """Take one step on the batch in DATA: arrays by input, in an .npz, safetensors or JSON file."""
    with client_of(url) as client:
        model = client.model(name)
        batch = batch_arrays(Request(model, None, None, model.dtype, {}), data)
        result = model.step(
            batch, reduction=reduction, learning_rate=learning_rate, durable=not not_durable,
            if_version=if_version, key=key,
        )  # fmt: skip
    print_change(result, f"loss {result.loss:.6g}", as_json)
