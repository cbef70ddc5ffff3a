"""The errors of the store."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from deltawire_service.faults import ServiceError


class StoreUnavailable(ServiceError):
    """The disk fails, is read-only, or the folder is gone: nothing was changed."""

    code = "store_unavailable"
    detail = "the disk that data is kept on cannot be used now; nothing was changed"


class FileMissing(StoreUnavailable):
    """A file of the store is missing: trying again does not help."""

    detail = "a file of the store is missing; nothing was changed"


class LockGone(StoreUnavailable):
    """The file of a lock is gone, and so is what it was for."""


class StoreFull(ServiceError):
    """The disk is full: nothing was changed."""

    code = "store_full"
    detail = "the disk that data is kept on is full; nothing was changed"


class QuotaExceeded(ServiceError):
    """The owner has as much as an owner may have: nothing was changed."""

    code = "quota_exceeded"


class KeyReused(ServiceError):
    """The Idempotency-Key came before, with another request, or for what is gone."""

    code = "idempotency_key_reused"


class AnswerExpired(ServiceError):
    """A part of an answer is wanted again that is not stored, and cannot be made again."""

    code = "answer_expired"


class OutcomeUnknown(ServiceError):
    """The disk failed while a change was written: it may be kept, or not."""

    code = "outcome_unknown"
    detail = "the disk failed while the change was written; repeat it with the same Idempotency-Key"


class LockBusy(ServiceError):
    """A lock did not become free before the deadline: nothing was changed."""

    code = "model_busy"
    detail = "others were at work on it until the deadline of this request; nothing was changed"
    headers = (("Retry-After", "1"),)


@contextmanager
def disk_errors() -> Iterator[None]:
    """Raise the errors of the operating system as errors of the store.

    Raises:
        StoreFull: there is no room, on the disk, in the user's quota, or below the limit of a file.
        FileMissing: there is no such file, or no folder for it.
        StoreUnavailable: anything else went wrong.
    """
    try:
        yield
    except FileNotFoundError as error:
        raise FileMissing() from error
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
        raise (StoreFull if full else StoreUnavailable)() from error
