"""GET /v1/layers: every layer, described well enough to write a spec from."""

from __future__ import annotations

from functools import cache
from importlib.metadata import version
from typing import Any

import jsonschema
import pytest
from marshmallow import Schema, fields, validate
from support.layers import BUILT_IN

from deltawire_layers import Layer, Registry
from deltawire_plugins import Registered
from deltawire_service.api.layers import describe
from deltawire_service.app import create_app
from deltawire_service.settings import Settings


@cache
def catalogue() -> dict[str, dict[str, Any]]:
    answer = create_app(Settings(log_level="error"), BUILT_IN).test_client().get("/v1/layers")
    assert answer.status_code == 200
    return {layer["kind"]: layer for layer in answer.json["layers"]}


def test_every_layer_is_listed_with_its_distribution() -> None:
    listed = catalogue()
    assert list(listed) == list(BUILT_IN)
    assert {layer["distribution"] for layer in listed.values()} == {f"deltawire {version('deltawire')}"}
    assert all(layer["summary"] for layer in listed.values())


def test_linear_in_full() -> None:
    linear = dict(catalogue()["linear"])
    synonyms = {each["name"]: each["note"] for each in linear.pop("synonyms")}
    assert synonyms["Dense"] == "" and "last axis" in synonyms["TimeDistributed"]
    assert linear == {
        "kind": "linear",
        "summary": "z = W x + b over the last axis, with x (..., n), W (units, n), b (units,).",
        "inputs": {"names": ["x"], "variadic": False, "optional": []},
        "elementwise": False,
        "orders": 2,
        "config": {
            "type": "object",
            "properties": {
                "units": {"type": "integer", "minimum": 1, "description": "numbers out"},
                "bias": {"type": "boolean", "default": True, "description": "whether b is added"},
                "init_scale": {
                    "type": "number",
                    "default": 1.0,
                    "minimum": 0.0,
                    "maximum": 1e6,
                    "description": "factor of the first numbers of the parameters",
                },
            },
            "required": ["units"],
            "additionalProperties": False,
        },
        "distribution": BUILT_IN.distribution("linear"),
        "formula": {
            "value": r"{weight}\,{x0} + {bias}",
            "deltas": [r"{weight}^{\top} {delta}"],
            "grads": {"weight": r"{delta}\,{x0}^{\top}", "bias": r"{delta}"},
            "init": {"weight": "uniform within ±1/√n", "bias": "uniform within ±1/√n"},
        },
    }


def test_inputs_tell_how_many() -> None:
    listed = catalogue()
    assert listed["add"]["inputs"] == {"names": ["x"], "variadic": True, "optional": []}
    assert listed["attention"]["inputs"]["optional"] == ["mask"]
    assert listed["softmax_nll"]["inputs"]["names"] == ["scores", "label"]
    assert listed["add"]["elementwise"] and not listed["softmax"]["elementwise"]


@pytest.mark.parametrize("kind", list(BUILT_IN))
def test_a_config_schema_is_valid_and_says_what_the_layer_reads(kind: str) -> None:
    schema = catalogue()[kind]["config"]
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    assert not validator.is_valid({"no such key": 1})
    assert all(text for text in (part.get("description") for part in schema["properties"].values()))
    for config in ({}, {"units": 3}, {"units": 0}, {"rows": 2, "width": 2}, {"axis": 0}, {"axis": "0"}):
        try:
            BUILT_IN[kind](**config)
        except Exception:
            assert not validator.is_valid(config), config
        else:
            assert validator.is_valid(config), config


def test_a_plugin_of_somebody_else_is_described_too() -> None:
    class Config(Schema):
        class Inner(Schema):
            size = fields.Integer(required=True)

        mode = fields.String(load_default="a", validate=validate.OneOf(["a", "b"]))
        inner = fields.Nested(Inner)

    class Plain(Layer):
        def output_shape(self, left: Any, right: Any, *more: Any) -> Any:
            return left

    Plain.Config = Config  # type: ignore[misc]
    described = describe("plain", Plain, "theirs 2.1")
    assert described["summary"] == Layer.__doc__.splitlines()[0]  # type: ignore[union-attr]
    assert described["inputs"] == {"names": ("left", "right"), "variadic": True, "optional": ()}
    assert described["distribution"] == "theirs 2.1"
    assert "formula" not in described
    assert described["config"]["properties"]["mode"]["enum"] == ["a", "b"]
    assert described["config"]["properties"]["inner"]["required"] == ["size"]
    app = create_app(Settings(log_level="error"), Registry({"plain": Registered(Plain, "theirs 2.1")}))
    assert app.test_client().get("/v1/layers").json["layers"][0]["distribution"] == "theirs 2.1"


def test_texts_are_translated_into_the_language_asked_for() -> None:
    client = create_app(Settings(log_level="error"), BUILT_IN).test_client()
    listed = client.get("/v1/layers?lang=ko").json
    assert listed["languages"] == ["en", "ko"]
    for entry in listed["layers"]:
        alone = client.get(f"/v1/layers/{entry['kind']}?lang=ko").json
        translation = entry["translation"]
        assert alone == entry
        assert translation["lang"] == "ko" and translation["summary"]
        assert translation["config"].keys() == entry["config"]["properties"].keys()
        assert {key: value for key, value in entry.items() if key != "translation"} == catalogue()[
            entry["kind"]
        ]


@pytest.mark.parametrize("query", ["", "?lang=en", "?lang=fr"])
def test_without_a_translation_the_texts_are_english_alone(query: str) -> None:
    listed = create_app(Settings(log_level="error"), BUILT_IN).test_client().get(f"/v1/layers{query}").json
    assert all("translation" not in entry for entry in listed["layers"])


@pytest.mark.parametrize(
    ("query", "code"),
    [("lang=Korean", "field_invalid"), ("lang=", "field_invalid"), ("lang=ko&lang=en", "field_invalid")]
    + [("language=ko", "field_unknown")],
)
@pytest.mark.parametrize("route", ["/v1/layers", "/v1/layers/linear"])
def test_a_language_that_is_none_is_refused(route: str, query: str, code: str) -> None:
    answer = create_app(Settings(log_level="error"), BUILT_IN).test_client().get(f"{route}?{query}")
    assert (answer.status_code, answer.json["errors"][0]["code"]) == (422, code)
