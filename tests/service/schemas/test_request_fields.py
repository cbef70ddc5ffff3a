"""The fields of requests that are not marshmallow's own."""

from __future__ import annotations

from typing import Any

import pytest
from marshmallow import ValidationError

from deltawire_service.schemas.request_fields import (
    Choice,
    DirectionField,
    SelectionField,
    TensorsField,
    choice_field,
    dtype_field,
)


@pytest.mark.parametrize("value", [True, False, [], ["a", "*.weight"]])
def test_everything_nothing_or_names_are_wanted(value: Any) -> None:
    assert SelectionField().deserialize(value) == value


@pytest.mark.parametrize("value", [1, "a", {}, [1], ["a" * 300]])
def test_nothing_else_is_wanted(value: Any) -> None:
    with pytest.raises(ValidationError):
        SelectionField().deserialize(value)


def test_tensors_are_an_object_of_anything() -> None:
    leaves = {"x": object()}
    assert TensorsField().deserialize(leaves) is leaves
    with pytest.raises(ValidationError, match="expected an object of tensors, got"):
        TensorsField().deserialize([1])


def test_a_direction_has_parameters_and_data_and_nothing_else() -> None:
    leaf = object()
    assert DirectionField().deserialize({"data": {"x": leaf}}) == {"params": {}, "data": {"x": leaf}}
    for wrong in ([], {"data": []}, {"x": {}}):
        with pytest.raises(ValidationError):
            DirectionField().deserialize(wrong)


def test_a_choice_names_its_words_and_has_a_code() -> None:
    assert Choice("a", "b")("b") == "b"
    with pytest.raises(ValidationError, match="expected 'a' or 'b', got 'c'"):
        Choice("a", "b")("c")
    with pytest.raises(ValidationError) as error:
        dtype_field().deserialize("float16")
    assert error.value.messages[0].code == "dtype_unsupported"
    assert choice_field("a", "which", "a", "b").load_default == "a"
