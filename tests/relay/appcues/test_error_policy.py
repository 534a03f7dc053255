"""The settlement of a message for each response of Appcues."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from sfcode.relay.appcues.error_policy import AppcuesAnswer, interpret_answer, retry_after
from sfcode.relay.message import Delivered, Parked, Retry

NOON = datetime(2026, 3, 18, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize("status", [200, 202, 204])
def test_any_2xx_is_done(status):
    assert interpret_answer(AppcuesAnswer(status)).settlement == Delivered()


@pytest.mark.parametrize("status", [401, 403])
def test_refused_credentials_are_an_alarm_and_hold_everything_without_giving_up(status):
    end = interpret_answer(AppcuesAnswer(status))
    assert isinstance(end.settlement, Retry)
    assert not end.settlement.counts
    assert (end.alarm, end.pause) == ("appcues_sign_in", 30.0)


@pytest.mark.parametrize(("wait", "pause"), [(7.0, 7.0), (None, 1.0), (0.0, 1.0)])
def test_too_many_requests_pause_everything_for_as_long_as_asked(wait, pause):
    end = interpret_answer(AppcuesAnswer(429, retry_after=wait))
    assert (end.settlement, end.pause) == (Retry("429", wait, counts=False), pause)


@pytest.mark.parametrize("status", [502, 503, 504])
def test_an_outage_counts_no_attempt(status):
    end = interpret_answer(AppcuesAnswer(status))
    assert (end.settlement, end.may_be_down, end.pause) == (Retry(str(status), counts=False), True, 0.0)
    assert interpret_answer(AppcuesAnswer(status, retry_after=9.0)).pause == 9.0


@pytest.mark.parametrize("outage", ["timeout", "unreachable"])
def test_a_missing_response_is_an_outage(outage):
    end = interpret_answer(AppcuesAnswer(0, outage=outage))
    assert (end.settlement, end.may_be_down) == (Retry(outage, counts=False), True)


@pytest.mark.parametrize("status", [408, 425, 500, 501, 599])
def test_an_error_that_the_message_may_have_caused_counts_an_attempt(status):
    end = interpret_answer(AppcuesAnswer(status))
    assert (end.settlement, end.may_be_down) == (Retry(str(status)), False)


def test_not_found_is_parked_with_its_reason():
    body = b'{"error":true,"status":404,"title":"Not Found","detail":"account not found"}'
    assert interpret_answer(AppcuesAnswer(404, body)).settlement == Parked(
        "appcues_not_found", "404 Not Found - account not found"
    )


@pytest.mark.parametrize("status", [400, 405, 409, 413, 415, 422])
def test_a_refused_profile_is_parked_with_appcues_message(status):
    body = b'{"error":true,"title":"Bad Request","detail":"seats is no number"}'
    assert interpret_answer(AppcuesAnswer(status, body)).settlement == Parked(
        "appcues_refused", f"{status} Bad Request - seats is no number"
    )


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"title": null}', b"[" * 100_000])
def test_a_refusal_without_a_message_is_parked_too(body):
    assert interpret_answer(AppcuesAnswer(400, body)).settlement == Parked("appcues_refused", "400 without a reason")


def test_a_long_message_is_truncated():
    settlement = interpret_answer(AppcuesAnswer(400, b'{"title": "' + b"x" * 5000 + b'"}')).settlement
    assert isinstance(settlement, Parked)
    assert len(settlement.detail) == 504


@pytest.mark.parametrize("status", [301, 302, 307])
def test_a_redirect_is_a_wrong_address_and_an_alarm(status):
    end = interpret_answer(AppcuesAnswer(status))
    assert (end.alarm, end.pause) == ("appcues_address", 30.0)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("", None),
        ("7", 7.0),
        (" 0 ", 0.0),
        ("soon", None),
        ("-5", None),
        ("99999999", 3600.0),
        ("Wed, 18 Mar 2026 12:00:30 GMT", 30.0),
        ("Wed, 18 Mar 2026 11:00:00 GMT", 0.0),
        ("Wed, 18 Mar 2026 12:00:30 -0000", 30.0),
        ("\u0667", None),
    ],
)
def test_retry_after_is_a_number_of_seconds_or_a_date(header, seconds):
    assert retry_after(header, NOON) == seconds
