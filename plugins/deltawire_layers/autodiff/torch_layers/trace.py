"""Trace a torch module on the meta device, which has shapes and no numbers.

A trace shows the shape of the value, the memory of both passes, and their operations. It also shows what no
layer may do: draw random numbers, or write to a parameter or a buffer.
"""

from __future__ import annotations

import weakref
from collections.abc import Mapping
from contextlib import AbstractContextManager
from operator import attrgetter
from typing import Any, NamedTuple

from deltawire_layers.autodiff.extras import load
from deltawire_layers.autodiff.forward_only import Measures, shape_of_example
from deltawire_layers.autodiff.torch_layers.module import PureModule, torch
from deltawire_layers.layer import CALL, NUMBER, LayerError, Shape, Work

FLOPS = load("torch.utils.flop_counter", "torch").flop_registry
"""Functions that count the operations of products and convolutions, by torch's operation."""

SCHEMA = attrgetter("_schema")
"""The signature of an operation, for which torch has no public name."""

ROWS = (2, 4)
"""Batches to trace: what grows between them belongs to an example."""

CALLS = 6
"""Calls of numpy that take as long as one operation of torch that is recorded for the backward pass."""

ITEMSIZE = 4
"""Bytes of a number of float32, in which memory is counted."""


class Traced(NamedTuple):
    """The measures of one batch.

    shape:      the shape of the value, batch first
    operations: operations of the forward pass
    calls:      operations of torch that it called
    peak:       the most bytes that both passes held at once
    """

    shape: Shape
    operations: int
    calls: int
    peak: int


class Recorder(torch.utils._python_dispatch.TorchDispatchMode):  # type: ignore[misc]
    """Sees every operation: counts it, follows the memory it makes, and refuses draws and writes.

    Args:
        tensors: parameters and constants, by torch's name.
    """

    def __init__(self, tensors: Mapping[str, Any]):
        super().__init__()
        self.names = {_memory(tensor): name for name, tensor in tensors.items()}
        self.live: dict[int, weakref.ref[Any]] = {}
        self.bytes = self.peak = self.operations = self.calls = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if torch.Tag.nondeterministic_seeded in func.tags:
            mend = "call .eval(), or multiply by a mask that is an input (docs/write-a-layer.md)"
            raise LayerError(f"it draws random numbers ({func}), so that no call is like another: {mend}")
        self._refuse_writes(func, args, kwargs)
        result = func(*args, **kwargs)
        self._count(func, args, kwargs, result)
        return result

    def _refuse_writes(self, func: Any, args: Any, kwargs: Any) -> None:
        for position, argument in enumerate(SCHEMA(func).arguments):
            if argument.alias_info is None or not argument.alias_info.is_write:
                continue
            given = args[position] if position < len(args) else kwargs.get(argument.name)
            name = self.names.get(_memory(given)) if isinstance(given, torch.Tensor) else None
            if name is not None:
                raise LayerError(f"it writes to '{name}' ({func}): compute a new tensor instead")

    def _count(self, func: Any, args: Any, kwargs: Any, result: Any) -> None:
        flops = FLOPS.get(func.overloadpacket)
        made = [t for t in torch.utils._pytree.tree_leaves(result) if isinstance(t, torch.Tensor)]
        self.calls += 1
        if flops is not None:
            self.operations += flops(*args, **kwargs, out_val=result) // 2
        for tensor in made:
            if self._is_new(tensor):
                self.operations += NUMBER * tensor.numel()

    def _is_new(self, tensor: Any) -> bool:
        """Return whether a tensor has memory of its own; count that until it is released."""
        storage = tensor.untyped_storage()
        key = _memory(tensor)
        if key in self.live or key in self.names:
            return False
        size = storage.nbytes()

        def released(_: Any, key: int = key, size: int = size) -> None:
            if self.live.pop(key, None) is not None:
                self.bytes -= size

        self.live[key] = weakref.ref(storage, released)
        self.bytes += size
        self.peak = max(self.peak, self.bytes)
        return True


def _memory(tensor: Any) -> int:
    return int(tensor.untyped_storage()._cdata)


def traced(module: PureModule, shapes: tuple[Shape, ...], integers: frozenset[int], calling: Any) -> Measures:
    """Trace a module for inputs of these shapes.

    Args:
        module: the module.
        shapes: the shape of one example of each input.
        integers: the positions of inputs that take integers.
        calling: makes the context in which modules are called.

    Raises:
        LayerError: the module does not take these shapes, draws random numbers, writes to a parameter or a
            buffer, or looks at numbers.
    """
    few, more = (_pass(module, shapes, integers, rows, calling()) for rows in ROWS)
    shape = shape_of_example(
        type(module.module).__name__, dict(zip(ROWS, (few.shape, more.shape), strict=True))
    )
    span = ROWS[1] - ROWS[0]
    each = max(0, more.operations - few.operations) // span
    saved = -(-max(0, more.peak - few.peak) // (span * ITEMSIZE))
    once = max(0, few.operations - ROWS[0] * each) + CALLS * CALL * few.calls
    return Measures(shape, saved, Work(each=each, once=once))


def _pass(
    module: PureModule,
    shapes: tuple[Shape, ...],
    integers: frozenset[int],
    rows: int,
    context: AbstractContextManager[Any],
) -> Traced:
    """Run both passes for a batch."""
    owned = dict(module.module.named_parameters())
    params = {name: _blank(owned[path]).requires_grad_() for name, path in module.parameters.items()}
    constants = {path: _blank(tensor) for path, tensor in module.constants.items()}
    inputs = tuple(
        torch.empty(
            (rows, *shape), dtype=torch.int64 if position in integers else torch.float32, device="meta"
        )
        for position, shape in enumerate(shapes)
    )
    moving = [x.requires_grad_() for x in inputs if x.is_floating_point()]
    recorder = Recorder({module.parameters[name]: tensor for name, tensor in params.items()} | constants)
    with context, torch.enable_grad(), recorder:
        try:
            value = module.call(params, constants, tuple(x.clone() for x in inputs))
        except (RuntimeError, TypeError, LookupError, ValueError, AssertionError) as error:
            raise _refused(module, error) from error
        _check_value(value)
        operations, calls = recorder.operations, recorder.calls
        leaves = [*params.values(), *moving]
        if value.requires_grad and leaves:
            torch.autograd.grad(value, leaves, torch.empty_like(value), allow_unused=True)
    return Traced(tuple(value.shape), operations, calls, recorder.peak)


def _refused(module: PureModule, error: Exception) -> LayerError:
    if isinstance(error, LayerError):
        return LayerError(f"{type(module.module).__name__} cannot be a layer: {error}")
    message = str(error).partition("\n")[0]
    hints = {
        "meta": ": it looks at numbers, or has a tensor that is no parameter and no buffer (register_buffer)",
        "Long": ": declare inputs that take integers, from_torch(module, integers={0: range(10)})",
    }
    hint = next((hint for word, hint in hints.items() if word in message), "")
    return LayerError(f"{type(module.module).__name__} does not take these inputs: {message}{hint}")


def _check_value(value: Any) -> None:
    if value.is_complex() or not value.is_floating_point():
        raise LayerError(f"the value is {value.dtype}, expected real numbers")


def _blank(tensor: Any) -> Any:
    dtype = torch.float32 if tensor.is_floating_point() else tensor.dtype
    return torch.empty(tuple(tensor.shape), dtype=dtype, device="meta")
