"""Actions in children that this process forks."""

from __future__ import annotations

import os
import traceback
from collections.abc import Callable


def in_child(action: Callable[[], object]) -> int:
    """Call an action in a child, and return its pid. It exits with 0 if the action ends well."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            action()
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)
    return child


def ends_well(child: int) -> bool:
    """Wait for a child, and return whether its action ended well."""
    _, status = os.waitpid(child, 0)
    return status == 0
