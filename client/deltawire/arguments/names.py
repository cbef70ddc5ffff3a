"""Names in the arguments of calls: of parameters, inputs and nodes, as texts or handles.

Arguments of another kind are refused by the name of the argument.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from deltawire.arguments.kinds import list_of_names
from deltawire.errors import Fault, Refused, wrong_argument
from deltawire.network import Handle


def arrays_by_name(argument: str, arrays: Any) -> dict[str, Any]:
    """Return arrays by name, whether the keys are names or handles."""
    if not isinstance(arrays, Mapping):
        of_frame = ", as dict(frame)" if hasattr(arrays, "columns") else ""
        raise wrong_argument(f"/{argument}", f"a dict of arrays by name ({{}} for none){of_frame}", arrays)
    return {_name(name): array for name, array in arrays.items()}


def check_order(inputs: Mapping[str, Any], params: Any, data: Any) -> None:
    """Check that the parameters come before the data.

    Args:
        inputs: The inputs of the network that data is sent for, by name.
        params: What was passed as the parameters.
        data: What was passed as the data.

    Raises:
        Refused: Every parameter is an input, and no datum is one.
    """
    if not (isinstance(params, Mapping) and isinstance(data, Mapping) and params and data):
        return
    if inputs.keys() >= params.keys() and not inputs.keys() & data.keys():
        detail = "params and data seem to have changed places: the parameters come first, then the data"
        raise Refused([Fault("/params", "field_invalid", detail)])


def name_list(argument: str, names: Any) -> list[Any]:
    """Return names as a list, whether they are names or handles."""
    return [_name(name) for name in list_of_names(f"/{argument}", names)]


def wrt_document(wrt: Any) -> dict[str, Any]:
    """Return what to differentiate with respect to, with its names as lists."""
    if not isinstance(wrt, Mapping | None):
        raise wrong_argument(
            "/wrt", '{"params": True, False or [globs], "data": True, False or [names]}', wrt
        )
    return {place: _wrt_names(place, names) for place, names in (wrt or {}).items()}


def _wrt_names(place: str, names: Any) -> Any:
    if isinstance(names, str):
        raise wrong_argument(f"/wrt/{place}", f"True, False or a list of names, as [{names!r}]", names)
    return names if isinstance(names, bool) else name_list(f"wrt/{place}", names)


def _name(name: Any) -> Any:
    return name.name if isinstance(name, Handle) else name
