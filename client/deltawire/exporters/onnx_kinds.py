"""Translate layers to ONNX operators. Each translation takes a `Place` and the layer's config by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

import numpy as np
import onnx
from onnx import helper, numpy_helper

from deltawire.errors import Fault, Refused
from deltawire.importers.named import Named
from deltawire.wire import Array

Shape = tuple[int, ...]
Numbers = float | Sequence[float]
KINDS = Named()
kind = KINDS.register


@dataclass
class Place:
    """A node of the network that is being translated to nodes of an ONNX graph.

    Args:
        name: The name of the node.
        entry: The node in the spec: it says which other node it shares parameters with.
        inputs: The names of its inputs.
        shapes: The shape of one example of each input and node, by name.
        stored: Parameters and constants, by name.
        dtype: The floating-point dtype of the model.
        graph: The ONNX nodes written so far; translations append to it.
        initializers: The arrays written so far, by name; translations add to it.
        shared: The names of the inputs without a batch axis.
        alike: The names of these, and of the nodes that are computed from them alone.
    """

    name: str
    entry: Mapping[str, Any]
    inputs: Sequence[str]
    shapes: Mapping[str, Shape]
    stored: Mapping[str, Array]
    dtype: np.dtype[Any]
    graph: list[onnx.NodeProto]
    initializers: dict[str, Array]
    shared: set[str] = field(default_factory=set)
    alike: set[str] = field(default_factory=set)

    def shape(self, which: int = 0) -> Shape:
        return self.shapes[self.inputs[which]]

    def refuse(self, why: str) -> NoReturn:
        raise Refused([Fault("", "not_expressible", f"node '{self.name}': {why}")])

    def param(self, local: str) -> str:
        """Return the name of a parameter, which another node may own, in the layout that this node has."""
        shared = f"{self.entry.get('tied_to', self.name)}.{local}"
        if not self.entry.get("transpose"):
            return shared
        own = f"{self.name}.{local}"
        return own if own in self.stored else self.put("Transpose", shared, perm=[1, 0])

    def numbers(self, local: str) -> Array:
        """Return a parameter's array, in the layout that this node has."""
        own, shared = f"{self.name}.{local}", f"{self.entry.get('tied_to', self.name)}.{local}"
        if own in self.stored:
            return np.asarray(self.stored[own])
        array = np.asarray(self.stored[shared])
        return array.T if self.entry.get("transpose") else array

    def put(self, operator: str, *inputs: str, last: bool = False, **attributes: Any) -> str:
        """Add a node to the graph and return the name of its output.

        Args:
            operator: The ONNX operator.
            *inputs: The names of its inputs.
            last: Give the output the name of the exported node.
            **attributes: Attributes of the operator.
        """
        output = self.name if last else f"{self.name}.{operator.lower()}{len(self.graph)}"
        self.graph.append(helper.make_node(operator, list(inputs), [output], output, **attributes))
        return output

    def end(self, operator: str, *inputs: str, **attributes: Any) -> None:
        """Add the last node of this place, whose output has the name of the exported node.

        Args:
            operator: The ONNX operator.
            *inputs: The names of its inputs.
            **attributes: Attributes of the operator.
        """
        self.put(operator, *inputs, last=True, **attributes)

    def constant(self, values: Any, dtype: Any = None) -> str:
        """Add an initializer and return its name; its dtype is the network's by default."""
        name = f"{self.name}.initializer{len(self.initializers)}"
        self.initializers[name] = np.asarray(values, dtype or self.dtype)
        return name

    def constants(self, numbers: Numbers) -> str:
        """Add numbers as a node, not as an initializer, which importers take for a parameter."""
        value = numpy_helper.from_array(np.asarray(numbers, self.dtype))
        return self.put("Constant", value=value)

    def axes(self, *axes: int) -> str:
        return self.constant(axes, np.int64)

    def spread(self, which: int) -> str:
        """Return the name of an input; add a leading axis of size 1 to a shared one, which fits any batch."""
        name = self.inputs[which]
        return self.put("Unsqueeze", name, self.axes(0)) if name in self.shared else name

    def broadcast(self) -> list[str]:
        """Return the names of all inputs, for an operator that broadcasts: a batch axis of one will do."""
        if self.alike.issuperset(self.inputs):
            return [self.spread(which) for which in range(len(self.inputs))]
        return [*self.inputs]

    def repeated(self) -> list[str]:
        """Return the names of all inputs, for an operator that broadcasts none: each has as many examples."""
        names = [self.spread(which) for which in range(len(self.inputs))]
        batched = next((name for name in self.inputs if name not in self.alike), None)
        if batched is None or not self.alike.intersection(self.inputs):
            return names
        examples = self.put("Shape", batched, start=0, end=1)
        sizes = self.put("Concat", examples, self.axes(*[1] * len(self.shape())), axis=0)
        return [
            self.put("Expand", spread, sizes) if name in self.alike else spread
            for name, spread in zip(self.inputs, names, strict=True)
        ]

    def total(self, x: str, rank: int, inputs: int = 2) -> None:
        """Add the last nodes of a loss: the sum over all axes of an example, times its weight if it has one.

        Args:
            x: The terms.
            rank: The number of axes of an example of them.
            inputs: The number of inputs of the loss, without a weight.
        """
        weight = [self.spread(inputs)] if len(self.inputs) > inputs else []
        if rank:
            x = self.put("ReduceSum", x, self.axes(*range(1, rank + 1)), keepdims=0, last=not weight)
        if weight:
            self.end("Mul", x, *weight)
        elif not rank:
            self.end("Identity", x)


def operator(name: str) -> Callable[[Place], None]:
    return lambda at: at.end(name, *at.broadcast())


KINDS |= {
    ours: operator(theirs)
    for ours, theirs in {
        "abs": "Abs", "add": "Sum", "cos": "Cos", "divide": "Div", "erf": "Erf", "exp": "Exp",
        "hardswish": "HardSwish", "identity": "Identity", "matmul": "MatMul",
        "maximum": "Max", "minimum": "Min", "mish": "Mish", "multiply": "Mul", "negate": "Neg",
        "reciprocal": "Reciprocal", "relu": "Relu", "sigmoid": "Sigmoid", "sin": "Sin",
        "softplus": "Softplus", "sqrt": "Sqrt", "subtract": "Sub", "tanh": "Tanh",
    }.items()
}  # fmt: skip


@kind("affine")
def affine(at: Place, scale: Numbers = 1.0, shift: Numbers = 0.0) -> None:
    at.end("Add", at.put("Mul", at.spread(0), at.constants(scale)), at.constants(shift))


@kind("elu")
def elu(at: Place, alpha: float = 1.0) -> None:
    at.end("Elu", at.spread(0), alpha=alpha)


@kind("leaky_relu")
def leaky_relu(at: Place, slope: float = 0.01) -> None:
    at.end("LeakyRelu", at.spread(0), alpha=slope)


@kind("silu")
def silu(at: Place) -> None:
    x = at.spread(0)
    at.end("Mul", x, at.put("Sigmoid", x))


@kind("power")
def power(at: Place, exponent: float) -> None:
    at.end("Pow", at.spread(0), at.constant(exponent))


KINDS["softmax"] = lambda at: at.end("Softmax", at.spread(0), axis=-1)
KINDS["log_softmax"] = lambda at: at.end("LogSoftmax", at.spread(0), axis=-1)


@kind("dot")
def dot(at: Place) -> None:
    product = at.put("Mul", at.spread(0), at.spread(1))
    at.end("ReduceSum", product, at.axes(-1), keepdims=0)


@kind("linear")
def linear(at: Place, units: int, bias: bool = True) -> None:
    x, weight = at.spread(0), at.param("weight")
    if len(at.shape()) == 1:
        at.end("Gemm", x, weight, *([at.param("bias")] if bias else []), transB=1)
        return
    turned = at.put("Transpose", weight, perm=[1, 0])
    if bias:
        at.end("Add", at.put("MatMul", x, turned), at.param("bias"))
    else:
        at.end("MatMul", x, turned)


@kind("embedding")
def embedding(at: Place, rows: int, width: int, padding_idx: int | None = None) -> None:
    # The row that does not learn is looked up like any other.
    at.end("Gather", at.param("weight"), at.spread(0), axis=0)


@kind("scale")
def scale(at: Place) -> None:
    at.end("Mul", at.spread(0), at.param("weight"))


@kind("shift")
def shift(at: Place) -> None:
    at.end("Add", at.spread(0), at.param("bias"))


@kind("dropout_mask")
def dropout_mask(at: Place, p: float = 0.5) -> None:
    mask = at.put("Cast", at.spread(1), to=helper.np_dtype_to_tensor_dtype(at.dtype))
    at.end("Div", at.put("Mul", at.spread(0), mask), at.constant(1 - p))


@kind("concat")
def concat(at: Place, axis: int = -1) -> None:
    at.end("Concat", *at.repeated(), axis=axis if axis < 0 else axis + 1)


@kind("slice")
def cut(at: Place, axis: int = -1, start: int = 0, stop: int | None = None, step: int = 1) -> None:
    size = at.shape()[axis]
    first, last, _ = slice(start, stop).indices(size)
    along = axis if axis < 0 else axis + 1
    steps = [at.axes(step)] if step != 1 else []
    at.end("Slice", at.spread(0), at.axes(first), at.axes(last), at.axes(along), *steps)


@kind("flatten", "reshape")
def reshape(at: Place, shape: Sequence[int] | None = None) -> None:
    sizes = at.shapes[at.name] if at.name in at.shapes else shape or ()
    at.end("Reshape", at.spread(0), at.axes(0, *sizes) if at.shape() else at.axes(-1, *sizes))


@kind("transpose")
def transpose(at: Place, axes: Sequence[int] | None = None) -> None:
    rank = len(at.shape())
    order = list(reversed(range(rank))) if axes is None else [axis % rank for axis in axes]
    at.end("Transpose", at.spread(0), perm=[0, *(axis + 1 for axis in order)])


@kind("sum", "mean")
def total(at: Place, axes: Sequence[int] | None = None, operator: str = "ReduceSum") -> None:
    rank = len(at.shape())
    along = [axis % rank + 1 for axis in (range(rank) if axes is None else axes)]
    if along:
        at.end(operator, at.spread(0), at.axes(*along), keepdims=0)
    else:
        at.end("Identity", at.spread(0))


KINDS["mean"] = lambda at, axes=None: total(at, axes, "ReduceMean")


@kind("max")
def greatest(at: Place, axis: int = -1, operator: str = "ReduceMax") -> None:
    at.end(operator, at.spread(0), at.axes(axis % len(at.shape()) + 1), keepdims=0)


KINDS["min"] = lambda at, axis=-1: greatest(at, axis, "ReduceMin")


@kind("conv1d", "conv2d")
def conv(
    at: Place, channels: int, kernel: Any, groups: int = 1, bias: bool = True, stride: Any = 1,
    padding: Any = 0, dilation: Any = 1,
) -> None:  # fmt: skip
    rank = len(at.shape()) - 1
    at.end(
        "Conv", at.spread(0), at.param("weight"), *([at.param("bias")] if bias else []), group=groups,
        kernel_shape=each(kernel, rank), strides=each(stride, rank), pads=pads(padding, rank),
        dilations=each(dilation, rank),
    )  # fmt: skip


def each(sizes: Any, rank: int) -> list[int]:
    given = [sizes] if isinstance(sizes, int) else list(sizes)
    return given * rank if len(given) == 1 else given


@kind("conv_transpose1d", "conv_transpose2d")
def conv_transpose(
    at: Place, channels: int, kernel: Any, groups: int = 1, bias: bool = True, stride: Any = 1,
    padding: Any = 0, dilation: Any = 1, output_padding: Any = 0,
) -> None:  # fmt: skip
    rank = len(at.shape()) - 1
    at.end(
        "ConvTranspose", at.spread(0), at.param("weight"), *([at.param("bias")] if bias else []),
        group=groups, kernel_shape=each(kernel, rank), strides=each(stride, rank), pads=pads(padding, rank),
        dilations=each(dilation, rank), output_padding=each(output_padding, rank),
    )  # fmt: skip


def pads(padding: Any, rank: int) -> list[int]:
    """Return the places before each axis, then those after each."""
    pairs = [[places, places] if isinstance(places, int) else places for places in each(padding, rank)]
    return [before for before, _ in pairs] + [after for _, after in pairs]
