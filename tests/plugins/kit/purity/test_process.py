"""Rule 1, pure: the kit catches what a layer changes in its process, unless it puts it back."""

from __future__ import annotations

import builtins
import decimal
import gc
import io
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
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any

import numpy as np
import pytest
from support.broken_layers import Array, caught
from support.layers import FEW_SEEDS
from support.made_layers import made

from deltawire_layers import Activation, Layer, Parameter, check_layer
from deltawire_layers.kit.purity.process import STATES, Process, ProcessState

TIME_ZONE = os.environ.get("TZ")
STATE = {state.name: state for state in STATES}


def unset(name: str) -> None:
    with suppress(KeyError):  # another thread may have been faster, even inside `pop`
        del os.environ[name]


def another_locale() -> None:
    now = locale.setlocale(locale.LC_NUMERIC)
    locale.setlocale(locale.LC_NUMERIC, "C" if now == "C.UTF-8" else "C.UTF-8")


def another_time_zone() -> None:
    os.environ["TZ"] = "KST-9"
    time.tzset()
    unset("TZ") if TIME_ZONE is None else os.environ.update(TZ=TIME_ZONE)


def of_torch(name: str, *args: Any) -> None:
    import torch

    getattr(torch, name)(*args)


CHANGES: dict[str, Callable[[], object]] = {
    "os.environ": lambda: os.environ.update(LAYER_CALLED="1"),
    "the working directory": lambda: os.chdir("/"),
    "the mask of new files": lambda: os.umask(0o77),
    "the locale": another_locale,
    "the time zone": another_time_zone,
    "sys.path": lambda: sys.path.append("/opt/layers"),
    "sys.meta_path": lambda: sys.meta_path.append(sys.meta_path[-1]),
    "sys.argv": lambda: sys.argv.append("--layers"),
    "the filters of warnings": lambda: warnings.simplefilter("ignore"),
    "the context of decimal": lambda: setattr(decimal.getcontext(), "prec", 50),
    "the stream of random": lambda: random.seed(0),
    "the stream of np.random": lambda: np.random.seed(0),  # noqa: NPY002
    "numpy's error handling": lambda: np.seterr(over="warn"),
    "numpy's handler of errors": lambda: np.seterrcall(print),
    "numpy's size of buffers": lambda: np.setbufsize(16384),
    "numpy's print options": lambda: np.set_printoptions(precision=3),
    "logging": lambda: logging.getLogger().setLevel(logging.DEBUG),
    "the garbage collector": gc.disable,
    "the mask of signals": lambda: signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR2}),
    "the timers of signals": lambda: signal.setitimer(signal.ITIMER_VIRTUAL, 9999),
    "the stack size of threads": lambda: threading.stack_size(2**20),
    "threading.excepthook": lambda: setattr(threading, "excepthook", print),
    "the recursion limit": lambda: sys.setrecursionlimit(4321),
    "the switch interval": lambda: sys.setswitchinterval(0.5),
    "the longest whole number in text": lambda: sys.set_int_max_str_digits(9000),
    "tracing": lambda: sys.settrace(lambda *_: None),
    "profiling": lambda: sys.setprofile(lambda *_: None),
    "an attribute of sys": lambda: setattr(sys, "stderr", io.StringIO()),
    "the time limit of sockets": lambda: socket.setdefaulttimeout(99),
    "the folder of temporary files": lambda: setattr(tempfile, "tempdir", "/var/tmp"),
    "a function of Python or numpy": lambda: setattr(np, "sinc", np.sin),
    "the settings of torch": partial(of_torch, "set_grad_enabled", False),
    "the stream of torch": partial(of_torch, "manual_seed", 0),
}

MORE = {
    "drawing from random": ("the stream of random", random.random),
    "drawing from np.random": ("the stream of np.random", lambda: np.random.rand()),  # noqa: NPY002
    "an environment by default": ("os.environ", lambda: os.environ.setdefault("LAYER_CALLED", "1")),
    "the level of another logger": ("logging", lambda: logging.getLogger("urllib3").setLevel(1)),
    "no logging": ("logging", lambda: logging.disable(logging.CRITICAL)),
    "thresholds of the collector": ("the garbage collector", lambda: gc.set_threshold(9, 9, 9)),
    "a new name of Python": ("a function of Python or numpy", lambda: setattr(builtins, "swish", np.sin)),
    "output thrown away": ("an attribute of sys", lambda: setattr(sys, "stdout", io.StringIO())),
}

NAMES = [pytest.param(name, marks=pytest.mark.torch if "torch" in name else ()) for name in CHANGES]


def calling(change: Callable[[], object]) -> Layer:
    """y = 2x, and a call of a function."""

    def value(x: Array) -> Array:
        change()
        return 2 * x

    return made(lambda params, x: Activation(value(x), (lambda delta: 2 * delta,)))


@contextmanager
def kept(state: ProcessState) -> Iterator[None]:
    before = state.read()
    try:
        yield
    finally:
        state.write(before)


def accused(layer: Layer, name: str, closure: str = "value") -> None:
    for seed in FEW_SEEDS:
        error = caught(layer, (3,), seed=seed)
        assert (error.rule, error.closure) == (1, closure), str(error)
        assert error.problem.endswith(f"changes {name}"), str(error)


def test_every_part_has_a_layer_that_changes_it() -> None:
    assert CHANGES.keys() == STATE.keys()


@pytest.mark.parametrize("name", NAMES)
def test_a_change_is_named_and_put_back(name: str) -> None:
    if "torch" in name:
        pytest.importorskip("torch")
    before = STATE[name].read()
    accused(calling(CHANGES[name]), name)
    assert STATE[name].read() == before


@pytest.mark.parametrize("name", NAMES)
def test_a_change_that_is_put_back_passes(name: str) -> None:
    def change() -> None:
        if name == "os.environ":  # several threads call it: to put all of it back is not for them
            CHANGES[name]()
            unset("LAYER_CALLED")
            return
        with kept(STATE[name]):
            CHANGES[name]()

    for seed in FEW_SEEDS:
        check_layer(calling(change), (3,), seed=seed)


@pytest.mark.parametrize("case", MORE)
def test_other_ways_are_named_too(case: str) -> None:
    name, change = MORE[case]
    accused(calling(change), name)


def test_a_change_in_an_equation_is_named() -> None:
    def delta(delta: Array) -> Array:
        os.environ["LAYER_CALLED"] = "1"
        return 2 * delta

    accused(made(lambda params, x: Activation(2 * x, (delta,))), "os.environ")


def test_a_change_in_large_batches_is_named() -> None:
    def value(x: Array) -> Array:
        if len(x) > 1000:
            os.environ["LAYER_CALLED"] = "1"
        return 2 * x

    accused(made(lambda params, x: Activation(value(x), (lambda delta: 2 * delta,))), "os.environ")


def test_a_change_in_the_first_call_alone_is_named() -> None:
    done = []

    def change() -> None:
        if not done:
            done.append(True)
            os.environ["LAYER_CALLED"] = "1"

    accused(calling(change), "os.environ")


def test_a_change_in_a_declaration_is_named() -> None:
    def parameters(self: Layer, x: Any) -> dict[str, Parameter]:
        os.environ["LAYER_CALLED"] = "1"
        return {}

    layer = made(lambda params, x: Activation(2 * x, (lambda delta: 2 * delta,)), parameters=parameters)
    accused(layer, "os.environ", closure="output_shape")


def test_files_that_stay_open_are_named() -> None:
    opened = []
    try:
        error = caught(calling(lambda: opened.append(os.open(os.devnull, os.O_RDONLY))), (3,))
    finally:
        for file in opened:
            os.close(file)
    assert (error.rule, error.closure) == (1, "value") and "keeps something of every call" in str(error)


def import_something() -> None:
    """Import a module that filters warnings once, as large libraries do."""
    if "a_library" not in sys.modules:
        sys.modules["a_library"] = sys
        warnings.filterwarnings("ignore", "of a library")
        os.environ["A_LIBRARY"] = "1"


def test_an_import_may_change_something_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "a_library", sys)
    del sys.modules["a_library"]
    check_layer(calling(import_something), (3,))
    assert "A_LIBRARY" not in os.environ


RIGHT: dict[str, Callable[[], object]] = {
    "a line of a log": lambda: logging.getLogger("layers.of.tests").info("called"),
    "a line of the root's log": lambda: logging.info("called"),
    "a generator of its own": lambda: (random.Random(0).random(), np.random.default_rng(0).random()),
    "a file of its own": lambda: tempfile.TemporaryFile().close(),
    "numbers of decimal": lambda: decimal.Decimal(1) / 3,
    "the environment read": lambda: os.environ.get("HOME"),
    "a warning caught": lambda: warnings.catch_warnings(record=True).__enter__,
    "an import": lambda: __import__("colorsys"),
}


@pytest.mark.parametrize("case", RIGHT)
def test_what_changes_nothing_passes(case: str) -> None:
    for seed in FEW_SEEDS:
        check_layer(calling(RIGHT[case]), (3,), seed=seed)


def test_everything_is_put_back() -> None:
    process, before = Process(), [state.read() for state in STATES]
    for name, change in CHANGES.items():
        if "torch" not in name:
            change()
    process.put_back()
    assert [state.read() for state in STATES] == before
