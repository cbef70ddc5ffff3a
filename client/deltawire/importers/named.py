"""Tables of functions by the names of what they translate."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])


class Named(dict[str, Callable[..., Any]]):
    """Functions by name, filled by a decorator: `@TABLE.register("add", "plus")`."""

    def register(self, *names: str) -> Callable[[F], F]:
        """Return a decorator that enters a function under each of these names."""

        def enter(function: F) -> F:
            self.update(dict.fromkeys(names, function))
            return function

        return enter
