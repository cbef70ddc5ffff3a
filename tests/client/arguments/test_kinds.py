"""What is no boolean, no whole number and no list of names is refused by its place, and not taken for one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from deltawire import Refused
from deltawire.arguments.kinds import boolean, list_of_names, whole_number


def test_numbers_and_booleans_of_numpy_are_taken() -> None:
    assert boolean("/a", np.True_) is True and boolean("/a", False) is False
    assert type(whole_number("/a", np.int32(3))) is int and whole_number("/a", 0, least=0) == 0
    assert list_of_names("/a", ("a", "b")) == list_of_names("/a", iter("ab")) == ["a", "b"]


@pytest.mark.parametrize("value", ["no", 0, 1, None, [], np.ones(1, bool)])
def test_only_true_and_false_are_booleans(value: Any) -> None:
    with pytest.raises(Refused, match="^/a: expected True or False, got "):
        boolean("/a", value)


@pytest.mark.parametrize("value", [0, -1, True, 2.0, "3", None, [1]])
def test_only_integers_from_the_least_are_whole_numbers(value: Any) -> None:
    with pytest.raises(Refused, match="^/a: expected a whole number of at least 1, got "):
        whole_number("/a", value)


def test_a_text_is_no_list_of_its_letters() -> None:
    with pytest.raises(Refused, match=r"^/a: expected a list of names, as \['out.\*'\], got 'out.\*'"):
        list_of_names("/a", "out.*")
    for wrong in (3, {"a": 1}):
        with pytest.raises(Refused, match="^/a: expected a list of names or handles, got "):
            list_of_names("/a", wrong)
