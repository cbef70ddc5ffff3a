"""Translate ONNX operators that combine several inputs: number by number, as matrices, or by a mask."""

from __future__ import annotations

from string import ascii_lowercase
from typing import Any

import numpy as np

from deltawire.importers import steps
from deltawire.importers.onnx.node_site import NodeSite
from deltawire.importers.onnx.operators.table import operator
from deltawire.importers.operands import Stored, Unbatched, Value


@operator("Add", "Mul", "Sub", "Div")
def of_two(at: NodeSite, a: Any, b: Any) -> Value:
    kinds = {"Add": "add", "Mul": "multiply", "Sub": "subtract", "Div": "divide"}
    return steps.of_two(at, kinds[at.function], a, b)


@operator("Max", "Min")
def extreme(at: NodeSite, *values: Any) -> Value:
    kind, out = {"Max": "maximum", "Min": "minimum"}[at.function], at.shape()
    first, *others = (steps.operand(at, x, out) for x in values)
    if not others:
        return at.layer("identity", first)
    for place, other in enumerate(others):
        last = place == len(others) - 1
        first = at.layer(kind, first, other) if last else at.step(kind, first, other, out=out)
    return first


@operator("Sum")
def added(at: NodeSite, *values: Any) -> Value:
    if len(values) == 2:
        return steps.of_two(at, "add", *values)
    return at.layer("add", *(steps.operand(at, x, at.shape()) for x in values))


@operator("Mean")
def mean(at: NodeSite, *values: Any) -> Value:
    total = at.step("add", *(steps.operand(at, x, at.shape()) for x in values), out=at.shape())
    return at.layer("affine", total, scale=1 / len(values))


@operator("Where")
def where(at: NodeSite, condition: Any, a: Any, b: Any) -> Value:
    mask = condition
    if not isinstance(condition, Value):
        mask = at.constant(condition, at.shape(), whole=True)
    return at.layer("where", mask, *(steps.operand(at, x, at.shape()) for x in (a, b)))


@operator("Gemm")
def gemm(
    at: NodeSite, a: Any, b: Any, c: Any = None, *, alpha: float = 1.0, beta: float = 1.0, transA: int = 0,
    transB: int = 0,
) -> Value:  # fmt: skip
    at.require_leading_batch()
    if at.batched and (transA or not isinstance(a, Value) or isinstance(b, Value)):
        at.refuse("multiplies by the transposed batch, or by a matrix that is computed from it")
    plain = isinstance(a, Value) and isinstance(b, Stored) and not transA and alpha == 1
    if plain and (c is None or (beta == 1 and isinstance(c, Stored) and _is_row(c, at.shape()[-1]))):
        return steps.linear(at, a, b if transB else b.transposed(), c)
    product = _product(at, _matrix(at, a, transA), _matrix(at, b, transB), alpha, c is None)
    if c is None:
        return product
    if beta == 1:
        return steps.of_two(at, "add", product, c)
    scaled = at.step("affine", steps.operand(at, c, at.shape()), out=at.shape(), scale=beta)
    return at.layer("add", product, scaled)


def _is_row(stored: Stored, size: int) -> bool:
    return stored.array.shape[-1:] == (size,) and stored.array.size == size


def _matrix(at: NodeSite, x: Any, transposed: int) -> Value:
    """Return a factor as a value, (n, k), transposed where the node says so; (k,) for a row of a batch."""
    if not isinstance(x, Value):
        x = steps.operand(at, x, x.value.shape if isinstance(x, Unbatched) else x.array.shape)
    return at.step("transpose", x, out=x.shape[::-1], axes=[1, 0]) if transposed else x


def _product(at: NodeSite, a: Value, b: Value, alpha: float, last: bool) -> Value:
    out = at.shape()
    rows = at.view(a, (1, *a.shape)) if len(a.shape) == 1 else a
    y = at.step("matmul", rows, b, out=(rows.shape[0], out[-1]))
    y = at.view(y, out)
    if alpha == 1:
        return at.layer("identity", y) if last else y
    return at.layer("affine", y, scale=alpha) if last else at.step("affine", y, out=out, scale=alpha)


@operator("MatMul")
def matmul(at: NodeSite, a: Any, b: Any) -> Value:
    ranks = [_rank(at, x) for x in (a, b)]
    batch_of_a, batch_of_b = (
        x.axis - rank if isinstance(x, Value) and at.batched else None
        for x, rank in zip((a, b), ranks, strict=True)
    )
    if batch_of_a == -1 or batch_of_b in (-1, -2):
        at.refuse("sums over the batch, or multiplies by it")
    if isinstance(a, Value) and isinstance(b, Stored) and b.array.ndim == 2:
        return steps.linear(at, a, b.transposed())
    if batch_of_a == -2 and isinstance(b, Value):
        at.refuse("multiplies rows of several examples by a matrix of each")
    if 1 in ranks:
        return _vector_product(at, a, b, ranks)
    return steps.product(at, a, b)


def _rank(at: NodeSite, x: Any) -> int:
    """Return the number of axes of an input in the model."""
    if isinstance(x, Value):
        return len(x.shape) + at.batched
    return len(x.value.shape if isinstance(x, Unbatched) else x.array.shape)


def _vector_product(at: NodeSite, a: Any, b: Any, ranks: list[int]) -> Value:
    """Add a product of a vector, (k,), by an einsum over k."""
    values = [x if isinstance(x, Value) else steps.operand(at, x, np.shape(_array(x))) for x in (a, b)]
    left, right = ([*letters] for letters in _letters(len(values[0].shape), len(values[1].shape)))
    if ranks[0] == 1:
        left = ["k"]
    if ranks[1] == 1:
        right = ["k"]
    out = [letter for letter in (left if ranks[1] == 1 else right) if letter != "k"]
    return at.layer("einsum", *values, equation=f"{''.join(left)},{''.join(right)}->{''.join(out)}")


def _array(x: Any) -> Any:
    return np.empty(x.value.shape) if isinstance(x, Unbatched) else x.array


def _letters(left: int, right: int) -> tuple[str, str]:
    """Return the axes of two factors whose leading axes are the same, and whose inner axis is k."""
    free = [letter for letter in ascii_lowercase if letter not in "kmn"]
    first = [*free[: max(left - 2, 0)], "n", "k"][-left:] if left else []
    second = [*free[: max(right - 2, 0)], "k", "m"][-right:] if right else []
    return "".join(first), "".join(second)


@operator("Einsum")
def einsum(at: NodeSite, *values: Any, equation: str) -> Value:
    terms, _, result = _explicit(equation.replace(" ", "")).partition("->")
    letters = terms.split(",")
    ranks = [_rank(at, x) for x in values]
    longest = max(rank - len(term.replace("...", "")) for rank, term in zip(ranks, letters, strict=True))
    ellipsis = "".join(letter for letter in ascii_lowercase[::-1] if letter not in equation.lower())[:longest]
    written = []
    for rank, term in zip(ranks, letters, strict=True):
        own = rank - len(term.replace("...", ""))
        written.append(term.replace("...", ellipsis[len(ellipsis) - own :] if own else ""))
    result = result.replace("...", ellipsis)
    batches = {
        term[x.axis] for x, term in zip(values, written, strict=True) if isinstance(x, Value) and at.batched
    }
    if len(batches) > 1 or not batches.issubset(result):
        at.refuse(f"sums over the batch, or multiplies examples with each other: {equation}")
    if any(len(set(term)) != len(term) for term in (*written, result)):
        at.refuse(f"takes a diagonal: {equation}")
    inputs = []
    for x, term in zip(values, written, strict=True):
        if not isinstance(x, Value) and batches.intersection(term):
            at.refuse(f"multiplies examples with numbers of their own: {equation}")
        inputs.append(x if isinstance(x, Value) else steps.operand(at, x, np.shape(_array(x))))
    for letter in batches:
        written = [term.replace(letter, "") for term in written]
        result = result.replace(letter, "")
    return at.layer("einsum", *inputs, equation=f"{','.join(written)}->{result}")


def _explicit(equation: str) -> str:
    """Return an equation with its result: by default, the letters that stand once, in order."""
    if "->" in equation:
        return equation
    letters = equation.replace("...", "").replace(",", "")
    once = sorted(letter for letter in set(letters) if letters.count(letter) == 1)
    return f"{equation}->{'...' if '...' in equation else ''}{''.join(once)}"
