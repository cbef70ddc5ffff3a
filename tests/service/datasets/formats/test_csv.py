"""CSV: numbers as the csv module and numpy read them, types said back, and refusals by line."""

from __future__ import annotations

import csv
import io
import random
import re
from typing import Any

import numpy as np
import pytest
from support.datasets import gathered

from deltawire.errors import Refused
from deltawire_service.datasets.formats import categories, cells, csv_lines
from deltawire_service.datasets.formats import csv as csv_format
from deltawire_service.datasets.table import Table, check_table
from deltawire_service.engine import DeadlineExceeded


def read(text: str | bytes) -> Table:
    return csv_format.read(memoryview(text if isinstance(text, bytes) else text.encode()), check_table)


def kinds(table: Table) -> list[tuple[str, str]]:
    return [(column.name, column.dtype) for column in table.columns]


def refusal(text: str | bytes) -> str:
    with pytest.raises(Refused) as caught:
        gathered(read(text))
    assert caught.value.faults[0].code == "dataset_invalid"
    return caught.value.faults[0].detail


def test_types_are_inferred_and_gaps_counted() -> None:
    table = read("id,width,kind,gap\n1,0.5,cat,\n2,1e3,dog,7\n-3,.25,cat,8\n")
    assert kinds(table) == [("id", "int64"), ("width", "float64"), ("kind", "int64"), ("gap", "float64")]
    assert table.columns[2].categories == ("cat", "dog")
    assert [column.missing for column in table.columns] == [0, 0, 0, 1]
    arrays = gathered(table)
    assert arrays["id"].tolist() == [1, 2, -3] and arrays["width"].tolist() == [0.5, 1000.0, 0.25]
    assert arrays["kind"].tolist() == [0, 1, 0]
    assert np.isnan(arrays["gap"][0]) and arrays["gap"][1:].tolist() == [7.0, 8.0]


def test_long_numbers_are_not_held() -> None:
    held, long = cells.HeldCells(), ["0." + "0" * 300 + str(i) for i in range(1, 9)]
    column = cells.CellColumn("x", held)
    column.examine(["1", "2"])
    assert held.numbers == 2
    column.examine(long)
    assert held.numbers == 0 and column.described().dtype == "float64"
    table = read("x,y\n" + "".join(f"{cell},cat\n" for cell in long))
    assert gathered(table)["x"].tolist() == [float(cell) for cell in long]
    with pytest.raises(cells.Misfit, match="column 'x' has numbers, got 'cat'"):
        column.examine(["cat"])


@pytest.mark.parametrize("other", ["", "0.5"])
def test_an_integer_that_its_column_does_not_hold_is_refused(other: str) -> None:
    held = [2**53, -(2**53), 2**60, 10**22]
    table = read("x,y\n" + "".join(f"{number},1\n" for number in held) + f"{other},1\n000{2**54},1\n")
    assert gathered(table)["x"][:4].tolist() == held and gathered(table)["x"][5] == 2**54
    for number in (2**53 + 1, -(2**53) - 1, 10**22 + 1, f" 00{2**53 + 1}"):
        found = refusal(f"x,y\n1,1\n{other},1\n{number},1\n")
        assert found.startswith("line 4: column 'x' is float64, which does not hold")
    assert gathered(read(f"x\n1.5\n{2**53 + 1}.0\n"))["x"][1] == 2.0**53  # a float is rounded as always


def test_every_reading_ends_at_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    checks: list[int] = []
    monkeypatch.setattr(csv_lines, "PIECE_BYTES", 100)
    monkeypatch.setattr(csv_lines, "check_deadline", lambda: checks.append(1))
    with pytest.raises(Refused, match="line 1001"):
        read("x\n" + "1\n" * 999 + "1,2\n")
    assert len(checks) > 2000 // 100

    def pass_deadline() -> None:
        checks.append(1)
        if len(checks) > 5:
            raise DeadlineExceeded

    checks.clear()
    monkeypatch.setattr(csv_lines, "check_deadline", pass_deadline)
    with pytest.raises(DeadlineExceeded):
        read("x\n" + "\n" * 2000)


@pytest.mark.parametrize("seed", range(20))
def test_any_table_is_read_as_the_csv_module_and_numpy_read_it(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    random.seed(seed)
    monkeypatch.setattr(csv_lines, "PIECE_BYTES", random.randint(1, 60))  # several blocks
    monkeypatch.setattr(cells, "FEW", random.choice([2, 256]))
    words = ["a", 'say "hi"', "two\nlines", "a,b", "", "ü", " x"]
    makers: list[Any] = [
        lambda: str(random.randint(-(2**63), 2**63 - 1)),
        lambda: repr(random.gauss(0, 10.0 ** random.randint(-20, 20))),
        lambda: random.choice(words),
        lambda: random.choice(["", "1", "2.5", "nan", "-inf"]),
    ]
    chosen = [random.choice(makers) for _ in range(random.randint(1, 5))]
    rows = [[make() for make in chosen] for _ in range(random.randint(1, 30))]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator=random.choice(["\n", "\r\n"]), quoting=random.choice([0, 1]))
    writer.writerows([[f"c{i}" for i in range(len(chosen))], *rows])
    kept = [row for row in csv.reader(io.StringIO(text.getvalue(), newline="")) if row][1:]
    arrays = gathered(table := read(text.getvalue()))
    for place, column in enumerate(table.columns):
        given = [row[place] for row in kept]
        if column.categories is not None:
            assert [column.categories[code] for code in arrays[column.name]] == given
        elif column.dtype == "int64":
            assert arrays[column.name].tolist() == [int(cell) for cell in given]
        else:
            expected = [float(cell) if cell else np.nan for cell in given]
            assert np.array_equal(arrays[column.name], expected, equal_nan=True)


@pytest.mark.parametrize(
    "text, detail",
    [
        ("a,b\n1,2\n3\n4,5\n", "line 3: expected 2 cells, as in the header, got 1"),
        ("a,b\n1,2\n\n3,4,5\n", "line 4: expected 2 cells, as in the header, got 3"),
        ('a,b\n"x\ny",2\n3\n', "line 4: expected 2 cells"),
        ('a,b\n1,2\n"3,4\n', "line 3: it ends in quotation marks that are not closed"),
        ('a,b\n1,"2"3\n', "line 2: ',' expected after '\"'"),
        (b"a,b\n1,2\n3,\xff\n", "line 3: it is not UTF-8"),
        ("a,b\n1,2\r3,4\r5,6\r", "line 2: a carriage return is not followed by a line feed"),
        ("a\n1\n1e999\n", "line 3: '1e999' is out of the range of float64"),
        ("", "a CSV has a header"),
        ("a,b\n", "a dataset has columns and rows, got 2 and 0"),
        ("a,a\n1,2\n", "two columns have the name 'a'"),
        (
            ",a\n1,2\n",
            "line 1: column 1 has no name: write one; pandas leaves its index out with index=False",
        ),
        ("a,b,\n1,2,\n", "line 1: the header ends in a comma, after which a name is missing"),
        ("a,b\n1,2,\n", "line 2: expected 2 cells, as in the header, got 3"),
        ("a\n" + "x" * 300 + "\n", "line 2: column 'a' has a text of more than 256 characters"),
        (
            "a\n" + "".join(f"{i}\n" for i in range(1000)) + "oops\n",
            "line 1002: column 'a' has numbers, got 'oops'",
        ),
        ("a\n" + "".join(f"w{i}\n" for i in range(10_001)), "has too many different texts"),
    ],
)
def test_a_broken_line_is_refused_by_its_number(
    text: str, detail: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csv_lines, "PIECE_BYTES", 1000)
    assert detail in refusal(text)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, size in (("PIECE_BYTES", 64), ("LINE_BYTES", 100)):
        monkeypatch.setattr(csv_lines, name, size)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("lines", [1, 50])
def test_a_line_without_end_is_refused(lines: int) -> None:
    detail = refusal("a\n" + "1\n" * lines + "1" * 400)
    assert detail == f"line {lines + 2}: it, or its row, has more than 100 bytes"


@pytest.mark.usefixtures("small")
def test_a_row_of_many_lines_is_refused() -> None:
    text = "a\n" + "1\n" * 200 + '"' + "long\n" * 800 + '"\n'
    found = re.fullmatch(r"line ([0-9]{3}): it, or its row, has more than 100 bytes", refusal(text))
    assert found and 202 <= int(found[1]) <= 260


@pytest.mark.usefixtures("small")
def test_a_row_of_several_lines_may_go_on_in_the_next_piece() -> None:
    table = read("a,b\n" + '"one\ntwo\nthree",1\n' * 30 + 'x"y,2\n' * 30 + '"x""y",2\n')
    assert table.columns[0].categories == ("one\ntwo\nthree", 'x"y')
    assert gathered(table)["a"].tolist() == [0] * 30 + [1] * 31


@pytest.mark.usefixtures("small")
def test_bytes_that_are_no_text_are_refused_by_line() -> None:
    found = refusal(b"a\n" + b"1\n" * 100 + b"\xff\n")
    assert found == "line 102: it is not UTF-8: invalid start byte; save the file as UTF-8"


@pytest.mark.usefixtures("small")
def test_blocks_are_small_however_long_cells_are() -> None:
    table = read("a\n" + (90 * " " + "7\n") * 100)
    assert max(len(block.numbers) for block in table.blocks()) <= 2
    assert gathered(table)["a"].tolist() == [7] * 100


def test_a_header_of_too_many_names_is_refused_at_once() -> None:
    assert refusal("a," * 10_001 + "\n") == "10002 columns, at most 10000 are allowed"


def test_wide_tables_hold_few_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cells, "MOST_NUMBERS", 20)
    monkeypatch.setattr(csv_lines, "PIECE_BYTES", 30)
    lines = [",".join(str(row * 10 + place) for place in range(10)) for row in range(10)]
    text = ",".join(f"c{place}" for place in range(10)) + "\n" + "\n".join(lines) + "\n"
    assert kinds(read(text)) == [(f"c{place}", "int64") for place in range(10)]
    assert "has numbers, got 'x'" in refusal(text + "x" + ",1" * 9 + "\n")


def test_numbers_above_int64_become_floats() -> None:
    table = read(f"a,b\n{2**63},{2**63 - 1}\n1,{-(2**63)}\n")
    assert kinds(table) == [("a", "float64"), ("b", "int64")]
    assert gathered(table)["b"].tolist() == [2**63 - 1, -(2**63)]


@pytest.mark.parametrize("cell", ["１", "0x10", "1 2", "--1", "1e", "no"])
def test_what_is_no_number_is_a_text(cell: str) -> None:
    assert read(f'a\n"{cell}"\n2\n').columns[0].categories == tuple(sorted([cell, "2"]))


def test_spaces_around_numbers_and_names_are_left_out() -> None:
    table = read("a, b\n1, 2.5\n 3,4 \n")
    assert kinds(table) == [("a", "int64"), ("b", "float64")]
    assert {name: array.tolist() for name, array in gathered(table).items()} == {"a": [1, 3], "b": [2.5, 4.0]}


def test_a_byte_order_mark_is_no_part_of_the_first_name() -> None:
    assert kinds(read(b"\xef\xbb\xbfa\n1\n")) == [("a", "int64")]


@pytest.mark.parametrize(
    "text, detail",
    [
        ("a;b\n1;2\n", "line 1: its cells are separated by ';', expected commas"),
        ("a;b\n1,5;2,5\n", "line 1: its cells are separated by ';', expected commas"),
        ("\na\tb\n1\t2\n", "line 2: its cells are separated by tabs"),
        ("a|b\nx|2\n", "line 1: its cells are separated by '|'"),
        ("a b\n1 2\n", "line 1: its cells are separated by spaces"),
        ("1;2\n3;4\n", "line 1: its cells are separated by ';'"),
    ],
)
def test_other_separators_are_refused_by_name(text: str, detail: str) -> None:
    assert refusal(text).startswith(detail)
    assert "pandas.read_csv(path, sep=" in refusal(text)


@pytest.mark.parametrize("text", ["full name\nAnn Lee\n", "width (cm; inch)\n7\n", "a|b,c\n1,2\n"])
def test_a_name_may_have_what_others_separate_by(text: str) -> None:
    assert len(read(text).columns) == len(text.splitlines()[0].split(","))


@pytest.mark.parametrize(
    "line, number",
    [
        ("5.1,3.5,setosa", "5.1"),
        ("4,1,5", "4"),
        ("63,1,145", "63"),
        ("0", "0"),
        ("-1,0,1", "-1"),
        ("1e3,x", "1e3"),
    ],
)
def test_a_row_of_numbers_in_place_of_names_is_refused(line: str, number: str) -> None:
    detail = f"line 1: the header has the number '{number}' in place of a name: begin the file with a line"
    assert refusal(f"{line}\n{line}\n").startswith(detail)


@pytest.mark.parametrize(
    "line",
    ["0,1,2", "1,2", "label,0,1", "country,1990,2000,2005", "2020,2021", "nan,inf"]
    + ["id,10,50,90", "label,152,153,154", "y,2,3", "y,9,007,1", "4,1,flat"],
)
def test_names_may_be_digits_beside_others_or_count_or_be_years(line: str) -> None:
    assert [name for name, _ in kinds(read(f"{line}\n{line}\n"))] == line.split(",")


@pytest.mark.parametrize(
    "first, second, found",
    [
        ("1,5", "2,25", "1,5"),
        ("1", "1,000", "1,000"),
        ("999", "1 000", "1 000"),
        ("1'000", "", "1'000"),
        ("1.000,5", "7", "1.000,5"),
        ("1_000", "7", "1_000"),
        ("5 %", "7", "5 %"),
        ("$5", "$6.50", "$5"),
        ("1,5", "NA", "1,5"),
    ],
)
def test_numbers_that_are_written_otherwise_are_refused(first: str, second: str, found: str) -> None:
    detail = refusal(f'a,b\n"{first}",1\n"{second}",2\n')
    line = 2 if found == first else 3
    mend = "write numbers without separators and signs, and decimals with a point"
    named = "if its cells are texts, name it in texts='a'"
    assert detail == f"line {line}: column 'a' has {found!r}: {mend}; {named}"


@pytest.mark.parametrize("gap", ["NA", "n/a", "null", "None", "-", "?", "#N/A"])
def test_texts_for_gaps_among_numbers_are_refused(gap: str) -> None:
    detail = f"line 4: column 'a' has numbers, and '{gap}': leave the cell empty where a number is missing"
    named = "if its cells are texts, name it in texts='a'"
    assert refusal(f"a\n1\n2\n{gap}\n3\n{gap}\n") == f"{detail}; {named}"


@pytest.mark.parametrize("text", ["nane5", "infe5", "-Infinitye+1", ".e5", "e5", "1e", "1e5.0"])
def test_only_digits_have_an_exponent(text: str) -> None:
    assert read(f"a,b\n{text},1\n2,1\n").columns[0].categories == tuple(sorted([text, "2"]))


@pytest.mark.parametrize("texts", [["NA", "DE"], ["-", "?"], ["1,5", "much"], ["1", "NA", "high"]])
def test_words_of_a_language_stay_categories(texts: list[str]) -> None:
    table = read("a,b\n" + "".join(f'"{text}",1\n' for text in texts))
    assert table.columns[0].categories == tuple(sorted(texts))


@pytest.mark.usefixtures("small")
def test_duplicate_names_are_refused_before_more_rows_are_read() -> None:
    assert refusal(b"a,a\n" + b"1,2\n" * 50 + b"\xff\n") == "two columns have the name 'a'"


def test_categories_have_few_characters_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(categories, "MOST_CHARACTERS", 20)
    assert len(read("a,b\nfour,five\nfour,nine\n").columns) == 2
    detail = refusal("a,b\nfour,five\nseven,eleven\nmany,more\n")
    assert "column 'b' has too long texts: at most 20 characters in all categories of the table" in detail


def test_utf16_is_refused() -> None:
    assert refusal("a,b\n1,2\n".encode("utf-16")).startswith("line 1: it is not UTF-8")


@pytest.mark.parametrize(
    "cells", [["192.168.100", "10.1.2"], ["1,5", "0,1"], ["0", "none"], ["1", "2", "-"], ["007"]]
)
def test_a_column_that_is_named_has_texts(cells: list[str]) -> None:
    body = "a,b\n" + "".join(f'"{cell}",{place}\n' for place, cell in enumerate(cells))
    for text in (body, body.replace('"', "") if "," not in "".join(cells) else body):
        table = csv_format.read(memoryview(text.encode()), lambda *_: None, ["a"])
        assert table.columns[0].categories == tuple(sorted(cells)) and table.columns[1].categories is None


def test_numbers_of_another_program_have_one_mark_between_thousands() -> None:
    for text in ("1.234 567", "012.345.678", "1,234.567,8.9"):
        assert read(f'a,b\n"{text}",1\n').columns[0].categories == (text,)


def test_a_column_of_texts_that_is_not_there_is_refused() -> None:
    with pytest.raises(Refused, match="there is no column 'cod'; did you mean 'code'") as refused:
        csv_format.read(memoryview(b"code,b\n1,2\n"), lambda *_: None, ["cod"])
    assert refused.value.pointer == "/texts"
