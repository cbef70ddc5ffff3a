"""Published networks for tests: files as the safetensors library writes them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file
from support.posting import good


def as_arrays(tensors: dict[str, Any], dtype: str = "float64") -> dict[str, np.ndarray]:
    """Tensors in lists as arrays: whole numbers stay whole, the others are of this dtype."""
    arrays = {name: np.asarray(leaf) for name, leaf in tensors.items()}
    return {name: a if a.dtype == np.int64 else a.astype(dtype) for name, a in arrays.items()}


def publish(folder: Path, name: str = "good", dtype: str = "float64", **parts: Any) -> Path:
    """A file with the good request's network and parameters, and with these parts of a request.

    data: pinned, as a tensor each. The rest is in the metadata.
    """
    request = {"network": good()["network"], "params": good()["params"]} | parts
    places = {place: as_arrays(request.pop(place, {}), dtype) for place in ("params", "data")}
    tensors = {f"{place}/{key}": array for place, arrays in places.items() for key, array in arrays.items()}
    path = folder / f"{name}.safetensors"
    save_file(tensors, path, metadata={"request": json.dumps(request)})
    return path
