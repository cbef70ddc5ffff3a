"""Layers that rearrange or reduce axes: known numbers, the rules of the contract, axes that do not exist."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from marshmallow import ValidationError
from support.layers import FEW_SEEDS

from deltawire_layers import Layer, LayerError, check_layer, load_layers
from deltawire_layers.layers.shape.arrangement import Reshape, Transpose
from deltawire_layers.layers.shape.reductions import Max, Mean

Answering = Callable[..., Any]
Shape = tuple[int, ...]

LAYERS = load_layers()

X = np.arange(6.0).reshape(1, 2, 3)


def refusal(kind: str, config: dict[str, Any], *shapes: Shape) -> LayerError:
    with pytest.raises(LayerError) as caught:
        LAYERS[kind](**config).output_shape(*shapes)
    return caught.value


def test_flatten(answers: Answering) -> None:
    value, (delta,), _ = answers(LAYERS["flatten"](), [X], delta=[[5.0, 4, 3, 2, 1, 0]])
    assert value.tolist() == [[0, 1, 2, 3, 4, 5]]
    assert delta.tolist() == [[[5, 4, 3], [2, 1, 0]]]


@pytest.mark.parametrize(("shape", "flat"), [((), (1,)), ((3,), (3,)), ((2, 3), (6,)), ((2, 0), (0,))])
def test_flatten_shapes(shape: Shape, flat: Shape) -> None:
    assert LAYERS["flatten"]().output_shape(shape) == flat


def test_concat(answers: Answering) -> None:
    inputs = [[[1.0, 2.0]], [[3.0]], [[4.0, 5.0]]]
    value, deltas, _ = answers(LAYERS["concat"](), inputs, delta=[[10.0, 20, 30, 40, 50]])
    assert value.tolist() == [[1, 2, 3, 4, 5]]
    assert [delta.tolist() for delta in deltas] == [[[10, 20]], [[30]], [[40, 50]]]


@pytest.mark.parametrize(("axis", "shape"), [(0, (4, 3)), (-2, (4, 3)), (1, (2, 6)), (-1, (2, 6))])
def test_concat_along_an_axis_of_the_example(answers: Answering, axis: int, shape: Shape) -> None:
    layer = LAYERS["concat"](axis=axis)
    value, deltas, _ = answers(layer, [X, X + 10], delta=np.arange(12.0).reshape(1, *shape))
    assert layer.output_shape((2, 3), (2, 3)) == value.shape[1:] == shape
    np.testing.assert_array_equal(value[0], np.concatenate([X[0], X[0] + 10], axis))
    np.testing.assert_array_equal(
        np.concatenate([delta[0] for delta in deltas], axis), np.arange(12.0).reshape(shape)
    )


def test_concat_says_what_does_not_fit() -> None:
    error = refusal("concat", {"axis": 0}, (2, 3), (5, 3), (2, 4))
    assert (error.input, str(error)) == (2, "expected shape [any, 3], got [2, 4]")
    assert refusal("concat", {}, (3,), (3, 1)).input == 1
    assert str(refusal("concat", {"axis": 1}, (3,), (3,))).startswith(
        "axis 1 does not exist in shape [3]: the batch"
    )
    assert refusal("concat", {}, (), ()).input == 0


@pytest.mark.parametrize(
    ("config", "taken"),
    [
        ({}, [0, 1, 2, 3, 4]),
        ({"start": 1}, [1, 2, 3, 4]),
        ({"start": 1, "stop": 3}, [1, 2]),
        ({"start": -2}, [3, 4]),
        ({"stop": -1}, [0, 1, 2, 3]),
        ({"start": -5, "stop": 5}, [0, 1, 2, 3, 4]),
        ({"stop": None}, [0, 1, 2, 3, 4]),
    ],
)
def test_slice(answers: Answering, config: dict[str, Any], taken: list[int]) -> None:
    layer = LAYERS["slice"](**config)
    value, (delta,), _ = answers(layer, [[[0.0, 1, 2, 3, 4]]])
    assert layer.output_shape((5,)) == (len(taken),)
    assert value.tolist() == [taken]
    assert delta.tolist() == [[float(place in taken) for place in range(5)]]


def test_slice_along_another_axis(answers: Answering) -> None:
    layer = LAYERS["slice"](axis=0, start=1)
    value, (delta,), _ = answers(layer, [X])
    assert (layer.output_shape((2, 3)), value.tolist()) == ((1, 3), [[[3, 4, 5]]])
    assert delta.tolist() == [[[0, 0, 0], [1, 1, 1]]]


@pytest.mark.parametrize(
    ("config", "shape", "said"),
    [
        ({"start": 6}, (5,), "start 6 lies outside axis 0 of 5 places"),
        ({"stop": -6}, (5,), "stop -6 lies outside axis 0 of 5 places"),
        ({"start": 3, "stop": 3}, (5,), "start 3 and stop 3 leave nothing of axis 0 of 5 places"),
        ({"start": 5}, (5,), "start 5 and stop None leave nothing of axis 0 of 5 places"),
        ({"axis": 1}, (5,), "axis 1 does not exist in shape [5]: the batch is no axis of an example"),
        ({"axis": -2}, (5,), "axis -2 does not exist in shape [5]"),
        ({}, (), "axis -1 does not exist in shape []"),
    ],
)
def test_slice_says_what_does_not_fit(config: dict[str, Any], shape: Shape, said: str) -> None:
    error = refusal("slice", config, shape)
    assert (str(error), error.input) == (said, 0)


@pytest.mark.parametrize(
    ("axes", "shape", "value"),
    [
        (None, (), 15),
        ([], (2, 3), X[0].tolist()),
        ([0], (3,), [3, 5, 7]),
        ([-1], (2,), [3, 12]),
        ([1, 0], (), 15),
    ],
)
def test_sum(answers: Answering, axes: list[int] | None, shape: Shape, value: Any) -> None:
    layer = LAYERS["sum"](axes=axes)
    delta = np.full((1, *shape), 2.0)
    got = answers(layer, [X], delta)
    assert layer.output_shape((2, 3)) == shape
    assert got.value.tolist() == [value]
    assert got.deltas[0].tolist() == [[[2, 2, 2], [2, 2, 2]]]


def test_sum_passes_each_sum_its_own_delta(answers: Answering) -> None:
    (delta,) = answers(LAYERS["sum"](axes=[0]), [X], delta=[[1.0, 2.0, 3.0]]).deltas
    assert delta.tolist() == [[[1, 2, 3], [1, 2, 3]]]


def test_sum_says_what_does_not_fit() -> None:
    assert str(refusal("sum", {"axes": [2]}, (2, 3))).startswith(
        "axis 2 does not exist in shape [2, 3]: the batch"
    )
    assert "twice" in str(refusal("sum", {"axes": [1, -1]}, (2, 3)))


@pytest.mark.parametrize(
    ("kind", "config"),
    [
        ("concat", {"axis": "0"}),
        ("concat", {"axis": True}),
        ("concat", {"axis": None}),
        ("concat", {"axes": [0]}),
        ("slice", {"start": 1.5}),
        ("slice", {"start": None}),
        ("slice", {"stop": False}),
        ("sum", {"axes": 0}),
        ("sum", {"axes": [0, True]}),
        ("sum", {"axes": ["0"]}),
        ("sum", {"axis": 0}),
        ("flatten", {"axis": 0}),
    ],
)
def test_other_configurations_are_refused(kind: str, config: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        LAYERS[kind](**config)


CASES: list[tuple[Layer, tuple[int, ...], tuple[int, ...]]] = [
    (Reshape(shape=[3, 2]), (2, 3), (3, 2)),
    (Reshape(shape=[-1, 1, 2]), (2, 3), (3, 1, 2)),
    (Reshape(shape=[]), (1, 1), ()),
    (Reshape(shape=[1]), (), (1,)),
    (Transpose(), (), ()),
    (Transpose(), (2, 3, 1), (1, 3, 2)),
    (Transpose(axes=[2, 0, 1]), (2, 3, 1), (1, 2, 3)),
    (Transpose(axes=[-1, 0, -2]), (2, 3, 1), (1, 2, 3)),
    (Mean(), (), ()),
    (Mean(), (2, 3), ()),
    (Mean(axes=[]), (2, 3), (2, 3)),
    (Mean(axes=[-1, 0]), (2, 3, 1), (3,)),
    (Max(), (1,), ()),
    (Max(), (2, 3), (2,)),
    (Max(axis=0), (2, 3), (3,)),
]


@pytest.mark.parametrize(("layer", "given", "expected"), CASES)
def test_passes_the_kit(layer: Layer, given: tuple[int, ...], expected: tuple[int, ...]) -> None:
    assert layer.output_shape(given) == expected
    for seed in FEW_SEEDS:
        check_layer(layer, given, seed=seed)


@pytest.mark.parametrize(
    ("layer", "given", "message"),
    [
        (Reshape(shape=[3, 2]), (5,), r"the 5 numbers of shape \[5\] do not fill shape \[3, 2\]"),
        (Reshape(shape=[-1, 4]), (6,), r"do not fill shape \[-1, 4\]"),
        (Reshape(shape=[4, -1]), (3,), r"do not fill shape \[4, -1\]"),
        (Transpose(axes=[0]), (2, 3), "leave out an axis"),
        (Transpose(axes=[0, 0]), (2, 3), "twice"),
        (Transpose(axes=[0, -2]), (2, 3), "twice"),
        (Transpose(axes=[0, 1, 2]), (2, 3), "axis 2 does not exist"),
        (Mean(axes=[1]), (3,), "axis 1 does not exist"),
        (Mean(axes=[0, -1]), (3,), "twice"),
        (Max(), (), "axis -1 does not exist"),
        (Max(axis=-3), (2, 2), "axis -3 does not exist"),
    ],
)
def test_shapes_that_do_not_fit(layer: Layer, given: tuple[int, ...], message: str) -> None:
    with pytest.raises(LayerError, match=message) as refused:
        layer.output_shape(given)
    assert refused.value.input == 0


@pytest.mark.parametrize(
    ("layer", "config"),
    [
        (Reshape, {}),
        (Reshape, {"shape": [0]}),
        (Reshape, {"shape": [-2]}),
        (Reshape, {"shape": [-1, -1]}),
        (Reshape, {"shape": [2.0]}),
        (Reshape, {"shape": 2}),
        (Reshape, {"shape": [1] * 64}),
        (Transpose, {"axes": ["0"]}),
        (Max, {"axis": None}),
        (Max, {"axes": [0]}),
    ],
)
def test_config_is_checked(layer: type[Layer], config: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        layer(**config)


def test_the_greatest_of_equals_share_delta() -> None:
    (equation,) = Max().forward({}, np.array([[1.0, 3, 3, 3], [2, 1, 0, 2], [0, 1, 0, 0]])).deltas
    assert equation is not None
    assert equation(np.array([3.0, 2, 1])).tolist() == [[0, 1, 1, 1], [1, 0, 0, 1], [0, 1, 0, 0]]


def test_as_many_axes_as_an_array_can_have() -> None:
    assert Reshape(shape=[1] * 63).forward({}, np.ones(2)).value.ndim == 64
