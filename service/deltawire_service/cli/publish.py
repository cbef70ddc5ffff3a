"""deltawire publish: write a network with its parameters, for a service to offer by name."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

import click

from deltawire import wire
from deltawire.arrays import common_dtype
from deltawire.network.files import arrays_in, one_dtype
from deltawire.replacement import replacing
from deltawire_layers import load_layers
from deltawire_service.cli.options import json_option
from deltawire_service.cli.outcome import Command
from deltawire_service.cli.request_file import Leaves, batch_arrays, naming, read_arrays, read_request
from deltawire_service.cli.terminal import print_json
from deltawire_service.networks.cache import NetworkCache
from deltawire_service.networks.published import SUFFIX, check_name, read_published
from deltawire_service.settings import Settings


@click.command(cls=Command)
@click.argument("file", type=click.File("rb"))
@click.argument("params", type=click.File("rb"), required=False)
@click.option("--name", help="Name to publish under.  [default: that of FILE]")
@click.option(
    "--into",
    type=click.Path(file_okay=False, path_type=Path),
    envvar="DELTAWIRE_NETWORKS_DIR",
    default=".",
    metavar="DIR",
    help="Folder to write into, created if missing.  [default: DELTAWIRE_NETWORKS_DIR, or the current one]",
)
@click.option("--data", type=read_arrays, metavar="FILE", help="Data to pin: used where a request has none.")
@click.option("--value", "values", multiple=True, metavar="NODE", help="A node to offer; repeatable.")
@json_option
def publish(
    file: BinaryIO,
    params: BinaryIO | None,
    name: str | None,
    into: Path,
    data: Leaves | None,
    values: tuple[str, ...],
    as_json: bool,
) -> None:
    """Write a network and its parameters as DIR/NAME.safetensors.

    PARAMS has an array for every parameter, as a checkpoint in the safetensors format or an .npz; by default
    FILE has them. A network that could not be served is refused. A file of this name is replaced in one
    step, so that a service may have it open.
    """
    name = check_name(name or Path(file.name).stem)
    settings = Settings.from_environment()
    if params is None:
        request = read_request(file)
        own = request.params or {}
        arrays = {
            name: wire.read_tensor(leaf, request.dtype, f"/params/{name}") for name, leaf in own.items()
        }
    else:
        with naming(params):
            arrays = one_dtype(arrays_in(params.read()))
        request = read_request(file, common_dtype(arrays))
    document = {
        "network": request.network,
        "params": arrays,
        "data": batch_arrays(request, (request.data or {}) if data is None else data),
        **({"values": list(values)} if values else request.pick("values")),
    }
    path = into / f"{name}{SUFFIX}"
    compiled = NetworkCache(load_layers(), settings.engine_limits).compile
    into.mkdir(parents=True, exist_ok=True)
    with replacing(path) as draft:
        with draft.open("wb") as written:
            written.writelines(wire.encode_in_parts(document, wire.SAFETENSORS))
        published = read_published(name, draft, compiled, settings.wire_limits)
    if as_json:
        ids = {"network_id": published.network.id, "params_id": published.params_id}
        print_json({"name": name, "path": str(path)} | ids)
    else:
        click.echo(f"published {name} as {path}; a running service loads it on SIGHUP")
