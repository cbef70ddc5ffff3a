"""The layers of deltawire alone, whatever is installed beside it, and layers that only tests have."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np

from deltawire_layers import Activation, Layer, Parameter, Registry, load_layers
from deltawire_layers.initializers import ones
from deltawire_layers.registry import installed
from deltawire_plugins import Registered

BUILT_IN = load_layers(installed("deltawire"))

THOROUGH = os.environ.get("HYPOTHESIS_PROFILE") == "thorough"

SEEDS = range(60 if THOROUGH else int(os.environ.get("DELTAWIRE_TEST_SEEDS", "1")))
"""Seeds that a layer is checked with: CI takes more than `make test`."""

FEW_SEEDS = SEEDS[:10]
"""Seeds that a layer is checked with in each of many configurations."""


def registry(**kinds: type[Layer]) -> Registry:
    """The built-in layers and the given ones."""
    found = {kind: Registered(BUILT_IN[kind], BUILT_IN.distribution(kind)) for kind in BUILT_IN}
    return Registry(found | {kind: Registered(layer, "tests 1.0") for kind, layer in kinds.items()})


def counting(calls: Counter[str]) -> type[Layer]:
    """A layer y = w·x that counts the calls of its forward pass and of each equation."""

    class Counting(Layer):
        """y = w · x, for x (...), w (1,)."""

        def output_shape(self, x: tuple[int, ...]) -> tuple[int, ...]:
            return x

        def parameters(self, x: tuple[int, ...]) -> dict[str, Parameter]:
            return {"w": Parameter((1,), ones)}

        def forward(self, params: Mapping[str, np.ndarray], x: np.ndarray) -> Activation:
            def count(what: str, array: Any) -> Any:
                calls[what] += 1
                return array

            w = params["w"][0]
            return count("forward", Activation(
                w * x,
                deltas=(lambda delta: count("delta", delta * w),),
                grads={"w": lambda delta: count("gradient", np.array([(delta * x).sum()]))},
                signal=lambda delta: count("signal", delta),
            ))  # fmt: skip

    return Counting


def failing(phase: str, how: Any) -> type[Layer]:
    """A layer y = x that calls `how` in one phase: config, shape, forward, signal, delta or value."""

    class Failing(Layer):
        """y = x, for x (...)."""

        def __init__(self, **config: Any):
            super().__init__(**config)
            if phase == "config":
                how()

        def output_shape(self, x: tuple[int, ...]) -> tuple[int, ...]:
            return how(x) if phase == "shape" else x

        def forward(self, params: Mapping[str, np.ndarray], x: np.ndarray) -> Activation:
            if phase == "forward":
                return how(x)
            return Activation(
                how(x) if phase == "value" else x,
                deltas=(how if phase == "delta" else lambda delta: delta,),
                signal=how if phase == "signal" else lambda delta: delta,
            )

    return Failing
