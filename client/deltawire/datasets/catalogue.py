"""Upload, find and list datasets: methods of `Client`."""

from __future__ import annotations

import hashlib
from typing import Any

from deltawire.connection import Body
from deltawire.datasets.dataset import Dataset, dataset_path
from deltawire.datasets.sources import open_source
from deltawire.errors import wrong_argument
from deltawire.request_builder import Caller


def upload_dataset(client: Caller, name: str, source: Any, *, key: str | None = None) -> Dataset:
    """Have the service keep a table, to learn from and to compute with.

    Args:
        client: The client that asks.
        name: The name of the dataset: letters, digits, _ and -, at most 64.
        source: Arrays by column, (rows, *shape); a structured array of numpy; a frame of pandas or polars; or
            the path of a CSV, NPY, safetensors or Parquet file, which is sent as it is.
        key: The Idempotency-Key; by default a new one.

    Returns:
        The dataset. Where the service has the same table under this name, nothing changes.

    Raises:
        Refused: It is no table, or there is another dataset of this name.
        OSError: The file cannot be read.
    """
    _check_name(name)
    with open_source(source) as body:
        client.connection.change("PUT", dataset_path(name), body, dict, key=key)
    return Dataset(client, name)


def upload_arrays(client: Caller, prefix: str, source: Any) -> Dataset:
    """Have the service keep a table under a name made of its numbers: the same table is kept once.

    Args:
        client: The client that asks.
        prefix: The beginning of the name.
        source: As for `upload_dataset`.
    """
    with open_source(source) as body:
        name = f"{prefix[:48]}-{_digest(body)}"
        client.connection.change("PUT", dataset_path(name), body, dict)
    return Dataset(client, name)


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


def _digest(body: Body) -> str:
    digest = hashlib.sha256()
    for part in body.parts:
        digest.update(part)
    return digest.hexdigest()[:12]
