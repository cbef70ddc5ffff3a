"""Derivatives of a torch function of arrays, to second order, by reverse passes alone.

torch has reverse derivatives of nearly all its operations, also of the reverse derivatives themselves, but
forward ones of fewer. Let g(x, δ) be δ of the argument x, which is linear in δ. The derivative of ⟨g(x, δ),
v⟩ with respect to δ is the derivative of the value along v. Its derivative with respect to x is that of g
along v, because second derivatives are symmetric.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from deltawire_layers.autodiff.forward_only import Arguments, Cotangents
from deltawire_layers.autodiff.torch_layers.attention import PlainAttention
from deltawire_layers.autodiff.torch_layers.module import torch
from deltawire_layers.autodiff.torch_layers.threads import one_thread
from deltawire_layers.layer import Array

Function = Callable[[dict[str, Any], tuple[Any, ...]], Any]
"""A value from parameters by name and inputs, all tensors."""


def reverse(function: Function, arguments: Arguments) -> tuple[Array, Callable[[Array], Cotangents]]:
    """Return the value, and the function from its δ to δ of each differentiable argument."""
    with one_thread(), torch.enable_grad():
        leaves, value = _value(function, arguments)

    def pull(delta: Array) -> Cotangents:
        with one_thread():
            found = _grad(value, leaves, _tensor(delta), retain_graph=True)
            return tuple(_array(_or_zeros(d, leaf)) for d, leaf in zip(found, leaves, strict=True))

    return _array(value), pull


def slope(function: Function, arguments: Arguments, tangents: Cotangents) -> Array:
    """Return the derivative of the value along tangents.

    Args:
        function: the function.
        arguments: its real arguments.
        tangents: a direction of the differentiable ones.
    """
    with one_thread(), torch.enable_grad(), PlainAttention():
        leaves, value = _value(function, arguments)
        delta = torch.ones_like(value).requires_grad_()
        pulled = _grad(value, leaves, delta, create_graph=True)
        (along,) = _grad(_inner(pulled, tangents), [delta])
        return _array(_or_zeros(along, delta))


def reverse_slope(
    function: Function, arguments: Arguments, tangents: Cotangents, delta: Array, delta_tangent: Array
) -> tuple[Cotangents, Cotangents]:
    """Return δ of each differentiable argument, and its derivative along the tangents.

    Args:
        function: the function.
        arguments: its real arguments.
        tangents: a direction of the differentiable ones.
        delta: δ of the value.
        delta_tangent: its direction.
    """
    with one_thread(), torch.enable_grad(), PlainAttention():
        leaves, value = _value(function, arguments)
        pulled = _grad(value, leaves, _tensor(delta), create_graph=True)
        total = _inner(pulled, tangents) + (value * _tensor(delta_tangent)).sum()
        along = _grad(total, leaves)
        return (
            tuple(_array(_or_zeros(d, leaf)) for d, leaf in zip(pulled, leaves, strict=True)),
            tuple(_array(_or_zeros(d, leaf)) for d, leaf in zip(along, leaves, strict=True)),
        )


def _value(function: Function, arguments: Arguments) -> tuple[list[Any], Any]:
    """Return the tensors to differentiate, and the value of copies of them.

    Modules may write to their inputs (`ReLU(inplace=True)`): those are copies of the copies.
    """
    leaves = [_tensor(array).requires_grad_() for array in arguments.floats()]
    params, inputs = arguments.with_floats(tuple(leaves))
    copies = tuple(x.clone() if isinstance(x, torch.Tensor) else _tensor(x) for x in inputs)
    value = function(params, copies)
    dtype = leaves[0].dtype if leaves else torch.float64
    return leaves, value if value.dtype == dtype else value.to(dtype)


def _grad(value: Any, leaves: list[Any], delta: Any = None, **options: bool) -> tuple[Any, ...]:
    """Return gradients; None where the value does not depend on a leaf."""
    if not leaves or not value.requires_grad:
        return (None,) * len(leaves)
    return tuple(torch.autograd.grad(value, leaves, delta, allow_unused=True, **options))


def _inner(pulled: tuple[Any, ...], tangents: Cotangents) -> Any:
    total = torch.zeros((), dtype=torch.float64)
    for delta, tangent in zip(pulled, tangents, strict=True):
        if delta is not None and delta.requires_grad:
            total = total + (delta * _tensor(tangent)).sum()
    return total


def _or_zeros(found: Any, leaf: Any) -> Any:
    return torch.zeros_like(leaf) if found is None else found


def _tensor(array: Array) -> Any:
    """Return a tensor with a copy of the numbers: through a view, torch could write to a read-only array."""
    return torch.from_numpy(np.array(array, order="C"))


def _array(tensor: Any) -> Array:
    array: Array = tensor.detach().resolve_conj().resolve_neg().numpy()
    return array
