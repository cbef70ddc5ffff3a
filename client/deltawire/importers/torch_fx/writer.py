"""Translate a traced module to layers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import fx, nn

from deltawire.errors import Fault, Refused
from deltawire.importers.arguments import errors_named, leaves, translated
from deltawire.importers.builder import Builder, Imported
from deltawire.importers.operands import (
    BATCHES,
    BY_BATCH,
    REFUSED,
    Computed,
    Reduced,
    Rows,
    Stored,
    Unavailable,
    Unbatched,
    Value,
)
from deltawire.importers.reductions import remember
from deltawire.importers.site import Site, described
from deltawire.importers.torch_fx.functions import FUNCTIONS
from deltawire.importers.torch_fx.joined import by_example, joined_rows
from deltawire.importers.torch_fx.modules import MODULES
from deltawire.importers.torch_fx.outputs import named_outputs, shown
from deltawire.importers.torch_fx.recording import needed, node_function
from deltawire.importers.torch_fx.shapes import BY_RESULT
from deltawire.wire import Array

ABOUT_SHAPES = frozenset(
    {"size", "dim", "ndimension", "numel", "nelement", "len", "sym_size", "is_floating_point"}
)
"""Functions that read no number of a tensor; `getattr` of an attribute in `ATTRIBUTES` is another."""

ALIKE = frozenset({"full_like", "new_full", "new_ones", "new_zeros", "ones_like", "zeros_like"})
"""Functions that read the shape of their first tensor, and none of its numbers."""

ATTRIBUTES = frozenset({"shape", "ndim", "dtype", "device", "is_cuda", "layout"})


class Writer(fx.Interpreter):
    """Runs a graph with values of a network instead of tensors.

    Args:
        module: The original module.
        graph_module: Its traced graph.
        results: The result of each node for the two batches of `BATCHES`.
    """

    def __init__(self, module: nn.Module, graph_module: fx.GraphModule, results: tuple[Any, ...]):
        super().__init__(graph_module)
        named = dict(module.named_parameters(remove_duplicate=False)) | dict(module.named_buffers())
        self.builder = Builder("torch", np.dtype(_dtype(named, results[0])))
        self._results = results
        self._named = named
        self._inputs: set[str] = set()
        self._outputs: dict[str, str] = {}  # how each is reduced over the batch
        self._needed = needed(graph_module.graph)

    def run(self, *_: Any) -> Imported:
        inputs = [node for node in self.module.graph.nodes if node.op == "placeholder"]
        outputs = super().run(*[None] * len(inputs))
        values = [self._output(name, value) for name, value in named_outputs(outputs).items()]
        return self.builder.finish(values)

    def _output(self, name: str, value: Any) -> Value:
        """Return an output of the module; record a fault when it is no value of a node."""
        if isinstance(value, Reduced):
            return self._reduced(name, value)
        if isinstance(value, Value) and value.name not in self._inputs and not value.whole:
            return self._own_output(name, value, "")
        if value is not REFUSED:
            why = value.why if isinstance(value, Unavailable) else "is no node's value"
            why = "its leading axis joins the batch with another one" if isinstance(value, Rows) else why
            self.builder.faults.append(Fault("", "not_expressible", f"{shown(name)}: {why}"))
        return Value("", ())

    def _reduced(self, name: str, output: Reduced) -> Value:
        """Return the node of an output that the whole batch has; the first one is the network's loss."""
        each, network = self._own_output(name, output.value, output.reduction), self.builder.network
        remember(network, Reduced(each, output.reduction))
        if network.loss is None:
            network.loss = each.name
        return each

    def _own_output(self, name: str, value: Value, reduction: str) -> Value:
        """Return the node of an output: one of its own where another output reduces it otherwise."""
        if value.name in self._inputs or self._outputs.get(value.name, reduction) != reduction:
            own = self.builder.free_name(f"{value.name}_{reduction or 'each'}")
            self.builder.network.layer("identity", value.name, name=own)
            value = Value(own, value.shape)
        self._outputs[value.name] = reduction
        if name:
            self.builder.network.metadata[f"outputs/{name}"] = value.name
        return value

    def run_node(self, node: fx.Node) -> Any:
        if node.op == "output":
            return super().run_node(node)
        if node not in self._needed:
            return None  # no output depends on it
        if any(self.env[before] is REFUSED for before in node.all_input_nodes):
            return REFUSED
        site = self._site(node)
        try:
            with errors_named(site.label):
                return self._result(node, site)
        except Refused as refused:
            self.builder.faults.extend(refused.faults)
            return REFUSED

    def _result(self, node: fx.Node, site: Site) -> Any:
        """Return the translation of a node: a value, several, a stored array, or a setting."""
        first, second = site.results
        if node.op == "placeholder":
            return self._input(node, site)
        if node.op == "get_attr" and isinstance(first, torch.Tensor):
            return self._stored(str(node.target))
        args, kwargs = fx.node.map_aggregate(
            self.fetch_args_kwargs_from_env(node), lambda one: self._known_here(node, one)
        )
        if not isinstance(first, torch.Tensor | tuple | list) or isinstance(first, torch.Size):
            return self._number(node, site, (args, kwargs))
        if (turned := _turned(args, first)) is not None:
            return turned
        read = (args[1:] if site.function in ALIKE else args, kwargs)
        if _symbolic(read) or self._learns(node, read):
            result = self._translated(node, site, *by_example(site, (args, kwargs)))
            return Rows(result) if site.rows and isinstance(result, Value) else result
        return self._constant(node, site, first, second)

    def _input(self, node: fx.Node, site: Site) -> Any:
        """Add an input of the network; return the default of an argument that was omitted."""
        first = site.results[0]
        if str(node.target).startswith("*"):
            site.refuse("stands for any number of arguments")
        if not isinstance(first, torch.Tensor):
            return first
        whole = first.dtype in (torch.int64, torch.int32)
        if not whole and str(first.dtype) != f"torch.{self.builder.dtype}":
            site.refuse(f"is of {first.dtype}, other numbers of the module of {self.builder.dtype}")
        value = self.builder.input(str(node.target), site.shape(), whole)
        self._inputs.add(value.name)
        return value

    def _number(self, node: fx.Node, site: Site, arguments: Any) -> Any:
        """Return a size, a dtype or a setting. Raises Refused when it is read from the batch."""
        first, second = site.results
        if any(isinstance(one, Computed) for one in leaves(arguments)):
            function = node_function(node, self.module).removeprefix("aten.").partition(".")[0]
            named = arguments[0][1] if function == "getattr" else ""
            if function not in ABOUT_SHAPES and named not in ATTRIBUTES:
                site.refuse("reads numbers of the batch: a network computes the same for any")
        return first if first is second or first == second else BY_BATCH

    def _site(self, node: fx.Node) -> Site:
        first, second = (results[node] for results in self._results)
        given = [one for before in node.all_input_nodes for one in leaves(self.env[before])]
        batched = any(isinstance(one, Value | Rows | Reduced) for one in given) or _shapes(first) != _shapes(
            second
        )
        if node.op == "placeholder":
            return Site(self.builder, "input", f"input '{node.target}'", node.name, (first, second))
        function = node_function(node, self.module)
        if node.op == "call_module":
            label = f"{node.target} ({function})"
            rows = joined_rows(function, given, (first, second))
            return Site(self.builder, function, label, str(node.target), (first, second), batched, rows)
        name = node.name
        for before in node.all_input_nodes:  # name a function after its weight
            if before.op == "get_attr" and str(before.target).endswith("weight"):
                name = self._name_here(node, str(before.target)).rpartition(".")[0] or name
        label, function = f"{name} ({function})", function.removeprefix("aten.")
        rows = joined_rows(function, given, (first, second))
        return Site(self.builder, function, label, name, (first, second), batched, rows)

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
        function = node_function(node, self.module)
        if function == "getitem" and isinstance(args[0], tuple | list):
            return args[0][args[1]]  # one of several results; some may be Unavailable
        known = FUNCTIONS.get(function) or FUNCTIONS.get(function.removeprefix("aten."))
        if known is None:
            site.refuse("no layer does this")
        if known not in BY_RESULT:
            return translated(site, known, *args, **kwargs)
        if not args or not isinstance(args[0], Value | Unbatched | Stored):
            site.refuse(f"expected a tensor first, got {described(args[0] if args else None)}")
        return translated(site, known, args[0])

    def _stored(self, name: str) -> Stored:
        """Return a parameter or buffer of the graph under its first name in the module."""
        holder, _, local = name.rpartition(".")
        tensor = getattr(self.module.get_submodule(holder), local)
        names = [known for known, there in self._named.items() if there is tensor or _same(there, tensor)]
        known = name if name in names or not names else names[0]
        trainable = isinstance(tensor, nn.Parameter)
        if trainable and known in self._named and not self._named[known].requires_grad:
            self.builder.network.metadata[f"frozen/{known}"] = "true"
            return Stored(known, _numpy(tensor), _identity(tensor), trainable)
        return Stored(known, _numpy(tensor), _identity(tensor), trainable, kept=trainable)

    def _known_here(self, node: fx.Node, one: Any) -> Any:
        """Return an argument; a stored array has its name in the module that the operation belongs to."""
        return replace(one, name=self._name_here(node, one.name)) if isinstance(one, Stored) else one

    def _name_here(self, node: fx.Node, name: str) -> str:
        """Return the name of an array in the module that an operation belongs to: tied ones have several."""
        stack = list(node.meta.get("nn_module_stack", {}).values())
        here = ".".join([stack[-1][0], name.rpartition(".")[2]]) if stack else name
        return here if here in self._named and self._named[here] is self._named.get(name) else name

    def _learns(self, node: fx.Node, arguments: Any) -> bool:
        """Return True for an operation of constants that has a parameter among them, or in its module."""
        if any(isinstance(one, Stored) and one.kept for one in leaves(arguments)):
            return True
        if node.op != "call_module":
            return False
        return any(one.requires_grad for one in self.module.get_submodule(node.target).parameters())

    def _constant(self, node: fx.Node, site: Site, first: Any, second: Any) -> Any:
        """Return the result of an operation on constants as a constant."""
        if isinstance(first, tuple | list):
            pairs = enumerate(zip(first, second, strict=True))
            return tuple(self._constant(node, site, *pair) for _, pair in pairs)
        if not isinstance(first, torch.Tensor):
            return first if first == second else BY_BATCH
        if first.shape[:1] + second.shape[:1] == BATCHES and first.shape[1:] == second.shape[1:]:
            if not all(torch.equal(one, one[:1].expand_as(one)) for one in (first, second)):
                return BY_BATCH
            first, second = first[:1], second[:1]  # the same for every example
        if first.shape != second.shape:
            return BY_BATCH
        if first.dtype != second.dtype or not torch.equal(torch.nan_to_num(first), torch.nan_to_num(second)):
            site.refuse("gives other numbers each time: drawn once, they would be a constant")
        return Stored(node.name, _numpy(first), (node, object()))


def _turned(arguments: Sequence[Any], result: Any) -> Stored | None:
    """Return a stored matrix with its axes exchanged, where the result is that view of it: `w.T`, `w.t()`."""
    stored = arguments[0] if arguments else None
    if not isinstance(stored, Stored) or stored.array.ndim != 2 or not isinstance(result, torch.Tensor):
        return None
    turned, pointer = stored.transposed(), result.data_ptr()
    shape, stride = tuple(result.shape), tuple(result.stride())
    if turned.layout:
        shape, stride = shape[::-1], stride[::-1]
    return turned if (pointer, shape, stride) == stored.identity else None


def _dtype(named: Mapping[str, torch.Tensor], results: Mapping[fx.Node, Any]) -> str:
    """Return the dtype of a module's floating-point numbers, or of its first result when it has none.

    Raises:
        Refused: There are several dtypes, or one other than float32 and float64.
    """
    computed = {
        node.name: result
        for node, result in results.items()
        if isinstance(result, torch.Tensor) and result.is_floating_point()
    }
    stored = {name: tensor for name, tensor in named.items() if tensor.is_floating_point()}
    among = stored or dict(list(computed.items())[:1])
    dtypes = {name: str(tensor.dtype).removeprefix("torch.") for name, tensor in among.items()}
    first = next(iter(dtypes.values()), "float32")
    for name, dtype in dtypes.items():
        if dtype not in ("float32", "float64"):
            detail = f"'{name}' is of {dtype}: convert the module with float() or double()"
            raise Refused([Fault("", "not_expressible", detail)])
        if dtype != first:
            detail = f"'{name}' is of {dtype}, others of {first}: convert the module with float() or double()"
            raise Refused([Fault("", "not_expressible", detail)])
    return first


def _symbolic(arguments: Any) -> bool:
    """Return True when an argument is computed from the batch or from parameters, or is not available."""
    return any(
        isinstance(one, Computed) or (isinstance(one, Unavailable) and one is not BY_BATCH)
        for one in leaves(arguments)
    )


def _shapes(result: Any) -> Any:
    """Return the shapes of the tensors of a result."""
    if isinstance(result, tuple | list) and not isinstance(result, torch.Size):
        return [_shapes(one) for one in result]
    return getattr(result, "shape", None)


def _numpy(tensor: torch.Tensor) -> Array:
    array: Array = tensor.detach().numpy()
    return array


def _identity(tensor: torch.Tensor) -> object:
    return tensor.data_ptr(), tuple(tensor.shape), tuple(tensor.stride())


def _same(a: torch.Tensor, b: torch.Tensor) -> bool:
    return _identity(a) == _identity(b) and a.numel() > 0
