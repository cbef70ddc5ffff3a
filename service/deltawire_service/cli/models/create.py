"""deltawire models create: have the service keep a network, parameters and an optimizer."""

from __future__ import annotations

from typing import Any, BinaryIO

import click

from deltawire.connection import chosen_key
from deltawire.models.catalogue import after_making
from deltawire_service.cli.models.arguments import (
    key_option,
    name_argument,
    optimizer_document,
    optimizer_options,
)
from deltawire_service.cli.models.descriptions import print_description
from deltawire_service.cli.options import client_of, json_option, url_option
from deltawire_service.cli.outcome import Command
from deltawire_service.cli.request_file import (
    Leaves,
    constants_of,
    param_arrays,
    read_arrays,
    read_request,
)


@click.command(cls=Command)
@name_argument
@click.argument("file", type=click.File("rb"))
@click.option("--params", type=read_arrays, metavar="FILE", help="Parameters, by name.")
@click.option(
    "--seed",
    type=int,
    metavar="N",
    help="Draw the parameters from this seed.  [default: 0 where none are given]",
)
@click.option("--dtype", type=click.Choice(["float64", "float32"]), help="Dtype.  [default: that of FILE]")
@click.option("--optimizer", default="adam", show_default=True, metavar="KIND", help="Kind of the optimizer.")
@optimizer_options
@key_option
@url_option
@json_option
def create(
    name: str,
    file: BinaryIO,
    params: Leaves | None,
    seed: int | None,
    dtype: str | None,
    optimizer: str,
    key: str | None,
    url: str | None,
    as_json: bool,
    **rule: Any,
) -> None:
    """Make a model of the network in FILE: a request, a spec alone, or what Network.save writes."""
    if params is not None and seed is not None:
        raise click.UsageError("parameters come from --params or from --seed, not from both")
    key = chosen_key(key)
    with client_of(url) as client:
        request = read_request(file, dtype, client)
        if params is None and seed is None:
            params = request.params
        model = client.create_model(
            request.network,
            name=name,
            optimizer={"kind": optimizer, **optimizer_document(**rule)},
            params=None if params is None else param_arrays(request, params),
            constants=constants_of(request),
            seed=seed,
            dtype=request.dtype,
            key=key,
        )
        with after_making(name, key):
            description = model.describe()
    print_description(description, as_json)
