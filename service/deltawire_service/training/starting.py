"""The store of a trainer: the same models and datasets as those of the service, computed with at once."""

from __future__ import annotations

from pathlib import Path

from deltawire_layers import Registry, load_layers
from deltawire_optimizers import load_optimizers
from deltawire_service.cluster.starting import make_dispatcher
from deltawire_service.engine import Caches, run_now
from deltawire_service.models.model_store import ModelStore
from deltawire_service.networks.cache import NetworkCache
from deltawire_service.observability.cluster_observer import ClusterObserver
from deltawire_service.observability.logs import make_log
from deltawire_service.observability.metrics import Metrics
from deltawire_service.observability.store_observer import StoreObserver
from deltawire_service.settings import Settings
from deltawire_service.store.folders import StoreFolder
from deltawire_service.training.guard import Guard


def make_store(
    settings: Settings, metrics: Metrics, guard: Guard | None = None, layers: Registry | None = None
) -> ModelStore:
    """Return the store of the folder that is set, for a process that takes runs.

    Its computations have no deadline. Their plans have the bounds of the settings.

    Args:
        settings: the settings of the service.
        metrics: counts what is computed and stored.
        guard: bounds what is computed; by default nothing does.
        layers: the layers; by default all that are installed.

    Raises:
        RegistryError: an installed plugin cannot be used.
    """
    dispatcher = make_dispatcher(
        settings, lambda: networks.fingerprint(), ClusterObserver(metrics), make_log(settings.log_level)
    )
    run = dispatcher.runner(run_now) if dispatcher else run_now
    networks = NetworkCache(
        load_layers() if layers is None else layers,
        settings.engine_limits,
        Caches(settings.cache_bytes),
        settings.trainer_threads,
        run=metrics.counting_plans((guard or Guard()).guarding(run)),
        on_compute_seconds=metrics.on_compute_seconds,
        flat_programs=settings.flat_programs,
    )
    return ModelStore(
        StoreFolder(Path(settings.data_dir)),
        networks.compiled,
        load_optimizers(),
        networks.fingerprint,
        settings.store_limits,
        StoreObserver(metrics),
    )
