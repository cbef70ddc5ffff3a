"""Plans of requests for several derivatives at once, made from the plan of one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from math import prod
from typing import Any

import numpy as np

from deltawire_layers import Array, Parameter, Shape
from deltawire_service.engine.plan.memory_plan import BodyCost, Plan

TIME_BYTES = 4096
"""What Python's objects take for one of the times, beside the numbers: of many small ones, it is the most."""


def complex_plan(plan: Plan, dtype: np.dtype[Any], parameters: Mapping[str, Parameter]) -> Plan:
    """A plan in complex128, with what is held beside its arrays: the arrays of this dtype that they are
    copies of, and in every thread the real and imaginary parts that a product takes a parameter apart into.
    """
    size = np.dtype(np.complex128).itemsize
    largest = max((prod(parameter.shape) for parameter in parameters.values()), default=0)
    return replace(
        plan,
        given_bytes=plan.given_bytes + plan.given_bytes // size * dtype.itemsize,
        work_bytes=plan.work_bytes + plan.threads * largest * size,
    )


def plan_with_answers(plan: Plan, body_cost: BodyCost, answers: Iterable[Array]) -> Plan:
    """The plan with these arrays, which the request has been answered with before, and which go with it."""
    arrays = list(answers)
    return replace(
        plan,
        answered_bytes=plan.answered_bytes + sum(array.nbytes for array in arrays),
        written_bytes=plan.written_bytes + sum(array.size for array in arrays) * body_cost.written_number,
    )


def repeated_plan(
    plan: Plan,
    body_cost: BodyCost,
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
        read_bytes=plan.read_bytes + numbers_in * (body_cost.read_number + body_cost.read_list),
        answered_bytes=plan.answered_bytes + 2 * numbers_out * itemsize + times * TIME_BYTES,
        written_bytes=plan.written_bytes + numbers_out * body_cost.written_number,
        cost_bytes=plan.cost_bytes * times,
    )
