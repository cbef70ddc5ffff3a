"""Callers' arrays, whatever library made them, as arrays of the one dtype that a request has.

One rule holds for all containers and all calls:

- Python's numbers and lists of them have no dtype. They are converted to the dtype of the request.
- Arrays have a dtype, whether they are of numpy, torch, jax, pandas or anything else with `__array__`, and
  lists of arrays have that of their arrays. All floating-point arrays of a request must have the same one.
  Integers of any width are converted.
- What has no numbers, or numbers that would change, is refused by name: masked numbers, sparse tensors,
  bfloat16, gradients that would be lost.
"""

from __future__ import annotations

import array as stdlib_array
import sys
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from deltawire import wire
from deltawire.errors import Fault, Refused, wrong_argument
from deltawire.wire import Array

FLOATS = ("float32", "float64")

DEEPEST = 64
"""Lists inside each other; numpy's own bound on axes."""

Numbers = Array | list[Any] | int | float
"""An array where a value has a dtype, else Python's numbers."""

_NUMBERS = {int, float}
_BUFFERS = (str, bytes, bytearray, memoryview, stdlib_array.array)
"""Sequences that are not lists of numbers; the last three have a dtype."""


def as_numbers(value: Any, pointer: str, depth: int = 0) -> Any:
    """Return the numbers of a value: an array where it has a dtype, else lists of Python's numbers.

    What is neither comes back as it is, for `to_tensor` to refuse by its place and type.

    Args:
        value: Whatever a caller passes as an array.
        pointer: The place of the value in the request.
        depth: Lists around the value.

    Raises:
        Refused: The value has no numbers, or they cannot be had without a loss.
    """
    if type(value) is np.ndarray and value.dtype.kind in "fiu":
        return value
    if isinstance(value, float | int):
        return value if isinstance(value, bool) else float(value) if isinstance(value, float) else int(value)
    if isinstance(value, Sequence | deque) and not isinstance(value, _BUFFERS):
        return _of_list(value, pointer, depth)
    if isinstance(value, np.ma.MaskedArray) and value.dtype.names is None:
        _check_mask(value, pointer)
    if hasattr(value, "toarray") and not hasattr(value, "__array__"):  # of scipy.sparse
        raise _invalid(pointer, "the array is sparse: pass .toarray()")
    try:
        array = np.asarray(_of_torch(value, pointer))
    except Refused:
        raise
    except Exception as error:  # whatever the library of the array raises, it is no array of numbers
        raise _invalid(pointer, f"not an array of numbers: {error}") from error
    kind = array.dtype.kind
    if kind in "fiu":
        return array
    if kind in "MmV":
        raise _unsupported(array.dtype, pointer)
    numbers = array.tolist()
    return _of_list(numbers, pointer, depth) if isinstance(numbers, list) else numbers


def _of_list(values: Sequence[Any], pointer: str, depth: int) -> Any:
    if depth >= DEEPEST:
        raise Refused([Fault(pointer, "shape_invalid", f"lists are nested more than {DEEPEST} deep")])
    values = values if type(values) is list else list(values)
    if _NUMBERS.issuperset(map(type, values)):
        return values
    parts = [
        value
        if type(value) is list and _NUMBERS.issuperset(map(type, value))
        else as_numbers(value, f"{pointer}/{place}", depth + 1)
        for place, value in enumerate(values)
    ]
    floats = {
        f"{pointer}/{place}": part
        for place, part in enumerate(parts)
        if isinstance(part, np.ndarray) and part.dtype.kind == "f"
    }
    if not floats:
        return [part.tolist() if isinstance(part, np.ndarray) else part for part in parts]
    dtype = common_dtype(floats)
    arrays = [to_tensor(part, dtype, f"{pointer}/{place}") for place, part in enumerate(parts)]
    for place, array in enumerate(arrays):
        if array.shape != arrays[0].shape:
            got = f"expected shape {list(arrays[0].shape)}, like the first one, got {list(array.shape)}"
            raise _invalid(f"{pointer}/{place}", got)
    return np.stack(arrays)


def _check_mask(array: Any, pointer: str) -> None:
    masked = np.argwhere(np.ma.getmaskarray(array))
    if len(masked):
        place = "/".join([pointer, *map(str, masked[0])])
        raise _invalid(place, "the number is masked: replace it (.filled), or leave its example out")


def _of_torch(value: Any, pointer: str) -> Any:
    """Return the numpy array of a torch tensor, and anything else as it is."""
    torch = sys.modules.get("torch")
    if torch is None or not isinstance(value, torch.Tensor):
        return value
    if value.requires_grad:
        raise _invalid(pointer, "the tensor requires grad, and no gradient would reach it: pass .detach()")
    if value.layout is not torch.strided:
        raise _invalid(pointer, "the tensor is sparse: pass .to_dense()")
    if value.device.type == "meta":
        raise _invalid(pointer, "the tensor is on the meta device, and has no numbers")
    if value.device.type != "cpu":
        raise _invalid(pointer, f"the tensor is on {value.device}: pass .cpu()")
    if value.is_quantized:
        raise _invalid(pointer, "the tensor is quantized: pass .dequantize()")
    name = str(value.dtype).removeprefix("torch.")
    if value.dtype.is_floating_point and name not in FLOATS:
        detail = f"expected float64 or float32, got {name}: convert it with .to(torch.float32)"
        raise Refused([Fault(pointer, "dtype_unsupported", detail)])
    return value.resolve_conj().resolve_neg().numpy()


def _unsupported(dtype: np.dtype[Any], pointer: str) -> Refused:
    """Return the refusal of a dtype without numbers, or with numbers that numpy does not know (bfloat16)."""
    known = issubclass(dtype.type, np.void | np.datetime64 | np.timedelta64)
    mend = "" if known else ': convert it with .astype("float32")'
    return Refused([Fault(pointer, "dtype_unsupported", f"expected float64 or float32, got {dtype}{mend}")])


def _invalid(pointer: str, detail: str) -> Refused:
    return Refused([Fault(pointer, "tensor_invalid", detail)])


def common_dtype(arrays: Mapping[str, Any], default: str = "float64", fixed_by: str = "") -> str:
    """Return the one dtype of the floating-point arrays, float32 or float64.

    Args:
        arrays: Results of `as_numbers` by their places in the request; only arrays have a dtype.
        default: Where no array has a dtype.
        fixed_by: What has the default dtype, so that every array must have it; for the message.

    Raises:
        Refused: With a fault for every array of another dtype than the first.
    """
    dtypes = {
        place: _name(array.dtype)
        for place, array in arrays.items()
        if isinstance(array, np.ndarray) and array.dtype.kind == "f"
    }
    first = "" if fixed_by else next((place for place, name in dtypes.items() if name in FLOATS), "")
    dtype = dtypes.get(first, default)
    like = f", as {fixed_by or first} is" if fixed_by or first else " or float32"
    faults = [
        Fault(
            place,
            "dtype_mismatch" if name in FLOATS else "dtype_unsupported",
            f'expected {dtype}{like}, got {name}: convert it with .astype("{dtype}")',
        )
        for place, name in dtypes.items()
        if name != dtype
    ]
    if faults:
        raise Refused(faults)
    return dtype


def _name(dtype: np.dtype[Any]) -> str:
    """Return the name of a dtype; numpy makes it anew each time, in 1 µs."""
    return _NAMES.get(dtype) or dtype.name


_NAMES = {dtype: name for name, dtype in wire.DTYPES.items()}


def to_tensor(numbers: Any, dtype: str, pointer: str, *, batched: bool = False) -> Array:
    """Return numbers as an array of the dtype that their place needs, read as `wire` reads numbers.

    Args:
        numbers: A result of `as_numbers`; a floating-point array has the dtype already.
        dtype: float32, float64 or int64.
        pointer: The place of the numbers in the request.
        batched: Whether the first axis is that of a batch, so that a refused number belongs to an example.

    Raises:
        Refused: They are not numbers, or the dtype cannot hold them.
    """
    if not isinstance(numbers, np.ndarray):
        return wire.read_tensor(numbers, dtype, pointer, batched=batched)
    if _name(numbers.dtype) == dtype:
        return numbers
    if dtype != "int64":
        return numbers.astype(np.float64).astype(dtype)
    if not numbers.size:
        return np.empty(numbers.shape, np.int64)
    if numbers.dtype.kind == "f":
        raise _not_integers(numbers, pointer, batched)
    if numbers.max() >= 2**63:
        place = np.unravel_index(numbers.argmax(), numbers.shape)
        at = "/".join([pointer, *map(str, place)])
        example = f" in example {place[0]}" if place and batched else ""
        raise _invalid(at, f"{numbers[place]} is out of the range of int64{example}")
    return numbers.astype(np.int64)


def _not_integers(array: Array, pointer: str, batched: bool) -> Refused:
    """Return the refusal of floating-point numbers where integers belong, at the first fraction if any."""
    with np.errstate(invalid="ignore"):
        fractions = np.argwhere(~(array % 1 == 0))
    place = tuple(fractions[0]) if len(fractions) else (0,) * array.ndim
    got = f"got {array[place]}{f' in example {place[0]}' if place and batched else ''}"
    convertible = not len(fractions) and np.abs(array).max() < 2**63
    one_hot = array.ndim > 1 and bool(((array == 0) | (array == 1)).all() and (array.sum(axis=-1) == 1).all())
    mend = ": convert them with .astype(int)" if convertible else ""
    if one_hot:
        mend += ", or one-hot rows with .argmax(axis=-1)"
    at = "/".join([pointer, *map(str, place)])
    return Refused([Fault(at, "dtype_mismatch", f"expected an integer, {got}{mend}")])


def plain_json(value: Any, pointer: str, depth: int = 0) -> Any:
    """Return an option as plain JSON values: arrays become lists, and numpy's numbers Python's.

    Args:
        value: An option of a layer or a request, or a whole spec.
        pointer: The place of the value in the request.
        depth: Lists and objects around the value.

    Raises:
        Refused: The value holds what JSON does not have.
    """
    if value is None or type(value) in (str, bool, int, float):
        return value
    if depth > DEEPEST:
        raise wrong_argument(pointer, f"lists and objects nested at most {DEEPEST} deep", value)
    if isinstance(value, Mapping):
        return {
            str(key) if isinstance(key, str) else key: plain_json(each, f"{pointer}/{key}", depth + 1)
            for key, each in value.items()
        }
    if isinstance(value, str):
        return str(value)
    if isinstance(value, np.generic):
        return plain_json(value.item(), pointer, depth + 1)
    if isinstance(value, list | tuple | range | deque):
        return [plain_json(each, f"{pointer}/{place}", depth + 1) for place, each in enumerate(value)]
    if hasattr(value, "__array__") and not isinstance(value, type):
        numbers = as_numbers(value, pointer)
        value = numbers.tolist() if isinstance(numbers, np.ndarray) else numbers
        return plain_json(value, pointer, depth + 1)
    raise wrong_argument(pointer, "a number, a text, True, False, None, a list or a dict", value)


def dtype_name(dtype: DTypeLike, pointer: str = "/dtype") -> str:
    """Return the name of a dtype; whether it can be computed with is the service's decision.

    Raises:
        Refused: It is no dtype of numpy, nor the name of one.
    """
    try:
        return dtype if isinstance(dtype, str) else np.dtype(dtype).name
    except (TypeError, ValueError, KeyError):
        detail = f"expected the name of a dtype, as float64, float32 or int64, got {dtype!r}"
        raise Refused([Fault(pointer, "dtype_unsupported", detail)]) from None
