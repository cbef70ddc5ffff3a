"""GET /v1/limits: every limit in force, what tensors may be, whether models are kept, threads, versions."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable
from dataclasses import asdict
from importlib.metadata import version
from typing import Any

import numpy as np
from flask import Blueprint
from threadpoolctl import threadpool_info

from deltawire import wire
from deltawire_layers import blas, kernels
from deltawire_service.admission.key_limits import planned_bytes
from deltawire_service.api.operation import operation
from deltawire_service.cluster.report import Membership
from deltawire_service.http.request_context import current_request
from deltawire_service.schemas.resource_responses import LimitsResponse
from deltawire_service.settings import Settings


def blueprint(
    settings: Settings,
    fingerprint: Callable[[], str],
    membership: Callable[[], Membership] | None = None,
) -> Blueprint:
    """Return the route.

    Args:
        settings: the settings.
        fingerprint: returns that of this process.
        membership: returns how many workers there are, where other machines compute.
    """
    routes = Blueprint("limits", __name__)
    numbers = {name: value for name, value in asdict(settings).items() if type(value) in (int, float)}
    answer = {
        "dtypes": list(wire.DTYPES),
        "media_types": list(wire.MEDIA_TYPES),
        "keeps_models": bool(settings.data_dir),
        "threads": threads(settings),
        "arithmetic": {"blas": blas_in_use(), "kernels": kernels.instructions()},
        "versions": {
            "deltawire": version("deltawire"),
            "numpy": np.__version__,
            "python": platform.python_version(),
        },
    }

    @routes.get("/limits")
    @operation(LimitsResponse)
    def limits() -> dict[str, Any]:
        """Show every limit in force, dtypes, media types, whether models are kept, threads and versions."""
        return {
            **answer,
            "fingerprint": fingerprint(),
            "workers": membership()._asdict() if membership else None,
            "limits": {**numbers, "planned_bytes": planned_bytes(settings, current_request().key)},
        }

    return routes


def threads(settings: Settings) -> dict[str, int]:
    """Return the threads of a worker process, and the cores it may use. BLAS has those it started with."""
    affine = hasattr(os, "sched_getaffinity")
    return {
        "cores": len(os.sched_getaffinity(0)) if affine else os.cpu_count() or 1,
        "computations": settings.computations,
        "compute": settings.compute_threads,
        "blas": max(
            (pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"), default=1
        ),
    }


def blas_in_use() -> str:
    """Return the BLAS of matrix products, its version, and the kind of processor it computes for."""
    if mkl := blas.description():
        return f"{mkl}; small products: {numpy_blas()}"
    return numpy_blas()


def numpy_blas() -> str:
    """Return the BLAS that numpy has loaded, its version, and the kind of processor it computes for."""
    loaded = [pool for pool in threadpool_info() if pool["user_api"] == "blas"]
    own = [pool for pool in loaded if "numpy.libs" in pool["filepath"]]  # scipy may bring another
    return ", ".join(
        " ".join(str(pool[key]) for key in ("internal_api", "version", "architecture") if pool.get(key))
        for pool in own or loaded
    )
