"""Results of changes and reads of a model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from deltawire.request_builder import integer_inputs
from deltawire.responses import merge_places, to_array, to_arrays
from deltawire.wire import Array


@dataclass(frozen=True)
class ModelChange:
    """The result of a change of a model.

    Attributes:
        version: The version that it made.
        step: How many optimizer steps have been taken up to there.
        durable: Whether it outlives a crash of the machine.
        replayed: Whether an earlier request with the same key had made it already.
        params_id: SHA-256 of the parameters, in hex; None after a step, where it is not computed.
    """

    version: int
    step: int
    durable: bool
    replayed: bool
    params_id: str | None


@dataclass(frozen=True)
class StepResult(ModelChange):
    """The result of `Model.step`.

    Attributes:
        loss: The reduced loss before the step; None for a step by gradients.
        gradient_norm: The norm of all gradients together, before they were clipped.
        learning_rate: That of the step, after schedule and override.
        gradients: By name, as `wrt` asked for them: of parameters and of inputs.
        values: Values of nodes before the step, (batch, *shape).
        deltas: ∂loss/∂value of nodes, (batch, *shape).
        losses: Each example's loss, (batch,); None unless requested.
    """

    loss: float | None
    gradient_norm: float
    learning_rate: float
    gradients: dict[str, Array]
    values: dict[str, Array]
    deltas: dict[str, Array]
    losses: Array | None


@dataclass(frozen=True)
class Checkpoint:
    """A version of a model.

    Attributes:
        params: Its parameters by name.
        network: The spec of its network.
        model: The name of the model.
        version: The version.
        step: How many optimizer steps have been taken.
        params_id: SHA-256 of the parameters, in hex: equal parameters have equal ids.
        lineage: Changes when the history of the model does: equal lineage and version, equal bits.
        constants: The constant inputs that it keeps, by name.
    """

    params: dict[str, Array]
    network: dict[str, Any]
    model: str
    version: int
    step: int
    params_id: str
    lineage: str
    constants: dict[str, Array]


def read_change(answer: Any) -> ModelChange:
    """Return the result in the answer to a change."""
    fields = {field: answer[field] for field in ("version", "step", "durable", "replayed")}
    return ModelChange(**fields, params_id=answer.get("params_id"))


def step_reader(dtype: str) -> Callable[[Any], StepResult]:
    """Return a function that makes a `StepResult` of an answer whose arrays are of a dtype."""

    def read(answer: Any) -> StepResult:
        change = read_change(answer)
        return StepResult(
            **vars(change),
            loss=None if answer["loss"] is None else float(answer["loss"]),
            gradient_norm=float(answer["gradient_norm"]),
            learning_rate=float(answer["learning_rate"]),
            gradients=merge_places(answer.get("gradients", {}), dtype),
            values=to_arrays(answer.get("values", {}), dtype),
            deltas=to_arrays(answer.get("deltas", {}), dtype),
            losses=to_array(answer["losses"], dtype) if "losses" in answer else None,
        )

    return read


def checkpoint_reader(dtype: str) -> Callable[[Any], Checkpoint]:
    """Return a function that makes a `Checkpoint` of an answer whose arrays are of a dtype."""

    def read(answer: Any) -> Checkpoint:
        origin = answer["origin"]
        fields = {field: origin[field] for field in ("model", "version", "step", "params_id", "lineage")}
        network, integers = answer["network"], integer_inputs(answer["network"])
        constants = {
            name: to_array(tensor, "int64" if name in integers else dtype)
            for name, tensor in answer.get("data", {}).items()
        }
        return Checkpoint(to_arrays(answer["params"], dtype), network, **fields, constants=constants)

    return read
