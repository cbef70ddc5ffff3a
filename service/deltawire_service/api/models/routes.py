"""All routes of models, their runs, and datasets."""

from __future__ import annotations

from collections.abc import Iterator

from flask import Blueprint

from deltawire_service.api.compute.pipeline import Pipeline
from deltawire_service.api.datasets import routes as datasets
from deltawire_service.api.datasets.rows import RowsReader
from deltawire_service.api.models import changes, computing, creations, descriptions, numbers, steps
from deltawire_service.api.models.access import ModelAccess
from deltawire_service.api.models.sources import ModelSource
from deltawire_service.api.runs import changes as run_changes
from deltawire_service.api.runs import creations as run_creations
from deltawire_service.api.runs import descriptions as run_descriptions
from deltawire_service.engine import Caches
from deltawire_service.networks.cache import NetworkCache
from deltawire_service.networks.sources import Source
from deltawire_service.settings import Settings


def blueprints(
    settings: Settings,
    networks: NetworkCache,
    access: ModelAccess,
    body: Source,
    caches: Caches,
    rows: RowsReader,
) -> Iterator[Blueprint]:
    """Yield the routes.

    Args:
        settings: the settings of the service.
        networks: compiles networks.
        access: the models; where the service keeps none, the routes say so.
        body: completes documents that name a published network.
        caches: keeps the options of requests.
        rows: reads rows of datasets in place of data.
    """
    yield creations.blueprint(access, body)
    for routes in (descriptions, changes, numbers, datasets):
        yield routes.blueprint(access)
    for run_routes in (run_creations, run_descriptions, run_changes):
        yield run_routes.blueprint(access)
    yield steps.blueprint(access, rows)
    yield computing.blueprint(Pipeline(settings, networks, ModelSource(access), caches, rows), settings)
