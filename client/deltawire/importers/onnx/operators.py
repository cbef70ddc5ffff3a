"""Translate ONNX operators to layers: functions of a node's site, its inputs, and its attributes by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from deltawire.importers import steps
from deltawire.importers.arguments import Default, Harmless, Shown
from deltawire.importers.builder import Rows, Shape, Stored, Value
from deltawire.importers.named import Named
from deltawire.importers.site import Site

OPERATORS = Named()
operator = OPERATORS.register


def pointwise(kind: str) -> Callable[..., Value]:
    def translate(at: Site, x: Value) -> Value:
        return at.layer(kind, x)

    return translate


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
def gelu(at: Site, x: Value, *, approximate: Default = "none") -> Value:
    return at.layer("gelu", x)


@operator("Swish")
def swish(at: Site, x: Value, *, alpha: Default = 1.0) -> Value:
    return at.layer("silu", x)


@operator("Pow")
def power(at: Site, x: Value, exponent: Stored) -> Value:
    return at.layer("power", x, exponent=at.number(exponent, "exponent"))


@operator("Identity")
def identity(at: Site, x: Value) -> Value:
    return at.layer("identity", x)


@operator("Dropout")
def dropout(
    at: Site, x: Value, ratio: Harmless = None, training: Stored | None = None, *, seed: Harmless = 0
) -> Value:
    if training is not None and training.array.any():
        at.refuse("drops numbers at random, in training mode")
    return x


@operator("Add", "Mul", "Sub", "Div")
def of_two(at: Site, a: Any, b: Any) -> Value:
    kinds = {"Add": "add", "Mul": "multiply", "Sub": "subtract", "Div": "divide"}
    return steps.of_two(at, kinds[at.function], a, b)


@operator("Max", "Min")
def extreme(at: Site, *values: Any) -> Value:
    kind, out = {"Max": "maximum", "Min": "minimum"}[at.function], at.shape()
    first, *others = (steps.operand(at, x, out) for x in values)
    for place, other in enumerate(others):
        last = place == len(others) - 1
        first = at.layer(kind, first, other) if last else at.step(kind, first, other, out=out)
    return first


@operator("Sum")
def added(at: Site, *values: Any) -> Value:
    if len(values) == 2:
        return steps.of_two(at, "add", *values)
    return at.layer("add", *(steps.operand(at, x, at.shape()) for x in values))


@operator("Gemm")
def gemm(
    at: Site, x: Value, weight: Stored, bias: Stored | None = None, *, alpha: Default = 1.0,
    beta: float = 1.0, transA: Default = 0, transB: int = 0,
) -> Value:  # fmt: skip
    if beta != 1 and bias is not None:
        at.refuse(f"beta={beta}: the layer linear is W x + b")
    return steps.linear(at, x, weight if transB else weight.transposed(), bias)


@operator("MatMul")
def matmul(at: Site, a: Any, b: Any) -> Value:
    if isinstance(a, Value) and isinstance(b, Stored) and b.array.ndim == 2:
        return steps.linear(at, a, b.transposed())
    return at.layer("matmul", a, b)


@operator("Gather")
def gather(at: Site, rows: Any, index: Any, *, axis: int = 0) -> Value | Rows:
    if isinstance(rows, Stored) and isinstance(index, Value | Stored) and rows.array.ndim == 2 and axis == 0:
        return steps.embedding(at, index, rows)
    if isinstance(rows, Value) and isinstance(index, Stored) and index.array.size == 1:
        place = int(at.number(index, "index"))
        return at.reshaped(steps.part(at, rows, at.axis(axis, len(rows.shape)), place, place + 1 or None))
    return at.refuse("is neither rows of an initializer nor one place along an axis")


@operator("Slice")
def cut(
    at: Site,
    x: Value,
    starts: Stored,
    ends: Stored,
    axes: Stored | None = None,
    strides: Stored | None = None,
) -> Value:
    along = range(len(starts.array)) if axes is None else axes.array.tolist()
    if strides is not None and (strides.array != 1).any():
        at.refuse("its steps are not 1")
    for axis, start, stop in zip(along, starts.array.tolist(), ends.array.tolist(), strict=True):
        x = steps.part(at, x, at.axis(axis, len(x.shape)), start, stop)
    return x


@operator("Split")
def split(
    at: Site, x: Value, sizes: Shown = None, *, axis: int = 0, num_outputs: Shown = 0
) -> tuple[Value, ...]:
    return steps.parts(at, x, at.axis(axis, len(x.shape)))


@operator("Concat")
def concat(at: Site, *values: Value, axis: int) -> Value:
    return at.layer("concat", *values, axis=at.axis(axis, len(at.shape())))


@operator("Reshape", "Flatten", "Squeeze", "Unsqueeze")
def reshape(at: Site, x: Value | Rows, *, axis: Shown = 1, allowzero: Shown = 0) -> Value | Rows:
    """Reshape to the shape of the result; the other inputs add nothing to it."""
    return steps.with_leading_ones(at, x) if isinstance(x, Rows) else at.reshaped(x)


@operator("Transpose")
def transpose(at: Site, x: Value, *, perm: list[int] | None = None) -> Value:
    if not perm or perm[0] != 0:
        at.refuse("moves the batch away from the leading axis")
    return at.layer("transpose", x, axes=[axis - 1 for axis in perm[1:]])


@operator("ReduceSum", "ReduceMean", "ReduceMax")
def reduce(
    at: Site, x: Value, axes: Stored | list[int] | None = None, *, keepdims: Shown = 1,
    noop_with_empty_axes: Default = 0,
) -> Value:  # fmt: skip
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
    at: Site, x: Value, scale: Stored, bias: Stored | None = None, *, axis: int = -1, epsilon: float = 1e-5,
    stash_type: Harmless = 1,
) -> Value:  # fmt: skip
    """Normalize along the last axis; stash_type is the precision of the mean."""
    last = len(x.shape) - 1
    if at.axis(axis, len(x.shape)) != last:
        at.refuse(f"axis={axis}: the layer norms along the last axis only")
    return steps.normed(at, "layer_norm", x, channels=last, weight=scale, bias=bias, eps=epsilon)


@operator("RMSNormalization")
def rms_norm(
    at: Site, x: Value, scale: Stored, *, axis: int = -1, epsilon: float = 1e-5, stash_type: Harmless = 1
) -> Value:
    if at.axis(axis, len(x.shape)) != len(x.shape) - 1:
        at.refuse(f"axis={axis}: the layer norms along the last axis only")
    return steps.scaled_norm(at, x, scale, epsilon)


@operator("GroupNormalization")
def group_norm(
    at: Site, x: Value, scale: Stored, bias: Stored, *, num_groups: int, epsilon: float = 1e-5,
    stash_type: Harmless = 1,
) -> Value:  # fmt: skip
    if scale.array.shape != x.shape[:1]:
        at.refuse("its scale has not one number for each channel, as of opset 21")
    settings = {"groups": num_groups, "eps": epsilon}
    return steps.normed(at, "group_norm", x, channels=0, weight=scale, bias=bias, **settings)


@operator("InstanceNormalization")
def instance_norm(at: Site, x: Value, scale: Stored, bias: Stored, *, epsilon: float = 1e-5) -> Value:
    settings = {"groups": x.shape[0], "eps": epsilon}
    return steps.normed(at, "group_norm", x, channels=0, weight=scale, bias=bias, **settings)


@operator("BatchNormalization")
def batch_norm(
    at: Site, x: Value, scale: Stored, bias: Stored, mean: Stored, var: Stored, *, epsilon: float = 1e-5,
    momentum: Harmless = 0.9, training_mode: int = 0,
) -> Value:  # fmt: skip
    if training_mode:
        at.refuse("statistics of the batch would make its examples depend on each other")
    statistics = [at.constant(one, x.shape[:1]) for one in (mean, var)]
    settings: dict[str, Any] = {"weight": scale, "bias": bias, "eps": epsilon}
    return steps.normed(at, "batch_norm", x, *statistics, channels=0, **settings)


@operator("Conv")
def conv(
    at: Site, x: Value, weight: Stored, bias: Stored | None = None, *, auto_pad: str = "NOTSET",
    group: int = 1, dilations: list[int] | None = None, kernel_shape: list[int] | None = None,
    pads: list[int] | None = None, strides: list[int] | None = None,
) -> Value:  # fmt: skip
    channels, _, *kernel = weight.array.shape
    rank = len(kernel)
    if rank > 2:
        at.refuse(f"has {rank} axes: there are conv1d and conv2d")
    if kernel_shape not in (None, kernel):
        at.refuse(f"kernel_shape={kernel_shape}, and its weight is of {list(weight.array.shape)}")
    return at.layer(
        f"conv{rank}d", x, params={"weight": weight, "bias": bias}, channels=channels, kernel=kernel,
        stride=strides or [1] * rank, padding=_padding(at, auto_pad, pads, rank),
        dilation=dilations or [1] * rank, groups=group, bias=bias is not None,
    )  # fmt: skip


def _padding(at: Site, auto_pad: str, pads: list[int] | None, rank: int) -> list[int]:
    """Return the number of zeros at each end of each axis. Raises Refused when the two ends differ."""
    before, after = (pads or [0] * 2 * rank)[:rank], (pads or [0] * 2 * rank)[rank:]
    if auto_pad not in ("NOTSET", "VALID") or before != after:
        at.refuse(f"auto_pad={auto_pad}, pads={pads}: the layer pads both ends alike")
    return before


@operator("MaxPool", "AveragePool")
def pool(
    at: Site, x: Value, *, kernel_shape: list[int], auto_pad: str = "NOTSET", ceil_mode: Default = 0,
    count_include_pad: int = 0, dilations: list[int] | None = None, pads: list[int] | None = None,
    storage_order: Harmless = 0, strides: list[int] | None = None,
) -> Value:  # fmt: skip
    """Pool with windows of two axes; storage_order affects the indices only, which no layer returns."""
    zeros = _padding(at, auto_pad, pads, len(kernel_shape))
    uncounted = at.function == "AveragePool" and any(zeros) and not count_include_pad
    if len(kernel_shape) != 2 or uncounted or any(one != 1 for one in dilations or []):
        at.refuse("dilations, no count_include_pad, or windows of other than 2 axes have no layer")
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
