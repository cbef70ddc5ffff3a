"""Convolutions: the rules of the contract, small known numbers, blocks, and what does not fit."""

from __future__ import annotations

import tracemalloc
from itertools import product
from typing import Any

import numpy as np
import pytest
from marshmallow import ValidationError
from support.layers import FEW_SEEDS

from deltawire_layers import LayerError, check_layer
from deltawire_layers.layer import Shape
from deltawire_layers.layers.convolution.convolution import Conv1d, Conv2d, Convolution
from deltawire_layers.layers.convolution.transposed import ConvTranspose1d, ConvTranspose2d
from deltawire_layers.numeric import correlation

CASES: list[tuple[type[Convolution], dict[str, Any], Shape]] = [
    (Conv1d, {"channels": 2, "kernel": 3}, (2, 5)),
    (Conv1d, {"channels": 1, "kernel": 1}, (1, 1)),
    (Conv1d, {"channels": 4, "kernel": [2], "stride": 2, "padding": 1, "dilation": 2, "groups": 2}, (2, 6)),
    (Conv1d, {"channels": 1, "kernel": 2, "stride": 3, "padding": 4, "bias": False}, (2, 3)),
    (Conv2d, {"channels": 2, "kernel": 2}, (2, 3, 3)),
    (Conv2d, {"channels": 2, "kernel": 3, "padding": 1, "groups": 2}, (2, 2, 3)),
    (
        Conv2d,
        {"channels": 1, "kernel": [2, 3], "padding": [1, 2], "stride": [2, 1], "dilation": [1, 2]},
        (1, 4, 3),
    ),
    (Conv2d, {"channels": 2, "kernel": [1, 2], "stride": 2, "bias": False}, (3, 2, 4)),
    (Conv1d, {"channels": 2, "kernel": 2, "padding": [[1, 0]]}, (2, 4)),
    (ConvTranspose1d, {"channels": 2, "kernel": 2}, (2, 3)),
    (ConvTranspose1d, {"channels": 4, "kernel": 3, "stride": 2, "groups": 2, "output_padding": 1}, (2, 3)),
    (ConvTranspose1d, {"channels": 1, "kernel": 2, "dilation": 3, "output_padding": 2}, (2, 2)),
    (
        ConvTranspose2d,
        {"channels": 2, "kernel": [3, 2], "stride": [2, 1], "padding": [1, 0], "bias": False},
        (1, 2, 3),
    ),
]


@pytest.mark.parametrize(("kind", "config", "shape"), CASES)
@pytest.mark.parametrize("seed", FEW_SEEDS)
def test_keeps_the_contract(kind: type[Convolution], config: dict[str, Any], shape: Shape, seed: int) -> None:
    check_layer(kind(**config), shape, seed=seed)


def numbers(layer: Convolution, shape: Shape, rows: int, dtype: str) -> dict[str, np.ndarray]:
    """The value and every equation of a batch, imaginary parts too for complex128."""
    stream = np.random.default_rng(rows)

    def drawn(*sizes: int) -> np.ndarray:
        imaginary = 1e-3j * stream.standard_normal(sizes) if dtype == "complex128" else 0
        return np.asarray(stream.standard_normal(sizes) + imaginary).astype(dtype)

    params = {name: drawn(*each.shape) for name, each in layer.parameters(shape).items()}
    run = layer.forward(params, drawn(rows, *shape))
    signal = run.signal(drawn(*run.value.shape))
    equations = {"delta": run.deltas[0], **run.grads}
    return {"value": run.value} | {name: each(signal) for name, each in equations.items()}  # type: ignore[misc]


@pytest.mark.parametrize(("kind", "config", "shape"), CASES)
@pytest.mark.parametrize("block_bytes", [1, 256])
def test_blocks_of_any_size_give_the_same(
    kind: type[Convolution], config: dict[str, Any], shape: Shape,
    block_bytes: int, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """A block may hold one example or a part of it: the contract is checked above with whole batches."""
    layer = kind(**config)
    for rows, dtype in product((1, 2, 6, 41), ("float32", "float64", "complex128")):
        whole = numbers(layer, shape, rows, dtype)
        with monkeypatch.context() as patch:
            patch.setattr(correlation, "BLOCK_BYTES", block_bytes)
            blocks = numbers(layer, shape, rows, dtype)
        for name, right in whole.items():
            assert blocks[name].dtype == right.dtype
            tolerance = 64 * np.finfo(dtype).eps * max(1.0, float(np.abs(right).max()))
            np.testing.assert_allclose(blocks[name], right, rtol=0, atol=tolerance, err_msg=f"{name} {dtype}")


@pytest.mark.parametrize("block_bytes", [1, 256])
@pytest.mark.parametrize(("kind", "config", "shape"), [CASES[4], CASES[9]])
def test_blocks_keep_the_contract(
    kind: type[Convolution], config: dict[str, Any], shape: Shape,
    block_bytes: int, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(correlation, "BLOCK_BYTES", block_bytes)
    check_layer(kind(**config), shape)


def test_known_numbers_in_one_dimension() -> None:
    """[1, 2, 3, 4] seen through [1, −1], a step back: differences, and 0 outside."""
    layer = Conv1d(channels=1, kernel=2, padding=1)
    run = layer.forward(
        {"weight": np.array([[[-1.0, 1.0]]]), "bias": np.array([0.5])}, np.array([[[1.0, 2, 4, 8]]])
    )
    assert run.value.tolist() == [[[1.5, 1.5, 2.5, 4.5, -7.5]]]
    delta = np.array([[[1.0, 0, 0, 0, 2]]])
    assert run.deltas[0](delta).tolist() == [[[1.0, 0, 0, -2]]]  # type: ignore[misc]
    assert {name: equation(delta).tolist() for name, equation in run.grads.items()} == {
        "weight": [[[16.0, 1.0]]],
        "bias": [3.0],
    }


def test_known_numbers_in_two_dimensions() -> None:
    """The kernel is not turned round, and every second window is skipped."""
    layer = Conv2d(channels=1, kernel=2, stride=[1, 2], bias=False)
    run = layer.forward(
        {"weight": np.array([[[[1.0, 10], [100, 1000]]]])}, np.arange(12.0).reshape(1, 1, 3, 4)
    )
    assert run.value.tolist() == [[[[5410, 7632], [9854, 12076]]]]
    assert run.deltas[0](np.array([[[[1.0, 0], [0, 1]]]])).tolist() == [  # type: ignore[misc]
        [[[1, 10, 0, 0], [100, 1000, 1, 10], [0, 0, 100, 1000]]]
    ]


def test_dilation_spreads_the_kernel() -> None:
    layer = Conv1d(channels=1, kernel=2, dilation=3, bias=False)
    value = layer.forward({"weight": np.array([[[1.0, 10]]])}, np.arange(5.0).reshape(1, 1, 5)).value
    assert value.tolist() == [[[30, 41]]]


def test_groups_do_not_meet() -> None:
    layer = Conv1d(channels=4, kernel=1, groups=2, bias=False)
    value = layer.forward({"weight": np.arange(1.0, 5).reshape(4, 1, 1)}, np.array([[[1.0], [10.0]]])).value
    assert value.tolist() == [[[1], [2], [30], [40]]]


@pytest.mark.parametrize("block_bytes", [1, 1000, 5000, 10**5])
def test_blocks_give_what_the_whole_gives(block_bytes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts of an example, single examples and several: what they give does not depend on the cut."""
    layer = Conv2d(channels=4, kernel=3, padding=1, stride=[2, 1], groups=2)
    stream = np.random.default_rng(0)
    x, delta = stream.standard_normal((5, 2, 7, 6)), stream.standard_normal((5, 4, 4, 6))
    params = {name: init(stream, shape) for name, (shape, init) in layer.parameters(x.shape[1:]).items()}

    def answers() -> list[np.ndarray]:
        run = layer.forward(params, x)
        return [run.value, *(equation(delta) for equation in (*run.deltas, *run.grads.values()) if equation)]

    whole = answers()
    monkeypatch.setattr(correlation, "BLOCK_BYTES", block_bytes)
    for cut, uncut in zip(answers(), whole, strict=True):
        assert cut == pytest.approx(uncut, rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("shape", [(1, 4, 64, 64), (64, 4, 8, 8)], ids=["one large", "many small"])
def test_memory_is_that_of_a_block(shape: Shape, monkeypatch: pytest.MonkeyPatch) -> None:
    """All windows written out would take megabytes here."""
    monkeypatch.setattr(correlation, "BLOCK_BYTES", 2**16)
    layer = Conv2d(channels=1, kernel=5, bias=False)
    x, weight = np.ones(shape), np.ones((1, 4, 5, 5))
    tracemalloc.start()
    try:
        run = layer.forward({"weight": weight}, x)
        equations = [*run.deltas, *run.grads.values()]
        answers = [equation(run.value) for equation in equations if equation]
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < run.value.nbytes + sum(array.nbytes for array in answers) + 4 * 2**16


@pytest.mark.parametrize(
    ("layer", "shape", "message"),
    [
        (Conv1d(channels=1, kernel=1), (3,), "expected axes (channels, n), got shape [3]"),
        (Conv2d(channels=1, kernel=1), (3, 3), "expected axes (channels, h, w), got shape [3, 3]"),
        (Conv1d(channels=4, kernel=1, groups=2), (3, 5), "3 channels cannot be divided into 2 groups"),
        (
            Conv2d(channels=1, kernel=[1, 3], padding=1, dilation=4),
            (1, 9, 6),
            "the kernel reaches over 9 numbers, but axis -1 has 6, 8 with padding",
        ),
    ],
)
def test_what_does_not_fit_is_named(layer: Convolution, shape: Shape, message: str) -> None:
    with pytest.raises(LayerError) as caught:
        layer.output_shape(shape)
    assert str(caught.value) == message
    assert caught.value.input == 0


def test_channels_out_are_divided_into_the_groups() -> None:
    with pytest.raises(ValidationError) as caught:
        Conv1d(channels=3, kernel=1, groups=2)
    assert caught.value.messages == {"groups": ["expected a divisor of the 3 channels out, got 2"]}


@pytest.mark.parametrize(
    "config",
    [
        {"kernel": 1},
        {"channels": 1},
        {"channels": 0, "kernel": 1},
        {"channels": 1.5, "kernel": 1},
        {"channels": 1, "kernel": 0},
        {"channels": 1, "kernel": [1, 1, 1]},
        {"channels": 1, "kernel": 1, "stride": 0},
        {"channels": 1, "kernel": 1, "padding": -1},
        {"channels": 1, "kernel": 1, "dilation": 0},
        {"channels": 1, "kernel": 1, "groups": 0},
        {"channels": 1, "kernel": 1, "padding": "same"},
    ],
)
def test_config(config: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Conv2d(**config)


def test_shapes_are_those_of_torch() -> None:
    layer = Conv2d(channels=6, kernel=[3, 2], stride=2, padding=[1, 0], dilation=[1, 2], groups=2)
    assert layer.output_shape((4, 7, 8)) == (6, 4, 3)
    assert {name: parameter.shape for name, parameter in layer.parameters((4, 7, 8)).items()} == {
        "weight": (6, 2, 3, 2),
        "bias": (6,),
    }


def test_a_transposed_convolution_is_the_delta_of_one() -> None:
    stream = np.random.default_rng(0)
    x, delta, W = (stream.standard_normal(shape) for shape in ((2, 3, 7), (2, 4, 3), (4, 3, 3)))
    run = Conv1d(channels=4, kernel=3, stride=2, bias=False).forward({"weight": W}, x)
    (equation,) = run.deltas
    assert equation is not None
    back = ConvTranspose1d(channels=3, kernel=3, stride=2, bias=False).forward({"weight": W}, delta)
    np.testing.assert_array_equal(back.value, equation(delta))


@pytest.mark.parametrize(
    ("config", "shape", "message"),
    [
        ({"channels": 1, "kernel": 1}, (2,), "expected axes (channels, n), got shape [2]"),
        ({"channels": 2, "kernel": 1, "groups": 2}, (3, 1), "3 channels cannot be divided into 2 groups"),
        (
            {"channels": 1, "kernel": 1, "padding": 1},
            (1, 2),
            "the padding leaves no place of [1, 2]",
        ),
    ],
)
def test_what_a_transposed_convolution_refuses(config: dict[str, Any], shape: Shape, message: str) -> None:
    with pytest.raises(LayerError) as caught:
        ConvTranspose1d(**config).output_shape(shape)
    assert str(caught.value) == message
