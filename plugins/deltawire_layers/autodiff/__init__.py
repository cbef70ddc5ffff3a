"""Layers of which the author writes only the forward line, in torch, in jax or in numpy.

Each framework is an extra: `deltawire[torch]`, `deltawire[jax]`, `deltawire[autograd]`. It is imported when
its names are first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from deltawire_layers.autodiff.forward_only import ForwardOnly

if TYPE_CHECKING:
    from deltawire_layers.autodiff.jax_layer import JaxLayer, from_jax
    from deltawire_layers.autodiff.numpy_layer import NumpyLayer, from_numpy
    from deltawire_layers.autodiff.torch_layers.layer import TorchLayer, from_torch

__all__ = ["ForwardOnly", "JaxLayer", "NumpyLayer", "TorchLayer", "from_jax", "from_numpy", "from_torch"]

HOMES = {
    "analytic": "analytic",
    "JaxLayer": "jax_layer",
    "from_jax": "jax_layer",
    "NumpyLayer": "numpy_layer",
    "from_numpy": "numpy_layer",
    "TorchLayer": "torch_layers.layer",
    "from_torch": "torch_layers.layer",
}
"""The file of each name that needs a framework."""


def __getattr__(name: str) -> Any:
    if name not in HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{HOMES[name]}"), name)
