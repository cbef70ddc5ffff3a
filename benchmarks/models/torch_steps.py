"""Steps of torch in a process of its own: forward, backward and Adam on a batch.

python -m benchmarks.models.torch_steps SECONDS

It reads the name of a case from each line, and writes the median time of a step.
"""

from __future__ import annotations

import json
import sys
from statistics import median
from time import perf_counter

from benchmarks.engine import processes


def main(seconds: float) -> None:
    """Measure the case in each line of standard input."""
    processes.set_up("torch", 1)
    import torch

    from benchmarks.engine.cases import CASES, walk
    from benchmarks.engine.torch_peer import OPERATIONS

    torch.set_num_threads(1)
    cases = {case.name: case for case in CASES}
    for line in sys.stdin:
        case = cases[line.strip()]
        params, data = case.arrays("float32")
        leaves = {name: torch.from_numpy(array).requires_grad_() for name, array in params.items()}
        inputs = {name: torch.from_numpy(array) for name, array in data.items()}
        network, optimizer = walk(case, OPERATIONS), torch.optim.Adam(leaves.values(), lr=1e-3)
        losses, times = list[float](), list[float]()
        start = perf_counter()
        while len(times) < 20 or perf_counter() - start < seconds:
            begin = perf_counter()
            optimizer.zero_grad()
            loss = network(leaves, inputs)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
            times.append(perf_counter() - begin)
        print(json.dumps({"ms": 1e3 * median(times[5:]), "losses": losses[:20]}), flush=True)


if __name__ == "__main__":
    main(float(sys.argv[1]))
