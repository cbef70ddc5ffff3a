"""Plans of requests for several derivatives at once, made from the plan of one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from math import prod

from deltawire_layers import Shape
from deltawire_service.engine.plan import Carriage, Plan

TIME_BYTES = 4096
"""What Python's objects take for one of the times, beside the numbers: of many small ones, it is the most."""


def repeated(
    plan: Plan,
    carriage: Carriage,
    itemsize: int,
    times: int,
    given: Iterable[Shape] = (),
    answered: Iterable[Shape] = (),
) -> Plan:
    """The plan of computing so many times what `plan` computes once.

    given, answered: the shapes of arrays that come, or go, beside those in the plan; held twice while they
    are put together.
    """
    numbers_in, numbers_out = (sum(map(prod, shapes)) for shapes in (given, answered))
    return replace(
        plan,
        given_bytes=plan.given_bytes + numbers_in * itemsize,
        read_bytes=plan.read_bytes + numbers_in * (carriage.read_number + carriage.read_list),
        answered_bytes=plan.answered_bytes + 2 * numbers_out * itemsize + times * TIME_BYTES,
        written_bytes=plan.written_bytes + numbers_out * carriage.written_number,
        cost_bytes=plan.cost_bytes * times,
    )
