"""The parts that all protocols share: deadlines, admission, bodies, and errors in their own form."""

from __future__ import annotations

import pytest
import structlog
from flask import Response
from flask.testing import FlaskClient

from deltawire_service.admission.compute_queue import Overloaded
from deltawire_service.admission.deadlines import end_deadlines
from deltawire_service.engine import Caches, current_deadline
from deltawire_service.http.flask_app import Application
from deltawire_service.http.request_context import (
    RequestContext,
    request_middleware,
)
from deltawire_service.networks.published import PublishedNetworks
from deltawire_service.protocols.context import ProtocolContext, json, refusal
from deltawire_service.protocols.served import ServedNetworks
from deltawire_service.server.readiness import Readiness
from deltawire_service.settings import Settings


@pytest.fixture
def client() -> FlaskClient:
    """A protocol whose errors are a code, with a route that returns its body and its deadline."""

    def check_capacity(context: RequestContext, json_bytes: int) -> None:
        if "busy" in context.environ["PATH_INFO"]:
            raise Overloaded(3)

    log = structlog.get_logger()
    published = PublishedNetworks("", lambda spec: spec, Settings().wire_limits, log)
    settings = Settings(json_body_bytes=100)
    caches = Caches()
    served = ServedNetworks(published, None, caches)
    protocol = ProtocolContext(settings, served, check_capacity, log, Readiness(), caches)
    routes = protocol.blueprint("some", lambda problem: json({"wrong": problem["code"]}, problem["status"]))

    @routes.post("/echo")
    @routes.post("/busy")
    def echo() -> Response:
        return json(protocol.read_document() | {"bounded": current_deadline() < float("inf")})

    @routes.get("/fails")
    def fails() -> Response:
        raise refusal("unknown_name", "there is no such name", "/name")

    app = Application(__name__)
    end_deadlines(app)
    request_middleware(app, [], [], lambda context: None)
    app.register_blueprint(routes)
    return app.test_client()


def test_a_body_is_read_whatever_its_media_type(client: FlaskClient) -> None:
    for headers in ({}, {"Content-Type": "application/json"}, {"Content-Type": "application/x-unknown"}):
        assert client.post("/echo", data=b'{"a": 1}', headers=headers).json == {"a": 1, "bounded": True}


@pytest.mark.parametrize(
    "body, status, code",
    [
        (b"[]", 422, "field_invalid"),
        (b"{", 400, "json_invalid"),
        (b" " * 101, 413, "body_too_large"),
    ],
)
def test_errors_have_the_form_of_the_protocol(
    client: FlaskClient, body: bytes, status: int, code: str
) -> None:
    answer = client.post("/echo", data=body)
    assert (answer.status_code, answer.json) == (status, {"wrong": code})
    assert client.get("/fails").json == {"wrong": "unknown_name"}


def test_a_request_that_would_wait_too_long_is_refused_before_its_body_is_read(client: FlaskClient) -> None:
    answer = client.post("/busy", data=b"not JSON")
    assert (answer.status_code, answer.json) == (503, {"wrong": "overloaded"})
    assert answer.headers["Retry-After"] == "3"


@pytest.mark.parametrize(
    "media_type",
    ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "Text/Plain; charset=utf-8"],
)
def test_a_body_that_a_web_form_could_send_is_refused(client: FlaskClient, media_type: str) -> None:
    answer = client.post("/echo", data=b'{"a": 1}', headers={"Content-Type": media_type})
    assert (answer.status_code, answer.json) == (415, {"wrong": "media_type_unsupported"})
