"""A million rows of 784 float32 through case (b): what is needed beyond the input and the gradients.

python -m benchmarks.memory
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from benchmarks.engine.cases import classifier
from deltawire_layers import load_layers
from deltawire_service.engine import Limits, compile_network
from deltawire_service.server.malloc import keep_memory

ROWS = 1_000_000
MIB = 2**20
MOST = 64 * MIB


def resident(which: str) -> int:
    """VmRSS, or VmHWM, its peak, in bytes."""
    return 1024 * int(Path("/proc/self/status").read_text().split(f"{which}:")[1].split()[0])


def main() -> None:
    keep_memory()  # as the service's workers are set up
    case = classifier("b", ROWS, 784, 512, 256, 10)
    network = compile_network(case.spec, load_layers(), Limits(planned_bytes=2**40, planned_operations=2**50))
    params, data = case.arrays("float32")
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew
    before = resident("VmRSS")
    result = network.gradients(params, data)
    gradients = sum(array.nbytes for array in result.params.values())
    beyond = resident("VmHWM") - before - gradients
    given = sum(array.nbytes for array in data.values())
    chunks = network.plan(ROWS, np.float32).chunks
    print(f"input {given / MIB:.0f} MiB, gradients {gradients / MIB:.1f} MiB, in {chunks} chunks")
    missed = " (missed)" if beyond > MOST else ""
    print(f"beyond them {beyond / MIB:.1f} MiB, at most {MOST / MIB:.0f} wanted{missed}")


if __name__ == "__main__":
    main()
