"""The conversion of Salesforce values to Appcues values."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sfcode.relay.appcues.values import InvalidValueError, convert, normalize_time


@pytest.mark.parametrize(
    ("kind", "raw", "value"),
    [
        ("string", "CTO", "CTO"),
        ("string", " spaces ", " spaces "),
        ("string", "00123", "00123"),
        ("string", True, "true"),
        ("string", 5, "5"),
        ("number", "1001.0", 1001),
        ("number", "1.39E8", 139_000_000),
        ("number", "-0.5", -0.5),
        ("number", " 12 ", 12),
        ("number", 12.5, 12.5),
        ("number", "123456789012345678", 123456789012345678),
        ("boolean", "true", True),
        ("boolean", "FALSE", False),
        ("boolean", "1", True),
        ("boolean", False, False),
        ("date", "2026-03-18", "2026-03-18"),
        ("date", "2026-03-18T12:00:00.000Z", "2026-03-18T12:00:00.000Z"),
        ("date", "2026-03-18T12:00:00.000+0000", "2026-03-18T12:00:00.000Z"),
        ("date", "2026-03-18T12:00:00+02:00", "2026-03-18T10:00:00.000Z"),
    ],
)
def test_a_value_becomes_one_of_its_type(kind, raw, value):
    json_value = convert(raw, kind)
    assert (json_value, type(json_value)) == (value, type(value))


@pytest.mark.parametrize("kind", ["string", "number", "boolean", "date"])
@pytest.mark.parametrize("raw", [None, ""])
def test_a_blank_value_is_null_for_every_type(kind, raw):
    assert convert(raw, kind) is None


@pytest.mark.parametrize(
    ("kind", "raw"),
    [
        ("number", "12,5"),
        ("number", "a dozen"),
        ("number", "NaN"),
        ("number", "Infinity"),
        ("number", "1E999999"),
        ("number", True),
        ("boolean", "yes"),
        ("boolean", 1),
        ("date", "06/20/2025"),
        ("date", "2026-02-30"),
        ("date", "2026-03-18T12:00:00"),
        ("date", "0001-01-01T00:00:00+14:00"),
        ("date", 1_700_000_000),
        ("string", ["a"]),
        ("number", {"a": 1}),
    ],
)
def test_a_value_of_another_type_is_refused_without_showing_it(kind, raw):
    with pytest.raises(InvalidValueError) as caught:
        convert(raw, kind)
    assert str(raw) not in str(caught.value)


def test_a_number_sent_as_text_has_no_added_decimals():
    assert convert("1001.0", "string", numeric=True) == "1001"
    assert convert("10.50", "string", numeric=True) == "10.50"
    assert convert("1001.0", "string") == "1001.0", "a text field says what it says"


def test_times_in_any_form_are_compared_as_times():
    forms = ["2026-06-01T08:00:00.000Z", "2026-06-01T08:00:00.000+0000", "2026-06-01T10:00:00+02:00"]
    assert {normalize_time(form) for form in forms} == {"2026-06-01T08:00:00.000000Z"}
    assert [
        normalize_time(none) for none in (None, "", "today", "2026-06-01T08:00:00", 5, "0001-01-01T00:00:00+14:00")
    ] == [""] * 6


@given(
    raw=st.one_of(st.text(), st.integers(), st.floats(), st.booleans(), st.none(), st.lists(st.integers())),
    kind=st.sampled_from(["string", "number", "boolean", "date"]),
)
def test_any_value_is_converted_to_json_or_refused(raw, kind):
    try:
        json_value = convert(raw, kind)
    except InvalidValueError:
        return
    assert json.loads(json.dumps(json_value, allow_nan=False)) == json_value
