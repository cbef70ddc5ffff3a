"""The table of translations by operator, and what the reader has to know about operators."""

from __future__ import annotations

import onnx

from deltawire.importers.named import Named

OPERATORS = Named()
operator = OPERATORS.register

BY_RESULT = frozenset({"Expand", "Flatten", "Reshape", "Squeeze", "Unsqueeze"})
"""Operators defined by the shape of their result; their other inputs may depend on the batch size."""

TAKES_SIZES = BY_RESULT | {"Slice"}
"""Operators with inputs that depend on the batch size."""

BROADCASTING = frozenset(
    {"Add", "Concat", "Div", "Expand", "MatMul", "Max", "Mean", "Min", "Mul", "PRelu", "Sub", "Sum", "Where"}
)
"""Operators that align the axes of their inputs by the last ones."""

SEVERAL = frozenset({"GRU", "LSTM", "LayerNormalization", "RNN", "Split"})
"""Operators whose translation has all their results."""

RECURRENT = frozenset({"GRU", "LSTM", "RNN"})

ON_IMAGES = frozenset(
    {
        "AveragePool", "BatchNormalization", "Conv", "ConvTranspose", "DepthToSpace", "GlobalAveragePool",
        "GlobalMaxPool", "GroupNormalization", "InstanceNormalization", "LRN", "MaxPool", "SpaceToDepth",
    }
)  # fmt: skip
"""Operators whose inputs have the batch on the leading axis, and then channels."""


FOLDED = frozenset({"Constant", "ConstantOfShape", "If", "Range", "Shape", "Size"})
"""Operators that are computed at import: of sizes, and of what is stored. So is any other of these alone."""


def batch_axis(node: onnx.NodeProto) -> int | None:
    """Return the axis that an operator has the batch on; None when it may be any, or none."""
    if node.op_type in ON_IMAGES:
        return 0
    if node.op_type not in RECURRENT:
        return None
    return 0 if any(one.name == "layout" and one.i for one in node.attribute) else 1
