"""Keep torch.compile out of a call, without importing torch."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


def untraced(function: Callable[P, R]) -> Callable[P, R]:
    """Return a function that torch.compile calls as it is.

    torch.compile traces whatever a compiled function calls, and takes numpy for torch. A request cannot be
    traced: the compiled graph ends before it and begins again after it. With `fullgraph=True`, torch refuses.
    """
    eager: list[Callable[P, R]] = []

    @wraps(function)
    def call(*arguments: P.args, **options: P.kwargs) -> R:
        if not eager:
            if "torch._dynamo" not in sys.modules:  # nothing is compiled yet; importing it takes seconds
                return function(*arguments, **options)
            torch: Any = sys.modules["torch"]
            eager.append(torch.compiler.disable(function, reason="deltawire sends a request"))
        return eager[0](*arguments, **options)

    return call
