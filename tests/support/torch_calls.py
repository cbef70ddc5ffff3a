"""Modules that call a function of themselves and of their inputs. Imported by tests that have torch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import nn


def module_of(call: Callable[..., Any], **parts: Any) -> nn.Module:
    """Return a module of these parts, whose forward computes call(module, x)."""

    class Own(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            for name, part in parts.items():
                setattr(self, name, part)

        def forward(self, x: Any) -> Any:
            return call(self, x)

    return Own()
