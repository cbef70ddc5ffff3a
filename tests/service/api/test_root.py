"""GET /: where to go on, for programs and for people; the explorer's files."""

from __future__ import annotations

import gzip
import hashlib
import re
from importlib.metadata import version
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from deltawire_service.api.root import COMMENT, PAGE, without_comments
from deltawire_service.app import create_app
from deltawire_service.settings import Settings

ROOT = Path(__file__).parents[3]
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"


@pytest.fixture
def client() -> FlaskClient:
    return create_app(Settings(log_level="error")).test_client()


def scripts() -> list[Path]:
    """The modules of the explorer, without what it takes from elsewhere."""
    found = [path for path in PAGE.rglob("*.js") if PAGE / "vendor" not in path.parents]
    assert len(found) > 40
    return found


def files() -> list[Path]:
    """What a visitor may load: no licences, no lists of versions and hashes."""
    return [path for path in PAGE.rglob("*") if path.suffix in {".html", ".js", ".css", ".woff2", ".json"}]


def test_root_names_the_service_and_every_route(client: FlaskClient) -> None:
    answer = client.get("/").json
    assert (answer["service"], answer["version"]) == ("deltawire", version("deltawire"))
    assert {"POST /v1/gradients", "POST /v1/init", "GET /v1/layers", "GET /livez"} <= set(answer["routes"])


@pytest.mark.parametrize("accept", [None, "*/*", "application/json", "application/json, text/html;q=0.5"])
def test_programs_get_json(client: FlaskClient, accept: str | None) -> None:
    answer = client.get("/", headers={} if accept is None else {"Accept": accept})
    assert answer.mimetype == "application/json" and answer.headers["Vary"] == "Accept"


def test_browsers_get_the_page(client: FlaskClient) -> None:
    with client.get("/", headers={"Accept": BROWSER}) as answer:
        assert answer.mimetype == "text/html" and answer.headers["Vary"] == "Accept"
        policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'self';") and "unsafe" not in policy and "http" not in policy


@pytest.mark.parametrize(
    ("path", "allowed", "ancestors"),
    [
        ("/?embed", "", "'none'"),
        ("/?embed", "https://a.example http://b.example:80", "https://a.example http://b.example:80"),
        ("/?embed=panel", "https://a.example", "https://a.example"),
        ("/", "https://a.example", "'none'"),
        ("/models?embed", "https://a.example", "'none'"),
        ("/explorer/index.html?embed", "https://a.example", "'none'"),
        ("/docs?embed", "https://a.example", "'none'"),
    ],
)
def test_other_pages_may_frame_the_embedded_explorer_alone(path: str, allowed: str, ancestors: str) -> None:
    client = create_app(Settings(log_level="error", explorer_frame_ancestors=allowed)).test_client()
    with client.get(path, headers={"Accept": BROWSER}) as answer:
        (policy,) = answer.headers.getlist("Content-Security-Policy")
    assert policy.split("frame-ancestors ")[1].split(";")[0] == ancestors
    assert policy.count("frame-ancestors") == 1 and "form-action 'none'" in policy


def test_the_page_of_models_is_a_page(client: FlaskClient) -> None:
    with client.get("/models", headers={"Accept": BROWSER}) as answer:
        assert answer.mimetype == "text/html" and answer.data == (PAGE / "models.html").read_bytes()
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'self';")


@pytest.mark.parametrize("page", ["index.html", "models.html"])
def test_a_page_writes_no_script_or_style_into_its_markup(page: str) -> None:
    markup = (PAGE / page).read_text()
    assert not re.search(r"<script(?![^>]* src=)|<style| style=| on\w+=", markup)
    for address in re.findall(r'(?:src|href)="(/explorer/[^"]+)"', markup):
        assert (PAGE / address.removeprefix("/explorer/")).is_file(), address


@pytest.mark.parametrize(
    "name",
    [
        "main.js",
        "page.css",
        "core/api.js",
        "drawer/training/training.js",
        "models.js",
        "models/models.css",
        "vendor/katex.js",
        "examples/circuit.json",
    ],
)
def test_its_files_are_served(client: FlaskClient, name: str) -> None:
    with client.get(f"/explorer/{name}") as answer:
        text = (PAGE / name).read_text()
        ours = name.endswith(".js") and not name.startswith("vendor/")
        assert answer.text == (without_comments(text) if ours else text)
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_scripts_lose_their_comments_and_keep_their_lines() -> None:
    script = """// What it is.
/** @typedef {number} Rate */
export const url = "http://a"; // stays
  // goes
/**
 * @param {number} x
 */
const f = (x) => x /* stays */;
"""
    served = without_comments(script).split("\n")
    assert [line for line in served if line] == [script.split("\n")[2], script.split("\n")[7]]
    assert served.index(script.split("\n")[7]) == 7


def test_no_text_of_a_script_looks_like_a_comment() -> None:
    for path in scripts():
        text = path.read_text()
        for comment in COMMENT.finditer(text):
            code = COMMENT.sub("", text[: comment.start()])
            assert code.replace("\\`", "").count("`") % 2 == 0, f"{path}: {comment.group()}"


def test_nothing_else_is(client: FlaskClient) -> None:
    assert client.get("/explorer/../app.py").status_code == 404
    assert client.get("/explorer/nothing.js").status_code == 404


def test_the_page_is_light(client: FlaskClient) -> None:
    """At most 800 kB, and 230 kB of scripts, packed. The page of models has a bound of its own."""
    of_models = PAGE / "models"
    page = [path for path in files() if of_models not in path.parents and path.stem != "model_texts"]
    sent = {}
    for path in page:
        with client.get(f"/explorer/{path.relative_to(PAGE)}") as answer:
            sent[path] = answer.data
    assert sum(map(len, sent.values())) <= 800_000
    assert sum(len(gzip.compress(data)) for path, data in sent.items() if path.suffix == ".js") <= 230_000


def test_no_script_of_ours_names_another_host_or_a_kind_of_layer_it_would_treat_apart() -> None:
    for path in scripts():
        text = path.read_text()
        assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", text), path
        if path.name != "examples.js":
            assert not re.search(r"kind\s*[!=]==?\s*[\"']", text), path


def test_vendored_files_are_those_whose_hashes_are_listed() -> None:
    vendor = PAGE / "vendor"
    listed = dict(reversed(line.split("  ")) for line in (vendor / "SHA256SUMS").read_text().splitlines())
    there = {str(path.relative_to(vendor)): path for path in vendor.rglob("*") if path.is_file()}
    del there["SHA256SUMS"]
    assert {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in there.items()} == listed
    packages = [
        line.rpartition("@")[0].rpartition("/")[2] for line in (vendor / "VERSIONS").read_text().split()
    ]
    assert all(f"{name}.LICENSE.txt" in listed for name in packages)


def test_its_examples_are_those_of_the_repository() -> None:
    for path in (PAGE / "examples").glob("*.json"):
        assert path.read_bytes() == (ROOT / "examples" / path.name).read_bytes(), path.name


def texts_of(name: str) -> list[str]:
    """Return the keys of a module of texts, in order."""
    module = (PAGE / "lecture" / f"{name}_texts.js").read_text()
    return [one or other for one, other in re.findall(r"^  (\w+): \[|, (\w+): \[", module, re.MULTILINE)]


@pytest.mark.parametrize("page, of_models", [("graph", False), ("model", True)])
def test_every_text_is_there_in_both_languages(page: str, of_models: bool) -> None:
    used: set[str] = set()
    for path in scripts():
        if ((PAGE / "models") in path.parents) == of_models:
            used |= set(re.findall(r'\bt\("(\w+)"', path.read_text()))
    modules = ["shared", page] if of_models else ["shared", page, "file", "reader"]
    known = [key for module in modules for key in texts_of(module)]
    assert len(used) > 40 and used <= set(known)
    assert len(set(known)) == len(known)  # of two with one key, the first is lost
    hangul = re.compile("[가-힣]")
    for name, least in (
        ("graph_texts", 500),
        ("model_texts", 300),
        ("shared_texts", 40),
        ("file_texts", 200),
        ("reader_texts", 200),
        ("tours", 800),
    ):
        assert len(hangul.findall((PAGE / "lecture" / f"{name}.js").read_text())) > least, name


def test_the_readme_opens_with_its_picture() -> None:
    opening = (ROOT / "README.md").read_text().partition("\n## ")[0]
    assert "docs/explorer.png" in opening
    picture = ROOT / "docs" / "explorer.png"
    assert picture.read_bytes().startswith(b"\x89PNG") and picture.stat().st_size <= 300_000
