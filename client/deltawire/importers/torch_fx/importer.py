"""A torch module as a network: traced by torch.fx, or by torch.export, run, and written down in layers."""

from __future__ import annotations

from collections.abc import Callable

from deltawire.client import Client
from deltawire.errors import Fault, Refused, missing_extra

try:
    import torch
    from torch import fx, nn
except ModuleNotFoundError as error:
    raise missing_extra("torch", error) from error

from deltawire.importers.arguments import errors_named, first_line
from deltawire.importers.builder import BATCHES, Imported
from deltawire.importers.comparison import compare
from deltawire.importers.torch_fx.examination import left_as_it_was, refuse_what_is_hidden, refuse_what_varies
from deltawire.importers.torch_fx.original import Original
from deltawire.importers.torch_fx.recording import exported, recorded, traced
from deltawire.importers.torch_fx.writer import Writer

Trace = Callable[[nn.Module, list[torch.Tensor]], fx.GraphModule]


def from_torch(
    module: nn.Module, *examples: torch.Tensor, check: bool = True, client: Client | None = None
) -> Imported:
    """Import the network that a module computes in eval mode, with its parameters.

    `encoder.0.weight` becomes `encoder_0.weight`; the way back is in the network's metadata, and
    `deltawire.exporters.torch` goes it. A loss is to be added.

    Args:
        module: The module. It is left as it was.
        *examples: One tensor for each argument of the module's forward, the batch as its leading axis.
        check: Whether to plan the network, and to compare its values and gradients with the module's on two
            random batches.
        client: Of the service that checks, by default an embedded one.

    Returns:
        The network, its parameters, its constants, and the nodes that hold what the module gives back.

    Raises:
        Refused: With code `not_expressible` and every operation that has no layer, by its name in the module.
        NotInstalled: The check has no client, and `deltawire[service]` is not installed.

    Whatever the module raises when it is called with the examples is raised as it is.
    """
    with errors_named("the examples"):
        batches = [[_repeated(example, count) for example in examples] for count in BATCHES]
    with left_as_it_was(module):
        refuse_what_is_hidden(module)
        with torch.no_grad():
            refuse_what_varies(module, batches[0])
        failures: list[Exception] = []
        for trace in (traced, exported):
            try:
                with torch.no_grad():
                    imported = _imported(module, trace, batches)
                if check:
                    with errors_named("the comparison with the module"):
                        compare(imported, Original(module, imported, examples), client)
                return imported
            except Refused as error:
                failures.append(error)
            except _Untraceable as error:
                failures.append(error)
    for failure in failures:
        if isinstance(failure, Refused):
            raise failure
    by_fx, by_export = map(first_line, failures)
    detail = f"neither torch.fx ({by_fx}) nor torch.export ({by_export}) can trace the module"
    raise Refused([Fault("", "not_expressible", detail)]) from failures[-1]


class _Untraceable(Exception):
    """A tracer cannot follow the module; its cause is what the tracer raised."""


def _imported(module: nn.Module, trace: Trace, batches: list[list[torch.Tensor]]) -> Imported:
    try:
        graph_module = trace(module, batches[0])
        results = recorded(graph_module, batches)
    except (Refused, MemoryError):
        raise
    except Exception as error:  # forward is anybody's code: under a tracer it may raise anything
        raise _Untraceable(first_line(error)) from error
    return Writer(module, graph_module, results).run()


def _repeated(example: torch.Tensor, count: int) -> torch.Tensor:
    """Repeat the first example to a batch of this size."""
    if not isinstance(example, torch.Tensor) or example.ndim == 0 or not len(example):
        raise Refused(
            [Fault("", "not_expressible", "an example is a batch: its leading axis is the batch's")]
        )
    return example.detach()[:1].repeat(count, *[1] * (example.ndim - 1))
