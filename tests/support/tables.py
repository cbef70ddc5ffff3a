"""Descriptions of tables, as a service gives them, without a service."""

from __future__ import annotations

from typing import Any

import numpy as np

from deltawire.wire import Array


def described(**columns: dict[str, Any]) -> list[dict[str, Any]]:
    """Descriptions of columns of floats with mean 0 and deviation 1, but for what is said of each."""
    usual = {
        "dtype": "float64", "shape": [], "missing": 0, "min": 0.0, "max": 1.0, "mean": 0.0, "std": 1.0,
        "non_finite": 0,
    }  # fmt: skip
    return [{"name": name, **usual, **column} for name, column in columns.items()]


def description_of(columns: dict[str, Array]) -> list[dict[str, Any]]:
    """The descriptions of columns of numbers, by numpy."""
    return described(
        **{
            name: {
                "dtype": column.dtype.name, "shape": list(column.shape[1:]), "min": column.min().item(),
                "max": column.max().item(), "mean": float(column.mean()), "std": float(column.std()),
                **({"distinct": len(np.unique(column))} if column.dtype.kind == "i" else {}),
            }
            for name, column in columns.items()
        }
    )  # fmt: skip
