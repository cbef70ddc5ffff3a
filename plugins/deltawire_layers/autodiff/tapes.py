"""Reverse derivatives by HIPS autograd, from several threads at once and with numpy's own functions.

autograd counts its nested traces in one place for all threads, so that two threads would take each other's.
Here each thread counts its own. autograd also has a copy of numpy's namespace, `autograd.numpy`. By a
protocol of numpy, functions of plain numpy, such as `np.sum(x)`, call that copy for a traced array.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from operator import attrgetter
from threading import local
from typing import Any

import numpy as np

from deltawire_layers.autodiff import analytic
from deltawire_layers.autodiff.extras import load

tracer = load("autograd.tracer", "autograd")
core = load("autograd.core", "autograd")
along = load("autograd.numpy", "autograd")
ArrayBox = load("autograd.numpy.numpy_boxes", "autograd").ArrayBox

NODE, TRACE, VALUE = attrgetter("_node"), attrgetter("_trace"), attrgetter("_value")
"""The parts of a traced array, for which autograd has no public names."""

REDUCTIONS = {np.add: "sum", np.multiply: "prod", np.maximum: "max", np.minimum: "min"}
"""The functions of autograd for `np.add.reduce` and the like."""


class ThreadTraces(local):
    """The number of the innermost trace of each thread."""

    top = -1

    @contextmanager
    def new_trace(self) -> Iterator[int]:
        """Enter a trace, and leave it also when it raises."""
        self.top += 1
        try:
            yield self.top
        finally:
            self.top -= 1


def make_vjp(function: Callable[[Any], Any], x: Any) -> tuple[Callable[[Any], Any], Any]:
    """Return the function from δ of the value to δ of x, and the value.

    Args:
        function: the function, of one array or tuple of arrays.
        x: its argument, which may be traced itself.
    """
    end, depends = follow(core.VJPNode.new_root(), function, x)
    if not depends:
        return lambda delta: core.vspace(x).zeros(), end
    return lambda delta: core.backward_pass(delta, NODE(end)), VALUE(end)


def follow(root: Any, function: Callable[[Any], Any], x: Any) -> tuple[Any, bool]:
    """Call a function of a traced argument; return its result, and whether that depends on the argument.

    Args:
        root: the node of autograd's graph that the argument gets.
        function: the function.
        x: its argument.
    """
    with tracer.trace_stack.new_trace() as number:
        end = function(tracer.new_box(x, number, root))
        return end, tracer.isbox(end) and TRACE(end) == number


def _call_ufunc(self: Any, ufunc: Any, method: str, *args: Any, **kwargs: Any) -> Any:
    """Call autograd's function for a ufunc, or for its reduction along an axis."""
    if method == "__call__" and ufunc is np.tanh:  # autograd's second derivative of it is NaN far out
        return analytic.tanh(*args)
    if method == "reduce" and ufunc in REDUCTIONS and kwargs.get("out") is None:
        options = {name: option for name, option in kwargs.items() if name in ("axis", "keepdims")}
        return getattr(along, REDUCTIONS[ufunc])(*args, **({"axis": 0} | options))
    return _autograds_own(self, ufunc, method, *args, **kwargs)


def _call_function(self: Any, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
    """Call autograd's function of the same name and module."""
    home: Any = along
    for part in function.__module__.split(".")[1:]:
        home = getattr(home, part, None)
    found = getattr(home, function.__name__, None)
    if found is None:
        raise TypeError(f"autograd has no derivative of {function.__module__}.{function.__name__}")
    return found(*args, **kwargs)


_autograds_own = ArrayBox.__array_ufunc__
ArrayBox.__array_ufunc__ = _call_ufunc
ArrayBox.__array_function__ = _call_function
tracer.trace_stack = ThreadTraces()
