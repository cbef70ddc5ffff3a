"""Learn handwritten digits through a service, then show the lecture's numbers.

The learning is mini-batch SGD with momentum; `POST /v1/gradients` computes every gradient. The demo starts a
service of its own on a free port of this machine, and stops it at the end.

    python -m deltawire.demo
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from sklearn.datasets import load_digits

from deltawire import optim
from deltawire.client import Client
from deltawire.errors import DeltawireError
from deltawire.network import Network

Array = NDArray[np.float64]

EPOCHS, BATCH, RATE, MOMENTUM = 40, 32, 0.3, 0.9
GOAL = 0.96
"""Share of held-out digits that must be read right."""


def digits_network() -> Network:
    """Return 64 pixels -> 64 sigmoid units, with a skip connection of the pixels -> 10 scores."""
    net = Network()
    pixels = net.input("pixels", shape=(64,))
    digit = net.input("digit", shape=(), dtype="int64")
    hidden = net.layer("sigmoid", net.layer("linear", pixels, units=64, name="hidden"), name="active")
    scores = net.layer("linear", hidden + pixels, units=10, name="scores")
    net.loss = net.layer("softmax_nll", scores, digit, name="loss")
    return net


@contextmanager
def running_service() -> Iterator[str]:
    """Serve with gunicorn until the block ends; yields the address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    service = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "-c", "python:deltawire_service.gunicorn_conf"]
        + [
            "-b",
            f"127.0.0.1:{port}",
            "-w",
            "1",
            "--log-level",
            "error",
            "deltawire_service.app:create_app()",
        ],
        stdout=subprocess.DEVNULL,
        env=os.environ | {"DELTAWIRE_LOG_LEVEL": "error"},  # the demo has the terminal to itself
    )
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        service.send_signal(signal.SIGTERM)
        service.wait(timeout=30)


def wait_until_ready(client: Client, seconds: float = 30.0) -> None:
    """Return once the service answers. Raises the last error when it does not within the time."""
    end = time.monotonic() + seconds
    while True:
        try:
            client.layers()
            return
        except DeltawireError:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)


def accuracy(params: dict[str, Array], pixels: Array, digits: NDArray[np.int64]) -> float:
    """Return the share of digits that are classified right, by the network's equations written in numpy.

    Args:
        params: the parameters of the network, by name.
        pixels: the images, (batch, 64).
        digits: the right classes, (batch).
    """
    active = 1 / (1 + np.exp(-(pixels @ params["hidden.weight"].T + params["hidden.bias"])))
    scores = (active + pixels) @ params["scores.weight"].T + params["scores.bias"]
    return float((scores.argmax(axis=1) == digits).mean())


def learn(client: Client, console: Console) -> float:
    """Train on four fifths of the digits; return the accuracy on the fifth held out."""
    pixels, digits = load_digits(return_X_y=True)
    pixels = pixels / 16
    shuffled = np.random.default_rng(0).permutation(len(pixels))
    held_out, training = np.split(shuffled, [len(pixels) // 5])
    net = digits_network()
    params = client.init(net, seed=0)
    data, stream = {"pixels": pixels[training], "digit": digits[training]}, np.random.default_rng(1)
    decay = optim.schedules.linear(1.0, 0.0, total_iters=EPOCHS * -(-len(training) // BATCH))
    optimizer = optim.sgd(learning_rate=RATE, momentum=MOMENTUM, schedule=decay)
    loss_column = TextColumn("loss {task.fields[loss]:.4f}")
    columns = (TextColumn("learning digits"), BarColumn(), loss_column, TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("", total=EPOCHS, loss=float("nan"))
        for _ in range(EPOCHS):
            losses = []
            for batch in optim.batches(data, BATCH, stream):
                loss, grads = client.value_and_grad(net, params, batch)
                losses.append(loss)
                optimizer.step(params, grads)
            progress.update(task, advance=1, loss=float(np.mean(losses)))
    return accuracy(params, pixels[held_out], digits[held_out])


def lecture(client: Client) -> Iterator[Table]:
    """Yield the circuits of the lecture, with the numbers that the service computes for them."""
    net = Network()
    x, y, z = (net.input(name) for name in "xyz")
    net.loss = (x + y) * z
    yield circuit(client, net, "f = (x + y)·z", {"x": -2, "y": 5, "z": -4})

    net = Network()
    w0, x0, w1, x1, w2 = (net.input(name) for name in ("w0", "x0", "w1", "x1", "w2"))
    net.loss = net.layer("sigmoid", w0 * x0 + w1 * x1 + w2)
    yield circuit(client, net, "f = σ(w0·x0 + w1·x1 + w2)", {"w0": 2, "x0": -1, "w1": -3, "x1": -2, "w2": -3})


def circuit(client: Client, net: Network, title: str, at: dict[str, float]) -> Table:
    """Return a table of a scalar circuit: each input, its value, and ∂f/∂input.

    Args:
        client: Of the service that computes it.
        net: The circuit, whose inputs have the shape ().
        title: Of the table.
        at: The value of each input.
    """
    data = {name: np.array([float(value)]) for name, value in at.items()}
    answer = client.gradients(net, {}, data, wrt={"data": True})
    table = Table(
        "input",
        "value",
        "∂f/∂input",
        title=f"{title} = {answer.loss:.2f}",
        title_justify="left",
        min_width=44,
    )
    for name, value in at.items():
        table.add_row(name, f"[green]{value:g}", f"[red]{answer.data[name][0]:.2f}")
    return table


def main() -> int:
    """Run the demo; return 0 when the network reads at least 96 % of the held-out digits right."""
    console = Console()
    with running_service() as url, Client(url) as client:
        wait_until_ready(client)
        console.print(f"a service runs at {url}; every gradient below comes from its POST /v1/gradients")
        right = learn(client, console)
        console.print(f"held-out digits read right: [bold]{right:.1%}[/] (goal: at least {GOAL:.0%})\n")
        console.print("The lecture's circuits:")
        for table in lecture(client):
            console.print(table)
    return 0 if right >= GOAL else 1


if __name__ == "__main__":
    sys.exit(main())
