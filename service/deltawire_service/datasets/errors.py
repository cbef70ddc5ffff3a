"""The errors of datasets, beside those of the store."""

from __future__ import annotations

from deltawire_service.faults import ServiceError


class DatasetNotFound(ServiceError):
    """The caller has no dataset of this name."""

    code = "dataset_not_found"


class DatasetExists(ServiceError):
    """The caller has a dataset of this name already, with other numbers: nothing was changed."""

    code = "dataset_exists"


class DatasetInUse(ServiceError):
    """A ledger needs the dataset to compute its versions again: nothing was changed."""

    code = "dataset_in_use"
