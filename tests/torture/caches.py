"""S16: what a worker caches after 100,000 requests of varied options over 500 networks.

    PYTHONPATH=tests python -m torture.caches [--short]

One worker, never replaced. Before it is measured it has answered requests for a single network, until all of
its threads have started; so what it grows by is what it caches. Every network comes in many spellings, and
headers are long and new each time.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from typing import Any

import orjson
from support.service import running_service
from torture.growth import MIB, post, state
from torture.load import Target, arguments, children, message, report

NETWORKS = 500
MOST_MIB = 64
KINDS = ("tanh", "sigmoid", "relu", "gelu", "softmax", "layer_norm")


def network(number: int) -> dict[str, Any]:
    """One of the networks: every tenth has 120 nodes, the others have 4 to 20."""
    dice = random.Random(number)
    count = 120 if number % 10 == 0 else dice.randint(4, 20)
    nodes = [{"name": f"n{place}", "kind": dice.choice(KINDS)} for place in range(count)]
    return {
        "inputs": {"x": {"shape": [4]}},
        "nodes": [
            {"name": f"first{number}", "kind": "linear", "config": {"units": 4}},
            *nodes,
            {"kind": "sum"},
        ],
    }


class Varied:
    """Requests, drawn from a seed, for so many networks."""

    def __init__(self, dice: random.Random, networks: int):
        self._dice = dice
        self._networks = [network(number) for number in range(networks)]
        self.bodies = Counter[str]()

    def draw(self) -> tuple[int, bytes]:
        """A right request, with options that no other may have had."""
        dice, number = self._dice, self._dice.randrange(len(self._networks))
        spec = self._networks[number]
        names = [node["name"] for node in spec["nodes"][:-1]]
        rows = dice.randint(1, 6)
        request: dict[str, Any] = {
            "network": spec | {"metadata": {"note": str(dice.randrange(5))}},
            "params": self._params(spec),
            "data": {"x": [[0.5, -1.0, 2.0, 0.25]] * rows},
            "dtype": dice.choice(["float32", "float64"]),
        }
        some = dice.sample(names, dice.randint(1, min(6, len(names))))
        route = dice.choice(["gradients", "gradients", "forward", "vjp", "jvp", "plan", "init"])
        if route == "gradients":
            request |= {
                "values": some,
                "deltas": dice.sample(names, 2),
                "reduction": dice.choice(["mean", "sum"]),
            }
            request["wrt"] = {"params": [dice.choice(["*", "*.weight", f"{names[0]}.b*"])], "data": True}
        elif route == "forward":
            request["values"] = some
        elif route == "vjp":
            request["cotangents"] = {name: [[1.0] * 4] * rows for name in some[:2]}
        elif route == "jvp":
            request["outputs"], request["tangents"] = some[:3], {"data": request["data"]}
        elif route == "plan":
            del request["params"], request["data"]
            request |= {"batch": dice.randint(1, 10**5), "values": some}
        else:
            del request["params"], request["data"]
            request["seed"] = dice.randrange(10**9)
        accept = f"application/json;q=0.{dice.randrange(10**9)}, text/{'x' * dice.choice([3, 3000])}"
        return 200, message(f"/v1/{route}", orjson.dumps(request), Accept=accept)

    def _params(self, spec: dict[str, Any]) -> dict[str, Any]:
        first, *rest, _ = spec["nodes"]
        params: dict[str, Any] = {
            f"{first['name']}.weight": [[0.5] * 4] * 4,
            f"{first['name']}.bias": [0.0] * 4,
        }
        for node in rest:
            if node["kind"] == "layer_norm":
                params |= {f"{node['name']}.weight": [1.0] * 4, f"{node['name']}.bias": [0.0] * 4}
        return params


def main() -> None:
    given = arguments("caches", requests="instead of 100,000")
    many = int(given.requests or (3_000 if given.short else 100_000))
    one, all_of_them = (Varied(random.Random(given.seed), count) for count in (1, NETWORKS))
    # What waits longer than in production is computed all the same: refusals would only be fewer requests.
    with running_service("-w", "1", log_level="warning", queue_seconds="5") as service:
        (worker,) = children(service.pid)
        target = Target.at(service)
        asyncio.run(post(target, one.draw, 500, run_now=64))  # all threads have started
        before = state(worker)
        began = time.monotonic()
        odd = asyncio.run(post(target, all_of_them.draw, many))
        took = time.monotonic() - began
        after = state(worker)
        same = children(service.pid) == [worker]
    grown = (after["rss"] - before["rss"]) / MIB
    report(
        {
            "seed": given.seed,
            "requests": many,
            "per_second": round(many / took),
            "rss_mib_before": round(before["rss"] / MIB, 1),
            "rss_mib_grown": round(grown, 1),
            "unexpected": odd,
        },
        {
            f"at most {MOST_MIB} MiB": grown <= MOST_MIB,
            "every answer as expected": set(odd) <= {"refused (503)"},
            "the same worker": same,
        },
    )


if __name__ == "__main__":
    main()
