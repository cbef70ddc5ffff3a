"""The contract: an optimizer is the rule by which a parameter follows its gradient.

A rule works in place, on one parameter at a time. It is a pure function: its state from step to step is in
arrays that it declares by name, with shapes that follow from the parameter's. So a training can be saved,
moved and replayed.
`check_optimizer`, the conformance check, checks every rule of this contract.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, NamedTuple

from marshmallow import RAISE, Schema, validate
from numpy.typing import NDArray

from deltawire_plugins import config

Array = NDArray[Any]
Shape = tuple[int, ...]


class StateArray(NamedTuple):
    """An array that an optimizer keeps for a parameter: its shape, and the number it is filled with at first.

    It has the dtype of the parameter.
    """

    shape: Shape
    start: float = 0.0


class Param(NamedTuple):
    """A parameter with its state.

    value: the parameter
    state: the arrays that `Optimizer.state` declares, by name
    """

    value: Array
    state: Mapping[str, Array]


class Step(NamedTuple):
    """The numbers of one step.

    number:        1 for the first step that is taken with a state
    learning_rate: that of this step, after its schedule
    """

    number: int
    learning_rate: float


def learning_rate_field(default: float) -> config.Number:
    """Return the field `learning_rate`, which every Config has."""
    return config.Number(
        load_default=default,
        validate=validate.Range(min=0),
        metadata={"description": "learning rate γ; a schedule starts from it"},
    )


class Optimizer:
    """An update rule, configured once, shared between threads.

    The keyword arguments are the JSON of its config; the loaded values become attributes.

    Raises:
        marshmallow.ValidationError: the keys do not fit `Config`; unknown keys are errors.
    """

    class Config(Schema):
        """The JSON keys this optimizer takes, `learning_rate` among them."""

        learning_rate = learning_rate_field(1e-3)

    learning_rate: float

    elementwise: ClassVar[bool] = True
    """Each number is updated alone, so that `update` may be called with any part of a parameter."""

    scratch: ClassVar[int] = 0
    """Arrays like the parameter that `update` computes in."""

    formula: ClassVar[str | None] = None
    """The rule in LaTeX: θ is the parameter, g its gradient, γ the learning rate, t the step."""

    def __init__(self, /, **config: Any):
        vars(self).update(self.Config(unknown=RAISE).load(config))

    def state(self, shape: Shape) -> dict[str, StateArray]:
        """Return the arrays to keep for a parameter of this shape, by name."""
        return {}

    def update(
        self, param: Array, gradient: Array, state: Mapping[str, Array], scratch: Array, step: Step
    ) -> None:
        """Take one step, in place.

        An elementwise rule gets parts of the parameter as vectors, else `update` gets whole arrays.

        Args:
            param: the parameter; written to.
            gradient: its gradient, of the same shape and dtype; never written to.
            state: the arrays that `state` declares, by name; written to.
            scratch: (`scratch`, *shape) numbers without a meaning, to compute in.
            step: the numbers of this step.
        """
        raise TypeError(f"{type(self).__name__} must define update")

    def update_compiled(self, before: Param, gradient: Array, after: Param, step: Step) -> bool:
        """Take one step of a whole parameter by a compiled kernel, and return whether there is one.

        It gives the bits of `update`, in one pass over memory. By default there is none.

        Args:
            before: the parameter before the step; never written to, unless it is `after`.
            gradient: its gradient, of the same shape and dtype; never written to.
            after: the arrays that are written; they are those of `before`, or share no memory with them.
            step: the numbers of this step.
        """
        return False
