"""Translate ONNX operators to layers: functions of a node's site, its inputs, and its attributes by name."""

from deltawire.importers.onnx.operators import (  # noqa: F401 (they register their operators)
    arrangement,
    combine,
    losses,
    norms,
    picks,
    pointwise,
    recurrent,
    reductions,
    resizing,
    windows,
)
from deltawire.importers.onnx.operators.table import OPERATORS

__all__ = ["OPERATORS"]
