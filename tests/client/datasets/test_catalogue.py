"""Datasets are uploaded once, found and listed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from deltawire import Client, Dataset, Refused
from deltawire.datasets.catalogue import upload_arrays


def test_the_same_table_is_uploaded_again_and_changes_nothing(client: Client) -> None:
    first = client.upload_dataset("t", {"a": [1, 2]}).describe()
    assert client.upload_dataset("t", {"a": [1, 2]}).describe() == first
    with pytest.raises(Refused, match="other numbers") as caught:
        client.upload_dataset("t", {"a": [1, 3]})
    assert caught.value.code == "dataset_exists"


def test_a_file_and_arrays_are_the_same_dataset(client: Client, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a,b\n1,0.5\n2,0.25\n")
    np.save(tmp_path / "t.npy", np.array([(1, 0.5), (2, 0.25)], [("a", "i8"), ("b", "f8")]))
    sources = {
        "csv": tmp_path / "t.csv",
        "npy": str(tmp_path / "t.npy"),
        "dict": {"a": [1, 2], "b": [0.5, 0.25]},
    }
    for name, source in sources.items():
        client.upload_dataset(name, source)
    listed = client.datasets()
    assert [each["name"] for each in listed] == sorted(sources)
    reads = [client.dataset(name).read() for name in sources]
    for read in reads:
        assert {name: column.tolist() for name, column in read.items()} == sources["dict"]


def test_the_name_of_arrays_is_made_of_their_numbers(client: Client) -> None:
    first, again = (upload_arrays(client, "model-data", {"a": [1, 2]}) for _ in range(2))
    other = upload_arrays(client, "model-data", {"a": [1, 3]})
    assert first.name == again.name != other.name and first.name.startswith("model-data-")


@pytest.mark.parametrize("name", ["", 3, None])
def test_a_name_is_a_text(client: Client, name: object) -> None:
    with pytest.raises(Refused, match="the name of a dataset"):
        client.dataset(name)  # type: ignore[arg-type]


def test_a_dataset_is_found_by_its_name(client: Client, numbers: Dataset) -> None:
    assert client.dataset("numbers").describe() == numbers.describe()
    with pytest.raises(Refused, match="did you mean 'numbers'"):
        client.dataset("number")
