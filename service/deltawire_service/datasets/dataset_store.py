"""The datasets of a service: how they are found, listed and opened."""

from __future__ import annotations

from sqlite3 import Connection

from deltawire_plugins.shown import shown
from deltawire_service.datasets.column_file import map_columns
from deltawire_service.datasets.columns import Columns
from deltawire_service.datasets.errors import DatasetNotFound
from deltawire_service.datasets.table import read_columns
from deltawire_service.faults import nearest
from deltawire_service.store.database import Database
from deltawire_service.store.errors import FileMissing
from deltawire_service.store.folders import StoreFolder
from deltawire_service.store.limits import StoreLimits
from deltawire_service.store.observer import Observer
from deltawire_service.store.stored_answers import StoredAnswers
from deltawire_service.store.tables import datasets
from deltawire_service.store.tables.datasets import DatasetRow

LISTED = 20
"""Names that a message about an unknown dataset chooses from."""


class DatasetStore:
    """The datasets of a service. Shared between threads.

    Args:
        folder: the folder of the store.
        database: its database.
        answers: the answers to requests with a key.
        limits: how much is kept.
        observer: is told what the store does.
    """

    def __init__(
        self,
        folder: StoreFolder,
        database: Database,
        answers: StoredAnswers,
        limits: StoreLimits,
        observer: Observer,
    ):
        self.folder = folder
        self.database = database
        self.answers = answers
        self.limits = limits
        self.observer = observer

    def find(self, owner: str, name: str) -> DatasetRow:
        """Return the row of a dataset.

        Args:
            owner: whoever asks.
            name: the name of the dataset.

        Raises:
            DatasetNotFound: the owner has no such dataset.
        """
        with self.database.reading() as transaction:
            return self.find_in(transaction, owner, name)

    def find_in(self, transaction: Connection, owner: str, name: str) -> DatasetRow:
        """Return the row of a dataset, in a transaction that the caller has begun.

        Args:
            transaction: the transaction.
            owner: whoever asks.
            name: the name of the dataset.

        Raises:
            DatasetNotFound: the owner has no such dataset.
        """
        row = datasets.find(transaction, owner, name)
        if row is None:
            known = [each.name for each in datasets.page(transaction, owner, "", LISTED)]
            raise DatasetNotFound(f"there is no dataset {shown(name)}{nearest(name, known)}")
        return row

    def page(self, owner: str, after: str, most: int) -> list[DatasetRow]:
        """Return the datasets of an owner, by name.

        Args:
            owner: whoever asks.
            after: the name that the page follows; empty for the first page.
            most: number of datasets on a page.
        """
        with self.database.reading() as transaction:
            return datasets.page(transaction, owner, after, most)

    def get(self, dataset: str) -> DatasetRow:
        """Return the row of a dataset by its id. Raises DatasetNotFound where it was deleted."""
        with self.database.reading() as transaction:
            row = datasets.get(transaction, dataset)
        if row is None:
            raise DatasetNotFound("the dataset was deleted")
        return row

    def columns(self, row: DatasetRow) -> str:
        """Return the descriptions of a dataset's columns as JSON.

        Raises:
            DatasetNotFound: it was deleted.
        """
        with self.database.reading() as transaction:
            found = datasets.columns(transaction, row.id)
        if found is None:
            raise DatasetNotFound(f"dataset '{row.name}' was deleted")
        return found

    def open(self, row: DatasetRow) -> Columns:
        """Map the columns of a dataset. They stay as long as they are used, also when it is deleted.

        Raises:
            DatasetNotFound: it was deleted meanwhile.
            FileMissing: its file is missing.
            StoreUnavailable: the disk fails.
        """
        described = read_columns(self.columns(row))
        try:
            arrays = map_columns(self.folder.dataset(row.id))
        except FileMissing as error:
            self.get(row.id)
            raise FileMissing(f"the file of dataset {shown(row.name)} is missing") from error.__cause__
        return Columns(described, arrays, row.rows)
