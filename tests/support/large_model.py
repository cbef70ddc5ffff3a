"""Make a model with large parameters, read them, or save them; print by how many bytes this process grew.

Run as `python large_model.py URL create|params|save MEBIBYTES`, each in a process of its own.
"""

from __future__ import annotations

import resource
import sys
import tempfile
from pathlib import Path

import numpy as np

from deltawire import Client, Network, Retries, optim

WIDTH = 1024


def network(mebibytes: int) -> Network:
    net = Network()
    x, y = net.input("x", shape=(WIDTH,)), net.input("y", shape=(mebibytes * 2**20 // 8 // WIDTH,))
    units = mebibytes * 2**20 // 8 // WIDTH
    net.loss = net.layer("squared_error", net.layer("linear", x, units=units, bias=False, name="line"), y)
    return net


def peak() -> int:
    """The most bytes that this process has had in memory."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def main(url: str, task: str, mebibytes: int) -> int:
    """Do one task; return the growth."""
    client = Client(url, timeout=(5, 300), retries=Retries(attempts=1))
    net = network(mebibytes)
    if task == "create":
        params = {"line.weight": np.full((mebibytes * 2**20 // 8 // WIDTH, WIDTH), 0.5)}
        before = peak()
        client.create_model(net, name="large", optimizer=optim.sgd(0.1), params=params)
        return peak() - before
    model = client.model("large")
    before = peak()
    if task == "params":
        params = model.params()
        params["line.weight"] *= 2  # it can be written to
        assert float(params["line.weight"][0, 0]) == 1.0
    else:
        with tempfile.TemporaryDirectory() as folder:
            model.save(Path(folder) / "large.safetensors")
    return peak() - before


if __name__ == "__main__":
    print(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
