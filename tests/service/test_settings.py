"""Settings come from the environment, each checked, all of them in force, and each declared once."""

from __future__ import annotations

import ast
import importlib.metadata
import subprocess
import sys
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
from environs import EnvError
from support.posting import changed, good

import deltawire_service
from deltawire import wire
from deltawire_layers import blas
from deltawire_plugins.blas import BlasUnusable
from deltawire_service import settings
from deltawire_service.app import create_app
from deltawire_service.engine import Limits
from deltawire_service.environment import PREFIX, variable
from deltawire_service.protocols import PROTOCOLS
from deltawire_service.settings import Settings


@pytest.fixture(autouse=True)
def no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for setting in fields(Settings):
        monkeypatch.delenv(PREFIX + setting.name.upper(), raising=False)


def test_an_empty_environment_gives_the_defaults() -> None:
    assert Settings.from_environment() == Settings()


TEXTS = {"log_level": "warning", "cors_origins": "https://a.example http://b.example:80"}
TEXTS |= {"explorer_frame_ancestors": "https://a.example http://b.example:80"}
TEXTS |= {"allowed_hosts": "api.example b", "blas": "numpy"}
TEXTS |= {
    "api_keys_file": "/keys",
    "api_keys": "a key",
    "networks_dir": ".",
    "protocols": "umbridge",
    "data_dir": "data",
    "dataset_roots": "/:/tmp",
    "dask": "tls://scheduler:8786",
    "cluster_url": "http://service:8000",
}
NUMBERS = [setting.name for setting in fields(Settings) if type(setting.default) in (int, float)]


def test_every_setting_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    given = (
        {name: number for number, name in enumerate(NUMBERS, start=1)}
        | TEXTS
        | {"insecure_public": True, "trainer": False, "flat_programs": False}
    )
    for name, value in given.items():
        monkeypatch.setenv(PREFIX + name.upper(), str(value))
    read = Settings.from_environment()
    assert {setting.name: getattr(read, setting.name) for setting in fields(Settings)} == given


def test_every_protocol_may_be_named() -> None:
    assert set(settings.PROTOCOLS) == PROTOCOLS.keys()
    assert Settings().protocols == ",".join(settings.PROTOCOLS)


def test_the_bounds_of_the_engine_and_of_bodies_have_one_default() -> None:
    assert Settings().wire_limits == wire.DEFAULT
    assert replace(Settings().engine_limits, settings_prefix="") == Limits()


def test_settings_are_read_without_numpy() -> None:
    """gunicorn reads them, and loads its worker, before it sets the threads of BLAS."""
    for module in ("settings", "server.public_binding", "server.gunicorn_worker", "gunicorn_conf"):
        program = f"import sys, deltawire_service.{module}; sys.exit('numpy' in sys.modules)"
        assert subprocess.run([sys.executable, "-c", program]).returncode == 0, module


def environment_reads(file: Path) -> set[str]:
    """The names of environment variables that a file reads from `os.environ` or with `os.getenv`."""
    names = set[str]()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load):
            read, name = node.value, node.slice
        elif isinstance(node, ast.Call) and node.args:
            read, name = node.func, node.args[0]
        else:
            continue
        if {"environ", "getenv"} & set(ast.unparse(read).split(".")) and isinstance(name, ast.Constant):
            names.add(str(name.value))
    return names


def test_no_other_file_reads_a_setting(tmp_path: Path) -> None:
    probe = tmp_path / "probe.py"
    probe.write_text(
        "import os\nos.environ['A'], os.environ.get('B'), os.getenv('C')\nos.environ['D'] = ''\n"
    )
    assert environment_reads(probe) == {"A", "B", "C"}
    variables = {variable(setting.name) for setting in fields(Settings)}
    folder = Path(deltawire_service.__file__).parent
    files = [file for file in folder.rglob("*.py") if file != Path(settings.__file__)]
    assert len(files) > 80
    assert {str(file): environment_reads(file) & variables for file in files} == dict.fromkeys(
        map(str, files), set()
    )


@pytest.mark.parametrize("value", ["0", "-1", "many", "", "1.5"])
@pytest.mark.parametrize("setting", [*NUMBERS, "log_level"])
def test_a_value_that_does_not_fit_stops_the_start_and_names_the_variable(
    setting: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if isinstance(getattr(Settings, setting), float):
        value = {"0": "nan", "1.5": "inf"}.get(value, value)
    if setting == "kept_pass_bytes":  # 0 keeps none
        value = {"0": "-2"}.get(value, value)
    monkeypatch.setenv(PREFIX + setting.upper(), value)
    with pytest.raises(EnvError, match=PREFIX + setting.upper()):
        create_app()


@pytest.mark.parametrize(
    "setting, value",
    [
        ("insecure_public", "perhaps"),
        ("allowed_hosts", "*"),
        ("allowed_hosts", "api.example:443"),
        ("allowed_hosts", "https://api.example"),
        ("cors_origins", "*"),
        ("cors_origins", "https://*.example.org"),
        ("cors_origins", "example.org"),
        ("cors_origins", "https://example.org/path"),
        ("explorer_frame_ancestors", "*"),
        ("explorer_frame_ancestors", "https:"),
        ("explorer_frame_ancestors", "https://*"),
        ("explorer_frame_ancestors", "https://*.example.org"),
        ("explorer_frame_ancestors", "https://a.example:*"),
        ("explorer_frame_ancestors", "example.org"),
        ("explorer_frame_ancestors", "'self'"),
        ("explorer_frame_ancestors", "https://a.example/slides"),
        ("explorer_frame_ancestors", "https://a.example; script-src https://b.example"),
        ("explorer_frame_ancestors", "https://a.example,https://b.example"),
        ("explorer_frame_ancestors", "https://a.example\nX-Header: b"),
        ("explorer_frame_ancestors", "data:"),
        ("api_keys_file", "/no/such/file"),
        ("networks_dir", "/no/such/folder"),
        ("blas", "openblas"),
        ("blas", ""),
        ("protocols", "umbridge,grpc"),
        ("protocols", "umbridge kserve"),
    ],
)
def test_a_text_that_does_not_fit_stops_the_start_and_names_the_variable(
    setting: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(PREFIX + setting.upper(), value)
    with pytest.raises(EnvError, match=PREFIX + setting.upper()):
        create_app()


def test_mkl_that_is_missing_stops_the_start_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.metadata, "files", lambda name: None)
    monkeypatch.setenv("DELTAWIRE_BLAS", "mkl")
    with pytest.raises(
        EnvError, match=r"DELTAWIRE_BLAS: MKL is not installed: pip install 'deltawire\[mkl\]'"
    ):
        create_app()


def test_a_process_computes_with_the_blas_that_is_set_or_does_not_start(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(blas, "mkl", None)
    create_app(Settings(blas="numpy"))
    with pytest.raises(BlasUnusable, match="DELTAWIRE_BLAS: mkl cannot be taken after numpy"):
        create_app(Settings(blas="mkl"))


BINARY = {"dtype": "float64", "shape": [3, 2], "base64": "A" * 64}


@pytest.mark.parametrize(
    "setting, value, request_, code",
    [
        ("json_body_bytes", 100, good(), "body_too_large"),
        ("json_depth", 3, good(), "json_too_deep"),
        ("json_members", 10, good(), "json_too_many_members"),
        ("json_lists", 10, good(), "json_too_many_members"),
        ("tensors", 3, good(), "too_many_tensors"),
        ("rank", 1, good(), "shape_too_large"),
        ("rank", 2, changed(("/data/x", [[[1.0]]])), "shape_invalid"),
        ("elements", 5, good(), "shape_too_large"),
        ("elements", 5, changed(("/data/x", BINARY)), "shape_too_large"),
        ("nodes", 1, good(), "too_many_nodes"),
        ("planned_bytes", 100, good(), "memory_plan_exceeded"),
        ("planned_operations", 100, good(), "cost_plan_exceeded"),
    ],
)
def test_a_limit_is_in_force(setting: str, value: int, request_: dict[str, Any], code: str) -> None:
    assert create_app(Settings()).test_client().post("/v1/gradients", json=good()).status_code == 200
    client = create_app(Settings(**{setting: value})).test_client()
    answer = client.post("/v1/gradients", json=request_)
    assert answer.json["code"] == code, answer.json


def test_the_log_level_is_in_force(capfd: pytest.CaptureFixture[str]) -> None:
    for level, lines in (("info", 1), ("warning", 0)):
        create_app(Settings(log_level=level)).test_client().get("/livez")
        assert len(capfd.readouterr().err.splitlines()) == lines
