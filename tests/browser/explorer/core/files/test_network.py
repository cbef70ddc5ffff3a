"""Files of networks in the browser: they open with their numbers, or are refused by their name."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from support.explorer import Explorer
from support.network_files import NETWORK, REQUEST, WEIGHT, safetensors, saved

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser

BIAS = ("F64", [3], bytes(24))
PACKED = {
    "dtype": "int64",
    "shape": [1, 2],
    "base64": base64.b64encode(np.array([0, 2**53 + 1]).tobytes()).decode(),
}


def open_file(page: Page, name: str, content: bytes) -> None:
    file: Any = {"name": name, "mimeType": "application/octet-stream", "buffer": content}
    with page.expect_file_chooser() as chooser:
        page.locator("[data-open-file]").click()
    chooser.value.set_files([file])


def document(page: Page) -> dict[str, Any]:
    page.get_by_role("tab", name="Edit").click()
    return dict(json.loads(page.locator(".editor textarea").input_value()))


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_saved_network_opens_with_its_numbers(page: Page, tmp_path: Path, dtype: str) -> None:
    Explorer(page, "example=circuit")
    open_file(page, "net.safetensors", saved(tmp_path / "net.safetensors", dtype).read_bytes())
    page.locator('[data-node="hidden"]').wait_for()
    shown = document(page)
    assert np.array_equal(np.array(shown["params"]["hidden.weight"]), WEIGHT.astype(dtype).astype("float64"))
    assert shown["params"]["hidden.bias"] == [0, 0, 0]
    assert [node["name"] for node in shown["network"]["nodes"]] == ["hidden", "total"]


def test_data_in_the_file_are_there_too_and_parameters_that_are_missing_are_drawn(page: Page) -> None:
    Explorer(page, "example=circuit")
    data = ("F32", [1, 2], np.array([[0.5, -2]], "float32").tobytes())
    open_file(page, "net.safetensors", safetensors({"data/x": data}, {"request": REQUEST}))
    page.locator('[data-node="hidden"]').wait_for()
    shown = document(page)
    assert shown["data"] == {"x": [[0.5, -2]]}
    assert np.array(shown["params"]["hidden.weight"]).shape == (3, 2)


def test_a_tensor_with_a_name_alone_is_a_parameter(page: Page) -> None:
    Explorer(page, "example=circuit")
    tensors = {"hidden.weight": ("F64", [3, 2], WEIGHT.astype(float).tobytes()), "hidden.bias": BIAS}
    open_file(page, "net.safetensors", safetensors(tensors, {"request": REQUEST}))
    page.locator('[data-node="hidden"]').wait_for()
    assert document(page)["params"] == {"hidden.weight": WEIGHT.tolist(), "hidden.bias": [0, 0, 0]}


@pytest.mark.parametrize("whole", [True, False])
def test_a_spec_and_a_request_in_json_open(page: Page, whole: bool) -> None:
    Explorer(page, "example=circuit")
    text = base64.b64encode(np.array([3.0, 4]).tobytes()).decode()
    packed = {"dtype": "float64", "shape": [1, 2], "base64": text}
    content = {"network": NETWORK, "data": {"x": packed}} if whole else NETWORK
    open_file(page, "net.json", json.dumps(content).encode())
    page.locator('[data-node="hidden"]').wait_for()
    if whole:
        assert document(page)["data"] == {"x": [[3, 4]]}


WRONG: dict[str, tuple[bytes, str]] = {
    "picture.png": (b"\x89PNG\r\n\x1a\n" + bytes(40), "neither a safetensors file nor JSON"),
    "cut.json": (b'{"network": {"inputs"', "not JSON ("),
    "data.json": (b'{"data": {"x": [1]}}', "JSON without a network"),
    "list.json": (b"[1, 2]", "JSON without a network"),
    "named.json": (b'{"network": {"name": "digits"}}', "it only names the network digits"),
    "zeros.safetensors": (bytes(64), "its header cannot be read"),
    "long.safetensors": ((2**40).to_bytes(8, "little") + b"{}", "its header cannot be read"),
    "shapeless.safetensors": (
        safetensors({"params/hidden.bias": ("F64", ["a"], b"")}, {"request": REQUEST}),
        "its header cannot be read",
    ),
    "tensors.safetensors": (safetensors({"params/hidden.bias": BIAS}, {}), "no network: its metadata"),
    "half.safetensors": (
        safetensors({"params/hidden.bias": ("BF16", [3], bytes(6))}, {"request": REQUEST}),
        "the tensor hidden.bias has the dtype BF16",
    ),
    "products.safetensors": (
        safetensors({"cotangents/total": ("F64", [1], bytes(8))}, {"request": REQUEST}),
        "the tensor cotangents/total is neither a parameter (params/…) nor an input (data/…)",
    ),
    "short.safetensors": (
        safetensors({"params/hidden.bias": BIAS}, {"request": REQUEST})[:-1],
        "the tensor hidden.bias does not have the bytes of its shape",
    ),
    "nan.safetensors": (
        safetensors({"params/hidden.bias": ("F64", [1], np.array([np.nan]).tobytes())}, {"request": REQUEST}),
        "the tensor hidden.bias has a number that is not finite",
    ),
    "int64.safetensors": (
        safetensors({"data/x": ("I64", [1, 2], np.array([1, 2**53 + 1]).tobytes())}, {"request": REQUEST}),
        "x is or has 9007199254740993, which a browser cannot keep exactly",
    ),
    "least.safetensors": (
        safetensors({"data/x": ("I64", [1, 1], np.array([-(2**63)]).tobytes())}, {"request": REQUEST}),
        "x is or has -9223372036854775808, which",
    ),
    "packed.json": (
        json.dumps({"network": NETWORK, "data": {"x": PACKED}}).encode(),
        "x is or has 9007199254740993, which",
    ),
    "digits.json": (
        json.dumps({"network": NETWORK, "data": {"x": [[1, 2**53 + 1]]}}).encode(),
        "data/x/0/1 is or has 9007199254740993, which",
    ),
    "infinite.json": (
        json.dumps({"network": NETWORK}).encode()[:-1] + b', "data": {"x": [[1e999, 0]]}}',
        "data/x/0/0 is or has 1e999, which",
    ),
    "nan.json": (json.dumps({"network": NETWORK, "data": {"x": [[np.nan, 0]]}}).encode(), "not JSON ("),
    "twice.json": (
        b'{"network": {"inputs": {"x": {}, "x": {}}, "nodes": []}}',
        "network/inputs/x comes twice",
    ),
    "twice.safetensors": (
        safetensors({"hidden.bias": BIAS, "params/hidden.bias": BIAS}, {"request": REQUEST}),
        "the name params/hidden.bias comes twice",
    ),
    "header.safetensors": (
        safetensors({"hidden.bias": BIAS, "hidden.bia2": BIAS}, {"request": REQUEST}).replace(
            b"bia2", b"bias"
        ),
        "the name hidden.bias comes twice",
    ),
    "metadata.safetensors": (
        safetensors({"hidden.bias": BIAS}, {"request": REQUEST[:-1] + ', "data": {"x": [[1, 1e999]]}}'}),
        "data/x/0/1 is or has 1e999, which",
    ),
    **{
        f"{dtype}.safetensors": (
            safetensors({"hidden.bias": (dtype, [3], bytes(3 * size))}, {"request": REQUEST}),
            f"the tensor hidden.bias has the dtype {dtype}",
        )
        for dtype, size in (("BOOL", 1), ("U8", 1), ("U64", 8), ("I32", 4))
    },
    "large.safetensors": (
        safetensors({"params/hidden.bias": ("F64", [500_001], b"")}, {"request": REQUEST}),
        "500,001 numbers. A picture is drawn of 500,000 at most",
    ),
    "large.json": (b" " * (2**24 + 1), "JSON of 16.0 MB is read at most"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_file_is_refused_by_its_name_and_what_was_there_stays(page: Page, name: str) -> None:
    explorer = Explorer(page, "example=circuit")
    content, expected = WRONG[name]
    open_file(page, name, content)
    page.locator(".refused", has_text=f"{name}: ").wait_for()
    assert expected in page.locator(".refused").inner_text()
    assert explorer.values()["f"] == "−12" and page.locator(".page.stale").count() == 0
    page.locator("[data-dismiss]").click()
    page.locator(".refused").wait_for(state="detached")


def test_large_numbers_that_are_exact_stay_as_they_are(page: Page) -> None:
    """Floats may be written in digits alone, as browsers do; what is written is read as the same again."""
    Explorer(page, "example=circuit")
    data = [[2**53, 10**20], [-4611686018427388000, 2**53 - 1]]
    text = json.dumps({"network": NETWORK})[:-1] + ', "data": {"x": ['
    text += "[9007199254740992, 100000000000000000000], [-4611686018427388000, 9007199254740991]]}}"
    open_file(page, "net.json", text.encode())
    page.locator('[data-node="hidden"]').wait_for()
    assert document(page)["data"]["x"] == data


def test_what_is_typed_is_refused_in_its_line(page: Page, faults: list[str]) -> None:
    Explorer(page, "example=moons")
    document(page)
    editor = page.locator(".editor textarea")
    typed = editor.input_value()
    begin = typed.index("0", typed.index('"y": ['))
    line = typed[:begin].count("\n") + 1
    editor.fill(f"{typed[:begin]}9007199254740993{typed[begin + 1 :]}")
    fault = page.locator(f'.faults [data-line="{line}"]')
    assert "data/y/0 is or has 9007199254740993, which" in fault.inner_text()
    editor.fill(typed.replace('"y": [', '"x": [0], "y": ['))
    page.locator(".faults", has_text="the name data/x comes twice").wait_for()
