"""Check rule 1, pure: a layer changes nothing in its process that others see.

One table says what belongs to the process: how it is read, how it is put back, and what to write instead.
A layer may change some of it inside a context that puts it back before the call ends.
"""

from __future__ import annotations

import decimal
import gc
import locale
import logging
import os
import random
import signal
import socket
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from deltawire_layers.kit.hangs import is_abandoned
from deltawire_layers.kit.purity.functions import Functions, write_functions
from deltawire_layers.kit.trial import Trial


class ProcessState(NamedTuple):
    """Something that belongs to the process.

    name:  what it is, as the object of a sentence
    read:  returns its present state, which compares equal to the state of a process that has not changed
    write: puts a state back
    mend:  what a layer may do instead
    """

    name: str
    read: Callable[[], Any]
    write: Callable[[Any], object]
    mend: str | None = None


def _write_dict(thing: Any, before: Any) -> None:
    """Give a dict the items it had; others may read it meanwhile."""
    for name in [name for name in thing if name not in before]:
        thing.pop(name, None)
    for name, value in before.items():
        if thing.get(name) != value:
            thing[name] = value


def _write_list(thing: Any, before: Any) -> None:
    """Give a list the items it had, in one step."""
    thing[:] = before


def _umask() -> int:
    """Return the mask of new files, which can be read only by writing it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def _write_filters(before: tuple[Any, list[Any]]) -> None:
    warnings.filters, contents = before
    _write_list(warnings.filters, contents)
    with warnings.catch_warnings():  # its end tells the interpreter that the filters have changed
        pass


DECIMAL = ("prec", "rounding", "Emin", "Emax", "capitals", "clamp")


def _decimal() -> dict[str, Any]:
    """Return the settings of decimal numbers; flags tell only what has been computed."""
    context = decimal.getcontext().copy()
    return {name: getattr(context, name) for name in DECIMAL} | {"traps": dict(context.traps)}


def _write_decimal(before: dict[str, Any]) -> None:
    context = decimal.getcontext()
    for name, value in before.items():
        if name == "traps":
            context.traps.update(value)
        else:
            setattr(context, name, value)


def _numpy_random() -> tuple[Any, ...]:
    state: Any = np.random.get_state()
    return (state[0], state[1].tobytes(), *state[2:])


def _write_numpy_random(before: tuple[Any, ...]) -> None:
    name, key, *rest = before
    np.random.set_state((name, np.frombuffer(key, np.uint32), *rest))


def _handlers_of_logs() -> list[logging.Handler]:
    """Return the handlers of the root, without that which `logging.info` adds where there is none."""
    return [handler for handler in logging.root.handlers if type(handler) is not logging.StreamHandler]


def _loggers() -> dict[str, Any]:
    """Return the levels of loggers that have one, and of those above them."""
    manager = logging.root.manager
    levels = {
        name: logger.level
        for name, logger in list(manager.loggerDict.items())
        if isinstance(logger, logging.Logger) and logger.level
    }
    return {"": logging.root.level, "handlers": _handlers_of_logs(), "disable": manager.disable} | levels


def _write_loggers(before: dict[str, Any]) -> None:
    for name in _loggers().keys() - before.keys():
        logging.getLogger(name).setLevel(logging.NOTSET)
    for name, level in before.items():
        if name == "handlers":
            logging.root.handlers[:] = level
        elif name == "disable":
            logging.disable(level)
        else:
            logging.getLogger(name).setLevel(level)


def _collector() -> tuple[Any, ...]:
    return gc.isenabled(), gc.get_threshold(), gc.get_debug(), [*gc.callbacks]


def _write_collector(before: tuple[Any, ...]) -> None:
    enabled, thresholds, debug, callbacks = before
    (gc.enable if enabled else gc.disable)()
    gc.set_threshold(*thresholds)
    gc.set_debug(debug)
    gc.callbacks[:] = callbacks


def _timers() -> list[bool]:
    """Return which timers run; how long they still have changes by itself."""
    return [signal.getitimer(timer) != (0.0, 0.0) for timer in TIMERS]


def _write_timers(before: list[bool]) -> None:
    for timer, runs in zip(TIMERS, before, strict=True):
        if not runs:
            signal.setitimer(timer, 0)


TIMERS = (signal.ITIMER_REAL, signal.ITIMER_VIRTUAL, signal.ITIMER_PROF)

SETTINGS = ("stdin", "stdout", "stderr", "excepthook", "displayhook", "unraisablehook", "dont_write_bytecode")


def _attributes(owner: Any, names: tuple[str, ...]) -> tuple[Callable[[], Any], Callable[[Any], None]]:
    """Return functions that read and write attributes."""

    def read() -> list[Any]:
        return [getattr(owner, name) for name in names]

    def write(before: list[Any]) -> None:
        for name, value in zip(names, before, strict=True):
            setattr(owner, name, value)

    return read, write


def _contents(thing: Any) -> tuple[Callable[[], Any], Callable[[Any], None]]:
    """Return functions that read and write the contents of a container."""
    return thing.copy, partial(_write_list if isinstance(thing, list) else _write_dict, thing)


ABSENT = "absent"
"""State of what is not imported yet; an import by the layer is no change."""


def _torch(read: Callable[[Any], Any], write: Callable[[Any, Any], object]) -> tuple[Any, Any]:
    """Return functions that read and write something of torch, where it is imported."""

    def read_it() -> Any:
        torch = sys.modules.get("torch")
        return read(torch) if hasattr(torch, "get_rng_state") else ABSENT

    def write_it(before: Any) -> None:
        if before is not ABSENT:
            write(sys.modules["torch"], before)

    return read_it, write_it


def _torch_settings(torch: Any) -> tuple[Any, ...]:
    return torch.get_num_threads(), torch.get_default_dtype(), torch.is_grad_enabled()


def _write_torch_settings(torch: Any, before: tuple[Any, ...]) -> None:
    threads, dtype, grad = before
    torch.set_num_threads(threads)
    torch.set_default_dtype(dtype)
    torch.set_grad_enabled(grad)


OWN_STREAM = "draw from a generator of the layer's own: np.random.default_rng(seed)"
CONTEXT = "change it inside a context that puts it back"

STATES = (
    ProcessState("os.environ", *_contents(os.environ), "read it, and never write it"),
    ProcessState("the working directory", os.getcwd, os.chdir, "give files by their whole path"),
    ProcessState("the mask of new files", _umask, os.umask),
    ProcessState(
        "the locale", partial(locale.setlocale, locale.LC_ALL), partial(locale.setlocale, locale.LC_ALL)
    ),
    ProcessState("the time zone", lambda: (time.tzname, time.timezone), lambda before: time.tzset()),
    ProcessState("sys.path", *_contents(sys.path), "install what the layer imports"),
    ProcessState("sys.meta_path", *_contents(sys.meta_path)),
    ProcessState("sys.argv", *_contents(sys.argv)),
    ProcessState(
        "the filters of warnings",
        lambda: (warnings.filters, [*warnings.filters]),
        _write_filters,
        "write with warnings.catch_warnings()",
    ),
    ProcessState("the context of decimal", _decimal, _write_decimal, "write with decimal.localcontext()"),
    ProcessState("the stream of random", random.getstate, random.setstate, OWN_STREAM),
    ProcessState("the stream of np.random", _numpy_random, _write_numpy_random, OWN_STREAM),
    ProcessState(
        "numpy's error handling",
        np.geterr,
        lambda before: np.seterr(**before),
        "write with np.errstate(…) instead of np.seterr(…)",
    ),
    ProcessState("numpy's handler of errors", np.geterrcall, np.seterrcall),
    ProcessState("numpy's size of buffers", np.getbufsize, np.setbufsize),
    ProcessState(
        "numpy's print options",
        np.get_printoptions,
        lambda before: np.set_printoptions(**before),
        "write with np.printoptions(…)",
    ),
    ProcessState("logging", _loggers, _write_loggers, "leave levels and handlers to the service"),
    ProcessState("the garbage collector", _collector, _write_collector),
    ProcessState(
        "the mask of signals",
        lambda: signal.pthread_sigmask(signal.SIG_BLOCK, ()),
        lambda before: signal.pthread_sigmask(signal.SIG_SETMASK, before),
    ),
    ProcessState("the timers of signals", _timers, _write_timers),
    ProcessState("the stack size of threads", threading.stack_size, threading.stack_size),
    ProcessState("threading.excepthook", *_attributes(threading, ("excepthook",))),
    ProcessState("the recursion limit", sys.getrecursionlimit, sys.setrecursionlimit),
    ProcessState("the switch interval", sys.getswitchinterval, sys.setswitchinterval),
    ProcessState("the longest whole number in text", sys.get_int_max_str_digits, sys.set_int_max_str_digits),
    ProcessState("tracing", sys.gettrace, sys.settrace),
    ProcessState("profiling", sys.getprofile, sys.setprofile),
    ProcessState("an attribute of sys", *_attributes(sys, SETTINGS), CONTEXT),
    ProcessState("the time limit of sockets", socket.getdefaulttimeout, socket.setdefaulttimeout),
    ProcessState("the folder of temporary files", tempfile.gettempdir, partial(setattr, tempfile, "tempdir")),
    ProcessState("a function of Python or numpy", Functions, write_functions, "call your own"),
    ProcessState("the settings of torch", *_torch(_torch_settings, _write_torch_settings), CONTEXT),
    ProcessState(
        "the stream of torch",
        *_torch(
            lambda torch: torch.get_rng_state().numpy().tobytes(),
            lambda torch, before: torch.set_rng_state(torch.frombuffer(bytearray(before), dtype=torch.uint8)),
        ),
        "draw inside torch.random.fork_rng()",
    ),
)


CALLS, DECLARATIONS = "an equation", "another declaration"


class Process:
    """The state of the process before a layer was called."""

    def __init__(self) -> None:
        self._first = self._before = _read_all()

    def put_back(self) -> None:
        """Put everything back to what it was when this object was made."""
        for state, before, _ in _changes(self._first, _read_all()):
            if not is_abandoned():
                state.write(before)

    def check(self, trial: Trial, again: Callable[[], object], of: str = CALLS, at: str = "value") -> None:
        """Check that nothing has changed, or only once, as by an import.

        Args:
            trial: the layer.
            again: a function that makes the calls once more, to see whether they change it again.
            of: what else may have made the change.
            at: the closure to accuse.

        Raises:
            ConformanceError: something has changed.
        """
        now = _read_all()
        changes = [] if is_abandoned() else list(_changes(self._before, now))
        if changes:
            for state, before, _ in changes:
                state.write(before)
            again()
            for state, _, _ in _changes(self._before, _read_all()):
                raise trial.broken(1, at, f"or {of} changes {state.name}", suggestion=state.mend)
            for state, _, after in changes:
                state.write(after)
        self._before = now


def _read_all() -> list[Any]:
    return [state.read() for state in STATES]


def _changes(before: list[Any], after: list[Any]) -> Iterator[tuple[ProcessState, Any, Any]]:
    """Yield what has changed, with its contents before and after."""
    for state, first, last in zip(STATES, before, after, strict=True):
        if first is not ABSENT and first != last:
            yield state, first, last
