"""The text that is learned: sentences, and enough of them."""

from __future__ import annotations

from pydoc_data.topics import topics

from deltawire_service.cli.demos.corpus import prose


def test_there_is_prose_enough() -> None:
    paragraphs = prose()
    assert 50_000 < sum(map(len, paragraphs)) < 300_000
    assert len(set(paragraphs)) == len(paragraphs) > 300
    words = [word for paragraph in paragraphs for word in paragraph.split()]
    assert words.count("the") > 1000 and words.count("statement") > 50


def test_a_paragraph_is_one_line_of_ascii_without_grammar() -> None:
    for paragraph in prose():
        assert paragraph.isascii() and paragraph.isprintable() and paragraph[-1] in ".:"
        assert "::=" not in paragraph and "****" not in paragraph and "  " not in paragraph


def test_the_paragraphs_are_those_of_the_reference() -> None:
    page = " ".join(topics["for"].split())
    assert sum(paragraph in page for paragraph in prose()) >= 3
