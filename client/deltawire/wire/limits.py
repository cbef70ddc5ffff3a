"""The bounds on bodies and tensors, with the settings that raise them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Limits:
    """Bounds on what a body may hold, checked before it costs anything to hold it."""

    depth: int = 32
    """Objects and lists inside each other."""

    members: int = 20_000
    """Objects and keys in one document. A tensor in lists has none, a long list of nodes has many."""

    lists: int = 2**20
    """Lists in one document, most of them rows of tensors. Each takes as long as a dozen numbers."""

    rank: int = 8
    """Axes of a tensor."""

    elements: int = 2**26
    """Numbers in a tensor; an axis of size 0 counts as 1."""

    tensors: int = 1000
    """Tensors in a binary body."""

    tensor_header_bytes: int = 2**20
    """Length of the header of a binary body."""

    variables: Mapping[str, str] = field(default_factory=dict, compare=False)
    """The environment variables that raise bounds, by bound, for the messages of refusals."""

    def setting(self, bound: str) -> str:
        """Return the end of a message about a bound: the variable that raises it, if there is one."""
        return f" ({self.variables[bound]})" if bound in self.variables else ""


DEFAULT = Limits()
