"""Queries are text: whole numbers are read strictly, and no name may come twice."""

from __future__ import annotations

import pytest
from werkzeug.datastructures import MultiDict

from deltawire.errors import Refused
from deltawire_service.schemas.queries import LedgerQuery, ModelsQuery, VersionQuery, read_query


def test_texts_become_numbers() -> None:
    assert read_query(LedgerQuery(), MultiDict({"after": "-1", "limit": "007"})) == {"after": -1, "limit": 7}
    assert read_query(ModelsQuery(), MultiDict()) == {"after": "", "contains": "", "limit": 100}
    assert read_query(VersionQuery(), MultiDict()) == {}
    assert read_query(VersionQuery(), MultiDict({"version": str(2**62)})) == {"version": 2**62}


@pytest.mark.parametrize("text", ["-1", str(2**62 + 1), "9" * 40, "", "x", "1.0", "1_0", "٣", "true", "null"])
def test_a_text_that_is_no_version_is_refused(text: str) -> None:
    with pytest.raises(Refused) as refused:
        read_query(VersionQuery(), MultiDict({"version": text}))
    assert (refused.value.pointer, refused.value.code) == ("/version", "field_invalid")


def test_a_name_comes_once() -> None:
    with pytest.raises(Refused, match="expected one value, got 2") as refused:
        read_query(VersionQuery(), MultiDict([("version", "1"), ("version", "1")]))
    assert refused.value.pointer == "/version"
