"""The short cut by numpy: it reads, and refuses, whatever the csv module and Python read and refuse."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest
from support.datasets import gathered

from deltawire.errors import Refused
from deltawire_service.datasets.formats import cells, csv, csv_lines
from deltawire_service.datasets.formats.plain_cells import PlainCells
from deltawire_service.datasets.table import check_table

USUAL = ["0", "1", "-7", "12", "0.5", "-1e3", ".25", "3.", ""]

UNUSUAL = [
    *(
        "nan",
        "-inf",
        "Infinity",
        "1e999",
        " 4",
        "5\t",
        "+6",
        "00",
        "1.0",
        "1e2",
        "1E2",
        str(2**53),
        str(2**53 + 1),
    ),
    *(
        "-9223372036854775808",
        "9223372036854775808",
        "1e",
        "--1",
        "1_0",
        "0x1",
        "1 2",
        " ",
        "１",
        "\u00a01",
        "\x0b1",
    ),
    *("no", "ü", "a long text that no integer holds", "'", "#", "1d5", "nan(1)", "1j", "\x1c", "1\0", "True"),
    *('"1"', '"a,b"', '"a\nb"', '"x""y"', 'a"b'),
]


def outcome(text: str) -> Any:
    """What becomes of a file: its columns and their bits, or its refusal."""
    try:
        table = csv.read(memoryview(text.encode()), check_table)
        arrays = gathered(table)
    except Refused as error:
        return error.faults
    return table.columns, {name: array.tobytes() for name, array in arrays.items()}


@pytest.mark.parametrize("seed", range(150))
def test_the_short_cut_changes_nothing(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    random.seed(seed)
    monkeypatch.setattr(cells, "FEW", random.choice([0, 1, 4, 256]))
    monkeypatch.setattr(csv_lines, "PIECE_BYTES", random.choice([16, 64, 2**18]))
    count, end = random.randint(1, 4), random.choice(["\n", "\n", "\r\n"])
    likely = [random.choice([0.0, 0.0, 0.02, 0.3]) for _ in range(count)]
    rows = [[f"c{place}" for place in range(count)]]
    for _ in range(random.randint(1, 60)):
        rows.append([random.choice(UNUSUAL if random.random() < p else USUAL) for p in likely])
        if random.random() < 0.01:
            rows.append([])
        if random.random() < 0.005:
            rows[-1].append("1")
    text = end.join(map(",".join, rows)) + random.choice(["", end])
    quick = outcome(text)
    monkeypatch.setattr(PlainCells, "split", lambda data, columns: None)
    assert quick == outcome(text)


def test_the_short_cut_is_taken() -> None:
    """A column of many numbers, one of few, one of texts, and one of long texts with gaps in each."""
    plain = PlainCells.split(b"1.5,7,cat,a long text\n,,,\n-2,8,\xc3\xbc,another one\n", 4)
    assert plain is not None and plain.rows == 3 and plain.missing().tolist() == [1, 1, 1, 1]
    numbers = plain.numbers([0, 1])
    assert numbers is not None
    assert np.array_equal(numbers, [[1.5, 7], [np.nan, np.nan], [-2, 8]], equal_nan=True)
    assert [plain.is_whole(place) for place in (0, 1)] == [False, True]
    keys = plain.keys(2)
    assert keys is not None and keys.tolist() == [int.from_bytes(b"cat", "little"), 0, 0xBCC3]
    assert plain.keys(3) is None and plain.texts(3) == ["a long text", "", "another one"]


@pytest.mark.parametrize("data", [b'"1"\n', b"1\n\n2\n", b"1\r2\n", b"1,2\n", b"1\0\n", b"\xff\n", b"1\n2"])
def test_other_lines_are_read_one_by_one(data: bytes) -> None:
    assert PlainCells.split(data, 1) is None


@pytest.mark.parametrize("cell", ["x", "1e999", "inf", str(2**53), "\u00a01", "１", "1_0"])
def test_cells_whose_digits_matter_are_read_one_by_one(cell: str) -> None:
    plain = PlainCells.split(f"1,x\n{cell},y\n".encode(), 2)
    assert plain is not None and plain.numbers([0]) is None
