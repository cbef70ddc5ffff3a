"""A traced module, written down in layers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import fx, nn

from deltawire.errors import Fault, Refused
from deltawire.importers.builder import (
    Builder,
    Imported,
    Site,
    Stored,
    Unavailable,
    Value,
    described,
    translated,
)
from deltawire.importers.torch_fx.functions import FUNCTIONS
from deltawire.importers.torch_fx.modules import MODULES
from deltawire.importers.torch_fx.shapes import BY_RESULT
from deltawire.wire import Array

BY_BATCH = Unavailable("computes with the number of examples, which a network does not know")
REFUSED = Unavailable("")
"""What an operation gives that was refused: those that take it are not refused for that again."""


class Writer(fx.Interpreter):
    """Runs a graph once more, with values of a network instead of tensors."""

    def __init__(self, module: nn.Module, graph_module: fx.GraphModule, results: tuple[Any, ...]):
        super().__init__(graph_module)
        named = dict(module.named_parameters(remove_duplicate=False)) | dict(module.named_buffers())
        self.builder = Builder("torch", np.dtype(_dtype(named)))
        self._results = results
        self._named = named
        self._inputs: set[str] = set()

    def run(self, *_: Any) -> Imported:
        inputs = [node for node in self.module.graph.nodes if node.op == "placeholder"]
        outputs = super().run(*[None] * len(inputs))
        found = tuple(outputs.values()) if isinstance(outputs, dict) else outputs
        found = found if isinstance(found, tuple | list) else (found,)
        values = [self._output(place, value) for place, value in enumerate(found)]
        return self.builder.finish(values)

    def _output(self, place: int, value: Any) -> Value:
        """An output of the module; one that is an input, or no tensor of the batch, is no node's value."""
        if isinstance(value, Value) and value.name not in self._inputs:
            return value
        if value is not REFUSED:
            why = value.why if isinstance(value, Unavailable) else "is no node's value"
            self.builder.faults.append(Fault("", "not_expressible", f"output {place}: {why}"))
        return Value("", ())

    def run_node(self, node: fx.Node) -> Any:
        if node.op == "output":
            return super().run_node(node)
        if any(self.env[before] is REFUSED for before in node.all_input_nodes):
            return REFUSED
        first, second = (results[node] for results in self._results)
        if node.op == "placeholder":
            site = Site(self.builder, "input", f"input '{node.target}'", node.name, (first, second))
        else:
            site = self._site(node, (first, second))
        try:
            if node.op == "placeholder":
                value = self.builder.input(str(node.target), site.shape(), not first.is_floating_point())
                self._inputs.add(value.name)
                return value
            if node.op == "get_attr":
                return self._stored(node.target)
            if not isinstance(first, torch.Tensor | tuple | list) or isinstance(first, torch.Size):
                return first if first == second else BY_BATCH
            args, kwargs = self.fetch_args_kwargs_from_env(node)
            if not _symbolic((args, kwargs)):
                return self._constant(node, first)
            return self._translated(node, site, args, kwargs)
        except Refused as refused:
            self.builder.faults.extend(refused.faults)
            return REFUSED

    def _site(self, node: fx.Node, results: tuple[Any, Any]) -> Site:
        if node.op == "call_module":
            function = type(self.module.get_submodule(node.target)).__name__
            return Site(self.builder, function, f"{node.target} ({function})", node.target, results)
        function = _function_name(node)
        name = node.name
        for before in node.all_input_nodes:  # a function with a weight of its own is named after it
            if before.op == "get_attr" and str(before.target).endswith("weight"):
                name = str(before.target).rpartition(".")[0] or name
        return Site(self.builder, function.removeprefix("aten."), f"{name} ({function})", name, results)

    def _translated(self, node: fx.Node, site: Site, args: Any, kwargs: Any) -> Any:
        if node.op == "call_module":
            module = self.module.get_submodule(node.target)
            if type(module) not in MODULES:
                site.refuse("no layer does this")

            def own(name: str) -> Stored | None:
                holder, _, local = f"{node.target}.{name}".rpartition(".")
                there = getattr(self.module.get_submodule(holder), local, None)
                return None if there is None else self._stored(f"{node.target}.{name}")

            return translated(site, MODULES[type(module)], module, own, *args, **kwargs)
        function = _function_name(node)
        known = FUNCTIONS.get(function) or FUNCTIONS.get(function.removeprefix("aten."))
        if known is None:
            site.refuse("no layer does this")
        if known not in BY_RESULT:
            return translated(site, known, *args, **kwargs)
        if not isinstance(args[0], Value):
            site.refuse(f"repeats {described(args[0])} for each example: no layer does this")
        return translated(site, known, args[0])

    def _stored(self, name: str) -> Stored:
        """A parameter or buffer, by its name in the graph, under its first name in the module."""
        holder, _, local = name.rpartition(".")
        tensor = getattr(self.module.get_submodule(holder), local)
        names = [known for known, there in self._named.items() if there is tensor or _same(there, tensor)]
        trainable = isinstance(tensor, nn.Parameter)
        known = name if name in names or not names else names[0]
        return Stored(known, _numpy(tensor), _identity(tensor), trainable, kept=trainable)

    def _constant(self, node: fx.Node, result: Any) -> Stored:
        """What an operation makes of constants alone: a constant, and no more a parameter."""
        learned = [
            str(before.target)
            for before in node.all_input_nodes
            if before.op == "get_attr" and isinstance(self.env[before], Stored) and self.env[before].trainable
        ]
        if learned:
            why = f"makes of the parameter '{learned[0]}' what is none, so that it would not be learned"
            raise Refused([Fault("", "not_expressible", f"{node.name} ({_function_name(node)}): {why}")])
        return Stored(node.name, _numpy(result), node)


def _dtype(named: Mapping[str, torch.Tensor]) -> str:
    """The dtype of a module's floating-point numbers. Raises Refused unless it is one, float32 or float64."""
    found = ""
    for name, tensor in named.items():
        dtype = str(tensor.dtype).removeprefix("torch.")
        if not tensor.is_floating_point():
            continue
        if dtype not in ("float32", "float64"):
            detail = f"'{name}' is of {dtype}: convert the module with float() or double()"
            raise Refused([Fault("", "not_expressible", detail)])
        if found and dtype != found:
            detail = f"'{name}' is of {dtype}, others of {found}: convert the module with float() or double()"
            raise Refused([Fault("", "not_expressible", detail)])
        found = dtype
    return found or "float32"


def _symbolic(arguments: Any) -> bool:
    """Whether there is anything among the arguments that is known only to a request."""
    found = []
    fx.node.map_aggregate(arguments, lambda one: found.append(isinstance(one, Value | Unavailable)))
    return any(found)


def _function_name(node: fx.Node) -> str:
    """What FUNCTIONS calls it: `relu` for torch.relu, F.relu and x.relu(), `aten.relu` for that of ATen."""
    if isinstance(node.target, str):
        return node.target
    if isinstance(node.target, torch._ops.OpOverload):
        return f"aten.{node.target._schema.name.split('::')[1]}"
    return str(node.target.__name__)


def _numpy(tensor: torch.Tensor) -> Array:
    array: Array = tensor.detach().numpy().copy()
    return array


def _identity(tensor: torch.Tensor) -> object:
    return tensor.data_ptr(), tuple(tensor.shape), tuple(tensor.stride())


def _same(a: torch.Tensor, b: torch.Tensor) -> bool:
    return _identity(a) == _identity(b) and a.numel() > 0
