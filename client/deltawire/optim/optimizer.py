"""An optimizer with its state: it changes the parameters of a training loop in place."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from math import inf, isfinite
from pathlib import Path
from typing import Any

import numpy as np

from deltawire import wire
from deltawire.arguments.foreign_names import ForeignNames
from deltawire.errors import Fault, Refused, wrong_argument
from deltawire.optim.configs import installed, make, positive
from deltawire.optim.step_checks import check_params, check_state, read_gradients
from deltawire.replacement import replacing
from deltawire.wire import Array
from deltawire_optimizers import (
    Clip,
    Schedule,
    Step,
    dump_schedule,
    global_norm,
    init_state,
    scale_to_norm,
    update,
)

PART = "checkpoint"
"""Name, in the metadata of a file, of the document that belongs to its tensors."""

ANY_SIZE = wire.Limits(members=2**31, rank=64, elements=2**62, tensors=2**31, tensor_header_bytes=2**31)
"""Files that an optimizer has written are read whatever their size."""


class Optimizer(ForeignNames):
    """Takes steps with a dict of parameters, by the rule of any installed optimizer.

    `deltawire.optim.adam` and its siblings make the ones that come with deltawire.

    Attributes:
        kind: The rule, as its entry point is named: `adam`.
        steps: How many steps have been taken.
        state: The arrays kept between steps, by name: `hidden.weight.exp_avg`; empty before the first step.
    """

    # A typing mistake, as `optimizer.lr = 0.1`, must not make an attribute that nothing reads.
    __slots__ = ("__weakref__", "_clip_norm", "_clip_value", "_rule", "_schedule", "kind", "state", "steps")

    def __init__(
        self,
        kind: str,
        *,
        schedule: Schedule | None = None,
        clip_norm: float | None = None,
        clip_value: float | None = None,
        **config: Any,
    ):
        """Choose a rule.

        Args:
            kind: Name of an installed optimizer.
            schedule: What becomes of the learning rate from step to step; it stays the same by default.
            clip_norm: Gradients whose norm, all of them together, is larger are scaled down to it.
            clip_value: Numbers of gradients are brought into [−clip_value, clip_value], after `clip_norm`.
            config: The config of that optimizer, `learning_rate` for example.

        Raises:
            Refused: No such optimizer is installed, or an argument does not fit.
        """
        if kind not in installed():
            raise wrong_argument("/kind", f"one of {', '.join(installed())}", kind)
        if schedule is not None and not isinstance(schedule, Schedule):
            raise wrong_argument("/schedule", "a schedule of deltawire.optim.schedules", schedule)
        self.kind = kind
        self._rule = make(installed()[kind], config)
        self._schedule = schedule
        self._clip_norm = positive("clip_norm", clip_norm)
        self._clip_value = positive("clip_value", clip_value)
        self.steps = 0
        self.state: dict[str, Array] = {}

    def __repr__(self) -> str:
        return f"Optimizer({self.kind!r}, learning_rate={self.learning_rate:g}, steps={self.steps})"

    @property
    def learning_rate(self) -> float:
        """The learning rate of the next step. Set it to change the rate, from which a schedule starts."""
        base = self._rule.learning_rate
        return self._schedule.learning_rate(base, self.steps + 1) if self._schedule else base

    @learning_rate.setter
    def learning_rate(self, rate: float) -> None:
        self._rule = make(installed()[self.kind], {**self._config(), "learning_rate": rate})

    def _config(self) -> dict[str, Any]:
        config: dict[str, Any] = self._rule.Config().dump(vars(self._rule))
        return config

    def rule(self) -> dict[str, Any]:
        """Return the rule as a service takes it: `kind`, `config`, `schedule` and `clip`, all as JSON."""
        clip = {"norm": self._clip_norm, "value": self._clip_value}
        return {
            "kind": self.kind,
            "config": self._config(),
            "schedule": None if self._schedule is None else dump_schedule(self._schedule),
            "clip": {bound: number for bound, number in clip.items() if number is not None},
        }

    def step(self, params: Mapping[str, Array], gradients: Mapping[str, Any]) -> None:
        """Change the parameters in place. When anything is refused, nothing has been changed.

        The parameters come first: arrays that have changed places look alike, and the gradients would change.

        Args:
            params: The parameters to train, numpy arrays of float64 or float32.
            gradients: One for each of them, of the same shape and dtype.

        Raises:
            Refused: A name, a shape or a dtype does not fit, or a gradient is not finite; each is named.
                With `clip_norm`, the norm of all gradients is not finite.
        """
        check_params(params)
        arrays = read_gradients(params, gradients)
        state = self.state if self.steps else init_state(self._rule, params)
        check_state(self._rule, params, state)
        step = Step(self.steps + 1, self.learning_rate)
        if not isfinite(step.learning_rate):
            raise wrong_argument(
                "/schedule", f"a finite learning rate of step {step.number}", step.learning_rate
            )
        update(self._rule, params, arrays, state, step, clip=self._clip(arrays))
        self.state, self.steps = state, step.number

    def _clip(self, gradients: Mapping[str, Array]) -> Clip:
        bound = inf if self._clip_value is None else self._clip_value
        if self._clip_norm is None:
            return Clip(bound=bound)
        norm = global_norm(gradients)
        if not isfinite(norm):
            detail = "the norm of all gradients is above 1.8e308, the range of float64: no step was taken"
            raise Refused([Fault("/gradients", "non_finite", detail)])
        return Clip(scale_to_norm(norm, self._clip_norm), bound)

    def state_dict(self) -> dict[str, Any]:
        """Return `kind`, `steps` and `state`, which `load_state_dict` takes. The arrays are not copied."""
        return {"kind": self.kind, "steps": self.steps, "state": self.state}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on where another optimizer has stopped; its arrays are copied.

        Raises:
            Refused: The dict is not that of an optimizer of this kind.
        """
        if not isinstance(state_dict, Mapping):
            raise wrong_argument("", "what state_dict() returns", state_dict)
        if unknown := sorted(map(str, state_dict.keys() - {"kind", "steps", "state"})):
            detail = f"unknown field {unknown[0]!r}; known: kind, steps, state"
            mend = "options are arguments of the optimizer, and optimizer.learning_rate = … changes the rate"
            raise Refused([Fault(f"/{unknown[0]}", "field_unknown", detail, mend)])
        kind, steps, state = (state_dict.get(key) for key in ("kind", "steps", "state"))
        if kind != self.kind:
            raise wrong_argument("/kind", f"the state of '{self.kind}'", kind)
        if type(steps) is not int or steps < 0:
            raise wrong_argument("/steps", "the number of steps taken", steps)
        if not isinstance(state, Mapping) or not all(isinstance(each, np.ndarray) for each in state.values()):
            raise wrong_argument("/state", "arrays by name", state)
        self.steps, self.state = steps, {name: array.copy() for name, array in state.items()}

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write `state_dict` to a safetensors file, which is there as a whole or not at all."""
        with replacing(Path(path)) as draft:
            draft.write_bytes(wire.encode(self.state_dict(), wire.SAFETENSORS, part=PART))

    def load(self, path: str | os.PathLike[str]) -> None:
        """Read a file that `save` has written.

        Raises:
            OSError: The file cannot be read.
            Refused: It is not the state of an optimizer of this kind.
        """
        document = wire.decode(bytearray(Path(path).read_bytes()), wire.SAFETENSORS, ANY_SIZE, PART)
        if not isinstance(document, dict):
            raise Refused([Fault("", "tensor_body_invalid", f"{path} is not the state of an optimizer")])
        state = document.get("state")
        self.load_state_dict(document | {"state": dict(_flat(state)) if isinstance(state, dict) else state})


def _flat(arrays: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Array]]:
    """Yield arrays by their names, which the file divides at each slash."""
    for name, value in arrays.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}/")
        else:
            yield f"{prefix}{name}", value
