"""A service in this process that keeps datasets in a folder, and one dataset in it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from deltawire import Client, Dataset

COLUMNS = {
    "age": np.arange(10),
    "size": np.arange(10) / 3,
    "shop": np.array(["north", "south"] * 5),
    "image": np.arange(60, dtype=np.float32).reshape(10, 2, 3),
    "price": 2.5 * np.arange(10),
}


@pytest.fixture
def client(tmp_path: Path) -> Client:
    return Client(data_dir=tmp_path / "data")


@pytest.fixture
def numbers(client: Client) -> Dataset:
    """A dataset of numbers alone."""
    return client.upload_dataset(
        "numbers", {name: COLUMNS[name] for name in ("age", "size", "image", "price")}
    )
