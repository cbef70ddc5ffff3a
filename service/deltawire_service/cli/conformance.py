"""deltawire check-layer: a layer against every rule of the contract."""

from __future__ import annotations

import json
import os
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from itertools import product
from typing import Any, TypeVar

import click
from marshmallow import ValidationError
from rich.table import Table

import deltawire_layers
from deltawire.errors import Fault, PluginFailed, Refused
from deltawire_layers import ConformanceError, Layer, LayerError, Shape, arity, load_layers
from deltawire_service.cli.options import json_option
from deltawire_service.cli.outcome import Command, Exit
from deltawire_service.cli.terminal import console, counted, print_json, print_verdict, shape_text
from deltawire_service.faults import nearest, schema_faults, shown

T = TypeVar("T")

USUAL: tuple[Shape, ...] = ((4,), (), (3, 4), (2, 6, 6))
"""Shapes to try a layer on when none are given."""


def shape(text: str) -> Shape:
    """A shape: `4` or `3,4`; `scalar` for a single number."""
    with suppress(ValueError):
        sizes = () if text == "scalar" else tuple(map(int, text.split(",")))
        if min(sizes, default=1) > 0:
            return sizes
    raise click.BadParameter(f"'{text}' is no shape: expected sizes like 3,4 or the word scalar")


def json_object(text: str) -> dict[str, Any]:
    """A JSON object."""
    with suppress(ValueError):
        if isinstance(read := json.loads(text), dict):
            return read
    raise click.BadParameter(f"'{text}' is no JSON object, like {{\"units\": 3}}")


@click.command("check-layer", cls=Command)
@click.argument("target", metavar="LAYER")
@click.argument("shapes", type=shape, nargs=-1, metavar="[SHAPE]...")
@click.option("--config", type=json_object, metavar="JSON", default="{}", help="The node's config.")
@click.option("--seed", type=click.IntRange(0), default=0, help="Draw other numbers to try.")
@json_option
@click.pass_context
def check_layer(
    ctx: click.Context,
    target: str,
    shapes: tuple[Shape, ...],
    config: dict[str, Any],
    seed: int,
    as_json: bool,
) -> None:
    """Hold a layer against every rule of the contract.

    LAYER is an installed kind, or package.module:Class, found from the current folder too. SHAPE is
    that of an example of one input: 4, or 3,4, or scalar; without any, shapes that the layer takes are
    found. Exit code 1 when a rule is broken.

    \b
      deltawire check-layer linear 3,4 --config '{"units": 3}'
      deltawire check-layer my_package:MyLayer 4 scalar
    """
    layer = configured(target, find(target), config)
    shapes = shapes or fitting(target, layer)
    broken = tried(target, layer, shapes, seed)
    if as_json:
        print_json({"layer": target, "shapes": shapes, "passed": broken is None} | told(broken))
    else:
        show(target, shapes, broken)
    ctx.exit(Exit.NO if broken else Exit.DONE)


def find(target: str) -> type[Layer]:
    """The layer class of an installed kind, or in a module. Raises Refused or UsageError without one."""
    if ":" not in target:
        installed = load_layers()
        if target not in installed:
            detail = f"no layer of kind {shown(target)} is installed{nearest(target, installed)}"
            raise Refused([Fault("", "unknown_kind", detail)])
        return installed[target]
    module_name, _, class_name = target.partition(":")
    sys.path.insert(0, os.getcwd())  # an author's module, not installed yet
    try:
        module = of_layer(target, import_module, module_name)
    except PluginFailed as failed:
        missing = failed.__cause__
        if isinstance(missing, ModuleNotFoundError) and f"{module_name}.".startswith(f"{missing.name}."):
            raise click.UsageError(f"there is no module '{module_name}' here, nor is one installed") from None
        raise
    things = vars(module).items()
    layers = {name: thing for name, thing in things if isinstance(thing, type) and issubclass(thing, Layer)}
    if class_name not in layers:
        raise click.UsageError(f"'{module_name}' has no layer '{class_name}'{nearest(class_name, layers)}")
    return layers[class_name]


def configured(target: str, layer: type[Layer], config: dict[str, Any]) -> Layer:
    """Make a layer with a config.

    Args:
        target: the layer as the command line names it.
        layer: its class.
        config: its config, by key.

    Raises:
        Refused: a key of the config does not fit; there is a fault for each one.
    """
    try:
        return of_layer(target, layer, **config)
    except ValidationError as error:
        raise Refused(schema_faults(error, layer.Config(), "/config")) from None


def fitting(target: str, layer: Layer) -> tuple[Shape, ...]:
    """Return the first of the usual shapes that the layer takes, one for each input."""
    names, variadic = arity(layer)
    for shapes in product(USUAL, repeat=max(2, len(names)) if variadic else len(names)):
        with suppress(LayerError):
            of_layer(target, layer.output_shape, *shapes)
            return shapes
    raise click.UsageError(f"none of the usual shapes fits: give one for each of {arity(layer)}")


def tried(target: str, layer: Layer, shapes: tuple[Shape, ...], seed: int) -> ConformanceError | None:
    """Check a layer with the conformance kit.

    Args:
        target: the layer as the command line names it.
        layer: the layer.
        shapes: a shape for each of its inputs, without the batch axis.
        seed: where the random numbers of the check start.

    Returns:
        The rule that the layer breaks, or None when it keeps all.

    Raises:
        Refused: the layer does not take these shapes.
    """
    if not arity(layer).accepts(len(shapes)):
        detail = f"{target} takes {arity(layer)}, got {counted(len(shapes), 'shape')}"
        raise Refused([Fault("", "arity_mismatch", detail)])
    try:
        of_layer(target, deltawire_layers.check_layer, layer, *shapes, seed=seed)
    except ConformanceError as broken:
        return broken
    except LayerError as error:
        pointer = "" if error.input is None else f"/inputs/{error.input}"
        raise Refused([Fault(pointer, "shape_mismatch", str(error))]) from None
    return None


def of_layer(target: str, function: Callable[..., T], *args: Any, **kwargs: Any) -> T:
    """Call code of a layer, and return its result.

    Args:
        target: the layer as the command line names it.
        function: the code to call.
        *args: its arguments.
        **kwargs: its arguments by name.

    Raises:
        PluginFailed: the code raised something that the contract does not allow; the place is named.
    """
    try:
        return function(*args, **kwargs)
    except (ConformanceError, LayerError, ValidationError):
        raise
    except Exception as error:
        place = traceback.extract_tb(error.__traceback__)[-1]
        where = (
            ""
            if isinstance(error, SyntaxError | ImportError)
            else f", in {place.filename}, line {place.lineno}"
        )
        detail = f"{target} raises {type(error).__name__}: {error}{where}"
        raise PluginFailed([Fault("", "plugin_error", detail)]) from error


def told(broken: ConformanceError | None) -> dict[str, Any]:
    """Return the broken rule as JSON has it, or an empty object when the layer keeps all rules."""
    names = ("rule", "rule_name", "closure", "problem", "point", "place", "expected", "got")
    return {name: getattr(broken, name) for name in names} if broken else {}


def show(target: str, shapes: tuple[Shape, ...], broken: ConformanceError | None) -> None:
    """Print the verdict, and which rule the layer breaks, and where.

    Args:
        target: the layer as the command line names it.
        shapes: the shapes it was checked with.
        broken: the rule that it breaks, or None.
    """
    screen = console()
    if broken is None:
        print_verdict(screen, True, f"{target} keeps all six rules of the contract")
    else:
        print_verdict(screen, False, f"{target} breaks rule {broken.rule}: {broken.rule_name}")
    rows = Table.grid(padding=(0, 2))
    if broken:
        rows.add_row("  where", broken.closure)
        rows.add_row("  what", f"it {broken.problem}")
        if broken.place is not None:
            rows.add_row("  expected", f"{broken.expected}, at {shape_text(broken.place)}")
            rows.add_row("  got", str(broken.got))
        if broken.point is not None:
            rows.add_row("  with", f"inputs at {broken.point}")
    rows.add_row("  inputs", ", ".join(map(shape_text, shapes)))
    screen.print(rows)
