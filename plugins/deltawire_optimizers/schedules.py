"""Schedules: the learning rate of each step, from that of the optimizer and the number of the step.

A schedule is a pure function, so that a training can be resumed at any step. Each is a learning-rate
scheduler of torch, with its numbers: step 1 has the rate that torch's scheduler begins with.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from math import cos, inf, pi
from types import MappingProxyType
from typing import Any

from marshmallow import RAISE, Schema, ValidationError, fields, validate, validates_schema

from deltawire_plugins import config

STEPS = validate.Range(min=1, max=10**9)
"""A number of steps."""


class Schedule:
    """A learning rate for every step, configured once. The keyword arguments are the JSON of its config.

    Raises:
        marshmallow.ValidationError: the keys do not fit `Config`; unknown keys are errors.
    """

    class Config(Schema):
        """The JSON keys this schedule takes: none by default."""

    def __init__(self, /, **config: Any):
        vars(self).update(self.Config(unknown=RAISE).load(config))

    def learning_rate(self, base: float, number: int) -> float:
        """Return the learning rate of a step, 1 for the first, from the rate `base` of the optimizer.

        It is ∞ where a schedule that grows has left the range of floats.
        """
        raise TypeError(f"{type(self).__name__} must define learning_rate")


class Constant(Schedule):
    """γ_t = γ, the same learning rate at every step."""

    def learning_rate(self, base: float, number: int) -> float:
        return base


class StepDecay(Schedule):
    """γ_t = γ · gamma^⌊(t − 1) / step_size⌋: the learning rate falls in steps. torch's StepLR."""

    class Config(Schema):
        step_size = config.Integer(
            required=True,
            validate=STEPS,
            metadata={"description": "steps with the same learning rate"},
        )
        gamma = config.Number(
            load_default=0.1,
            validate=validate.Range(min=0),
            metadata={"description": "factor of the learning rate from one stage to the next"},
        )

    step_size: int
    gamma: float

    def learning_rate(self, base: float, number: int) -> float:
        try:
            return base * self.gamma ** ((number - 1) // self.step_size)
        except OverflowError:  # Python's power does not return ∞
            return inf


class Cosine(Schedule):
    """γ_t = eta_min + (γ − eta_min)(1 + cos(π (t − 1) / T_max)) / 2: half a wave. torch's CosineAnnealingLR.

    After T_max steps the rate rises again, as in torch.
    """

    class Config(Schema):
        T_max = config.Integer(
            required=True,
            validate=STEPS,
            metadata={"description": "steps until the learning rate is at its lowest"},
        )
        eta_min = config.Number(
            load_default=0.0,
            validate=validate.Range(min=0),
            metadata={"description": "the lowest learning rate"},
        )

    T_max: int
    eta_min: float

    def learning_rate(self, base: float, number: int) -> float:
        return self.eta_min + (base - self.eta_min) * (1 + cos(pi * (number - 1) / self.T_max)) / 2


class Linear(Schedule):
    """γ_t = γ · factor, which goes from start_factor to end_factor in total_iters steps. torch's LinearLR."""

    class Config(Schema):
        start_factor = config.Number(
            load_default=1 / 3,
            validate=validate.Range(min=0),
            metadata={"description": "factor of the first step"},
        )
        end_factor = config.Number(
            load_default=1.0,
            validate=validate.Range(min=0),
            metadata={"description": "factor after total_iters steps, and from then on"},
        )
        total_iters = config.Integer(
            load_default=5, validate=STEPS, metadata={"description": "steps of the way"}
        )

    start_factor: float
    end_factor: float
    total_iters: int

    def learning_rate(self, base: float, number: int) -> float:
        way = min(number - 1, self.total_iters) / self.total_iters
        return base * (self.start_factor + (self.end_factor - self.start_factor) * way)


class ScheduleField(fields.Field[Schedule]):
    """A schedule: `{"kind": "cosine", "T_max": 1000}`, or one that is made already."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> Schedule:
        return value if isinstance(value, Schedule) else load_schedule(value)

    def _serialize(self, value: Schedule | None, *args: Any, **kwargs: Any) -> Any:
        return None if value is None else dump_schedule(value)


class Sequence(Schedule):
    """γ_t of one schedule after the other, each beginning at its own step 1. torch's SequentialLR.

    A warm-up is a `linear` schedule, followed by another one.
    """

    class Config(Schema):
        schedules = fields.List(
            ScheduleField(),
            required=True,
            validate=validate.Length(min=1),
            metadata={"description": "the schedules"},
        )
        milestones = config.Integers(
            1000,
            required=True,
            metadata={"description": "how many steps have been taken when the next schedule begins"},
        )

        @validates_schema(skip_on_field_errors=True)
        def _check_milestones(self, data: dict[str, Any], **_: Any) -> None:
            milestones = data["milestones"]
            if len(milestones) != len(data["schedules"]) - 1:
                raise ValidationError("expected one milestone between two schedules", "milestones")
            if any(a >= b for a, b in zip([0, *milestones], milestones, strict=False)):
                raise ValidationError("expected milestones above 0 that grow", "milestones")

    schedules: list[Schedule]
    milestones: list[int]

    def learning_rate(self, base: float, number: int) -> float:
        place = bisect_right(self.milestones, number - 1)
        begin = self.milestones[place - 1] if place else 0
        return self.schedules[place].learning_rate(base, number - begin)


SCHEDULES: Mapping[str, type[Schedule]] = MappingProxyType(
    {"constant": Constant, "step": StepDecay, "cosine": Cosine, "linear": Linear, "sequence": Sequence}
)
"""All schedules by kind."""


def load_schedule(document: Any) -> Schedule:
    """Return the schedule of a document, `{"kind": "step", "step_size": 100}`.

    Raises:
        marshmallow.ValidationError: there is no such schedule, or the other keys do not fit it.
    """
    if not isinstance(document, Mapping):
        raise ValidationError("expected an object with the kind of a schedule")
    kind = document.get("kind")
    if not isinstance(kind, str) or kind not in SCHEDULES:
        raise ValidationError(f"expected one of {', '.join(SCHEDULES)}", "kind")
    return SCHEDULES[kind](**{key: value for key, value in document.items() if key != "kind"})


def dump_schedule(schedule: Schedule) -> dict[str, Any]:
    """Return the document of a schedule, from which `load_schedule` makes the same one."""
    kind = next(kind for kind, made in SCHEDULES.items() if made is type(schedule))
    config: dict[str, Any] = schedule.Config().dump(vars(schedule))
    return {"kind": kind, **config}
