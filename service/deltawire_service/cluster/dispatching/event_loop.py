"""An event loop in a thread, for clients of Dask: one that cannot connect would leave its own running."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from threading import Thread, Timer

from tornado.ioloop import IOLoop

CLOSE_SECONDS = 2.0
"""How long to wait for the end of the thread."""


class EventLoop:
    """An event loop that runs from its making until it is closed. Raises OSError where it cannot start."""

    def __init__(self) -> None:
        started: Future[IOLoop] = Future()
        self._closed = asyncio.Event()
        self._thread = Thread(target=self._run, args=(started,), daemon=True, name="Dask client")
        self._thread.start()
        self.loop = started.result()

    @contextmanager
    def closed_after(self, seconds: float) -> Iterator[None]:
        """Close the loop unless the block ends before: whoever waits for it gets TimeoutError."""
        timer = Timer(seconds, self.close)
        timer.daemon = True
        timer.start()
        try:
            yield
        except BaseException as error:
            if self._closed.is_set():
                raise TimeoutError(f"no answer within {seconds} s") from error
            raise
        finally:
            timer.cancel()

    def close(self) -> None:
        """Cancel what still runs in the loop, and end it."""
        if self._thread.is_alive():
            self.loop.add_callback(self._closed.set)
            self._thread.join(CLOSE_SECONDS)

    def _run(self, started: Future[IOLoop]) -> None:
        async def wait() -> None:
            started.set_result(IOLoop.current())
            await self._closed.wait()

        try:
            asyncio.run(wait())
        except BaseException as error:
            if started.done():
                raise
            started.set_exception(error)
