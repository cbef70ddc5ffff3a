"""The inputs of a spec whose numbers are sent as data: those that are neither learned nor drawn."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from deltawire_service.engine.graph import InputSpec


def sent_inputs(inputs: Mapping[str, Mapping[str, Any]]) -> dict[str, InputSpec]:
    """Return these inputs by name, of the inputs of a spec, as read. The layers that take them bound them."""
    return {
        name: InputSpec(tuple(entry["shape"]), entry["dtype"], entry["shared"], constant="constant" in entry)
        for name, entry in inputs.items()
        if not {"parameter", "noise"} & entry.keys()
    }
