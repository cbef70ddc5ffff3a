"""Saved networks: what is written is read again, served, and taken by the commands and by other libraries."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from io import BytesIO
from pathlib import Path
from typing import Any
from warnings import catch_warnings, simplefilter
from zipfile import ZipFile

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file
from support.console import run

from deltawire import Client, Network, Refused, wire
from deltawire.network.files import NAME, arrays_in
from deltawire_service.app import create_app
from deltawire_service.networks import published
from deltawire_service.settings import Settings

EXAMPLES = sorted((Path(__file__).parents[3] / "examples").glob("*.json"))
CLIENT = Client()


def network() -> Network:
    net = Network()
    x, target = net.input("x", (3,)), net.input("target", (2,))
    net.loss = net.layer("squared_error", net.layer("linear", x, units=2, name="f"), target, name="loss")
    net.metadata["note"] = "ñ"
    return net


def arrays_equal(ours: dict[str, Any], theirs: dict[str, Any]) -> bool:
    return ours.keys() == theirs.keys() and all(
        ours[name].dtype == theirs[name].dtype and np.array_equal(ours[name], theirs[name]) for name in ours
    )


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_saved_network_is_loaded_again(dtype: str, tmp_path: Path) -> None:
    net, params = network(), CLIENT.init(network(), dtype=dtype)
    net.save(tmp_path / "net.safetensors", params)
    again, read = Network.load(tmp_path / "net.safetensors")
    assert again.spec() == net.spec() and arrays_equal(read, params)
    read["f.bias"] += 1  # writable, as what `init` returns
    assert arrays_equal(
        load_file(tmp_path / "net.safetensors"), {f"params/{n}": w for n, w in params.items()}
    )
    assert sorted(tmp_path.iterdir()) == [tmp_path / "net.safetensors"]


def test_a_network_without_parameters_is_saved(tmp_path: Path) -> None:
    network().save(tmp_path / "net")
    again, params = Network.load(str(tmp_path / "net"))
    assert (again.spec(), params) == (network().spec(), {})


def test_lists_and_mixed_orders_are_saved_as_arrays(tmp_path: Path) -> None:
    weight = np.arange(6.0).reshape(3, 2)
    network().save(tmp_path / "net", {"f.weight": weight.T, "f.bias": [1, 2]})
    assert arrays_equal(
        Network.load(tmp_path / "net")[1], {"f.weight": weight.T, "f.bias": np.array([1.0, 2.0])}
    )


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_is_loaded(path: Path) -> None:
    net, params = Network.load(path)
    request = json.loads(path.read_text())
    data = {
        name: wire.read_tensor(
            leaf, "int64" if net.spec()["inputs"][name].get("dtype") == "int64" else "float64"
        )
        for name, leaf in request["data"].items()
    }
    assert (
        CLIENT.gradients(net, params, data).loss
        == CLIENT.gradients(request["network"], request.get("params", {}), request["data"]).loss
    )


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b'{"network": {"name": "a"}}', b"\0\1", b"PK\3\4"])
def test_what_holds_no_network_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(Refused):
        Network.load(tmp_path / "file")


def test_a_checkpoint_holds_no_network(tmp_path: Path) -> None:
    save_file(CLIENT.init(network()), tmp_path / "checkpoint")
    with pytest.raises(Refused, match="request is missing"):
        Network.load(tmp_path / "checkpoint")


def test_nothing_is_written_of_arrays_that_do_not_fit(tmp_path: Path) -> None:
    for wrong in ({"a": np.ones(2), "b": np.ones(2, np.float32)}, {"a": "x"}, {"a": np.ones(1, np.float16)}):
        with pytest.raises(Refused):
            network().save(tmp_path / "net", wrong)
    assert not list(tmp_path.iterdir())


def test_the_commands_take_a_saved_network(tmp_path: Path) -> None:
    params, batch = CLIENT.init(network(), 3, "float32"), {"x": np.ones((2, 3)), "target": np.zeros((2, 2))}
    network().save(tmp_path / "net.safetensors", params)
    np.savez(tmp_path / "batch.npz", **batch)
    np.savez(tmp_path / "params.npz", **params)
    file, data = str(tmp_path / "net.safetensors"), ("--data", str(tmp_path / "batch.npz"))
    loss = CLIENT.value_and_grad(network(), params, {n: a.astype("f4") for n, a in batch.items()})[0]
    (tmp_path / "spec.json").write_text(json.dumps(network().spec()))
    spec = str(tmp_path / "spec.json")
    for arguments in (
        (file, *data),
        (spec, "--dtype", "float32", *data, "--params", str(tmp_path / "params.npz")),
        (spec, "--dtype", "float32", *data, "--params", file),
    ):
        assert json.loads(run("gradients", *arguments, "--json").stdout)["loss"] == loss, arguments
    assert json.loads(run("plan", file, "--json").stdout)["parameters"]
    assert run("check", file, *data).exit_code == 0
    for name, more in (("net", ()), ("of_npz", (str(tmp_path / "params.npz"),)), ("of_file", (file,))):
        told = run("publish", file, *more, "--name", name, "--into", str(tmp_path / "served"))
        assert told.exit_code == 0, told.stderr
    served = create_app(Settings(log_level="error", networks_dir=str(tmp_path / "served"))).test_client()
    listed = served.get("/v1/networks").json["networks"]
    assert len({(each["params_id"], each["network_id"], each["dtype"]) for each in listed}) == 1
    assert [each["name"] for each in listed] == ["net", "of_file", "of_npz"] and listed[0][
        "dtype"
    ] == "float32"


@pytest.mark.parametrize("how", ["into", "setting"])
def test_what_is_published_is_served(how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    params = CLIENT.init(network())
    monkeypatch.setenv("DELTAWIRE_NETWORKS_DIR", str(tmp_path / "served"))
    path = network().publish(
        CLIENT, "net-1", params, **({"into": tmp_path / "served"} if how == "into" else {})
    )
    assert path == tmp_path / "served" / "net-1.safetensors"
    client = Client()
    answer = client.forward(client.published("net-1"), {}, {"x": np.ones((1, 3))}, ["f"])
    assert arrays_equal(answer, CLIENT.forward(network(), params, {"x": np.ones((1, 3))}, ["f"]))


@pytest.mark.parametrize(
    ("name", "change", "pointer", "code"),
    [
        ("../net", {}, "/name", "name_invalid"),
        ("net", {"f.bias": None}, "/params/f.bias", "missing_parameter"),
        ("net", {"f.bias": np.ones(3)}, "/params/f.bias", "shape_mismatch"),
        ("net", {"g.bias": np.ones(2)}, "/params/g.bias", "unknown_parameter"),
        ("net", {"f.bias": np.ones(2, np.float32)}, "/params/f.bias", "dtype_mismatch"),
    ],
)
def test_what_could_not_be_served_is_not_published(
    name: str, change: dict[str, Any], pointer: str, code: str, tmp_path: Path
) -> None:
    params = {key: array for key, array in (CLIENT.init(network()) | change).items() if array is not None}
    with pytest.raises(Refused) as refused:
        network().publish(CLIENT, name, params, into=tmp_path / "served")
    assert (refused.value.pointer, refused.value.code) == (pointer, code)
    assert not (tmp_path / "served").exists()


def test_names_are_those_that_the_service_reads() -> None:
    assert published.NAME.pattern == NAME.pattern and published.NAME.flags == NAME.flags


def npz(**arrays: Any) -> bytes:
    file = BytesIO()
    np.savez_compressed(file, **arrays)
    return file.getvalue()


def zipped(**members: bytes) -> bytes:
    file = BytesIO()
    with ZipFile(file, "w") as archive:
        for name, member in members.items():
            archive.writestr(name, member)
    return file.getvalue()


HEADER = "{{'descr': '<f8', 'fortran_order': False, 'shape': {}}}\n"


def header(text: str) -> bytes:
    return np.lib.format.magic(1, 0) + len(text).to_bytes(2, "little") + text.encode()


def test_the_arrays_of_an_npz_are_read() -> None:
    arrays = {"w": np.arange(6.0).reshape(2, 3), "b": np.array(1.5, np.float32)}
    assert arrays_equal(arrays_in(npz(**arrays)), arrays)


@pytest.mark.parametrize("seed", range(5))
def test_damaged_npz_files_are_refused_or_read(seed: int) -> None:
    body, random = npz(w=np.arange(40.0), b=np.ones(3)), np.random.default_rng(seed)
    for _ in range(200):
        damaged = bytearray(body)
        damaged[random.integers(2, len(body))] = random.integers(256)
        with suppress(Refused), catch_warnings():
            simplefilter("ignore")
            arrays_in(damaged)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"PK\x03\x04", "not a zip file"),
        (npz(w=np.ones(1000))[:-40], "not a zip file"),
        (zipped(**{"w.npy": header("{'descr': ('\n")}), "EOF"),
        (zipped(**{"w.npy": header(HEADER.format("(9**99,)"))}), ""),
        (zipped(**{"w.npy": header(HEADER.format(f"({10**15},)"))}), "allocate"),
        (zipped(**{"w.npy": header(HEADER.format(f"({10**25},)"))}), "too large"),
        (zipped(**{"w.npy": header(HEADER.format("(9,)"))}), "EOF"),
        (zipped(**{"model/data.pkl": b"\x80\x02}q\x00."}), "is no array; is it a checkpoint of torch"),
    ],
)
def test_a_file_that_is_no_npz_is_refused(body: bytes, reason: str) -> None:
    with pytest.raises(Refused, match=f"this is no .npz file of numbers: .*{reason}") as refused:
        arrays_in(body)
    assert refused.value.code == "tensor_body_invalid"


def test_parameters_of_another_network_are_not_saved(tmp_path: Path) -> None:
    net = Network()
    net.layer("linear", net.input("x", (2,)), units=1, name="line")
    with pytest.raises(Refused, match="/params/lime.bias: the network has no node or input of this name"):
        net.save(tmp_path / "net.safetensors", {"lime.bias": np.ones(1)})
    with pytest.raises(Refused, match="/params: expected arrays by name"):
        net.save(tmp_path / "net.safetensors", np.ones(1))  # type: ignore[arg-type]
    assert not list(tmp_path.iterdir())


def _torch(path: Path, legacy: bool = False) -> None:
    torch = import_module("torch")
    torch.save({"a": torch.ones(2)}, path, _use_new_zipfile_serialization=not legacy)


@pytest.mark.parametrize(
    ("write", "words"),
    [
        pytest.param(
            _torch,
            "this is a checkpoint of torch: docs/importers.md imports its module",
            marks=pytest.mark.torch,
        ),
        pytest.param(
            lambda path: _torch(path, legacy=True), "this is a checkpoint of torch", marks=pytest.mark.torch
        ),
        (lambda path: path.write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(8)), "this is a file of HDF5"),
        (lambda path: ZipFile(path, "w").writestr("model.weights.h5", ""), "this is a model of Keras"),
        (lambda path: path.write_bytes(b"PK damaged"), "an .npz has arrays and no network"),
    ],
)
def test_a_file_of_another_library_is_led_to_the_importers(
    write: Callable[[Path], Any], words: str, tmp_path: Path
) -> None:
    write(tmp_path / "model")
    with pytest.raises(Refused, match=words):
        Network.load(tmp_path / "model")
