"""Train a jax model whose middle layer is served, over Tesseract.

Two layers of jax surround the published network `flow`. Gradients flow through all three. The parameters of
the served layer are trained too; they stay here, and go with every request.
"""

from __future__ import annotations

import sys
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from tesseract_core import Tesseract
from tesseract_jax import apply_tesseract

STEPS, RATE = 100, 0.5


def batch(seed: int = 0) -> tuple[Any, Any]:
    """Return points above a parabola and below it."""
    x = np.random.default_rng(seed).uniform(-1, 1, (80, 2))
    return jnp.asarray(x), jnp.asarray(x[:, 1] > x[:, 0] ** 2 - 0.3, int)


def main(url: str = "http://127.0.0.1:8000") -> None:
    jax.config.update("jax_enable_x64", True)
    flow = Tesseract.from_url(f"{url}/tesseract/flow")
    shapes = flow.openapi_schema["components"]["schemas"]["ApplyInputSchema"]["differentiable_arrays"]

    keys = iter(jax.random.split(jax.random.key(0), 20))
    params: dict[str, Any] = {
        "first": 2 * jax.random.normal(next(keys), (4, 2)),
        "shift": jax.random.normal(next(keys), (4,)),
        "last": jax.random.normal(next(keys), (2, 3)),
        "served": {},
    }
    for path, array in shapes.items():
        if path.startswith("params."):
            _, node, name = path.split(".")
            drawn = 0.5 * jax.random.normal(next(keys), array["shape"])
            params["served"].setdefault(node, {})[name] = drawn

    def scores(params: Any, x: Any) -> Any:
        hidden = jnp.tanh(x @ params["first"].T + params["shift"])
        middle = apply_tesseract(flow, {"x": hidden, "params": params["served"]})["probs"]
        return 2 * middle @ params["last"].T

    def loss(params: Any, x: Any, y: Any) -> Any:
        return -jax.nn.log_softmax(scores(params, x))[jnp.arange(len(y)), y].mean()

    step = jax.jit(jax.value_and_grad(loss))
    x, y = batch()
    for number in range(STEPS):
        value, gradient = step(params, x, y)
        params = jax.tree.map(lambda p, g: p - RATE * g, params, gradient)
        if number % 20 == 0:
            print(f"step {number:2}  loss {value:.4f}")
    x, y = batch(seed=1)
    right = (scores(params, x).argmax(axis=1) == y).mean()
    print(f"loss {loss(params, x, y):.4f} on new points, {right:.0%} right")
    if right < 0.8:
        sys.exit("it has not learned")


if __name__ == "__main__":
    main(*sys.argv[1:])
