"""The tasks of a run: what each segment needs, and how its numbers reach the worker."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import isfinite
from pathlib import Path
from secrets import token_hex
from time import monotonic, time

from deltawire.wire import Array
from deltawire_service.cluster.array_sources import ArraySource, FileArrays, InlineArrays, Place
from deltawire_service.cluster.dispatching.blobs import Blob, Blobs
from deltawire_service.cluster.dispatching.digests import Digests
from deltawire_service.cluster.links import Links, Stretch
from deltawire_service.cluster.task import SegmentTask, write_task
from deltawire_service.engine import Segments, current_deadline
from deltawire_service.mapped_pages import FilePlace, find_place

SHARED_BYTES = 2**16
"""Bytes of arrays that all segments need, up to which they travel with each task."""

ROW_BYTES = 2**23
"""Bytes of rows, over all segments, up to which they travel with the tasks."""

LONGEST_SECONDS = 3600.0
"""How long tasks may take that have no deadline."""


class Sender:
    """Makes the tasks of one computation, and removes its files at the end.

    Args:
        blobs: the files of this process.
        digests: those of rows in files.
        links: makes links to them.
        service: the address at which workers reach the service; empty where they share its folder.
        fingerprint: the fingerprint of this process.
    """

    def __init__(self, blobs: Blobs, digests: Digests, links: Links, service: str, fingerprint: str):
        left = current_deadline() - monotonic()
        self._expires = time() + (left if isfinite(left) else LONGEST_SECONDS)
        self._blobs = blobs
        self._digests = digests
        self._links = links
        self._service = service
        self._fingerprint = fingerprint
        self._written = dict[tuple[int, ...], tuple[Blob, Mapping[str, Array]]]()
        """Files by the arrays in them, which are held: the runs of one computation share parameters."""

    def tasks(self, segments: Segments) -> Iterator[tuple[str, bytes]]:
        """Yield the key of each segment's task, unlike any other, and the task as bytes.

        Raises:
            StoreFull, StoreUnavailable: a file cannot be written.
            DeadlineExceeded: the deadline has passed.
        """
        shared = self._share(segments.shared)
        files = dict[str, FilePlace]()
        inline = dict[str, Array]()
        for name, array in segments.batched.items():
            place = find_place(array)
            if place and place.path.is_relative_to(self._blobs.data_dir):
                files[name] = place
            else:
                inline[name] = array
        if sum(array.nbytes for array in inline.values()) > ROW_BYTES:
            for name, array in inline.items():
                files[name] = FilePlace(self._write({name: array}).path, 0)
            inline = {}
        run = token_hex(8)  # what identifies a run by its content would take longer to compute
        for index, rows in enumerate(segments.rows):
            sources = [*shared]
            if inline:
                sources.append(InlineArrays({name: array[rows] for name, array in inline.items()}))
            for name, place in files.items():
                sources.append(self._rows(name, segments.batched[name], place, rows))
            task = SegmentTask(
                segments.description,
                rows.start,
                segments.bounds(index),
                tuple(sources),
                self._service,
                self._fingerprint,
                self._expires,
            )
            yield f"segment-{run}-{index}", write_task(task)

    def close(self) -> None:
        """Remove the files."""
        for blob, _ in self._written.values():
            blob.path.unlink(missing_ok=True)

    def _share(self, arrays: Mapping[str, Array]) -> list[ArraySource]:
        if sum(array.nbytes for array in arrays.values()) <= SHARED_BYTES:
            return [InlineArrays(arrays)]
        parts = dict[str, dict[str, Array]]()
        for name, array in arrays.items():  # parameters apart: they stay the same for several directions
            parts.setdefault(name.partition("/")[0], {})[name] = array
        sources = list[ArraySource]()
        for part in parts.values():
            blob = self._write(part)
            stretch = Stretch(self._below(blob.path), 0, blob.size)
            sources.append(self._file(stretch, blob.places, blob.digest, is_shared=True))
        return sources

    def _rows(self, name: str, array: Array, place: FilePlace, rows: slice) -> FileArrays:
        row_bytes = array[:1].nbytes
        begin, count = place.begin + rows.start * row_bytes, rows.stop - rows.start
        stretch = Stretch(self._below(place.path), begin, count * row_bytes)
        placed = Place(name, 0, array.dtype.str, (count, *array.shape[1:]))
        return self._file(stretch, (placed,), self._digests.of(stretch, array[rows]))

    def _file(
        self, stretch: Stretch, places: tuple[Place, ...], digest: str, is_shared: bool = False
    ) -> FileArrays:
        link = self._links.make(stretch, self._expires)
        return FileArrays(*stretch, link, places, digest, is_shared)

    def _write(self, arrays: Mapping[str, Array]) -> Blob:
        key = tuple(map(id, arrays.values()))
        if key not in self._written:
            self._written[key] = self._blobs.write(arrays), arrays
        return self._written[key][0]

    def _below(self, path: Path) -> str:
        return path.relative_to(self._blobs.data_dir).as_posix()
