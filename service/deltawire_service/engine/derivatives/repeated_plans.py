"""Plans of requests for several derivatives at once, made from the plan of one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from math import prod
from typing import Any

import numpy as np

from deltawire_layers import Array, Parameter, Shape
from deltawire_service.engine.plan.body_cost import BodyCost, count_numbers
from deltawire_service.engine.plan.memory_plan import Plan

TIME_BYTES = 4096
"""Memory of the Python objects of one derivative, beside its numbers: most of it for small ones."""


def complex_plan(plan: Plan, dtype: np.dtype[Any], parameters: Mapping[str, Parameter]) -> Plan:
    """Return a plan in complex128, with what is held beside its own arrays.

    These are the request's arrays, and the real and imaginary parts of all parameters. In every thread,
    products put the parts of one parameter above each other.

    Args:
        plan: the plan of arrays in complex128.
        dtype: the dtype of the request's arrays.
        parameters: the network's parameters.
    """
    size, own = np.dtype(np.complex128).itemsize, dtype.itemsize
    numbers = [prod(parameter.shape) for parameter in parameters.values()]
    parts = np.dtype(np.float64).itemsize * (
        1 if own == 8 else 2
    )  # float64 parameters are real parts already
    return replace(
        plan,
        given_bytes=plan.given_bytes + plan.given_bytes // size * own + sum(numbers) * parts,
        stored_bytes=plan.stored_bytes // size * own,  # the copies in complex128 are the request's own
        work_bytes=plan.work_bytes + plan.threads * max(numbers, default=0) * size,
    )


def plan_with_answers(plan: Plan, body_cost: BodyCost, answers: Iterable[Array]) -> Plan:
    """Return a plan with arrays that were computed for the same request before, and are written with it.

    Args:
        plan: the plan without them.
        body_cost: the cost of writing the answer.
        answers: the arrays.
    """
    arrays = list(answers)
    return replace(
        plan,
        answered_bytes=plan.answered_bytes + sum(array.nbytes for array in arrays),
        written_bytes=plan.written_bytes + body_cost.written_bytes([array.shape for array in arrays]),
    )


def repeated_plan(
    plan: Plan,
    body_cost: BodyCost,
    itemsize: int,
    times: int,
    given: Sequence[Shape] = (),
    answered: Sequence[Shape] = (),
) -> Plan:
    """Return the plan of computing several times what a plan computes once.

    Args:
        plan: the plan of one.
        body_cost: the cost of reading the request's body and of writing its answer.
        itemsize: bytes of one number.
        times: how many times.
        given: shapes of arrays that come beside those in the plan.
        answered: shapes of arrays that are returned beside those in the plan. They are held twice while they
            are put together.
    """
    return replace(
        plan,
        given_bytes=plan.given_bytes + count_numbers(given) * itemsize,
        read_bytes=plan.read_bytes + body_cost.read_bytes(given),
        answered_bytes=plan.answered_bytes + 2 * count_numbers(answered) * itemsize + times * TIME_BYTES,
        written_bytes=plan.written_bytes + body_cost.written_bytes(answered),
        operations=plan.operations * times,
    )
