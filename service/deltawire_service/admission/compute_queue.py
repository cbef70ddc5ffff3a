"""The compute queue: so many computations at once, a short queue for the next, a deadline for each.

Layers are called in threads of their own, not in the thread that answers the request. So a request is
answered soon after its deadline, even when its layer does not look at the deadline. Such a computation is
*late*: it goes on until its next look. It *hangs* when it has not ended some seconds after its deadline; only
then should its process be replaced.

Handing a computation over and back takes 0.1 ms, and another core has none of its numbers in its cache. So a
small computation whose layers are known to look runs in the thread of its caller.

A request is refused at once when the computations before it will take longer than it may wait. That is judged
by the cost of their plans and the speed of earlier computations. It is refused later when they take longer
than judged.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from math import ceil
from threading import TIMEOUT_MAX, Condition, Lock, Thread, Timer
from time import monotonic
from typing import Any, TypeVar

from deltawire_service.engine import DeadlineExceeded, Plan, call_until
from deltawire_service.environment import variable
from deltawire_service.faults import ServiceError

T = TypeVar("T")

GRACE = 0.5
"""Seconds a computation gets after its deadline to look at it; then its request is answered without it."""

MEMORY = 0.9
"""Weight of all earlier computations, beside the newest, in the speed that is expected of the next."""

FIXED_COST = 2**21
"""Operations that starting the smallest computation counts as; without them it would look slow."""

SMALL_COST = 2**30
"""Operations up to which a computation may run in the thread of its caller: about 30 ms on a fast core."""

MOST_RETRY_AFTER = 30
"""Seconds that a client is asked to wait at most: the length of a longer queue is a guess."""


class Overloaded(ServiceError):
    """Too much is computed already. `retry_after`: whole seconds after which to try again."""

    code = "overloaded"

    def __init__(self, retry_after: int, setting: str = ""):
        """Word the message.

        Args:
            retry_after: whole seconds.
            setting: the name of the setting that would give more room.
        """
        bound = f" ({variable(setting)})" if setting else ""
        super().__init__(
            f"more is computed than the service has room for{bound}: try again in {retry_after} s"
        )
        self.retry_after = retry_after
        self.headers = (("Retry-After", str(retry_after)),)


class Job:
    """A computation that waits, runs, or has ended.

    Args:
        compute: the computation.
        deadline: when it has to end, as time.monotonic counts.
        plan: what it will take, if that is known.
    """

    __slots__ = ("compute", "deadline", "cost", "bytes", "ended", "began", "result", "error")

    def __init__(self, compute: Callable[[], Any], deadline: float, plan: Plan | None):
        self.compute = compute
        self.deadline = deadline
        self.cost = FIXED_COST + (plan.operations if plan else 0)
        self.bytes = plan.peak_bytes if plan else 0
        self.ended = Lock()
        self.ended.acquire()
        self.began: float | None = None
        self.result: Any = None
        self.error: BaseException | None = None

    def run(self) -> None:
        """Compute, and keep the result or the error for whoever waits for it."""
        try:
            self.result = call_until(self.deadline, self.compute)
        except BaseException as error:  # raised again in the thread of the caller
            self.error = error

    def outcome(self) -> Any:
        """Return the result, or raise the error."""
        error, self.error = self.error, None
        if error is None:
            return self.result
        try:
            raise error
        finally:
            del error  # its traceback has this frame: the arrays in it would wait for the garbage collector


class ComputeQueue:
    """Computes for the requests of one process. Shared between threads; a `Runner` for the engine.

    Args:
        count: computations at once.
        queue_seconds: how long a request may wait for its turn.
        queue_bytes: planned memory of all requests that wait.
        deadline: returns when the current request ends, as time.monotonic counts.
        hang_seconds: seconds after its deadline in which a computation has to end; else it hangs.
        hung: called when a computation hangs. The queue goes on without it; its process should be replaced.
    """

    def __init__(
        self,
        count: int,
        queue_seconds: float,
        queue_bytes: int,
        deadline: Callable[[], float],
        hang_seconds: float = 5.0,
        hung: Callable[[], None] = lambda: None,
    ):
        self.hung = hung
        self._count = count
        self._queue_seconds = queue_seconds
        self._queue_bytes = queue_bytes
        self._deadline = deadline
        self._hang_seconds = hang_seconds
        self._waiting = deque[Job]()
        self._running = list[Job]()
        self._late = list[Job]()
        self._threads = 0
        self._past_seconds = 0.0
        self._past_cost = 1.0
        self._lock = Lock()
        self._work = Condition(self._lock)

    @property
    def waiting(self) -> int:
        """The number of requests that wait for their turn."""
        return len(self._waiting)

    def check_capacity(self) -> None:
        """Raise Overloaded when a request that came now would not get its turn in time."""
        with self._lock:
            self._check_wait()

    def __call__(self, compute: Callable[[], T], plan: Plan | None = None) -> T:
        """Compute in a thread of the queue, with the deadline of the current request.

        Args:
            compute: the computation.
            plan: what it will take.

        Raises:
            Overloaded: its turn would come, or comes, too late.
            DeadlineExceeded: the deadline passes.
            BaseException: whatever `compute` raises.
        """
        job = Job(compute, self._open_deadline(), plan)
        with self._lock:
            if self._must_wait():
                self._check_wait(job.bytes)
            self._waiting.append(job)
            if self._threads < self._count:
                self._add_thread()
            self._work.notify()
        patience = min(self._queue_seconds, job.deadline + GRACE - monotonic())
        if not job.ended.acquire(timeout=min(patience, TIMEOUT_MAX)):
            self._wait_on(job)
        return job.outcome()  # type: ignore[no-any-return]

    def run_inline(self, compute: Callable[[], T], plan: Plan | None = None) -> T:
        """Compute in the thread of the caller when the plan is small and a place is free; else like a call.

        It is for layers that are known to look at the deadline: one that hangs here would never be answered.

        Args:
            compute: the computation.
            plan: what it will take.

        Raises:
            Overloaded, DeadlineExceeded, BaseException: as a call does.
        """
        if plan is None or plan.operations > SMALL_COST:
            return self(compute, plan)
        job = Job(compute, self._open_deadline(), plan)
        with self._lock:
            free = not self._must_wait()
            if free:
                self._begin(job)
        if not free:
            return self(compute, plan)
        job.run()
        self._end(job)
        return job.outcome()  # type: ignore[no-any-return]

    def _open_deadline(self) -> float:
        """Return the deadline of the current request. Raises DeadlineExceeded when it has passed."""
        deadline = self._deadline()
        if monotonic() >= deadline:
            raise DeadlineExceeded
        return deadline

    def _wait_on(self, job: Job) -> None:
        """Let a job that runs end by its deadline; refuse one that still waits."""
        with self._lock:
            free = len(self._running) < self._count and self._waiting and self._waiting[0] is job
            if job.began is None and not free:  # else an idle thread takes it as soon as it gets a core
                self._waiting.remove(job)
                raise Overloaded(self._retry_after(), "queue_seconds")
        left = max(0.0, job.deadline + GRACE - monotonic())
        if job.ended.acquire(timeout=min(left, TIMEOUT_MAX)):
            return
        with self._lock:
            if job.began is None:  # no thread has taken it
                self._waiting.remove(job)
                raise DeadlineExceeded
            if job not in self._running:  # it has just ended
                return
            # Late jobs have memory, too: no more of them go on beside others than run at once.
            if len(self._late) < self._count:
                self._give_up(job)
        judge = Timer(max(0.0, job.deadline + self._hang_seconds - monotonic()), self._judge, (job,))
        judge.daemon = True
        judge.start()
        raise DeadlineExceeded

    def _give_up(self, job: Job) -> None:
        """Let another thread take the place of a late job's thread, which ends with the job."""
        self._running.remove(job)
        self._late.append(job)
        self._threads -= 1
        self._add_thread()

    def _judge(self, job: Job) -> None:
        """Report a job that was late, and has not ended since: it hangs."""
        with self._lock:
            if job in self._running:
                self._give_up(job)
            hangs = job in self._late
        if hangs:
            self.hung()

    def _must_wait(self) -> bool:
        return len(self._running) + len(self._waiting) >= self._count

    def _check_wait(self, size: int = 0) -> None:
        """Raise Overloaded when the queue is too long, in seconds or in bytes, for one more."""
        if not self._must_wait():
            return
        planned = size + sum(job.bytes for job in self._waiting)
        if self._expected() > self._queue_seconds:
            raise Overloaded(self._retry_after(), "queue_seconds")
        if self._waiting and planned > self._queue_bytes:
            raise Overloaded(self._retry_after(), "queue_bytes")

    def _expected(self) -> float:
        """Return the seconds until one more can run, as judged by costs."""
        return sum(self._seconds_left()) / self._count

    def _seconds_left(self) -> Iterator[float]:
        now, seconds_per_byte = monotonic(), self._past_seconds / self._past_cost
        for job in self._running:
            elapsed = now - (job.began or now)
            yield max(0.0, job.cost * seconds_per_byte - elapsed)
        for job in self._waiting:
            yield job.cost * seconds_per_byte

    def _retry_after(self) -> int:
        return min(MOST_RETRY_AFTER, max(1, ceil(self._expected())))

    def _add_thread(self) -> None:
        self._threads += 1
        Thread(target=self._compute, name="compute", daemon=True).start()

    def _compute(self) -> None:
        """Run the jobs that wait, one after the other, until one was late: the life of a thread."""
        on_time = True
        while on_time:
            with self._lock:
                while not self._waiting or len(self._running) >= self._count:
                    self._work.wait()
                job = self._waiting.popleft()
                self._begin(job)
            job.run()
            on_time = self._end(job)
            job.ended.release()
            del job  # with its result, before the next one is waited for

    def _begin(self, job: Job) -> None:
        job.began = monotonic()
        self._running.append(job)

    def _end(self, job: Job) -> bool:
        """Let the next job run. Returns False when the job was late: another thread has its place."""
        with self._lock:
            if job in self._late:
                self._late.remove(job)
                return False
            self._running.remove(job)
            if not isinstance(job.error, (DeadlineExceeded, Overloaded)):  # which did not compute to the end
                self._learn(job.cost, monotonic() - (job.began or 0.0))
            if self._waiting:
                self._work.notify()
            return True

    def _learn(self, cost: int, seconds: float) -> None:
        self._past_seconds = MEMORY * self._past_seconds + seconds
        self._past_cost = MEMORY * self._past_cost + cost
