"""The service as a WSGI application: wiring only."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

from flask import Blueprint, Flask

from deltawire_layers import Registry, load_layers
from deltawire_service import bodies, deadlines
from deltawire_service.api import (
    check,
    docs,
    forward,
    gradients,
    health,
    hvp,
    init,
    jacobian,
    jvp,
    limits,
    plan,
    root,
    vjp,
)
from deltawire_service.api import layers as catalogue
from deltawire_service.api import metrics as exposition
from deltawire_service.api import networks as publications
from deltawire_service.application import Application
from deltawire_service.cors import allow_origins
from deltawire_service.engine import Run
from deltawire_service.exchange import current, follow
from deltawire_service.faces import FACES
from deltawire_service.faces.face import Face
from deltawire_service.headers import guard, tell_parameters
from deltawire_service.keys import read_keys, require_key, within_limits
from deltawire_service.logs import make_log, name_request, request_lines, tell_name
from deltawire_service.metrics import Metrics
from deltawire_service.networks import Networks
from deltawire_service.problems import answer_errors
from deltawire_service.published import PublishedNetworks
from deltawire_service.readiness import Readiness
from deltawire_service.settings import Settings
from deltawire_service.slots import Slots
from deltawire_service.timing import tell_times
from deltawire_service.tracing import configured_provider, trace_requests


class Service(NamedTuple):
    """What a server that runs the application tells it about: `app.extensions["deltawire"]`."""

    slots: Slots
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
    slots = Slots(settings.computations, settings.queue_seconds, settings.queue_bytes, deadlines.deadline)
    keys = read_keys(settings)
    metrics = Metrics(lambda: slots.waiting)

    def allowed(run: Run) -> Run:
        return metrics.counted(within_limits(run) if keys else run)

    networks = Networks(
        layers,
        settings.engine_limits,
        settings.cached_networks,
        settings.compute_threads,
        run=allowed(slots),
        run_own=allowed(slots.here),
        spent=metrics.spent,
    )
    readiness = Readiness()
    log = make_log(settings.log_level)
    published = PublishedNetworks(settings.networks_dir, networks.compile, settings.wire_limits, log)

    app = Application(__name__)
    answering = (tell_times, tell_name, tell_parameters, guard, request_lines(log))
    follow(app, (name_request, metrics.began), answering, metrics.ended)
    trace_requests(app, configured_provider())
    answer_errors(app, log)
    allow_origins(app, frozenset(settings.cors_origins.split()))
    if keys:
        require_key(app, keys)

    v1 = Blueprint("v1", __name__, url_prefix="/v1")
    v1.before_request(bodies.negotiate)
    v1.before_request(partial(deadlines.begin, settings))
    v1.before_request(partial(admit, slots))
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
    face = Face(settings, published, partial(admit, slots), log, readiness)
    for name in filter(None, settings.faces.split(",")):
        FACES[name](app, face)
    app.extensions["deltawire"] = Service(slots, metrics, readiness, published)
    return app


def admit(slots: Slots) -> None:
    """Refuse what would be computed too late before its body is read."""
    if current().method == "POST":
        slots.expect()
