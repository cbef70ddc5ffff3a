"""deltawire plan: work out what a request takes, from shapes alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, BinaryIO

import click
from rich.console import Console

from deltawire.text import counted, shape_text, size_text
from deltawire_service.cli.options import client_of, json_option, request_argument, url_option
from deltawire_service.cli.outcome import Command, Exit
from deltawire_service.cli.request_file import batch_size, read_request
from deltawire_service.cli.terminal import console, print_json, print_verdict, table

PARTS = {
    "given_bytes": "parameters and data",
    "stored_bytes": "parameters that the service keeps, beside the request",
    "read_bytes": "the body they are read from",
    "work_bytes": "values, what equations hold, and deltas",
    "answered_bytes": "gradients, values, deltas and losses",
    "written_bytes": "the answer's body",
    "peak_bytes": "the most of these at once: reading, computing, writing",
}


@click.command(cls=Command)
@request_argument
@click.option(
    "--batch", type=click.IntRange(1), help="Examples in the batch.  [default: as many as FILE has, else 1]"
)
@url_option
@json_option
@click.pass_context
def plan(
    ctx: click.Context, file: BinaryIO, dtype: str | None, batch: int | None, url: str | None, as_json: bool
) -> None:
    """Show shapes, parameters, memory and cost.

    Nothing is computed. Exit code 1 when the request needs more memory than the service allows.
    """
    with client_of(url) as client:
        request = read_request(file, dtype, client)
        planned = client.plan(
            request.network,
            batch or batch_size(request),
            dtype=request.dtype,
            **request.pick("wrt", "values", "deltas"),
        )
    if as_json:
        print_json(planned)
    else:
        show(console(), planned)
    ctx.exit(Exit.DONE if planned["fits"] else Exit.NO)


def show(screen: Console, planned: Mapping[str, Any]) -> None:
    """Print nodes, parameters, and what the request takes."""
    nodes = table("node", "kind", "inputs", "shape", wrap=["inputs"])
    for node in planned["nodes"]:
        nodes.add_row(node["name"], node["kind"], ", ".join(node["inputs"]), shape_text(node["shape"]))
    screen.print(nodes, "")
    if planned["parameters"]:
        parameters = table("parameter", "shape", "numbers", right=["numbers"])
        for parameter in planned["parameters"]:
            numbers = f"{parameter['numbers']:,}"
            parameters.add_row(parameter["name"], shape_text(parameter["shape"]), numbers)
        parameters.add_section()
        parameters.add_row("all", "", f"{sum(each['numbers'] for each in planned['parameters']):,}")
        screen.print(parameters, "")
    memory = table("memory", "bytes", "for", right=["bytes"], wrap=["for"])
    for part, purpose in PARTS.items():
        memory.add_row(part.removesuffix("_bytes"), size_text(planned[part]), purpose)
    screen.print(memory, "")
    work = (
        f"{counted(planned['rows_at_once'], 'example')} at once",
        counted(planned["chunks"], "chunk"),
        counted(planned["passes"], "pass", "passes"),
        f"{planned['operations']:.3g} operations in all",
    )
    screen.print(", ".join(work))
    fits = "it fits" if planned["fits"] else "it does not fit"
    limit = size_text(planned["limit_bytes"])
    most = f"a peak of at most {limit}, and {planned['limit_operations']:.3g} operations"
    print_verdict(screen, planned["fits"], f"{fits}: the service takes {most}")
