"""Translations of the texts of plugins: what is read, merged and refused."""

from __future__ import annotations

import json
import sys
from importlib.metadata import EntryPoint, PathDistribution
from pathlib import Path
from typing import Any

import pytest

from deltawire_layers import RegistryError, load_layers
from deltawire_plugins import load_translations


def point(folder: Path, package: str, language: str, content: Any, name: str = "acme") -> EntryPoint:
    """Write a package with a translation, and return the entry point that names it."""
    path = folder / package
    path.mkdir(exist_ok=True)
    (path / "__init__.py").write_text("")
    if content is not None:
        text = content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)
        (path / f"{language}.json").write_text(text, "utf-8")
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir(exist_ok=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    return EntryPoint(language, package, "deltawire.translations")._for(PathDistribution(info))  # type: ignore[attr-defined]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def test_each_distribution_translates_its_own_texts(folder: Path) -> None:
    read = load_translations(
        [
            point(folder, "one_texts", "ko", {"numbers out": "출력 수"}, "one"),
            point(folder, "two_texts", "ko", {"numbers out": "출력 숫자의 개수"}, "two"),
            point(folder, "two_texts", "pt-BR", {"numbers out": "números"}, "two"),
        ]
    )
    assert read.languages == ["ko", "pt-BR"]
    assert read.find("ko", "one 1.0", "numbers out") == "출력 수"
    assert read.find("ko", "two 1.0", "numbers out") == "출력 숫자의 개수"
    assert read.find("pt-BR", "two 1.0", "numbers out") == "números"
    assert read.find("pt-BR", "one 1.0", "numbers out") is None
    assert read.find("ko", "one 1.0", "numbers in") is None


@pytest.mark.parametrize(
    ("language", "content", "message"),
    [
        ("Korean", {}, "name it by the code of its language"),
        ("ko", None, "cannot be read: FileNotFoundError"),
        ("ko", "{", "cannot be read: JSONDecodeError"),
        ("ko", '{"a": "가", "a": "나"}', "'a' is translated twice"),
        ("ko", ["a"], "is not a JSON object"),
        ("ko", {"a": 1}, "write the translation of 'a' as a text"),
        ("ko", {"a": " "}, "write the translation of 'a' as a text"),
    ],
)
def test_what_cannot_be_used_is_refused_with_the_distribution(
    folder: Path, language: str, content: Any, message: str
) -> None:
    package = f"texts_{abs(hash((language, str(content))))}"
    with pytest.raises(RegistryError, match=message) as refused:
        load_translations([point(folder, package, language, content)])
    assert f"translation '{language}' of distribution acme 1.0 ({package})" in str(refused.value)


def test_a_package_that_does_not_import_and_a_language_named_twice_are_refused(folder: Path) -> None:
    good = point(folder, "good_texts", "ko", {})
    with pytest.raises(RegistryError, match="names this language twice"):
        load_translations([good, good])
    broken = point(folder, "broken_texts", "ko", {})
    (folder / "broken_texts" / "__init__.py").write_text("1 / 0")
    sys.modules.pop("broken_texts", None)
    with pytest.raises(RegistryError, match="cannot be read: ZeroDivisionError"):
        load_translations([broken])


def test_every_text_of_the_built_in_layers_is_in_korean_and_no_other() -> None:
    """A text that changes in English needs its translation anew."""
    layers, read = load_layers(), load_translations()
    texts = set()
    for kind, layer in layers.items():
        if not layers.distribution(kind).startswith("deltawire "):
            continue
        fields = layer.Config().fields.values()
        texts |= {field.metadata["description"] for field in fields}
        texts.add(" ".join((layer.__doc__ or "").partition("\n\n")[0].split()))
        untranslated = [text for text in texts if not read.find("ko", layers.distribution(kind), text)]
        assert not untranslated, (kind, untranslated)
    import deltawire_layers.texts

    folder = Path(deltawire_layers.texts.__file__).parent
    assert set(json.loads((folder / "ko.json").read_text("utf-8"))) == texts
