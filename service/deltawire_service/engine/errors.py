"""The error of a layer that breaks its contract."""

from __future__ import annotations

from deltawire.errors import Fault
from deltawire_service.faults import ServiceError


class PluginError(ServiceError):
    """The layer of a node raised, or returned something its contract forbids.

    The cause is chained. Its text is for the log, not for callers.

    Args:
        node: name of the node.
        kind: kind of its layer.
        reason: what went wrong, as the end of a sentence: `fails in its forward pass`.
    """

    code = "plugin_error"

    def __init__(self, node: str, kind: str, reason: str):
        super().__init__(f"node '{node}': layer '{kind}' {reason}")
        self.node = node
        self.kind = kind
        self.reason = reason

    def __reduce__(self) -> tuple[type[PluginError], tuple[str, str, str]]:
        return type(self), (self.node, self.kind, self.reason)

    @property
    def faults(self) -> tuple[Fault, ...]:
        """The one fault, without the text of the cause."""
        detail = f"the layer of node '{self.node}', of kind '{self.kind}', failed; the request may be right"
        return (Fault("", self.code, detail),)
