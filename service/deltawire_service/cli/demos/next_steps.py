"""How a user goes on with what a demo has learned."""

from __future__ import annotations

from pathlib import Path
from shlex import quote

from rich.console import Console

from deltawire_service.cli.demos.training import Trained, run_page

LOCAL = "http://127.0.0.1:8000"
"""The address of `deltawire serve`."""


def show_next_steps(
    screen: Console, name: str, trained: Trained, url: str | None, data_dir: Path | None
) -> None:
    """Print commands that use the model, or that keep it the next time.

    Args:
        screen: Where they are printed.
        name: The name of the demo.
        trained: The run, and what it has learned from.
        url: The address of the service; None for the demo's own.
        data_dir: The folder that keeps the model; None for a temporary one.
    """
    screen.print("\nhow to go on:", style="bold")
    if url is None and data_dir is None:
        steps = {
            f"deltawire demo {name} --data-dir data": "keep the model, to serve it and to let it learn on"
        }
    else:
        folder = "" if data_dir is None else f"DELTAWIRE_DATA_DIR={quote(str(data_dir))} "
        service = "" if url is None else f" --url {quote(url)}"
        learn = f"{folder}deltawire train {trained.model.name} --data {trained.dataset} --epochs 10{service}"
        steps = {learn: "let it learn on"}
        if data_dir is not None:
            steps[f"{folder}deltawire serve"] = "serve it"
        steps[run_page(url or LOCAL, trained.run)] = "its curve, in a browser"
    for step, what in steps.items():
        screen.print(f"  # {what}", style="dim")
        screen.print(f"  {step}", soft_wrap=True)
