"""Examine a module for what no traced graph shows: hooks, replaced methods, shared memory, side effects."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

from deltawire.errors import Fault, Refused
from deltawire.importers.torch_fx.outputs import named_outputs, shown

FORWARD_HOOKS = "_forward_hooks", "_forward_pre_hooks"
"""Attributes of a module with hooks that a tracer follows when it calls the module."""

BACKWARD_HOOKS = "_backward_hooks", "_backward_pre_hooks"
"""Attributes of a module with hooks that change gradients and that no tracer sees."""


def refuse_what_is_hidden(module: nn.Module) -> None:
    """Raise Refused for hooks that no tracer sees, lazy parameters, and parameters that overlap in memory."""
    empty = [name for name, one in module.named_parameters() if nn.parameter.is_lazy(one)]
    if empty:
        detail = f"'{empty[0]}' has no shape yet: call the module once"
        raise Refused([Fault("", "not_expressible", detail)])
    reasons = [f"{name} are registered for all modules, which no layer has" for name in _global_hooks()]
    for name, part in module.named_modules():
        place = name or type(part).__name__
        reasons += [
            f"{place}: has {kind[1:].replace('_', ' ')}, which no layer has"
            for kind in BACKWARD_HOOKS
            if vars(part).get(kind)
        ]
        for hook in vars(part)["_forward_pre_hooks"].values():
            if type(hook).__module__.startswith("torch.nn.utils.") and hasattr(hook, "name"):
                made = f"{type(hook).__name__} makes its '{hook.name}' of other parameters"
                reasons.append(f"{place}: {made}: remove it first, to learn the result in their stead")
    for name, parameter in module.named_parameters():
        if getattr(parameter, "_backward_hooks", None):
            reasons.append(f"'{name}': has a hook on its gradient, which no layer has")
    reasons += _overlaps(module)
    if reasons:
        raise Refused([Fault("", "not_expressible", why) for why in reasons])


def _global_hooks() -> Iterator[str]:
    """Yield the kinds of hooks that are registered for all modules."""
    for name, hooks in vars(nn.modules.module).items():
        if name.startswith("_global_") and name.endswith("_hooks") and hooks:
            yield name.removeprefix("_global_")


def _overlaps(module: nn.Module) -> Iterator[str]:
    """Report parameters that overlap in memory: a step of one would change the other."""
    extents = []
    for name, one in module.named_parameters():
        if one.numel() and one.data_ptr():
            places = 1 + sum((size - 1) * step for size, step in zip(one.shape, one.stride(), strict=True))
            extents.append((one.data_ptr(), one.data_ptr() + places * one.element_size(), name))
    extents.sort()
    for (_, end, name), (start, _, other) in zip(extents, extents[1:], strict=False):
        if start < end:
            yield f"the parameters '{name}' and '{other}' share memory: make them one parameter"


def is_plain(module: nn.Module) -> bool:
    """Return True for a module without hooks and replaced methods: a call runs the code of its class only."""
    return not any(has_hooks(part) or has_replaced_methods(part) for part in module.modules())


def has_hooks(module: nn.Module) -> bool:
    return any(vars(module).get(kind) for kind in FORWARD_HOOKS)


def has_replaced_methods(module: nn.Module) -> bool:
    """Return True when an attribute of the instance hides a method of its class."""
    return any(callable(getattr(type(module), name, None)) for name in vars(module))


@contextmanager
def left_as_it_was(module: nn.Module) -> Iterator[None]:
    """Set eval mode inside the block; afterwards, restore the mode, attributes, parameters and buffers."""
    before = {
        part: {name: dict(value) if type(value) is dict else value for name, value in vars(part).items()}
        for part in module.modules()
    }
    buffers = {buffer: buffer.clone() for buffer in module.buffers()}
    module.eval()
    try:
        yield
    finally:
        for part, attributes in before.items():
            vars(part).clear()
            vars(part).update(attributes)
        with torch.no_grad():
            for buffer, numbers in buffers.items():
                if not torch.equal(buffer, numbers):
                    buffer.copy_(numbers)


def refuse_what_varies(module: nn.Module, batch: list[torch.Tensor]) -> None:
    """Call a module three times, and check that the calls return equal numbers and leave no side effects.

    The first call may fill caches and is not compared. Exceptions of the module propagate.

    Raises:
        Refused: The numbers differ between calls, or a call changes an attribute, parameter or buffer.
    """
    with torch.random.fork_rng(devices=[]):
        module(*(example.clone() for example in batch))
        before = kept(module)
        results = [named_outputs(module(*(example.clone() for example in batch))) for _ in range(2)]
        after = kept(module)
    changed = [name for name in before.keys() | after.keys() if not _same(before.get(name), after.get(name))]
    if changed:
        names = ", ".join(f"'{name}'" for name in sorted(changed))
        detail = f"forward changes {names}: a network keeps nothing from one call to the next"
        raise Refused([Fault("", "not_expressible", detail)])
    _refuse_what_is_no_tensor(results[0])
    if not _equal(*results):
        detail = "forward gives other numbers each time: numbers drawn once would be constants of the network"
        raise Refused([Fault("", "not_expressible", detail)])


def _refuse_what_is_no_tensor(outputs: dict[str, Any]) -> None:
    """Raise Refused when the outputs of a module are no tensors, or when there are none."""
    reasons = [
        f"{shown(name)} is of {type(one).__name__}: expected tensors, in dicts, tuples or lists"
        for name, one in outputs.items()
        if not isinstance(one, torch.Tensor)
    ]
    if reasons or not outputs:
        reasons = reasons or ["the module returns no tensor"]
        raise Refused([Fault("", "not_expressible", why) for why in reasons])


def _equal(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> bool:
    """Return True for outputs of the same names and numbers; NaNs are equal."""
    same = (
        name in second and torch.equal(torch.nan_to_num(one), torch.nan_to_num(second[name]))
        for name, one in first.items()
    )
    return len(first) == len(second) and all(same)


def kept(module: nn.Module) -> dict[str, Any]:
    """Return parameters, buffers and attributes of all submodules; each tensor with its version."""
    named: dict[str, Any] = {}
    for name, part in module.named_modules():
        attributes = {**vars(part), **dict(part.named_parameters(recurse=False))}
        attributes |= dict(part.named_buffers(recurse=False))
        for local, value in attributes.items():
            numbers = isinstance(value, torch.Tensor)
            named[f"{name}.{local}".lstrip(".")] = (value, version(value)) if numbers else (value, None)
    return named


def _same(before: tuple[Any, int | None] | None, after: tuple[Any, int | None] | None) -> bool:
    """Return True for the same object, unchanged in place, or an equal plain value."""
    if before is None or after is None or before[1] != after[1]:
        return False
    plain = isinstance(before[0], int | float | str) and type(before[0]) is type(after[0])
    return before[0] is after[0] or (plain and before[0] == after[0])


def version(tensor: torch.Tensor) -> int:
    """Return how often a tensor was changed in place."""
    return int(getattr(tensor, "_version"))  # noqa: B009 (torch has no public name for it)
