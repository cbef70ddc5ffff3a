"""Headers of pages, byte for byte; those that pyarrow writes are in the tests of Parquet."""

from __future__ import annotations

import random

import pytest

from deltawire_service.datasets.formats.parquet_pages import Page, PageDamaged, read_pages

# A data page of 300 bytes, 2 of them compressed: its encoding is 7, and it has the statistics "ab".
PAGE = bytes([0x15, 0, 0x15, 0xD8, 4, 0x15, 4, 0x2C, 0x15, 2, 0x15, 14, 0x15, 6, 0x15, 6])
PAGE += bytes([0x1C, 0x18, 2]) + b"ab" + bytes([0x11, 0, 0, 0]) + b"zz"
DICTIONARY = bytes([0x15, 4, 0x15, 20, 0x15, 2, 0x4C, 0x15, 2, 0x15, 0, 0x11, 0, 0]) + b"z"


def test_every_page_has_its_size_and_encoding() -> None:
    body = memoryview(b"PAR1" + DICTIONARY + PAGE + PAGE)
    pages = list(read_pages(body, 4, len(body)))
    assert pages == [Page(10, None), Page(300, 7), Page(300, 7)]


@pytest.mark.parametrize(
    "header",
    [b"\x15", b"\x15\xff", b"\0", b"\x1b\0", b"\x1c" * 99, b"\x11" * 99, b"\x19\xf9", b"\x15" + b"\xff" * 20],
)
def test_what_is_no_header_is_refused(header: bytes) -> None:
    with pytest.raises(PageDamaged):
        list(read_pages(memoryview(header), 0, 99))


def test_any_damage_is_found_or_left_to_the_decoder() -> None:
    random.seed(0)
    for _ in range(2000):
        damaged = bytearray(PAGE + PAGE)
        for _ in range(random.randint(1, 4)):
            damaged[random.randrange(len(damaged))] = random.randrange(256)
        try:
            list(read_pages(memoryview(bytes(damaged)), 0, len(damaged)))
        except PageDamaged:
            continue
