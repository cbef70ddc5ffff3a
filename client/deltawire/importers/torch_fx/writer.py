"""Translate a traced module to layers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import fx, nn

from deltawire.errors import Fault, Refused
from deltawire.importers.arguments import errors_named, leaves, translated
from deltawire.importers.builder import (
    BY_BATCH,
    REFUSED,
    Builder,
    Imported,
    Rows,
    Stored,
    Unavailable,
    Value,
)
from deltawire.importers.site import Site, described
from deltawire.importers.torch_fx.functions import FUNCTIONS
from deltawire.importers.torch_fx.modules import MODULES
from deltawire.importers.torch_fx.shapes import BY_RESULT
from deltawire.wire import Array

LOOKUPS = frozenset({"embedding", "aten.embedding", "Embedding"})
"""Operations that become layers even when all inputs are stored, because their rows are learned."""

ABOUT_SHAPES = frozenset(
    {"size", "dim", "ndimension", "numel", "nelement", "len", "sym_size", "is_floating_point"}
)
"""Functions that read no number of a tensor; `getattr` of an attribute in `ATTRIBUTES` is another."""

TORCH = frozenset({"torch", "torch.nn.functional"})
PYTHON = frozenset({"_operator", "builtins"})
"""Modules that define the functions in `FUNCTIONS`; names from elsewhere are qualified."""

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
        self._needed = _needed(graph_module.graph)

    def run(self, *_: Any) -> Imported:
        inputs = [node for node in self.module.graph.nodes if node.op == "placeholder"]
        outputs = super().run(*[None] * len(inputs))
        results = tuple(outputs.values()) if isinstance(outputs, dict) else outputs
        results = results if isinstance(results, tuple | list) else (results,)
        values = [self._output(place, value) for place, value in enumerate(results)]
        return self.builder.finish(values)

    def _output(self, place: int, value: Any) -> Value:
        """Return an output of the module; record a fault when it is no value of a node."""
        if isinstance(value, Value) and value.name not in self._inputs and not value.whole:
            return value
        if value is not REFUSED:
            why = value.why if isinstance(value, Unavailable) else "is no node's value"
            self.builder.faults.append(Fault("", "not_expressible", f"output {place}: {why}"))
        return Value("", ())

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
        args, kwargs = self.fetch_args_kwargs_from_env(node)
        if not isinstance(first, torch.Tensor | tuple | list) or isinstance(first, torch.Size):
            return self._number(node, site, (args, kwargs))
        if _symbolic((args, kwargs)):
            return self._translated(node, site, args, kwargs)
        if (turned := _turned(args, first)) is not None:
            return turned
        learned = self._learned(node, (args, kwargs))
        if learned and node_function(node, self.module) in LOOKUPS:
            return self._translated(node, site, args, kwargs)
        if learned:
            site.refuse(f"makes of the parameter '{learned}' what is none, so that it would not be learned")
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
        if any(isinstance(one, Value | Rows) for one in leaves(arguments)):
            function = node_function(node, self.module).removeprefix("aten.").partition(".")[0]
            named = arguments[0][1] if function == "getattr" else ""
            if function not in ABOUT_SHAPES and named not in ATTRIBUTES:
                site.refuse("reads numbers of the batch: a network computes the same for any")
        return first if first is second or first == second else BY_BATCH

    def _site(self, node: fx.Node) -> Site:
        first, second = (results[node] for results in self._results)
        if node.op == "placeholder":
            return Site(self.builder, "input", f"input '{node.target}'", node.name, (first, second))
        function = node_function(node, self.module)
        if node.op == "call_module":
            label = f"{node.target} ({function})"
            return Site(self.builder, function, label, str(node.target), (first, second))
        name = node.name
        for before in node.all_input_nodes:  # name a function after its weight
            if before.op == "get_attr" and str(before.target).endswith("weight"):
                name = str(before.target).rpartition(".")[0] or name
        label = f"{name} ({function})"
        return Site(self.builder, function.removeprefix("aten."), label, name, (first, second))

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
        if not args or not isinstance(args[0], Value | Rows | Stored):
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

    def _learned(self, node: fx.Node, arguments: Any) -> str:
        """Return the name of a parameter that an operation of constants uses; "" for none."""
        for one in leaves(arguments):
            if isinstance(one, Stored) and one.kept:
                return one.name
        if node.op != "call_module":
            return ""
        named = self.module.get_submodule(node.target).named_parameters()
        return next((f"{node.target}.{name}" for name, one in named if one.requires_grad), "")

    def _constant(self, node: fx.Node, site: Site, first: Any, second: Any) -> Any:
        """Return the result of an operation on constants as a constant."""
        if isinstance(first, tuple | list):
            pairs = enumerate(zip(first, second, strict=True))
            return tuple(self._constant(node, site, *pair) for _, pair in pairs)
        if not isinstance(first, torch.Tensor):
            return first if first == second else BY_BATCH
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


def _needed(graph: fx.Graph) -> set[fx.Node]:
    """Return the nodes that the outputs depend on, and every input."""
    needed = {node for node in graph.nodes if node.op in ("output", "placeholder")}
    for node in reversed(graph.nodes):
        if node in needed:
            needed.update(node.all_input_nodes)
    return needed


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


def _symbolic(arguments: Any) -> bool:
    """Return True when an argument is computed from the batch, or is not available."""
    return any(isinstance(one, Value | Rows | Unavailable) for one in leaves(arguments))


def _numpy(tensor: torch.Tensor) -> Array:
    array: Array = tensor.detach().numpy().copy()
    return array


def _identity(tensor: torch.Tensor) -> object:
    return tensor.data_ptr(), tuple(tensor.shape), tuple(tensor.stride())


def _same(a: torch.Tensor, b: torch.Tensor) -> bool:
    return _identity(a) == _identity(b) and a.numel() > 0
