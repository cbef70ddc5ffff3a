"""S18: no space, descriptors or memory, broken disks and pipes: the system fails, and the service goes on.

    PYTHONPATH=tests python -m torture.system_faults [--short]

A library that is preloaded into the real gunicorn makes one call of the C library fail, always, by chance or
once, in the master, in the workers or in all. Meanwhile requests come, a worker is killed, and published
networks are read again. Then the fault ends, and everything must be as before.
"""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import requests
from support.faults import ALWAYS, MASTER, WORKERS, Fault, Faults
from support.posting import good
from support.publishing import publish
from support.service import Service, children, running_service
from torture.load import arguments, report

COUNT = 2
"""Workers."""

RECOVERY_SECONDS = 20.0
"""Seconds after a fault in which everything must be as before."""

ERRORS = {
    "open": (errno.EMFILE, errno.ENOSPC, errno.EIO, errno.ENOMEM),
    "read": (errno.EIO,),
    "pread": (errno.EIO,),
    "write": (errno.ENOSPC, errno.EPIPE, errno.EIO),
    "accept4": (errno.EMFILE, errno.ENOMEM),
    "mmap": (errno.ENOMEM,),
    "fork": (errno.EAGAIN, errno.ENOMEM),
    "rename": (errno.ENOSPC, errno.EIO),
    "fsync": (errno.EIO, errno.ENOSPC),
    "mkdir": (errno.ENOSPC, errno.EIO),
    "pipe2": (errno.EMFILE,),
    "epoll_create1": (errno.EMFILE,),
}

ALWAYS_CASES = [
    Fault(call, error, who)
    for call, errors in ERRORS.items()
    for error in errors
    for who in (MASTER, WORKERS)
    if (call, who) not in (("accept4", MASTER), ("fork", WORKERS))  # which make no such call
]
BY_CHANCE = [Fault(call, error, share=ALWAYS // 5) for call, errors in ERRORS.items() for error in errors]
ONCE = [Fault(call, errors[0], nth=nth) for call, errors in ERRORS.items() for nth in (1, 2, 5, 20)]

AT_START = [Fault(call, error) for call in ("mkdir", "write", "rename") for error in ERRORS[call]]
"""Faults with which the service starts and serves all the same."""

WHILE_PUBLISHING = [
    Fault(call, error, nth=nth)
    for call in ("write", "fsync", "rename", "mkdir")
    for error in ERRORS[call]
    for nth in (1, 2)
    if error != errno.EPIPE
]
"""Faults of `deltawire publish`, which replaces a file or leaves it as it is."""

ROUTES = ("/", "/docs", "/openapi.json", "/livez", "/readyz", "/metrics", "/v1/layers", "/v1/limits")


class Sent(NamedTuple):
    """A request, its right answer, and the statuses that may come instead while the system fails."""

    document: dict[str, Any]
    answer: Any
    instead: frozenset[int]


class Target:
    """The service under test: what it must answer, and what it has answered."""

    def __init__(self, url: Service, faults: Faults):
        self.url, self.faults = url, faults
        self.statuses = Counter[int]()
        self.wrong = list[str]()
        named = {"network": {"name": "good"}, "data": good()["data"]}
        failed = frozenset({0, 500, 502, 503, 504})
        self._sent = [
            Sent(good(), self._post(good())[1], failed),
            # Where the file could not be read again, there is no such network.
            Sent(named, self._post(named)[1], failed | {404}),
        ]

    def _post(self, document: dict[str, Any]) -> tuple[int, Any]:
        try:
            answer = requests.post(f"{self.url}/v1/gradients", json=document, timeout=10)
            return answer.status_code, answer.json()
        except (requests.RequestException, ValueError):
            return 0, None

    def ask(self) -> bool:
        """Send each request once. Return whether every answer was right."""
        right = True
        for sent in self._sent:
            status, answer = self._post(sent.document)
            self.statuses[status] += 1
            if status == 200 and answer == sent.answer:
                continue
            right = False
            if status not in sent.instead:
                self.wrong.append(f"{status}: {json.dumps(answer)[:200]}")
        return right

    def look_around(self) -> None:
        """Ask for everything else that the service offers; any status will do."""
        for route in ROUTES:
            try:
                self.statuses[requests.get(f"{self.url}{route}", timeout=10).status_code] += 1
            except requests.RequestException:
                self.statuses[0] += 1

    def reload(self) -> None:
        """Have published networks read again, and workers replaced."""
        os.kill(self.url.pid, signal.SIGHUP)

    def lose_a_worker(self) -> None:
        """Kill one worker."""
        for worker in sorted(children(self.url.pid))[:1]:
            os.kill(worker, signal.SIGKILL)

    def recovered(self) -> float:
        """Return the seconds until everything is right again.

        Raises:
            AssertionError: it does not become so, or the master has ended.
        """
        began = time.monotonic()
        self.reload()
        in_a_row = 0
        while in_a_row < 8:
            assert time.monotonic() - began < RECOVERY_SECONDS, "the service does not recover"
            whole = len(children(self.url.pid)) == COUNT
            in_a_row = in_a_row + 1 if self.ask() and whole else 0
            time.sleep(0.02)
        return time.monotonic() - began


@contextmanager
def serving(faults: Faults, folder: Path, seed: int) -> Iterator[Target]:
    """Serve one published network, with calls that can be made to fail."""
    settings = {"networks_dir": str(folder), "deadline_seconds": "2", "queue_seconds": "1"}
    with running_service("-w", str(COUNT), environ=faults.environ, **settings) as url:
        faults.begin(url.pid, seed)
        yield Target(url, faults)


def suffer(target: Target, case: Fault, seconds: float) -> tuple[int, float]:
    """Let the service run with a fault, then without.

    Returns:
        How many calls failed, and the seconds that the service took to recover.

    Raises:
        AssertionError: it did not recover.
        FileNotFoundError: the master has ended.
    """
    with target.faults.of(case):
        end = time.monotonic() + seconds
        target.ask()
        target.reload()
        target.look_around()
        target.lose_a_worker()
        while time.monotonic() < end:
            target.ask()
            time.sleep(0.02)
        made = target.faults.made(case.call)
    return made, target.recovered()


def start_with(fault: Fault, faults: Faults, folder: Path, seed: int) -> int:
    """Start the service with a fault. Return how many calls failed.

    Raises:
        AssertionError: it does not start, or answers wrongly.
    """
    with faults.of(fault), serving(faults, folder, seed) as target:
        assert target.ask() and target.ask(), "the service does not answer"
        return faults.made(fault.call)


def publish_with(fault: Fault, faults: Faults, folder: Path) -> int:
    """Publish a network anew with a fault. Return how many calls failed.

    Raises:
        AssertionError: the file is neither the old one nor the new one, or a draft is left, or the command
            does not say what failed.
    """
    path = publish(folder)
    old, changed = path.read_bytes(), good() | {"data": {}}
    changed["params"]["scores.bias"] = [7.0, 8.0, 9.0]
    request = folder.with_name("request.json")
    request.write_text(json.dumps(changed))
    command = [str(Path(sys.executable).with_name("deltawire")), "publish", str(request)]
    with faults.of(fault):
        done = subprocess.run(
            [*command, "--name", "good", "--into", str(folder)],
            env={**os.environ, **faults.environ},
            capture_output=True,
            text=True,
        )
        made = faults.made(fault.call)
    assert [each.name for each in folder.iterdir()] == [path.name], "a draft is left"
    if done.returncode:
        said = done.stderr.strip()
        assert os.strerror(fault.error) in said and "Traceback" not in said, said
        assert path.read_bytes() == old, "the old file is spoilt"
    else:
        assert path.read_bytes() != old, "the new file is not there"
    return made


class Results:
    """What has become of all cases."""

    def __init__(self) -> None:
        self.cases = 0
        self.failed_calls, self.statuses = Counter[str](), Counter[int]()
        self.lost, self.wrong = list[str](), list[str]()
        self.slowest = 0.0

    def run(self, name: str, case: Callable[[], int], log: Callable[[], str] = str) -> bool:
        """Run a case, which returns how many calls failed. Return whether it ended well.

        Args:
            name: what is shown of the case: first the call that fails.
            case: raises AssertionError or OSError when it ends badly.
            log: returns what the service has printed.
        """
        self.cases += 1
        try:
            self.failed_calls[name.split()[0]] += case()
        except (AssertionError, OSError) as error:
            events = [line for line in log().splitlines() if "request_id" not in line]
            print(f"{name}: {error}", *events[-40:], sep="\n", file=sys.stderr)
            self.lost.append(f"{name}: {error}")
            return False
        return True


def suffer_all(
    cases: Sequence[Fault],
    results: Results,
    seconds: float,
    serve: Callable[[], AbstractContextManager[Target]],
) -> None:
    """Let one service run with each of the faults; a new one takes its place when it is lost.

    Args:
        cases: the faults.
        results: gets what becomes of them.
        seconds: how long each fault lasts.
        serve: starts a service.
    """
    left = list(cases)
    while left:
        with serve() as target:
            going = True
            while left and going:
                case = left.pop(0)

                def suffered() -> int:
                    made, took = suffer(target, case, seconds)  # noqa: B023 (called at once)
                    results.slowest = max(results.slowest, took)
                    return made

                going = results.run(str(case), suffered, target.url.log)
                results.wrong += [f"{case}: {answer}" for answer in target.wrong]
                target.wrong.clear()
            results.statuses.update(target.statuses)


def main() -> None:
    given = arguments("system_faults", only="cases with this in their name")
    results = Results()
    with TemporaryDirectory() as scratch:
        networks = Path(scratch, "networks")
        networks.mkdir()
        publish(networks)
        faults = Faults(Path(scratch))

        def chosen(cases: Sequence[Fault]) -> list[Fault]:
            return [case for case in cases if (given.only or "") in str(case)]

        for case in chosen(AT_START[:1] if given.short else AT_START):
            results.run(f"{case}, at the start", partial(start_with, case, faults, networks, given.seed))
        for case in chosen(WHILE_PUBLISHING[::4] if given.short else WHILE_PUBLISHING):
            results.run(f"{case}, publishing", partial(publish_with, case, faults, networks))
        short = [Fault(call, errors[0]) for call, errors in ERRORS.items()]
        suffer_all(
            chosen(short if given.short else [*ALWAYS_CASES, *BY_CHANCE, *ONCE]),
            results,
            1.0 if given.short else 2.5,
            partial(serving, faults, networks, given.seed),
        )
    report(
        {
            "seed": given.seed,
            "cases": results.cases,
            "failed_calls": dict(results.failed_calls),
            "statuses": {str(status): count for status, count in sorted(results.statuses.items())},
            "lost": results.lost,
            "wrong": results.wrong[:20],
            "recovery_seconds_longest": round(results.slowest, 2),
        },
        {"no service lost": not results.lost, "no answer wrong": not results.wrong},
    )


if __name__ == "__main__":
    main()
