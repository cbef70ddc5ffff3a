"""deltawire serve: become gunicorn, and serve over HTTP."""

from __future__ import annotations

import os
import socket
import sys
from contextlib import suppress
from pathlib import Path

import click

from deltawire_layers import load_layers
from deltawire_service.admission.api_keys import read_keys
from deltawire_service.cli.outcome import Command
from deltawire_service.cli.serving.editable_files import editable_folders
from deltawire_service.cli.serving.gunicorn import gunicorn_command
from deltawire_service.cli.serving.reloading import ReloadingService
from deltawire_service.cluster.starting import require_dask
from deltawire_service.models.maintenance.starting import StoreUnusable, prepare_folder
from deltawire_service.server.public_binding import NOT_PUBLIC, is_public, may_be_public
from deltawire_service.settings import Settings
from deltawire_service.store.folders import StoreFolder

FIRST_CALL = """\
starting on {address}   (Ctrl-C stops it; its API, for people: {address}/docs)
a first call to try: ∂f/∂x, ∂f/∂y and ∂f/∂z of f = (x + y)·z

curl -s {address}/v1/gradients -H 'Content-Type: application/json' -d '{{
  "network": {{
    "inputs": {{"x": {{"shape": []}}, "y": {{"shape": []}}, "z": {{"shape": []}}}},
    "nodes": [
      {{"name": "q", "kind": "add", "inputs": ["x", "y"]}},
      {{"name": "f", "kind": "multiply", "inputs": ["q", "z"]}}
    ]
  }},
  "data": {{"x": [-2], "y": [5], "z": [-4]}},
  "wrt": {{"data": true}}
}}'
"""


@click.command(cls=Command)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port", default=8000, show_default=True, envvar="PORT", type=click.IntRange(1, 65535), help="Port."
)
@click.option("--workers", type=click.IntRange(1), help="Processes.  [default: the number of cores]")
@click.option(
    "--networks",
    type=click.Path(exists=True, file_okay=False),
    metavar="DIR",
    help="Folder of published networks.  [default: DELTAWIRE_NETWORKS_DIR]",
)
@click.option(
    "--dask",
    metavar="ADDRESS",
    help="Dask scheduler whose workers compute parts of large requests.  [default: DELTAWIRE_DASK]",
)
@click.option("--insecure-public", is_flag=True, help="Serve other machines without API keys.")
@click.option(
    "--reload",
    "reloads",
    is_flag=True,
    help="For authors: start again when an editable plugin changes. Not with API keys, nor publicly.",
)
def serve(
    host: str,
    port: int,
    workers: int | None,
    networks: str | None,
    dask: str | None,
    insecure_public: bool,
    reloads: bool,
) -> None:
    """Serve over HTTP, with gunicorn.

    gunicorn uses the configuration shipped with deltawire. The command becomes gunicorn, so that signals
    reach it. Settings come from the environment (docs/settings.md).
    """
    if networks:
        os.environ["DELTAWIRE_NETWORKS_DIR"] = networks
    if dask:
        os.environ["DELTAWIRE_DASK"] = dask
    # Whatever would stop gunicorn is checked here, where it takes one line to say.
    if insecure_public:
        os.environ["DELTAWIRE_INSECURE_PUBLIC"] = "1"
    settings = Settings.from_environment()
    keys = read_keys(settings)
    if reloads:
        check_reload(settings, bool(keys))
    else:
        load_layers()
    if settings.dask:
        require_dask(settings.dask)
    if settings.data_dir:
        try:
            prepare_folder(StoreFolder(Path(settings.data_dir)))
        except StoreUnusable as error:
            raise click.UsageError(str(error)) from None
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        with socket.create_server((host, port), family=family) as server:
            public = is_public(server.getsockname())
    except OSError as error:
        raise click.UsageError(f"cannot listen on {host}, port {port}: {error.strerror}") from None
    if public and reloads:
        raise click.UsageError(f"--reload is for this machine alone, and {host} is not: leave out --host")
    if public and not may_be_public(settings):
        raise click.UsageError(f"{NOT_PUBLIC.format(host=host)}; --insecure-public does the same")
    place = f"[{host}]" if ":" in host else host
    everywhere = host in ("0.0.0.0", "::")
    if settings.dask.startswith("tcp://") and not settings.cluster_url:  # all is on this machine
        os.environ["DELTAWIRE_CLUSTER_URL"] = f"http://{'127.0.0.1' if everywhere else place}:{port}"
    with suppress(OSError):  # a standard output that is full or closed stops nothing
        click.echo(FIRST_CALL.format(address=f"http://{'127.0.0.1' if everywhere else place}:{port}"))
        if keys:
            click.echo('it needs a key: -H "Authorization: Bearer $DELTAWIRE_API_KEY"\n')
        elif public:
            click.echo("everyone who reaches this machine can compute here\n")
        sys.stdout.flush()
    command = gunicorn_command(f"{place}:{port}", workers)
    if reloads:
        ReloadingService(command).run()
    else:
        os.execv(sys.executable, command)


def check_reload(settings: Settings, keys: bool) -> None:
    """Check that a service may start again by itself.

    Args:
        settings: the settings.
        keys: whether there are API keys.

    Raises:
        UsageError: others may use the service, or there is no plugin to watch.
    """
    if keys or settings.api_keys_file:
        raise click.UsageError(
            "--reload is for authors, on a machine of their own: it does not run with API keys "
            "(DELTAWIRE_API_KEYS_FILE, DELTAWIRE_API_KEYS)"
        )
    if settings.insecure_public:
        raise click.UsageError("--reload is for this machine alone: leave out --insecure-public")
    folders = editable_folders()
    if not folders:
        raise click.UsageError("no plugin is installed as editable: run 'pip install -e .' in its folder")
    with suppress(OSError):
        click.echo(f"watching {', '.join(map(str, folders))}", err=True)
