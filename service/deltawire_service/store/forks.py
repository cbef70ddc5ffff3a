"""Forks: the store around a fork of its process, so that the child shares nothing with it."""

from __future__ import annotations

import os
from collections.abc import Callable
from weakref import WeakMethod

Hook = Callable[[], None]


def at_fork(before: Hook | None = None, in_parent: Hook | None = None, in_child: Hook | None = None) -> None:
    """Call methods around every fork from now on, as long as their object lives.

    Args:
        before: called in the process that forks; an error in it does not stop the fork.
        in_parent: called in the same process, afterwards.
        in_child: called in the new process, which has one thread: the one that forked.
    """
    hooks = {"before": before, "after_in_parent": in_parent, "after_in_child": in_child}
    os.register_at_fork(**{name: _weak(hook) for name, hook in hooks.items() if hook is not None})


def _weak(method: Hook) -> Hook:
    reference = WeakMethod(method)

    def call() -> None:
        if (found := reference()) is not None:
            found()

    return call
