"""A torch module as a network: traced by torch.fx, or by torch.export, run, and written down in layers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from deltawire.errors import Fault, Refused, missing_extra

try:
    import torch
    from torch import fx, nn
except ModuleNotFoundError as error:
    raise missing_extra("torch", error) from error

from deltawire.importers.builder import BATCHES, Imported
from deltawire.importers.torch_fx.modules import MODULES
from deltawire.importers.torch_fx.writer import Writer


def from_torch(module: nn.Module, *examples: torch.Tensor) -> Imported:
    """The network a module computes in eval mode, with its parameters.

    examples: one tensor for each argument of the module's forward, the batch as its leading axis.
    `encoder.0.weight` becomes `encoder_0.weight`; the way back is in the network's metadata, and
    `deltawire.exporters.torch` goes it. What the module gives back is in `outputs`; a loss is to be added.
    Raises Refused (`not_expressible`) with every operation that has no layer, by its name in the module, and
    whatever the module raises when it is called with the examples.
    """
    batches = [[_repeated(example, count) for example in examples] for count in BATCHES]
    with _in_eval_mode(module), torch.no_grad():
        # What it raises by itself is the caller's to see.
        module(*(example.clone() for example in batches[0]))
        failures: list[Exception] = []
        for trace in (_traced, _exported):
            try:
                graph_module = trace(module, batches[0])
                results = tuple(_recorded(graph_module, batch) for batch in batches)
            except Exception as error:  # forward is anybody's code: under a tracer it may raise anything
                failures.append(error)
                continue
            try:
                return Writer(module, graph_module, results).run()
            except Refused as refused:
                failures.append(refused)
    for failure in failures:
        if isinstance(failure, Refused):
            raise failure
    by_fx, by_export = map(_first_line, failures)
    detail = f"neither torch.fx ({by_fx}) nor torch.export ({by_export}) can trace the module"
    raise Refused([Fault("", "not_expressible", detail)]) from failures[-1]


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0][:200] or type(error).__name__


def _repeated(example: torch.Tensor, count: int) -> torch.Tensor:
    """A batch of so many times the first example."""
    if example.ndim == 0 or not len(example):
        raise Refused(
            [Fault("", "not_expressible", "an example is a batch: its leading axis is the batch's")]
        )
    return example.detach()[:1].repeat(count, *[1] * (example.ndim - 1))


@contextmanager
def _in_eval_mode(module: nn.Module) -> Iterator[None]:
    before = {part: part.training for part in module.modules()}
    module.eval()
    try:
        yield
    finally:
        for part, training in before.items():
            part.training = training


class _Tracer(fx.Tracer):
    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        return type(m) in MODULES


def _traced(module: nn.Module, batch: list[torch.Tensor]) -> fx.GraphModule:
    return fx.GraphModule(module, _Tracer().trace(module))


def _exported(module: nn.Module, batch: list[torch.Tensor]) -> fx.GraphModule:
    anything = torch.export.Dim.AUTO
    sizes = tuple({0: anything} for _ in batch)
    return torch.export.export(module, tuple(batch), dynamic_shapes=sizes).module()


class _Recorder(fx.Interpreter):
    """Runs a graph and keeps every result. Raises Refused when one is read that was overwritten since."""

    def __init__(self, graph_module: fx.GraphModule):
        super().__init__(graph_module, garbage_collect_values=False)
        self.results: dict[fx.Node, Any] = {}
        self._versions: dict[fx.Node, int] = {}

    def run_node(self, node: fx.Node) -> Any:
        for before in node.all_input_nodes:
            if before in self._versions and self.results[before]._version != self._versions[before]:
                detail = (
                    f"{node.name}: takes {before.name}, which was changed in place: layers change nothing"
                )
                raise Refused([Fault("", "not_expressible", detail)])
        self.results[node] = result = super().run_node(node)
        if isinstance(result, torch.Tensor):
            self._versions[node] = result._version
        return result


def _recorded(graph_module: fx.GraphModule, batch: list[torch.Tensor]) -> dict[fx.Node, Any]:
    """What every operation of a graph gives for a batch."""
    recorder = _Recorder(graph_module)
    recorder.run(*(example.clone() for example in batch))
    return recorder.results
