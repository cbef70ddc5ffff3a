"""A layer beside the same function of torch, in float64: value, every δ and every gradient."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from itertools import product
from types import MappingProxyType
from typing import Any

import numpy as np
from hypothesis import strategies as st
from support.oracles import distance

from deltawire_layers import Layer


class _Torch:
    """torch, imported when it is first used: tests that name it can be collected without it."""

    def __getattr__(self, name: str) -> Any:
        return getattr(import_module("torch"), name)


torch = _Torch()


def shapes(least: int = 0, most: int = 3) -> st.SearchStrategy[tuple[int, ...]]:
    """Shapes of an example, with at least and at most so many axes."""
    return st.lists(st.integers(1, 4), min_size=least, max_size=most).map(tuple)


@st.composite
def batches(draw: st.DrawFn, *shapes: tuple[int, ...], whole: bool | None = None) -> list[np.ndarray]:
    """One float64 batch for each shape, all of as many examples, at several scales.

    whole: numbers are small and whole, so that many are equal or 0; None: sometimes.
    """
    stream = np.random.default_rng(draw(st.integers(0, 2**32)))
    count, scale = draw(st.integers(1, 4)), draw(st.sampled_from((1e-3, 1.0, 30.0)))
    if draw(st.booleans()) if whole is None else whole:
        return [stream.integers(-2, 3, (count, *shape)).astype(np.float64) for shape in shapes]
    return [scale * stream.standard_normal((count, *shape)) for shape in shapes]


def numbers(layer: Layer, inputs: Sequence[np.ndarray], seed: int = 0) -> dict[str, np.ndarray]:
    """Parameters of the layer for these inputs: its own first numbers, shaken by less than ½."""
    stream = np.random.default_rng(seed)
    return {
        name: parameter.init(stream, parameter.shape) + stream.uniform(-0.5, 0.5, parameter.shape)
        for name, parameter in layer.parameters(*(x.shape[1:] for x in inputs)).items()
    }


def agree(
    layer: Layer,
    torch_function: Callable[..., Any],
    inputs: Sequence[np.ndarray],
    params: Mapping[str, np.ndarray] = MappingProxyType({}),
    within: float = 1e-10,
) -> None:
    """Assert that a layer computes and differentiates as torch does, on a batch and a random δ of its value.

    inputs: batch first, float64, or integers, which have no δ.
    torch_function: takes the inputs in order and the parameters by name, all tensors; returns one tensor.
    """
    tensors = [torch.tensor(x, requires_grad=x.dtype.kind == "f") for x in inputs]
    named = {name: torch.tensor(w, requires_grad=True) for name, w in params.items()}
    expected = torch_function(*tensors, **named)
    delta = np.random.default_rng(len(inputs[0])).standard_normal(tuple(expected.shape))
    (expected * torch.tensor(delta)).sum().backward()

    with np.errstate(all="ignore"):
        activation = layer.forward(params, *inputs)
        signal = activation.signal(delta)
        ours = {"value": activation.value}
        ours |= {f"δ of input {i}": f(signal) for i, f in enumerate(activation.deltas) if f is not None}
        ours |= {f"gradient of {name!r}": f(signal) for name, f in activation.grads.items()}
    theirs = {"value": expected}
    theirs |= {f"δ of input {i}": _grad(t) for i, t in enumerate(tensors) if t.requires_grad}
    theirs |= {f"gradient of {name!r}": _grad(t) for name, t in named.items()}

    shapes = [x.shape[1:] for x in inputs]
    assert layer.output_shape(*shapes) == tuple(expected.shape[1:])
    assert {n: p.shape for n, p in layer.parameters(*shapes).items()} == {
        n: w.shape for n, w in params.items()
    }
    assert ours.keys() == theirs.keys()
    for what, array in ours.items():
        far = distance(array, theirs[what].detach().numpy())
        assert far <= within, f"{what} is {far:.1e} from torch's"


def agree_at_infinity(
    layer: Layer, torch_function: Callable[..., Any], inputs: Sequence[np.ndarray], within: float = 1e-6
) -> None:
    """Assert that a layer returns torch's ∞ and NaN, in the value and in every δ, and no others.

    Every number is computed in float32, float64 and complex128, with δ = 1, ∞, −∞ and NaN in all places.
    """
    for dtype, number in product((np.float32, np.float64, np.complex128), (1.0, np.inf, -np.inf, np.nan)):
        if dtype is np.complex128 and number != 1:
            continue  # an infinite complex number has no argument to compare
        ours_in = [x.astype(dtype) if x.dtype.kind == "f" else x for x in inputs]
        reals = [x.real.copy() if x.dtype.kind == "c" else x for x in ours_in]
        tensors = [torch.tensor(x, requires_grad=x.dtype.kind == "f") for x in reals]
        expected = torch_function(*tensors)
        expected.backward(torch.full_like(expected, number))
        with np.errstate(all="ignore"):
            activation = layer.forward({}, *ours_in)
            signal = activation.signal(np.full(activation.value.shape, number, dtype))
            deltas = [None if equation is None else equation(signal) for equation in activation.deltas]
        assert_close(activation.value.real, expected.detach().numpy(), within, f"value in {dtype.__name__}")
        for position, (delta, tensor) in enumerate(zip(deltas, tensors, strict=True)):
            if delta is not None:
                what = f"δ of input {position} in {dtype.__name__} for {number}"
                assert_close(delta.real, tensor.grad.numpy(), within, what)


def assert_close(result: np.ndarray, expected: np.ndarray, within: float, what: str) -> None:
    np.testing.assert_allclose(result, expected, rtol=within, atol=within, equal_nan=True, err_msg=what)


def _grad(tensor: Any) -> Any:
    """Return torch's gradient, 0 where it has none."""
    return torch.zeros_like(tensor) if tensor.grad is None else tensor.grad
