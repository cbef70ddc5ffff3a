"""Convolutions against torch."""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.torch_layers import agree, batches, numbers, torch

from deltawire_layers.layers.convolution.convolution import Conv1d, Conv2d, Convolution
from deltawire_layers.layers.convolution.transposed import ConvTranspose1d, ConvTranspose2d
from deltawire_layers.numeric import correlation

pytestmark = pytest.mark.torch


@st.composite
def cases(draw: st.DrawFn, axes: int) -> tuple[dict[str, Any], tuple[int, ...]]:
    """A config and a shape that fits it."""

    def each(least: int, most: int) -> list[int]:
        return draw(st.lists(st.integers(least, most), min_size=axes, max_size=axes))

    groups = draw(st.integers(1, 3))
    config = {
        "channels": groups * draw(st.integers(1, 3)),
        "kernel": each(1, 3),
        "stride": each(1, 3),
        "padding": each(0, 4),
        "dilation": each(1, 3),
        "groups": groups,
        "bias": draw(st.booleans()),
    }
    reach = [d * (k - 1) + 1 for d, k in zip(config["dilation"], config["kernel"], strict=True)]
    least = [max(1, r - 2 * p) for r, p in zip(reach, config["padding"], strict=True)]
    sizes = [size + extra for size, extra in zip(least, each(0, 4), strict=True)]
    return config, (groups * draw(st.integers(1, 3)), *sizes)


def check(data: st.DataObject, kind: type[Convolution], axes: int) -> None:
    config, shape = data.draw(cases(axes))
    inputs = data.draw(batches(shape))
    layer = kind(**config)

    def theirs(x: Any, weight: Any, bias: Any = None) -> Any:
        convolve = getattr(torch.nn.functional, f"conv{axes}d")
        options = {name: config[name] for name in ("stride", "padding", "dilation", "groups")}
        return convolve(x, weight, bias, **options)

    with patch.object(correlation, "BLOCK_BYTES", data.draw(st.sampled_from((1, 500, 5000, 2**22)))):
        agree(layer, theirs, inputs, numbers(layer, inputs))


@given(st.data())
def test_conv1d(data: st.DataObject) -> None:
    check(data, Conv1d, 1)


@given(st.data())
def test_conv2d(data: st.DataObject) -> None:
    check(data, Conv2d, 2)


@pytest.mark.parametrize(("kind", "axes"), [(ConvTranspose1d, 1), (ConvTranspose2d, 2)])
@given(data=st.data())
def test_transposed(kind: type[Convolution], axes: int, data: st.DataObject) -> None:
    config, (channels, *sizes) = data.draw(cases(axes))
    most = [max(pair) - 1 for pair in zip(config["stride"], config["dilation"], strict=True)]
    config["output_padding"] = [data.draw(st.integers(0, size)) for size in most]
    reach = [d * (k - 1) + 1 for d, k in zip(config["dilation"], config["kernel"], strict=True)]
    config["padding"] = [min(p, (r - 1) // 2) for p, r in zip(config["padding"], reach, strict=True)]
    inputs = data.draw(batches((channels, *sizes)))
    layer = kind(**config)

    def theirs(x: Any, weight: Any, bias: Any = None) -> Any:
        convolve = getattr(torch.nn.functional, f"conv_transpose{axes}d")
        names = ("stride", "padding", "output_padding", "dilation", "groups")
        return convolve(x, weight, bias, **{name: config[name] for name in names})

    with patch.object(correlation, "BLOCK_BYTES", data.draw(st.sampled_from((1, 500, 5000, 2**22)))):
        agree(layer, theirs, inputs, numbers(layer, inputs))
