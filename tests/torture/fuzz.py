"""Requests nobody would write, at the real gunicorn as shipped: none may make the service fail.

    PYTHONPATH=tests python -m torture.fuzz [--short]

5,000 of them, or a quarter when fewer are asked for, are drawn by schemathesis from the service's own
/openapi.json; the rest are mutants of right bodies, in both media types, to all routes. Whatever is answered
must be neither 500, 502 nor 504, and a well-formed problem document unless it is 200.
"""

from __future__ import annotations

import json
import random
import sys
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

import requests
import schemathesis
from hostile.corpus import POSTS, spoilt
from hostile.replay import MEDIA_TYPE, MEMBERS
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import given as drawing
from hypothesis.errors import Unsatisfiable
from support.service import running_service
from torture.load import arguments, report

from deltawire import wire

DRAWN = 5_000
FORBIDDEN = (500, 502, 504)
ROUTES = [(f"/v1/{route}", media_type) for route in POSTS for media_type in wire.MEDIA_TYPES]
PIECES = (
    rb"""null true -1 0.5 -0.0 1e400 NaN 18446744073709551616 " "x" "scores" [ ] {} [] , : \ \ud800""".split()
)
PIECES += [b"\xff", b"\0", b"\n", b"9" * 40]


class Findings:
    """What came back, counted, and what should not have."""

    def __init__(self) -> None:
        self.statuses = Counter[int]()
        self.wrong = list[str]()

    def add(self, what: str, sent: bytes, send: Callable[[], requests.Response]) -> None:
        """Send it. That no answer comes is a finding too."""
        try:
            answer = send()
        except requests.RequestException as error:
            status, complaint = 0, f"no answer, {error}"
        else:
            status, complaint = answer.status_code, wrong_with(answer)
        self.statuses[status] += 1
        if complaint:
            self.wrong.append(f"{what}: {complaint}; sent {sent[:2000]!r}")


def wrong_with(answer: requests.Response) -> str:
    """What is wrong with an answer, or nothing."""
    if answer.status_code in FORBIDDEN:
        return f"{answer.status_code} {answer.text[:300]}"
    if answer.status_code < 400:
        return ""
    try:
        problem = answer.json()
    except ValueError:
        return f"{answer.status_code}, and no JSON: {answer.text[:100]}"
    well = (
        answer.headers.get("Content-Type") == MEDIA_TYPE
        and isinstance(problem, dict)
        and problem.keys() == MEMBERS
        and problem["status"] == answer.status_code
        and problem["request_id"] == answer.headers["X-Request-Id"]
        and problem["errors"]
        and all(fault.keys() == {"pointer", "code", "detail"} for fault in problem["errors"])
    )
    return "" if well else f"{answer.status_code}, and no problem document: {answer.text[:300]}"


def mutant(rng: random.Random, body: bytes) -> bytes:
    """The body with a few bytes, pieces or numbers of it changed."""
    mutated = bytearray(body)
    for _ in range(rng.choice([1, 1, 1, 2, 3, 8])):
        at = rng.randrange(len(mutated) + 1) if mutated else 0
        end = min(len(mutated), at + rng.choice([0, 1, 1, 2, 5, 20]))
        way = rng.randrange(6)
        if way == 0 and at < len(mutated):
            mutated[at] ^= 1 << rng.randrange(8)
        elif way == 1:
            del mutated[at:end]
        elif way == 2:
            mutated[at:end] = rng.choice(PIECES)
        elif way == 3:
            mutated[at:at] = mutated[at:end] * rng.choice([1, 2, 50])
        elif way == 4:
            del mutated[at:]
        else:
            other = rng.randrange(len(mutated) + 1)
            mutated[at:end] = mutated[other : other + end - at]
    return bytes(mutated)


def reshaped(rng: random.Random, value: Any) -> Any:
    """A JSON document with one of its parts replaced, removed, doubled or exchanged for another."""
    places = list(walk(value))
    if not places:
        return value
    holder, key = rng.choice(places)
    way = rng.randrange(4)
    if way == 0:
        holder[key] = rng.choice([None, True, -1, 0, 1.5, 2**40, "", "x", [], {}, [[]], "scores", ["x", "y"]])
    elif way == 1:
        del holder[key]
    elif way == 2 and isinstance(holder, list):
        holder.insert(key, holder[key])
    else:
        there, other = rng.choice(places)
        holder[key] = json.loads(json.dumps(there[other]))
    return value


def walk(value: Any) -> Any:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield value, key
        yield from walk(inner)


def mutants(url: str, count: int, rng: random.Random, findings: Findings) -> None:
    bodies = {
        (path, media_type): spoilt(path.rpartition("/")[2], "", media_type) for path, media_type in ROUTES
    }
    with requests.Session() as session:
        for _ in range(count):
            path, media_type = rng.choice(ROUTES)
            body = bodies[path, media_type]
            if media_type == wire.JSON and rng.random() < 0.6:
                document = json.loads(body)
                for _ in range(rng.choice([1, 1, 2, 3])):
                    document = reshaped(rng, document)
                sent = json.dumps(document).encode()
            else:
                sent = mutant(rng, body)
            headers = {"Content-Type": media_type, "Accept": rng.choice([*wire.MEDIA_TYPES, "*/*"])}
            post = partial(session.post, url + path, data=sent, headers=headers, timeout=60)
            findings.add(f"mutant of {path} {media_type}", sent, post)


def drawn(url: str, count: int, start: int, findings: Findings) -> None:
    """Requests drawn from the description, right ones and wrong ones, for every route that takes anything."""
    schema = schemathesis.openapi.from_url(f"{url}/openapi.json")
    operations = [found.ok() for found in schema.get_all_operations()]
    taking = [operation for operation in operations if operation.method == "post" or "{" in operation.path]
    modes = [schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE]
    for again in range(10):  # hypothesis does not always draw as many as it may
        missing = count - findings.statuses.total()
        if missing <= 0:
            return
        for operation in taking:
            for mode in modes:
                strategy = operation.as_strategy(generation_mode=mode)
                draw(strategy, -(-missing // (len(taking) * len(modes))), start + again, url, findings)


def draw(strategy: Any, count: int, start: int, url: str, findings: Findings) -> None:
    bounds = settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )

    def send(case: Any) -> None:
        asked = case.as_transport_kwargs(base_url=url)
        what, sent = f"{asked['method']} {asked['url']}", str(asked.get("data") or asked.get("json")).encode()
        findings.add(what, sent, partial(requests.request, **asked, timeout=60))

    tried: Callable[[], None] = seed(start)(bounds(drawing(strategy)(send)))
    with suppress(Unsatisfiable):  # no text is wrong for a name in a path
        tried()


def main() -> None:
    given = arguments("fuzz", requests="instead of 100,000")
    total = int(given.requests or (2_000 if given.short else 100_000))
    by_schema, by_mutation = Findings(), Findings()
    with running_service("-w", "2", queue_seconds="10", log_level="error") as service:
        drawn(service, min(DRAWN, total // 4), given.seed, by_schema)
        mutants(service, total - by_schema.statuses.total(), random.Random(given.seed), by_mutation)
        replaced = max(0, service.log().count("Booting worker") - 2)
    failures = by_schema.wrong + by_mutation.wrong
    for complaint in failures[:20]:
        print(complaint, file=sys.stderr)
    report(
        {
            "seed": given.seed,
            "by_schema": by_schema.statuses.total(),
            "mutants": by_mutation.statuses.total(),
            "failures": len(failures),
            "workers_replaced": replaced,
            "statuses": dict(sorted((by_schema.statuses + by_mutation.statuses).items())),
        },
        {"no failure": not failures, "the same workers": not replaced},
    )


if __name__ == "__main__":
    main()
