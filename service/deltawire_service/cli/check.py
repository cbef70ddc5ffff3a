"""deltawire check: compare gradients with two other ways to compute them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, BinaryIO

import click
from rich.console import Console

from deltawire.text import counted, shape_text
from deltawire_service.cli.options import array_options, client_of, json_option, request_argument, url_option
from deltawire_service.cli.outcome import Command, Exit
from deltawire_service.cli.request_file import Leaves, default_data, read_request
from deltawire_service.cli.terminal import console, print_json, print_verdict, table

OFF = {
    "off complex step": "relative_difference",
    "off differences": "relative_difference_to_differences",
}
FLOAT32 = "off in float32"
"""Column of the difference between backprop in float32 and in float64."""

WAYS = {"gradient": "gradient", "complex step": "complex_step", "differences": "differences"}
"""Columns, and the keys of an answer that hold their numbers (strings where they are not finite)."""


@click.command(cls=Command)
@request_argument
@array_options
@click.option(
    "--samples",
    type=int,
    metavar="N",
    default=10,
    show_default=True,
    help="Places of each array to check, at most.",
)
@url_option
@json_option
@click.pass_context
def check(
    ctx: click.Context,
    file: BinaryIO,
    dtype: str | None,
    params: Leaves | None,
    data: Leaves | None,
    seed: int | None,
    samples: int,
    url: str | None,
    as_json: bool,
) -> None:
    """Check gradients in two other ways.

    Compare those of backpropagation with the complex step, which is exact, and with central differences,
    which need nothing from the layers. The deltas that the request names are compared too. Exit code 1 when
    any is off.
    """
    with client_of(url) as client:
        request = read_request(file, dtype, client)
        weights, batch = default_data(client, request, params, data, seed)
        options = request.pick("wrt", "deltas", "reduction")
        checked = client.check(request.network, weights, batch, samples=samples, **options)
    if as_json:
        print_json(checked)
    else:
        show(console(), checked)
    ctx.exit(Exit.DONE if checked["passed"] else Exit.NO)


def show(screen: Console, checked: Mapping[str, Any]) -> None:
    """Print how far every array is off in both ways, and the numbers of those that are."""
    arrays, off = (
        table("array", "checked", *OFF, FLOAT32, right=["checked", *OFF, FLOAT32]),
        table("off at", *WAYS, right=WAYS),
    )
    for array in checked["arrays"]:
        worst, name = array["worst"], array["name"].partition("/")[2]
        mark, style = ("✓", None) if array["passed"] else ("✗", "red")
        number = f"{array['checked']} of {array['numbers']}"
        apart = [*(worst[0][key] for key in OFF.values()), array["float32_difference"]]
        arrays.add_row(f"{mark} {name}", number, *(shown(each, ".0e") for each in apart), style=style)
        if not array["passed"]:
            for place in worst:
                off.add_row(
                    f"{name} {shape_text(place['index'])}",
                    *(shown(place[key], ".8g") for key in WAYS.values()),
                )
    screen.print(arrays, "")
    if checked["passed"]:
        print_verdict(screen, True, "all gradients are right")
    else:
        screen.print(off, "")
        wrong = sum(not array["passed"] for array in checked["arrays"])
        print_verdict(screen, False, f"gradients of {counted(wrong, 'array')} are off")


def shown(number: Any, how: str) -> str:
    """Return a number of an answer as a format spec writes it; a dash where there is none."""
    return "–" if number is None else f"{float(number):{how}}"
