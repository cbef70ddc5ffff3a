"""Layers that normalise against torch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.torch_layers import agree, batches, numbers, shapes, torch

from deltawire_layers.layers.norms.channels import BatchNorm, GroupNorm, InstanceNorm
from deltawire_layers.layers.norms.places import LayerNorm, RmsNorm

pytestmark = pytest.mark.torch

configs = st.fixed_dictionaries({"eps": st.floats(1e-6, 1.0), "affine": st.booleans()})


@given(st.data(), st.integers(1, 3), configs, st.booleans())
def test_layer_norm(data: st.DataObject, last_axes: int, config: dict[str, Any], bias: bool) -> None:
    inputs = data.draw(shapes(least=last_axes).flatmap(batches))
    layer = LayerNorm(last_axes=last_axes, bias=bias, **config)

    def theirs(x: Any, weight: Any = None, bias: Any = None) -> Any:
        return torch.nn.functional.layer_norm(x, x.shape[-last_axes:], weight, bias, config["eps"])

    agree(layer, theirs, inputs, numbers(layer, inputs))


@given(st.data(), st.integers(1, 3), configs)
def test_rms_norm(data: st.DataObject, last_axes: int, config: dict[str, Any]) -> None:
    inputs = data.draw(shapes(least=last_axes).flatmap(batches))
    layer = RmsNorm(last_axes=last_axes, **config)

    def theirs(x: Any, weight: Any = None) -> Any:
        return torch.nn.functional.rms_norm(x, x.shape[-last_axes:], weight, config["eps"])

    agree(layer, theirs, inputs, numbers(layer, inputs))


@given(st.data(), st.integers(1, 3), st.integers(1, 3), shapes(most=2), configs)
def test_group_norm(
    data: st.DataObject, groups: int, channels: int, places: tuple[int, ...], config: dict[str, Any]
) -> None:
    inputs = data.draw(batches((groups * channels, *places)))
    layer = GroupNorm(groups=groups, **config)

    def theirs(x: Any, weight: Any = None, bias: Any = None) -> Any:
        if x[0].numel() == groups:  # torch refuses groups of a single number: they are their own mean
            return bias.expand(x.shape[:2]).reshape(x.shape) + 0 * weight.sum() if config["affine"] else 0 * x
        return torch.nn.functional.group_norm(x, groups, weight, bias, config["eps"])

    agree(layer, theirs, inputs, numbers(layer, inputs))


@given(st.data(), st.integers(1, 3), shapes(least=1, most=2), configs)
def test_instance_norm(
    data: st.DataObject, channels: int, places: tuple[int, ...], config: dict[str, Any]
) -> None:
    inputs = data.draw(batches((channels, *places, 2)))  # torch refuses channels of a single number
    layer = InstanceNorm(**config)

    def theirs(x: Any, weight: Any = None, bias: Any = None) -> Any:
        return torch.nn.functional.instance_norm(x, weight=weight, bias=bias, eps=config["eps"])

    agree(layer, theirs, inputs, numbers(layer, inputs))


@given(st.data(), shapes(least=1), configs)
def test_batch_norm(data: st.DataObject, shape: tuple[int, ...], config: dict[str, Any]) -> None:
    x, mean, var = data.draw(batches(shape, shape[:1], shape[:1]))
    layer = BatchNorm(**config)
    shared = [x, *(np.broadcast_to(one[0], one.shape) for one in (mean, np.abs(var) + 0.1))]
    params = numbers(layer, shared)

    # torch's own has no derivative by the statistics, and takes them without a batch axis.
    def theirs(x: Any, mean: Any, var: Any, weight: Any = None, bias: Any = None) -> Any:
        each = (len(x), -1, *(1,) * (x.ndim - 2))
        y = (x - mean.reshape(each)) / torch.sqrt(var.reshape(each) + config["eps"])
        return y if weight is None else y * weight.reshape(each[1:]) + bias.reshape(each[1:])

    def named(x: Any, mean: Any, var: Any, weight: Any = None, bias: Any = None) -> Any:
        return torch.nn.functional.batch_norm(x, mean[0], var[0], weight, bias, eps=config["eps"])

    agree(layer, theirs, shared, params)
    tensors = [torch.tensor(array) for array in (*shared, *params.values())]
    assert torch.allclose(theirs(*tensors), named(*tensors), rtol=0, atol=1e-10)
