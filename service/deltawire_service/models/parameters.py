"""Checks of the arrays that a model is made or stepped with: parameters, gradients, constants."""

from __future__ import annotations

from collections.abc import Mapping

from deltawire.errors import Fault
from deltawire.wire import Array
from deltawire_plugins.shown import shown
from deltawire_service.engine import Network
from deltawire_service.faults import Faults, escape, nearest


def check_parameters(network: Network, arrays: Mapping[str, Array], dtype: str, pointer: str) -> None:
    """Check that there is an array for each parameter, of its shape, and no other.

    Args:
        network: the network.
        arrays: the arrays by parameter.
        dtype: the dtype that all must have.
        pointer: JSON pointer of the arrays in the request.

    Raises:
        Refused: an array is unknown, missing, or does not fit.
    """
    faults = Faults()
    for name in sorted(arrays.keys() - network.parameters.keys()):
        detail = f"the network has no parameter {shown(name)}{nearest(name, network.parameters)}"
        faults.append(Fault(f"{pointer}/{escape(name)}", "unknown_parameter", detail))
    for name, parameter in network.parameters.items():
        place = f"{pointer}/{escape(name)}"
        if name not in arrays:
            detail = f"'{name}' is missing: expected an array of shape {list(parameter.shape)}"
            faults.append(Fault(place, "missing_parameter", detail))
        elif arrays[name].shape != parameter.shape:
            detail = f"'{name}' has shape {list(parameter.shape)}, got {list(arrays[name].shape)}"
            faults.append(Fault(place, "shape_mismatch", detail))
        elif arrays[name].dtype.name != dtype:
            detail = f"'{name}' is {dtype} here, got {arrays[name].dtype.name}"
            faults.append(Fault(place, "dtype_mismatch", detail))
    faults.refuse()


def check_constants(network: Network, arrays: Mapping[str, Array], dtype: str) -> None:
    """Check that there is an array for each constant of a network, that it fits, and no other.

    Args:
        network: the network.
        arrays: the arrays by input.
        dtype: the dtype that those of floats must have.

    Raises:
        Refused: an array is unknown, missing, or does not fit.
    """
    faults = Faults()
    constants = {name: network.inputs[name] for name in network.constants}
    for name in sorted(arrays.keys() - constants.keys()):
        what = "comes with each step" if name in network.inputs else "is no input"
        detail = f"{shown(name)} {what}: a model is made with constants alone{nearest(name, constants)}"
        faults.append(Fault(f"/data/{escape(name)}", "unknown_data", detail))
    for name, spec in constants.items():
        if name not in arrays:
            detail = f"'{name}' is missing: the model keeps it, an array of shape {list(spec.shape)}"
            faults.append(Fault(f"/data/{name}", "missing_data", detail))
        elif spec.dtype == "float" and arrays[name].dtype.name != dtype:
            detail = f"'{name}' is {dtype} here, got {arrays[name].dtype.name}"
            faults.append(Fault(f"/data/{name}", "dtype_mismatch", detail))
    faults.refuse()
    network.check_arrays({}, arrays)
