"""Shapes, sizes and counts as people read them."""

from __future__ import annotations

from collections.abc import Sequence


def shape_text(shape: Sequence[int | str]) -> str:
    """Return a shape as Python writes a tuple."""
    return f"({', '.join(map(str, shape))}{',' if len(shape) == 1 else ''})"


def size_text(count: float) -> str:
    """Return a number of bytes, in a unit that keeps it small."""
    for unit in ("B", "KiB", "MiB", "GiB", "TiB"):
        if count < 1024 or unit == "TiB":
            break
        count /= 1024
    return f"{count:.3g} {unit}" if count < 100 else f"{count:,.0f} {unit}"


def counted(count: int, name: str, plural: str | None = None) -> str:
    """Return a count with its noun, such as `3 layers`.

    Args:
        count: How many.
        name: The noun in the singular.
        plural: The noun in the plural; by default the singular with an s.
    """
    return f"{count:,} {name if count == 1 else plural or f'{name}s'}"
