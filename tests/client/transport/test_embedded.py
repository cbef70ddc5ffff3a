"""The embedded transport: the service in this process, and what is said when it is not installed."""

from __future__ import annotations

import dataclasses
import os
import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.classifier import classifier

from deltawire import Client, DeltawireError, Refused, Retries, ServiceFailed, optim, wire
from deltawire_service.settings import Settings

WITHOUT_SERVICE = """
import sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"flask", "werkzeug", "structlog", "environs", "apispec", "gunicorn"}:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Missing())
from deltawire import Client, Network, NotInstalled

Client("http://127.0.0.1:9")
try:
    Client()
except NotInstalled as error:
    assert error.code == "not_installed" and "deltawire[service]" in str(error), error
    print("told")
"""


def test_the_client_works_without_the_service_and_names_the_extra() -> None:
    run = subprocess.run([sys.executable, "-c", WITHOUT_SERVICE], capture_output=True, text=True, timeout=60)
    assert run.stdout == "told\n", run.stderr


def test_settings_of_the_environment_hold_and_only_failures_are_logged(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DELTAWIRE_NODES", "1")
    spec = {"inputs": {"x": {"shape": []}}, "nodes": [{"kind": "tanh"}, {"kind": "tanh"}]}
    with Client() as client, pytest.raises(Refused) as refused:
        client.init(spec)
    assert refused.value.code == "too_many_nodes"
    assert capfd.readouterr() == ("", "")


BROKEN = """
from deltawire import Client, PluginFailed
from deltawire_layers.layers.pointwise import activations

def broken(self, params, x):
    raise ValueError("the reason")

activations.Tanh.forward = broken
try:
    Client().forward({"inputs": {"x": {"shape": []}}, "nodes": [{"kind": "tanh"}]}, {}, {"x": [1.0]})
except PluginFailed as failed:
    import traceback
    assert "layer 'tanh' fails in its forward pass: ValueError('the reason')" in str(failed), failed
    assert "in broken" in "".join(traceback.format_exception(failed))
    print("told")
"""


def test_a_failed_plugin_has_its_reason_and_its_traceback() -> None:
    run = subprocess.run([sys.executable, "-c", BROKEN], capture_output=True, text=True, timeout=60)
    assert run.stdout == "told\n", run.stderr


def test_a_deadline_of_the_environment_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    nodes = [{"kind": "linear", "config": {"units": 64}}] * 100
    spec = {"inputs": {"x": {"shape": [64, 64]}}, "nodes": nodes}
    params, data = Client().init(spec), {"x": np.ones((200, 64, 64))}
    monkeypatch.setenv("DELTAWIRE_DEADLINE_SECONDS", "0.001")
    with pytest.raises(ServiceFailed, match="DELTAWIRE_DEADLINE_SECONDS") as failed:
        Client().forward(spec, params, data)
    assert failed.value.code == "deadline_exceeded"


SMALL: dict[str, Any] = {
    "inputs": {"x": {"shape": [4, 4]}},
    "nodes": [{"kind": "linear", "name": "a", "config": {"units": 3}}, {"kind": "sum", "name": "loss"}],
    "loss": "loss",
}

REFUSING = {
    "json_body_bytes": 100,
    "binary_body_bytes": 100,
    "tensor_header_bytes": 100,
    "json_depth": 2,
    "json_members": 5,
    "json_lists": 1,
    "tensors": 1,
    "rank": 2,
    "elements": 10,
    "nodes": 1,
    "planned_bytes": 1000,
    "planned_operations": 10,
}
"""A value of each setting with which a call is refused."""

ONLY_WITH_OTHER_CALLS = {"queue_seconds", "queue_bytes", "admitted_bytes"}
"""Settings that refuse a call while others compute; tests/service/admission has their messages."""

NEVER_REFUSING = {
    *(
        "compute_threads",
        "flat_programs",
        "blas",
        "computations",
        "hang_seconds",
        "received_bytes",
        "client_bytes_per_second",
    ),
    *("drain_seconds", "api_keys", "api_keys_file", "insecure_public", "allowed_hosts", "cors_origins"),
    "explorer_frame_ancestors",
    *(
        "cache_bytes",
        "kept_pass_bytes",
        "networks_dir",
        "protocols",
        "log_level",
        "data_dir",
        "trainer",
        "trainer_threads",
    ),
    *("dask", "cluster_url", "cluster_operations", "worker_cache_bytes"),
}
"""Settings of sockets, of processes, and of what a service offers."""

OF_MODELS = {
    *("models_per_key", "model_bytes_per_key", "free_bytes", "history_bytes", "ledger_entries"),
    *("idempotency_keys", "idempotency_seconds", "model_body_bytes", "upload_bytes"),
    *("datasets_per_key", "dataset_body_bytes", "dataset_roots", "runs_per_key"),
    *("model_tensors", "model_tensor_header_bytes"),
}
"""Settings that refuse changes of models or datasets or new runs, or bound the history of models.

Their messages are in tests/service/models, tests/service/datasets and tests/service/training.
"""


def test_every_setting_is_known_to_refuse_embedded_calls_or_not() -> None:
    names = {setting.name for setting in dataclasses.fields(Settings)}
    known = REFUSING.keys() | ONLY_WITH_OTHER_CALLS | NEVER_REFUSING | OF_MODELS | {"deadline_seconds"}
    assert known == names


def refusals(client: Client) -> list[DeltawireError]:
    """Return what a client's calls with SMALL are refused with, of those that are."""
    params, x = {"a.weight": np.ones((3, 4)), "a.bias": np.zeros(3)}, {"x": np.ones((50, 4, 4))}
    errors = list[DeltawireError]()
    for call in (lambda: client.init(SMALL), lambda: client.gradients(SMALL, params, x)):
        try:
            call()
        except DeltawireError as error:
            errors.append(error)
    return errors


@pytest.mark.parametrize("media_type", wire.MEDIA_TYPES)
@pytest.mark.parametrize("setting", REFUSING)
def test_a_refusal_names_the_setting_and_no_http(
    setting: str, media_type: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    variable = f"DELTAWIRE_{setting.upper()}"
    monkeypatch.setenv(variable, str(REFUSING[setting]))
    errors = refusals(Client(media_type=media_type))
    assert errors or (media_type == wire.JSON and setting in ("binary_body_bytes", "tensor_header_bytes"))
    for error in errors:
        assert f"({variable})" in str(error)
        assert not any(word in str(error).lower() for word in ("body ", "bodies", "http", "application/"))


def test_the_other_settings_refuse_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = {"hang_seconds": 0, "drain_seconds": 0, "allowed_hosts": "other", "api_keys": "wrong"}
    least = dict.fromkeys(("compute_threads", "computations", "received_bytes", "cache_bytes"), 1)
    for name, value in (numbers | least | dict.fromkeys(ONLY_WITH_OTHER_CALLS, 1)).items():
        monkeypatch.setenv(f"DELTAWIRE_{name.upper()}", str(value))
    assert refusals(Client()) == []


def test_calls_in_threads_wait_for_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """Together their plans take more than one call may; none is turned away, and none sleeps and retries."""
    spec = {"inputs": {"x": {"shape": [500]}}, "nodes": [{"kind": "linear", "config": {"units": 500}}]}
    once, x = Client(retries=Retries(attempts=1)), {"x": np.ones((2000, 500))}
    monkeypatch.setenv("DELTAWIRE_PLANNED_BYTES", str(once.plan(spec, 2000)["peak_bytes"] * 5 // 4))
    client = Client(retries=Retries(attempts=1))
    params = client.init(spec)
    with ThreadPoolExecutor(4) as pool:
        calls = [pool.submit(client.forward, spec, params, x) for _ in range(12)]
        assert all(call.result()["linear1"].shape == (2000, 500) for call in calls)


def test_planned_memory_alone_bounds_arrays(monkeypatch: pytest.MonkeyPatch) -> None:
    spec = {"inputs": {"x": {"shape": [2**20]}}, "nodes": [{"kind": "sum"}]}
    data = {"x": np.zeros((9, 2**20))}  # 72 MiB: more than a body may have over HTTP
    assert Client().forward(spec, {}, data)["sum1"].shape == (9,)
    monkeypatch.setenv("DELTAWIRE_PLANNED_BYTES", str(2**24))
    with pytest.raises(Refused, match="DELTAWIRE_PLANNED_BYTES"):
        Client().forward(spec, {}, data)


def test_the_numbers_of_an_array_have_no_bound_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    spec = {"inputs": {"x": {"shape": [2**29]}}, "nodes": [{"kind": "sum"}]}
    with pytest.raises(Refused, match="DELTAWIRE_PLANNED_BYTES"):
        Client().plan(spec)
    with pytest.raises(Refused, match="DELTAWIRE_PLANNED_BYTES"):
        Client().plan({**spec, "inputs": {"x": {"shape": [2**62]}}})
    monkeypatch.setenv("DELTAWIRE_PLANNED_BYTES", str(2**40))
    assert Client().plan(spec)["fits"]
    monkeypatch.setenv("DELTAWIRE_ELEMENTS", str(2**26))
    with pytest.raises(Refused) as refused:
        Client().plan(spec)
    assert refused.value.code == "shape_too_large"


@pytest.mark.parametrize("media_type", wire.MEDIA_TYPES)
def test_tensors_have_no_bound_and_neither_has_their_header(media_type: str) -> None:
    """1,002 parameters, whose names and shapes take more than 64 KiB."""
    nodes = [{"kind": "linear", "config": {"units": 1}, "name": f"{'n' * 60}{at}"} for at in range(501)]
    spec = {"inputs": {"x": {"shape": [1]}}, "nodes": nodes}
    with Client(media_type=media_type) as client:
        value = client.forward(spec, client.init(spec), {"x": [[1.0]]}, [f"{'n' * 60}500"])
    assert value[f"{'n' * 60}500"].shape == (1, 1)


def test_only_the_plan_and_the_form_of_a_request_are_bounded() -> None:
    limits = Client().limits()["limits"]
    form = {"json_depth", "rank", "nodes"}
    seconds = {"queue_seconds", "deadline_seconds", "hang_seconds", "drain_seconds"}
    process = {"compute_threads", "computations", "cache_bytes", "received_bytes", "client_bytes_per_second"}
    process |= {
        "kept_pass_bytes",
        "upload_bytes",
        "trainer_threads",
        "cluster_operations",
        "worker_cache_bytes",
    }
    streamed = {"model_tensors", "model_tensor_header_bytes"}
    history = {"free_bytes", "history_bytes", "ledger_entries", "idempotency_keys", "idempotency_seconds"}
    assert {name for name, most in limits.items() if most < 2**60} == {
        *("planned_bytes", "planned_operations")
    } | form | seconds | process | streamed | history
    assert min(limits["queue_seconds"], limits["deadline_seconds"]) == 1e6


def test_a_folder_keeps_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DELTAWIRE_DATA_DIR", str(tmp_path / "other"))
    client = Client(data_dir="data")  # stands before the environment, and is that folder wherever one goes
    client.create_model(classifier(), name="digits", optimizer=optim.sgd(0.1))
    assert repr(client) == f"Client(transport=EmbeddedTransport({str(tmp_path / 'data')!r}))"
    again = pickle.dumps(client)
    monkeypatch.chdir("/")
    assert [model["name"] for model in pickle.loads(again).models()] == ["digits"]
    assert Client().models() == []


FORKING = """
import os, sys
from support.classifier import batch, classifier
from deltawire import Client, optim

model = Client(data_dir=sys.argv[1]).create_model(classifier(), name="digits", optimizer=optim.adam(0.1))
model.step(batch(0))
child = os.fork()
if child == 0:
    os._exit(0 if model.step(batch(1)).version == 2 else 1)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
print(model.step(batch(2)).version)
"""


def test_a_forked_process_steps_a_model_of_its_parent(tmp_path: Path) -> None:
    # In a process of its own: libraries that other tests import warn of any fork.
    tests = str(Path(__file__).parents[2])
    run = subprocess.run(
        [sys.executable, "-c", FORKING, str(tmp_path)],
        env={**os.environ, "PYTHONPATH": tests}, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert run.stdout == "3\n", run.stderr
