"""The list of imports that are right, tests/client/importers/imports_today.json: it may only grow.

`PYTHONPATH=tests python -m support.imports_today` tries every case, prints the counts, and adds to the list
what is right and not in it yet. It ends with an error when a case of the list is no longer right, or when
any case is imported wrongly or crashes.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path

from deltawire import Client

LIST = Path(__file__).parents[1] / "client" / "importers" / "imports_today.json"


def recorded() -> dict[str, list[str]]:
    """Return the names of the cases on the list, by "onnx" and "torch"."""
    return {source: list(names) for source, names in json.loads(LIST.read_text()).items()}


def torch_verdicts() -> Iterator[tuple[str, str]]:
    """Yield each torch case and its verdict."""
    torch_common, client = import_module("support.torch_common"), Client()
    for name, make in torch_common.cases():
        yield name, torch_common.verdict(make, client)


def onnx_verdicts() -> Iterator[tuple[str, str]]:
    """Yield each node test of the onnx package and its verdict."""
    node_tests, client = import_module("support.onnx_node_tests"), Client()
    for name, test in node_tests.node_tests():
        yield name, node_tests.verdict(test, client)


def faults(verdicts: Mapping[str, str], names: list[str]) -> list[str]:
    """Return a line for each case that is wrong, that crashes, or that is on the list and not right now."""
    lines = [f"{name}: {v}" for name, v in verdicts.items() if v.startswith(("wrong", "crashed"))]
    lost = [f"{name}: on the list, now {verdicts.get(name, 'gone')}" for name in names]
    return lines + [line for name, line in zip(names, lost, strict=True) if verdicts.get(name) != "right"]


def counts(verdicts: Mapping[str, str]) -> str:
    """Return how many cases there are, and how many have each verdict."""
    by_verdict = Counter(verdict.partition(":")[0] for verdict in verdicts.values())
    each = ", ".join(f"{count} {verdict}" for verdict, count in by_verdict.most_common())
    return f"{len(verdicts)} cases: {each}"


def main() -> int:
    names = recorded() if LIST.exists() else {"onnx": [], "torch": []}
    status = 0
    for source, tried in (("onnx", onnx_verdicts), ("torch", torch_verdicts)):
        verdicts = dict(tried())
        stored = {name: v for name, v in verdicts.items() if name.startswith("stored: ")}
        if stored:
            as_they_are = {name: v for name, v in verdicts.items() if name not in stored}
            print(f"{source}, as the package has them: {counts(as_they_are)}")
            print(f"{source}, inputs but the first stored: {counts(stored)}")
        else:
            print(f"{source}: {counts(verdicts)}")
        lines = faults(verdicts, names[source])
        print(*lines, sep="\n")
        status |= bool(lines)
        right = {name for name, v in verdicts.items() if v == "right"}
        names[source] = sorted(right.union(names[source]))
    LIST.write_text(json.dumps(names, indent=1) + "\n")
    return status


if __name__ == "__main__":
    sys.exit(main())
