"""torch's own database of modules, in eval mode and float64: the samples that torch tests its modules with.

A sample is in scope when the module treats the leading axis of its arguments as independent examples: its
result for a batch is that for each example alone, joined, averaged or added up, and finite. Its arguments are
numbers, or integers such as labels.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
from suites.verdicts import Entry, Outside, Suite, recorded


def batch_of(examples: list[Any]) -> list[Any]:
    """Return twice as many examples; the second half has its numbers in reverse order."""
    import torch

    return [
        torch.cat([x, x.flip(tuple(range(1, x.ndim)))]) if x.ndim > 1 else torch.cat([x, x]) for x in examples
    ]


def refuse_scope(call: Callable[..., Any], examples: list[Any]) -> None:
    """Raise Outside unless the examples of a batch are on its leading axis, and independent of each other."""
    import torch
    from support.torch_difference import tensors

    if not examples or any(x.ndim == 0 for x in examples):
        raise Outside("an argument has no axis for a batch")
    if any(x.dtype is torch.bool for x in examples):
        raise Outside("an argument is a mask")
    if len({len(x) for x in examples}) != 1 or not len(examples[0]):
        raise Outside("the arguments have no common batch of one example or more")
    batch = batch_of(examples)
    try:
        whole = tensors(call(*batch))
        alone = [tensors(call(*(x[place : place + 1] for x in batch))) for place in range(len(batch[0]))]
    except (RuntimeError, ValueError, AssertionError) as error:
        raise Outside("takes no batch of another size") from error
    if not all(torch.isfinite(one).all() for one in whole):
        raise Outside("torch's own numbers are not finite")
    for place, together in enumerate(whole):
        parts = [one[place] for one in alone]
        if together.ndim:
            likely = [torch.cat(parts)] if parts[0].ndim else []
        else:
            likely = (
                [torch.stack(parts).mean(), torch.stack(parts).sum()] if together.is_floating_point() else []
            )
        if not any(
            together.shape == one.shape and torch.allclose(together, one, equal_nan=True) for one in likely
        ):
            raise Outside("its examples depend on each other, or are not on the leading axis")


def entry(info: Any, sample: Any) -> Entry:
    def differs() -> str:
        import torch
        from suites import torch_calls, torch_entries

        torch.manual_seed(0)
        made = sample.constructor_input
        module = info.module_cls(*made.args, **made.kwargs).double().eval()
        given = inspect.signature(module.forward).bind(
            *sample.forward_input.args, **sample.forward_input.kwargs
        )
        call, examples = torch_calls.call(module, given.arguments)
        with torch.no_grad():
            if info.is_lazy:
                call(*examples)
            refuse_scope(call, examples)
        return torch_entries.differs(call, *examples)

    return differs


@cache
def entries() -> dict[str, Entry]:
    import torch
    from torch.testing._internal.common_modules import module_db

    found: dict[str, Entry] = {}
    for info in module_db:
        torch.manual_seed(0)
        samples = info.module_inputs_func(
            info, device="cpu", dtype=torch.float64, requires_grad=False, training=False
        )
        for place, sample in enumerate(samples):
            found[f"{info.name} {place} {sample.desc}".strip()] = entry(info, sample)
    return found


SUITE = Suite("torch_modules", entries)


@pytest.mark.suites
def test_every_sample_has_a_verdict() -> None:
    SUITE.check_names()


@pytest.mark.suites
@pytest.mark.parametrize("name", recorded("torch_modules"))
def test_a_sample_keeps_its_verdict(name: str) -> None:
    SUITE.check(name)
