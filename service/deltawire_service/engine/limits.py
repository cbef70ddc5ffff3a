"""How large a network and a request may be."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """The bounds that are checked before anything is computed."""

    nodes: int = 640
    """Nodes in a network."""

    rank: int = 8
    """Axes of a tensor, the batch axis included."""

    elements: int = 2**26
    """Numbers in one tensor that a caller sends or declares."""

    planned_bytes: int = 5 * 2**28
    """Peak memory of one request, in bytes, as planned from shapes: with GPT-2 small, a step of any batch."""

    planned_operations: int = 2**40
    """Operations of one request, as planned from shapes: those of half a minute on a fast core."""

    settings_prefix: str = ""
    """What the settings that raise the bounds begin with, for the messages of refusals; empty: none do."""

    def setting(self, bound: str) -> str:
        """Return the end of a message about a bound: the setting that raises it, if there is one."""
        return f" ({self.settings_prefix}{bound.upper()})" if self.settings_prefix else ""
