"""Upload, find and list datasets: methods of `Client`."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from typing import Any, Self
from urllib.parse import quote

from deltawire.arguments.kinds import list_of_names
from deltawire.connection import Body
from deltawire.datasets.dataset import Dataset, dataset_path
from deltawire.datasets.sources import open_source
from deltawire.errors import DeltawireError, Refused, wrong_argument
from deltawire.request_builder import Caller


def upload_dataset(
    client: Caller, name: str, source: Any, *, texts: Iterable[str] = (), key: str | None = None
) -> Dataset:
    """Have the service keep a table, to learn from and to compute with.

    Args:
        client: The client that asks.
        name: The name of the dataset: letters, digits, _ and -, at most 64.
        source: Arrays by column, (rows, *shape); a structured array of numpy; a frame of pandas or polars; or
            the path of a CSV, NPY, safetensors or Parquet file, which is sent as it is.
        texts: Names of columns of a CSV whose cells are texts, whatever they look like, as codes of digits.
        key: The Idempotency-Key; by default a new one.

    Returns:
        The dataset. Where the service has the same table under this name, nothing changes.

    Raises:
        Refused: It is no table, or there is another dataset of this name.
        OSError: The file cannot be read.
    """
    _check_name(name)
    named = ",".join(map(_quoted, list_of_names("/texts", texts)))
    path = dataset_path(name) + (f"?texts={quote(named, safe='')}" if named else "")
    with open_source(source) as body:
        client.connection.change("PUT", path, body, dict, key=key)
    return Dataset(client, name)


class Uploads:
    """The tables that one call uploads.

    As a context, it deletes those that it made when Refused leaves it, unless another call has uploaded them.

    Args:
        client: The client that asks.
    """

    def __init__(self, client: Caller):
        self._client = client
        self._made: dict[str, Dataset] = {}
        self._uploads = Counter[str]()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, Refused):
            for name, dataset in self._made.items():
                _discard(dataset, self._uploads[name], error)

    def file(self, name: str, source: Any) -> Dataset:
        """Upload a table under a name, as `upload_dataset` does."""
        _check_name(name)
        with open_source(source) as body:
            return self._put(name, body)

    def arrays(self, prefix: str, source: Any) -> Dataset:
        """Upload a table under a name made of its numbers: the same table is kept once.

        Args:
            prefix: The beginning of the name.
            source: As for `upload_dataset`.
        """
        with open_source(source) as body:
            return self._put(f"{prefix[:48]}-{_digest(body)}", body)

    def _put(self, name: str, body: Body) -> Dataset:
        dataset = Dataset(self._client, name)
        answer = self._client.connection.change("PUT", dataset.path, body, dict)
        self._uploads[name] += 1
        if not answer["unchanged"]:
            self._made[name] = dataset
        return dataset


def _discard(dataset: Dataset, uploads: int, refusal: Refused) -> None:
    """Delete a dataset that no other call has uploaded; say in the refusal of the call where it stays.

    Args:
        dataset: The dataset.
        uploads: How often the call has uploaded it.
        refusal: The refusal.
    """
    try:
        dataset.client.connection.change("DELETE", f"{dataset.path}?uploads={uploads}", None, dict)
    except DeltawireError as error:
        refusal.add_note(f"the dataset '{dataset.name}', which the call uploaded, stays: {error}")


def find_dataset(client: Caller, name: str) -> Dataset:
    """Return a dataset by its name.

    Raises:
        Refused: The service has no dataset of that name for this caller.
    """
    _check_name(name)
    dataset = Dataset(client, name)
    dataset.describe()
    return dataset


def list_datasets(client: Caller) -> list[dict[str, Any]]:
    """Return the caller's datasets, by name: `name`, `dataset_id`, `rows`, `bytes`."""
    found: list[dict[str, Any]] = []
    after: str | None = ""
    while after is not None:
        page = client.connection.get(f"/v1/datasets?after={after}" if after else "/v1/datasets", dict)
        found += page["datasets"]
        after = page["next"]
    return found


def _check_name(name: Any) -> None:
    if not isinstance(name, str) or not name:
        raise wrong_argument("/name", "the name of a dataset", name)


def _quoted(name: Any) -> str:
    """Return the name of a column as the header of a CSV has it in quotation marks."""
    return '"' + str(name).replace('"', '""') + '"'


def _digest(body: Body) -> str:
    digest = hashlib.sha256()
    for part in body.parts:
        digest.update(part)
    return digest.hexdigest()[:12]
