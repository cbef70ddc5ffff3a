"""The rule that a model is trained by: its optimizer, the schedule of its learning rate, and clipping."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from math import inf, isfinite
from typing import Any

import numpy as np
from marshmallow import Schema, ValidationError, fields, validate

from deltawire.errors import Fault, Refused
from deltawire.wire import Array
from deltawire_optimizers import (
    CONFIG_KEYS,
    Clip,
    Optimizer,
    Registry,
    Schedule,
    Step,
    config,
    global_norm,
    load_schedule,
    scale_to_norm,
    update,
)
from deltawire_plugins.shown import shown
from deltawire_service.engine import all_finite
from deltawire_service.faults import load, nearest, schema_faults
from deltawire_service.models.numbers import Numbers, copy_arrays

ABOVE_ZERO = validate.Range(min=0, min_inclusive=False)


class ClipSchema(Schema):
    """Bounds on the gradients of a step."""

    norm = config.Number(
        validate=ABOVE_ZERO, metadata={"description": "largest norm of all gradients together"}
    )
    value = config.Number(validate=ABOVE_ZERO, metadata={"description": "largest size of each number"})


class UpdateRuleSchema(Schema):
    """An optimizer with its schedule and clipping."""

    expected = 'an object such as {"kind": "adam", "config": {"learning_rate": 0.001}}'

    kind = fields.String(required=True, metadata={"description": "kind of the optimizer"})
    config = fields.Dict(load_default=dict, metadata={"description": "its config"})
    schedule = fields.Dict(
        load_default=None, allow_none=True, metadata={"description": "a schedule: its kind and its numbers"}
    )
    clip = fields.Nested(ClipSchema, load_default=dict)


@dataclass(frozen=True)
class UpdateRule:
    """The rule of a model. `document` is its JSON, with every default written out."""

    document: Mapping[str, Any]
    optimizer: Optimizer
    schedule: Schedule | None

    def learning_rate(self, number: int) -> float:
        """Return the learning rate of a step; the first one is 1."""
        base = self.optimizer.learning_rate
        return base if self.schedule is None else self.schedule.learning_rate(base, number)

    def apply(self, before: Numbers, gradients: Mapping[str, Array], step: Step, after: Numbers) -> float:
        """Take a step, and return the norm of the gradients before they were clipped.

        Args:
            before: the numbers before the step.
            gradients: the gradients by parameter.
            step: its number and its learning rate.
            after: where the numbers after the step are written; it may be `before` itself.

        Raises:
            Refused: a gradient, or a number after the step, is not finite.
        """
        if after is not before:
            copy_arrays(before.constants, after.constants)
        norm = global_norm(gradients)
        clip: Mapping[str, float] = self.document["clip"]
        scale = scale_to_norm(norm, clip["norm"]) if "norm" in clip else 1.0
        bounds = Clip(scale, clip.get("value", inf))
        if isfinite(norm):
            with np.errstate(all="ignore"):  # what is not finite is refused below
                update(
                    *(self.optimizer, before.params, gradients, before.state, step),
                    clip=bounds,
                    out_params=after.params,
                    out_state=after.state,
                )
        if not (isfinite(norm) and all_finite((*after.params.values(), *after.state.values()))):
            detail = "the parameters or the optimizer's state after this step are not finite: a smaller"
            detail += " learning rate may help, or clipping"
            raise Refused([Fault("", "non_finite", detail)])
        return norm


def read_rule(document: Any, optimizers: Registry, pointer: str = "/optimizer") -> UpdateRule:
    """Read a rule from JSON: `{"kind": "adam", "config": {"learning_rate": 0.001}}`.

    Args:
        document: the JSON, as parsed.
        optimizers: the optimizers that are installed.
        pointer: JSON pointer of the document in the request.

    Raises:
        Refused: it does not fit, with a fault for every place.
    """
    loaded = load(UpdateRuleSchema(), document, pointer)
    kind = loaded["kind"]
    if kind not in optimizers:
        detail = f"there is no optimizer {shown(kind)}{nearest(kind, optimizers)}"
        raise Refused([Fault(f"{pointer}/kind", "unknown_kind", detail)])
    schema = optimizers[kind].Config()
    try:
        optimizer = optimizers[kind](**loaded["config"])
    except ValidationError as error:
        raise Refused(schema_faults(error, schema, f"{pointer}/config", CONFIG_KEYS)) from None
    try:
        schedule = None if loaded["schedule"] is None else load_schedule(loaded["schedule"])
    except ValidationError as error:
        raise Refused(schema_faults(error, Schema(), f"{pointer}/schedule", CONFIG_KEYS)) from None
    written = {**loaded, "config": schema.dump(vars(optimizer))}
    return UpdateRule(written, optimizer, schedule)


def change_rule(
    rule: UpdateRule, changes: Mapping[str, Any], optimizers: Registry, pointer: str = "/optimizer"
) -> UpdateRule:
    """Return a rule with changes: a config is changed key by key, a schedule and clipping as a whole.

    Args:
        rule: the rule.
        changes: JSON of a rule, without what stays as it is.
        optimizers: the optimizers that are installed.
        pointer: JSON pointer of the changes in the request.

    Raises:
        Refused: the changed rule does not fit, or is one of another optimizer, or keeps another state.
    """
    if not isinstance(changes, Mapping):
        raise Refused([Fault(pointer, "field_invalid", f"expected an object, got {shown(changes)}")])
    if changes.get("kind", rule.document["kind"]) != rule.document["kind"]:
        detail = f"the optimizer of the model is {rule.document['kind']}, and stays so"
        raise Refused([Fault(f"{pointer}/kind", "field_invalid", detail)])
    config = changes.get("config", {})
    if isinstance(config, Mapping):
        config = {**rule.document["config"], **config}
    after = read_rule({**rule.document, **changes, "config": config}, optimizers, pointer)
    if any(after.optimizer.state(shape) != rule.optimizer.state(shape) for shape in ((), (2,), (2, 3))):
        detail = "with this config the optimizer keeps another state: make a new model"
        raise Refused([Fault(f"{pointer}/config", "field_invalid", detail)])
    return after


def to_json(document: Any) -> str:
    """Return JSON in which every float64 is exact."""
    return json.dumps(document, allow_nan=False, separators=(",", ":"))
