"""Take a step: apply an optimizer's rule to all parameters, in place or into other arrays."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from deltawire_optimizers.gradients import NO_CLIP, Clip
from deltawire_optimizers.optimizer import Array, Optimizer, Param, Step
from deltawire_optimizers.pieces import PIECE, pieces


def init_state(optimizer: Optimizer, params: Mapping[str, Array]) -> dict[str, Array]:
    """Return the state before the first step: arrays named `parameter.array`, `hidden.weight.exp_avg`.

    Only shapes and dtypes of the parameters matter.
    """
    return {
        f"{name}.{key}": np.full(shape, start, param.dtype)
        for name, param in params.items()
        for key, (shape, start) in optimizer.state(param.shape).items()
    }


def update(
    optimizer: Optimizer,
    params: Mapping[str, Array],
    gradients: Mapping[str, Array],
    state: Mapping[str, Array],
    step: Step,
    *,
    clip: Clip = NO_CLIP,
    out_params: Mapping[str, Array] | None = None,
    out_state: Mapping[str, Array] | None = None,
) -> None:
    """Take one step with all parameters. The same arguments give the same bits, in place or not.

    Args:
        optimizer: the rule.
        params: the parameters, by name.
        gradients: one for each parameter, of its shape and dtype.
        state: the state after the step before, named and shaped as `init_state` does.
        step: the number of this step and its learning rate.
        clip: what is done to the gradients first.
        out_params: arrays that the new parameters are written to; `params` itself by default.
        out_state: arrays that the new state is written to; `state` itself by default.

    An array to write to is the one that is read, or shares no memory with it.
    """
    out_params = params if out_params is None else out_params
    out_state = state if out_state is None else out_state
    for name, param in params.items():
        keys = {f"{name}.{key}": key for key in optimizer.state(param.shape)}
        old = [param, *(state[key] for key in keys)]
        new = [out_params[name], *(out_state[key] for key in keys)]
        _update_one(optimizer, gradients[name], old, new, list(keys.values()), step, clip)


def _update_one(
    optimizer: Optimizer,
    gradient: Array,
    old: list[Array],
    new: list[Array],
    keys: list[str],
    step: Step,
    clip: Clip,
) -> None:
    """Update one parameter, the first of the arrays, with its state, the others."""
    if not gradient.shape == old[0].shape == new[0].shape:
        shapes = f"{gradient.shape} for a parameter {old[0].shape}, written to {new[0].shape}"
        raise ValueError(f"the shapes differ: a gradient {shapes}")
    compiled = _has_kernel(type(optimizer))
    if compiled and not clip.changes(gradient.dtype):
        before, after = (Param(arrays[0], dict(zip(keys, arrays[1:], strict=True))) for arrays in (old, new))
        if optimizer.update_compiled(before, gradient, after, step):
            return
    apart = [place for place, array in enumerate(old) if array is not new[place]]
    read = [gradient, *(old[place] for place in apart)]
    if optimizer.elementwise:
        parts, size = pieces(read, new), (min(PIECE, gradient.size),)
    else:
        parts, size = iter([(*read, *new)]), gradient.shape
    scratch = np.empty((optimizer.scratch + 1, *size), gradient.dtype)
    for part in parts:
        here, written = part[: len(read)], part[len(read) :]
        for place, array in zip(apart, here[1:], strict=True):
            np.copyto(written[place], array)
        room = scratch[:, : len(here[0])] if optimizer.elementwise else scratch
        clipped = _clipped(here[0], clip, room[-1])
        param = Param(written[0], dict(zip(keys, written[1:], strict=True)))
        if not (compiled and optimizer.update_compiled(param, clipped, param, step)):
            optimizer.update(param.value, clipped, param.state, room[:-1], step)


def _has_kernel(kind: type[Optimizer]) -> bool:
    """Return whether the kernel of a class is for its own rule, not for that of one it derives from."""
    defines = {
        method: next(place for place, each in enumerate(kind.__mro__) if method in vars(each))
        for method in ("update_compiled", "update")
    }
    return defines["update_compiled"] <= defines["update"]


def _clipped(gradient: Array, clip: Clip, room: Array) -> Array:
    if clip.scale != 1.0:
        # In float64: a scale may be so small that float32 has only 0 for it.
        gradient = np.multiply(gradient, clip.scale, out=room, dtype=np.float64, casting="same_kind")
    if clip.bounds(gradient.dtype):
        gradient = np.clip(gradient, -clip.bound, clip.bound, out=room)
    return gradient
