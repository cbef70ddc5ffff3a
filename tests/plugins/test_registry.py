"""Plugins are found through entry points; one that cannot be used is refused, naming its distribution."""

from __future__ import annotations

import sys
from importlib.metadata import EntryPoint, distributions
from pathlib import Path

import pytest
from support.distributions import install

from deltawire_layers import load_layers
from deltawire_layers.layers.linear import Linear
from deltawire_layers.layers.pointwise.activations import Tanh
from deltawire_layers.layers.pointwise.rectifiers import Relu
from deltawire_layers.registry import installed
from deltawire_plugins import Registry, RegistryError


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An importable folder of installed distributions."""
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def points(site: Path) -> list[EntryPoint]:
    sites = sorted(distributions(path=[str(site)]), key=lambda distribution: distribution.name)
    return [point for distribution in sites for point in distribution.entry_points]


def test_built_in_layers_are_found_like_any_others() -> None:
    layers = load_layers()
    assert layers["linear"] is Linear
    assert layers.distribution("linear").startswith("deltawire ")
    assert list(layers) == sorted(layers) and len(layers) == len(list(layers))
    assert "no_such_kind" not in layers


def test_layers_of_several_distributions_come_together(site: Path) -> None:
    install(site, "acme 2.0", ramp="deltawire_layers.layers.pointwise.rectifiers:Relu")
    install(site, "bolt 1.1", squash="deltawire_layers.layers.pointwise.activations:Tanh")
    layers = load_layers(points(site))
    assert dict(layers) == {"ramp": Relu, "squash": Tanh}
    assert (layers.distribution("ramp"), layers.distribution("squash")) == ("acme 2.0", "bolt 1.1")


def test_the_layers_of_one_distribution_can_be_told_from_all(site: Path) -> None:
    install(site, "acme 2.0", ramp="deltawire_layers.layers.pointwise.rectifiers:Relu")
    assert [point.name for point in installed("acme")] == ["ramp"]
    kinds = {point.name for point in installed("deltawire")}
    assert "relu" in kinds and "ramp" not in kinds
    assert {point.name for point in installed()} >= kinds | {"ramp"}


def refusal(site: Path) -> str:
    with pytest.raises(RegistryError) as caught:
        load_layers(points(site))
    return str(caught.value)


def test_one_kind_from_two_distributions_names_both(site: Path) -> None:
    install(site, "acme 2.0", ramp="deltawire_layers.layers.pointwise.rectifiers:Relu")
    install(site, "bolt 1.1", ramp="deltawire_layers.layers.pointwise.activations:Tanh")
    message = refusal(site)
    assert all(part in message for part in ("'ramp'", "acme 2.0", "bolt 1.1"))


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (None, "ModuleNotFoundError"),
        ("import no_such_library", "no_such_library"),
        ("raise OSError('no licence file')", "OSError: no licence file"),
        ("def f(:", "SyntaxError"),
        ("Other = 1", "AttributeError"),
    ],
)
def test_a_plugin_that_fails_to_import_is_named(
    site: Path, monkeypatch: pytest.MonkeyPatch, source: str | None, said: str
) -> None:
    if source is not None:
        (site / "acme_layers.py").write_text(source)
    monkeypatch.delitem(sys.modules, "acme_layers", raising=False)
    install(site, "acme 2.0", ramp="acme_layers:Ramp")
    message = refusal(site)
    assert all(
        part in message for part in ("'ramp'", "acme 2.0", "acme_layers:Ramp", "fails to import", said)
    )


@pytest.mark.parametrize("value", ["builtins:dict", "math:pi", "deltawire_layers.layer:identity"])
def test_what_is_no_layer_is_named(site: Path, value: str) -> None:
    install(site, "acme 2.0", ramp=value)
    message = refusal(site)
    assert all(part in message for part in ("'ramp'", "acme 2.0", value, "not a subclass"))


@pytest.mark.parametrize("kind", ["Ramp", "2d", "a-b", "a.b", "größe", "x" * 65])
def test_a_kind_that_is_no_plain_name_is_refused(site: Path, kind: str) -> None:
    install(site, "acme 2.0", **{kind: "deltawire_layers.layers.pointwise.rectifiers:Relu"})
    message = refusal(site)
    assert kind in message and "acme 2.0" in message and "lower-case" in message


@pytest.mark.parametrize("bounds", ["[(0, 1)]", "{1: (1, 0)}", "{-1: (0, 1)}", "{1: 0}", "{1: (0, 'x')}"])
def test_bounds_that_are_none_are_refused(site: Path, monkeypatch: pytest.MonkeyPatch, bounds: str) -> None:
    (site / "unbound.py").write_text(
        f"from deltawire_layers import Layer\nclass Unbound(Layer):\n    bounds = {bounds}\n"
        "    def output_shape(self, x):\n        return x\n"
    )
    monkeypatch.delitem(sys.modules, "unbound", raising=False)
    install(site, "acme 2.0", ramp="unbound:Unbound")
    assert "bounds is not a dict of positions and pairs of numbers" in refusal(site)


@pytest.mark.parametrize("orders", ["0", "3", "True", "'1'", "1.0", "None"])
def test_orders_that_are_none_are_refused(site: Path, monkeypatch: pytest.MonkeyPatch, orders: str) -> None:
    (site / "unordered.py").write_text(
        f"from deltawire_layers import Layer\nclass Unordered(Layer):\n    orders = {orders}\n"
        "    def output_shape(self, x):\n        return x\n"
    )
    monkeypatch.delitem(sys.modules, "unordered", raising=False)
    install(site, "acme 2.0", ramp="unordered:Unordered")
    assert "orders is neither 1 nor 2" in refusal(site)


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ("x, mask=()", "has an input with a default other than None"),
        ("x, mask=None, *more", "has inputs that may be left out, and any number of others"),
        ("x=None", "takes no input"),
    ],
)
def test_inputs_that_cannot_be_told_apart_are_refused(
    site: Path, monkeypatch: pytest.MonkeyPatch, inputs: str, message: str
) -> None:
    (site / "unclear.py").write_text(
        "from deltawire_layers import Layer\nclass Unclear(Layer):\n"
        f"    def output_shape(self, {inputs}):\n        return x\n"
    )
    monkeypatch.delitem(sys.modules, "unclear", raising=False)
    install(site, "acme 2.0", ramp="unclear:Unclear")
    assert message in refusal(site)


def test_an_entry_point_without_a_distribution_is_still_refused_in_words() -> None:
    point = EntryPoint(name="ramp", value="builtins:dict", group="deltawire.layers")
    with pytest.raises(RegistryError, match="an unnamed distribution"):
        load_layers([point])


def test_a_registry_cannot_be_changed() -> None:
    layers = load_layers([])
    assert isinstance(layers, Registry) and not layers
    with pytest.raises(TypeError):
        layers["relu"] = Relu  # type: ignore[index]
