"""Fields that read JSON exactly, for `Config` schemas: marshmallow's own take 4.0 for 4, "0.5" for 0.5."""

from __future__ import annotations

import reprlib
from math import isfinite
from typing import Any

from marshmallow import ValidationError, fields


class Whole(fields.Integer):
    """An integer, written as one."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> int:
        if type(value) is not int:
            raise ValidationError(f"expected a whole number, got {_shown(value)}")
        return value


class Number(fields.Float):
    """A finite number."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> float:
        if type(value) not in (int, float) or not isfinite(value):
            raise ValidationError(f"expected a number, got {_shown(value)}")
        return float(value)


class Flag(fields.Boolean):
    """true or false."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> bool:
        if not isinstance(value, bool):
            raise ValidationError(f"expected true or false, got {_shown(value)}")
        return value


class Names(fields.List[str]):
    """A list of names or globs: at most `most` of them, of at most 256 characters each."""

    def __init__(self, most: int = 1000, **settings: Any):
        super().__init__(fields.String(), **settings)
        self.most = most

    def _deserialize(self, value: Any, attr: Any, data: Any, **_: Any) -> list[str | None]:
        # Checked as a whole: marshmallow takes seconds for a list of a million names.
        if not isinstance(value, list) or not set(map(type, value)) <= {str}:
            raise ValidationError(f"expected a list of names, got {_shown(value)}")
        if len(value) > self.most or max(map(len, value), default=0) > 256:
            raise ValidationError(f"expected at most {self.most} names of at most 256 characters")
        return value


class Wholes(fields.List[int]):
    """A list of integers: at most `most` of them. An array has 64 axes at most, the batch among them."""

    def __init__(self, most: int = 63, **settings: Any):
        super().__init__(Whole(), **settings)
        self.most = most

    def _deserialize(self, value: Any, attr: Any, data: Any, **rest: Any) -> list[int | None]:
        if isinstance(value, list) and len(value) > self.most:  # before its items are looked at
            raise ValidationError(f"expected at most {self.most} whole numbers, got {len(value)}")
        return super()._deserialize(value, attr, data, **rest)


def _shown(value: Any) -> str:
    text = reprlib.repr(value)
    return text if len(text) <= 60 else f"{text[:60]}…"
