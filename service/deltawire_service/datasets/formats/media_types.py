"""The media types of tables, and what reads each."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from deltawire import wire
from deltawire_service.datasets.formats import csv, npy, parquet, safetensors
from deltawire_service.datasets.table import CheckTable, Table

READERS: Mapping[str, Callable[[memoryview, CheckTable], Table]] = {
    wire.SAFETENSORS: safetensors.read,
    "application/x-npy": npy.read,
    "text/csv": csv.read,
    "application/vnd.apache.parquet": parquet.read,
}

SUFFIXES: Mapping[str, str] = {
    ".safetensors": wire.SAFETENSORS,
    ".npy": "application/x-npy",
    ".csv": "text/csv",
    ".parquet": "application/vnd.apache.parquet",
}
"""The media type of a file, by the end of its name."""
