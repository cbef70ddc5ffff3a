"""Tables of functions by the names of what they stand for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])


class Named(dict[str, Callable[..., Any]]):
    """Functions by name, written beside them: `@TABLE.register("add", "plus")`."""

    def register(self, *names: str) -> Callable[[F], F]:
        def entered(function: F) -> F:
            self.update(dict.fromkeys(names, function))
            return function

        return entered
