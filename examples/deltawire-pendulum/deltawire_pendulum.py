"""The layer `pendulum` for deltawire: a simulator that runs as a program of its own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from math import isinf, prod
from pathlib import Path
from time import monotonic

import numpy as np
from marshmallow import Schema, validate

from deltawire_layers import (
    Activation,
    Array,
    DeadlineExceeded,
    Layer,
    LayerError,
    Shape,
    Work,
    config,
    current_deadline,
    shapes,
)

PROGRAM = [sys.executable, "-I", "-S", str(Path(__file__).with_name("pendulum_program.py"))]
"""The command of the simulator, without its arguments."""

START, STEP = 2**29, 2**17
"""Operations that take as long as starting the program, and as one of its steps."""


class Pendulum(Layer):
    """y = (θ, θ′) after `seconds`, for x (..., 2) = (θ, θ′) at the start, where θ″ = −sin θ.

    A program computes it, and the derivatives: it takes no complex numbers.
    """

    orders = 1

    class Config(Schema):
        seconds = config.Number(
            load_default=1.0,
            validate=validate.Range(min=0, max=60, min_inclusive=False),
            metadata={"description": "how long to simulate"},
        )

    seconds: float

    def output_shape(self, x: Shape) -> Shape:
        if shapes.last_axis(x) != 2:
            raise LayerError(f"the last axis holds θ and θ′, 2 numbers, not {x[-1]}", input=0)
        return x

    def work(self, x: Shape) -> Work:
        return Work(each=prod(x) * STEP * int(1 + 100 * self.seconds), once=START)

    def forward(self, params: Mapping[str, Array], x: Array) -> Activation:
        def start_delta(delta: Array) -> Array:
            jacobians = run("jacobians", self.seconds, x).reshape(*x.shape, 2)
            return np.einsum("...ij,...i->...j", jacobians, delta).astype(delta.dtype)

        return Activation(
            value=run("states", self.seconds, x).reshape(x.shape).astype(x.dtype),
            deltas=(start_delta,),
        )


def run(what: str, seconds: float, starts: Array) -> Array:
    """Run the program on a batch, and return what it writes, float64.

    Args:
        what: `states` or `jacobians`.
        seconds: how long to simulate.
        starts: pairs of numbers in the last axis.

    Raises:
        DeadlineExceeded: the program has not ended at the deadline of the request; it is killed then.
        RuntimeError: the program fails; the message has the end of what it says on stderr.
    """
    left = current_deadline() - monotonic()
    try:
        ended = subprocess.run(
            [*PROGRAM, what, repr(seconds)],
            input=starts.astype(np.float64).tobytes(),
            capture_output=True,
            timeout=None if isinf(left) else max(0.0, left),
        )
    except subprocess.TimeoutExpired:
        raise DeadlineExceeded from None
    if ended.returncode != 0:
        said = ended.stderr.decode(errors="replace")[-500:]
        raise RuntimeError(f"{PROGRAM[-1]} ended with code {ended.returncode}: {said}")
    return np.frombuffer(ended.stdout)
