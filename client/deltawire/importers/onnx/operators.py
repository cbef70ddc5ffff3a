"""ONNX operators as layers. Each takes the site of a node, its inputs, and its attributes by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from deltawire.importers import steps
from deltawire.importers.builder import Shape, Site, Stored, Value
from deltawire.importers.named import Named

OPERATORS = Named()
operator = OPERATORS.register


def pointwise(kind: str) -> Callable[..., Value]:
    return lambda at, x: at.layer(kind, x)


OPERATORS |= {
    name: pointwise(kind)
    for name, kind in {
        "Exp": "exp", "Log": "log", "Neg": "negate", "Reciprocal": "reciprocal", "Relu": "relu",
        "Sigmoid": "sigmoid", "Softplus": "softplus", "Sqrt": "sqrt", "Tanh": "tanh",
    }.items()
}  # fmt: skip


@operator("Elu")
def elu(at: Site, x: Value, *, alpha: float = 1.0) -> Value:
    return at.layer("elu", x, alpha=alpha)


@operator("LeakyRelu")
def leaky_relu(at: Site, x: Value, *, alpha: float = 0.01) -> Value:
    return at.layer("leaky_relu", x, slope=alpha)


@operator("Gelu")
def gelu(at: Site, x: Value, *, approximate: str = "none") -> Value:
    if approximate != "none":
        at.refuse(f"approximate='{approximate}': the layer gelu is the exact one")
    return at.layer("gelu", x)


@operator("Swish")
def swish(at: Site, x: Value, *, alpha: float = 1.0) -> Value:
    if alpha != 1:
        at.refuse(f"alpha={alpha}: the layer silu has 1")
    return at.layer("silu", x)


@operator("Pow")
def power(at: Site, x: Value, exponent: Any) -> Value:
    if not isinstance(exponent, Stored) or exponent.array.size != 1:
        at.refuse("the exponent of the layer power is one number")
    return at.layer("power", x, exponent=float(exponent.array.reshape(())))


@operator("Identity")
def identity(at: Site, x: Value) -> Value:
    return at.layer("identity", x)


@operator("Dropout")
def dropout(at: Site, x: Value, ratio: Any = None, training: Any = None, *, seed: int = 0) -> Value:
    if training is not None and not (isinstance(training, Stored) and not training.array.any()):
        at.refuse("drops numbers at random, in training mode")
    return x


@operator("Add", "Mul", "Sub", "Div")
def of_two(at: Site, a: Any, b: Any) -> Value:
    kinds = {"Add": "add", "Mul": "multiply", "Sub": "subtract", "Div": "divide"}
    return steps.of_two(at, kinds[at.function], a, b)


@operator("Max", "Min")
def extreme(at: Site, *values: Value) -> Value:
    kind, out = {"Max": "maximum", "Min": "minimum"}[at.function], at.shape()
    first, *others = (x if isinstance(x, Value) else at.constant(x, out) for x in values)
    for place, other in enumerate(others):
        last = place == len(others) - 1
        first = at.layer(kind, first, other) if last else at.step(kind, first, other, out=out)
    return first


@operator("Sum")
def added(at: Site, *values: Value) -> Value:
    return at.layer("add", *values)


@operator("Gemm")
def gemm(
    at: Site, x: Value, weight: Any, bias: Any = None, *, alpha: float = 1.0, beta: float = 1.0,
    transA: int = 0, transB: int = 0,
) -> Value:  # fmt: skip
    if alpha != 1 or (beta != 1 and bias is not None) or transA or not isinstance(weight, Stored):
        at.refuse("alpha, beta, transA, or a matrix that is computed: the layer linear is W x + b")
    weight = weight if transB else weight.transposed()
    units = weight.array.shape[0]
    if bias is not None and not (isinstance(bias, Stored) and bias.array.size == units):
        at.refuse(f"its C is no bias of {units} numbers")
    named = {"weight": weight, "bias": bias.shaped((units,)) if bias is not None else None}
    return at.layer("linear", x, params=named, units=units, bias=bias is not None)


@operator("MatMul")
def matmul(at: Site, a: Any, b: Any) -> Value:
    if isinstance(b, Stored) and b.array.ndim == 2:
        return at.layer("linear", a, params={"weight": b.transposed()}, units=b.array.shape[1], bias=False)
    return at.layer("matmul", a, b)


def affine(at: Site, x: Value, weight: Stored, bias: Stored) -> Value:
    """x W + b, which ONNX writes as two nodes: MatMul, and the Add at this site."""
    units = weight.array.shape[1]
    return at.layer("linear", x, params={"weight": weight.transposed(), "bias": bias}, units=units)


@operator("Gather")
def gather(at: Site, rows: Any, index: Any, *, axis: int = 0) -> Value:
    if isinstance(rows, Stored) and isinstance(index, Value) and rows.array.ndim == 2 and axis == 0:
        count, width = rows.array.shape
        return at.layer("embedding", index, params={"weight": rows}, rows=count, width=width)
    if isinstance(rows, Value) and isinstance(index, Stored) and index.array.size == 1:
        place = int(index.array.reshape(()))
        return at.reshaped(steps.part(at, rows, at.axis(axis, len(rows.shape)), place, place + 1 or None))
    return at.refuse("is neither rows of an initializer nor one place along an axis")


@operator("Slice")
def cut(at: Site, x: Value, starts: Any, ends: Any, axes: Any = None, strides: Any = None) -> Value:
    if not all(isinstance(one, Stored | None) for one in (starts, ends, axes, strides)):
        at.refuse("its bounds are computed: those of the layer slice are numbers")
    along = range(len(starts.array)) if axes is None else axes.array.tolist()
    if strides is not None and (strides.array != 1).any():
        at.refuse("its steps are not 1")
    for axis, start, stop in zip(along, starts.array.tolist(), ends.array.tolist(), strict=True):
        x = steps.part(at, x, at.axis(axis, len(x.shape)), start, stop)
    return x


@operator("Split")
def split(at: Site, x: Value, sizes: Any = None, *, axis: int = 0, num_outputs: int = 0) -> tuple[Value, ...]:
    return steps.parts(at, x, at.axis(axis, len(x.shape)))


@operator("Concat")
def concat(at: Site, *values: Value, axis: int) -> Value:
    return at.layer("concat", *values, axis=at.axis(axis, len(at.shape())))


@operator("Reshape", "Flatten", "Squeeze", "Unsqueeze")
def reshape(at: Site, x: Value, shape: Any = None, *, axis: int = 1, allowzero: int = 0) -> Value:
    """Where the numbers go is known from the shapes of what comes out."""
    return at.reshaped(x)


@operator("Transpose")
def transpose(at: Site, x: Value, *, perm: list[int] | None = None) -> Value:
    if not perm or perm[0] != 0:
        at.refuse("moves the batch away from the leading axis")
    return at.layer("transpose", x, axes=[axis - 1 for axis in perm[1:]])


@operator("ReduceSum", "ReduceMean", "ReduceMax")
def reduce(
    at: Site, x: Value, axes: Any = None, *, keepdims: int = 1, noop_with_empty_axes: int = 0
) -> Value:
    given = axes.array.tolist() if isinstance(axes, Stored) else axes
    if not given:
        at.refuse("reduces the batch too, and examples are independent of each other: name its axes")
    kind = {"ReduceSum": "sum", "ReduceMean": "mean", "ReduceMax": "max"}[at.function]
    return steps.reduced(at, kind, x, [at.axis(one, len(x.shape)) for one in given])


@operator("Softmax", "LogSoftmax")
def softmax(at: Site, x: Value, *, axis: int = -1) -> Value:
    kind = {"Softmax": "softmax", "LogSoftmax": "log_softmax"}[at.function]
    return steps.along(at, kind, x, at.axis(axis, len(x.shape)))


@operator("LayerNormalization")
def layer_norm(
    at: Site, x: Value, scale: Any, bias: Any = None, *, axis: int = -1, epsilon: float = 1e-5,
    stash_type: int = 1,
) -> Value:  # fmt: skip
    if at.axis(axis, len(x.shape)) != len(x.shape) - 1:
        at.refuse(f"axis={axis}: the layer norms along the last axis only")
    if bias is None:
        at.refuse("has no B: the layer has both a scale and a bias")
    return at.layer("layer_norm", x, params={"weight": scale, "bias": bias}, eps=epsilon)


@operator("RMSNormalization")
def rms_norm(
    at: Site, x: Value, scale: Any, *, axis: int = -1, epsilon: float = 1e-5, stash_type: int = 1
) -> Value:
    if at.axis(axis, len(x.shape)) != len(x.shape) - 1:
        at.refuse(f"axis={axis}: the layer norms along the last axis only")
    return at.layer("rms_norm", x, params={"weight": scale}, eps=epsilon)


@operator("GroupNormalization")
def group_norm(
    at: Site, x: Value, scale: Any, bias: Any, *, num_groups: int, epsilon: float = 1e-5, stash_type: int = 1
) -> Value:
    if scale.array.shape != x.shape[:1]:
        at.refuse("its scale has not one number for each channel, as of opset 21")
    return at.layer("group_norm", x, params={"weight": scale, "bias": bias}, groups=num_groups, eps=epsilon)


@operator("InstanceNormalization")
def instance_norm(at: Site, x: Value, scale: Any, bias: Any, *, epsilon: float = 1e-5) -> Value:
    return at.layer("group_norm", x, params={"weight": scale, "bias": bias}, groups=x.shape[0], eps=epsilon)


@operator("BatchNormalization")
def batch_norm(
    at: Site, x: Value, scale: Any, bias: Any, mean: Any, var: Any, *, epsilon: float = 1e-5,
    momentum: float = 0.9, training_mode: int = 0,
) -> Value:  # fmt: skip
    if training_mode:
        at.refuse("statistics of the batch would make its examples depend on each other")
    statistics = [at.constant(one, x.shape[:1]) for one in (mean, var)]
    return at.layer("batch_norm", x, *statistics, params={"weight": scale, "bias": bias}, eps=epsilon)


@operator("Conv")
def conv(
    at: Site, x: Value, weight: Any, bias: Any = None, *, auto_pad: str = "NOTSET", group: int = 1,
    dilations: list[int] | None = None, kernel_shape: list[int] | None = None,
    pads: list[int] | None = None, strides: list[int] | None = None,
) -> Value:  # fmt: skip
    channels, _, *kernel = weight.array.shape
    rank = len(kernel)
    if rank > 2:
        at.refuse(f"has {rank} axes: there are conv1d and conv2d")
    return at.layer(
        f"conv{rank}d", x, params={"weight": weight, "bias": bias}, channels=channels, kernel=kernel,
        stride=strides or [1] * rank, padding=padding(at, auto_pad, pads, rank),
        dilation=dilations or [1] * rank, groups=group, bias=bias is not None,
    )  # fmt: skip


def padding(at: Site, auto_pad: str, pads: list[int] | None, rank: int) -> list[int]:
    """Zeros at either end, for each axis. Raises Refused when the ends are not alike."""
    before, after = (pads or [0] * 2 * rank)[:rank], (pads or [0] * 2 * rank)[rank:]
    if auto_pad not in ("NOTSET", "VALID") or before != after:
        at.refuse(f"auto_pad={auto_pad}, pads={pads}: the layer pads both ends alike")
    return before


@operator("MaxPool", "AveragePool")
def pool(
    at: Site, x: Value, *, kernel_shape: list[int], auto_pad: str = "NOTSET", ceil_mode: int = 0,
    count_include_pad: int = 0, dilations: list[int] | None = None, pads: list[int] | None = None,
    storage_order: int = 0, strides: list[int] | None = None,
) -> Value:  # fmt: skip
    zeros = padding(at, auto_pad, pads, len(kernel_shape))
    uncounted = at.function == "AveragePool" and any(zeros) and not count_include_pad
    if len(kernel_shape) != 2 or ceil_mode or uncounted or any(one != 1 for one in dilations or []):
        at.refuse("ceil_mode, dilations, no count_include_pad, or windows of other than 2 axes have no layer")
    kind = {"MaxPool": "max_pool2d", "AveragePool": "avg_pool2d"}[at.function]
    apart = strides or [1, 1]
    stride = None if apart == kernel_shape else apart
    return at.layer(kind, x, kernel=kernel_shape, stride=stride, padding=zeros)


@operator("GlobalAveragePool", "GlobalMaxPool")
def global_pool(at: Site, x: Value) -> Value:
    places: Shape = x.shape[1:]
    if len(places) != 2:
        at.refuse(f"pools {len(places)} axes: the layers pool 2")
    kind = {"GlobalAveragePool": "avg_pool2d", "GlobalMaxPool": "max_pool2d"}[at.function]
    return at.layer(kind, x, kernel=list(places))
