"""What is counted, in one process and over several, and that nothing of a request is in it."""

from __future__ import annotations

import os
import re
import signal
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import gettempdir
from threading import Event
from typing import Any

import pytest
import requests
from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families
from support.layers import failing, registry
from support.posting import changed, good, pointwise
from support.service import Service, running_service

from deltawire_layers import Activation, Layer, Registry, load_layers
from deltawire_service import gunicorn_conf
from deltawire_service.app import create_app
from deltawire_service.http.problem_codes import PROBLEMS
from deltawire_service.observability.multiprocess_metrics import MOMENT
from deltawire_service.settings import Settings

OPERATIONS = Path(__file__).parents[3] / "docs" / "operations.md"


def read(text: str) -> dict[str, float]:
    """Every sample, as Prometheus writes its name and labels."""
    return {
        sample.name
        + ("{" + ",".join(f"{k}={v}" for k, v in sorted(sample.labels.items())) + "}")
        * bool(sample.labels): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


class Buffered(FlaskClient):
    """Ends every answer, as a server does."""

    def open(self, *arguments: Any, **options: Any) -> Any:
        return super().open(*arguments, buffered=True, **options)


def client_of(settings: Settings | None = None, layers: Registry | None = None) -> FlaskClient:
    app = create_app(settings or Settings(log_level="error"), layers)
    app.test_client_class = Buffered
    return app.test_client()


def told(client: FlaskClient) -> dict[str, float]:
    answer = client.get("/metrics")
    assert answer.status_code == 200 and answer.mimetype == "text/plain"
    return read(answer.text)


def request(route: str, status: int, code: str = "") -> str:
    return f"deltawire_requests_total{{code={code},route={route},status={status}}}"


def test_requests_are_counted_by_route_and_code() -> None:
    client = client_of()
    for _ in range(3):
        client.post("/v1/gradients", json=good())
    client.post("/v1/gradients", json=changed(("/data/y/0", 7)))
    client.get("/v1/layers/linear")
    client.get("/v1/layers/no-such-kind")
    client.get("/secret/path?token=1")
    client.open("/livez", method="BREW")
    found = told(client)
    assert {key: value for key, value in found.items() if key.startswith("deltawire_requests_total")} == {
        request("/v1/gradients", 200): 3,
        request("/v1/gradients", 422, "label_out_of_range"): 1,
        request("/v1/layers/<kind>", 200): 1,
        request("/v1/layers/<kind>", 404, "layer_not_found"): 1,
        request("none", 404, "not_found"): 1,
        request("none", 405, "method_not_allowed"): 1,
    }
    assert told(client)[request("/metrics", 200)] == 1
    assert found["deltawire_requests_in_flight"] == 1  # the one that asks
    assert found["deltawire_queue_length"] == 0
    assert told(client_of()).get(request("/metrics", 200)) is None


def test_pages_are_counted_like_any_answer() -> None:
    client = client_of()
    page = client.get("/", headers={"Accept": "text/html"})
    found = told(client)
    assert found[request("/", 200)] == 1 and found["deltawire_requests_in_flight"] == 1
    assert found["deltawire_answer_bytes_sum{route=/}"] == len(page.data) > 100


def test_seconds_and_bytes_of_requests() -> None:
    client = client_of()
    sent = client.post("/v1/gradients", json=good())
    found = told(client)
    route = "{route=/v1/gradients}"
    for name in ("request_seconds", "request_bytes", "answer_bytes"):
        assert found[f"deltawire_{name}_count{route}"] == 1
        assert found[f"deltawire_{name}_bucket{{le=+Inf,route=/v1/gradients}}"] == 1
    assert found[f"deltawire_request_bytes_sum{route}"] == int(sent.request.headers["Content-Length"])
    assert found[f"deltawire_answer_bytes_sum{route}"] == len(sent.data)
    assert 0 < found[f"deltawire_request_seconds_sum{route}"] < 60
    assert found["deltawire_plan_bytes_count"] == 1 and found["deltawire_plan_bytes_sum"] > 100


@pytest.mark.parametrize("digits", [1, 19, 30, 400])
def test_whatever_length_a_request_announces_is_counted_and_written(digits: int, tmp_path: Path) -> None:
    client = client_of()
    client.application.extensions["deltawire"].metrics.share(str(tmp_path))
    for _ in range(3):
        client.post("/livez", environ_overrides={"CONTENT_LENGTH": "9" * digits})
    found = told(client)
    assert found["deltawire_request_bytes_count{route=none}"] == 3
    assert 0 < found["deltawire_request_bytes_sum{route=none}"] <= 3 * 2**50


@pytest.mark.parametrize("compute_threads", [1, 2])
def test_seconds_are_those_of_the_kind_that_takes_them(compute_threads: int) -> None:
    slow = failing("delta", lambda delta: (time.sleep(0.1), delta)[1])
    client = client_of(Settings(log_level="error", compute_threads=compute_threads), registry(slow=slow))
    request = pointwise("slow", 1.0)
    request["network"]["nodes"] += [{"kind": "sigmoid"}, {"kind": "sigmoid"}]
    assert client.post("/v1/gradients", json=request).status_code == 200
    found = told(client)
    seconds = {kind: found[f"deltawire_compute_seconds_total{{kind={kind}}}"] for kind in ("slow", "sigmoid")}
    assert 0.1 < seconds["slow"] < 5 and 0 < seconds["sigmoid"] < seconds["slow"]


SECONDS = "deltawire_compute_seconds_total{kind=slow}"
TWICE = {"cotangents": {"slow1": [[1.0], [1.0]]}, "wrt": {"data": True}}


@pytest.mark.parametrize(
    "path, more, forward, delta",
    [
        ("vjp", TWICE, 1, 2),
        ("jacobian", {"outputs": ["slow1"], "wrt": {"data": True}, "mode": "reverse"}, 1, 1),
        ("gradients", {"per_example": True, "wrt": {"data": True}}, 1, 1),
        ("gradients", {"wrt": {"data": True}}, 1, 1),
    ],
)
def test_seconds_are_those_of_every_derivative(
    path: str, more: Any, forward: int, delta: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The forward pass once, and the backward pass as often as it was computed."""
    now, calls = time.monotonic(), Counter[str]()
    for module in ("execute.backprop", "derivatives.per_example"):
        monkeypatch.setattr(f"deltawire_service.engine.{module}.monotonic", lambda: now + calls.total())

    def second(which: str) -> Any:
        def take(given: Any) -> Any:
            calls[which] += 1
            return given

        return take

    class Slow(Layer):
        """y = x, for x (...)."""

        def output_shape(self, x: tuple[int, ...]) -> tuple[int, ...]:
            return x

        def forward(self, params: Any, x: Any) -> Activation:
            return Activation(second("forward")(x), deltas=(second("delta"),))

    client = client_of(layers=registry(slow=Slow))
    request = {
        "network": {
            "inputs": {"x": {"shape": []}},
            "nodes": [{"name": "slow1", "kind": "slow"}],
            "loss": "slow1",
        },
        "params": {},
        "data": {"x": [1.0]},
    }
    answer = client.post(f"/v1/{path}", json=request | more)
    assert answer.status_code == 200, answer.text
    assert calls == {"forward": forward, "delta": delta}
    assert told(client)[SECONDS] == pytest.approx(forward + delta)


def test_seconds_are_those_of_gradients_made_apart() -> None:
    linear = load_layers()["linear"]

    class Slow(linear):  # type: ignore[misc, valid-type]
        """z = W x + b."""

        def per_example(self, params: Any, delta: Any, x: Any) -> Any:
            time.sleep(0.1)
            return super().per_example(params, delta, x)

    client = client_of(layers=registry(slow=Slow))
    request = good()
    request["network"]["nodes"][0]["kind"] = "slow"
    assert client.post("/v1/gradients", json=request | {"per_example": True}).status_code == 200
    assert told(client)[SECONDS] >= 0.1


def test_the_queue_and_who_is_turned_away() -> None:
    release, begun = Event(), Event()

    def hold(x: object) -> object:
        begun.set()
        assert release.wait(10)
        return x

    client = client_of(Settings(log_level="error", queue_seconds=0.5), registry(odd=failing("delta", hold)))
    with ThreadPoolExecutor(2) as callers:
        callers.submit(client.application.test_client().post, "/v1/gradients", json=pointwise("odd", 1.0))
        assert begun.wait(10)
        waits = callers.submit(client.application.test_client().post, "/v1/gradients", json=good())
        end = time.monotonic() + 5
        while told(client)["deltawire_queue_length"] != 1:
            assert time.monotonic() < end
        assert waits.result().status_code == 503
        release.set()
    found = told(client)
    assert found["deltawire_queue_length"] == 0
    assert found["deltawire_rejections_total{code=overloaded}"] == 1


def test_nothing_a_caller_makes_up_is_a_label() -> None:
    client = client_of()
    marks = ["hunter2", "сonfidential", "a\nb 1", 'x"} 1', "%s", "\x1b[2J"]
    for mark in marks:
        client.get("/" + mark.replace("\n", "%0a"))
        client.post("/v1/gradients", json=changed(("/network/nodes/0/name", mark)))
        client.post("/v1/gradients", json=changed(("/network/nodes/0/kind", mark)))
        client.open("/livez", method="BREW", headers={"X-Request-Id": mark.encode("unicode_escape").decode()})
    text = client.get("/metrics").text
    assert not any(mark in text for mark in marks)
    labels = {
        label
        for family in text_string_to_metric_families(text)
        for s in family.samples
        for label in s.labels.items()
    }
    routes = {rule.rule for rule in client.application.url_map.iter_rules()} | {"none"}
    allowed = {"route": routes, "code": {"", *PROBLEMS}, "kind": set(registry())}
    assert all(value in allowed[name] for name, value in labels if name in allowed)
    assert {name for name, _ in labels} <= {*allowed, "status", "le"}


def test_every_metric_is_documented() -> None:
    client = client_of()
    families = {
        family.name + "_total" * (family.type == "counter"): family.type
        for family in text_string_to_metric_families(client.get("/metrics").text)
        if not family.name.endswith("_created")
    }
    table = re.findall(r"^\| `(deltawire_\w+)` \| (\w+) \|", OPERATIONS.read_text(), re.MULTILINE)
    assert dict(table) == families


# Several worker processes.


def counted(service: Service, path: str = "/v1/gradients") -> float:
    return read(requests.get(f"{service}/metrics", timeout=10).text).get(request(path, 200), 0.0)


def folder_of(pid: int) -> Path:
    """Where a worker counts: beside it, other services may."""
    (file,) = Path(gunicorn_conf.worker_tmp_dir or gettempdir()).glob(f"deltawire-metrics-*/{pid}-*.json")
    return file.parent


def test_several_workers_count_together_and_none_is_forgotten_when_it_ends() -> None:
    with running_service("-w", "3") as service:
        with ThreadPoolExecutor(8) as callers:  # a connection each: they come to all workers
            answers = list(
                callers.map(
                    lambda _: requests.post(f"{service}/v1/gradients", json=good(), timeout=20), range(60)
                )
            )
        assert {answer.status_code for answer in answers} <= {200, 503}
        expected = sum(answer.status_code == 200 for answer in answers)
        assert expected > 20
        eventually(lambda: counted(service) == expected)
        path = folder_of(children(service.pid)[0])
        assert path.stat().st_mode & 0o777 == 0o700
        for victim in children(service.pid):
            os.kill(victim, signal.SIGKILL)
            eventually(
                lambda victim=victim: not list(path.glob(f"{victim}-*")) and len(children(service.pid)) == 3
            )
            eventually(lambda: counted(service) == expected)
        time.sleep(4 * MOMENT)  # those who were asked before have told that they answer nobody now
        found = read(requests.get(f"{service}/metrics", timeout=10).text)
        assert found["deltawire_requests_in_flight"] == 1
        assert found["deltawire_request_seconds_count{route=/v1/gradients}"] == len(answers)
        assert found["deltawire_compute_seconds_total{kind=linear}"] > 0
    assert not path.exists()


def children(pid: int) -> list[int]:
    return list(map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()))


def eventually(condition: object) -> None:
    end = time.monotonic() + 15
    while True:
        try:
            if condition():  # type: ignore[operator]
                return
        except requests.ConnectionError:
            pass  # a worker that was killed
        assert time.monotonic() < end
        time.sleep(0.05)
