"""Webhooks of the local Appcues: their content, their authentication, and their delivery."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json

import pytest
from standardwebhooks import Webhook as StandardWebhook

from tests.local.appcues.account import serving
from tests.local.automation.receiver import receiving
from tests.waiting import PATIENCE, until

SCORE = {"user_id": "u1", "name": "appcues:nps_score", "attributes": {"score": 9, "flowName": "NPS"}}


@pytest.fixture
def receiver():
    with receiving() as receiver:
        yield receiver


def bodies(posts):
    return [json.loads(post.body) for post in posts]


def test_an_answer_is_kept_in_the_profile_and_sent_with_the_profile_in_it(appcues, receiver):
    appcues.patch("u1", plan="pro")
    appcues.hook(receiver.url + "/webhooks/appcues")
    (event_id,) = appcues.trigger({**SCORE, "timestamp": "2026-03-18T12:00:00.000Z"})
    (body,) = bodies(receiver.wait_for(1))
    assert (body["event_id"], body["user_id"], body["name"]) == (event_id, "u1", "appcues:nps_score")
    assert (body["account_id"], body["timestamp"]) == ("1", "2026-03-18T12:00:00.000Z")
    assert body["attributes"] == {"score": 9, "flowName": "NPS", "_identity": {"userId": "u1", "plan": "pro"}}
    assert appcues.user("u1")["_appcuesSatisfaction_MostRecentNPSScore"] == 9
    assert appcues.api("GET", "users/u1/events").json() == [body]


def test_feedback_of_either_survey_is_kept_in_the_profile(appcues):
    appcues.trigger(
        {"user_id": "u1", "name": "appcues:nps_feedback", "attributes": {"feedback": "Good"}},
        {"user_id": "u2", "name": "appcues:nps_score_and_feedback", "attributes": {"score": 3, "feedback": "Bad"}},
    )
    assert appcues.user("u1")["_appcuesSatisfaction_MostRecentNPSFeedback"] == "Good"
    assert appcues.user("u2") == {
        "user_id": "u2",
        "_appcuesSatisfaction_MostRecentNPSScore": 3,
        "_appcuesSatisfaction_MostRecentNPSFeedback": "Bad",
    }


@pytest.mark.parametrize(
    ("auth", "expected"),
    [
        ({"scheme": "none"}, ("/hook", None, None)),
        ({"scheme": "path", "secret": "t/1"}, ("/hook/t%2F1", None, None)),
        ({"scheme": "header", "secret": "t1", "header": "X-Token"}, ("/hook", None, "t1")),
        ({"scheme": "bearer", "secret": "t1"}, ("/hook", "Bearer t1", None)),
        ({"scheme": "basic", "secret": "t1", "username": "me"}, ("/hook", "Basic bWU6dDE=", None)),
    ],
    ids=lambda value: value["scheme"] if isinstance(value, dict) else "",
)
def test_a_token_is_sent_where_the_scheme_requires_it(appcues, receiver, auth, expected):
    settings = appcues.hook(receiver.url + "/hook", auth=auth)
    assert auth.get("secret", "t1") not in json.dumps(settings)
    appcues.trigger(SCORE)
    (post,) = receiver.wait_for(1)
    assert (post.path, post.headers.get("Authorization"), post.headers.get("X-Token")) == expected


@pytest.mark.parametrize(("algorithm", "encoding"), [("sha1", "hex"), ("sha256", "hex"), ("sha512", "base64")])
def test_a_signature_is_computed_from_the_sent_bytes(appcues, receiver, algorithm, encoding):
    auth = {"scheme": "hmac", "secret": "s", "header": "X-Sig", "algorithm": algorithm, "encoding": encoding}
    appcues.hook(receiver.url, auth={**auth, "prefix": "v="})
    appcues.trigger(SCORE)
    (post,) = receiver.wait_for(1)
    digest = hmac.new(b"s", post.body, getattr(hashlib, algorithm)).digest()
    expected = digest.hex() if encoding == "hex" else base64.b64encode(digest).decode()
    assert post.headers["X-Sig"] == "v=" + expected


def test_a_standard_webhook_is_valid_for_the_reference_library(appcues, receiver):
    secret = "whsec_" + base64.b64encode(b"0123456789abcdef01234567").decode()
    appcues.hook(receiver.url, auth={"scheme": "standard_webhooks", "secret": secret})
    (event_id,) = appcues.trigger(SCORE)
    (post,) = receiver.wait_for(1)
    verified = StandardWebhook(secret).verify(post.body, {name.lower(): value for name, value in post.headers.items()})
    assert verified["event_id"] == event_id == post.headers["webhook-id"]


def test_a_webhook_is_sent_until_it_is_accepted_and_others_do_not_wait(appcues, receiver):
    failing = iter([500, 404, 429])
    receiver.answer = lambda number: (next(failing, 200), b"") if number != 2 else (200, b"")
    appcues.hook(receiver.url, retry_seconds=0.01)
    appcues.trigger(SCORE, {**SCORE, "name": "appcues:flow_completed"})
    names = [body["name"] for body in bodies(receiver.wait_for(5))]
    assert sorted(names) == ["appcues:flow_completed"] + ["appcues:nps_score"] * 4
    assert names[1] == "appcues:flow_completed"
    until(lambda: appcues.control("GET", "deliveries")["waiting"] == 0)


def test_undelivered_webhooks_are_listed_with_their_reason_and_can_be_dropped(appcues):
    with receiving() as closed_receiver:
        url = closed_receiver.url
    appcues.hook(url, retry_seconds=60)
    appcues.trigger(SCORE)
    until(lambda: appcues.control("GET", "deliveries")["deliveries"][0]["attempts"] == 1)
    (waiting,) = appcues.control("GET", "deliveries")["deliveries"]
    assert (waiting["error"], waiting["body"]["name"]) == ("127.0.0.1: Connection refused", "appcues:nps_score")
    assert appcues.control("DELETE", "deliveries") == {"cleared": 1}


def test_queued_webhooks_survive_a_restart(tmp_path, receiver):
    with serving(tmp_path) as appcues:
        receiver.answer = lambda _: (503, b"")
        appcues.hook(receiver.url, retry_seconds=0.05)
        appcues.trigger(SCORE)
        receiver.wait_for(1)
    receiver.answer = lambda _: (200, b"")
    receiver.take()
    with serving(tmp_path):
        assert bodies(receiver.wait_for(1))[0]["name"] == "appcues:nps_score"


def test_webhooks_are_duplicated_and_delayed_on_request(appcues, receiver):
    appcues.arm("duplicate_delivery", path="/hook")
    appcues.arm("late_delivery", path="/hook", seconds=1)
    appcues.hook(receiver.url + "/hook")
    first, second = appcues.trigger(SCORE, SCORE)
    assert [body["event_id"] for body in bodies(receiver.wait_for(3))] == [second, second, first]


def test_events_of_one_user_come_one_after_another_and_in_order(appcues, receiver):
    appcues.hook(receiver.url)
    triggered = appcues.trigger(*({**SCORE, "user_id": f"u{number % 7}"} for number in range(100)))
    arrived = bodies(receiver.wait_for(100))
    order = {event_id: number for number, event_id in enumerate(triggered)}
    for user in {body["user_id"] for body in arrived}:
        numbers = [order[body["event_id"]] for body in arrived if body["user_id"] == user]
        assert numbers == sorted(numbers)


def test_only_subscribed_events_are_sent(appcues, receiver):
    appcues.hook(receiver.url, events=["appcues:flow_completed"])
    appcues.trigger(SCORE, {**SCORE, "name": "appcues:flow_completed"})
    (body,) = bodies(receiver.wait_for(1))
    assert body["name"] == "appcues:flow_completed"
    assert len(appcues.api("GET", "users/u1/events").json()) == 2
    appcues.control("DELETE", "webhook")
    assert appcues.control("GET", "webhook") == {"webhook": None}
    appcues.trigger({**SCORE, "name": "appcues:flow_completed"})
    assert appcues.control("GET", "deliveries") == {"waiting": 0, "deliveries": []}


def test_hosts_beyond_this_machine_are_not_contacted(appcues):
    appcues.hook("https://relay.example.com/hook", retry_seconds=60)
    appcues.trigger(SCORE)
    until(lambda: appcues.control("GET", "deliveries")["deliveries"][0]["attempts"] == 1)
    (waiting,) = appcues.control("GET", "deliveries")["deliveries"]
    assert waiting["error"].startswith("relay.example.com is not contacted")


@pytest.mark.parametrize(
    "webhook",
    [
        {},
        {"url": 1},
        {"url": "http://127.0.0.1/", "more": 1},
        {"url": "http://127.0.0.1/", "events": "all"},
        {"url": "http://127.0.0.1/", "retry_seconds": 0},
        {"url": "http://127.0.0.1/", "auth": {"scheme": "magic"}},
        {"url": "http://127.0.0.1/", "auth": {"scheme": "bearer"}},
        {"url": "http://127.0.0.1/", "auth": {"scheme": "header", "secret": "s"}},
        {"url": "http://127.0.0.1/", "auth": {"scheme": "hmac", "secret": "s", "header": "X", "algorithm": "md5"}},
        {"url": "http://127.0.0.1/", "auth": {"scheme": "standard_webhooks", "secret": "whsec_?"}},
    ],
)
def test_an_invalid_webhook_is_refused(appcues, webhook):
    answer = appcues.session.put(f"{appcues.account.url}/sfcode/webhook", json=webhook, timeout=PATIENCE)
    assert (answer.status_code, answer.json()["error"]) == (400, True)


@pytest.mark.parametrize("event", [{}, [1], {"user_id": "u1"}, {"user_id": 1, "name": "x"}, {**SCORE, "attributes": 1}])
def test_an_invalid_event_is_refused(appcues, event):
    answer = appcues.session.post(f"{appcues.account.url}/sfcode/trigger", json=event, timeout=PATIENCE)
    assert answer.status_code == 400
