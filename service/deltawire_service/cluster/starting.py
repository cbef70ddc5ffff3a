"""The dispatcher of a process, for its settings. Dask is imported only where a scheduler is set."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from environs import EnvError
from structlog.typing import FilteringBoundLogger

from deltawire.errors import Fault, NotInstalled
from deltawire_service.cluster.dispatching.blobs import Blobs
from deltawire_service.cluster.links import Links
from deltawire_service.cluster.report import Report
from deltawire_service.settings import Settings

if TYPE_CHECKING:
    from deltawire_service.cluster.dispatching.dispatch import Dispatcher

TLS = "DASK_DISTRIBUTED__COMM__TLS__"
"""The beginning of Dask's own variables for certificates."""


def require_dask(address: str, role: str = "client") -> None:
    """Check that Dask is there, and has certificates where an address needs them.

    Args:
        address: the address of a scheduler.
        role: what this process is to it, `client` or `worker`.

    Raises:
        NotInstalled: Dask is not installed.
        environs.EnvError: the address has TLS, and Dask's configuration names no certificates.
    """
    if find_spec("distributed") is None:
        detail = "computing on other machines needs Dask: pip install 'deltawire[cluster]'"
        raise NotInstalled([Fault("", "not_installed", detail)])
    if address.startswith("tls"):
        from distributed import Security

        if Security().get_connection_args(role).get("ssl_context") is None:
            variables = f"{TLS}CA_FILE, {TLS}{role.upper()}__CERT and {TLS}{role.upper()}__KEY"
            raise EnvError(f"{address} needs certificates: set {variables}")


def make_dispatcher(
    settings: Settings,
    fingerprint: Callable[[], str],
    on_report: Callable[[Report], None],
    log: FilteringBoundLogger,
) -> Dispatcher | None:
    """Return what sends computations to the workers of the scheduler that is set; None where none is.

    Args:
        settings: the settings.
        fingerprint: returns the fingerprint of this process.
        on_report: called with the report of each computation that went out.
        log: gets a line where workers are lost.

    Raises:
        NotInstalled: the extra `deltawire[cluster]` is missing.
        environs.EnvError: the scheduler has TLS, and Dask's configuration names no certificates.
        StoreFull, StoreUnavailable: the folder for what workers read cannot be made.
    """
    if not settings.dask:
        return None
    require_dask(settings.dask)
    from deltawire_service.cluster.dispatching.client import Scheduler
    from deltawire_service.cluster.dispatching.dispatch import Dispatcher

    blobs = Blobs(Path(settings.data_dir), settings.store_limits)
    blobs.prepare()
    return Dispatcher(
        Scheduler(settings.dask),
        blobs,
        Links.of_folder(blobs.folder),
        settings.cluster_url.rstrip("/"),
        settings.cluster_operations,
        fingerprint,
        on_report,
        log,
    )
