"""The arrays of a step as the ledger keeps them: in the entry, or in a segment where they are large."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from deltawire import wire
from deltawire.wire import Array
from deltawire_service.engine import lock
from deltawire_service.store import segments
from deltawire_service.store.folders import ModelFolder
from deltawire_service.store.segments import Stretch

INLINE_BYTES = 2**16
"""Bytes that an entry has in the database, at most. More are faster in a file, which is synced meanwhile."""

KEPT_BYTES = 2**20
"""Bytes that are kept of a step that may be lost, at most: to write more takes longer than many a step."""

Batch = bytes | Stretch | None
"""What an entry has of the arrays: their bytes, or their place in a segment; None where they are not kept."""

LIMITS = replace(wire.DEFAULT, tensor_header_bytes=2**30, tensors=2**30, elements=2**62, rank=64)
"""No bounds: the arrays were within those of a request when they came."""


class Storing:
    """Arrays that are being stored.

    Args:
        folder: the folder of the model's segments.
        task: what writes them to a segment.
    """

    def __init__(self, folder: Path, task: Future[Stretch]):
        self._folder, self._task = folder, task
        self._taken = False

    def result(self) -> Stretch:
        """Return the stretch that has the arrays, synced. A row may name it from now on.

        Raises StoreFull or StoreUnavailable where they cannot be written.
        """
        stretch = self._task.result()
        self._taken = True
        return stretch

    def take_back(self) -> None:
        """Remove the arrays, unless a row may name them."""
        if not self._taken and self._task.exception() is None:
            segments.remove_last(self._folder, self._task.result())


@contextmanager
def storing(
    writers: Executor,
    folder: ModelFolder,
    find_last: Callable[[], Stretch | None],
    arrays: Mapping[str, Array],
    durable: bool = True,
) -> Iterator[Callable[[], Batch]]:
    """Store arrays for an entry while something else is computed; remove them again where that fails.

    Args:
        writers: the threads that write large arrays.
        folder: the folder of the model.
        find_last: returns the last stretch that an entry names.
        arrays: the arrays by name.
        durable: the step must not be lost.

    Returns:
        A context with the function that returns the batch of the entry, once it is stored.
    """
    if not durable and sum(array.nbytes for array in arrays.values()) > KEPT_BYTES:
        yield lambda: None
        return
    parts = wire.encode_in_parts(arrays, wire.SAFETENSORS, part="batch")
    if sum(map(len, parts)) <= (INLINE_BYTES if durable else KEPT_BYTES):
        yield lambda: b"".join(parts)
        return
    task = writers.submit(segments.append, folder.segments, find_last(), parts)
    stored = Storing(folder.segments, task)
    try:
        yield stored.result
    except BaseException:
        stored.take_back()
        raise


def read(folder: ModelFolder, batch: bytes | Stretch) -> dict[str, Array]:
    """Return the arrays of an entry, read-only.

    folder: the folder of the model.

    Raises:
        StoreUnavailable: the segment cannot be read.
    """
    data = segments.read(folder.segments, batch) if isinstance(batch, Stretch) else batch
    arrays = wire.read_checkpoint(data, LIMITS)
    for array in arrays.values():
        lock(array)
    return arrays
