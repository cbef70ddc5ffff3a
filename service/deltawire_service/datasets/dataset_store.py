"""The datasets of a service: how they are found, listed and opened."""

from __future__ import annotations

from deltawire_plugins.shown import shown
from deltawire_service.datasets.column_file import map_columns
from deltawire_service.datasets.columns import Columns
from deltawire_service.datasets.errors import DatasetNotFound
from deltawire_service.datasets.table import read_columns
from deltawire_service.faults import nearest
from deltawire_service.store.database import Database
from deltawire_service.store.errors import StoreUnavailable
from deltawire_service.store.folders import StoreFolder
from deltawire_service.store.tables import datasets
from deltawire_service.store.tables.datasets import DatasetRow

LISTED = 20
"""Names that a message about an unknown dataset chooses from."""


class DatasetStore:
    """The datasets of a service. Shared between threads.

    Args:
        folder: the folder of the store.
        database: its database.
    """

    def __init__(self, folder: StoreFolder, database: Database):
        self._folder = folder
        self._database = database

    def find(self, owner: str, name: str) -> DatasetRow:
        """Return the row of a dataset.

        Args:
            owner: whoever asks.
            name: the name of the dataset.

        Raises:
            DatasetNotFound: the owner has no such dataset.
        """
        with self._database.reading() as transaction:
            row = datasets.find(transaction, owner, name)
            if row is None:
                known = [each.name for each in datasets.page(transaction, owner, "", LISTED)]
                raise DatasetNotFound(f"there is no dataset {shown(name)}{nearest(name, known)}")
        return row

    def get(self, dataset: str) -> DatasetRow:
        """Return the row of a dataset by its id. Raises DatasetNotFound where it was deleted."""
        with self._database.reading() as transaction:
            row = datasets.get(transaction, dataset)
        if row is None:
            raise DatasetNotFound("the dataset was deleted")
        return row

    def open(self, row: DatasetRow) -> Columns:
        """Map the columns of a dataset. They stay as long as they are used, also when it is deleted.

        Raises:
            DatasetNotFound: it was deleted meanwhile.
            StoreUnavailable: the disk fails.
        """
        try:
            arrays = map_columns(self._folder.dataset(row.id))
        except StoreUnavailable:
            self.get(row.id)
            raise
        return Columns(read_columns(row.columns), arrays, row.rows)
