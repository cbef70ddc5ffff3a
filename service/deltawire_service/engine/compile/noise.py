"""The noise inputs of a spec."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from deltawire_service.engine.noise.distributions import Distribution, Dropout, Normal, Uniform
from deltawire_service.engine.noise.inputs import NoiseInput

DISTRIBUTIONS: Mapping[str, Callable[[float], Distribution]] = {
    "normal": Normal,
    "uniform": Uniform,
    "dropout": Dropout,
}
"""How the numbers of a noise input are drawn, by the key of its `noise`."""


def noise_inputs(inputs: Mapping[str, Mapping[str, Any]]) -> dict[str, NoiseInput]:
    """Return the noise inputs among the inputs of a spec, as read, by name."""
    return {
        name: NoiseInput(tuple(entry["shape"]), DISTRIBUTIONS[key](size))
        for name, entry in inputs.items()
        for key, size in entry.get("noise", {}).items()
    }
