"""The table of codes: each has a title of its own and a status of an error."""

from __future__ import annotations

from http import HTTPStatus

from deltawire_service.http import problem_codes
from deltawire_service.http.problem_codes import ANYWHERE, PROBLEMS


def test_titles_differ_and_statuses_are_errors() -> None:
    assert len({problem.title for problem in PROBLEMS.values()}) == len(PROBLEMS)
    assert all(HTTPStatus(problem.status) >= 400 for problem in PROBLEMS.values())


def test_no_code_is_in_two_groups() -> None:
    groups = (
        "HTTP",
        "DOCUMENT",
        "NETWORK",
        "TENSORS",
        "COMPUTATION",
        "MODELS",
        "DATASETS",
        "SERVICE",
        "HEALTH",
    )
    assert sum(len(getattr(problem_codes, group)) for group in groups) == len(PROBLEMS)


def test_codes_found_before_a_route_are_in_the_table() -> None:
    assert set(ANYWHERE) <= PROBLEMS.keys()
