"""How large a network and a request may be."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """The bounds that are checked before anything is computed."""

    nodes: int = 512
    """Nodes in a network."""

    rank: int = 8
    """Axes of a tensor, the batch axis included."""

    elements: int = 2**26
    """Numbers in one tensor that a caller sends or declares."""

    planned_bytes: int = 512 * 2**20
    """Peak memory of one request, in bytes, as planned from shapes."""

    planned_bytes_setting: str = ""
    """Name of the setting that raises `planned_bytes`, for the message of a refusal; empty: there is none."""
