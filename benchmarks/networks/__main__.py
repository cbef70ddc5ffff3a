"""All gradients of whole networks: ours, with kernels where they are installed, beside torch in eager mode.

python -m benchmarks.networks [--networks GPT-2,LSTM] [--threads 1,2] [--rounds 3] [--seconds 2]

Modules are imported from torch and are in eval mode. Every engine runs in a process of its own, in float32.
"""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from pathlib import Path
from statistics import geometric_mean, median
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import numpy as np

from benchmarks.engine import processes
from benchmarks.machine import machine
from benchmarks.side_by_side import Program, ratio, side_by_side, times
from benchmarks.tables import number, table

ENGINES = ("ours", "torch")


def drawn(name: str) -> tuple[Any, Any]:
    """Return the inputs and the labels of a batch."""
    from benchmarks.networks.modules import NETWORKS

    case, random = NETWORKS[name], np.random.default_rng(0)
    shape = (case.batch, *case.example)
    x = random.integers(0, case.words, shape) if case.words else random.normal(size=shape).astype("float32")
    return x, random.integers(0, case.classes, (case.batch, *case.labels))


def made(name: str) -> Any:
    """Return the module of a network, with the same parameters every time."""
    import torch

    from benchmarks.networks.modules import NETWORKS

    torch.manual_seed(0)
    return NETWORKS[name].make().eval()


def write_request(name: str, path: Path) -> None:
    """Import a network, and write it as a request with its parameters and its batch."""
    import torch

    from deltawire import wire
    from deltawire.importers.torch_fx import from_torch

    x, labels = drawn(name)
    network, params, constants, outputs = from_torch(made(name), torch.from_numpy(x[:1]), check=False)
    label = network.input("label", shape=labels.shape[1:], dtype="int64")
    network.loss = network.layer("softmax_nll", network[outputs[0]], label)
    spec = network.spec()
    (taken,) = spec["inputs"].keys() - constants.keys() - {"label"}
    document = {"network": spec, "params": params, "data": constants | {"label": labels, taken: x}}
    path.write_bytes(wire.encode(document, wire.SAFETENSORS))


def ours(name: str, path: Path, threads: int) -> Callable[[], tuple[float, list[Any]]]:
    from deltawire import wire
    from deltawire_layers import load_layers
    from deltawire_service.engine import Limits, Threads, compile_network
    from deltawire_service.server.malloc import keep_memory

    keep_memory()  # as the service's workers are set up
    document = wire.decode(path.read_bytes(), wire.SAFETENSORS)
    network = compile_network(
        document["network"], load_layers(), Limits(planned_bytes=2**40), Threads(threads)
    )

    def call() -> tuple[float, list[Any]]:
        result = network.gradients(document["params"], document["data"])
        return result.loss, list(result.params.values())

    return call


def torchs(name: str, path: Path, threads: int) -> Callable[[], tuple[float, list[Any]]]:
    import torch

    torch.set_num_threads(threads)
    module, (x, labels) = made(name), map(torch.from_numpy, drawn(name))
    parameters = list(module.parameters())

    def call() -> tuple[float, list[Any]]:
        scores = module(x)
        scores = scores.reshape(-1, scores.shape[-1])
        loss = torch.nn.functional.cross_entropy(scores, labels.reshape(-1), reduction="sum") / len(x)
        return loss.item(), [each.numpy() for each in torch.autograd.grad(loss, parameters)]

    return call


PREPARE = {"ours": ours, "torch": torchs}


def work(engine: str, folder: str, threads: int, seconds: float) -> None:
    """Answer the names of networks with the median time of a call, its loss, and the size of its gradient."""
    processes.set_up(engine, threads)
    for line in sys.stdin:
        name = line.strip()
        call = PREPARE[engine](name, Path(folder) / name, threads)
        loss, gradients = call()
        size = sum(float(np.vdot(each, each)) for each in gradients)
        taken: list[float] = []
        start = perf_counter()
        while len(taken) < 3 or perf_counter() - start < seconds:
            begin = perf_counter()
            call()
            taken.append(perf_counter() - begin)
        print(json.dumps({"ms": 1e3 * median(taken), "loss": loss, "size": size}), flush=True)


def measure(options: Namespace, names: list[str], folder: str) -> None:
    """Measure all networks, and print a table for each number of threads."""
    for name in names:
        write_request(name, Path(folder) / name)
    print(machine(["torch"]))
    for threads in options.threads:
        programs = {
            engine: Program(
                ["-m", "benchmarks.networks", "--work", engine, folder, str(threads), str(options.seconds)],
                variables=processes.variables(engine, threads),
            )
            for engine in ENGINES
        }
        rows, ratios = [], []
        for name, answers in side_by_side(programs, names, options.rounds).items():
            for key in ("loss", "size"):
                np.testing.assert_allclose(answers["ours"][0][key], answers["torch"][0][key], rtol=1e-3)
            ratios.append(ratio(answers, "ours", "torch"))
            rows.append(
                [name, *(number(median(times(answers, each))) for each in ENGINES), number(ratios[-1])]
            )
        print(f"\nfloat32, {threads} thread{'s' * (threads > 1)}\n")
        print(table(["network", "ours, ms", "torch, ms", "ours / torch"], rows))
        print(f"\nGeometric mean of ours / torch: {number(geometric_mean(ratios))}")


def main() -> None:
    from benchmarks.networks.modules import NETWORKS

    parser = ArgumentParser(prog="python -m benchmarks.networks", description=__doc__.split("\n")[0])
    parser.add_argument("--networks", default="", help="beginnings of names, with commas between them")
    parser.add_argument("--threads", type=lambda text: [*map(int, text.split(","))], default=[1, 2])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=2.0)
    options = parser.parse_args()
    names = [name for name in NETWORKS if name.startswith(tuple(options.networks.split(",")))]
    with TemporaryDirectory() as folder:
        measure(options, names, folder)


if __name__ == "__main__":
    if "--work" in sys.argv:
        work(sys.argv[2], sys.argv[3], int(sys.argv[4]), float(sys.argv[5]))
    else:
        main()
