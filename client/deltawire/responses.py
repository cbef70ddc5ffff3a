"""Answers as results: documents of the service become arrays that callers may write to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from deltawire import wire
from deltawire.connection import RESPONSE_LIMITS
from deltawire.text import shape_text
from deltawire.wire import Array


@dataclass(frozen=True, repr=False)
class Gradients:
    """The result of `Client.gradients`: the loss of a batch and whatever else was requested.

    Attributes:
        loss: The reduced loss.
        params: ∂loss/∂parameter by the parameters' names, each of the parameter's shape.
        data: ∂loss/∂input by the inputs' names, each of the input's shape.
        losses: Each example's loss, (batch,); None unless requested.
        values: Values of nodes, (batch, *shape).
        deltas: ∂loss/∂value of nodes, (batch, *shape).
        network_id: SHA-256 of the canonical spec, in hex.
        params_id: Identifies a published network's parameters; None when any were sent.
        version: The version of the model whose parameters were used; None without a model.
        trace: Both passes in the order of computation, as POST /v1/gradients answers it, with arrays.
    """

    loss: float
    params: dict[str, Array]
    data: dict[str, Array]
    losses: Array | None
    values: dict[str, Array]
    deltas: dict[str, Array]
    network_id: str
    params_id: str | None = None
    version: int | None = None
    trace: dict[str, Any] | None = None

    def __repr__(self) -> str:
        """Return the loss, and the shapes of what else came: a notebook shows this after each cell."""
        parts = [f"loss={self.loss!r}"]
        if self.losses is not None:
            parts.append(f"losses={shape_text(self.losses.shape)}")
        for name in ("params", "data", "values", "deltas"):
            if arrays := getattr(self, name):
                shapes = (f"{key!r}: {shape_text(array.shape)}" for key, array in arrays.items())
                parts.append(f"{name}={{{', '.join(shapes)}}}")
        return f"Gradients({', '.join(parts)})"


def gradients_reader(dtype: str, losses: bool, trace: bool) -> Callable[[Any], Gradients]:
    """Return a function that makes `Gradients` of an answer.

    Args:
        dtype: Of the request, and so of every array in the answer.
        losses: Whether the losses of the examples were requested.
        trace: Whether the trace was requested.
    """

    def read(answer: Any) -> Gradients:
        return Gradients(
            loss=float(answer["loss"]),  # a string when it is not finite
            params=to_arrays(answer["gradients"]["params"], dtype),
            data=to_arrays(answer["gradients"]["data"], dtype),
            losses=to_array(answer["losses"], dtype) if losses else None,
            values=to_arrays(answer.get("values", {}), dtype),
            deltas=to_arrays(answer.get("deltas", {}), dtype),
            network_id=answer["network_id"],
            params_id=answer.get("params_id"),
            version=answer.get("model", {}).get("version"),
            trace=to_trace(answer["trace"], dtype) if trace else None,
        )

    return read


def to_array(tensor: Any, dtype: str) -> Array:
    """Return the array of a tensor in an answer, copied where it is read-only."""
    array = wire.read_tensor(tensor, dtype, limits=RESPONSE_LIMITS)
    return array if array.flags.writeable else array.copy()


def to_arrays(tensors: Mapping[str, Any], dtype: str) -> dict[str, Array]:
    """Return the arrays of an answer by name."""
    return {name: to_array(tensor, dtype) for name, tensor in tensors.items()}


def merge_places(answer: Mapping[str, Mapping[str, Any]], dtype: str) -> dict[str, Array]:
    """Return the arrays of parameters and inputs in one dict; their names cannot be the same."""
    return to_arrays(answer.get("params", {}), dtype) | to_arrays(answer.get("data", {}), dtype)


def to_trace(trace: Any, dtype: str) -> Any:
    """Return a trace with arrays in place of its tensors, which are complete or a sample."""
    if isinstance(trace, list):
        return [to_trace(part, dtype) for part in trace]
    if not isinstance(trace, dict):
        return trace
    return {
        key: to_array(part, dtype)
        if key in ("numbers", "sample") and "norm" in trace
        else to_trace(part, dtype)
        for key, part in trace.items()
    }
