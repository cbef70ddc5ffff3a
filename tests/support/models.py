"""Models in a folder, without HTTP."""

from __future__ import annotations

from functools import cache
from math import inf
from pathlib import Path
from typing import Any

import numpy as np
from support.engine import LAYERS

from deltawire.errors import Fault, Refused
from deltawire.wire import Array
from deltawire_optimizers import load_optimizers
from deltawire_service.models import creations, steps
from deltawire_service.models.creations import CreateRequest
from deltawire_service.models.model_store import DEFAULT_LIMITS, ModelStore
from deltawire_service.models.numbers import Numbers
from deltawire_service.models.steps import StepRequest
from deltawire_service.models.versions import open_version
from deltawire_service.networks.cache import NetworkCache
from deltawire_service.networks.published import params_id
from deltawire_service.settings import Settings
from deltawire_service.store.folders import StoreFolder
from deltawire_service.store.limits import StoreLimits
from deltawire_service.store.tables.idempotency_keys import RequestKey

OPTIMIZERS = load_optimizers()

SPEC: dict[str, Any] = {
    "inputs": {"x": {"shape": [4]}, "y": {"shape": [], "dtype": "int64"}},
    "nodes": [
        {"name": "hidden", "kind": "linear", "inputs": ["x"], "config": {"units": 8}},
        {"name": "active", "kind": "tanh", "inputs": ["hidden"]},
        {"name": "scores", "kind": "linear", "inputs": ["active"], "config": {"units": 3}},
        {"name": "loss", "kind": "softmax_nll", "inputs": ["scores", "y"]},
    ],
}
NOISY: dict[str, Any] = {
    "inputs": {**SPEC["inputs"], "keep": {"shape": [8], "noise": {"dropout": 0.5}}},
    "nodes": [
        *SPEC["nodes"][:2],
        {"name": "kept", "kind": "multiply", "inputs": ["active", "keep"]},
        {"name": "scores", "kind": "linear", "inputs": ["kept"], "config": {"units": 3}},
        SPEC["nodes"][3],
    ],
}
"""`SPEC` with dropout."""
ADAM: dict[str, Any] = {"kind": "adam", "config": {"learning_rate": 0.01}}
OWNER = "anna"


@cache
def shared_networks() -> NetworkCache:
    """The networks of this process: compiled once, and not for each store that is opened."""
    return NetworkCache(LAYERS, Settings().engine_limits)


def open_store(path: Path, another_fingerprint: str = "", limits: StoreLimits = DEFAULT_LIMITS) -> ModelStore:
    """The models in a folder, as another process would open them."""
    networks = shared_networks()
    store = ModelStore(
        StoreFolder(path),
        networks.compiled,
        OPTIMIZERS,
        lambda: another_fingerprint or networks.fingerprint(),
        limits,
    )
    store.prepare()
    return store


def open_without_layers(path: Path) -> ModelStore:
    """The models in a folder, as a process opens them in which their layers are not installed."""

    def refuse(*_: object) -> Any:
        raise Refused([Fault("/network/nodes/0/kind", "unknown_kind", "there is no layer 'linear'")])

    store = open_store(path)
    store.compile_network = refuse
    return store


def create(
    store: ModelStore, name: str = "model", optimizer: Any = ADAM, spec: Any = SPEC, **options: Any
) -> dict[str, Any]:
    request = CreateRequest(spec, optimizer, **options)
    return creations.create(store, OWNER, name, request, inf)


def batch(seed: int, size: int = 5, dtype: str = "float64") -> dict[str, Array]:
    """A batch for `SPEC`."""
    numbers = np.random.default_rng(seed)
    return {
        "data/x": numbers.normal(size=(size, 4)).astype(dtype),
        "data/y": numbers.integers(0, 3, size),
    }


def step(store: ModelStore, seed: int, name: str = "model", key: str = "", **options: Any) -> dict[str, Any]:
    request_key = RequestKey(OWNER, key, f"{name} {seed}".encode()) if key else None
    request = StepRequest(options.pop("arrays", None) or batch(seed), **options)
    return steps.take_step(store, OWNER, name, request, inf, request_key)


def numbers_of(store: ModelStore, name: str = "model", version: int | None = None) -> Numbers:
    """A copy of the numbers of a version."""
    with open_version(store, OWNER, name, inf, version) as opened:
        return Numbers(*({key: array.copy() for key, array in part.items()} for part in opened.numbers))


def id_of(store: ModelStore, name: str = "model", version: int | None = None) -> str:
    return params_id(numbers_of(store, name, version).params)


def same(a: Numbers, b: Numbers) -> bool:
    """Whether all bits of two versions are equal."""
    return all(
        mine.keys() == others.keys()
        and all(array.tobytes() == others[name].tobytes() for name, array in mine.items())
        for mine, others in zip(a, b, strict=True)
    )
