"""Invisible characters are escaped in every output of the process."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sfcode.text import WIDTH, count_noun, spell_out, wrap


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("Ti\u202etle", "Ti\\u202etle"),
        ("a\u200bb", "a\\u200bb"),
        ("\ufeffa\u2066b\u00ad", "\\ufeffa\\u2066b\\u00ad"),
        ("ro\u200dle", "ro\\u200dle"),
        ("tag\U000e0041", "tag\\udb40\\udc41"),
        ("line\u2028end", "line\\u2028end"),
        ("\x1b]0;title\x07\x1b[2J\x1b[8mhidden", "\\u001b]0;title\\u0007\\u001b[2J\\u001b[8mhidden"),
        ("\x9b31m\x7f\x00 é", "\\u009b31m\\u007f\\u0000 é"),
        ("Applied.\rRefused.\r\n", "Applied.\\u000dRefused.\r\n"),
    ],
)
def test_invisible_characters_are_escaped(text, escaped):
    assert spell_out(text) == escaped


@pytest.mark.parametrize(
    "text",
    [
        "Größe “quoted”\tand\nlines \x1b[31mred\x1b[0m",
        "\U0001f469\u200d\U0001f680",  # the joiner in an emoji
        "\u0646\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",  # the joiner in a Persian word
        "@\u200bteam https\u200b://example.com",  # prevents mentions and links in Markdown
    ],
)
def test_visible_characters_are_unchanged(text):
    assert spell_out(text) == text


@given(st.recursive(st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=5))
def test_a_json_document_keeps_its_meaning(value):
    assert json.loads(spell_out(json.dumps(value, ensure_ascii=False))) == value


@pytest.mark.parametrize(
    ("number", "nouns", "text"),
    [
        (0, ("row",), "0 rows"),
        (1, ("row",), "1 row"),
        (1_200, ("row",), "1,200 rows"),
        (1, ("entry", "entries"), "1 entry"),
        (2, ("entry", "entries"), "2 entries"),
    ],
)
def test_a_number_has_its_noun_in_the_right_form(number: int, nouns: tuple[str, ...], text: str) -> None:
    assert count_noun(number, *nouns) == text


def test_a_text_is_broken_at_spaces_and_indented() -> None:
    lines = wrap("word-s " * 30 + "\u202e", "    ", "  - ").splitlines()
    assert [line[:5] for line in lines] == ["  - w", *["    w"] * (len(lines) - 1)]
    assert max(map(len, lines)) in range(WIDTH - 6, WIDTH + 1)
    assert lines[-1].endswith("\\u202e")
    assert wrap("x" * 90) == "x" * 90, "a word is not broken"
    assert wrap("a b", "  ", "") == "a b"
