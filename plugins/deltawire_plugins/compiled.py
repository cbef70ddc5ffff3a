"""The compiled kernels of layers and optimizers, where the distribution deltawire-kernels is installed."""

from __future__ import annotations

from typing import Any

try:
    import deltawire_kernels as _installed
except ModuleNotFoundError:
    _installed = None

INTERFACE = 6
"""The interface that deltawire calls. Kernels of another one are refused at the start."""

if _installed is not None and getattr(_installed, "INTERFACE", None) != INTERFACE:
    raise ImportError("deltawire-kernels is not of this version: install it again, as by 'make kernels'")

compiled: Any = _installed if _installed is not None and _installed.instructions else None
"""The package with the kernels; None where numpy computes everything."""
