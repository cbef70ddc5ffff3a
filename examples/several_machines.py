"""Compute gradients on a large batch that the service keeps, and print the SHA-256 of the answer.

Run it before workers are started, and after: `python examples/several_machines.py [URL]`. The page
docs/several-machines.md says how to start them.
"""

import sys
from hashlib import sha256
from time import perf_counter

import numpy as np

from deltawire import Client, Network

ROWS, NUMBERS, CLASSES = 50_000, 64, 10


def classifier() -> Network:
    """Return a network of three linear layers and its loss."""
    net = Network()
    hidden, label = net.input("x", shape=(NUMBERS,)), net.input("y", shape=(), dtype="int64")
    for _ in range(2):
        hidden = net.layer("tanh", net.layer("linear", hidden, units=512))
    net.loss = net.layer("softmax_nll", net.layer("linear", hidden, units=CLASSES), label)
    return net


def main(url: str) -> None:
    numbers, net = np.random.default_rng(0), classifier()
    table = {
        "x": numbers.standard_normal((ROWS, NUMBERS)).astype(np.float32),
        "y": numbers.integers(0, CLASSES, ROWS),
    }
    with Client(url) as client:
        rows = client.upload_dataset("several_machines", table)  # nothing is sent again that is there
        params = client.init(net, seed=0, dtype="float32")
        workers = client.limits()["workers"]
        start = perf_counter()
        loss, grads = client.value_and_grad(net, params, rows)
        seconds = perf_counter() - start
    answer = sha256(
        b"".join([np.asarray(loss).tobytes(), *(grads[name].tobytes() for name in sorted(grads))])
    )
    print(f"{workers['equal'] if workers else 0} workers, {seconds:.1f} s, sha256 {answer.hexdigest()[:16]}")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8000")
