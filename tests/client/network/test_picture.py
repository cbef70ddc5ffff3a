"""The picture of a network: well-formed, escaped, with every place in it, and drawn without a service."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from deltawire import Network, Refused

EXAMPLES = sorted((Path(__file__).parents[3] / "examples").glob("*.json"))
SVG = "{http://www.w3.org/2000/svg}"


def drawn(net: Network) -> ElementTree.Element:
    return ElementTree.fromstring(net._repr_html_())


def texts(picture: ElementTree.Element) -> list[str]:
    return [str(text.text) for text in picture.iter(f"{SVG}text")]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_every_place_and_every_edge_is_drawn(path: Path) -> None:
    net = Network.from_spec(json.loads(path.read_text())["network"])
    spec, picture = net.spec(), drawn(net)
    places = [*spec["inputs"], *(node["name"] for node in spec["nodes"])]
    titles = [str(title.text) for title in picture.iter(f"{SVG}title")]
    assert sorted(title.partition(":")[0] for title in titles) == sorted(places)
    assert {name[:25] for name in places} <= {text[:25] for text in texts(picture)}
    edges = sum(len(set(node.get("inputs", ["the one before"]))) for node in spec["nodes"])
    assert len(picture.findall(f"{SVG}path")) == 2 * edges  # a line and its head
    left, top, width, height = map(float, picture.attrib["viewBox"].split())
    for box in picture.iter(f"{SVG}rect"):
        x, y, wide, high = (float(box.attrib[key]) for key in ("x", "y", "width", "height"))
        assert left <= x and top <= y and x + wide <= width and y + high <= height


def test_names_and_options_are_escaped() -> None:
    net = Network()
    net.input("<script>alert(1)</script>", (2,))
    net.layer("linear", name='a" onload="x', tied_to="&<b>", units="</svg>")
    picture = net._repr_html_()
    assert "<script" not in picture and "</svg>" in picture[-6:] and picture.count("</svg>") == 1
    assert {"<script>alert(1)</script>", 'a" onload="x', 'linear(units="</svg>"), tied to &<b>'} <= set(
        texts(drawn(net))
    )
    assert {key for element in drawn(net).iter() for key in element.attrib}.isdisjoint({"onload", "onclick"})


def test_shapes_dtypes_ties_and_losses_are_shown() -> None:
    net = Network()
    x, mask = net.input("x", (2, 3)), net.input("mask", (3,), "int64", shared=True)
    first = net.layer("linear", x, units=3, name="first")
    net.loss = net.layer("some_loss", net.layer("linear", first, units=3, tied_to=first), mask, name="loss")
    picture = drawn(net)
    assert {"(2, 3)", "(3,) int64 shared", "linear(units=3)", "linear(units=3), tied to first"} <= set(
        texts(picture)
    )
    assert "linear1: linear(units=3), tied to first" in [title.text for title in picture.iter(f"{SVG}title")]
    orange = [
        group for group in picture.iter(f"{SVG}g") if group.find(f"{SVG}rect[@fill='#d97706']") is not None
    ]
    assert [str(group.findtext(f"{SVG}title")) for group in orange] == ["loss: some_loss"]


def test_a_penalty_and_counts_are_shown() -> None:
    net = Network()
    net.layer("linear", net.input("x", (3,)), units=2)
    assert drawn(net).attrib["aria-label"] == "Network of 1 input and 1 node"
    net.regularize(1e-3, ["linear1.*"])
    assert "and (λ/2)·ΣW² with λ = 0.001, W: linear1.*" in texts(drawn(net))


def test_several_losses_are_all_marked() -> None:
    net = Network()
    x = net.input("x")
    net.loss = {2 * x: 1.0, x + 1: 0.5}
    assert net._repr_html_().count('fill="#d97706"') == 2


def test_an_empty_network_and_a_large_one() -> None:
    assert Network()._repr_html_() == "<p>This network is empty: net.input and net.layer build it.</p>"
    net = Network()
    x = net.input("x")
    for _ in range(400):
        x = -x
    assert net._repr_html_() == "<p>400 nodes are too many for a picture: print(net.summary(client))</p>"


def test_what_is_no_graph_is_refused() -> None:
    net = Network()
    net.layer("relu", "nothing")
    with pytest.raises(Refused, match="no input or node is named 'nothing'"):
        net._repr_html_()


def test_drawing_loads_no_service() -> None:
    code = (
        "import sys; from deltawire import Network; net = Network(); net.loss = net.input('x') * 2\n"
        "net._repr_html_(); print({'flask', 'deltawire_service'} & set(sys.modules))"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "set()"
