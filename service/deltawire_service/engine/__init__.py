"""The engine: from the spec of a network to its values, gradients and other derivatives. It knows no HTTP.

This module is its face: the rest of the service imports nothing else of the engine.

Example:
    network = compile_network(spec, load_layers())
    result = network.gradients(network.init(seed=0), data)
"""

from deltawire_layers import (
    DeadlineExceeded,
    call_until,
    check_deadline,
    current_deadline,
    lock,
    set_deadline,
)
from deltawire_service.engine.caches import Caches
from deltawire_service.engine.compile.compiler import compile_network
from deltawire_service.engine.compile.spec import (
    InputSchema,
    LossField,
    NetworkSchema,
    NodeSchema,
    RegularizationSchema,
)
from deltawire_service.engine.derivatives.directions import Direction
from deltawire_service.engine.derivatives.gradient_check import CheckedArray, CheckedPlace
from deltawire_service.engine.derivatives.gradients import Gradients
from deltawire_service.engine.derivatives.hessian import Diagonal, HessianProducts
from deltawire_service.engine.derivatives.jacobian import Jacobian
from deltawire_service.engine.derivatives.jvp import Tangents
from deltawire_service.engine.derivatives.vjp import Products
from deltawire_service.engine.errors import PluginError
from deltawire_service.engine.execute.batch_result import SegmentResult
from deltawire_service.engine.execute.batch_run import BatchRun, Computation, segment_runner
from deltawire_service.engine.execute.finite import all_finite
from deltawire_service.engine.execute.flat.counted import FLAT_AFTER
from deltawire_service.engine.execute.kept_passes import KeptPasses
from deltawire_service.engine.execute.threads import Threads
from deltawire_service.engine.execute.trace import Trace, TracedArray
from deltawire_service.engine.fingerprints import fingerprint
from deltawire_service.engine.graph import Arrays, InputSpec, Node
from deltawire_service.engine.limits import Limits
from deltawire_service.engine.network import Network
from deltawire_service.engine.plan.body_cost import BodyCost
from deltawire_service.engine.plan.memory_plan import Plan
from deltawire_service.engine.plan.targets import Which, Wrt
from deltawire_service.engine.runner import OnComputeSeconds, Runner, ignore_seconds, run_now
from deltawire_service.engine.segments import RunDescription, Segments, compute_segment

__all__ = [
    "FLAT_AFTER",
    "Arrays",
    "BatchRun",
    "BodyCost",
    "Caches",
    "CheckedArray",
    "CheckedPlace",
    "Computation",
    "DeadlineExceeded",
    "Diagonal",
    "Direction",
    "Gradients",
    "HessianProducts",
    "InputSchema",
    "InputSpec",
    "Jacobian",
    "KeptPasses",
    "Limits",
    "LossField",
    "Network",
    "NetworkSchema",
    "Node",
    "NodeSchema",
    "OnComputeSeconds",
    "Plan",
    "PluginError",
    "Products",
    "RegularizationSchema",
    "RunDescription",
    "Runner",
    "SegmentResult",
    "Segments",
    "Tangents",
    "Threads",
    "Trace",
    "TracedArray",
    "Which",
    "Wrt",
    "all_finite",
    "call_until",
    "check_deadline",
    "compile_network",
    "compute_segment",
    "current_deadline",
    "fingerprint",
    "ignore_seconds",
    "lock",
    "run_now",
    "segment_runner",
    "set_deadline",
]
