"""The memory that the key of a request allows."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from deltawire.errors import Fault, Refused
from deltawire_service.admission.api_keys import Key
from deltawire_service.engine import Plan, Runner
from deltawire_service.http.request_context import current_request
from deltawire_service.settings import Settings

T = TypeVar("T")


def planned_bytes(settings: Settings, key: Key | None) -> int:
    """Return the peak memory that a request may plan: the service's limit, or its key's, the smaller."""
    return int(min(settings.planned_bytes, key.planned_bytes)) if key else settings.planned_bytes


def check_gathered_bytes(settings: Settings, key: Key | None, size: int, pointer: str) -> None:
    """Refuse rows of a dataset that are larger than a request may be.

    Args:
        settings: the settings of the service.
        key: the key of the request, if any.
        size: the bytes that the rows become.
        pointer: the place in the request that says how many rows there are, as a JSON pointer.

    Raises:
        Refused: they are larger.
    """
    most = planned_bytes(settings, key)
    if size > most:
        detail = f"the rows have {size} bytes, at most {most} are allowed: take fewer at a time"
        raise Refused([Fault(pointer, "memory_plan_exceeded", detail)])


def within_key_limits(run: Runner) -> Runner:
    """Return a runner that refuses plans above the limit of the current request's key.

    Work that belongs to no request, such as the recovery of models, has no such limit.
    """

    def limited(compute: Callable[[], T], plan: Plan | None = None) -> T:
        context = current_request(None)
        key = context.key if context else None
        if key and plan and plan.peak_bytes > key.planned_bytes:
            limit = int(key.planned_bytes)
            detail = f"the plan has {plan.peak_bytes} bytes at its peak, this key allows {limit}"
            raise Refused([Fault("", "memory_plan_exceeded", detail)])
        return run(compute, plan)

    return limited
