"""deltawire check-layer: check a layer against every rule of the contract."""

from __future__ import annotations

import json
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib import import_module
from typing import Any, TypeVar

import click
from marshmallow import ValidationError
from rich.table import Table

import deltawire_layers
from deltawire.errors import Fault, PluginFailed, Refused
from deltawire.text import counted, shape_text
from deltawire_layers import ConformanceError, Layer, LayerError, Shape, arity, load_layers
from deltawire_plugins.shown import shown
from deltawire_service.cli.options import json_option
from deltawire_service.cli.outcome import Command, Exit
from deltawire_service.cli.terminal import console, print_json, print_verdict
from deltawire_service.faults import nearest, schema_faults

T = TypeVar("T")


def shape(text: str) -> Shape:
    """Read a shape: `4` or `3,4`; `scalar` for a single number."""
    with suppress(ValueError):
        sizes = () if text == "scalar" else tuple(map(int, text.split(",")))
        if min(sizes, default=1) > 0:
            return sizes
    raise click.BadParameter(f"'{text}' is no shape: expected sizes like 3,4 or the word scalar")


def json_object(text: str) -> dict[str, Any]:
    """Read a JSON object."""
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
    """Check a layer against every rule of the contract.

    LAYER is an installed kind, or package.module:Class, which is looked up in the current folder too.
    SHAPE is that of one example of an input: 4, or 3,4, or scalar. Without shapes, the command checks
    every usual shape that the layer takes. Exit code 1 when a rule is broken.

    \b
      deltawire check-layer linear 3,4 --config '{"units": 3}'
      deltawire check-layer my_package:MyLayer 4 scalar
    """
    layer = configured(target, find(target), config)
    cases, broken = [shapes], None
    try:
        cases = [shapes] if shapes else fitting(target, layer)
        for shapes in cases:
            if broken := conformance(target, layer, shapes, seed):
                cases = [shapes]
                break
    except ConformanceError as error:  # of a declaration, asked for to find shapes
        broken = error
    if as_json:
        print_json({"layer": target, "shapes": cases, "passed": broken is None} | description(broken))
    else:
        show(target, cases, broken)
    ctx.exit(Exit.NO if broken else Exit.DONE)


def find(target: str) -> type[Layer]:
    """Return the layer class of an installed kind, or in a module.

    Raises:
        Refused: no layer of this kind is installed.
        UsageError: the module, or the class in it, does not exist.
        PluginFailed: the module fails to import.
    """
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
    """Return the layer with a config.

    Args:
        target: The layer as the command line names it.
        layer: Its class.
        config: The node's config.

    Raises:
        Refused: Keys do not fit; there is a fault for each.
    """
    try:
        return of_layer(target, layer, **config)
    except ValidationError as error:
        raise Refused(schema_faults(error, layer.Config(), "/config")) from None


def fitting(target: str, layer: Layer) -> list[tuple[Shape, ...]]:
    """Return the usual shapes that the layer takes, those of size 1 among them.

    Raises:
        ConformanceError: it raises anything but LayerError for some of them.
        UsageError: it takes none of them.
    """
    try:
        return of_layer(target, deltawire_layers.fitting_shapes, layer)
    except LayerError as error:
        raise click.UsageError(str(error)) from None


def conformance(target: str, layer: Layer, shapes: tuple[Shape, ...], seed: int) -> ConformanceError | None:
    """Check a layer with the kit; return the error when a rule is broken.

    Args:
        target: The layer as the command line names it.
        layer: The layer.
        shapes: Shapes of one example of each input.
        seed: Seed of the numbers to try.

    Raises:
        Refused: The layer does not take these shapes.
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
        target: The layer as the command line names it.
        function: The function to call.
        args: Its arguments.
        kwargs: Its keyword arguments.

    Raises:
        PluginFailed: The code raises an exception that is not part of the contract; the place is named.
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


def description(broken: ConformanceError | None) -> dict[str, Any]:
    """Return the broken rule as JSON; nothing when none is."""
    names = ("rule", "rule_name", "closure", "problem", "point", "place", "expected", "got", "suggestion")
    return {name: getattr(broken, name) for name in names} if broken else {}


def show(target: str, cases: Sequence[tuple[Shape, ...]], broken: ConformanceError | None) -> None:
    """Print whether the layer keeps the contract, and the rule it breaks, with the place.

    Args:
        target: The layer as the command line names it.
        cases: The shapes of inputs it was tried on.
        broken: The error of the kit, if there is one.
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
    for shapes in filter(None, cases):
        rows.add_row("  inputs", ", ".join(map(shape_text, shapes)))
    screen.print(rows)
    if broken and broken.suggestion is not None:
        screen.print(f"  {broken.suggestion}", soft_wrap=True)  # one line, to be copied
