"""The process of a worker: its networks, its fingerprint, and the parameters that it keeps."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from deltawire.wire import Array
from deltawire_layers import load_layers
from deltawire_service.cluster.array_sources import ArraySource, InlineArrays, views
from deltawire_service.cluster.working.fetching import read_bytes
from deltawire_service.engine import Caches, Limits, Network
from deltawire_service.networks.cache import NetworkCache
from deltawire_service.settings import Settings

MOST = sys.maxsize

NO_LIMITS = Limits(MOST, MOST, MOST, MOST, MOST)
"""No bounds: the service has held the request to its own."""


class WorkerProcess:
    """The state that the tasks of a worker share. Shared between threads.

    Args:
        settings: the settings of the process.
    """

    def __init__(self, settings: Settings):
        self._networks = NetworkCache(load_layers(), NO_LIMITS, Caches(settings.cache_bytes))
        self._kept = Caches(settings.worker_cache_bytes)
        self._folder = Path(settings.data_dir) if settings.data_dir else None
        self.fingerprint = self._networks.fingerprint()
        """Equal fingerprints, equal bits."""

    def network(self, spec: Mapping[str, Any]) -> Network:
        """Return the network of a spec, compiled once."""
        return self._networks.compiled(spec)

    def read(self, source: ArraySource, service: str) -> dict[str, Array]:
        """Return the arrays of a source, read-only. Those that tasks share are kept while there is room.

        service: the address of the service.

        Raises:
            FetchFailed, DeadlineExceeded: they cannot be had, or not in time.
        """
        if isinstance(source, InlineArrays):
            for array in source.arrays.values():
                array.flags.writeable = False
            return dict(source.arrays)
        known: Array | None = self._kept.find(source.digest) if source.is_shared else None
        if known is None:
            known = read_bytes(source, service, self._folder)
            if source.is_shared:
                known = known if known.flags.owndata else known.copy()  # the file will be gone
                self._kept.keep(source.digest, known)
        return views(known, source.places)


@cache
def current_worker() -> WorkerProcess:
    """Return what this process is as a worker, made when it is first needed."""
    return WorkerProcess(Settings.from_environment())
