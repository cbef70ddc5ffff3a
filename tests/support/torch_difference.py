"""Compare an imported network with its torch module: its values, all gradients, and what it would learn."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from deltawire import Client, DeltawireError
from deltawire.exporters.torch import to_state_dict
from deltawire.importers.reductions import reduced, reduction_of, spread
from deltawire.importers.torch_fx import from_torch


def difference(
    module: nn.Module, examples: tuple[Tensor, ...], imported: Any, client: Client, within: float = 1e-4,
    least: float = 1.0,
) -> str:  # fmt: skip
    """Return "right", or what is wrong about an import.

    Args:
        module: The module, in the mode it is imported in.
        examples: A batch for each argument of its forward.
        imported: The network, its parameters, constants and outputs.
        client: Computes the network.
        within: Allowed difference, relative to the greatest value of an output, or to the greatest of all
            gradients.
        least: The least size that a difference is relative to.
    """
    network, params, constants, outputs = imported
    free = arguments(imported)
    used = {name for node in network.spec()["nodes"] for name in node["inputs"]}
    given = dict(zip(free, (example.detach().numpy() for example in examples), strict=True))
    data = {name: array for name, array in (given | constants).items() if name in used}
    leaves = [
        example.detach().clone().requires_grad_() if example.is_floating_point() else example
        for example in examples
    ]
    right = tensors(module(*(leaf.clone() for leaf in leaves)))
    if len(right) != len(outputs):
        return f"wrong: {len(outputs)} outputs instead of {len(right)}"
    try:
        values = client.forward(network, params, data, list(dict.fromkeys(outputs)), non_finite="return")
    except DeltawireError as error:
        return f"wrong: imported, but {error}"
    for name, tensor in zip(outputs, right, strict=True):
        ours, theirs = reduced(values[name], reduction_of(network, name)), tensor.detach().numpy()
        if ours.dtype != theirs.dtype:
            return f"wrong: {ours.dtype} instead of {theirs.dtype}"
        if far(ours, theirs, within, max(least, greatest([theirs]))):
            return f"wrong: value of '{name}'"
    cotangents = {name: np.zeros_like(values[name]) for name in outputs}
    total = torch.zeros((), dtype=right[0].dtype)
    for name, tensor in zip(outputs, right, strict=True):
        direction = torch.randn(tensor.shape, dtype=tensor.dtype)
        cotangents[name] += spread(direction.numpy(), reduction_of(network, name), len(values[name]))
        total = total + (direction * tensor).sum()
    return (
        gradients_differ(module, leaves, total, imported, data, cotangents, client, within, least) or "right"
    )


def gradients_differ(
    module: nn.Module, leaves: list[Tensor], total: Tensor, imported: Any, data: Any, cotangents: Any,
    client: Client, within: float, least: float,
) -> str:  # fmt: skip
    """Return what is wrong about the gradients, or about what is learned; "" when nothing is."""
    network, params, constants, _ = imported
    inputs = network.spec()["inputs"]
    free = arguments(imported)
    floats = [name for name in free if name in data and inputs[name].get("dtype") != "int64"]
    wrt = {"params": bool(params), "data": floats}
    ours = (
        client.vjp(network, params, data, cotangents, wrt=wrt, non_finite="return")
        if params or floats
        else {}
    )
    learned = dict(module.named_parameters(remove_duplicate=False))
    theirs = of_torch(total, learned, leaves)
    state = to_state_dict(network, {name: ours[name] for name in params}, {})
    if unknown := sorted(state.keys() - learned.keys()):
        return f"wrong: would learn {unknown}, which the module does not"
    size = max(least, greatest(theirs.values()))
    for name, tensor in learned.items():
        if name not in theirs:
            continue
        same = [one for one, other in learned.items() if other is tensor and one in state]
        if not same:
            return f"wrong: does not learn '{name}'"
        if far(state[same[0]].numpy(), theirs[name], within, size):
            return f"wrong: gradient of '{name}'"
    for place, name in enumerate(free):
        if str(place) not in theirs:
            continue
        if name not in ours:
            return f"wrong: does not depend on input '{name}'"
        if far(ours[name], theirs[str(place)], within, size):
            return f"wrong: gradient of input '{name}'"
    return ""


def arguments(imported: Any) -> list[str]:
    """Return the inputs of an imported network that stand for the arguments of the module, in order."""
    slots = imported.network.spec()["inputs"]
    return [
        name for name, slot in slots.items() if name not in imported.constants and "parameter" not in slot
    ]


def of_torch(total: Tensor, learned: Mapping[str, Tensor], leaves: list[Tensor]) -> dict[str, np.ndarray]:
    """Return torch's gradients of a number by parameter, and by the place of an argument."""
    wanted = {name: tensor for name, tensor in learned.items() if tensor.requires_grad}
    wanted |= {str(place): leaf for place, leaf in enumerate(leaves) if leaf.requires_grad}
    if not total.requires_grad:
        return {}
    found = torch.autograd.grad(total, list(wanted.values()), allow_unused=True)
    pairs = zip(wanted, found, strict=True)
    return {name: gradient.to_dense().numpy() for name, gradient in pairs if gradient is not None}


def tensors(result: Any) -> list[Tensor]:
    """Return the outputs of a module in order, out of tuples, lists and dicts; None is no output."""
    if isinstance(result, dict):
        result = list(result.values())
    if isinstance(result, list | tuple):
        return [tensor for one in result for tensor in tensors(one)]
    return [] if result is None else [result]


def greatest(arrays: Any) -> float:
    """Return the greatest size of the finite numbers of some arrays, 0 when there are none."""
    return max((float(np.abs(a[np.isfinite(a)]).max(initial=0.0)) for a in arrays), default=0.0)


def far(ours: np.ndarray, theirs: np.ndarray, within: float, size: float) -> bool:
    """Return True when arrays differ by more than a share of `size`, or in shape."""
    if ours.shape != theirs.shape:
        return True
    return not np.allclose(ours, theirs, rtol=0, atol=within * size, equal_nan=True)


def verdict(module: nn.Module, *examples: Tensor, client: Client) -> str:
    """Import a module, compared on two more batches, and compare it with torch; return "right" or why not."""
    return difference(module.eval(), examples, from_torch(module, *examples, client=client), client)
