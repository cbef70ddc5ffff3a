"""The operators that torchvision's binary for this torch may lack: without them, no import of it ends."""

from __future__ import annotations

OPERATORS = (
    "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
)
"""Operators that torchvision describes when it is imported, as transformers does where it is installed."""


def define_operators() -> None:
    """Define the operators that are not there."""
    import torch

    library = torch.library.Library("torchvision", "FRAGMENT")  # noqa: TOR901
    for operator in OPERATORS:
        if not hasattr(torch.ops.torchvision, operator.partition("(")[0]):
            library.define(operator)
    _kept.append(library)


_kept: list[object] = []
"""The definitions go with their library."""
