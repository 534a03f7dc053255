"""The settlement of a message for each error of Salesforce: the table in code and in the documentation."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest

from sfcode.errors import OrgError, SignInError
from sfcode.org.collections import CallRefused, RecordError
from sfcode.org.retry import NoAnswer
from sfcode.relay.message import Parked, Retry
from sfcode.relay.reasons import hint_for
from sfcode.relay.salesforce.error_policy import (
    AUTOMATION,
    ERROR_RULES,
    FEW_DELAYS,
    alarm_of,
    exceeds_governor_limit,
    settle_call,
    settle_record,
)

KEY = "Appcues_Event_Id__c"
WORDS = {
    "retry": "retried up to the limit",
    "wait": "retried without a limit",
    "once": "looked up again, retried once, then parked",
    "few": "retried a few times within minutes, then parked",
    "park": "parked",
}


def record(
    code: str, message: str = "", *, fields: tuple[str, ...] = (), attempts: int = 0, sent: tuple[str, ...] = ()
) -> Retry | Parked:
    return settle_record(RecordError(code, message, fields), attempts=attempts, external_id=KEY, values_to_mask=sent)


def call(code: str, status: int = 400, after: float | None = None) -> CallRefused:
    return CallRefused(f"{code}: words", code=code, status=status, retry_after=after)


@pytest.mark.parametrize("code", [code for code, rule in ERROR_RULES.items() if rule.handling == "park"])
def test_errors_that_a_person_must_correct_are_parked_with_their_reason(code: str) -> None:
    end = record(code, "words", fields=("Title",))
    assert end == Parked(code.lower(), f"{code} (Title): words")


@pytest.mark.parametrize("code", [code for code, rule in ERROR_RULES.items() if rule.handling == "once"])
def test_a_record_that_has_changed_is_looked_up_once_more(code: str) -> None:
    assert isinstance(record(code), Retry)
    assert record(code, attempts=1) == Parked(code.lower(), f"{code}: ")


@pytest.mark.parametrize("code", [*ERROR_RULES, "SOMETHING_NEW"])
def test_waits_count_no_attempt_and_other_failures_do(code: str) -> None:
    end = record(code)
    if isinstance(end, Retry):
        waits = code in ERROR_RULES and ERROR_RULES[code].handling == "wait"
        assert end.counts is not waits
        assert end.after == (ERROR_RULES[code].after if code in ERROR_RULES else FEW_DELAYS[0])


def status_codes() -> list[str]:
    """List the StatusCode values of the WSDL that the schema check uses."""
    spec = importlib.util.find_spec("simple_salesforce")
    assert spec is not None
    path = Path(str(spec.origin)).with_name("metadata.wsdl")
    (listed,) = re.findall(
        r'<xsd:simpleType name="StatusCode">(.*?)</xsd:simpleType>', path.read_text(encoding="utf-8"), re.DOTALL
    )
    return re.findall(r'<xsd:enumeration value="(\w+)"/>', listed)


def test_no_known_or_new_error_code_blocks_a_user_for_hours_or_retries_rapidly() -> None:
    codes = status_codes()
    assert len(codes) > 500
    for code in [*codes, "SOMETHING_OF_TOMORROW", ""]:
        rule = ERROR_RULES.get(code)
        if rule is not None:
            assert rule.handling != "few", "a listed code has a fate of its own"
            continue
        waits = []
        while isinstance(end := record(code, attempts=len(waits)), Retry):
            assert end.counts
            waits.append(end.after)
        assert waits == list(FEW_DELAYS), code
        assert end.reason == (code.lower() or "unknown_code")
    assert min(FEW_DELAYS) >= 5
    assert sum(FEW_DELAYS) < 600


@pytest.mark.parametrize("code", sorted(AUTOMATION))
def test_a_limit_inside_a_trigger_or_flow_asks_for_smaller_calls(code: str) -> None:
    assert exceeds_governor_limit(
        RecordError(code, "The flow failed. LIMIT_EXCEEDED: System.LimitException: Too many SOQL queries")
    )
    assert exceeds_governor_limit(RecordError(code, "Ours: System.LimitException: Apex CPU time limit exceeded"))
    assert exceeds_governor_limit(RecordError(code, "The flow failed. LIMIT_EXCEEDED"))
    assert not exceeds_governor_limit(RecordError(code, "Ours: System.NullPointerException"))
    assert isinstance(record(code, "The flow failed: UNABLE_TO_LOCK_ROW"), Retry)
    assert isinstance(record(code, "The flow failed."), Parked)


def test_no_other_record_asks_for_smaller_calls_or_is_taken_for_a_raced_activity() -> None:
    assert not exceeds_governor_limit(RecordError("STRING_TOO_LONG", "System.LimitException"))
    assert isinstance(record("REQUIRED_FIELD_MISSING", f"{KEY} is missing", fields=(KEY,)), Parked)


def test_too_many_calls_at_once_are_not_the_limit_of_the_day() -> None:
    message = "ConcurrentRequests (Concurrent API Requests) Limit exceeded."
    error = CallRefused(f"REQUEST_LIMIT_EXCEEDED: {message}", code="REQUEST_LIMIT_EXCEEDED", status=403)
    assert settle_call(error) == (Retry("REQUEST_LIMIT_EXCEEDED (concurrent)", 5.0, counts=False), "")
    refusal = CallRefused("QUERY_TIMEOUT: concurrent", code="QUERY_TIMEOUT", status=400)
    assert settle_call(refusal) == (Retry("QUERY_TIMEOUT"), "")


def test_a_trigger_that_met_a_locked_row_is_retried() -> None:
    words = "Ours: execution of AfterUpdate caused by: System.DmlException: first error: UNABLE_TO_LOCK_ROW, busy"
    assert isinstance(record("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", words), Retry)
    assert isinstance(record("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "Ours: NullPointerException"), Parked)
    assert isinstance(record("STRING_TOO_LONG", "UNABLE_TO_LOCK_ROW"), Parked), "a text that holds the word"


def test_an_activity_that_another_process_wrote_at_the_same_time_is_tried_again() -> None:
    """
    A retried upsert finds the activity that the other process wrote.

    For another unique field, the error needs a person.
    """
    assert isinstance(record("DUPLICATE_VALUE", f"duplicate value found: {KEY} duplicates value on record"), Retry)
    assert isinstance(record("DUPLICATE_VALUE", "duplicate value found", fields=(KEY,)), Retry)
    assert isinstance(record("DUPLICATE_VALUE", "duplicate value found: Other__c"), Parked)


def test_sent_values_are_not_repeated_in_an_error() -> None:
    end = record("STRING_TOO_LONG", "data value too large: my secret (max length=5)", sent=("my secret", "secret"))
    assert end == Parked("string_too_long", "STRING_TOO_LONG: data value too large: … (max length=5)")
    assert record("STRING_TOO_LONG", "too large: my secret", sent=("secret", "my secret", "")) == Parked(
        "string_too_long", "STRING_TOO_LONG: too large: …"
    )
    assert len(getattr(record("STRING_TOO_LONG", "x" * 9000), "detail", "")) == 500


@pytest.mark.parametrize(
    ("error", "end", "alarm"),
    [
        (call("INVALID_FIELD"), Retry("INVALID_FIELD", 300, counts=False), "salesforce_access"),
        (call("INVALID_TYPE"), Retry("INVALID_TYPE", 300, counts=False), "salesforce_access"),
        (call("NOT_FOUND", 404), Retry("NOT_FOUND", 300, counts=False), "salesforce_refused"),
        (call("MALFORMED_QUERY"), Retry("MALFORMED_QUERY", 300, counts=False), "salesforce_refused"),
        (call("REQUEST_LIMIT_EXCEEDED", 403), Retry("REQUEST_LIMIT_EXCEEDED", 300, counts=False), "salesforce_quota"),
        (call("SERVER_UNAVAILABLE", 503, 7), Retry("SERVER_UNAVAILABLE", 7, counts=False), ""),
        (call("SERVER_UNAVAILABLE", 503), Retry("SERVER_UNAVAILABLE", None, counts=False), ""),
        (SignInError(""), Retry("SIGN_IN", 60, counts=False), "salesforce_sign_in"),
        (call("STRING_TOO_LONG"), Retry("STRING_TOO_LONG", 300, counts=False), "salesforce_refused"),
        (call("SOMETHING_NEW"), Retry("SOMETHING_NEW", 300, counts=False), "salesforce_refused"),
        (call("", 502), Retry("status 502", None, counts=False), ""),
        (call("SOMETHING", 500), Retry("SOMETHING", None, counts=False), ""),
        (call("", 429, 30), Retry("status 429", 30, counts=False), ""),
        (call("QUERY_TIMEOUT"), Retry("QUERY_TIMEOUT", None), ""),
        (NoAnswer("", sent=True, retry_after=9), Retry("no answer", 9, counts=False), ""),
        (NoAnswer("", sent=False), Retry("no connection", None, counts=False), ""),
        (
            SignInError("", code="INVALID_SESSION_ID"),
            Retry("INVALID_SESSION_ID", 60, counts=False),
            "salesforce_sign_in",
        ),
        (OrgError("not JSON"), Retry("an answer of another shape", 60), "salesforce_refused"),
    ],
)
def test_a_failed_call_parks_no_message(error: OrgError, end: Retry, alarm: str) -> None:
    assert settle_call(error) == (end, alarm)


def test_a_lost_right_raises_an_alarm_for_records_too() -> None:
    assert alarm_of(RecordError("INVALID_FIELD_FOR_INSERT_UPDATE", "")) == "salesforce_access"
    assert alarm_of(RecordError("STRING_TOO_LONG", "")) == ""


def test_every_reason_for_parking_is_explained_to_people() -> None:
    own_reasons = {"unknown_user", "several_matches", "converted_lead", "bad_value", "bad_text"}
    own_reasons |= {code.lower() for code, rule in ERROR_RULES.items() if rule.handling in ("park", "once")}
    assert [name for name in sorted(own_reasons) if not hint_for(name)] == []


def test_the_page_shows_the_table_as_it_is(root: Path) -> None:
    page = (root / "docs" / "relay-salesforce.md").read_text(encoding="utf-8")
    rows = [
        f"| `{code}` | {rule.because} | {WORDS[rule.handling]}"
        + (f", after {rule.after:.0f} s" if rule.after else "")
        + (f"; alarm `{rule.alarm}`" if rule.alarm else "")
        + " |"
        for code, rule in ERROR_RULES.items()
    ]
    table = page.partition("| Code |")[2].partition("\n\n")[0]
    documented_rows = [line for line in table.splitlines() if line.startswith("| `")]
    assert documented_rows == rows, "\n".join(rows)


def test_a_record_that_others_have_created_in_the_meantime_is_looked_up_a_few_times() -> None:
    error = RecordError("DUPLICATE_VALUE", "Already a campaign member.")
    for attempts, seconds in enumerate(FEW_DELAYS):
        end = settle_record(error, attempts=attempts, external_id="", values_to_mask=())
        assert end == Retry("DUPLICATE_VALUE: Already a campaign member.", seconds)
    assert isinstance(settle_record(error, attempts=len(FEW_DELAYS), external_id="", values_to_mask=()), Parked)
    assert isinstance(settle_record(error, attempts=0, external_id=KEY, values_to_mask=()), Parked)
