"""The networks that the protocols serve by name: published ones, and the models of whoever asks.

A published network keeps its name: where a model has the same one, the protocols serve the network. So nobody
can change the answers that others get by making a model.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from types import MappingProxyType
from typing import Any, NamedTuple

from deltawire.errors import Fault, Refused
from deltawire.wire import Array
from deltawire_plugins.shown import shown
from deltawire_service.engine import Caches, Network, PluginError, current_deadline
from deltawire_service.faults import nearest
from deltawire_service.http.request_context import current_request
from deltawire_service.models.errors import ModelNotFound, VersionNotFound
from deltawire_service.models.model_store import ModelStore
from deltawire_service.models.replay import find_origin
from deltawire_service.models.versions import open_version
from deltawire_service.networks.interfaces import Interface, ends
from deltawire_service.networks.published import Published, PublishedNetworks
from deltawire_service.store.names import NAME
from deltawire_service.store.tables import models
from deltawire_service.store.tables.models import ModelRow

PUBLISHED_VERSION = 1
"""The only version of a published network."""

VERSION = re.compile(r"(0|[1-9][0-9]{0,17})\Z", re.ASCII)

LISTED = 20
"""Models that are read at once, and that a message about an unknown name chooses from."""


class Served(NamedTuple):
    """A network in one of its versions."""

    interface: Interface
    version: int


class Opened(NamedTuple):
    """A network in one of its versions, with its parameters, which may be used until it is closed."""

    interface: Interface
    version: int
    params: Mapping[str, Array]
    params_id: str | None
    """The id of published parameters; None for those of a model, which change."""


class Unserved(NamedTuple):
    """A network that cannot be served."""

    name: str
    version: int
    reason: str


class Listing(NamedTuple):
    """All networks of whoever asks."""

    served: list[Served]
    refused: list[Unserved]


class ServedNetworks:
    """Finds networks by name, for whoever sends the current request. Shared between threads.

    Args:
        published: the published networks.
        store: the models; None where the service keeps none.
        caches: keeps the interfaces of models, which have no numbers.
    """

    def __init__(self, published: PublishedNetworks, store: ModelStore | None, caches: Caches):
        self._published = published
        self._store = store
        self._interface = caches.cached(
            _interface_of, lambda store, model, name, dtype, network: network.parts
        )

    def find(self, name: Any, version: int | None = None) -> Served:
        """Return a network, without its parameters.

        Args:
            name: its name.
            version: the version; None for the newest.

        Raises:
            Refused: there is none of this name, or it cannot be served.
            VersionNotFound: it has no such version.
        """
        if published := self._find_published(name, version):
            return Served(published, PUBLISHED_VERSION)
        store = self._store_with(name)
        try:
            row = store.find(current_request().owner, name)
        except ModelNotFound:
            raise self._unknown(name) from None
        if version is not None:
            find_origin(store, row, version)
        return self._served(store, row, version)

    @contextmanager
    def open(self, name: Any, version: int | None = None) -> Iterator[Opened]:
        """Give a network with its parameters, and keep these as they are until the end.

        Args:
            name: its name.
            version: the version; None for the newest.

        Raises:
            Refused, VersionNotFound: as for `find`.
            ServiceError: the numbers of the version cannot be had, as for `open_version`.
        """
        if published := self._find_published(name, version):
            yield Opened(published, PUBLISHED_VERSION, published.params, published.params_id)
            return
        store, owner = self._store_with(name), current_request().owner
        try:
            with open_version(store, owner, name, current_deadline(), version) as (row, entry, numbers):
                interface = self._served(store, row).interface
                yield Opened(interface, entry.version, numbers.params, None)
        except ModelNotFound:
            raise self._unknown(name) from None

    def list(self) -> Listing:
        """Return all networks, published ones first."""
        published = self._published
        served = [Served(each, PUBLISHED_VERSION) for each in published.served.values()]
        refused = [
            Unserved(name, PUBLISHED_VERSION, fault.detail) for name, fault in published.refused.items()
        ]
        for store, row in self._models():
            try:
                if not self._is_published(row.name):
                    served.append(self._served(store, row))
            except (Refused, PluginError) as error:  # a layer is not installed any more
                refused.append(Unserved(row.name, row.version, error.faults[0].detail))
        return Listing(served, refused)

    def _is_published(self, name: Any) -> bool:
        """Return whether a published network has this name, be it one that cannot be served."""
        return name in self._published.served or name in self._published.refused

    def _find_published(self, name: Any, version: int | None) -> Published | None:
        if not isinstance(name, str) or not self._is_published(name):
            return None
        if version not in (None, PUBLISHED_VERSION):
            raise VersionNotFound(f"network '{name}' has version {PUBLISHED_VERSION} only, not {version}")
        return self._published.find(name)

    def _store_with(self, name: Any) -> ModelStore:
        """Return the store. Raises Refused where there is none, or where no model can have this name."""
        if self._store is None or not isinstance(name, str) or not NAME.match(name):
            raise self._unknown(name)
        return self._store

    def _unknown(self, name: Any) -> Refused:
        known = [*self._published.served, *(row.name for _, row in islice(self._models(), LISTED))]
        detail = f"there is no model {shown(name)}{nearest(name, known)}"
        return Refused([Fault("", "network_not_found", detail)])

    def _models(self) -> Iterator[tuple[ModelStore, ModelRow]]:
        """Yield the models of whoever asks, by name."""
        if (store := self._store) is None:
            return
        after, owner = "", current_request().owner
        while True:
            with store.database.reading() as transaction:
                page = models.page(transaction, owner, after, LISTED)
            yield from ((store, row) for row in page)
            if len(page) < LISTED:
                return
            after = page[-1].name

    def _served(self, store: ModelStore, row: ModelRow, version: int | None = None) -> Served:
        interface = self._interface(store, row.id, row.name, row.dtype, store.network_of(row))
        return Served(interface, row.version if version is None else version)


def make_interface(
    name: str, dtype: str, network: Network, constants: Mapping[str, Array] = MappingProxyType({})
) -> Interface:
    """Return the interface of a model, which offers its results: the nodes that only losses take.

    Args:
        name: the name of the model.
        dtype: the dtype of its parameters.
        network: its network.
        constants: the inputs that it keeps.
    """
    values = ends(network, without=network.loss) or ends(network)
    return Interface(name, network, dtype, tuple(values), constants)


def _interface_of(store: ModelStore, model_id: str, name: str, dtype: str, network: Network) -> Interface:
    """Return the interface of a model, with its constants, which no change of it changes."""
    return make_interface(name, dtype, network, store.constants_of(model_id) if network.constants else {})


def read_version(text: str | None) -> int | None:
    """Return the version that a path names, if any. Raises VersionNotFound unless it is a whole number."""
    if text is None:
        return None
    if not VERSION.match(text):
        raise VersionNotFound(f"a version is a whole number, such as {PUBLISHED_VERSION}, got {shown(text)}")
    return int(text)
