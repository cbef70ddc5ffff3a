"""The titles of the problems in other languages, from the files in `texts`."""

from __future__ import annotations

from collections.abc import Mapping

from deltawire_plugins import read_texts
from deltawire_service.http.problem_codes import PROBLEMS, RUNS

LANGUAGES = ("ko",)


def load_titles() -> Mapping[str, Mapping[str, str]]:
    """Return the translated titles by language, then by code; those of runs too.

    Raises:
        RegistryError: a file is missing or cannot be read.
    """
    english = {code: problem.title for code, problem in PROBLEMS.items()} | dict(RUNS)
    titles: dict[str, Mapping[str, str]] = {}
    for language in LANGUAGES:
        texts = read_texts(
            "deltawire_service.http.texts", language, f"the titles of problems in '{language}'"
        )
        titles[language] = {code: texts[title] for code, title in english.items() if title in texts}
    return titles
