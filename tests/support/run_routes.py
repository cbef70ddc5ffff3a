"""The routes of runs as the explorer's page of models sees them, so that each state stays."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from playwright.sync_api import Page, Route

RUN: dict[str, Any] = {
    "id": "5a1056a0", "number": 4, "model": "learner", "recipe": {"dataset": "table"}, "state": "running",
    "problem": None, "ahead": None, "first_version": 2, "version": 42, "steps": 40, "total_steps": 2000,
    "seconds": 4.0, "examples_per_second": 12345.6, "seconds_left": 3725.0, "best_loss": 0.125,
    "best_version": 32,
}  # fmt: skip

OPEN = ("queued", "running", "paused")
DONE = {"pause": "paused", "resume": "queued", "cancel": "cancelled"}


def make_run(number: int, state: str, **values: Any) -> dict[str, Any]:
    """Return a run with an id of its own, by its number."""
    left = RUN["seconds_left"] if state == "running" else None
    own = {"id": f"{number:08x}", "number": number, "state": state, "seconds_left": left}
    return RUN | own | {"ahead": 1 if state == "queued" else None} | values


class RunRoutes:
    """Answers a page's requests for runs.

    Args:
        page: The page.
        *runs: Its runs, as the service describes them, in any order. A test may change them.
    """

    def __init__(self, page: Page, *runs: dict[str, Any]):
        self.runs = list(runs)
        self.changes: list[str] = []
        page.route("**/v1/runs?*", self._list)
        page.route(re.compile("/v1/runs/[0-9a-f]+$"), lambda route: route.fulfill(json=self._find(route)))
        page.route("**/v1/runs/*/metrics?*", self._metrics)
        page.route(re.compile("/v1/runs/[^/]+/(pause|resume|cancel)"), self._change)

    def _list(self, route: Route) -> None:
        query = parse_qs(urlsplit(route.request.url).query)
        is_open, (before,) = query["open"] == ["true"], query.get("before", ["999999"])
        found = [
            run
            for run in sorted(self.runs, key=lambda run: -run["number"])
            if (run["state"] in OPEN) == is_open
            and run["number"] < int(before)
            and query.get("contains", [""])[0] in run["model"]
        ]
        limit = int(query["limit"][0])
        more = len(found) > limit
        route.fulfill(json={"runs": found[:limit], "next": found[limit - 1]["number"] if more else None})

    def _find(self, route: Route) -> dict[str, Any]:
        key = route.request.url.partition("/v1/runs/")[2].partition("/")[0]
        return next(run for run in self.runs if run["id"] == key)

    def _metrics(self, route: Route) -> None:
        run = self._find(route)
        since = max(int(parse_qs(urlsplit(route.request.url).query)["since"][0]), run["first_version"])
        last = min(run["version"], since + 1000)
        steps = [
            {"version": v, "step": v, "loss": 1 / v, "gradient_norm": 2 / v, "learning_rate": 0.1}
            for v in range(since + 1, last + 1)
        ]
        validated = [{"version": v, "step": v, "loss": 4 / v} for v in (12, 22, 32) if since < v <= last]
        route.fulfill(json={"steps": steps, "validations": validated, "next": last})

    def _change(self, route: Route) -> None:
        action = route.request.url.rpartition("/")[2]
        self.changes.append(action)
        run = self._find(route)
        run |= {"state": DONE[action], "seconds_left": None, "ahead": 0 if action == "resume" else None}
        route.fulfill(json=run | {"replayed": False})
