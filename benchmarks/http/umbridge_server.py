"""784-512-256-10 with sigmoids as a UM-Bridge model, in torch: python -m benchmarks.http.umbridge_server PORT

Its inputs are vectors: all parameters one after the other, x, y; its output is the loss.
"""

from __future__ import annotations

import sys
from functools import partial
from typing import Any

import torch
import umbridge
from umbridge import um

from benchmarks.http.peers import SHAPES, compute


class Perceptron(umbridge.Model):
    def __init__(self) -> None:
        super().__init__("b")

    def get_input_sizes(self, config: Any) -> list[int]:
        return [sum(shape.numel() for shape in map(torch.Size, SHAPES.values())), 128 * 784, 128]

    def get_output_sizes(self, config: Any) -> list[int]:
        return [1]

    def __call__(self, parameters: list[Any], config: Any) -> list[list[float]]:
        return [[compute(*inputs(parameters))[0]]]

    def gradient(self, out_wrt: int, in_wrt: int, parameters: Any, sens: list[float], config: Any) -> Any:
        _, gradients = compute(*inputs(parameters))
        return (torch.cat([gradient.reshape(-1) for gradient in gradients.values()]) * sens[0]).tolist()

    def supports_evaluate(self) -> bool:
        return True

    def supports_gradient(self) -> bool:
        return True


def inputs(parameters: list[Any]) -> tuple[dict[str, Any], Any, Any]:
    flat, x, y = parameters
    sizes = [torch.Size(shape).numel() for shape in SHAPES.values()]
    parts = torch.tensor(flat, dtype=torch.float32).split(sizes)
    params = {name: part.reshape(SHAPES[name]) for name, part in zip(SHAPES, parts, strict=True)}
    return params, torch.tensor(x, dtype=torch.float32).reshape(-1, 784), torch.tensor(y).long()


if __name__ == "__main__":
    torch.set_num_threads(1)
    um.web.run_app = partial(um.web.run_app, host="127.0.0.1", print=None)  # it would listen to all the world
    umbridge.serve_models([Perceptron()], int(sys.argv[1]))
