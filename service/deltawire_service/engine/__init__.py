"""The engine: spec -> network -> values and deltas. It knows no HTTP.

`compile_network(spec, layers)` gives a `Network`; `network.gradients(params, data)` computes.
"""

from deltawire_service.engine.compile import compile_network
from deltawire_service.engine.errors import PluginError
from deltawire_service.engine.graph import InputSlot, Node
from deltawire_service.engine.limits import Limits
from deltawire_service.engine.network import Network
from deltawire_service.engine.plan import Carriage
from deltawire_service.engine.rows import Result
from deltawire_service.engine.threads import Threads

__all__ = [
    "Carriage",
    "InputSlot",
    "Limits",
    "Network",
    "Node",
    "PluginError",
    "Result",
    "Threads",
    "compile_network",
]
