"""The lecture's circuits, with the numbers that a service computes for them."""

from __future__ import annotations

import numpy as np
from rich.console import Console

from deltawire import Network
from deltawire.computations import gradients
from deltawire.request_builder import Caller


def show_circuits(client: Caller, screen: Console) -> None:
    """Print each circuit with its value and the derivative by every input."""
    screen.print("\nthe lecture's circuits, by POST /v1/gradients:", style="bold")
    net = Network()
    x, y, z = (net.input(name) for name in "xyz")
    net.loss = (x + y) * z
    _show(client, screen, net, "f = (x + y)·z", {"x": -2, "y": 5, "z": -4})

    net = Network()
    w0, x0, w1, x1, w2 = (net.input(name) for name in ("w0", "x0", "w1", "x1", "w2"))
    net.loss = net.layer("sigmoid", w0 * x0 + w1 * x1 + w2)
    _show(client, screen, net, "f = σ(w0·x0 + w1·x1 + w2)", {"w0": 2, "x0": -1, "w1": -3, "x1": -2, "w2": -3})


def _show(client: Caller, screen: Console, net: Network, title: str, at: dict[str, float]) -> None:
    data = {name: np.array([float(value)]) for name, value in at.items()}
    answer = gradients(client, net, {}, data, wrt={"data": True})
    inputs = ", ".join(f"{name} = {value:g}" for name, value in at.items())
    screen.print(f"  {title} = {answer.loss:.2f} at {inputs}")
    screen.print("    " + "  ".join(f"∂f/∂{name} {answer.data[name][0]:.2f}" for name in at))
