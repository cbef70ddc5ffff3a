"""Arguments and options of the commands for models, and how they become calls."""

from __future__ import annotations

import json
from typing import Any

import click

from deltawire.models.results import ModelChange
from deltawire_service.cli.terminal import console, print_json


def json_object(text: str) -> dict[str, Any]:
    """Return an object in JSON, such as {"betas": [0.9, 0.99]}, as parsed."""
    try:
        document = json.loads(text)
    except ValueError as error:
        raise click.BadParameter(f"it is not JSON: {error}") from None
    if not isinstance(document, dict):
        raise click.BadParameter('expected an object, as in {"betas": [0.9, 0.99]}')
    return document


def schedule_part(text: str) -> dict[str, Any]:
    """Return the part `schedule` of an optimizer's JSON; null for none is not the same as nothing."""
    return {"schedule": None if text.strip() == "null" else json_object(text)}


def name_argument(command: Any) -> Any:
    """Add NAME, the name of a model."""
    return click.argument("name")(command)


def key_option(command: Any) -> Any:
    """Add `--key`, for commands that change something."""
    text = "Idempotency-Key: a command that comes again with it changes nothing more.  [default: a new one]"
    return click.option("--key", metavar="KEY", help=text)(command)


def version_option(command: Any) -> Any:
    """Add `--version`, for commands that read a version."""
    text = "The version.  [default: the newest]"
    return click.option("--version", type=click.IntRange(0), metavar="N", help=text)(command)


def if_version_option(command: Any) -> Any:
    """Add `--if-version`, for commands that start from the newest version."""
    text = "Refuse unless this is the newest version."
    return click.option("--if-version", type=click.IntRange(0), metavar="N", help=text)(command)


def optimizer_options(command: Any) -> Any:
    """Add the options of an optimizer; `optimizer_document` puts them together."""
    for option in (
        click.option("--clip-value", type=float, metavar="X", help="Largest size of a gradient's numbers."),
        click.option("--clip-norm", type=float, metavar="X", help="Largest norm of all gradients together."),
        click.option("--clip", type=json_object, metavar="JSON", help="Both bounds in JSON; {} for none."),
        click.option(
            "--schedule",
            type=schedule_part,
            metavar="JSON",
            help="Schedule of the learning rate; null for none.",
        ),
        click.option("--config", type=json_object, metavar="JSON", help="Further config of the optimizer."),
        click.option("--learning-rate", type=float, metavar="X", help="Learning rate."),
    ):
        command = option(command)
    return command


def optimizer_document(
    learning_rate: float | None,
    config: dict[str, Any] | None,
    schedule: dict[str, Any] | None,
    clip: dict[str, Any] | None,
    clip_norm: float | None,
    clip_value: float | None,
) -> dict[str, Any]:
    """Return the JSON of an optimizer's options, without those that were not given.

    Args:
        learning_rate: Of `--learning-rate`.
        config: Of `--config`.
        schedule: Of `--schedule`, by `schedule_part`.
        clip: Of `--clip`.
        clip_norm: Of `--clip-norm`.
        clip_value: Of `--clip-value`.
    """
    rate = {} if learning_rate is None else {"learning_rate": learning_rate}
    bounds = {bound: x for bound, x in {"norm": clip_norm, "value": clip_value}.items() if x is not None}
    document: dict[str, Any] = {}
    if config or rate:
        document["config"] = {**(config or {}), **rate}
    document |= schedule or {}
    if clip is not None or bounds:  # an empty clip takes the bounds away
        document["clip"] = {**(clip or {}), **bounds}
    return document


def optimizer_text(rule: dict[str, Any]) -> str:
    """Return an optimizer in a few words: `adam, learning rate 0.01, cosine schedule, clipped`."""
    words = [rule["kind"], f"learning rate {rule['config']['learning_rate']:g}"]
    if rule["schedule"]:
        words.append(f"{rule['schedule']['kind']} schedule")
    words += [f"clipped to {bound} {number:g}" for bound, number in rule["clip"].items()]
    return ", ".join(words)


def print_change(change: ModelChange, text: str, as_json: bool) -> None:
    """Print the result of a change.

    Args:
        change: The result.
        text: What was done, for people.
        as_json: Print the result as JSON instead.
    """
    if as_json:
        print_json({field: value for field, value in vars(change).items() if value not in (None, {})})
        return
    already = "   done by an earlier command with this key" if change.replayed else ""
    console().print(f"{text}: version {change.version}, step {change.step}{already}")
