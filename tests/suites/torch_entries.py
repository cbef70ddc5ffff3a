"""Import torch modules for a suite, and compare them in full."""

from __future__ import annotations

import os
from collections.abc import Sequence
from copy import deepcopy
from functools import cache
from unittest.mock import patch

import torch
from support.torch_difference import difference
from torch import Tensor, nn

from deltawire import Client
from deltawire.importers.torch_fx import from_torch

SINGLE, DOUBLE = 1e-6, 1e-10
"""Allowed differences, relative to the greatest value of an output, or to the greatest of all gradients."""

LIMITS = {"DELTAWIRE_PLANNED_BYTES": "3000000000", "DELTAWIRE_NODES": "1000"}
"""Settings of the service: enough for 100 million parameters in 1,000 nodes."""


@cache
def client() -> Client:
    """Return a client with a service of its own, which takes large networks."""
    with patch.dict(os.environ, LIMITS):
        return Client()


def differs(module: nn.Module, *examples: Tensor) -> str:
    """Import a module, and return how its values or gradients differ from torch's; "" when they do not.

    It is compared in float32, and in float64 where that is too coarse: a gradient may depend on the order of
    sums, as that of a maximum of almost equal numbers. The importer's own comparison on two more batches is
    left out, as this one is stricter.
    """
    if any(example.dtype is torch.float64 for example in examples):
        return _differs(module, examples, DOUBLE)
    if not _differs(module, examples, SINGLE):
        return ""
    doubled = [example.double() if example.is_floating_point() else example for example in examples]
    return _differs(deepcopy(module).double(), doubled, DOUBLE)


def _differs(module: nn.Module, examples: Sequence[Tensor], within: float) -> str:
    imported = from_torch(module, *examples, check=False)
    verdict = difference(module.eval(), tuple(examples), imported, client(), within, least=0.0)
    return "" if verdict == "right" else verdict.removeprefix("wrong: ")
