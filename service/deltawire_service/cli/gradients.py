"""deltawire gradients: compute the loss of a batch and its gradients."""

from __future__ import annotations

from typing import Any, BinaryIO

import click
import numpy as np
from rich.console import Console

from deltawire import Gradients
from deltawire.text import shape_text
from deltawire.wire import Array
from deltawire_service.cli.options import array_options, client_of, json_option, request_argument, url_option
from deltawire_service.cli.outcome import Command
from deltawire_service.cli.request_file import Leaves, default_data, read_request
from deltawire_service.cli.terminal import console, one_line, print_json, table

SHOWN = 3
"""Numbers shown of every array, the first ones."""


@click.command(cls=Command)
@request_argument
@array_options
@click.option(
    "--out", type=click.File("wb"), metavar="FILE.npz", help="Write every array of the answer here."
)
@url_option
@json_option
def gradients(
    file: BinaryIO,
    dtype: str | None,
    params: Leaves | None,
    data: Leaves | None,
    seed: int | None,
    out: BinaryIO | None,
    url: str | None,
    as_json: bool,
) -> None:
    """Compute the loss of a batch and its gradients.

    FILE names what to return beside them: values, deltas, losses.
    """
    with client_of(url) as client:
        request = read_request(file, dtype, client)
        weights, batch = default_data(client, request, params, data, seed)
        options = request.pick("wrt", "reduction", "losses", "values", "deltas", "non_finite")
        answer = client.gradients(request.network, weights, batch, **options)
    if out:
        np.savez(out, allow_pickle=False, **flat(answer))
    if as_json:
        print_json(document(answer))
        return
    show(console(), answer, request.options.get("reduction", "mean"))
    if out:
        click.echo(f"\nwritten to {out.name}")


def document(answer: Gradients) -> dict[str, Any]:
    """Return the answer as the service writes it in JSON."""
    optional = {"losses": answer.losses, "values": answer.values or None, "deltas": answer.deltas or None}
    return {
        "loss": answer.loss,
        "gradients": {"params": answer.params, "data": answer.data},
        **{part: arrays for part, arrays in optional.items() if arrays is not None},
        "network_id": answer.network_id,
        **({"params_id": answer.params_id} if answer.params_id else {}),
    }


def flat(answer: Gradients) -> dict[str, Array]:
    """Return every array by its place in the document, as `gradients/params/hidden.weight`."""
    parts = {"gradients/params": answer.params, "gradients/data": answer.data}
    parts |= {"values": answer.values, "deltas": answer.deltas}
    named = {f"{place}/{name}": array for place, part in parts.items() for name, array in part.items()}
    losses = {} if answer.losses is None else {"losses": answer.losses}
    return {"loss": np.array(answer.loss), **losses, **named}


def show(screen: Console, answer: Gradients, reduction: str) -> None:
    """Print the loss, and the shape, largest size and first numbers of every array.

    Args:
        screen: the terminal.
        answer: the result to print.
        reduction: `mean` or `sum`, as the loss was reduced.
    """
    screen.print(f"loss {answer.loss:.6g}", style="bold", end="")
    screen.print(f"   {reduction} over the batch\n", style="dim")
    rows = table("", "shape", "largest", "numbers", right=["largest"], wrap=["numbers"])
    parts = {
        "loss of": {} if answer.losses is None else {"each example": answer.losses},
        "gradient of": answer.params | answer.data,
        "value of": answer.values,
        "delta of": answer.deltas,
    }
    for title, part in parts.items():
        if part:
            rows.add_section()
            rows.add_row(title, style="bold")
        for name, array in part.items():
            first = "  ".join(f"{number:10.4g}" for number in array.ravel()[:SHOWN])
            numbers = one_line(f"{first}  …" if array.size > SHOWN else first)
            rows.add_row(f"  {name}", shape_text(array.shape), f"{np.abs(array).max():.4g}", numbers)
    screen.print(rows)
