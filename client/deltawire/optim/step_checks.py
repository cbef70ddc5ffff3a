"""Check the arrays of a step before anything is changed, and name each that does not fit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import isfinite
from typing import Any

import numpy as np

from deltawire.arrays import FLOATS, as_numbers, to_tensor
from deltawire.errors import Fault, Refused, wrong_argument
from deltawire.wire import Array
from deltawire_optimizers import Optimizer as Rule
from deltawire_optimizers import squared_norm


def check_params(params: Any) -> None:
    """Check that parameters are arrays of floating-point numbers that can be written to.

    Raises:
        Refused: With a fault for every parameter that is not.
    """
    if not isinstance(params, Mapping):
        raise wrong_argument("/params", "arrays by name", params)
    faults = [fault for name, array in params.items() if (fault := _param_fault(name, array))]
    if faults:
        raise Refused(faults)


def _param_fault(name: str, array: Any) -> Fault | None:
    place = f"/params/{name}"
    if not isinstance(array, np.ndarray):
        detail = f"expected a numpy array, which is changed in place, got {type(array).__name__}"
        return Fault(place, "tensor_invalid", detail)
    if array.dtype.name not in FLOATS:
        return Fault(place, "dtype_unsupported", f"expected float64 or float32, got {array.dtype}")
    if not array.flags.writeable:
        detail = "the array is read-only, and would be changed in place: pass a copy (np.array)"
        return Fault(place, "tensor_invalid", detail)
    return None


def read_gradients(params: Mapping[str, Array], gradients: Any) -> dict[str, Array]:
    """Return the gradients as arrays, in the order of the parameters.

    Args:
        params: The parameters.
        gradients: One for each of them, from any library of arrays.

    Raises:
        Refused: A gradient is missing, has no parameter, has another shape or dtype than its parameter, or is
            not finite.
    """
    if not isinstance(gradients, Mapping):
        expected = "arrays by name, as value_and_grad returns second, and gradients in .params"
        raise wrong_argument("/gradients", expected, gradients)
    faults = [
        Fault(f"/gradients/{name}", "unknown_parameter", f"there is no parameter '{name}'")
        for name in gradients.keys() - params.keys()
    ]
    mend = "pass only the parameters to train, or differentiate with respect to it too (wrt)"
    faults += [
        Fault(f"/gradients/{name}", "missing_parameter", f"parameter '{name}' has no gradient: {mend}")
        for name in params.keys() - gradients.keys()
    ]
    if faults:
        raise Refused(sorted(faults, key=lambda fault: fault.pointer))
    arrays = {name: _gradient(name, param, gradients[name]) for name, param in params.items()}
    raise_any(_gradient_fault(name, params[name], array) for name, array in arrays.items())
    return arrays


def raise_any(faults: Iterable[Fault | None]) -> None:
    """Raise the faults that there are, as one refusal."""
    if found := [fault for fault in faults if fault]:
        raise Refused(found)


def _gradient(name: str, param: Array, gradient: Any) -> Array:
    numbers = as_numbers(gradient, f"/gradients/{name}")
    if isinstance(numbers, np.ndarray) and numbers.dtype.kind == "f":
        return numbers
    return to_tensor(numbers, param.dtype.name, f"/gradients/{name}")


def _gradient_fault(name: str, param: Array, gradient: Array) -> Fault | None:
    place = f"/gradients/{name}"
    if gradient.shape != param.shape:
        detail = f"gradient of '{name}': expected shape {list(param.shape)}, got {list(gradient.shape)}"
        return Fault(place, "shape_mismatch", detail)
    if gradient.dtype != param.dtype:
        detail = f"gradient of '{name}': expected {param.dtype}, as the parameter is, got {gradient.dtype}"
        return Fault(place, "dtype_mismatch", detail)
    if not isfinite(squared_norm(gradient)) and not (finite := np.isfinite(gradient)).all():
        first = tuple(map(int, np.argwhere(~finite)[0]))
        at = f" at {list(first)}" if first else ""
        detail = f"gradient of '{name}': {gradient[first]}{at} is not finite, and no step was taken"
        return Fault("/".join([place, *map(str, first)]), "non_finite", detail)
    return None


def check_state(rule: Rule, params: Mapping[str, Array], state: Mapping[str, Array]) -> None:
    """Check that the state is that of these parameters.

    Args:
        rule: The optimizer, which declares its state.
        params: The parameters of this step.
        state: The state after the step before.

    Raises:
        Refused: An array is missing, left over, or of another shape or dtype.
    """
    expected = {
        f"{name}.{key}": (shape, param.dtype)
        for name, param in params.items()
        for key, (shape, _) in rule.state(param.shape).items()
    }
    if expected == {name: (array.shape, array.dtype) for name, array in state.items()}:
        return
    name = min(
        name
        for name in expected.keys() | state.keys()
        if name not in state or expected.get(name) != (state[name].shape, state[name].dtype)
    )
    if name not in expected:
        code, problem = "unknown_parameter", f"it has '{name}', which belongs to none of them"
    elif name not in state:
        code, problem = "missing_parameter", f"it has no '{name}'"
    else:
        (shape, dtype), got = expected[name], state[name]
        problem = f"'{name}' is {got.dtype} {list(got.shape)}, expected {dtype} {list(shape)}"
        code = "shape_mismatch"
    mend = "a network, or a choice of its parameters, takes an optimizer of its own: make a new one"
    raise Refused([Fault(f"/state/{name}", code, f"the state belongs to other parameters: {problem}", mend)])
