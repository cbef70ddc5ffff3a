"""The arrays of a step as the ledger keeps them: in the entry, or in a segment where they are large."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from deltawire import wire
from deltawire.wire import Array
from deltawire_service.engine import lock
from deltawire_service.store import segments
from deltawire_service.store.folders import ModelFolder
from deltawire_service.store.segments import Stretch

INLINE_BYTES = 2**20
LIMITS = replace(wire.DEFAULT, tensor_header_bytes=2**30, tensors=2**30, elements=2**62, rank=64)
"""No bounds: the arrays were within those of a request when they came."""


def store(
    folder: ModelFolder,
    find_last: Callable[[], Stretch | None],
    arrays: Mapping[str, Array],
    durable: bool = True,
) -> bytes | Stretch | None:
    """Return the bytes of arrays for an entry, or the stretch of a segment that has them, synced.

    Args:
        folder: the folder of the model.
        find_last: returns the last stretch that an entry names.
        arrays: the arrays by name.
        durable: the step must not be lost. If it may be, large arrays are not stored at all, for storing
            them takes longer than many a step.

    Returns:
        The batch of the entry; None where it is not stored.

    Raises:
        StoreFull, StoreUnavailable: they cannot be written.
    """
    if not durable and sum(array.nbytes for array in arrays.values()) > INLINE_BYTES:
        return None
    parts = wire.encode_in_parts(arrays, wire.SAFETENSORS, part="batch")
    if sum(map(len, parts)) <= INLINE_BYTES:
        return b"".join(parts)
    return segments.append(folder.segments, find_last(), parts)


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
