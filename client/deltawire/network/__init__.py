"""Networks as callers build them: by calls and operators, from a spec, or from a file."""

from deltawire.network.handle import Handle
from deltawire.network.network import Network

__all__ = ["Handle", "Network"]
