"""The writer during failures of Appcues or of the connection."""

from __future__ import annotations

import asyncio
import json
import logging
from collections import Counter
from datetime import timedelta

import pytest

from sfcode.relay.appcues import delivered_state
from sfcode.relay.appcues.rate_limit import RateLimit
from sfcode.relay.appcues.writer import REFUSED_IN_A_ROW
from sfcode.relay.inbox import Unavailable
from sfcode.relay.message import Delivered, Parked, Released, Retry
from tests.relay.appcues.answering import answering
from tests.relay.appcues.appcues_relay import in_time
from tests.relay.states import States

SOON = timedelta(seconds=-1)


def changes(relay):
    return Counter(outcome for _, _, outcome in relay.recorder.calls)


def replaced(writer, latest):
    writer._states = States(latest)
    return writer


def attempt(relay, seconds=60.0):
    """Deliver a claim with a lease of some length; return the settlements in order of arrival."""
    claim = in_time(relay.claim(), seconds)
    delivery = relay.write(lambda writer: writer.deliver(claim))
    relay.settle(claim, delivery, SOON)
    return [delivery.settlements[message.id] for message in claim.messages]


@pytest.mark.parametrize(
    ("kind", "outcome"), [("unavailable", "503"), ("drop", "unreachable"), ("drop_after", "unreachable")]
)
def test_a_failed_delivery_succeeds_at_the_next_attempt(relay, kind, outcome):
    relay.appcues.arm(kind)
    relay.send(Title="CTO")
    assert attempt(relay) == [Retry(outcome, counts=False)]
    assert relay.deliver(SOON) == {"m1": ("done", "")}
    assert relay.profile() == {"role": "CTO"}


def test_a_failure_holds_back_all_messages_of_its_profile_and_no_others(relay):
    relay.appcues.arm("unavailable", path="*/u1/*")
    relay.send(minute=1, Title="One")
    relay.send(minute=2, Title="Two")
    relay.send("u2", record="003B", Title="Other")
    assert attempt(relay) == [Retry("503", counts=False), Released(), Delivered()]
    assert (relay.profile("u1"), relay.profile("u2")) == ({}, {"role": "Other"})
    relay.deliver()
    assert relay.profile("u1") == {"role": "Two"}


def test_a_failed_delivery_records_no_state(relay):
    relay.appcues.arm("unavailable")
    relay.send(Title="CTO")
    attempt(relay)
    assert relay.inbox.latest([delivered_state.name("user:u1")]) == {}


def test_a_rate_limit_pauses_all_deliveries_for_retry_after(relay):
    relay.appcues.arm("rate_limit", retry_after=1)
    for number in range(30):
        relay.send(f"u{number}", record=f"003{number}", Title="CTO")
    ends = attempt(relay)
    assert Counter(map(type, ends)) == {Delivered: 29, Retry: 1}
    assert [end for end in ends if isinstance(end, Retry)] == [Retry("429", 1.0, counts=False)]


def test_a_long_retry_after_releases_the_claim(relay):
    relay.appcues.arm("rate_limit", retry_after=600)
    relay.rate = 10.0
    for number in range(5):
        relay.send(f"u{number}", record=f"003{number}", Title="CTO")
    ends = attempt(relay)
    assert all(isinstance(end, Retry) and not end.counts for end in ends)
    assert all(end.after is not None and 500 < end.after <= 600 for end in ends)
    assert changes(relay) == {"429": 1}, "the others were not even tried"


@pytest.mark.parametrize("status", [401, 403])
def test_refused_credentials_raise_one_alarm_and_make_no_dead_letter(relay, status):
    with answering(lambda _body: (status, {}, b"")) as refusing:
        relay.url = refusing.url
        for number in range(60):
            relay.send(f"u{number}", record=f"003{number}", Title="CTO")
        ends = attempt(relay)
    assert all(isinstance(end, Retry) and not end.counts for end in ends)
    assert [name for name, _ in relay.recorder.alarms] == ["appcues_sign_in"]
    assert f"answered {status}" in relay.recorder.alarms[0][1]
    assert len(refusing.seen) < 60, "who is refused does not knock again at once"


def test_the_local_appcues_refuses_a_wrong_key(relay):
    relay.key = "wrong"
    relay.send(Title="CTO")
    assert attempt(relay) == [Retry("401", 30.0, counts=False)]


def test_an_unavailable_appcues_gets_no_requests_for_a_while(relay):
    with answering(lambda _body: (200, {}, b"")) as closed_server:
        relay.url = closed_server.url
    for number in range(60):
        relay.send(f"u{number}", record=f"003{number}", Title="CTO")
    ends = attempt(relay)
    assert all(isinstance(end, Retry) and not end.counts for end in ends)
    assert set(changes(relay)) == {"no_connection"}
    assert len(relay.recorder.calls) < 60, "after a few, the others are not even tried"


def test_no_request_outlasts_the_lease(relay):
    relay.appcues.arm("latency", seconds=2)
    relay.send(Title="CTO")
    assert attempt(relay, seconds=3.5) == [Retry("timeout", counts=False)]


def test_messages_beyond_the_lease_are_released_unchanged(relay):
    relay.send(Title="CTO")
    assert attempt(relay, seconds=1.0) == [Released()]
    assert relay.recorder.calls == []


def test_a_refused_profile_is_parked_with_the_message_of_appcues(relay):
    refusal = json.dumps({"error": True, "status": 400, "title": "Bad Request", "detail": "role is too long"}).encode()
    with answering(lambda _body: (400, {}, refusal)) as refusing:
        relay.url = refusing.url
        relay.send(minute=1, Title="One")
        relay.send(minute=2, Title="Two")
        assert attempt(relay) == [Parked("appcues_refused", "400 Bad Request - role is too long")] * 2


def test_an_appcues_that_refuses_every_profile_is_an_alarm(relay):
    """Some services answer wrong credentials with 400, and scanners for leaked keys treat Appcues as one of them."""
    accepted_roles = {"u5"}
    with answering(lambda body: (200 if body.get("role") in accepted_roles else 400, {}, b"")) as refusing:
        relay.url = refusing.url
        for number in range(REFUSED_IN_A_ROW):
            relay.send(f"u{number}", record=f"003{number}", Title=f"u{number}")
        attempt(relay)
        assert relay.recorder.alarms == [], "one was taken in between"
        accepted_roles.clear()
        for number in range(REFUSED_IN_A_ROW):
            relay.send(f"v{number}", record=f"003v{number}", Title="CTO")
        assert {type(end) for end in attempt(relay)} == {Parked}
        ((name, detail),) = relay.recorder.alarms
        assert (name, "400 without a reason" in detail) == ("appcues_refuses_all", True)
        for number in range(REFUSED_IN_A_ROW):
            relay.send(f"w{number}", record=f"003w{number}", Title="CTO")
        attempt(relay)
    assert relay.recorder.alarms == [(name, detail)] * 2, "the same alarm, and not another one to notify of"


def test_one_record_that_is_refused_does_not_keep_another_out_of_the_same_profile(relay):
    with answering(lambda body: (422 if "rating" in body else 200, {}, b"")) as refusing:
        relay.url = refusing.url
        relay.send(minute=1, mapping="lead", record="00QA", Title="Lead's", Rating="Hot")
        relay.send(minute=2, Title="Contact's", Plan__c="pro")
        assert attempt(relay) == [Parked("appcues_refused", "422 without a reason"), Delivered()]
    bodies = [body for _, _, body in refusing.seen]
    assert bodies[0] == {"role": "Contact's", "rating": "Hot", "plan": "pro"}
    assert bodies[-1] == {"role": "Contact's", "plan": "pro"}


def test_an_unavailable_inbox_counts_no_attempt(relay):
    relay.send(Title="CTO")
    claim = relay.claim()

    def away(_names):
        raise Unavailable("The relay's database does not answer.")

    delivery = relay.write(lambda writer: replaced(writer, away).deliver(claim))
    assert list(delivery.settlements.values()) == [Retry("database", counts=False)]
    assert relay.bodies() == []


def test_a_redirect_is_not_followed(relay):
    with answering(lambda _body: (200, {}, b"")) as other_server:
        with answering(lambda _body: (302, {"Location": other_server.url}, b"")) as redirecting:
            relay.url = redirecting.url
            relay.send(Title="CTO")
            assert attempt(relay) == [Retry("302", 30.0, counts=False)]
        assert other_server.seen == []
    assert [name for name, _ in relay.recorder.alarms] == ["appcues_address"]


def test_an_error_that_the_message_may_have_caused_counts_as_an_attempt(relay):
    with answering(lambda _body: (500, {}, b"<html>")) as failing:
        relay.url = failing.url
        relay.send(Title="CTO")
        assert attempt(relay) == [Retry("500")]


def test_an_endless_response_is_truncated(relay):
    with answering(lambda _body: (200, {}, b"x" * 5_000_000)) as talking:
        relay.url = talking.url
        relay.send(Title="CTO")
        assert attempt(relay) == [Delivered()]


def test_a_request_has_user_agent_and_account(relay):
    with answering(lambda _body: (200, {}, b"")) as appcues:
        relay.url = appcues.url + "/"
        relay.send("a/ü", Title="CTO")
        attempt(relay)
    ((path, authorization, _),) = appcues.seen
    assert path == "/v2/accounts/1/users/a%2F%C3%BC/profile"
    assert authorization == "Basic bG9jYWwtYXBwY3Vlcy1rZXk6bG9jYWwtYXBwY3Vlcy1zZWNyZXQ="


def test_ids_of_people_and_secrets_are_not_logged(relay, caplog):
    with caplog.at_level(logging.INFO):
        relay.appcues.arm("drop")
        relay.send("anna@example.com", Title="CTO")
        relay.deliver(SOON)
        relay.deliver(SOON)
    assert relay.profile("anna@example.com") == {"role": "CTO"}
    # The server of the local Appcues is in the same process, and logs URLs.
    lines = [record.getMessage() for record in caplog.records if not record.name.startswith("uvicorn")]
    assert not [line for line in lines if "anna" in line or relay.appcues.account.api_secret in line]


def test_a_relay_stays_below_the_limit_of_the_account(relay):
    relay.appcues.control("PUT", "rate-limit", json={"rate": 60})
    relay.rate = 50.0
    for number in range(80):
        relay.send(f"u{number}", record=f"003{number}", Title="CTO")
    assert Counter(map(type, attempt(relay))) == {Delivered: 80}
    assert changes(relay) == {"200": 80}


def test_a_relay_that_is_faster_than_the_limit_is_slowed_down_and_loses_nothing(relay):
    relay.appcues.control("PUT", "rate-limit", json={"rate": 1})
    for number in range(3):
        relay.send(f"u{number}", record=f"003{number}", Title=f"T{number}")
    while any(state != "done" for state, _ in relay.deliver(SOON).values()):
        pass
    assert changes(relay)["429"] > 0
    assert {user: relay.profile(user)["role"] for user in ("u0", "u1", "u2")} == {"u0": "T0", "u1": "T1", "u2": "T2"}


def test_only_a_tenth_of_a_second_of_requests_goes_out_at_once_and_the_rate_may_change():
    async def granted(rate_limit: RateLimit) -> int:
        turns = [asyncio.create_task(rate_limit.acquire()) for _ in range(20)]
        await asyncio.sleep(0)
        count = sum(acquire.done() for acquire in turns)
        for acquire in turns:
            acquire.cancel()
        await asyncio.gather(*turns, return_exceptions=True)
        return count

    async def run() -> tuple[int, int]:
        rate = [50.0]
        rate_limit = RateLimit(lambda: rate[0], lambda: 0.0)
        first = await granted(rate_limit)
        rate[0] = 10.0
        return first, await granted(rate_limit)

    assert asyncio.run(run()) == (5, 1)


def test_a_shorter_retry_after_does_not_shorten_a_pause():
    now = [0.0]
    rate_limit = RateLimit(lambda: 1.0, lambda: now[0])
    rate_limit.pause(10)
    rate_limit.pause(1)
    assert rate_limit.pause_left == 10
    now[0] = 11
    assert rate_limit.pause_left == 0
