"""Datasets are uploaded once, found and listed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from deltawire import Client, Dataset, Refused
from deltawire.datasets.catalogue import Uploads


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
    first, again = (Uploads(client).arrays("model-data", {"a": [1, 2]}) for _ in range(2))
    other = Uploads(client).arrays("model-data", {"a": [1, 3]})
    assert first.name == again.name != other.name and first.name.startswith("model-data-")


@pytest.mark.parametrize("name", ["", 3, None])
def test_a_name_is_a_text(client: Client, name: object) -> None:
    with pytest.raises(Refused, match="the name of a dataset"):
        client.dataset(name)  # type: ignore[arg-type]


def test_a_dataset_is_found_by_its_name(client: Client, numbers: Dataset) -> None:
    assert client.dataset("numbers").describe() == numbers.describe()
    with pytest.raises(Refused, match="did you mean 'numbers'"):
        client.dataset("number")


def test_columns_of_a_csv_are_named_as_texts(client: Client, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text('code,"a, ""b"""\n007,192.168.100\n8,10.100.200\n')
    with pytest.raises(Refused, match="name it in texts="):
        client.upload_dataset("t", tmp_path / "t.csv")
    columns = client.upload_dataset("t", tmp_path / "t.csv", texts=["code", 'a, "b"']).describe()["columns"]
    assert [each["categories"] for each in columns] == [["007", "8"], ["10.100.200", "192.168.100"]]
    with pytest.raises(Refused, match="only a CSV") as refused:
        client.upload_dataset("u", {"a": [1]}, texts=["a"])
    assert refused.value.pointer == "/texts"


def test_a_refused_call_leaves_a_table_that_another_call_uploaded_too(client: Client) -> None:
    with pytest.raises(Refused, match="no dataset 'none'") as refused, Uploads(client) as uploads:
        mine, shared = (uploads.arrays("model-data", {"a": [number]}) for number in (1, 2))
        Uploads(client).arrays("model-data", {"a": [2]})
        client.dataset("none")
    assert [each["name"] for each in client.datasets()] == [shared.name] != [mine.name]
    (note,) = refused.value.__notes__
    assert f"'{shared.name}'" in note and "2 requests have uploaded" in note


def test_a_refused_call_deletes_what_it_alone_uploaded_twice(client: Client) -> None:
    with pytest.raises(Refused), Uploads(client) as uploads:
        for _ in range(2):
            uploads.arrays("model-data", {"a": [1]})
        client.dataset("none")
    assert client.datasets() == []
