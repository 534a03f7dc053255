"""Texts are cleaned and truncated, and never inside a visible character."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sfcode.relay.salesforce.text_limits import clean, cut


def units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


@pytest.mark.parametrize(
    ("text", "limit", "expected"),
    [
        ("short", 5, "short"),
        ("longer", 5, "longe"),
        ("ab🎈", 4, "ab🎈"),
        ("ab🎈", 3, "ab"),
        ("cafe\u0301s", 4, "caf"),
        ("cafe\u0301s", 5, "cafe\u0301"),
        ("x👍🏽", 3, "x"),
        ("a👩‍👩‍👧", 7, "a"),
        ("🇩🇪🇫🇷", 7, "🇩🇪"),
        ("🇩🇪🇫🇷", 4, "🇩🇪"),
        ("x🇩🇪🇫🇷", 5, "x🇩🇪"),
        ("🇩x", 2, "🇩"),
        ("x🇿🇦", 3, "x"),
        ("x🇦🇿", 3, "x"),
        ("x👍🏻", 3, "x"),
        ("x👍🏿", 3, "x"),
        ("x1\ufe0f\u20e3", 3, "x"),
        ("xकि", 2, "x"),
        ("x" + "\u0301" * 100, 50, "x" + "\u0301" * 49),
    ],
)
def test_a_text_is_cut_between_characters(text: str, limit: int, expected: str) -> None:
    assert cut(text, limit) == expected


@given(st.text(max_size=300), st.integers(1, 120))
def test_what_is_left_fits_begins_the_text_and_is_the_text_where_that_fits(text: str, limit: int) -> None:
    shortened = cut(text, limit)
    assert text.startswith(shortened)
    assert units(shortened.replace("\ud800", "x")) <= limit if text.isprintable() else len(shortened) <= limit
    assert shortened == text or units(clean(text)) > limit or text != clean(text)


MARKS = st.sampled_from(["e", "n", "\u0301", "\u200d", "👍", "🏽", "🇩", "🇪", "👩", "\ufe0f", " "])


@given(st.lists(MARKS, max_size=60).map("".join), st.integers(1, 60))
def test_a_truncated_text_has_no_incomplete_character(text: str, limit: int) -> None:
    shortened = cut(text, limit)
    if shortened != text and len(text) < 32:
        next_character = text[len(shortened)]
        assert not shortened or (
            unicodedata.category(next_character) != "Mn" and next_character != "\u200d" and shortened[-1] != "\u200d"
        )


@given(st.text(alphabet=st.characters(), max_size=100))
def test_characters_that_no_field_accepts_are_removed(text: str) -> None:
    cleaned = clean(text)
    cleaned.encode()
    assert not set(cleaned) & {chr(code) for code in range(32) if code not in (9, 10)}
    assert clean(cleaned) == cleaned


def test_line_ends_are_written_in_one_way_and_half_characters_are_replaced() -> None:
    assert clean("a\r\nb\rc\x00\ud83d") == "a\nb\nc\ufffd"
