"""The engine: spec -> network -> values and deltas. It knows no HTTP.

`compile_network(spec, layers)` gives a `Network`; `network.gradients(params, data)` computes.
"""

from deltawire_service.engine.compile import compile_network
from deltawire_service.engine.derivatives import (
    Diagonal,
    Direction,
    HessianProducts,
    Jacobian,
    Products,
    Tangents,
)
from deltawire_service.engine.errors import DeadlineExceeded, PluginError
from deltawire_service.engine.graph import InputSlot, Node
from deltawire_service.engine.limits import Limits
from deltawire_service.engine.network import Network
from deltawire_service.engine.plan import Carriage, Plan
from deltawire_service.engine.rows import Result
from deltawire_service.engine.running import Run, Spent, at_once, uncounted
from deltawire_service.engine.threads import Threads

__all__ = [
    "Carriage",
    "DeadlineExceeded",
    "Diagonal",
    "Direction",
    "HessianProducts",
    "InputSlot",
    "Jacobian",
    "Limits",
    "Network",
    "Node",
    "Plan",
    "PluginError",
    "Products",
    "Result",
    "Run",
    "Spent",
    "Tangents",
    "Threads",
    "at_once",
    "compile_network",
    "uncounted",
]
