"""The summary of a network, and shapes: what the service plans, as a table."""

from __future__ import annotations

import copy
import io
import json
import pickle
import sys
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from deltawire import Client, Network, NotInstalled, Refused

EXAMPLES = sorted((Path(__file__).parents[3] / "examples").glob("*.json"))
CLIENT = Client()


def network() -> Network:
    net = Network()
    x, mask = net.input("x", (3, 4)), net.input("mask", (2,), shared=True)
    first = net.layer("linear", x, units=2, name="first")
    again = net.layer("linear", x, units=2, name="again", tied_to=first)
    net.loss = (again.mean(axis=0) * mask).sum()
    return net


def test_the_table_of_a_network() -> None:
    text = str(network().summary(CLIENT, batch=1000, dtype="float32"))
    lines = [line.split() for line in text.splitlines()]
    assert ["first", "linear", "x", "(3,", "2)", "weight", "(2,", "4),", "bias", "(2,)"] in lines
    assert ["again", "linear", "x", "(3,", "2)", "those", "of", "first"] in lines
    assert ["mask", "shared", "input", "(2,)"] in lines
    planned = CLIENT.plan(network(), 1000, dtype="float32")
    assert text.splitlines()[-1].startswith("10 numbers in parameters, 40 B in float32; 1,000 examples: ")
    assert planned["fits"] and f"of {planned['limit_bytes'] / 2**30} GiB allowed" in text
    columns = {
        line.index(cell) for line, cell in ((text.splitlines()[0], "kind"), (text.splitlines()[2], "input"))
    }
    assert len(columns) == 1


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_every_node_has_the_shape_of_the_plan(path: Path) -> None:
    net = Network.from_spec(json.loads(path.read_text())["network"])
    summary, planned = net.summary(CLIENT), CLIENT.plan(net)
    shapes = {node["name"]: tuple(node["shape"]) for node in planned["nodes"]}
    assert [row[0] for row in summary.rows] == [*net.spec()["inputs"], *shapes]
    for name, shape in shapes.items():
        assert net[name].shape == shape


def test_without_a_client_a_service_in_this_process_works_shapes_out() -> None:
    assert (
        str(network().summary(batch=3))
        == str(network().summary(CLIENT, batch=3))
        == repr(network().summary(batch=3))
    )


def test_rich_prints_the_same_cells_and_reads_no_markup() -> None:
    net = Network()
    net.layer("sum", net.input("x", (2,)), name="total")
    summary = net.summary(CLIENT)
    out = io.StringIO()
    Console(file=out, width=200, color_system=None).print(summary)
    for row in summary.rows:
        assert any(all(cell in line for cell in row) for line in out.getvalue().splitlines())
    assert summary.totals in " ".join(out.getvalue().split())


def test_a_wrong_network_is_refused() -> None:
    net = Network()
    net.layer("linear", net.input("x", (3,)), unit=2)
    with pytest.raises(Refused, match="unit"):
        net.summary(CLIENT)


def test_the_shape_of_a_place_needs_only_what_leads_to_it() -> None:
    net = network()
    net.layer("linear", net["x"], name="wrong")  # without units
    assert net["again"].shape == (3, 2) and net["mask"].shape == (2,)
    assert (2 * net["x"]).shape == (3, 4)
    with pytest.raises(Refused, match="units"):
        _ = net["wrong"].shape
    with pytest.raises(KeyError):
        net.shape_of("nothing")


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda net: pickle.loads(pickle.dumps(net))])
def test_a_network_that_has_asked_can_be_copied(duplicate: Any) -> None:
    net = network()
    assert net["again"].shape == (3, 2)
    other = duplicate(net)
    assert other.spec() == net.spec() and other["again"].shape == (3, 2)


def test_without_the_service_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "deltawire_service.app", None)
    net = network()
    assert net["x"].shape == (3, 4)
    for ask in (lambda: net["again"].shape, net.summary):
        with pytest.raises(NotInstalled, match=r"pip install 'deltawire\[service\]'"):
            ask()
    assert net.summary(CLIENT).rows
