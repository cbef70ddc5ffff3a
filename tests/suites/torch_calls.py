"""Modules that call another one with some arguments fixed, so that all that is left are tensors."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn


class Call(nn.Module):
    """A module with some arguments fixed.

    Args:
        module: The module.
        names: The names of the arguments that are left.
        fixed: The others, by name.
    """

    def __init__(self, module: nn.Module, names: list[str], fixed: Mapping[str, Any]):
        super().__init__()
        self.module, self.names, self.fixed = module, names, dict(fixed)

    def called(self, *tensors: Tensor) -> Any:
        if self.names == list(inspect.signature(self.module.forward).parameters)[: len(self.names)]:
            return self.module(*tensors, **self.fixed)
        return self.module(**dict(zip(self.names, tensors, strict=True)), **self.fixed)


class CallOfOne(Call):
    def forward(self, a: Tensor) -> Any:
        return self.called(a)


class CallOfTwo(Call):
    def forward(self, a: Tensor, b: Tensor) -> Any:
        return self.called(a, b)


class CallOfThree(Call):
    def forward(self, a: Tensor, b: Tensor, c: Tensor) -> Any:
        return self.called(a, b, c)


class CallOfFour(Call):
    def forward(self, a: Tensor, b: Tensor, c: Tensor, d: Tensor) -> Any:
        return self.called(a, b, c, d)


def call(module: nn.Module, arguments: Mapping[str, Any]) -> tuple[nn.Module, list[Tensor]]:
    """Return a module that takes the tensors among the arguments, and these tensors."""
    tensors = {name: one for name, one in arguments.items() if isinstance(one, Tensor)}
    fixed = {name: one for name, one in arguments.items() if name not in tensors}
    kinds = CallOfOne, CallOfTwo, CallOfThree, CallOfFour
    kind = kinds[min(max(len(tensors), 1), len(kinds)) - 1]
    return kind(module, list(tensors), fixed), list(tensors.values())
