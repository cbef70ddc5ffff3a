"""Rows of datasets in place of the data of a request."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from deltawire.wire import Array
from deltawire_service.admission.key_limits import check_gathered_bytes
from deltawire_service.datasets.dataset_store import DatasetStore
from deltawire_service.datasets.errors import DatasetNotFound
from deltawire_service.datasets.fault_places import naming_rows
from deltawire_service.datasets.rows import RowsReference, input_dtypes, read_reference, resolve_rows
from deltawire_service.engine import Network
from deltawire_service.http.request_context import RequestContext
from deltawire_service.settings import Settings


class GatheredRows(NamedTuple):
    """Rows of a dataset, and the arrays by input that they have become."""

    reference: RowsReference
    arrays: dict[str, Array]


class RowsReader:
    """Reads the data of documents that name a dataset.

    Args:
        settings: the settings of the service.
        find_store: returns the datasets. Raises StoreMissing where the service keeps none.
        admit: holds memory for a request until its answer has been sent. Raises Overloaded while there is no
            room.
    """

    def __init__(
        self,
        settings: Settings,
        find_store: Callable[[], DatasetStore],
        admit: Callable[[RequestContext, int], None],
    ):
        self._settings = settings
        self._find_store = find_store
        self._admit = admit

    def read(
        self, context: RequestContext, network: Network, data: Mapping[str, Any], dtype: str
    ) -> GatheredRows:
        """Return the rows that the data of a document name.

        Args:
            context: the request.
            network: the network that they are for.
            data: the data of its document.
            dtype: the floating-point dtype that is computed with.

        Raises:
            DatasetNotFound: whoever sends the request has no such dataset.
            Refused: a row, a column or an input is not there, a number has no equal in the dtype of its
                input, or the rows are larger than a request may be.
        """
        store, named = self._find_store(), read_reference(data)
        try:
            row = store.find(context.owner, named["dataset"])
        except DatasetNotFound as error:
            error.pointer = "/data/dataset"
            raise
        columns, inputs = store.open(row), input_dtypes(network, dtype)
        reference = resolve_rows(named, row, columns, inputs, self._settings.wire_limits)
        size = reference.gathered_bytes(columns, inputs)
        check_gathered_bytes(self._settings, context.key, size, "/data/rows")
        self._admit(context, size)
        with naming_rows(reference, {}, "/data"):
            return GatheredRows(reference, reference.gather(columns, inputs))
