"""deltawire worker: become a Dask worker that computes parts of a service's large requests."""

from __future__ import annotations

import os
import sys

import click

from deltawire_layers import load_layers
from deltawire_plugins.blas import ONE_THREAD
from deltawire_service.cli.outcome import Command
from deltawire_service.cluster.addresses import AddressRefused, check_address, is_loopback
from deltawire_service.cluster.starting import require_dask
from deltawire_service.cluster.working.keep_running import keep_running
from deltawire_service.settings import Settings


@click.command(cls=Command)
@click.argument("address")
@click.option(
    "--threads", default=1, show_default=True, type=click.IntRange(1), help="Segments computed at once."
)
@click.option(
    "--host",
    metavar="HOST",
    help="Address of this machine that the scheduler and other workers reach.  "
    "[default: 127.0.0.1 for a scheduler there, else the one that leads to the scheduler]",
)
@click.option("--name", metavar="NAME", help="Name of the worker in `deltawire cluster status`.")
@click.option(
    "--memory-limit",
    default="auto",
    show_default=True,
    metavar="BYTES",
    help="Memory at which the worker is started again: `4GiB`, `auto` for its share, 0 for no limit.",
)
def worker(address: str, threads: int, host: str | None, name: str | None, memory_limit: str) -> None:
    """Compute for the services that use the Dask scheduler at ADDRESS, until SIGTERM.

    The command runs a Dask worker, and starts it again when it was killed, or has lost the scheduler. Off
    this machine, ADDRESS begins with tls://, and Dask's own configuration names the certificates, by
    variables DASK_DISTRIBUTED__COMM__TLS__*.

    Where this machine has the folder of the service, set DELTAWIRE_DATA_DIR; else the worker reads what it
    needs from the service itself.
    """
    try:
        check_address(address)
    except AddressRefused as error:
        raise click.UsageError(str(error)) from None
    if address.startswith("tcp://"):
        host = host or "127.0.0.1"
        if not is_loopback(host):
            raise click.UsageError(f"--host {host} is open to other machines: only tls:// is allowed there")
    require_dask(address, "worker")
    Settings.from_environment()
    load_layers()
    os.environ |= ONE_THREAD | os.environ  # as in the service
    command = [sys.executable, "-m", "distributed.cli.dask_worker", address, "--nthreads", str(threads)]
    command += ["--preload", "deltawire_service.cluster.working.preload", "--no-dashboard"]
    command += ["--dashboard-address", "127.0.0.1:0"]  # Dask opens it to all machines, also without the page
    command += ["--memory-limit", memory_limit]
    command += [*(["--host", host] if host else []), *(["--name", name] if name else [])]
    sys.stdout.flush()
    keep_running(command)
