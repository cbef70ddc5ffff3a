"""Trace a module with either tracer, record the result of every operation, and name the operations."""

from __future__ import annotations

from typing import Any

import torch
from torch import fx, nn

from deltawire.errors import Fault, Refused
from deltawire.importers.torch_fx.examination import has_hooks, has_replaced_methods, is_plain, version
from deltawire.importers.torch_fx.modules import MODULES

TORCH = frozenset({"torch", "torch.nn.functional"})
PYTHON = frozenset({"_operator", "builtins"})
"""Modules that define the functions in `FUNCTIONS`; names from elsewhere are qualified."""


class _Tracer(fx.Tracer):
    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        return type(m) in MODULES and is_plain(m)


def traced(module: nn.Module, batch: list[torch.Tensor]) -> fx.GraphModule:
    """Trace with torch.fx; each module of `MODULES` is one operation.

    Raises:
        Refused: The module itself has hooks or replaced methods, which this tracer ignores.
    """
    if has_hooks(module) or has_replaced_methods(module):
        detail = "the module itself has hooks or replaced methods, which torch.fx does not see"
        raise Refused([Fault("", "not_expressible", detail)])
    graphs = []
    with torch.random.fork_rng(devices=[]):
        for seed in range(2):
            torch.manual_seed(seed)
            graphs.append(fx.GraphModule(module, _Tracer().trace(module)))
    _refuse_chance(*graphs)
    return graphs[0]


def _refuse_chance(first: fx.GraphModule, second: fx.GraphModule) -> None:
    """Raise Refused when two traces differ: forward draws random numbers while it is traced."""
    if [_written(first, node) for node in first.graph.nodes] != [
        _written(second, node) for node in second.graph.nodes
    ]:
        detail = "forward draws numbers while it is traced: drawn once, they would be constants"
        raise Refused([Fault("", "not_expressible", detail)])


def _written(graph_module: fx.GraphModule, node: fx.Node) -> str:
    """Describe a node without the names of other nodes; a constant by its numbers."""
    arguments = fx.node.map_arg((node.args, node.kwargs), lambda other: None)
    if node.op != "get_attr":
        return f"{node.op} {node.target} {arguments}"
    holder, _, local = str(node.target).rpartition(".")
    stored = getattr(graph_module.get_submodule(holder), local)
    return str(
        stored.tolist()
        if isinstance(stored, torch.Tensor) and "_tensor_constant" in local
        else stored is None
    )


def exported(module: nn.Module, batch: list[torch.Tensor]) -> fx.GraphModule:
    """Trace with torch.export to a graph of ATen's operations, with a dynamic batch axis."""
    anything = torch.export.Dim.AUTO
    sizes = tuple({0: anything} for _ in batch)
    return torch.export.export(module, tuple(batch), dynamic_shapes=sizes).module()


class _Recorder(fx.Interpreter):
    """Runs a graph and saves every result. Raises Refused when one was changed in place before its use."""

    def __init__(self, graph_module: fx.GraphModule):
        super().__init__(graph_module, garbage_collect_values=False)
        self.results: dict[fx.Node, Any] = {}
        self._versions: dict[fx.Node, int] = {}

    def run_node(self, node: fx.Node) -> Any:
        for before in node.all_input_nodes:
            if before in self._versions and version(self.results[before]) != self._versions[before]:
                detail = (
                    f"{node.name}: takes {before.name}, which was changed in place: layers change nothing"
                )
                raise Refused([Fault("", "not_expressible", detail)])
        self.results[node] = result = super().run_node(node)
        if isinstance(result, torch.Tensor):
            self._versions[node] = version(result)
        return result


def recorded(
    graph_module: fx.GraphModule, batches: list[list[torch.Tensor]]
) -> tuple[dict[fx.Node, Any], ...]:
    """Run a graph on each batch, each with another seed, and return the results of every operation."""
    results = []
    with torch.random.fork_rng(devices=[]):
        for seed, batch in enumerate(batches):
            torch.manual_seed(seed)
            recorder = _Recorder(graph_module)
            recorder.run(*(example.clone() for example in batch))
            results.append(recorder.results)
    return tuple(results)


def needed(graph: fx.Graph) -> set[fx.Node]:
    """Return the nodes that the outputs depend on, and every input."""
    needed = {node for node in graph.nodes if node.op in ("output", "placeholder")}
    for node in reversed(graph.nodes):
        if node in needed:
            needed.update(node.all_input_nodes)
    return needed


def node_function(node: fx.Node, module: fx.GraphModule) -> str:
    """Return the name of a node's function: `relu` for torch.relu and x.relu(), `aten.relu` for ATen's.

    For a module it is the name of its class; for a function from elsewhere, the qualified name.
    """
    if node.op == "call_module":
        return type(module.get_submodule(str(node.target))).__name__
    if isinstance(node.target, str):
        return node.target
    schema = getattr(node.target, "_schema", None)
    qualified = getattr(node.target, "_qualified_op_name", None) or getattr(schema, "name", None)
    if qualified is not None:
        return str(qualified).replace("aten::", "aten.")
    place, _, name = str(torch.overrides.resolve_name(node.target)).rpartition(".")
    if place in TORCH:
        return name
    holder = str(getattr(node.target, "__module__", ""))
    return str(node.target.__name__) if holder in PYTHON else f"{holder}.{node.target.__name__}"
