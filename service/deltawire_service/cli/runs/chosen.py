"""The run that a command is about: named by its number, its id, or the beginning of its id."""

from __future__ import annotations

from deltawire import Client
from deltawire.errors import Fault, Refused
from deltawire.runs.run import Run

ID_LENGTH = 32


def chosen_run(client: Client, text: str) -> Run:
    """Return a run by its number, as `runs list` shows it, by its id, or by the beginning of its id.

    Args:
        client: Of the service that has the run.
        text: The number, with or without #, or the id.

    Raises:
        Refused: No run fits, or several do.
    """
    if len(text) == ID_LENGTH:
        return Run(client, text)
    number = text.removeprefix("#")
    runs = client.runs()
    found = [run["id"] for run in runs if str(run["number"]) == number]
    found = found or [run["id"] for run in runs if run["id"].startswith(text)]
    if len(found) != 1:
        how = f"{len(found)} runs begin with" if found else "there is no run"
        detail = f"{how} '{text}': `deltawire runs list` shows their numbers"
        raise Refused([Fault("", "run_not_found", detail)])
    return Run(client, found[0])
