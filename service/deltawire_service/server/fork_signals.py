"""Keep the signals that a worker gets before it can handle them.

A forked worker has the handlers of gunicorn's master until it sets its own. A SIGTERM in this moment would be
taken for one to the master, and forgotten: the service would stop only after its whole grace period.
"""

from __future__ import annotations

import os
import signal
from functools import partial

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, signal.SIGUSR1)
"""Signals that the master sends on to its workers."""

deliver = partial(signal.pthread_sigmask, signal.SIG_UNBLOCK, SIGNALS)
"""Let this process have its signals, those that came meanwhile too."""


def deliver_after_fork() -> None:
    """Let this process have its signals after each fork, as its children do once they can handle them."""
    os.register_at_fork(after_in_parent=deliver)


def hold_until_forked() -> None:
    """Hold the signals back from here on, across the next fork: in the parent until then, in the child until
    it calls `deliver`."""
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
