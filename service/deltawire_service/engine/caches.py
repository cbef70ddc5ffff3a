"""One budget in bytes for everything that a process caches: networks, programs, plans, options of requests.

Entries of all sorts stand in one order of use, and the least recently used ones go first. A request uses its
network before what is derived from it, so that nothing derived outlives its network by more than a moment.
"""

from __future__ import annotations

import sys
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable
from threading import Lock
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any, TypeVar

import numpy as np

T = TypeVar("T")

CACHE_BYTES = 32 * 2**20
"""The budget of caches that are given none."""

ENTRY_BYTES = 256
"""Bytes that an entry takes beside its key and its value."""

CODE = (type, ModuleType, FunctionType, MethodType, BuiltinFunctionType, np.dtype)
"""Objects that entries refer to, and that live whether they do or not."""


class Caches:
    """The caches of a process. Shared between threads.

    Args:
        most_bytes: bytes that all entries together may take. A larger entry is not kept.
    """

    def __init__(self, most_bytes: int = CACHE_BYTES):
        self.bytes = 0
        """Bytes that all entries together take."""
        self._most_bytes = most_bytes
        self._entries: OrderedDict[Hashable, tuple[Any, int]] = OrderedDict()
        self._lock = Lock()

    def find(self, key: Hashable) -> Any:
        """Return the value of a key, and make it the most recently used; None without an entry."""
        try:  # without the lock, for every request comes here: each call is atomic
            self._entries.move_to_end(key)
            return self._entries[key][0]
        except KeyError:
            return None

    def keep(self, key: Hashable, value: T, beside: Iterable[Any] = ()) -> T | None:
        """Keep a value, unless its key has one.

        Args:
            key: the key, whose bytes count too.
            value: the value, not None.
            beside: objects that live longer than the entry, and are not counted.

        Returns:
            The value that the key has now; None when this one is too large to be kept.
        """
        size = ENTRY_BYTES + bytes_of((key, value), beside)
        released = []  # freed outside the lock: a large network takes a while
        with self._lock:
            if known := self._entries.get(key):
                return known[0]  # type: ignore[no-any-return]
            if size > self._most_bytes:
                return None
            self._entries[key] = value, size
            self.bytes += size
            while self.bytes > self._most_bytes:
                _, entry = self._entries.popitem(last=False)
                self.bytes -= entry[1]
                released.append(entry)
        return value

    def cached(
        self, function: Callable[..., T], beside: Callable[..., Iterable[Any]] = lambda *_: ()
    ) -> Callable[..., T]:
        """Return the function with its results cached.

        Args:
            function: a function of arguments that can be keys; its result is not None.
            beside: returns, for the same arguments, the objects that live longer than the result.
        """
        own = object()  # tells its entries from those of other functions

        def call(*arguments: Any) -> T:
            key = own, arguments
            found: T | None = self.find(key)
            if found is not None:
                return found
            result = function(*arguments)
            kept = self.keep(key, result, beside(*arguments))
            return result if kept is None else kept

        return call


def bytes_of(value: Any, beside: Iterable[Any] = ()) -> int:
    """Return the bytes of a value and of everything it refers to, each object once.

    Args:
        value: the value.
        beside: objects that are not counted.
    """
    seen = set(map(id, beside))
    waiting, total = [value], 0
    while waiting:
        each = waiting.pop()
        if id(each) in seen or isinstance(each, CODE):
            continue
        seen.add(id(each))
        total += sys.getsizeof(each)
        if isinstance(each, dict):
            waiting += each.keys()
            waiting += each.values()
        elif isinstance(each, list | tuple | set | frozenset):
            waiting += each
        elif hasattr(each, "__dict__"):
            total += sys.getsizeof(vars(each))
            waiting += vars(each).values()  # the names of attributes belong to the code
    return total
