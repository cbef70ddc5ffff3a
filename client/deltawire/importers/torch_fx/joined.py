"""Translate operations on an axis that joins the batch with rows of an example, as `x.view(-1, width)` has.

They compute each row by itself, so a layer computes the same with the rows as an example's first axis.
"""

from __future__ import annotations

from typing import Any

from torch import fx

from deltawire.importers.arguments import leaves
from deltawire.importers.operands import BATCHES, Rows, Value
from deltawire.importers.site import Site, described

RESHAPES = frozenset({"view", "reshape", "flatten", "unflatten", "_unsafe_view", "Flatten", "Unflatten"})
"""Operations that join the batch with another axis, or part them."""

ROWWISE = frozenset({
    "Dropout", "Embedding", "GELU", "LayerNorm", "Linear", "RMSNorm", "ReLU", "SiLU", "Softmax",
    "Tanh", "__add__", "__mul__", "__radd__", "__rmul__", "add", "addmm", "bmm", "clone", "contiguous", "div",
    "dropout", "embedding", "exp", "gelu", "iadd", "imul", "layer_norm", "linear", "log_softmax", "matmul",
    "mean", "mm", "mul", "neg", "pow", "relu", "rms_norm", "rsqrt", "sigmoid", "silu", "softmax", "sqrt",
    "sub", "sum", "tanh", "to", "transpose", "truediv",
})  # fmt: skip
"""Operations that compute each row by itself, and name axes only by `Site.axis`."""


def joined_rows(function: str, given: list[Any], results: tuple[Any, Any]) -> int:
    """Return the rows of an example on the leading axis of an operation's results; 0 for none.

    Args:
        function: The name of the operation.
        given: Its arguments.
        results: Its results for batches of `BATCHES` examples.
    """
    if function not in RESHAPES and not any(isinstance(one, Rows) for one in given):
        return 0
    sizes = tuple(next(iter(getattr(result, "shape", ())), 0) for result in results)
    rows = sizes[0] // BATCHES[0]
    return rows if rows > 1 and sizes == tuple(rows * count for count in BATCHES) else 0


def by_example(at: Site, arguments: Any) -> Any:
    """Return the arguments of an operation with a value of an example in place of each joined one.

    Args:
        at: The operation.
        arguments: Its positional and keyword arguments.

    Raises:
        Refused: Its rows may depend on each other, or it joins rows with whole examples.
    """
    given = list(leaves(arguments))
    joined = [one for one in given if isinstance(one, Rows)]
    if joined and at.function not in RESHAPES:
        apart = any(isinstance(one, Value) for one in given)
        if apart or not at.rows or at.function not in ROWWISE:
            at.refuse(f"takes {described(joined[0])}, and is expressed for whole examples only")
    return fx.node.map_aggregate(arguments, lambda one: one.value if isinstance(one, Rows) else one)
