"""Find and list runs: methods of `Client`."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from deltawire.errors import wrong_argument
from deltawire.request_builder import Caller
from deltawire.runs.run import Run


def find_run(client: Caller, id: str) -> Run:
    """Return a run by its id.

    Raises:
        Refused: The service has no such run for this caller.
    """
    if not isinstance(id, str) or not id:
        raise wrong_argument("/id", "the id of a run", id)
    run = Run(client, id)
    run.describe()
    return run


def list_runs(client: Caller, model: str | None = None) -> list[dict[str, Any]]:
    """Return the descriptions of the caller's runs, the latest first: `id`, `model`, `state`, `steps`, …

    Args:
        client: The client that asks.
        model: The name of the model whose runs are listed; by default those of all.

    Raises:
        Refused: There is no such model.
    """
    found: list[dict[str, Any]] = []
    of_model = {} if model is None else {"model": model}
    query: dict[str, Any] | None = of_model
    while query is not None:
        page = client.connection.get(f"/v1/runs?{urlencode(query)}" if query else "/v1/runs", dict)
        found += page["runs"]
        query = None if page["next"] is None else {**of_model, "before": page["next"]}
    return found
