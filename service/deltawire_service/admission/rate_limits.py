"""How often each key may send a request, over all worker processes."""

from __future__ import annotations

import os
import struct
import tempfile
from threading import Lock

from deltawire_service.admission.api_keys import Key
from deltawire_service.faults import ServiceError

BURST = 1.0
"""Seconds whose requests may come at once."""


class RateLimited(ServiceError):
    """The key has sent too many requests. `retry_after`: whole seconds until it may send one again."""

    code = "rate_limited"

    def __init__(self, retry_after: int):
        super().__init__(f"the key may send the next request in {retry_after} s")
        self.headers = (("Retry-After", str(retry_after)),)


class Rates:
    """The time of each key's next request, shared by processes that are forked later and by their threads.

    It is the generic cell rate algorithm (ITU-T I.371): one number a key, the time at which the key would be
    even with its rate. The key may be `BURST` seconds ahead of it.
    """

    def __init__(self, count: int):
        self._lock = Lock()
        if hasattr(os, "memfd_create"):
            self._file = os.memfd_create("deltawire-rates")  # works where no disk can be written to
        else:
            self._file = os.dup(tempfile.TemporaryFile().fileno())
        os.ftruncate(self._file, 8 * count)

    def take(self, key: Key, now: float) -> float:
        """Take a request's place in the rate of a key.

        Returns:
            0 when the request may be answered now; else the seconds to wait, and no place is taken.
        """
        import fcntl  # Windows has none; there the service runs embedded, without keys

        interval = 1 / key.requests_per_second
        ahead = max(0.0, BURST - interval)
        with self._lock:  # between threads
            fcntl.lockf(self._file, fcntl.LOCK_EX)  # between processes; the system frees it when one dies
            try:
                (even,) = struct.unpack("d", os.pread(self._file, 8, 8 * key.place))
                wait = even - now - ahead
                if wait > 0:
                    return float(wait)
                os.pwrite(self._file, struct.pack("d", max(even, now) + interval), 8 * key.place)
                return 0.0
            finally:
                fcntl.lockf(self._file, fcntl.LOCK_UN)
