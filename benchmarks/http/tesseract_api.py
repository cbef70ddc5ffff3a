"""784-512-256-10 with sigmoids as a Tesseract, in torch: what `tesseract-runtime serve` is given."""

from __future__ import annotations

from typing import Any

import torch
from pydantic import BaseModel
from tesseract_core.runtime import Array, Differentiable, Float32, Int64

from benchmarks.http.peers import compute

torch.set_num_threads(1)


class InputSchema(BaseModel):
    params: dict[str, Differentiable[Array[..., Float32]]]
    x: Array[(None, 784), Float32]
    y: Array[(None,), Int64]


class OutputSchema(BaseModel):
    loss: Differentiable[Float32]


def torch_inputs(inputs: InputSchema) -> tuple[dict[str, Any], Any, Any]:
    params = {name: torch.tensor(array) for name, array in inputs.params.items()}
    return params, torch.tensor(inputs.x), torch.tensor(inputs.y)


def apply(inputs: InputSchema) -> OutputSchema:
    return OutputSchema(loss=compute(*torch_inputs(inputs))[0])


def vector_jacobian_product(
    inputs: InputSchema, vjp_inputs: set[str], vjp_outputs: set[str], cotangent_vector: dict[str, Any]
) -> dict[str, Any]:
    _, gradients = compute(*torch_inputs(inputs))
    named = {f"params.{{{name}}}": gradient for name, gradient in gradients.items()}
    return {path: named[path].numpy() * cotangent_vector["loss"] for path in vjp_inputs}


def abstract_eval(abstract_inputs: Any) -> Any:
    return {"loss": {"shape": (), "dtype": "float32"}}
