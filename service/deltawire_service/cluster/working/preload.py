"""Make a Dask worker one of deltawire: `dask worker --preload deltawire_service.cluster.working.preload`.

`deltawire worker` starts one with it.
"""

from __future__ import annotations

from importlib.metadata import version

import numpy as np
from distributed import Worker

from deltawire_service.cluster.resources import resource
from deltawire_service.cluster.working.worker import current_worker


def dask_setup(worker: Worker) -> None:
    """Give a worker its fingerprint as a resource, and tell the scheduler its versions."""
    fingerprint = current_worker().fingerprint
    # Before the worker registers: there is no moment in which it takes tasks without it.
    for resources in (worker.state.total_resources, worker.state.available_resources):
        resources[resource(fingerprint)] = worker.state.nthreads
    versions = {"deltawire": version("deltawire"), "numpy": np.__version__}

    async def describe(worker: Worker) -> dict[str, object]:
        return {"fingerprint": fingerprint, "versions": versions}

    worker.startup_information["deltawire"] = describe
