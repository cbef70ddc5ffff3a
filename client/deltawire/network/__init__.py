"""Networks as callers build them: by calls and operators, from a spec, or from a file."""

from deltawire.network.network import Handle, Network

__all__ = ["Handle", "Network"]
