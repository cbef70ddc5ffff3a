"""Links to numbers in files of the service: signed, and valid for a time, so that no API key travels."""

from __future__ import annotations

import hmac
import os
from collections.abc import Mapping
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from secrets import token_bytes, token_hex
from time import time
from typing import NamedTuple, Self
from urllib.parse import quote, urlencode

from deltawire_service.store.errors import StoreUnavailable, disk_errors
from deltawire_service.store.folders import opened, sync_folder, write_all

ROUTE = "/v1/blobs/"

SECRET_BYTES = 32


class Stretch(NamedTuple):
    """Some bytes of a file."""

    path: str
    """Below the folder of the service, with slashes."""
    begin: int
    size: int


class Links:
    """Makes links, and reads those that come back.

    Args:
        secret: what signs them; all processes of a service have the same.
    """

    def __init__(self, secret: bytes):
        self._secret = secret

    @classmethod
    def of_folder(cls, folder: Path) -> Self:
        """Return the links of a folder, whose secret is made with the first of them.

        Raises:
            StoreFull, StoreUnavailable: the secret cannot be written or read, or is damaged.
        """
        path = folder / "secret"
        with disk_errors():
            if not path.exists():
                _make_secret(path)
            secret = path.read_bytes()
        if len(secret) != SECRET_BYTES:
            raise StoreUnavailable(f"{path} is damaged: remove it, and start the service again")
        return cls(secret)

    def make(self, stretch: Stretch, expires: float) -> str:
        """Return the path and the query of a link. expires: when it ends, in seconds since 1970."""
        numbers = {"begin": stretch.begin, "size": stretch.size, "expires": int(expires)}
        query = urlencode(numbers | {"signature": self._sign(stretch, int(expires))})
        return f"{ROUTE}{quote(stretch.path)}?{query}"

    def read(self, path: str, query: Mapping[str, str]) -> Stretch | None:
        """Return the stretch of a link; None where it is not signed, or has expired.

        Args:
            path: the path of the file in it.
            query: its query.
        """
        try:
            begin, size, expires = (int(query[name]) for name in ("begin", "size", "expires"))
            signature = query["signature"].encode()
        except (KeyError, ValueError):
            return None
        stretch = Stretch(path, begin, size)
        if not hmac.compare_digest(self._sign(stretch, expires).encode(), signature) or expires < time():
            return None
        return stretch

    def _sign(self, stretch: Stretch, expires: int) -> str:
        text = repr((stretch.path, stretch.begin, stretch.size, expires))
        return hmac.new(self._secret, text.encode(), sha256).hexdigest()


def _make_secret(path: Path) -> None:
    """Make a secret that lasts through a loss of power, or take that of a process that was first."""
    made = path.with_name(f"secret-{token_hex(8)}")
    try:
        with opened(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL) as descriptor:
            write_all(descriptor, token_bytes(SECRET_BYTES), 0)
            os.fsync(descriptor)
        with suppress(FileExistsError):
            os.link(made, path)
    finally:
        made.unlink(missing_ok=True)
    sync_folder(path.parent)
