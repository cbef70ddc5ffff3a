"""The entries of inputs in a spec, made of the arguments of calls."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from numpy.typing import DTypeLike

from deltawire.arguments.kinds import boolean, is_whole_number
from deltawire.arrays import dtype_name, plain_json
from deltawire.errors import wrong_argument


def input_entry(
    name: str,
    shape: Iterable[int],
    dtype: DTypeLike | None = None,
    shared: bool = False,
    constant: bool = False,
) -> dict[str, Any]:
    """Return the entry of an input; see `Network.input`.

    Args:
        name: Of the input, for errors.
        shape: Of one example.
        dtype: "int64" for integers; None for floating-point numbers.
        shared: Whether all examples share it.
        constant: Whether they share it and a model keeps it.

    Raises:
        Refused: An argument is of another kind.
    """
    if isinstance(shape, str) or not isinstance(shape, Iterable):
        raise wrong_argument(f"/inputs/{name}/shape", f"sizes of axes, as ({shape!r},)", shape)
    shape = tuple(shape)
    if not all(map(is_whole_number, shape)):
        batch = f": leave the batch out, shape={shape[1:]}" if shape[0] in (None, -1) else ""
        raise wrong_argument(f"/inputs/{name}/shape", f"whole numbers of at least 1{batch}", shape)
    entry: dict[str, Any] = {"shape": plain_json(list(shape), f"/inputs/{name}/shape")}
    if dtype is not None:
        entry["dtype"] = dtype_name(dtype, f"/inputs/{name}/dtype")
    kept = boolean(f"/inputs/{name}/constant", constant)
    if boolean(f"/inputs/{name}/shared", shared) or kept:
        entry["shared"] = True
    if kept:
        entry["constant"] = True
    return entry


def drawn_entry(
    name: str, shape: Iterable[int], source: str, distributions: Mapping[str, float | None]
) -> dict[str, Any]:
    """Return the entry of an input whose numbers are drawn.

    Args:
        name: Of the input, for errors.
        shape: Of one example.
        source: "parameter" for a learned input, "noise" for one that is drawn for each example.
        distributions: How they may be drawn; exactly one has a number.

    Raises:
        Refused: An argument is of another kind, or none or several have a number.
    """
    pointer = f"/inputs/{name}/{source}"
    chosen = {key: size for key, size in distributions.items() if size is not None}
    if len(chosen) != 1:
        *some, last = (f"{key}=" for key in distributions)
        raise wrong_argument(pointer, f"one of {', '.join(some)} and {last}", chosen)
    return {**input_entry(name, shape), source: plain_json(chosen, pointer)}


def sent(entry: Mapping[str, Any]) -> bool:
    """Return whether data is sent for an input, which is neither learned nor drawn; entry: of the input."""
    return "parameter" not in entry and "noise" not in entry
