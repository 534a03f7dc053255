"""Any request gets a response, and never an internal error."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sfcode.local.errors import ApiError
from sfcode.local.record_writer import RecordWriter

WORDS = [
    "SELECT",
    "FROM",
    "WHERE",
    "AND",
    "OR",
    "NOT",
    "IN",
    "LIKE",
    "ORDER",
    "BY",
    "GROUP",
    "LIMIT",
    "OFFSET",
    "ASC",
    "NULLS",
    "LAST",
    "Id",
    "Name",
    "Account.Name",
    "Contact",
    "Contacts",
    "Account",
    "User",
    "(",
    ")",
    ",",
    "=",
    "!=",
    "<",
    ">=",
    "'x'",
    "'%'",
    "1",
    "-1.5",
    "1.5",
    "99999999999",
    "null",
    "true",
    "TODAY",
    "LAST_N_DAYS:999999999999",
    "LAST_N_YEARS:9999",
    "2026-13-45T00:00:00Z",
    "0001-01-01T00:00:00+14:00",
    "2026-01-01",
    "COUNT()",
    "COUNT(Id)",
    "SUM(Seats__c)",
    "FIELDS(ALL)",
    "CreatedDate",
    "Birthdate",
    "Product_User_Id__c",
    "OwnerId",
    "Owner.Profile.Name",
]

within_one_test = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def run_or_refuse(soql: Callable[[str], Any], text: str) -> None:
    with suppress(ApiError):
        soql(text)


@within_one_test
@given(words=st.lists(st.sampled_from(WORDS), max_size=14))
def test_any_text_is_a_query_or_refused(soql: Callable[[str], Any], words: list[str]) -> None:
    run_or_refuse(soql, " ".join(words))


@within_one_test
@given(
    field=st.sampled_from(
        ["Id", "Name", "CreatedDate", "Birthdate", "Product_User_Id__c", "OwnerId", "DoNotCall", "Description"]
    ),
    sign=st.sampled_from(("=", "!=", "<", ">=", "LIKE", "IN", "NOT IN", "INCLUDES")),
    value=st.sampled_from([word for word in WORDS if word[0] in "'-0123456789ntTL"]),
)
def test_any_condition_is_evaluated_or_refused(soql: Callable[[str], Any], field: str, sign: str, value: str) -> None:
    right = f"({value})" if sign in ("IN", "NOT IN", "INCLUDES") else value
    run_or_refuse(soql, f"SELECT Id FROM Contact WHERE {field} {sign} {right}")


def test_a_query_nested_too_deeply_is_refused(soql: Callable[[str], Any]) -> None:
    with pytest.raises(ApiError, match="MALFORMED_QUERY"):
        soql("SELECT Id FROM Contact WHERE " + "NOT " * 20_000 + "Name = 'x'")


@within_one_test
@given(
    field=st.sampled_from(["Birthdate", "Last_Login__c", "Product_User_Id__c", "AccountId", "DoNotCall", "Email", "Title", "LeadSource", "Account"]),
    value=st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just(10**400) | st.just("0001-01-01T00:00:00+14:00"),
        lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
        max_leaves=3,
    ),
)  # fmt: skip
def test_any_value_is_stored_or_refused(writer: RecordWriter, field: str, value: Any) -> None:
    with suppress(ApiError), writer.tx.savepoint():
        record = writer.tx.records.get("Contact", writer.create("Contact", {"LastName": "x", field: value}))
        assert json.dumps(record, allow_nan=False)


@pytest.mark.parametrize(
    "body", [b'{"LastName": "\\ud800"}', b'{"LastName": ' * 100_000, b"\xff\xfe", b"", b"null", b'"x"']
)
def test_any_body_is_answered(rest: Any, body: bytes) -> None:
    assert rest.error("POST", "/sobjects/Contact", data=body)[:2] == (400, "JSON_PARSER_ERROR")
