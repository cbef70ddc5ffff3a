"""Rule 5, `saved`: what is measured, and the line to paste, which is pasted here and passes."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from functools import partial
from math import isqrt, prod
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from support.broken_layers import Broken, OneInput, Params
from support.layers import BUILT_IN

from deltawire_layers import Activation, ConformanceError, Layer, Shape, check_layer
from deltawire_layers.kit.memory.saved import measure, suggestion

Array = NDArray[Any]
SWIGLU = Path(__file__).parents[3] / "examples" / "deltawire-swiglu"


def without_saved(layer: type[Layer]) -> type[Layer]:
    """The same layer of an author who has not written `saved`."""
    return type(layer.__name__, (layer,), {"saved": Layer.saved, "__doc__": layer.__doc__})


def pasted(layer: type[Layer], line: str) -> type[Layer]:
    """The layer with this line in its class."""
    body: dict[str, Any] = {}
    exec(line, {"prod": prod}, body)
    return type(layer.__name__, (layer,), body | {"__doc__": layer.__doc__})


def line_of(error: ConformanceError) -> str:
    assert error.suggestion is not None
    match = re.fullmatch(r"paste: (def saved\(self, .*\): return .*)", error.suggestion)
    assert match, error.suggestion
    assert str(error).endswith(f"; {error.suggestion}")
    return match[1]


# kind: config, the shapes that the author tries, and others that the pasted line has to hold for
SAVING: dict[str, tuple[dict[str, Any], list[Shape], list[list[Shape]]]] = {
    "absolute_error": ({}, [(3,), (3,)], [[(), ()], [(2, 2), (2, 2)]]),
    "attention": (
        {},
        [(3, 2), (3, 2), (3, 2)],
        [[(5, 1), (2, 1), (2, 4)], [(2, 1, 3), (2, 4, 3), (2, 4, 2)]],
    ),
    "batch_norm": ({}, [(3,), (3,), (3,)], [[(2, 5), (2,), (2,)], [(3, 2, 2), (3,), (3,)]]),
    "cosine_distance": ({}, [(3,), (3,)], [[(1,), (1,)], [(2, 5), (2, 5)]]),
    "elman": ({"units": 2}, [(3, 2)], [[(1, 1)], [(5, 3)]]),
    "gelu": ({}, [()], [[(3,)], [(2, 4)]]),
    "group_norm": ({"groups": 2}, [(4,)], [[(2,)], [(6, 3)]]),
    "gru": ({"units": 2}, [(3, 2)], [[(1, 1)], [(5, 3)]]),
    "huber": ({}, [(3,), (3,)], [[(), ()], [(2, 2), (2, 2)]]),
    "instance_norm": ({}, [(4, 2)], [[(2, 1)], [(6, 3)]]),
    "log": ({"low": -100.0}, [(3,)], [[()], [(2, 4)]]),
    "lstm": ({"units": 2}, [(3, 2)], [[(1, 1)], [(5, 3)]]),
    "max_margin": ({}, [(3,), (3,)], [[(), ()], [(2, 2), (2, 2)]]),
    "gaussian_nll": ({}, [(3,)] * 3, [[()] * 3, [(2, 2)] * 3]),
    "mish": ({}, [(3,)], [[()], [(2, 4)]]),
    "multi_head_attention": (
        {"heads": 2},
        [(2, 4), (2, 4), (2, 4)],
        [[(3, 2), (5, 2), (5, 2)], [(2, 1, 2), (2, 4, 2), (2, 4, 2)]],
    ),
    "nll": ({}, [(3,), ()], [[(2, 4), (2,)]]),
    "poisson_nll": ({}, [(3,), (3,)], [[(), ()], [(2, 2), (2, 2)]]),
    "silu": ({}, [(3,)], [[()], [(2, 4)]]),
    "softmax_nll": ({}, [(3,), ()], [[(2, 4), (2,)]]),
    "smooth_l1": ({}, [(3,), (3,)], [[(), ()], [(2, 2), (2, 2)]]),
    "squared_error": ({}, [(3,), (3,)], [[(), ()], [(2, 2), (2, 2)]]),
    "triplet": ({}, [(3,)] * 3, [[(1,)] * 3, [(2, 5)] * 3]),
    "variance": ({}, [(3,)], [[(1,)], [(2, 3)]]),
}


@pytest.mark.parametrize("kind", SAVING)
def test_the_line_printed_for_a_built_in_layer_passes_when_pasted(kind: str) -> None:
    config, shapes, others = SAVING[kind]
    bare = without_saved(BUILT_IN[kind])
    with pytest.raises(ConformanceError) as caught:
        check_layer(bare(**config), *shapes)
    assert (caught.value.rule, caught.value.closure) == (5, "saved")
    mended = pasted(bare, line_of(caught.value))(**config)
    for case in (shapes, *others):
        check_layer(mended, *case)
        assert measure(mended, tuple(case)) <= mended.saved(*case) <= BUILT_IN[kind](**config).saved(*case)


def test_every_other_built_in_layer_saves_nothing() -> None:
    """What these declare, if anything, is what their equations work in, or what kernels save."""
    cases: dict[str, tuple[dict[str, Any], list[Shape]]] = {
        "adaptive_avg_pool2d": ({"size": 2}, [(3, 3)]),
        "adaptive_max_pool2d": ({"size": 2}, [(3, 3)]),
        "avg_pool2d": ({"kernel": 2}, [(1, 4, 4)]),
        "binary_nll": ({}, [(3,), (3,)]),
        "conv1d": ({"channels": 2, "kernel": 2}, [(2, 4)]),
        "conv_transpose1d": ({"channels": 2, "kernel": 2}, [(2, 4)]),
        "focal": ({}, [(3,), (3,)]),
        "glu": ({}, [(4,)]),
        "kl_divergence": ({}, [(3,), (3,)]),
        "logsumexp": ({}, [(2, 3)]),
        "min": ({}, [(3,)]),
        "pad": ({"widths": [[1, 2]], "mode": "reflect"}, [(3,)]),
        "upsample": ({"size": [3]}, [(2,)]),
        "take": ({}, [(3,), (2,)]),
        "take_along_axis": ({}, [(3,), (2,)]),
        "einsum": ({"equation": "ij,jk->ik"}, [(2, 3), (3, 2)]),
        "rotary": ({}, [(2, 4)]),
        "sigmoid": ({}, [(3,)]),
        "embedding": ({"rows": 3, "width": 2}, [(3,)]),
        "max_pool2d": ({"kernel": 2}, [(1, 4, 4)]),
    }
    declaring = {kind for kind in BUILT_IN if "saved" in _defined(BUILT_IN[kind])}
    assert declaring == SAVING.keys() | cases.keys() | {
        "conv2d",
        "conv_transpose2d",
        *ONE_AXIS,
        *NO_CLOSED_FORM,
    }
    for kind, (config, shapes) in cases.items():
        assert measure(without_saved(BUILT_IN[kind])(**config), tuple(shapes)) == 0
        check_layer(BUILT_IN[kind](**config), *shapes)


ONE_AXIS = ("adaptive_avg_pool1d", "adaptive_max_pool1d", "avg_pool1d", "max_pool1d")
"""Kinds that are tried with two axes."""

NO_CLOSED_FORM = ("layer_norm", "norm", "rms_norm")
"""Kinds that save numbers for the axes that are not summed over, which a config names."""


def _defined(layer: type[Layer]) -> set[str]:
    return {name for level in layer.__mro__[: layer.__mro__.index(Layer)] for name in vars(level)}


@pytest.mark.parametrize("shape", [(4,), (2, 3)])
def test_the_line_of_the_guide(shape: Shape, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(SWIGLU)
    monkeypatch.delitem(sys.modules, "deltawire_swiglu", raising=False)
    from deltawire_swiglu import SwiGLU  # type: ignore[import-not-found]

    bare = without_saved(SwiGLU)
    with pytest.raises(ConformanceError) as caught:
        check_layer(bare(units=3), shape)
    line = line_of(caught.value)
    assert line.startswith("def saved(self, x): return 3 * prod(x[:-1]) * self.units")
    for units in (1, 5):
        check_layer(pasted(bare, line)(units=units), (2, 2, 3))


class Saving(Layer):
    """y = x², for x (...)."""

    def output_shape(self, x: Shape) -> Shape:
        return x

    def forward(self, params: Mapping[str, Array], x: Array) -> Activation:
        return Activation(x * x, deltas=(partial(np.multiply, 2 * x),))


broken = Broken()


@broken(5, "saved", (3,))
class SavesMoreThanItSays(OneInput):
    def saved(self, x: Shape) -> int:
        return 2

    def forward(self, params: Params, x: Array) -> Activation:
        slope = 2 * x
        return Activation(x * x, deltas=(lambda delta: delta * slope,))


@broken(5, "saved", (3,))
class SavesMoreInAPartial(OneInput):
    def forward(self, params: Params, x: Array) -> Activation:
        return Activation(x * x, deltas=(partial(np.multiply, 2 * x),))


test_a_broken_layer_is_caught_and_named = broken.test()


@pytest.mark.parametrize("saved", [None, -1, 3.0, np.int64(3), "3", True])
def test_what_is_no_whole_number_gets_the_line_too(saved: Any) -> None:
    wrong = type("Wrong", (Saving,), {"saved": lambda self, x: saved, "__doc__": Saving.__doc__})
    with pytest.raises(ConformanceError, match="expected a whole number") as caught:
        check_layer(wrong(), (3,))
    check_layer(pasted(wrong, line_of(caught.value))(), (2, 3))


def test_a_line_says_what_it_imports() -> None:
    """`prod` is imported here; in the module of another layer it is not."""
    here, there = without_saved(Saving), without_saved(Saving)
    there.__module__ = "support.layers"
    assert suggestion(here(), ((3,),)) == "paste: def saved(self, x): return prod(x)"
    assert (
        suggestion(there(), ((3,),)) == "paste: def saved(self, x): return prod(x)  # from math import prod"
    )


def test_numbers_are_shown_where_no_formula_fits() -> None:
    class Odd(Saving):
        """y = x², for x (n,)."""

        def forward(self, params: Mapping[str, Array], x: Array) -> Activation:
            roots = np.ones((len(x), isqrt(x.shape[1]) + 1), x.dtype)
            return Activation(x * x, deltas=(lambda delta: 2 * delta * x * roots[:, :1],))

    with pytest.raises(
        ConformanceError, match="the equations save 3 numbers per example; no closed form"
    ) as e:
        check_layer(Odd(), (4,))
    assert re.match(r"no closed form fits; measured: 3 for \(4,\), \d for \(\d,\), ", str(e.value.suggestion))


def test_integers_and_booleans_weigh_what_they_weigh_in_float32() -> None:
    class Order(Saving):
        """y = x, for x (n,)."""

        def forward(self, params: Mapping[str, Array], x: Array) -> Activation:
            order, mask = x.real.argsort(axis=-1), x.real > 0
            return Activation(x * 1, deltas=(lambda delta: delta * (order >= 0) * (mask | ~mask),))

    assert measure(Order(), ((4,),)) == 2 * 4 + 4 / 4
    with pytest.raises(ConformanceError) as caught:
        check_layer(Order(), (4,))
    assert line_of(caught.value).startswith("def saved(self, x): return 3 * prod(x)")
