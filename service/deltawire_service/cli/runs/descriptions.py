"""deltawire runs list and show: what runs there are, and one in full."""

from __future__ import annotations

from typing import Any

import click

from deltawire.runs.progress import progress_text
from deltawire.text import counted
from deltawire_service.cli.options import client_of, json_option, url_option
from deltawire_service.cli.outcome import Command
from deltawire_service.cli.runs.chosen import chosen_run
from deltawire_service.cli.terminal import console, one_line, print_json, table


@click.command("list", cls=Command)
@click.option("--model", metavar="NAME", help="Only the runs of this model.")
@url_option
@json_option
def list_runs(model: str | None, url: str | None, as_json: bool) -> None:
    """List the runs, the latest first."""
    with client_of(url) as client:
        runs = client.runs(model)
    if as_json:
        print_json({"runs": runs})
        return
    rows = table("run", "model", "state", "steps", "best loss", right=["steps", "best loss"], wrap=["model"])
    for run in runs:
        best = "" if run["best_loss"] is None else f"{run['best_loss']:.4g}"
        steps = f"{run['steps']:,} of {run['total_steps']:,}"
        rows.add_row(f"#{run['number']}", one_line(run["model"]), state_text(run), steps, best)
    console().print(rows if runs else "There is no run: deltawire train starts one.")


@click.command(cls=Command)
@click.argument("id")
@url_option
@json_option
def show(id: str, url: str | None, as_json: bool) -> None:
    """Show a run: its recipe, its state and its latest losses."""
    with client_of(url) as client:
        run = chosen_run(client, id)
        description = run.describe()
        since = max(description["first_version"], description["version"] - 1)
        last = [metrics.loss for metrics in run.metrics(since) if metrics.loss is not None]
    print_run(description, as_json, last[-1] if last else None)


def print_run(description: dict[str, Any], as_json: bool, loss: float | None = None) -> None:
    """Print the description of a run.

    Args:
        description: The run.
        as_json: Print it as JSON.
        loss: That of its last step, for people.
    """
    if as_json:
        print_json(description)
        return
    screen = console()
    state = state_text(description)
    screen.print(f"run #{description['number']}   {state}   {description['id']}", style="bold")
    screen.print(recipe_text(description))
    steps = f"{description['steps']:,} of {description['total_steps']:,} steps"
    screen.print(f"{steps}, version {description['version']:,}   {progress_text(description, loss)}".rstrip())
    if description["best_loss"] is not None:
        best = (
            f"best validation loss {description['best_loss']:.6g}, at version {description['best_version']:,}"
        )
        screen.print(best)
    if description["problem"]:
        screen.print(
            f"{description['problem']['code']}: {description['problem']['detail']}", style="bold red"
        )


def state_text(description: dict[str, Any]) -> str:
    """Return the state of a run; one that ended before its last step says so."""
    early = description["state"] == "finished" and description["steps"] < description["total_steps"]
    return "finished early" if early else str(description["state"])


def recipe_text(description: dict[str, Any]) -> str:
    """Return the recipe of a run in a few words: `wine learns from wine-data, 20 epochs, batches of 32`."""
    recipe = description["recipe"]
    length = counted(recipe["steps"], "step") if recipe["steps"] else counted(recipe["epochs"] or 1, "epoch")
    words = [
        f"{description['model']} learns from {recipe['dataset']}",
        length,
        f"batches of {recipe['batch_size']}",
    ]
    if validation := recipe["validation"]:
        rows = validation["dataset"] or f"{validation['fraction']:.0%} of the rows"
        words.append(f"validated with {rows}")
    if stopping := recipe["early_stopping"]:
        words.append(f"patience {stopping['patience']}")
    if recipe["schedule"]:
        words.append(f"{recipe['schedule']['kind']} schedule")
    return ", ".join(words)
