"""Layers with kernels beside the same layers without: the twin of each kernel is numpy's line."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from support.shared_pieces import shared

from deltawire_layers import kernels, load_layers, sharing
from deltawire_layers.numeric.compiled.planes import Planes
from deltawire_layers.numeric.windows import Window

pytestmark = pytest.mark.kernels

LAYERS: dict[str, tuple[str, dict[str, Any], tuple[int, ...]]] = {
    **{
        kind: (kind, {}, (3, 5)) for kind in ("sigmoid", "tanh", "silu", "softplus", "gelu", "erf", "softmax")
    },
    "gelu by tanh": ("gelu", {"approximate": "tanh"}, (3, 5)),
    "layer_norm": ("layer_norm", {}, (4, 7)),
    "layer_norm over two axes": ("layer_norm", {"last_axes": 2}, (4, 7)),
    "rms_norm": ("rms_norm", {}, (4, 7)),
    "group_norm": ("group_norm", {"groups": 2}, (4, 3, 5)),
    "instance_norm": ("instance_norm", {}, (4, 3, 5)),
    "batch_norm": ("batch_norm", {}, (4, 3, 5)),
    "batch_norm without parameters": ("batch_norm", {"affine": False}, (4, 3, 5)),
}
LAYERS |= {
    f"depthwise {name}": ("conv2d", {"channels": 4, "groups": 4} | config, (4, 9, 20))
    for name, config in {
        "3×3": {"kernel": 3, "padding": 1},
        "with strides": {"kernel": [3, 2], "stride": [2, 3], "padding": [[2, 0], [0, 1]]},
        "dilated": {"kernel": [2, 3], "dilation": [3, 2], "padding": 2, "bias": False},
        "1×1": {"kernel": 1, "stride": 4},
        "wide": {"kernel": [1, 18], "padding": [0, 1]},
    }.items()
}  # fmt: skip

LAYERS |= {
    f"{kind} {name}": (kind, {"channels": 6} | config, shape)
    for name, kind, config, shape in [
        ("3×3", "conv2d", {"kernel": 3, "padding": 1}, (4, 9, 20)),
        ("of groups, with strides", "conv2d", {"kernel": [3, 2], "stride": [2, 3], "groups": 2}, (4, 9, 20)),
        ("dilated", "conv2d", {"kernel": [2, 3], "dilation": [3, 2], "padding": [[3, 0], [0, 4]]}, (4, 9, 9)),
        ("with padding alone in some windows", "conv2d", {"kernel": 2, "padding": 3, "stride": 2}, (3, 3, 2)),
        ("1×1", "conv2d", {"kernel": 1}, (4, 9, 20)),
        ("of groups, 1×1", "conv2d", {"kernel": 1, "groups": 2}, (4, 9, 20)),
        ("of a sequence", "conv1d", {"kernel": 5, "padding": 2, "stride": 2}, (3, 40)),
        ("with strides", "conv_transpose2d", {"kernel": 3, "stride": 2, "padding": 1}, (4, 5, 6)),
    ]
}  # fmt: skip
LAYERS |= {
    "lstm": ("lstm", {"units": 5}, (7, 3)),
    "lstm from end to start": ("lstm", {"units": 4, "reverse": True}, (6, 4)),
    "lstm, the cells alone": ("lstm", {"units": 17, "cells": True, "last": True}, (3, 3)),
    "lstm of many units": ("lstm", {"units": 70}, (5, 3)),
    "gru": ("gru", {"units": 5}, (7, 3)),
    "elman": ("elman", {"units": 5}, (7, 3)),
    "elman by relu": ("elman", {"units": 18, "nonlinearity": "relu", "reverse": True}, (6, 2)),
    "gru, the last state": ("gru", {"units": 18, "last": True, "reverse": True}, (4, 2)),
    "softmax_nll": ("softmax_nll", {}, (7,)),
    "softmax_nll of rows": ("softmax_nll", {"per_row": True}, (5, 7)),
    "softmax_nll of sums": ("softmax_nll", {"ignore_index": None}, (5, 7)),
    "attention": ("attention", {}, (2, 5, 7)),
    "causal attention": ("attention", {"causal": True}, (2, 20, 7)),
    "masked attention": ("masked attention", {}, (2, 5, 7)),
}


def further_inputs(kind: str, x: Any, random: np.random.Generator) -> tuple[Any, ...]:
    """Draw the inputs of a layer beside its first."""
    if kind == "batch_norm":  # a mean and a variance per channel
        return tuple(random.uniform(1, 2, size=(2, *x.shape[:2])).astype(x.dtype))
    if kind == "softmax_nll":
        return (random.integers(0, x.shape[-1], x.shape[:-1]),)
    if "attention" in kind:
        key, value = (2 * random.normal(size=(2, *x.shape))).astype(x.dtype)
        mask = random.integers(0, 2, (len(x), *2 * [x.shape[-2]]))
        mask[:, 0] = 0  # a query that sees no key
        return key, value, *([mask] if "masked" in kind else [])
    return ()


def results(kind: str, config: dict[str, Any], x: Any, delta: Any) -> list[Any]:
    layer, random = load_layers()[kind.split()[-1]](**config), np.random.default_rng(1)
    inputs = (x, *further_inputs(kind, x, random))
    shapes = [each.shape[1:] for each in inputs]
    drawn = layer.parameters(*shapes)
    params = {name: random.normal(size=each.shape).astype(x.dtype) for name, each in drawn.items()}
    value, deltas, grads, signal = layer.forward(params, *inputs)
    shared = signal(np.resize(delta, (len(x), *layer.output_shape(*shapes))))
    sent = [equation(shared) for equation in deltas if equation]
    return [value, *sent, *(grads[name](shared) for name in sorted(params))]


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("turned", [False, True])
def test_a_layer_gives_the_numbers_of_its_twin(
    name: str, dtype: str, turned: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind, config, shape = LAYERS[name]
    x, delta = np.random.default_rng(0).normal(size=(2, 6, *shape)).astype(dtype)
    if turned:  # not in the order of memory
        x, delta = (np.asfortranarray(array) for array in (x, delta))
    compiled = results(kind, config, x, delta)
    assert kernels.compiled is not None
    monkeypatch.setattr(kernels, "compiled", None)
    for got, expected in zip(compiled, results(kind, config, x, delta), strict=True):
        assert got.dtype == expected.dtype and got.shape == expected.shape
        size = max(1, np.abs(expected).max())
        np.testing.assert_allclose(got, expected, rtol=0, atol=40 * np.finfo(dtype).eps * size)


@pytest.mark.parametrize("name", LAYERS)
def test_threads_that_share_the_rows_change_no_bit(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    kind, config, shape = LAYERS[name]
    x, delta = np.random.default_rng(0).normal(size=(2, 6, *shape)).astype(np.float32)
    monkeypatch.setattr(sharing, "NUMBERS", 8)
    alone = results(kind, config, x, delta)
    counts: list[int] = []
    with shared(counts):
        together = results(kind, config, x, delta)
    assert [each.tobytes() for each in together] == [each.tobytes() for each in alone]
    assert max(counts, default=0) > 1 or not (
        {"depthwise", "sigmoid", "softmax", "softmax_nll", "layer_norm"} & {*name.split()}
    )


@pytest.mark.parametrize("kind", [kind for kind, config, _ in LAYERS.values() if not config])
def test_a_complex_step_goes_through(kind: str) -> None:
    config = {"group_norm": {"groups": 2}}.get(kind, {})
    x = np.random.default_rng(0).normal(size=(2, 4, 6)) + 1e-200j
    assert all(part.dtype == np.complex128 for part in results(kind, config, x, x))


def test_a_class_that_derives_from_a_function_is_computed_by_numpy() -> None:
    """A plugin's may be another function: no kernel has its name."""
    derived, x = type("Derived", (load_layers()["tanh"],), {}), np.linspace(-3, 3, 7)
    value = derived().forward({}, x).value
    np.testing.assert_allclose(value, np.tanh(x), rtol=1e-15)


def test_arrays_that_do_not_fit_are_refused() -> None:
    import deltawire_kernels

    x = np.ones(4, np.float32)
    for wrong in (x.astype(float), x.astype(int), np.ones(8, np.float32)[::2]):
        with pytest.raises(TypeError):
            deltawire_kernels.value(0, x, wrong)
    with pytest.raises(ValueError, match="differ in size"):
        deltawire_kernels.value(0, x, np.ones(3, np.float32))
    with pytest.raises(ValueError, match="differ in size"):
        deltawire_kernels.value_and_slope(0, x, x.copy(), np.ones(3, np.float32))
    with pytest.raises(ValueError, match="share nothing"):
        deltawire_kernels.value_and_slope(deltawire_kernels.functions.index("tanh"), x, x.copy(), x.copy())
    with pytest.raises(ValueError, match="no such function"):
        deltawire_kernels.value(99, x, x)
    with pytest.raises(ValueError, match="do not fill the rows"):
        deltawire_kernels.softmax_delta(x, x, x, 3)
    with pytest.raises(ValueError, match="cannot be divided"):
        deltawire_kernels.norm(x, None, None, x, np.ones(6, np.float32), 1, 3, 1e-5, True)
    with pytest.raises(ValueError, match="cannot be divided"):
        deltawire_kernels.standardise(x, None, None, x, np.ones(6, np.float32), 3, 1)
    with pytest.raises(ValueError, match="differ in size"):
        deltawire_kernels.standardise_delta(np.ones(6, np.float32), np.ones(3, np.float32), x, x.copy(), 2, 1)
    for wrong_rows in ([0, 2], [-1, 0]):
        with pytest.raises(ValueError, match="there is no such row"):
            deltawire_kernels.scatter(np.array(wrong_rows), x, x.copy(), 2)
    with pytest.raises(ValueError, match="differ in size"):
        deltawire_kernels.scatter(np.array([0]), x, x.copy(), 2)
    sizes = (2, 2, 2, 2, 1, 1, 1, 1, 0, 0, 1, 1)
    with pytest.raises(ValueError, match="differ in size"):
        deltawire_kernels.depthwise(x, np.ones(1, np.float32), np.ones(3, np.float32), sizes)
    with pytest.raises(ValueError, match="no such windows"):
        deltawire_kernels.depthwise(x, np.ones(1, np.float32), x.copy(), (2, 2, 2, 2, 1, 1, 0, *sizes[7:]))
    with pytest.raises(ValueError, match="no such channels"):
        deltawire_kernels.depthwise_gradient(x, x.copy(), np.ones(1, np.float32), sizes, 0, 2)
    with pytest.raises(ValueError, match="a bias goes with a weight"):
        deltawire_kernels.norm(x, None, x, x, np.ones(3, np.float32), 1, 4, 1e-5, True)


def test_windows_and_steps_that_do_not_fit_are_refused() -> None:
    import deltawire_kernels

    x, columns = np.ones((1, 1, 3, 3)), np.ones((1, 2, 2, 1, 2, 2))
    sizes = (1, 1, 3, 3, 2, 2, 2, 2, 1, 1, 0, 0, 1, 1)
    deltawire_kernels.gather(x, columns, sizes)
    for call, first, second in (("gather", x, columns), ("spread", columns, x)):
        compute = getattr(deltawire_kernels, call)
        with pytest.raises(ValueError, match="no such windows"):
            compute(first, second, (*sizes[:-1], 0))
        with pytest.raises(ValueError, match="differ in size|do not fill"):
            compute(first, second, (1, 1, 3, 3, 3, *sizes[5:]))
    weight, value = np.ones((6, 1, 2, 2)), np.ones((1, 6, 2, 2))
    correlate = deltawire_kernels.correlate
    correlate(x, weight, value, sizes, 1, 0, 2)
    with pytest.raises(ValueError, match="no such rows"):
        correlate(x, weight, value, sizes, 1, 0, 3)
    with pytest.raises(ValueError, match="no such rows"):
        correlate(x, weight, value, sizes, 1, 2, 1)
    for groups, given in ((0, weight), (2, weight), (1, weight[:, :, :, :1].copy()), (1, weight[:4].copy())):
        with pytest.raises(ValueError, match="differ in size|do not fill"):
            correlate(x, given, value, sizes, groups, 0, 2)
    gates, first, states = np.ones((2, 3, 4, 5)), np.ones((2, 5)), np.ones((2, 3, 5))
    with pytest.raises(ValueError, match="no such step"):
        deltawire_kernels.lstm(gates, np.ones((2, 20)), first, states, states.copy(), 3)
    with pytest.raises(ValueError, match="differ in size"):
        deltawire_kernels.lstm(gates, np.ones((2, 15)), first, states, states.copy(), 0)
    with pytest.raises(ValueError, match="differ in size"):
        deltawire_kernels.gru(gates, np.ones((2, 15)), first, states, states.copy(), 0)


def test_a_window_with_a_great_stride_is_left_to_numpy() -> None:
    x = np.ones((1, 2, 3, 3))
    for config in ({"stride": 2**40}, {"padding": [[0, 0], [0, 2**30]], "stride": 2**30, "groups": 2}):
        (value, *_) = results("conv2d", {"channels": 2, "kernel": 2} | config, x, x)
        assert np.isfinite(value).all()


def test_planes_with_much_padding_are_left_to_numpy() -> None:
    def planes(kernel: int, dilation: int, padding: int, stride: int = 1) -> Planes | None:
        window = Window(kernel, stride, (padding, padding), dilation)
        size = window.count(5)
        return Planes.of((window, window), 2, (1, 2, 5, 5), (1, 2, size, size))

    assert planes(3, 1, 1) and planes(5, 4, 8)
    assert planes(2, 4000, 2000) is None  # the kernel would store it
    assert planes(2, 1, 0, stride=2**20) is None


def test_softmax_writes_to_an_array_in_another_order() -> None:
    scores = np.random.default_rng(0).normal(size=(3, 4))
    out = np.asfortranarray(scores)
    found = kernels.softmax(out, out=out)
    assert found is not None and found.p is out
    expected = kernels.softmax(scores)
    assert expected is not None
    np.testing.assert_array_equal(out, expected.p)
