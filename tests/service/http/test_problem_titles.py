"""The titles of problems in Korean: every code has one, and no other text is translated."""

from __future__ import annotations

import json
from pathlib import Path

import deltawire_service.http.texts
from deltawire_service.app import create_app
from deltawire_service.http.problem_codes import PROBLEMS, RUNS
from deltawire_service.http.problem_titles import LANGUAGES, load_titles
from deltawire_service.settings import Settings

FOLDER = Path(deltawire_service.http.texts.__file__).parent
HANGUL = range(ord("가"), ord("힣") + 1)


def test_every_problem_has_a_title_in_every_language() -> None:
    for language, titles in load_titles().items():
        missing = [code for code in [*PROBLEMS, *RUNS] if code not in titles]
        assert not missing, (language, missing)


def test_every_korean_title_is_korean() -> None:
    for code, title in load_titles()["ko"].items():
        assert any(ord(letter) in HANGUL for letter in title) and not title.endswith("."), (code, title)


def test_no_text_is_translated_that_is_no_title() -> None:
    """A title that changes in English needs its translation anew."""
    english = {problem.title for problem in PROBLEMS.values()} | set(RUNS.values())
    files = sorted(path.stem for path in FOLDER.glob("*.json"))
    assert files == sorted(LANGUAGES)
    for language in files:
        assert set(json.loads((FOLDER / f"{language}.json").read_text("utf-8"))) == english


def test_the_explorer_gets_them_by_code() -> None:
    client = create_app(Settings(log_level="error")).test_client()
    answer = client.get("/explorer/problems/ko.json")
    assert answer.mimetype == "application/json" and answer.json == load_titles()["ko"]
    assert client.get("/explorer/problems/en.json").status_code == 404
