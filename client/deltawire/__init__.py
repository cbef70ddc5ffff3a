"""The client of deltawire: gradients of a network on a batch, from a service or in this process.

from deltawire import Client, Network
"""

from deltawire.client import Client, Gradients
from deltawire.errors import (
    DeltawireError,
    Fault,
    NotInstalled,
    PluginFailed,
    Refused,
    ServiceFailed,
    TimedOut,
    Unreachable,
)
from deltawire.network import Handle, Network
from deltawire.published import Published
from deltawire.retries import Retries

__all__ = [
    "Client", "DeltawireError", "Fault", "Gradients", "Handle", "Network", "NotInstalled", "PluginFailed",
    "Published", "Refused", "Retries", "ServiceFailed", "TimedOut", "Unreachable",
]  # fmt: skip
