"""Schedules of the learning rate, with the names and numbers of torch's lr_scheduler.

An optimizer takes one: `adam(schedule=schedules.cosine(T_max=1000))`. It counts optimizer steps, not epochs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from deltawire.arrays import plain_json
from deltawire.errors import wrong_argument
from deltawire.optim.configs import checked_arguments, make
from deltawire_optimizers import SCHEDULES, Schedule, dump_schedule


@checked_arguments
def constant() -> Schedule:
    """Keep the learning rate as it is."""
    return make(SCHEDULES["constant"], {})


@checked_arguments
def step(step_size: int, gamma: float = 0.1) -> Schedule:
    """Multiply the learning rate by `gamma` after every `step_size` steps."""
    return make(SCHEDULES["step"], {"step_size": step_size, "gamma": gamma})


@checked_arguments
def cosine(T_max: int, eta_min: float = 0.0) -> Schedule:
    """Lower the learning rate to `eta_min` within `T_max` steps, along a half wave of the cosine."""
    return make(SCHEDULES["cosine"], {"T_max": T_max, "eta_min": eta_min})


@checked_arguments
def linear(start_factor: float = 1 / 3, end_factor: float = 1.0, total_iters: int = 5) -> Schedule:
    """Change a factor of the learning rate evenly: a warm-up, as it is by default.

    Args:
        start_factor: Factor of the first step.
        end_factor: Factor after `total_iters` steps, and from then on.
        total_iters: Steps of the way.
    """
    config = {"start_factor": start_factor, "end_factor": end_factor, "total_iters": total_iters}
    return make(SCHEDULES["linear"], config)


@checked_arguments
def sequence(schedules: Sequence[Schedule], milestones: Sequence[int]) -> Schedule:
    """Follow one schedule after the other; the next begins when so many steps have been taken.

    Example:
        `sequence([linear(total_iters=100), cosine(T_max=900)], milestones=[100])` warms up, then falls.
    """
    return make(SCHEDULES["sequence"], {"milestones": list(milestones)}, schedules=list(schedules))


def schedule_document(schedule: Any) -> dict[str, Any] | None:
    """Return the JSON of a schedule, which may be JSON already; None for none.

    Raises:
        Refused: It is neither.
    """
    if isinstance(schedule, Schedule):
        return dump_schedule(schedule)
    if schedule is None:
        return None
    if not isinstance(schedule, Mapping):
        raise wrong_argument("/schedule", "a schedule of deltawire.optim.schedules", schedule)
    document: dict[str, Any] = plain_json(schedule, "/schedule")
    return document
