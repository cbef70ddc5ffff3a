"""What ends a computation: a layer that breaks its contract, or time."""

from __future__ import annotations


class DeadlineExceeded(Exception):
    """The time for the computation is over; noticed between two nodes."""


class PluginError(Exception):
    """The layer of a node raised, or gave back something its contract forbids; the cause is chained.

    `node` and `kind` say whose fault it is. The cause's text is for the log, not for callers.
    """

    def __init__(self, node: str, kind: str, what: str):
        super().__init__(f"node '{node}': layer '{kind}' {what}")
        self.node = node
        self.kind = kind
        self.what = what

    def __reduce__(self) -> tuple[type[PluginError], tuple[str, str, str]]:
        return type(self), (self.node, self.kind, self.what)
