"""The service as a WSGI application: wiring only."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import NamedTuple

from flask import Blueprint, Flask
from structlog.typing import FilteringBoundLogger

from deltawire_layers import Registry, blas, load_layers
from deltawire_optimizers import load_optimizers
from deltawire_plugins import load_translations
from deltawire_service.admission import deadlines
from deltawire_service.admission.answer_memory import AnswerMemory
from deltawire_service.admission.api_keys import read_keys
from deltawire_service.admission.authentication import require_key
from deltawire_service.admission.compute_queue import ComputeQueue
from deltawire_service.admission.key_limits import within_key_limits
from deltawire_service.admission.request_bodies import RequestBodies
from deltawire_service.api import blobs as blob_route
from deltawire_service.api import docs, health, limits, root
from deltawire_service.api import layers as catalogue
from deltawire_service.api import metrics as exposition
from deltawire_service.api import networks as publications
from deltawire_service.api import optimizers as rules
from deltawire_service.api.compute import check, forward, gradients, hvp, init, jacobian, jvp, plan, vjp
from deltawire_service.api.compute.pipeline import Pipeline
from deltawire_service.api.datasets.rows import RowsReader
from deltawire_service.api.models import routes as model_routes
from deltawire_service.api.models.access import ModelAccess
from deltawire_service.cluster.starting import make_dispatcher
from deltawire_service.engine import Caches, KeptPasses, Runner, current_deadline
from deltawire_service.http import bodies, uploads
from deltawire_service.http.cors import allow_origins
from deltawire_service.http.flask_app import Application
from deltawire_service.http.hosts import HostNames, check_hosts
from deltawire_service.http.page_origins import SAFE_METHODS, check_origins
from deltawire_service.http.problems import answer_errors
from deltawire_service.http.request_context import RequestContext, current_request, request_middleware
from deltawire_service.http.security_headers import add_origin, add_security_headers
from deltawire_service.models.maintenance import starting
from deltawire_service.models.model_store import ModelStore
from deltawire_service.networks.cache import NetworkCache
from deltawire_service.networks.published import PublishedNetworks
from deltawire_service.networks.sources import BodySource
from deltawire_service.observability.cluster_observer import ClusterObserver, worker_metrics
from deltawire_service.observability.logs import add_request_id, make_log, request_lines, set_request_id
from deltawire_service.observability.metrics import Metrics
from deltawire_service.observability.opentelemetry import configured_provider, trace_requests
from deltawire_service.observability.pass_observer import PassObserver
from deltawire_service.observability.run_metrics import RunMetrics
from deltawire_service.observability.server_timing import add_server_timing
from deltawire_service.observability.store_observer import StoreObserver
from deltawire_service.protocols import PROTOCOLS
from deltawire_service.protocols.context import ProtocolContext
from deltawire_service.protocols.served import ServedNetworks
from deltawire_service.server.bodies.upload_room import UploadRoom
from deltawire_service.server.connections.limits import ConnectionLimits
from deltawire_service.server.readiness import Readiness
from deltawire_service.settings import Settings
from deltawire_service.store.folders import StoreFolder


class Service(NamedTuple):
    """The parts that a server connects to its processes: `app.extensions["deltawire"]`."""

    compute_queue: ComputeQueue
    answer_memory: AnswerMemory
    metrics: Metrics
    readiness: Readiness
    published: PublishedNetworks
    connection_limits: ConnectionLimits
    models: ModelStore | None
    log: FilteringBoundLogger


def create_app(settings: Settings | None = None, layers: Registry | None = None) -> Flask:
    """Return the service as a Flask application.

    Args:
        settings: the settings; by default those of the environment.
        layers: the layers; by default all that are installed.

    Raises:
        RegistryError: an installed plugin cannot be used.
        environs.EnvError: a setting does not fit.
        BlasUnusable: the process has taken another BLAS than the settings name.
        NotInstalled: traces are wanted that cannot be sent, or Dask is that is not installed.
        StoreUnusable: models cannot be kept in the folder that is set.
    """
    settings = settings or Settings.from_environment()
    blas.check(settings.blas)
    layers = load_layers() if layers is None else layers
    compute_queue = ComputeQueue(
        settings.computations,
        settings.queue_seconds,
        settings.queue_bytes,
        current_deadline,
        settings.hang_seconds,
    )
    keys = read_keys(settings)
    answer_memory = AnswerMemory(max(settings.admitted_bytes, settings.planned_bytes * settings.computations))
    metrics = Metrics(lambda: compute_queue.waiting)

    def on_request_end(context: RequestContext) -> None:
        answer_memory.on_request_end(context)
        metrics.on_request_end(context)

    log = make_log(settings.log_level)
    dispatcher = make_dispatcher(settings, lambda: networks.fingerprint(), ClusterObserver(metrics), log)
    membership = dispatcher.membership if dispatcher else None
    metrics.add(partial(worker_metrics, membership))

    def admitted(run: Runner) -> Runner:
        run = dispatcher.runner(run) if dispatcher else run
        run = answer_memory.counting(run)
        return metrics.counting_plans(within_key_limits(run) if keys else run)

    caches = Caches(settings.cache_bytes)
    networks = NetworkCache(
        layers,
        settings.engine_limits,
        caches,
        settings.compute_threads,
        run=admitted(compute_queue),
        run_own=admitted(compute_queue.run_inline),
        on_compute_seconds=metrics.on_compute_seconds,
        flat_programs=settings.flat_programs,
        kept_passes=KeptPasses(settings.kept_pass_bytes, PassObserver()),
    )
    readiness = Readiness()
    optimizers = load_optimizers()
    models = None
    if settings.data_dir:
        folder = StoreFolder(Path(settings.data_dir))
        observer = StoreObserver(metrics)
        models = ModelStore(
            *(folder, networks.compiled, optimizers, networks.fingerprint, settings.store_limits, observer)
        )
        starting.prepare(models)
    run_metrics = RunMetrics(models.folder, models.database) if models else RunMetrics()
    metrics.add(run_metrics.collect)
    published = PublishedNetworks(settings.networks_dir, networks.compile, settings.wire_limits, log)

    app = Application(__name__)
    deadlines.end_deadlines(app)
    request_middleware(
        app,
        before=(set_request_id, metrics.on_request),
        on_response=(
            answer_memory.on_response,
            add_server_timing,
            add_request_id,
            add_origin,
            add_security_headers,
            request_lines(log),
        ),
        after=on_request_end,
    )
    trace_requests(app, configured_provider())
    answer_errors(app, log)
    origins = frozenset(settings.cors_origins.split())
    host_names = HostNames(None if keys else frozenset(settings.allowed_hosts.lower().split()))
    check_hosts(app, host_names)
    allow_origins(app, origins)
    check_origins(app, origins)
    if keys:
        require_key(app, keys)

    def check_capacity(context: RequestContext, json_bytes: int) -> None:
        """Refuse a request that would be computed too late, or that has no room, before its body is read."""
        if context.method not in SAFE_METHODS:
            compute_queue.check_capacity()
            if json_bytes > bodies.UNCOUNTED:
                answer_memory.admit_body(context, bodies.PARSED * min(json_bytes, settings.json_body_bytes))

    v1 = Blueprint("v1", __name__, url_prefix="/v1")

    @v1.before_request
    def admit() -> None:
        context = current_request()
        bodies.negotiate(context)
        deadlines.set_deadline(settings, context)
        check_capacity(context, uploads.json_bytes(context))

    source = BodySource(published)
    upload_room = UploadRoom(
        max(settings.upload_bytes, settings.model_body_bytes, settings.dataset_body_bytes)
    )
    access = ModelAccess(settings, models, caches, answer_memory.admit_body, upload_room)
    rows = RowsReader(settings, lambda: access.datasets, answer_memory.admit_body)
    pipeline = Pipeline(settings, networks, source, caches, rows)
    for route in (gradients, forward, init, check, vjp, jvp, jacobian, hvp):
        v1.register_blueprint(route.blueprint(pipeline))
    v1.register_blueprint(plan.blueprint(pipeline, settings))
    for blueprint in model_routes.blueprints(settings, networks, access, source, caches, rows):
        v1.register_blueprint(blueprint)
    v1.register_blueprint(catalogue.blueprint(layers, load_translations()))
    v1.register_blueprint(rules.blueprint(optimizers))
    v1.register_blueprint(publications.blueprint(published))
    v1.register_blueprint(limits.blueprint(settings, networks.fingerprint, membership))
    app.register_blueprint(v1)
    if dispatcher:
        app.register_blueprint(blob_route.blueprint(dispatcher.blobs, dispatcher.links))
    app.register_blueprint(health.blueprint(readiness))
    app.register_blueprint(exposition.blueprint(metrics))
    app.register_blueprint(docs.blueprint(app, layers))
    app.register_blueprint(root.blueprint(app, settings.explorer_frame_ancestors))
    served = ServedNetworks(published, models, caches)
    protocol = ProtocolContext(settings, served, check_capacity, log, readiness, caches)
    for name in filter(None, settings.protocols.split(",")):
        PROTOCOLS[name](app, protocol)
    request_bodies = RequestBodies(settings, app.url_map, app.view_functions, host_names, keys, compute_queue)
    connection_limits = ConnectionLimits(
        deadline_seconds=settings.deadline_seconds,
        received_bytes=max(settings.received_bytes, settings.json_body_bytes, settings.binary_body_bytes),
        client_bytes_per_second=settings.client_bytes_per_second,
        upload_room=upload_room,
        free_bytes=settings.free_bytes,
        refuse_body=request_bodies.refusal,
        upload_folder=request_bodies.upload_folder,
    )
    app.extensions["deltawire"] = Service(
        *(compute_queue, answer_memory, metrics, readiness, published, connection_limits, models, log)
    )
    return app
