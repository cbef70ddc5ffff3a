"""Our engine, by its own face."""

from __future__ import annotations

from collections.abc import Callable

from benchmarks.engine.cases import Arrays, Case
from deltawire_layers import load_layers
from deltawire_service.engine import Limits, Threads, compile_network
from deltawire_service.server.malloc import keep_memory


def prepare(case: Case, dtype: str, threads: int) -> Callable[[Arrays, Arrays], tuple[float, Arrays]]:
    keep_memory()  # as the service's workers are set up
    network = compile_network(case.spec, load_layers(), Limits(planned_bytes=2**40), Threads(threads))
    wrt = {"wrt_params": case.wrt == "params", "wrt_data": case.wrt == "data"}

    def call(params: Arrays, data: Arrays) -> tuple[float, Arrays]:
        result = network.gradients(params, data, **wrt)
        return result.loss, getattr(result, case.wrt)

    return call
