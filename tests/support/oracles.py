"""Outside oracles: the same networks, written down forward only, differentiated by HIPS autograd or by torch.

Each returns a dict of `loss`, `losses`, `params/…`, `data/…`, `deltas/…`, `values/…`. The delta of a node is
the derivative of the loss with respect to zeros added to the node's value.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Any

import autograd.numpy as anp
import numpy as np
from autograd import grad
from support.networks import Example

Answer = dict[str, np.ndarray]


def rows_of(example: Example) -> int:
    inputs = example.spec["inputs"]
    return next((len(a) for n, a in example.data.items() if not inputs[n].get("shared")), 1)


def ordered(spec: dict[str, Any]) -> list[dict[str, Any]]:
    """The nodes, sources before consumers."""
    left, done, order = list(spec["nodes"]), set(spec["inputs"]), []
    while left:
        node = next(node for node in left if done.issuperset(node["inputs"]))
        left.remove(node)
        done.add(node["name"])
        order.append(node)
    return order


def total(
    example: Example, params: Any, data: Any, bumps: Any, kinds: Any, spread: Any, square_sum: Any
) -> Any:
    """The reduced loss, the losses and all values, in whatever arithmetic the arguments bring."""
    spec, rows = example.spec, rows_of(example)
    values = {
        n: spread(params[n], rows) if "parameter" in slot
        else spread(data[n], rows) if slot.get("shared")
        else data[n]
        for n, slot in spec["inputs"].items()
    }  # fmt: skip
    for node in ordered(spec):
        owner = node.get("tied_to", node["name"])
        own = {name.split(".")[1]: array for name, array in params.items() if name.split(".")[0] == owner}
        if node.get("transpose"):
            prefix = f"{node['name']}."
            biases = {name[len(prefix) :]: array for name, array in params.items() if name.startswith(prefix)}
            own = {local: array.T for local, array in own.items() if array.ndim == 2} | biases
        made = kinds[node["kind"]](
            *(values[name] for name in node["inputs"]), **(node.get("config", {}) | own)
        )
        values[node["name"]] = made + bumps[node["name"]] if node["name"] in bumps else made
    losses = sum(weight * values[name] for name, weight in spec["loss"].items())
    loss = losses.sum() / (rows if example.reduction == "mean" else 1)
    regularization = spec.get("regularization", {"l2": 0, "parameters": []})
    for name, array in params.items():
        if any(fnmatchcase(name, glob) for glob in regularization["parameters"]):
            loss = loss + regularization["l2"] / 2 * square_sum(array)
    return loss, losses, values


def over_example(x: Any) -> Any:
    return x.reshape((len(x), -1)).sum(axis=1)


def example_axes(x: Any, axes: list[int] | None) -> tuple[int, ...]:
    return tuple(range(1, x.ndim)) if axes is None else tuple(axis + 1 for axis in axes)


def part(x: Any, axis: int, start: int, stop: int | None) -> Any:
    return x[(slice(None),) * (axis + 1) + (slice(start, stop),)]


def kinds_of(xp: Any) -> dict[str, Any]:
    """The layers, written in the functions of a module like numpy: HIPS autograd's, or jax's."""

    def log_softmax(x: Any) -> Any:
        top = xp.max(x, axis=-1, keepdims=True)
        return x - top - xp.log(xp.sum(xp.exp(x - top), axis=-1, keepdims=True))

    def pick(x: Any, label: Any) -> Any:
        return over_example(xp.sum(x * (label[..., None] == np.arange(x.shape[-1])), axis=-1))

    def linear(x: Any, units: int, bias: Any, weight: Any) -> Any:
        return xp.einsum("...i,ji->...j", x, weight) + (0 if isinstance(bias, bool) else bias)

    return {
        "linear": linear,
        "embedding": lambda i, rows, width, weight: weight[i],
        "sigmoid": lambda x: 0.5 * (xp.tanh(x / 2) + 1),
        "tanh": xp.tanh,
        "relu": lambda x: xp.where(x > 0, x, 0.0),
        "exp": xp.exp,
        "negate": lambda x: -x,
        "reciprocal": lambda x: 1 / x,
        "identity": lambda x: x,
        "add": lambda x, *more: sum(more, x),
        "subtract": lambda a, b: a - b,
        "multiply": lambda a, b: a * b,
        "maximum": xp.maximum,
        "dot": lambda a, b: xp.sum(a * b, axis=-1),
        "concat": lambda *xs, axis=-1: xp.concatenate(xs, axis % (xs[0].ndim - 1) + 1),
        "slice": part,
        "sum": lambda x, axes=None: xp.sum(x, axis=example_axes(x, axes)),
        "flatten": lambda x: xp.reshape(x, (len(x), -1)),
        "softmax": lambda x: xp.exp(log_softmax(x)),
        "log_softmax": log_softmax,
        "softmax_nll": lambda x, label: -pick(log_softmax(x), label),
        "nll": lambda x, label: -pick(x, label),
        "squared_error": lambda a, b: over_example((a - b) ** 2),
        "max_margin": lambda s, c, margin=1.0: over_example(
            xp.where(margin - s + c > 0, margin - s + c, 0.0)
        ),
    }


AUTOGRAD = kinds_of(anp)


def by_autograd(example: Example, shapes: dict[str, tuple[int, ...]]) -> Answer:
    """Everything about the example, by HIPS autograd in float64."""
    floats = {name: array for name, array in example.data.items() if array.dtype != np.int64}
    integers = {name: array for name, array in example.data.items() if array.dtype == np.int64}
    bumps = {name: np.zeros((rows_of(example), *shape)) for name, shape in shapes.items()}

    def everything(params: Any, data: Any, bumps: Any) -> Any:
        data = {**{name: data[name] for name in floats}, **integers}
        return total(
            example, params, data, bumps, AUTOGRAD,
            lambda x, rows: anp.stack([x] * rows), lambda w: anp.sum(w * w),
        )  # fmt: skip

    at = example.params, floats, bumps
    grads = grad(lambda *boxes: everything(*boxes)[0], argnum=(0, 1, 2))(*at)
    loss, losses, values = everything(*at)
    return answer(loss, losses, grads, {name: values[name] for name in shapes})


def answer(loss: Any, losses: Any, grads: Any, values: Any) -> Answer:
    params, data, deltas = grads
    return {
        "loss": np.asarray(loss), "losses": np.asarray(losses),
        **{f"params/{name}": np.asarray(array) for name, array in params.items()},
        **{f"data/{name}": np.asarray(array) for name, array in data.items()},
        **{f"deltas/{name}": np.asarray(array) for name, array in deltas.items()},
        **{f"values/{name}": np.asarray(array) for name, array in values.items()},
    }  # fmt: skip


def torch_kinds() -> dict[str, Any]:
    import torch
    from torch.nn import functional

    def linear(x: Any, units: int, bias: Any, weight: Any) -> Any:
        return functional.linear(x, weight, None if isinstance(bias, bool) else bias)

    def pick(x: Any, label: Any) -> Any:
        return over_example(torch.gather(x, -1, label[..., None])[..., 0])

    def log_softmax(x: Any) -> Any:
        return functional.log_softmax(x, -1)

    return {
        "linear": linear,
        "embedding": lambda i, rows, width, weight: functional.embedding(i, weight),
        "sigmoid": torch.sigmoid,
        "tanh": torch.tanh,
        "relu": torch.relu,
        "exp": torch.exp,
        "negate": torch.neg,
        "reciprocal": torch.reciprocal,
        "identity": lambda x: x,
        "add": lambda x, *more: sum(more, x),
        "subtract": torch.sub,
        "multiply": torch.mul,
        "maximum": torch.maximum,
        "dot": lambda a, b: (a * b).sum(-1),
        "concat": lambda *xs, axis=-1: torch.cat(xs, axis % (xs[0].ndim - 1) + 1),
        "slice": part,
        "sum": lambda x, axes=None: x.sum(dim=example_axes(x, axes)) if example_axes(x, axes) else x,
        "flatten": lambda x: x.reshape(len(x), -1),
        "softmax": lambda x: torch.softmax(x, -1),
        "log_softmax": log_softmax,
        "softmax_nll": lambda x, label: -pick(log_softmax(x), label),
        "nll": lambda x, label: -pick(x, label),
        "squared_error": lambda a, b: over_example((a - b) ** 2),
        "max_margin": lambda s, c, margin=1.0: over_example(torch.relu(margin - s + c)),
    }


def by_torch(example: Example, shapes: dict[str, tuple[int, ...]], dtype: str = "float64") -> Answer:
    """Everything about the example, by torch in float64 or float32."""
    import torch

    def tensors(arrays: dict[str, np.ndarray]) -> dict[str, Any]:
        made = {}
        for name, array in arrays.items():
            floating = array.dtype != np.int64
            made[name] = torch.tensor(array, dtype=getattr(torch, dtype) if floating else torch.int64)
            made[name].requires_grad_(floating)
        return made

    params, data = tensors(example.params), tensors(example.data)
    bumps = tensors({name: np.zeros((rows_of(example), *shape)) for name, shape in shapes.items()})
    loss, losses, values = total(
        example, params, data, bumps, torch_kinds(),
        lambda x, rows: x.expand(rows, *x.shape), lambda w: (w * w).sum(),
    )  # fmt: skip
    loss.backward()

    def grads(arrays: dict[str, Any]) -> dict[str, np.ndarray]:
        return {
            name: (torch.zeros_like(t) if t.grad is None else t.grad).numpy()
            for name, t in arrays.items() if t.requires_grad
        }  # fmt: skip

    numbers = {name: values[name].detach().numpy() for name in shapes}
    return answer(
        loss.detach().numpy(), losses.detach().numpy(), (grads(params), grads(data), grads(bumps)), numbers
    )


def distance(a: np.ndarray, b: np.ndarray) -> float:
    """The oracle's measure: largest |a − b|, relative to the largest number of b where that exceeds 1."""
    assert a.shape == b.shape, (a.shape, b.shape)
    return float(np.max(np.abs(a - b), initial=0) / max(1.0, np.max(np.abs(b), initial=0)))
