"""All routes of models."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from flask import Blueprint

from deltawire_service.api.compute.pipeline import Pipeline
from deltawire_service.api.models import changes, computing, creations, descriptions, numbers, steps
from deltawire_service.api.models.access import ModelAccess
from deltawire_service.api.models.sources import ModelSource
from deltawire_service.engine import Caches
from deltawire_service.http.request_context import RequestContext
from deltawire_service.models.model_store import ModelStore
from deltawire_service.networks.cache import NetworkCache
from deltawire_service.networks.sources import Source
from deltawire_service.settings import Settings


def blueprints(
    settings: Settings,
    networks: NetworkCache,
    store: ModelStore | None,
    body: Source,
    caches: Caches,
    admit: Callable[[RequestContext, int], None],
) -> Iterator[Blueprint]:
    """Yield the routes.

    Args:
        settings: the settings of the service.
        networks: compiles networks.
        store: the models; None where the service keeps none: the routes say so.
        body: completes documents that name a published network.
        caches: keeps the options of requests.
        admit: holds memory for a request until its answer has been sent. Raises Overloaded while there is no
            room.
    """
    access = ModelAccess(settings, store, caches, admit)
    yield creations.blueprint(access, body)
    for routes in (descriptions, changes, steps, numbers):
        yield routes.blueprint(access)
    yield computing.blueprint(Pipeline(settings, networks, ModelSource(access), caches), settings)
