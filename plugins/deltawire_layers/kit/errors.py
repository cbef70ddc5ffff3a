"""The exceptions of the kit: a broken rule, and what its trials tell each other."""

from __future__ import annotations

from types import MappingProxyType

RULES = MappingProxyType(
    {
        1: "pure",
        2: "examples are independent",
        3: "only what is asked",
        4: "analytic",
        5: "shapes first",
        6: "documented by formula",
    }
)


class Degenerate(Exception):
    """The layer has no value at a point that the kit drew: a singular matrix, for example."""


class MissingParameter(KeyError):
    """The layer looks up a parameter that it has not declared."""


class ConformanceError(AssertionError):
    """A layer breaks the contract. The arguments are also its attributes.

    Args:
        layer: name of the layer's class.
        rule: number of the rule; `rule_name` is its name.
        closure: `value`, `δ of input 1`, `gradient of 'weight'`, `signal`, or a declaration: `saved`, …
        problem: the mistake, as the end of a sentence that begins with the closure.
        point: the point where numbers are wrong: `scale 10`, `exact ties of scale 1`.
        place: index of the worst number.
        expected: the expected number at that place.
        got: the number that the layer returned at that place.
        suggestion: a way to mend it, where the kit can derive one.
    """

    def __init__(
        self,
        layer: str,
        rule: int,
        closure: str,
        problem: str,
        point: str | None = None,
        place: tuple[int, ...] | None = None,
        expected: float | str | None = None,
        got: float | str | None = None,
        suggestion: str | None = None,
    ):
        super().__init__(layer, rule, closure, problem, point, place, expected, got, suggestion)
        self.layer, self.rule, self.closure, self.problem = layer, rule, closure, problem
        self.point, self.place, self.expected, self.got = point, place, expected, got
        self.suggestion = suggestion

    @property
    def rule_name(self) -> str:
        """Return the name of the broken rule."""
        return RULES[self.rule]

    def __str__(self) -> str:
        message = f"{self.layer} breaks rule {self.rule} ({self.rule_name}): {self.closure} {self.problem}"
        if self.place is not None:
            message += f": expected {self.expected}, got {self.got} at {list(self.place)}"
        if self.point is not None:
            message += f", at {self.point}"
        return message if self.suggestion is None else f"{message}; {self.suggestion}"
