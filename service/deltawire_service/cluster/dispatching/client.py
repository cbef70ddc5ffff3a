"""The connection of a process to the scheduler: made when it is first needed, and again when it was lost.

A client has threads, so it is made after the fork of a server's processes. Another thread connects. Requests
wait for the end of its first try, and for no later one: while the scheduler is away, they go on at once.
Every wait of a request ends at its deadline.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from concurrent.futures import CancelledError
from functools import partial
from threading import Event, Lock, Thread
from time import monotonic
from typing import Any, TypeVar

from distributed import Client, Future

from deltawire_service.cluster.dispatching.event_loop import EventLoop
from deltawire_service.cluster.dispatching.losses import TOPIC, Losses
from deltawire_service.cluster.members import Member, read_members
from deltawire_service.cluster.resources import resource
from deltawire_service.cluster.task import SegmentAnswer, run_task
from deltawire_service.engine import check_deadline, current_deadline

T = TypeVar("T")

CONNECT_SECONDS = 2.0
"""How long a try to connect takes at most, and how long requests wait for the first."""

RETRY_SECONDS = 2.0
"""Seconds between two tries to connect."""

LISTED_SECONDS = 0.5
"""How long the list of workers is used again."""

ANSWER_SECONDS = 2.0
"""How long the scheduler may take to answer."""

PROMPT_SECONDS = 0.5
"""How long a scheduler that does not answer is waited for until it may be the reason of a missed deadline."""

CLOSE_SECONDS = 0.5
"""How long to wait for the end of a connection."""

TOGETHER_SECONDS = 0.01
"""How long a task that has ended waits for others to end: fetching them one by one takes longer."""

SEND_SECONDS = 0.001
"""How long a message to the scheduler waits for others; Dask's 10 ms would delay each computation."""

RETRIES = 2
"""How often a worker may fail to get the arrays of a task before the task fails."""


class SchedulerLost(Exception):
    """The scheduler is not connected, or does not answer."""


class Scheduler:
    """The scheduler, for one process. Shared between threads.

    Args:
        address: the address of the scheduler; its TLS is configured as Dask says.
    """

    def __init__(self, address: str):
        _log_as_others_do()
        self._address = address
        self._client: Client | None = None
        self._event_loop: EventLoop | None = None
        self._failure: Exception | None = None
        """Why the last try to connect failed."""
        self._tried = Event()
        self._connecting = Lock()
        """Held by the thread that connects, or ends the connection."""
        self._next_try = 0.0
        self._members: list[Member] = []
        self._listed = 0.0
        self.losses = Losses()
        """How often tasks were lost with their workers."""

    @property
    def is_connected(self) -> bool:
        """True while there is a connection, as far as is known."""
        client = self._client
        return client is not None and client.status == "running"

    def connect(self) -> Client:
        """Return the client.

        Raises:
            SchedulerLost: there is no connection for now.
            DeadlineExceeded: the deadline passed too soon to blame the scheduler.
        """
        client = self._client
        if client is None or client.status != "running":
            self._begin_try()
            patience = _until_deadline(CONNECT_SECONDS)
            if not self._tried.wait(patience) and patience < PROMPT_SECONDS:
                check_deadline()
            self._tried.set()
            client = self._client
        if client is None or client.status != "running":
            reason = self._failure or "it does not answer yet"
            raise SchedulerLost(f"the scheduler is not connected: {reason}") from self._failure
        return client

    def members(self, fresh: bool = False) -> list[Member]:
        """Return the workers.

        fresh: ask the scheduler, however short the last time is ago.

        Raises:
            SchedulerLost: the scheduler does not answer.
            DeadlineExceeded: the deadline passed too soon to blame it.
        """
        if not fresh and self.is_connected and monotonic() < self._listed + LISTED_SECONDS:
            return self._members
        client = self.connect()
        identity: Mapping[str, Any] = self._ask(client, client.scheduler.identity, n_workers=-1)
        self._members, self._listed = read_members(identity["workers"]), monotonic()
        return self._members

    def submit(self, tasks: Sequence[bytes], keys: Sequence[str], fingerprint: str) -> list[Future]:
        """Send tasks to workers with a fingerprint. Raises SchedulerLost.

        Args:
            tasks: tasks, as `write_task` writes them.
            keys: the name of each, unlike all others.
            fingerprint: the fingerprint.
        """
        client = self.connect()
        self.losses.watch(keys)
        try:
            futures: list[Future] = client.map(
                run_task,
                tasks,
                key=list(keys),
                resources={resource(fingerprint): 1},
                retries=RETRIES,
                pure=False,
            )
            return futures
        except (OSError, RuntimeError) as error:  # the client has closed meanwhile
            self.losses.forget(keys)
            raise SchedulerLost(f"the tasks cannot be sent: {error}") from error

    def collect(
        self, futures: Mapping[int, Future], wait_seconds: float, fetch_seconds: float
    ) -> dict[int, SegmentAnswer]:
        """Wait for the first of some tasks, and fetch the answers of all that have succeeded by then.

        Args:
            futures: the tasks, by any number.
            wait_seconds: how long to wait for the end of the first.
            fetch_seconds: how long the answers may take to come.

        Raises:
            SchedulerLost: the answers do not come.
            DeadlineExceeded: the deadline passed too soon to blame the scheduler.
        """
        client = self.connect()
        collect = partial(_collect, client, futures, wait_seconds, fetch_seconds)
        patience = wait_seconds + TOGETHER_SECONDS + fetch_seconds + ANSWER_SECONDS
        return self._ask(client, collect, seconds=patience)

    def remove_worker(self, address: str) -> None:
        """Have the scheduler treat a worker as lost: others get its tasks.

        A worker that is only slow finds its connection closed, and is started again.

        address: the address of the worker.

        Raises:
            SchedulerLost, DeadlineExceeded: as for `members`.
        """
        client = self.connect()
        # Expected: Dask blames the tasks of a worker otherwise, as it does where they end its process.
        unregister, stimulus = client.scheduler.unregister, "deltawire-silent-worker"
        self._ask(client, unregister, address=address, expected=True, stimulus_id=stimulus)

    def close(self) -> None:
        """End the connection."""
        with self._connecting:
            self._forget()

    def _ask(
        self,
        client: Client,
        question: Callable[..., Awaitable[T]],
        seconds: float = ANSWER_SECONDS,
        **options: Any,
    ) -> T:
        """Have the client's event loop call a function, and return the answer.

        Args:
            client: the client.
            question: the function.
            seconds: how long it is waited for; no longer than until the deadline.
            options: its arguments.

        Raises:
            SchedulerLost: no answer came.
            DeadlineExceeded: the deadline passed too soon to blame the scheduler.
        """
        patience = _until_deadline(seconds)
        try:
            answer: T = client.sync(question, **options, callback_timeout=patience)
        except (OSError, RuntimeError, CancelledError) as error:  # the client may have closed meanwhile
            if isinstance(error, TimeoutError) and patience < PROMPT_SECONDS:
                check_deadline()
            raise SchedulerLost(f"the scheduler does not answer: {error}") from error
        return answer

    def _begin_try(self) -> None:
        """Start a thread that connects, unless there is one, or the last try was a moment ago."""
        if monotonic() < self._next_try or not self._connecting.acquire(blocking=False):
            return
        try:
            Thread(target=self._try, daemon=True, name="connect to Dask").start()
        except RuntimeError as error:  # this machine has no thread left
            self._connecting.release()
            raise SchedulerLost(f"no thread can be started: {error}") from error

    def _try(self) -> None:
        """Connect, and release the lock that the caller acquired."""
        try:
            self._forget()
            self._event_loop = EventLoop()
            with self._event_loop.closed_after(2 * CONNECT_SECONDS):  # Dask waits longer for a silent peer
                self._client = _Client(
                    self._address,
                    loop=self._event_loop.loop,
                    timeout=CONNECT_SECONDS,
                    set_as_default=False,
                    name="deltawire",
                )
            self._client.scheduler_comm.interval = SEND_SECONDS
            self._client.subscribe_topic(TOPIC, self.losses.on_event)
            self._failure = None
        except Exception as error:  # requests raise SchedulerLost from it
            self._failure = error
            self._forget()
        finally:
            self._next_try = monotonic() + RETRY_SECONDS
            self._connecting.release()
            self._tried.set()

    def _forget(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            try:
                client.close(timeout=CLOSE_SECONDS)
            except TimeoutError:  # it waits for its scheduler: the end of the event loop ends that
                client.status = "closed"
        event_loop, self._event_loop = self._event_loop, None
        if event_loop is not None:
            event_loop.close()


class _Client(Client):  # type: ignore[misc]  # Dask has no types
    """A client that is closed where it cannot connect: else it would try to close itself after its loop."""

    def __init__(self, *args: Any, **options: Any):
        try:
            super().__init__(*args, **options)
        except BaseException:
            self.status = "closed"
            raise


def _until_deadline(seconds: float) -> float:
    """Return how long to wait: so many seconds, or until the deadline if that is sooner."""
    return max(0.0, min(seconds, current_deadline() - monotonic()))


async def _collect(
    client: Client, futures: Mapping[int, Future], wait_seconds: float, fetch_seconds: float
) -> dict[int, SegmentAnswer]:
    """Run `Scheduler.collect` in the client's event loop, to cross to its thread once."""
    first, *others = futures.values()
    if not await _wait_for([first], wait_seconds):
        return {}
    await _wait_for(others, TOGETHER_SECONDS)
    finished = {index: future for index, future in futures.items() if future.status == "finished"}
    if not finished:
        return {}
    fetched = client.gather(finished, errors="skip", asynchronous=True)
    try:
        answers = await asyncio.wait_for(fetched, fetch_seconds)
    except asyncio.CancelledError as error:  # Dask fetches for several computations at once: one gave up
        raise TimeoutError("another computation ended the fetching of answers") from error
    return {index: answer for index, answer in answers.items() if answer is not None}


async def _wait_for(futures: Collection[Future], seconds: float) -> bool:
    """Wait until tasks have ended, whether well or not; return whether all have."""
    if all(future.done() for future in futures):
        return True
    ends = [asyncio.ensure_future(future.exception()) for future in futures]
    _, waiting = await asyncio.wait(ends, timeout=seconds)
    for end in waiting:
        end.cancel()
    return not waiting


def _log_as_others_do() -> None:
    """Have Dask's lines go where all lines of this process go, in place of a handler of its own."""
    for name in ("distributed", "distributed.client", "tornado"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
