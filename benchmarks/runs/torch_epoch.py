"""An epoch of torch in a process of its own: a DataLoader, forward, backward and Adam.

python -m benchmarks.runs.torch_epoch FILE

It reads the name of a case from each line, and writes the seconds of an epoch over the rows in the
safetensors file, and its mean loss.
"""

from __future__ import annotations

import json
import sys
from time import perf_counter

from benchmarks.engine import processes


def main(file: str) -> None:
    """Measure an epoch for the case in each line of standard input."""
    processes.set_up("torch", 1)
    import torch
    from safetensors.numpy import load_file
    from torch.utils.data import DataLoader, TensorDataset

    from benchmarks.engine.cases import CASES, walk
    from benchmarks.engine.torch_peer import OPERATIONS

    torch.set_num_threads(1)
    rows = {name: torch.from_numpy(array) for name, array in load_file(file).items()}
    cases = {case.name: case for case in CASES}
    for line in sys.stdin:
        case = cases[line.strip()]
        params, _ = case.arrays("float32")
        leaves = {name: torch.from_numpy(array).requires_grad_() for name, array in params.items()}
        network, optimizer = walk(case, OPERATIONS), torch.optim.Adam(leaves.values(), lr=1e-3)
        names = list(case.spec["inputs"])
        torch.manual_seed(0)
        batches = DataLoader(TensorDataset(*[rows[name] for name in names]), case.batch, shuffle=True)
        losses = list[float]()
        begin = perf_counter()
        for batch in batches:
            optimizer.zero_grad()
            loss = network(leaves, dict(zip(names, batch, strict=True)))
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        seconds = perf_counter() - begin
        print(json.dumps({"seconds": seconds, "loss": sum(losses) / len(losses)}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
