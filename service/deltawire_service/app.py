"""The service as a WSGI application: wiring only."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

from flask import Blueprint, Flask

from deltawire_layers import Registry, load_layers
from deltawire_service.admission import deadlines
from deltawire_service.admission.api_keys import read_keys
from deltawire_service.admission.authentication import require_key
from deltawire_service.admission.compute_queue import ComputeQueue
from deltawire_service.admission.key_limits import within_key_limits
from deltawire_service.api import docs, health, limits, root
from deltawire_service.api import layers as catalogue
from deltawire_service.api import metrics as exposition
from deltawire_service.api import networks as publications
from deltawire_service.api.compute import check, forward, gradients, hvp, init, jacobian, jvp, plan, vjp
from deltawire_service.engine import Runner
from deltawire_service.http import bodies
from deltawire_service.http.cors import allow_origins
from deltawire_service.http.flask_app import Application
from deltawire_service.http.problems import answer_errors
from deltawire_service.http.request_context import current, request_middleware
from deltawire_service.http.security_headers import guard, tell_parameters
from deltawire_service.networks.cache import NetworkCache
from deltawire_service.networks.published import PublishedNetworks
from deltawire_service.observability.logs import make_log, name_request, request_lines, tell_name
from deltawire_service.observability.metrics import Metrics
from deltawire_service.observability.opentelemetry import configured_provider, trace_requests
from deltawire_service.observability.server_timing import tell_times
from deltawire_service.protocols import PROTOCOLS
from deltawire_service.protocols.protocol import Protocol
from deltawire_service.server.readiness import Readiness
from deltawire_service.settings import Settings


class Service(NamedTuple):
    """What a server that runs the application tells it about: `app.extensions["deltawire"]`."""

    compute_queue: ComputeQueue
    metrics: Metrics
    readiness: Readiness
    published: PublishedNetworks


def create_app(settings: Settings | None = None, layers: Registry | None = None) -> Flask:
    """The service, with these settings (else those of the environment) and these layers (else all installed).

    Raises RegistryError when an installed plugin cannot be used, environs.EnvError for an unfit setting,
    NotInstalled when traces are asked for that cannot be sent.
    """
    settings = settings or Settings.from_environment()
    layers = load_layers() if layers is None else layers
    compute_queue = ComputeQueue(
        settings.computations, settings.queue_seconds, settings.queue_bytes, deadlines.deadline
    )
    keys = read_keys(settings)
    metrics = Metrics(lambda: compute_queue.waiting)

    def allowed(run: Runner) -> Runner:
        return metrics.counted(within_key_limits(run) if keys else run)

    networks = NetworkCache(
        layers,
        settings.engine_limits,
        settings.cached_networks,
        settings.compute_threads,
        run=allowed(compute_queue),
        run_own=allowed(compute_queue.run_inline),
        on_compute_seconds=metrics.on_compute_seconds,
    )
    readiness = Readiness()
    log = make_log(settings.log_level)
    published = PublishedNetworks(settings.networks_dir, networks.compile, settings.wire_limits, log)

    app = Application(__name__)
    answering = (tell_times, tell_name, tell_parameters, guard, request_lines(log))
    request_middleware(app, (name_request, metrics.began), answering, metrics.ended)
    trace_requests(app, configured_provider())
    answer_errors(app, log)
    allow_origins(app, frozenset(settings.cors_origins.split()))
    if keys:
        require_key(app, keys)

    v1 = Blueprint("v1", __name__, url_prefix="/v1")
    v1.before_request(bodies.negotiate)
    v1.before_request(partial(deadlines.begin, settings))
    v1.before_request(partial(admit, compute_queue))
    for computing in (gradients, forward, init, plan, check, vjp, jvp, jacobian, hvp):
        v1.register_blueprint(computing.blueprint(settings, networks))
    v1.register_blueprint(catalogue.blueprint(settings, layers))
    v1.register_blueprint(publications.blueprint(settings, published))
    v1.register_blueprint(limits.blueprint(settings))
    app.register_blueprint(v1)
    app.register_blueprint(health.blueprint(settings, readiness))
    app.register_blueprint(exposition.blueprint(metrics))
    app.register_blueprint(docs.blueprint(layers))
    app.register_blueprint(root.blueprint(settings))
    protocol = Protocol(settings, published, partial(admit, compute_queue), log, readiness)
    for name in filter(None, settings.protocols.split(",")):
        PROTOCOLS[name](app, protocol)
    app.extensions["deltawire"] = Service(compute_queue, metrics, readiness, published)
    return app


def admit(compute_queue: ComputeQueue) -> None:
    """Refuse what would be computed too late before its body is read."""
    if current().method == "POST":
        compute_queue.expect()
