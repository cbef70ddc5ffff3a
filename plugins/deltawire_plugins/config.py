"""Fields for `Config` schemas that read JSON exactly; marshmallow's own take 4.0 for 4 and "0.5" for 0.5."""

from __future__ import annotations

from math import isfinite
from typing import Any

from marshmallow import ValidationError, fields, validate

from deltawire_plugins.shown import shown


class Integer(fields.Integer):
    """An integer, written without a fraction."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> int:
        if type(value) is not int:
            raise ValidationError(f"expected a whole number, got {shown(value)}")
        return value


class Number(fields.Float):
    """A finite number."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> float:
        if type(value) not in (int, float) or not isfinite(value):
            raise ValidationError(f"expected a number, got {shown(value)}")
        return float(value)


class Numbers(fields.List[float]):
    """A list of numbers.

    Args:
        count: how many numbers the list has.
        each: validates every number.
        settings: those of any field of marshmallow.
    """

    def __init__(self, count: int, each: validate.Validator | None = None, **settings: Any):
        super().__init__(Number(validate=each), **settings)
        self.count = count

    def _deserialize(self, value: Any, attr: Any, data: Any, **rest: Any) -> list[float | None]:
        if not isinstance(value, list | tuple) or len(value) != self.count:
            raise ValidationError(f"expected {self.count} numbers, got {shown(value)}")
        return super()._deserialize(value, attr, data, **rest)


class Constant(fields.Field["float | tuple[float, ...]"]):
    """A number, or a list with one for each place of an axis.

    Args:
        description: its description in the schema.
        load_default: the number where it is missing.
    """

    expected = "a number or a list of numbers"

    def __init__(self, description: str, load_default: float):
        forms = [{"type": "number"}, {"type": "array", "items": {"type": "number"}, "minItems": 1}]
        super().__init__(load_default=load_default, metadata={"description": description, "anyOf": forms})

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> float | tuple[float, ...]:
        several = isinstance(value, list | tuple)
        numbers = value if several else [value]
        for number in numbers:
            if type(number) not in (int, float) or not isfinite(number):
                raise ValidationError(f"expected {self.expected}, got {shown(number)}")
        if not numbers:
            raise ValidationError(f"expected {self.expected}, got an empty list")
        return tuple(map(float, numbers)) if several else float(value)

    def _serialize(self, value: Any, *args: Any, **kwargs: Any) -> Any:
        return list(value) if isinstance(value, tuple) else value


class Flag(fields.Boolean):
    """true or false."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> bool:
        if not isinstance(value, bool):
            raise ValidationError(f"expected true or false, got {shown(value)}")
        return value


class Names(fields.List[str]):
    """A list of at most `most` names or globs, of at most 256 characters each."""

    expected = "a list of names"

    def __init__(self, most: int = 1000, **settings: Any):
        super().__init__(fields.String(), **settings)
        self.most = most

    def _deserialize(self, value: Any, attr: Any, data: Any, **_: Any) -> list[str | None]:
        # The list is checked at once: marshmallow takes seconds for a million names, one by one.
        if not isinstance(value, list) or not set(map(type, value)) <= {str}:
            raise ValidationError(f"expected {self.expected}, got {shown(value)}")
        if len(value) > self.most or max(map(len, value), default=0) > 256:
            raise ValidationError(
                f"expected at most {self.most} names of at most 256 characters, got {shown(value)}"
            )
        return value


class Integers(fields.List[int]):
    """A list of at most `most` integers; by default, as many as an example can have axes."""

    def __init__(self, most: int = 63, **settings: Any):
        super().__init__(Integer(), **settings)
        self.most = most

    def _deserialize(self, value: Any, attr: Any, data: Any, **rest: Any) -> list[int | None]:
        # The length is checked first: marshmallow takes long to read every item.
        if isinstance(value, list) and len(value) > self.most:
            raise ValidationError(f"expected at most {self.most} whole numbers, got {len(value)}")
        return super()._deserialize(value, attr, data, **rest)


class Pairs(fields.Field[list[list[int]]]):
    """A list of pairs of integers of 0 or more, one for each axis; at most as many as an example can have.

    Args:
        description: its description in the schema.
        settings: those of any field of marshmallow.
    """

    expected = "a list of pairs of whole numbers, 0 or more"

    def __init__(self, description: str, **settings: Any):
        pair = {"type": "array", "items": {"type": "integer", "minimum": 0}, "minItems": 2, "maxItems": 2}
        form = {"type": "array", "items": pair, "minItems": 1, "maxItems": 63}
        super().__init__(metadata={"description": description, **form}, **settings)

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> list[list[int]]:
        if not isinstance(value, list | tuple) or not 1 <= len(value) <= 63:
            raise ValidationError(f"expected {self.expected}, got {shown(value)}")
        for pair in value:
            if not isinstance(pair, list | tuple) or len(pair) != 2:
                raise ValidationError(f"expected {self.expected}, got {shown(value)}")
            if any(type(number) is not int or number < 0 for number in pair):
                raise ValidationError(f"expected {self.expected}, got {shown(value)}")
        return [list(pair) for pair in value]

    def _serialize(self, value: Any, *args: Any, **kwargs: Any) -> Any:
        return value
