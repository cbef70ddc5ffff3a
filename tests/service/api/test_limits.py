"""GET /v1/limits: every limit, as set."""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from threadpoolctl import threadpool_info

from deltawire_layers import blas, kernels, load_layers
from deltawire_service.app import create_app
from deltawire_service.engine import fingerprint
from deltawire_service.settings import Settings


def test_every_limit_is_told() -> None:
    settings = Settings(log_level="error", nodes=17)
    answer = create_app(settings).test_client().get("/v1/limits").json
    assert answer["limits"] == {
        name: limit for name, limit in asdict(settings).items() if type(limit) in (int, float)
    }
    assert answer["limits"]["nodes"] == 17
    assert answer["dtypes"] == ["float32", "float64", "int64"]
    assert answer["media_types"] == ["application/json", "application/vnd.safetensors"]
    assert answer["threads"] == {
        "cores": len(os.sched_getaffinity(0)), "computations": 1, "compute": 1, "blas": blas_threads(),
    }  # fmt: skip
    assert answer["arithmetic"] == {"blas": numpys(), "kernels": kernels.instructions()}
    assert answer["versions"]["numpy"] == np.__version__
    assert answer["fingerprint"] == fingerprint(load_layers())


def test_it_says_whether_models_are_kept(tmp_path: Path) -> None:
    for folder, kept in (("", False), (str(tmp_path), True)):
        answer = create_app(Settings(log_level="error", data_dir=folder)).test_client().get("/v1/limits")
        assert answer.json["keeps_models"] is kept


def test_it_says_that_mkl_computes_products(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blas, "mkl", SimpleNamespace(version="2026.2", kernel="processors of a kind"))
    answer = create_app(Settings(log_level="error")).test_client().get("/v1/limits").json
    assert answer["arithmetic"]["blas"] == f"mkl 2026.2, processors of a kind; small products: {numpys()}"


def numpys() -> str:
    """numpy's own, the only one that is loaded."""
    built = np.show_config(mode="dicts")["Build Dependencies"]["blas"]["name"]
    assert "openblas" in built
    (loaded,) = (pool for pool in threadpool_info() if "numpy.libs" in pool["filepath"])
    return f"openblas {loaded['version']} {loaded['architecture']}"


def blas_threads() -> int:
    (loaded,) = (pool for pool in threadpool_info() if "numpy.libs" in pool["filepath"])
    return int(loaded["num_threads"])


def test_the_thread_policy_is_the_one_in_force() -> None:
    settings = Settings(log_level="error", compute_threads=3, computations=2)
    threads = create_app(settings).test_client().get("/v1/limits").json["threads"]
    assert (threads["compute"], threads["computations"]) == (3, 2)
