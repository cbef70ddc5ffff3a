"""Translations of the texts of plugins, from the entry-point group `deltawire.translations`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from importlib.metadata import EntryPoint, entry_points
from importlib.resources import files
from types import MappingProxyType

from deltawire_plugins.registry import RegistryError

GROUP = "deltawire.translations"
LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*\Z")
"""The code of a language."""


class Translations:
    """Translated texts by language and distribution; immutable.

    A distribution translates its own texts: two may translate the same words differently.
    """

    def __init__(self, texts: Mapping[str, Mapping[str, Mapping[str, str]]]):
        """Keep the texts.

        Args:
            texts: by language, then by distribution (`name version`), then by the English text.
        """
        self._texts = MappingProxyType(dict(texts))

    @property
    def languages(self) -> list[str]:
        """The languages that any distribution translates to, sorted."""
        return sorted(self._texts)

    def find(self, language: str, distribution: str, text: str) -> str | None:
        """Return the translation of a text; None where there is none.

        Args:
            language: the code of the language, `ko`.
            distribution: the one that the text comes from, `name version`.
            text: the English text, as it stands in the code.
        """
        return self._texts.get(language, {}).get(distribution, {}).get(text)


def load_translations(points: Iterable[EntryPoint] | None = None) -> Translations:
    """Load the translations of all installed distributions, or those of the given entry points.

    Args:
        points: entry points of the group, named by a language, each with the package that has its file.

    Raises:
        RegistryError: a language is no code such as `ko`, a distribution names it twice, or its file is
            missing or is no JSON object from English texts to translated ones.
    """
    texts: dict[str, dict[str, dict[str, str]]] = {}
    for point in entry_points(group=GROUP) if points is None else points:
        name = "an unnamed distribution" if point.dist is None else f"{point.dist.name} {point.dist.version}"
        at_fault = f"translation '{point.name}' of distribution {name} ({point.value})"
        if not LANGUAGE.match(point.name):
            raise RegistryError(f"{at_fault}: name it by the code of its language, such as ko or pt-BR")
        of_language = texts.setdefault(point.name, {})
        if name in of_language:
            raise RegistryError(f"{at_fault}: the distribution names this language twice; keep one")
        of_language[name] = read_texts(point.module, point.name, at_fault)
    return Translations(texts)


def read_texts(package: str, language: str, at_fault: str) -> dict[str, str]:
    """Return the translated texts of the file LANGUAGE.json in a package, by the English ones.

    Args:
        package: the one that has the file.
        language: the code of the language, `ko`.
        at_fault: what the message names when the file cannot be used.

    Raises:
        RegistryError: the file is missing, or is no JSON object from English texts to translated ones.
    """
    try:
        text = (files(package) / f"{language}.json").read_text("utf-8")
        read = json.loads(text, object_pairs_hook=_unique)
    except Exception as error:  # a package may raise anything while it is imported; the start ends here
        raise RegistryError(f"{at_fault} cannot be read: {type(error).__name__}: {error}") from error
    if not isinstance(read, dict):
        raise RegistryError(f"{at_fault} is not a JSON object from English texts to translated ones")
    for english, translated in read.items():
        if not (isinstance(translated, str) and translated.strip()):
            raise RegistryError(
                f"{at_fault}: write the translation of {english!r} as a text that is not empty"
            )
    return read


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Return an object of JSON, whose keys must differ: the last one would win in silence."""
    read = dict(pairs)
    if len(read) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"{twice!r} is translated twice")
    return read
