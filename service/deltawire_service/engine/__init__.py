"""The engine: spec -> network -> values and deltas. It knows no HTTP.

`compile_network(spec, layers)` gives a `Network`; `network.gradients(params, data)` computes.
"""

from deltawire_service.engine.compile.compiler import compile_network
from deltawire_service.engine.derivatives import (
    Diagonal,
    Direction,
    HessianProducts,
    Jacobian,
    Products,
    Tangents,
)
from deltawire_service.engine.errors import DeadlineExceeded, PluginError
from deltawire_service.engine.execute.batch_run import Gradients
from deltawire_service.engine.execute.threads import Threads
from deltawire_service.engine.graph import InputSpec, Node
from deltawire_service.engine.limits import Limits
from deltawire_service.engine.network import Network
from deltawire_service.engine.plan.memory_plan import BodyCost, Plan
from deltawire_service.engine.runner import OnComputeSeconds, Runner, ignore_seconds, run_now

__all__ = [
    "BodyCost",
    "DeadlineExceeded",
    "Diagonal",
    "Direction",
    "HessianProducts",
    "InputSpec",
    "Jacobian",
    "Limits",
    "Network",
    "Node",
    "Plan",
    "PluginError",
    "Products",
    "Gradients",
    "Runner",
    "OnComputeSeconds",
    "Tangents",
    "Threads",
    "run_now",
    "compile_network",
    "ignore_seconds",
]
