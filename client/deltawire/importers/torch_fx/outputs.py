"""Name the tensors of a module's result: those of a tuple, a dict, or an output of transformers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def named_outputs(result: Any) -> dict[str, Any]:
    """Return the tensors of a module's result by name, in order; those that are None are left out.

    A dict gives its keys, a named tuple its fields, any other tuple or list the places. Nested ones are
    joined by dots, as in `hidden_states.1`. A single tensor has the name "".
    """
    return {".".join(path): one for path, one in _leaves(result, ()) if one is not None}


def _leaves(result: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield the path and the value of everything that is no dict, tuple or list."""
    if isinstance(result, tuple | list):
        fields = getattr(result, "_fields", range(len(result)))
        result = dict(zip(fields, result, strict=True))
    if not isinstance(result, dict):
        yield path, result
        return
    for name, one in result.items():
        yield from _leaves(one, (*path, str(name)))


def shown(name: str) -> str:
    """Return an output's name for messages; a single output has none."""
    return f"output '{name}'" if name else "the output"
