"""Import a torch module: trace it by torch.fx or torch.export, run the graph, and translate it to layers."""

from __future__ import annotations

from collections.abc import Callable

from deltawire.arguments.kinds import boolean
from deltawire.client import Client
from deltawire.errors import Fault, Refused, missing_extra

try:
    import torch
    from torch import fx, nn
except ModuleNotFoundError as error:
    raise missing_extra("torch", error) from error

from deltawire.importers.arguments import errors_named, first_line
from deltawire.importers.builder import Imported
from deltawire.importers.comparison import compare
from deltawire.importers.operands import BATCHES
from deltawire.importers.torch_fx.examination import left_as_it_was, refuse_what_is_hidden, refuse_what_varies
from deltawire.importers.torch_fx.original import Original
from deltawire.importers.torch_fx.recording import exported, recorded, traced
from deltawire.importers.torch_fx.writer import Writer

Trace = Callable[[nn.Module, list[torch.Tensor]], fx.GraphModule]


def from_torch(
    module: nn.Module, *examples: torch.Tensor, check: bool = True, client: Client | None = None
) -> Imported:
    """Import the network that a module computes in eval mode, with its parameters.

    `encoder.0.weight` becomes `encoder_0.weight`. The network's metadata holds the original names, and
    `deltawire.exporters.torch` restores them. Add a loss to train the network. Exceptions that the module
    raises for the examples propagate.

    Args:
        module: The module; it is not changed.
        *examples: One tensor for each argument of the module's forward, (batch, ...).
        check: Plan the network, and compare its values and gradients with the module's on two random batches.
        client: The client for the check; by default, an embedded one.

    Returns:
        The network, its parameters, its constants, and the nodes that hold the module's outputs.

    Raises:
        Refused: Some operations have no layer (code `not_expressible`, one fault for each operation).
        NotInstalled: The check has no client, and `deltawire[service]` is not installed.
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
                if boolean("/check", check):
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
    """A tracer cannot follow the module; the cause is the tracer's exception."""


def _imported(module: nn.Module, trace: Trace, batches: list[list[torch.Tensor]]) -> Imported:
    try:
        graph_module = trace(module, batches[0])
        results = recorded(graph_module, batches)
    except (Refused, MemoryError):
        raise
    except Exception as error:  # foreign code may raise anything under a tracer
        raise _Untraceable(first_line(error)) from error
    return Writer(module, graph_module, results).run()


def _repeated(example: torch.Tensor, count: int) -> torch.Tensor:
    """Repeat the first example to a batch of this size."""
    if not isinstance(example, torch.Tensor) or example.ndim == 0 or not len(example):
        raise Refused(
            [Fault("", "not_expressible", "an example is a batch: its leading axis is the batch's")]
        )
    return example.detach()[:1].repeat(count, *[1] * (example.ndim - 1))
