"""The corpus of hostile requests, over raw sockets, at the real gunicorn as shipped.

    PYTHONPATH=tests python -m torture.hostile

How many of the exchanges had the status and code that they must have, each within a second, and the next good
request after each was answered within a second by the same worker.
"""

from __future__ import annotations

import json
import sys

from hostile.corpus import cases
from hostile.replay import SECONDS, replay, seconds_of_the_next
from support.service import running_service


def main() -> None:
    corpus, right, slowest, next_one = cases(), 0, 0.0, 0.0
    with running_service("-w", "1", queue_seconds="10") as service:
        for case in corpus:
            try:
                seconds = replay(service, case)
                good = seconds_of_the_next(service)
            except (AssertionError, OSError, ValueError) as error:
                print(f"{case.id}: {type(error).__name__} {error}", file=sys.stderr)
                continue
            slowest, next_one = max(slowest, seconds), max(next_one, good)
            right += seconds < SECONDS and good < SECONDS
        replaced = service.log().count("Booting worker") - 1
    found = {
        "cases": len(corpus),
        "right": right,
        "slowest_seconds": round(slowest, 3),
        "slowest_good_seconds": round(next_one, 3),
        "workers_replaced": replaced,
    }
    print(json.dumps(found, indent=2))
    sys.exit(right < len(corpus) or replaced > 0)


if __name__ == "__main__":
    main()
