"""Translate torch's functions to layers, by the names that torch.fx, torch.export and tensor methods share.

Each takes the site of a call and the arguments of torch's function; a call with any other is refused.
"""

from __future__ import annotations

from typing import Any

from deltawire.importers import steps
from deltawire.importers.arguments import Default, Harmless, Shown
from deltawire.importers.named import Named
from deltawire.importers.operands import Reduced, Shape, Stored, Unbatched, Value
from deltawire.importers.reductions import combined
from deltawire.importers.site import Site

FUNCTIONS = Named()
"""Translations by name; `aten.` marks ATen's functions with another order of arguments."""

function = FUNCTIONS.register


@function("pow")
def power(at: Site, x: Value, exponent: Any) -> Value:
    return at.layer("power", x, exponent=at.number(exponent, "exponent"))


@function("square")
def square(at: Site, x: Value) -> Value:
    return at.layer("multiply", x, x)


@function("rsqrt")
def rsqrt(at: Site, x: Value) -> Value:
    return at.layer("power", x, exponent=-0.5)


@function("identity", "contiguous", "clone", "alias")
def identity(at: Site, x: Value, memory_format: Harmless = None) -> Value:
    return x


@function("to", "_to_copy", "float", "double", "type", "type_as")
def cast(at: Site, x: Value, *_: Harmless, **__: Harmless) -> Value:
    """Return x itself; the dtype of the result shows when it is another."""
    if x.whole:
        at.refuse("computes with whole numbers: layers take them as indices only")
    return x


@function("torchvision.ops.stochastic_depth.stochastic_depth")
def stochastic_depth(at: Site, x: Value, p: float, mode: Harmless, training: bool = True) -> Value:
    return dropout(at, x, p, training)


@function("dropout", "feature_dropout", "dropout2d")
def dropout(at: Site, x: Value, p: float = 0.5, training: bool = True, inplace: Harmless = False) -> Value:
    if training and p:
        at.refuse("drops numbers at random; networks are imported as they are in eval mode")
    return x


def of_two(at: Site, kind: str, a: Any, b: Any) -> Value | Reduced:
    """Add a layer of two inputs, of which the whole batch may have one or both.

    Args:
        at: The operation.
        kind: The kind of the layer, such as `add`.
        a, b: The inputs.
    """
    if isinstance(a, Reduced) or isinstance(b, Reduced):
        return combined(at, kind, a, b)
    return steps.of_two(at, kind, a, b)


@function("add", "iadd", "add_", "__add__", "__radd__")
def add(at: Site, a: Any, b: Any, *, alpha: float = 1) -> Value | Reduced:
    if alpha != 1:
        at.refuse(f"alpha={alpha}: the layer add takes its inputs as they are")
    return of_two(at, "add", a, b)


@function("mul", "imul", "mul_", "multiply", "__mul__", "__rmul__")
def mul(at: Site, a: Any, b: Any) -> Value | Reduced:
    return of_two(at, "multiply", a, b)


@function("sub", "isub", "sub_", "subtract")
def sub(at: Site, a: Any, b: Any, *, alpha: float = 1) -> Value | Reduced:
    if alpha != 1:
        at.refuse(f"alpha={alpha}: the layer subtract takes its inputs as they are")
    return of_two(at, "subtract", a, b)


@function("rsub")
def rsub(at: Site, a: Any, b: Any) -> Value | Reduced:
    return of_two(at, "subtract", b, a)


@function("div", "truediv", "itruediv", "div_", "divide", "true_divide")
def div(at: Site, a: Any, b: Any, *, rounding_mode: Default = None) -> Value | Reduced:
    return of_two(at, "divide", a, b)


@function("maximum", "minimum")
def extreme(at: Site, a: Any, b: Any) -> Value:
    return steps.of_two(at, at.function, a, b)


@function("matmul", "bmm", "mm", "__matmul__")
def matmul(at: Site, a: Any, b: Any) -> Value:
    if isinstance(a, Value) and isinstance(b, Stored) and b.array.ndim == 2:
        return steps.linear(at, a, b.transposed())
    if isinstance(a, Value) and isinstance(b, Value) and at.batched and len(a.shape) == len(b.shape) == 1:
        at.refuse("a product of two vectors of the whole batch: examples are independent of each other")
    return steps.product(at, a, b)


@function("addmm")
def addmm(
    at: Site, input: Stored, mat1: Value, mat2: Stored, *, beta: Default = 1, alpha: Default = 1
) -> Value:
    return steps.linear(at, mat1, mat2.transposed(), input)


@function("linear")
def linear(at: Site, x: Value, weight: Stored, bias: Stored | None = None) -> Value:
    return steps.linear(at, x, weight, bias)


@function("einsum", "torch.functional.einsum")
def einsum(at: Site, equation: str, *operands: Any) -> Value:
    """Add a product over letters; the batch is the first letter of each value, and of the result."""
    given = operands[0] if len(operands) == 1 and isinstance(operands[0], tuple | list) else operands
    before, arrow, out = equation.replace(" ", "").partition("->")
    terms = before.split(",")
    batch = out[:1]
    rest = "".join(term[1:] if isinstance(x, Value) else term for term, x in zip(terms, given, strict=True))
    firsts = {term[:1] for term, x in zip(terms, given, strict=True) if isinstance(x, Value)}
    if not arrow or "." in equation or not at.batched or firsts != {batch} or batch in rest + out[1:]:
        at.refuse(f"{equation!r}: expected a result whose first letter, as that of all values, is the batch")
    values, left = [], []
    for term, x in zip(terms, given, strict=True):
        left.append(term[1:] if isinstance(x, Value) else term)
        values.append(_factor(at, x))
    return at.layer("einsum", *values, equation=f"{','.join(left)}->{out[1:]}")


def _factor(at: Site, x: Any) -> Value:
    """Return a factor of a product as a value, in the shape that it has."""
    if isinstance(x, Unbatched):
        return x.value
    if not isinstance(x, Stored):
        return x if isinstance(x, Value) else at.refuse(f"expected a tensor, got {x!r:.40}")
    return at.learned(x) if x.kept else at.constant(x, x.array.shape)


@function("bilinear")
def bilinear(at: Site, a: Value, b: Value, weight: Stored, bias: Stored | None = None) -> Value:
    """Add Σ a W b + c; the matrices W are a learned input, (units, n, m)."""
    if not weight.kept:
        at.refuse(f"expected a parameter that is learned, got '{weight.name}'")
    rows = "xyz"[: len(a.shape) - 1]
    equation = f"{rows}i,oij,{rows}j->{rows}o"
    y = at.step("einsum", a, at.learned(weight), b, out=at.shape(), equation=equation)
    return y if bias is None else steps.of_two(at, "add", y, bias)


@function("embedding")
def embedding(
    at: Site, index: Value | Stored, weight: Stored, padding_idx: int | None = None, max_norm: Default = None,
    norm_type: Harmless = 2.0, scale_grad_by_freq: Default = False, sparse: Harmless = False,
) -> Value:  # fmt: skip
    """Look up rows of a table; sparse only changes the format of gradients, norm_type belongs to max_norm."""
    if padding_idx is not None and padding_idx < 0:
        padding_idx += len(weight.array)
    return steps.embedding(at, index, weight, padding_idx)


@function("aten.embedding")
def aten_embedding(
    at: Site, weight: Stored, index: Value | Stored, padding_idx: int = -1,
    scale_grad_by_freq: Default = False, sparse: Harmless = False,
) -> Value:  # fmt: skip
    return steps.embedding(at, index, weight, None if padding_idx < 0 else padding_idx)


@function("softmax", "log_softmax")
def softmax(at: Site, x: Value, dim: int, dtype: Shown = None, *, _stacklevel: Harmless = 3) -> Value:
    return steps.along(at, at.function, x, at.axis(dim, len(x.shape)))


@function("softmin")
def softmin(at: Site, x: Value, dim: int, dtype: Shown = None, *, _stacklevel: Harmless = 3) -> Value:
    return steps.along(at, "softmax", at.step("negate", x, out=x.shape), at.axis(dim, len(x.shape)))


@function("where")
def where(at: Site, mask: Stored, a: Any, b: Any) -> Value:
    out = at.shape()
    return at.layer("where", _mask(at, mask, out), *(steps.operand(at, x, out) for x in (a, b)))


@function("masked_fill", "masked_fill_")
def masked_fill(at: Site, x: Value, mask: Stored, value: Any) -> Value:
    number = at.number(value, "value")
    return at.layer("masked_fill", x, _mask(at, mask, at.shape()), value=number)


def _mask(at: Site, mask: Stored, shape: Shape) -> Value:
    """Return a mask as integers, 1 where it is true. Raises Refused when it has other numbers."""
    if mask.array.dtype.kind != "b":
        at.refuse(f"expected True and False as the mask, got '{mask.name}' of {mask.array.dtype}")
    return at.constant(mask, shape, f"{at.name}_mask", whole=True)
