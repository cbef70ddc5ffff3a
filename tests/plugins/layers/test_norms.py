"""Layers that normalise: the kit, the ends of the range of floats, and shapes that do not fit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from marshmallow import ValidationError
from support.layers import FEW_SEEDS

from deltawire_layers import Layer, LayerError, check_layer
from deltawire_layers.layers.norms.channels import BatchNorm, GroupNorm, InstanceNorm
from deltawire_layers.layers.norms.places import LayerNorm, RmsNorm

CONFIGS = [{}, {"affine": False}, {"eps": 0.5}]
WITH_MEAN = [LayerNorm(affine=False), GroupNorm(groups=1, affine=False)]


@pytest.mark.parametrize("config", CONFIGS)
@pytest.mark.parametrize("shape", [(1,), (3,), (2, 4)])
@pytest.mark.parametrize("kind", [LayerNorm, RmsNorm])
def test_norms_of_the_last_axis_pass_the_kit(
    kind: Any, shape: tuple[int, ...], config: dict[str, Any]
) -> None:
    for seed in FEW_SEEDS:
        check_layer(kind(**config), shape, seed=seed)


@pytest.mark.parametrize("config", CONFIGS)
@pytest.mark.parametrize(("groups", "shape"), [(1, (3,)), (4, (4,)), (2, (4, 2)), (3, (3, 2, 2))])
def test_group_norm_passes_the_kit(groups: int, shape: tuple[int, ...], config: dict[str, Any]) -> None:
    for seed in FEW_SEEDS:
        check_layer(GroupNorm(groups=groups, **config), shape, seed=seed)


@pytest.mark.parametrize("config", CONFIGS)
@pytest.mark.parametrize("shape", [(3,), (2, 3), (2, 2, 2)])
def test_batch_norm_passes_the_kit(shape: tuple[int, ...], config: dict[str, Any]) -> None:
    for seed in FEW_SEEDS:
        check_layer(BatchNorm(**config), shape, shape[:1], shape[:1], seed=seed)


def plain(layer: Layer, *inputs: np.ndarray) -> np.ndarray:
    return layer.forward({}, *inputs).value


@pytest.mark.parametrize("layer", WITH_MEAN)
@pytest.mark.parametrize(("dtype", "huge"), [(np.float32, 3e37), (np.float64, 3e307)])
def test_squares_do_not_overflow(layer: Layer, dtype: Any, huge: float) -> None:
    row = np.array([[0, 1, 2]])
    expected = np.array([[-1, 0, 1]]) * np.sqrt(1.5)
    assert plain(layer, (huge * row).astype(dtype)) == pytest.approx(expected, rel=1e-6, abs=1e-6)
    squares = plain(RmsNorm(affine=False), (huge * row).astype(dtype))
    assert squares == pytest.approx(row / np.sqrt(5 / 3), rel=1e-6, abs=0)


@pytest.mark.parametrize("layer", WITH_MEAN)
def test_a_great_mean_costs_no_precision(layer: Layer) -> None:
    x = (4096 + np.random.default_rng(0).integers(-8, 8, (4, 1000)) / 4).astype(np.float32)  # exact numbers
    assert plain(layer, x) == pytest.approx(plain(layer, x.astype(np.float64)), abs=2e-6)


@pytest.mark.parametrize("layer", WITH_MEAN)
def test_equal_numbers_become_0(layer: Layer) -> None:
    x = np.full((2, 7), 0.1)
    activation = layer.forward({}, x)
    (down,) = activation.deltas
    assert down is not None
    assert not activation.value.any()
    delta = np.arange(14.0).reshape(2, 7)
    expected = (delta - delta.mean(axis=1, keepdims=True)) / np.sqrt(1e-5)
    assert down(activation.signal(delta)) == pytest.approx(expected)


def test_first_numbers_scale_by_1_and_shift_by_0() -> None:
    cases: list[tuple[Layer, list[tuple[int, ...]]]] = [
        (LayerNorm(), [(3, 4)]),
        (GroupNorm(groups=2), [(4, 3)]),
        (BatchNorm(), [(4, 3), (4,), (4,)]),
    ]
    for layer, shapes in cases:
        parameters = layer.parameters(*shapes)
        assert [*parameters] == ["weight", "bias"]
        assert all(parameter.shape == (4,) for parameter in parameters.values())
        first = {name: p.init(np.random.default_rng(0), p.shape).tolist() for name, p in parameters.items()}
        assert first == {"weight": [1] * 4, "bias": [0] * 4}
    assert [*RmsNorm().parameters((3, 4))] == ["weight"]
    assert RmsNorm(affine=False).parameters((3, 4)) == {}


def test_batch_norm_takes_each_channel_by_its_statistics() -> None:
    x = np.array([[[1.0, 2], [3, 4]], [[5, 6], [7, 8]]])
    mean, var = np.array([[1.0, 2]] * 2), np.array([[4.0, 9]] * 2)
    value = plain(BatchNorm(affine=False, eps=1e-12), x, mean, var)
    assert value == pytest.approx(np.array([[[0, 1 / 2], [1 / 3, 2 / 3]], [[2, 5 / 2], [5 / 3, 2]]]))


def test_group_norm_of_one_group_takes_the_whole_example() -> None:
    x = np.random.default_rng(0).standard_normal((3, 4, 5))
    whole = plain(LayerNorm(affine=False), x.reshape(3, 20)).reshape(3, 4, 5)
    assert plain(GroupNorm(groups=1, affine=False), x) == pytest.approx(whole, abs=1e-15)


@pytest.mark.parametrize(
    ("layer", "shapes", "position", "message"),
    [
        (LayerNorm(), [()], 0, "at least one axis"),
        (RmsNorm(), [()], 0, "at least one axis"),
        (GroupNorm(groups=2), [()], 0, "axis of channels"),
        (GroupNorm(groups=2), [(3, 4)], 0, "3 channels cannot be divided into 2 groups"),
        (GroupNorm(groups=4), [(2,)], 0, "2 channels cannot be divided into 4 groups"),
        (BatchNorm(), [(), (), ()], 0, "axis of channels"),
        (BatchNorm(), [(3, 2), (2,), (3,)], 1, r"shape \[3\], got \[2\]"),
        (BatchNorm(), [(3, 2), (3,), (3, 1)], 2, r"shape \[3\], got \[3, 1\]"),
    ],
)
def test_shapes_that_do_not_fit(
    layer: Layer, shapes: list[tuple[int, ...]], position: int, message: str
) -> None:
    with pytest.raises(LayerError, match=message) as refused:
        layer.output_shape(*shapes)
    assert refused.value.input == position


@pytest.mark.parametrize(
    ("kind", "config"),
    [
        (LayerNorm, {"eps": 0}),
        (RmsNorm, {"eps": -1e-5}),
        (BatchNorm, {"affine": "yes"}),
        (BatchNorm, {"momentum": 0.1}),
        (GroupNorm, {}),
        (GroupNorm, {"groups": 0}),
        (GroupNorm, {"groups": 1.5}),
    ],
)
def test_config_is_checked(kind: type[Layer], config: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        kind(**config)


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (LayerNorm(last_axes=2), (2, 2, 3)),
        (LayerNorm(last_axes=2, affine=False), (2, 3)),
        (LayerNorm(bias=False), (2, 3)),
        (LayerNorm(bias=False, affine=False), (3,)),
        (RmsNorm(last_axes=2), (2, 3)),
        (InstanceNorm(), (2, 3)),
        (InstanceNorm(affine=False), (2, 2, 2)),
    ],
)
def test_further_configs_keep_the_contract(layer: Layer, shape: tuple[int, ...]) -> None:
    for seed in FEW_SEEDS:
        check_layer(layer, shape, seed=seed)


def test_parameters_have_the_shape_of_the_axes() -> None:
    shapes = {name: each.shape for name, each in LayerNorm(last_axes=2).parameters((4, 2, 3)).items()}
    assert shapes == {"weight": (2, 3), "bias": (2, 3)}
    assert list(LayerNorm(bias=False).parameters((3,))) == ["weight"]
    with pytest.raises(LayerError, match="at least 2 axes"):
        RmsNorm(last_axes=2).output_shape((3,))
