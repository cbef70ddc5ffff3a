"""Count bodies, computations and unsent answers together, so that no clients can fill the memory."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import TypeVar

from deltawire_service.admission.compute_queue import Overloaded
from deltawire_service.admission.memory_shares import MemoryShare
from deltawire_service.engine import Plan, Runner, check_deadline
from deltawire_service.http.request_context import Headers, RequestContext, current_request

T = TypeVar("T")

SMALL_PLAN = 2**20
"""Bytes of a plan up to which a computation may still begin when answers fill the memory."""

SPARE = 2**26
"""Bytes that such computations may take beyond it."""


class AnswerMemory:
    """The memory of one process, from the reading of bodies until their answers have been sent.

    A request holds what its body becomes when it is read, then its plan while it computes and its answer is
    written, then the bytes of its answer until the client has read them. A computation that goes on after its
    request has been answered, because it is late, holds its plan until it ends.

    Args:
        most_bytes: what all requests may hold together. One request alone is always admitted: its plan has a
            limit of its own.
    """

    def __init__(self, most_bytes: int):
        self._most_bytes = most_bytes
        self._held: dict[RequestContext, int] = {}
        self._computing = set[RequestContext]()
        self._late = set[RequestContext]()
        """Requests that have been answered while they computed."""
        self._total = 0
        self._share: MemoryShare | None = None
        self._lock = Lock()

    def share(self, share: MemoryShare) -> None:
        """Hold what requests hold beside the other processes of the service, too."""
        share.add_room(self._most_bytes + SPARE)
        self._share = share

    @property
    def held_bytes(self) -> int:
        """Bytes that requests hold now."""
        return self._total

    def counting(self, run: Runner) -> Runner:
        """Return the same way to compute, refused with Overloaded while there is no room for the plan.

        Work that belongs to no request, such as the recovery of models, is not counted.
        """

        def counted(compute: Callable[[], T], plan: Plan | None = None) -> T:
            context, planned = current_request(None), plan.peak_bytes if plan else 0
            if context is None:
                return run(compute, plan)

            def begin() -> T:
                check_deadline()  # after it, the request may have been answered
                self._admit(context, planned, computes=True)
                try:
                    return compute()
                finally:
                    self._end_computation(context)

            return run(begin, plan)

        return counted

    def admit_body(self, context: RequestContext, count: int) -> None:
        """Hold the bytes that a body becomes when it is read, or those of one that is to be written.

        Raises Overloaded while there is no room.
        """
        self._admit(context, count)

    def on_response(self, context: RequestContext, headers: Headers) -> None:
        """Hold the bytes of an answer in place of its plan. One read from files has few of them in memory."""
        streamed = context.memory_bytes
        if context in self._held or streamed is not None:
            with self._lock:
                if context not in self._computing:  # else it is late, and holds its plan
                    self._hold(context, context.response_bytes if streamed is None else streamed)

    def on_request_end(self, context: RequestContext) -> None:
        """Hold nothing for a request whose answer has been sent."""
        if context in self._held:
            with self._lock:
                if context in self._computing:
                    self._late.add(context)
                else:
                    self._release(context)

    def _end_computation(self, context: RequestContext) -> None:
        with self._lock:
            self._computing.discard(context)
            if context in self._late:
                self._late.remove(context)
                self._release(context)

    def _admit(self, context: RequestContext, planned: int, computes: bool = False) -> None:
        with self._lock:
            own = self._held.get(context, 0)
            others = self._total - own
            most = self._most_bytes + (SPARE if planned <= SMALL_PLAN else 0)
            if others and others + planned > most:
                raise Overloaded(1, "admitted_bytes")
            held = max(own, planned)
            if self._share and not self._share.hold_beside_trainer(others + held):
                raise Overloaded(1, "admitted_bytes")
            self._hold(context, held)
            if computes:
                self._computing.add(context)

    def _hold(self, context: RequestContext, count: int) -> None:
        self._total += count - self._held.get(context, 0)
        self._held[context] = count
        if self._share:
            self._share.hold(self._total)

    def _release(self, context: RequestContext) -> None:
        self._hold(context, 0)
        del self._held[context]
