"""Every command of `deltawire`: its answers, for people and for programs, and the code it exits with."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np
import pytest
import requests
from flask import Flask
from safetensors.numpy import load_file, save_file
from support.console import ROOT, run
from support.layers import BUILT_IN, failing, registry
from support.service import free_port, running_service
from werkzeug.serving import make_server

from deltawire import Client, wire
from deltawire_layers import RegistryError, load_layers
from deltawire_service.app import create_app
from deltawire_service.cli import main
from deltawire_service.cli.group import deltawire
from deltawire_service.cli.outcome import Exit
from deltawire_service.settings import Settings

FLOW = ROOT / "examples" / "flow_graph.json"
REQUEST: dict[str, Any] = json.loads(FLOW.read_text())
SPEC = REQUEST["network"]
BATCH = {name: np.array(numbers) for name, numbers in REQUEST["data"].items()}


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder: empty, and modules in it are forgotten afterwards."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", sys.path.copy())
    return tmp_path


@pytest.fixture
def spec(here: Path) -> Path:
    """A file with a spec alone."""
    path = here / "spec.json"
    path.write_text(json.dumps(SPEC))
    return path


@pytest.fixture
def batch(here: Path) -> Path:
    np.savez(here / "batch.npz", **BATCH)
    return here / "batch.npz"


def answered(method: str, route: str, body: dict[str, Any] | None = None) -> Any:
    """The document the service answers."""
    client = create_app(Settings(log_level="error")).test_client()
    answer = client.open(route, method=method, json=body)
    assert answer.status_code == 200, answer.text
    return answer.json


def document(*arguments: str | Path, code: int = 0) -> Any:
    """The one JSON document a command prints."""
    result = run(*arguments, "--json")
    assert result.exit_code == code, result.output
    return json.loads(result.stdout)


def without(document: dict[str, Any], *keys: str) -> dict[str, Any]:
    return {key: value for key, value in document.items() if key not in keys}


# For programs: the documents of the HTTP interface.


def test_json_is_what_the_service_answers() -> None:
    assert document("layers") == answered("GET", "/v1/layers")
    assert document("layers", "linear") == answered("GET", "/v1/layers/linear")
    assert document("gradients", FLOW) == answered("POST", "/v1/gradients", REQUEST)
    checked = without(REQUEST, "losses", "values")
    assert document("check", FLOW, "--samples", "3") == answered(
        "POST", "/v1/check", checked | {"samples": 3}
    )
    asked = without(REQUEST, "params", "data", "losses") | {"batch": 2, "media_type": wire.SAFETENSORS}
    assert document("plan", FLOW) == answered("POST", "/v1/plan", asked)


def test_json_has_just_what_was_asked_for(here: Path) -> None:
    (here / "short.json").write_text(json.dumps(without(REQUEST, "losses", "values", "deltas", "wrt")))
    answer = document("gradients", "short.json")
    assert answer.keys() == {"loss", "gradients", "network_id"}
    assert answer["gradients"]["data"] == {}
    names = {array["name"] for array in document("check", "short.json")["arrays"]}
    assert "data/x" in names  # checked unless FILE says otherwise


def test_numbers_that_are_not_finite_are_json_too(here: Path) -> None:
    network = {"inputs": {"x": {"shape": []}}, "nodes": [{"kind": "reciprocal"}]}
    request = {"network": network, "data": {"x": [0]}, "wrt": {"data": True}, "non_finite": "return"}
    (here / "pole.json").write_text(json.dumps(request))
    assert document("gradients", "pole.json")["loss"] == "Infinity"
    assert "loss inf" in run("gradients", "pole.json").stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ["gradients", "{spec}"],
        ["gradients", "-"],
        ["plan", "{spec}"],
        ["check", "{spec}"],
        ["layers", "linera"],
    ],
)
def test_what_is_wrong_is_json_too(arguments: list[str], here: Path) -> None:
    (here / "wrong.json").write_text(json.dumps(REQUEST | {"network": SPEC | {"loss": "losss"}}))
    result = run(*(a.format(spec="wrong.json") for a in arguments), "--json", given="{")
    assert result.exit_code == Exit.REFUSED
    told = json.loads(result.stdout)
    assert told.keys() == {"code", "status", "request_id", "errors"}
    assert told["errors"][0].keys() == {"pointer", "code", "detail"}
    assert told["code"] == told["errors"][0]["code"]


# Where numbers come from.


def test_a_spec_alone_gets_its_data_from_a_file_and_its_parameters_from_a_seed(
    spec: Path, batch: Path
) -> None:
    with Client() as client:
        expected = {seed: client.value_and_grad(SPEC, client.init(SPEC, seed), BATCH) for seed in (0, 7)}
    for seed, arguments in ((0, []), (7, ["--seed", "7"])):
        answer = document("gradients", spec, "--data", batch, *arguments)
        assert answer["loss"] == expected[seed][0]
        assert answer["gradients"]["params"] == {n: g.tolist() for n, g in expected[seed][1].items()}


def test_parameters_beside_file_win(spec: Path, batch: Path, here: Path) -> None:
    np.savez("params.npz", **{name: np.array(numbers) for name, numbers in REQUEST["params"].items()})
    of_file = document("gradients", FLOW)["loss"]
    assert document("gradients", spec, "--data", batch, "--params", "params.npz")["loss"] == of_file
    drawn = document("gradients", FLOW, "--seed", "0")["loss"]
    assert drawn == document("gradients", spec, "--data", batch)["loss"] != of_file
    result = run("gradients", FLOW, "--seed", "0", "--params", "params.npz")
    assert result.exit_code == Exit.USAGE and "not from both" in result.stderr


def test_data_beside_file_wins(here: Path) -> None:
    np.savez("one.npz", x=np.zeros((1, 4), np.float32), y=np.array([1], np.int32))
    assert len(document("gradients", FLOW, "--data", "one.npz")["losses"]) == 1


def test_standard_input(spec: Path) -> None:
    assert json.loads(run("plan", "-", "--json", given=spec.read_text()).stdout) == document("plan", spec)


@pytest.mark.parametrize("source", ["file", "npz", "seed"])
def test_dtype(source: str, spec: Path, batch: Path, here: Path) -> None:
    np.savez("params.npz", **{name: np.array(numbers) for name, numbers in REQUEST["params"].items()})
    arguments = {
        "file": [FLOW],
        "npz": [spec, "--data", batch, "--params", "params.npz"],
        "seed": [spec, "--data", batch],
    }[source]
    for dtype in ("float32", "float64"):
        assert run("gradients", *arguments, "--dtype", dtype, "--out", "out.npz").exit_code == 0
        with np.load("out.npz") as out:
            assert out["gradients/params/hidden.weight"].dtype == dtype


def test_out_has_every_array_by_its_place(here: Path) -> None:
    answer = document("gradients", FLOW, "--out", "out.npz")
    with np.load("out.npz") as out:
        arrays = {name: out[name].tolist() for name in out}
    expected = {"loss": answer["loss"], "losses": answer["losses"]}
    for place, part in (
        ("gradients/params", answer["gradients"]["params"]),
        ("gradients/data", answer["gradients"]["data"]),
        ("values", answer["values"]),
        ("deltas", answer["deltas"]),
    ):
        expected |= {f"{place}/{name}": array for name, array in part.items()}
    assert arrays == expected
    assert run("gradients", FLOW, "--out", "out.npz").stdout.endswith("written to out.npz\n")


def test_missing_data_is_named_with_its_shape(here: Path) -> None:
    inputs = SPEC["inputs"] | {"mask": {"shape": [4], "shared": True}}
    (here / "spec.json").write_text(json.dumps(SPEC | {"inputs": inputs}))
    for command in ("gradients", "check"):
        result = run(command, "spec.json")
        assert result.exit_code == Exit.USAGE
        assert (
            "--data FILE.npz with arrays for x (batch, 4), y (batch,) of integers, mask (4,)" in result.stderr
        )
    (here / "wrong.json").write_text(json.dumps(SPEC | {"inputs": []}))
    np.savez("params.npz")
    result = run("gradients", "wrong.json", "--params", "params.npz")
    assert result.exit_code == Exit.REFUSED and "/network/inputs" in result.stderr


# plan


def test_plan_takes_the_batch_from_file_unless_told(spec: Path, here: Path) -> None:
    def given(**arguments: Any) -> int:
        """Bytes of parameters and data, 8 for each number."""
        return int(document("plan", *arguments["arguments"])["given_bytes"])

    one = given(arguments=[spec])
    two = given(arguments=[FLOW])
    assert two - one == given(arguments=[spec, "--batch", "3"]) - two == 8 * (4 + 1)
    shared = {"inputs": {"m": {"shape": [2], "shared": True}, "x": {"shape": [2]}}}
    shared["nodes"] = [{"kind": "multiply", "inputs": ["m", "x"]}, {"kind": "sum"}]
    (here / "shared.json").write_text(
        json.dumps({"network": shared, "data": {"m": [1, 2], "x": [[1, 2]] * 5}})
    )
    assert given(arguments=["shared.json"]) == 8 * (2 + 5 * 2)
    assert given(arguments=["shared.json", "--dtype", "float32"]) == 4 * (2 + 5 * 2)


def test_plan_says_whether_it_fits(spec: Path) -> None:
    fits, does_not = run("plan", spec), run("plan", spec, "--batch", str(10**8))
    assert (fits.exit_code, does_not.exit_code) == (0, Exit.NO)
    assert "✓ it fits" in fits.stdout and "✗ it does not fit" in does_not.stdout
    assert document("plan", spec, "--batch", str(10**8), code=Exit.NO)["fits"] is False


def test_plan_shows_shapes_and_parameters(spec: Path) -> None:
    shown = run("plan", spec).stdout
    for line in ("skip add a, x (4,)", "loss nll log_probs, y ()", "scores.weight (3, 4) 12", "all 35"):
        assert line in " ".join(shown.split()), line


# gradients, check


def test_gradients_shows_the_lectures_numbers() -> None:
    shown = run("gradients", ROOT / "examples" / "circuit.json").stdout
    assert shown.startswith("loss -12   mean over the batch\n")
    rows = [line.split() for line in shown.splitlines()]
    assert [*rows[rows.index(["gradient", "of"]) + 1 :]][:3] == [
        [name, "(1,)", f"{abs(number)}", f"{number}"] for name, number in (("x", -4), ("y", -4), ("z", 3))
    ]


def test_check_passes_and_fails(here: Path) -> None:
    right = run("check", FLOW)
    assert right.exit_code == 0 and "✓ all gradients are right" in right.stdout
    kink = {"inputs": {"x": {"shape": [2]}}, "nodes": [{"kind": "relu"}, {"kind": "sum"}]}
    (here / "kink.json").write_text(json.dumps({"network": kink, "data": {"x": [[0, 1]]}}))
    wrong = run("check", "kink.json")
    assert wrong.exit_code == Exit.NO
    rows = [line.split() for line in wrong.stdout.splitlines()]
    assert ["✗", "x", "2", "of", "2", "0e+00", "5e-01"] in rows
    assert ["x", "(0,", "0)", "0", "0", "0.5"] in rows
    assert "✗ gradients of 1 array are off" in wrong.stdout
    assert document("check", "kink.json", code=Exit.NO)["passed"] is False


# layers


def test_layers_are_one_line_each_with_their_distribution(built_in_alone: None) -> None:
    lines = run("layers").stdout.splitlines()
    assert lines[0] == f"{BUILT_IN.distribution('linear')}: {len(BUILT_IN)} layers"
    kinds = [line.split()[0] for line in lines[4 : 4 + len(BUILT_IN)]]
    assert kinds == list(BUILT_IN)


def test_layers_of_other_distributions_have_a_table_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    layers = registry(mine=failing("forward", None))
    monkeypatch.setattr("deltawire_service.app.load_layers", lambda: layers)
    shown = run("layers").stdout
    assert "tests 1.0: 1 layer\n" in shown
    assert shown.count("what it computes") == 2


def test_a_layer_in_full() -> None:
    shown = run("layers", "lstm", columns=200).stdout
    assert "lstm(x)" in shown and load_layers().distribution("lstm") in shown
    assert "With a = W_ih xₜ" in shown  # the docstring beyond its first line
    assert "gradient of weight_hh" in shown
    assert "integer ≥ 1   required" in shown
    assert "integer ≥ 1 or list of integer ≥ 1" in run("layers", "conv2d", columns=200).stdout
    assert "none: it takes integers" in run("layers", "embedding").stdout
    assert "It takes no config." in run("layers", "relu").stdout
    assert "number ≥ 0, < 1" in run("layers", "dropout_mask").stdout
    assert "list of integer or null   null" in run("layers", "sum", columns=200).stdout


def test_a_mistyped_kind_gets_a_suggestion() -> None:
    result = run("layers", "linera")
    assert result.exit_code == Exit.REFUSED and "did you mean 'linear'?" in result.stderr


# check-layer

BROKEN = '''
from deltawire_layers import Activation, Layer

class Right(Layer):
    """y = x², for x (...)."""
    def output_shape(self, x):
        return x
    def forward(self, params, x):
        return Activation(x * x, deltas=(lambda delta: 2 * x * delta,))

class Wrong(Right):
    """y = x², for x (...)."""
    def forward(self, params, x):
        return Activation(x * x, deltas=(lambda delta: -2 * x * delta,))

class Greedy(Right):
    """y = x², for x (...)."""
    def forward(self, params, x):
        slope = 2 * x
        return Activation(x * x, deltas=(lambda delta: slope * delta,))

class Crash(Right):
    def output_shape(self, x):
        return x[9]

class Picky(Right):
    def output_shape(self, a, b, c, d, e):
        raise __import__("deltawire_layers").LayerError("no")
'''


@pytest.fixture
def broken(here: Path) -> Iterator[str]:
    (here / "broken_layers.py").write_text(BROKEN)
    yield "broken_layers"
    sys.modules.pop("broken_layers", None)


def test_check_layer_of_right_layers(broken: str) -> None:
    for arguments, shapes in (
        (["relu"], "(4,)"),
        (["relu", "scalar"], "()"),
        (["softmax_nll"], "(4,), ()"),
        (["softmax_nll", "2,3", "2"], "(2, 3), (2,)"),
        (["add"], "(4,), (4,)"),
        (["linear", "4", "--config", '{"units": 2}'], "(4,)"),
        ([f"{broken}:Right", "3"], "(3,)"),
    ):
        result = run("check-layer", *arguments)
        assert result.exit_code == 0, result.output
        assert "keeps all six rules" in result.stdout
        assert result.stdout.splitlines()[1].split(maxsplit=1) == ["inputs", shapes]
    assert document("check-layer", "softmax_nll") == {
        "layer": "softmax_nll",
        "shapes": [[4], []],
        "passed": True,
    }


def test_check_layer_says_which_rule_is_broken_and_where(broken: str) -> None:
    result = run("check-layer", f"{broken}:Wrong", "3")
    assert result.exit_code == Exit.NO
    assert f"✗ {broken}:Wrong breaks rule 4: analytic" in result.stdout
    for part in ("δ of input 0", "not the derivative", "expected", "got", "scale 0.001", "(3,)"):
        assert part in result.stdout
    told = document("check-layer", f"{broken}:Greedy", "3", code=Exit.NO)
    assert told["passed"] is False
    assert (told["rule"], told["closure"]) == (5, "saved") and "3 numbers per example" in told["problem"]
    assert "expected" not in run("check-layer", f"{broken}:Greedy", "3").stdout


@pytest.mark.parametrize(
    "arguments, code, message",
    [
        (["linera"], Exit.REFUSED, "did you mean 'linear'?"),
        (["linear"], Exit.REFUSED, "/config/units"),
        (["linear", "--config", '{"units": 0}'], Exit.REFUSED, "/config/units"),
        (["linear", "--config", '{"units": 1, "bais": true}'], Exit.REFUSED, "did you mean 'bias'?"),
        (["relu", "3", "3"], Exit.REFUSED, "takes 1 input (x), got 2 shapes"),
        (["softmax_nll", "3", "3"], Exit.REFUSED, "/inputs/1"),
        (["relu", "3x"], Exit.USAGE, "'3x' is no shape"),
        (["relu", "4,0"], Exit.USAGE, "'4,0' is no shape"),
        (["linear", "--config", "units"], Exit.USAGE, "no JSON object"),
        (["linear", "--config", "[1]"], Exit.USAGE, "no JSON object"),
        (["nowhere.at.all:Layer"], Exit.USAGE, "no module 'nowhere.at.all'"),
        (["broken_layers:Wrnog"], Exit.USAGE, "did you mean 'Wrong'?"),
        (["broken_layers:BROKEN"], Exit.USAGE, "has no layer 'BROKEN'"),
        (["broken_layers:Picky"], Exit.USAGE, "none of the usual shapes fits"),
        (["broken_layers:Crash"], Exit.FAILED, "IndexError: tuple index out of range, in"),
        (["bad_import:X"], Exit.FAILED, "No module named 'nowhere'"),
        (["bad_syntax:X"], Exit.FAILED, "SyntaxError"),
    ],
)  # fmt: skip
def test_check_layer_of_what_is_none(
    arguments: list[str], code: Exit, message: str, broken: str, here: Path
) -> None:
    (here / "bad_import.py").write_text("import nowhere")
    (here / "bad_syntax.py").write_text("def (")
    result = run("check-layer", *arguments, columns=500)
    assert result.exit_code == code, result.output
    assert message in result.stderr and not result.stdout


# new-layer


def test_new_layer_writes_a_distribution_whose_tests_pass(here: Path, built_in_alone: None) -> None:
    assert run("new-layer", "soft-gate").exit_code == 0
    folder = here / "deltawire-soft-gate"
    assert sorted(path.name for path in folder.iterdir()) == [
        "README.md", "deltawire_soft_gate.py", "pyproject.toml", "test_soft_gate.py",
    ]  # fmt: skip
    tests = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=folder,
        capture_output=True,
        text=True,
    )
    assert tests.returncode == 0, tests.stdout
    os.chdir(folder)
    assert run("check-layer", "deltawire_soft_gate:SoftGate", "2,3", "--config", '{"gain": 3}').exit_code == 0


def test_new_layer_into_another_folder(here: Path) -> None:
    (here / "there").mkdir()
    assert run("new-layer", "mine", "--into", "there").exit_code == 0
    assert (here / "there" / "deltawire-mine" / "deltawire_mine.py").is_file()


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["relu"], f"taken, by {load_layers().distribution('relu')}"),
        (["Relu"], "no name"),
        (["a--b"], "no name"),
        (["2d"], "no name"),
        (["../up"], "no name"),
        (["x" * 65], "no name"),
        (["none"], "class 'None'"),
        (["layer"], "class 'Layer'"),
        (["mapping"], "class 'Mapping'"),
        (["there"], "File exists"),
        (["mine", "--into", "nowhere"], "does not exist"),
    ],
)
def test_new_layer_refuses(arguments: list[str], message: str, here: Path) -> None:
    (here / "deltawire-there").mkdir()
    result = run("new-layer", *arguments)
    assert result.exit_code == Exit.USAGE and message in result.stderr
    assert [path.name for path in here.iterdir()] == ["deltawire-there"]


# serve, demo


def test_serve_becomes_gunicorn_and_prints_a_call_that_works(monkeypatch: pytest.MonkeyPatch) -> None:
    became: list[str] = []
    monkeypatch.setattr(os, "execv", lambda program, arguments: became.extend(arguments))
    port = str(free_port())
    result = run("serve", "--port", port, "--workers", "3")
    assert result.exit_code == 0
    assert became[:3] == [sys.executable, "-m", "gunicorn"]
    assert f"-b 127.0.0.1:{port} -w 3 deltawire_service.app:create_app()" in " ".join(became)
    assert f"curl -s http://127.0.0.1:{port}/v1/gradients" in result.stdout
    body = json.loads(result.stdout.partition("-d '")[2].partition("'")[0])
    assert answered("POST", "/v1/gradients", body)["gradients"]["data"] == {"x": [-4], "y": [-4], "z": [3]}
    assert "whoever reaches" not in result.stdout
    monkeypatch.setenv("DELTAWIRE_INSECURE_PUBLIC", "0")  # and what is set below, for this test only
    refused = run("serve", "--host", "0.0.0.0", "--port", port)
    assert refused.exit_code == Exit.USAGE and "DELTAWIRE_API_KEYS_FILE" in refused.stderr
    everywhere = run("serve", "--host", "0.0.0.0", "--port", port, "--insecure-public")
    assert f"http://127.0.0.1:{port}" in everywhere.stdout and "whoever reaches" in everywhere.stdout
    assert "-w" not in became[became.index(f"0.0.0.0:{port}") :]


def test_serve_publishes_a_folder(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    published = []
    monkeypatch.setattr(os, "execv", lambda *_: published.append(os.environ["DELTAWIRE_NETWORKS_DIR"]))
    monkeypatch.setenv("DELTAWIRE_NETWORKS_DIR", "elsewhere")
    assert run("serve", "--port", free_port(), "--networks", here).exit_code == 0
    assert published == [str(here)]
    assert run("serve", "--networks", here / "none").exit_code == Exit.USAGE


def test_serve_says_why_it_cannot(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "execv", lambda *_: pytest.fail("started"))
    with make_server("127.0.0.1", 0, Flask("busy")) as busy:
        result = run("serve", "--port", str(busy.server_port))
    assert result.exit_code == Exit.USAGE and "Address already in use" in result.stderr
    monkeypatch.setenv("DELTAWIRE_NODES", "many")
    result = run("serve")
    assert result.exit_code == Exit.USAGE and "DELTAWIRE_NODES" in result.stderr


def test_serve_serves_until_it_is_told_to_stop() -> None:
    port = free_port()
    service = subprocess.Popen(
        [sys.executable, "-c", "from deltawire_service.cli import main; main()", "serve"]
        + ["--port", str(port), "--workers", "1"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        end = time.monotonic() + 30
        while True:
            try:
                assert requests.get(f"http://127.0.0.1:{port}/readyz", timeout=1).ok
                break
            except requests.ConnectionError:
                assert service.poll() is None and time.monotonic() < end, "the service does not start"
                time.sleep(0.05)
    finally:
        service.send_signal(signal.SIGTERM)
        printed, _ = service.communicate(timeout=30)
    assert service.returncode == 0
    assert printed.startswith(f"starting on http://127.0.0.1:{port} ")


@pytest.fixture
def checkpoint(here: Path) -> Path:
    save_file(Client().init(SPEC, 0, "float32"), here / "checkpoint.safetensors")
    return here / "checkpoint.safetensors"


def test_what_is_published_can_be_served(spec: Path, checkpoint: Path, here: Path) -> None:
    told = document("publish", spec, checkpoint, "--name", "flow-1", "--value", "probs", "--value", "scores")
    assert (told["name"], told["path"]) == ("flow-1", "flow-1.safetensors")
    client = create_app(Settings(log_level="error", networks_dir=str(here))).test_client()
    (shown,) = client.get("/v1/networks").json["networks"]
    assert {key: shown[key] for key in ("network_id", "params_id")} == without(told, "name", "path")
    assert (shown["values"], shown["dtype"]) == (["probs", "scores"], "float32")
    # The file is whole to the library that the format comes from; its numbers are the checkpoint's.
    read, wrote = load_file(here / "flow-1.safetensors"), load_file(checkpoint)
    assert {name: array.tobytes() for name, array in read.items()} == {
        f"params/{name}": array.tobytes() for name, array in wrote.items()
    }


def test_data_can_be_pinned(spec: Path, checkpoint: Path, batch: Path, here: Path) -> None:
    assert run("publish", spec, checkpoint, "--data", batch).exit_code == 0
    assert (
        run("publish", FLOW, checkpoint, "--name", "flow").exit_code == 0
    )  # whose request has data, and values
    client = create_app(Settings(log_level="error", networks_dir=str(here))).test_client()
    answers = [client.post("/v1/gradients", json={"network": {"name": name}}) for name in ("spec", "flow")]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].json == answers[1].json
    assert client.get("/v1/networks/flow").json["values"] == ["probs"]


def test_a_request_may_have_its_parameters_in_itself(spec: Path, here: Path) -> None:
    assert run("publish", FLOW, "--name", "flow").exit_code == 0
    client = create_app(Settings(log_level="error", networks_dir=str(here))).test_client()
    named = client.post("/v1/gradients", json={"network": {"name": "flow"}})
    assert (
        without(named.json, "params_id")
        == client.post(
            "/v1/gradients", json={key: REQUEST[key] for key in ("network", "params", "data")}
        ).json
    )
    assert document("publish", spec, code=Exit.REFUSED)["code"] == "missing_parameter"


def test_what_could_not_be_served_is_not_published(spec: Path, checkpoint: Path, here: Path) -> None:
    before = sorted(here.iterdir())
    save_file({"hidden.weight": np.ones((4, 4))}, here / "half")
    for arguments, code in (
        ((spec, here / "half"), "missing_parameter"),
        ((spec, spec), "tensor_body_invalid"),
        ((checkpoint, checkpoint), "json_invalid"),
        ((spec, checkpoint, "--value", "score"), "unknown_name"),
        ((spec, checkpoint, "--name", "../flow"), "name_invalid"),
        ((spec, checkpoint, "--name", "flow.loss"), "name_invalid"),
    ):
        assert document("publish", *arguments, code=Exit.REFUSED)["code"] == code
    assert sorted(here.iterdir()) == sorted([*before, here / "half"])


def test_a_file_that_cannot_be_read_is_named(spec: Path, here: Path) -> None:
    (here / "text.md").write_text("# no JSON")
    for arguments, name in (
        (("publish", spec, spec), "spec.json"),
        (("gradients", "text.md"), "text.md"),
        (("plan", "text.md"), "text.md"),
    ):
        assert name in document(*arguments, code=Exit.REFUSED)["errors"][0]["detail"]
    assert "standard input: not strict JSON" in run("gradients", "-", given="{").output


def test_a_published_network_is_replaced_and_never_written_to(
    spec: Path, checkpoint: Path, here: Path
) -> None:
    run("publish", spec, checkpoint, "--name", "flow")
    with (here / "flow.safetensors").open("rb") as served:
        before = served.read()
        save_file(Client().init(SPEC, 1), checkpoint)
        run("publish", spec, checkpoint, "--name", "flow")
        served.seek(0)
        assert served.read() == before != (here / "flow.safetensors").read_bytes()


def test_demo(monkeypatch: pytest.MonkeyPatch) -> None:
    for code in (0, 1):
        monkeypatch.setattr("deltawire.demo.main", lambda code=code: code)
        assert run("demo").exit_code == code
    monkeypatch.setitem(sys.modules, "sklearn", None)
    result = run("demo")
    assert result.exit_code == Exit.USAGE and "pip install 'deltawire[demo]'" in result.stderr


# What goes wrong anywhere.


@pytest.mark.parametrize(
    "change, pointer, detail",
    [
        ({"vales": []}, "/vales", "did you mean 'values'?"),
        ({"params": []}, "/params", "expected an object of tensors"),
        ({"network": []}, "/network", "expected an object"),
        ({"data": {"x": [[1, 2, 3, None]] * 2, "y": [0, 0]}}, "/data/x/0/3", "expected a number, got null"),
        (
            {"data": {"x": [[1, 2, 3, 4]] * 2, "y": [0, 3]}},
            "/data/y/1",
            "expected integers from 0 to 2, got 3",
        ),
        (
            {"network": SPEC | {"nodes": [{"kind": "linera"}]}},
            "/network/nodes/0/kind",
            "did you mean 'linear'?",
        ),
        ({"reduction": "man"}, "/reduction", "expected mean or sum"),
    ],
)
def test_faults_are_shown_with_their_place(change: Any, pointer: str, detail: str, here: Path) -> None:
    (here / "wrong.json").write_text(json.dumps(REQUEST | change))
    result = run("gradients", "wrong.json", columns=300)
    assert result.exit_code == Exit.REFUSED
    assert f"at {pointer}\n" in result.stderr and detail in result.stderr
    assert not result.stdout
    assert document("gradients", "wrong.json", code=Exit.REFUSED)["errors"][0]["pointer"] == pointer


def test_every_fault_is_shown(here: Path) -> None:
    (here / "wrong.json").write_text(json.dumps(REQUEST | {"reduction": "man", "losses": 1}))
    result = run("gradients", "wrong.json")
    assert "/reduction" in result.stderr and "/losses" in result.stderr


def test_text_in_brackets_is_shown_as_it_is(here: Path) -> None:
    (here / "wrong.json").write_text(json.dumps(REQUEST | {"[bold]:smile:": []}))
    assert "/[bold]:smile:" in run("gradients", "wrong.json").stderr


@pytest.mark.parametrize(
    "arguments, message",
    [
        ([], "Usage: deltawire"),
        (["gradiens", "x.json"], "No such command"),
        (["gradients"], "Missing argument 'FILE'"),
        (["gradients", "nowhere.json"], "No such file"),
        (["gradients", str(FLOW), "--data", "nowhere.npz"], "No such file"),
        (["gradients", str(FLOW), "--data", "one.npy"], "no .npz file"),
        (["gradients", str(FLOW), "--data", "objects.npz"], "no .npz file"),
        (["gradients", str(FLOW), "--params", str(FLOW)], "no .npz file"),
        (["gradients", str(FLOW), "--dtype", "float16"], "float16"),
        (["plan", str(FLOW), "--batch", "0"], "0 is not in the range"),
        (["serve", "--port", "0"], "0 is not in the range"),
    ],
)
def test_a_wrong_command_line(arguments: list[str], message: str, here: Path) -> None:
    np.save("one.npy", np.ones(3))
    np.savez("objects.npz", x=np.array([{}], dtype=object))
    result = run(*arguments)
    assert result.exit_code == Exit.USAGE and message in result.stderr


def test_no_service(spec: Path) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    result = run("gradients", spec, "--url", url)
    assert result.exit_code == Exit.UNREACHABLE and result.stderr.startswith("no service: unreachable")
    assert document("layers", "--url", url, code=Exit.UNREACHABLE)["code"] == "unreachable"


def test_something_that_is_no_deltawire_service() -> None:
    with make_server("127.0.0.1", 0, Flask("other"), threaded=True) as other:
        thread = Thread(target=other.serve_forever)
        thread.start()
        result = run("layers", "--url", f"http://127.0.0.1:{other.server_port}")
        other.shutdown()
        thread.join()
    assert result.exit_code == Exit.FAILED and "not as a deltawire service" in " ".join(result.stderr.split())


def test_a_layer_that_fails(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(x: Any) -> Any:
        raise RuntimeError("the secret")

    layers = registry(crashing=failing("forward", crash))
    monkeypatch.setattr("deltawire_service.app.load_layers", lambda: layers)
    network = {"inputs": {"x": {"shape": []}}, "nodes": [{"kind": "crashing", "name": "culprit"}]}
    (here / "crash.json").write_text(json.dumps({"network": network, "data": {"x": [1]}}))
    result = run("gradients", "crash.json")
    assert result.exit_code == Exit.FAILED
    assert "failed: plugin_error" in result.stderr and "'culprit'" in result.stderr
    assert "under the request id" in " ".join(result.stderr.split())
    assert document("gradients", "crash.json", code=Exit.FAILED)["code"] == "plugin_error"


def test_a_plugin_that_cannot_be_used(monkeypatch: pytest.MonkeyPatch) -> None:
    def load() -> Any:
        raise RegistryError("two distributions register the layer kind 'relu'")

    for where in ("app", "cli.start", "cli.new_layer", "cli.conformance"):
        monkeypatch.setattr(f"deltawire_service.{where}.load_layers", load)
    monkeypatch.setattr(os, "execv", lambda *_: pytest.fail("started"))
    for command in (["layers"], ["serve"], ["new-layer", "mine"], ["check-layer", "relu"]):
        result = run(*command)
        assert result.exit_code == Exit.FAILED
        assert result.stderr == "the service cannot start: two distributions register the layer kind 'relu'\n"


def test_a_setting_that_does_not_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DELTAWIRE_RANK", "-1")
    result = run("layers")
    assert result.exit_code == Exit.USAGE and "DELTAWIRE_RANK" in result.stderr


def test_interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(client: Client) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(Client, "layers", interrupted)
    assert run("layers").exit_code == Exit.INTERRUPTED


def test_without_the_extra_the_command_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delitem(sys.modules, "deltawire_service.cli.group")
    monkeypatch.setitem(sys.modules, "click", None)
    with pytest.raises(SystemExit) as exited:
        main()
    assert exited.value.code == Exit.USAGE
    assert "pip install 'deltawire[service]'" in capsys.readouterr().err


# As people see it.


@pytest.mark.parametrize("columns", [80, 120])
def test_nothing_is_wider_than_the_terminal(columns: int, spec: Path) -> None:
    longest = ("conv2d", "cosine_distance", "embedding", "gru", "lstm", "multi_head_attention")
    commands: list[list[Any]] = [["layers"], *(["layers", kind] for kind in longest)]
    for example in sorted((ROOT / "examples").glob("*.json")):
        commands += [["plan", example], ["gradients", example]]
    for command in commands:
        result = run(*command, columns=columns)
        assert result.exit_code == 0, result.output
        marks = "\N{COMBINING CIRCUMFLEX ACCENT}\N{COMBINING MACRON}"
        width = max(len(line) - sum(map(line.count, marks)) for line in result.stdout.splitlines())
        assert width <= columns, command


def test_help_of_every_command_fits_and_begins_with_a_sentence() -> None:
    for name in ["", *deltawire.commands]:
        result = run(*filter(None, [name]), "-h")
        assert result.exit_code == 0
        assert max(map(len, result.stdout.splitlines())) <= 80
    lines = run("-h").stdout.splitlines()
    for name in deltawire.commands:
        assert next(line for line in lines if line.startswith(f"  {name} ")).endswith("."), name


# Against a real service.


def test_a_service_answers_as_the_embedded_one(
    spec: Path, batch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands: list[list[Any]] = [
        ["layers"],
        ["layers", "linear"],
        ["plan", FLOW],
        ["gradients", FLOW],
        ["gradients", spec, "--data", batch, "--seed", "3"],
        ["check", FLOW],
    ]
    with running_service("-w", "1") as url:
        for command in commands:
            assert document(*command, "--url", url) == document(*command)
        refused = document(
            "gradients", spec, "--data", batch, "--seed", "-1", "--url", url, code=Exit.REFUSED
        )
        assert refused["errors"][0]["pointer"] == "/seed" and refused["status"] == 422
        assert run("layers", "gru", "--url", url).stdout.startswith("gru(x)")
