"""Limit, faults and journal of the local Appcues."""

from __future__ import annotations

import pytest
import requests

from sfcode.local.appcues.call import Bucket
from tests.local.appcues.account import serving
from tests.waiting import PATIENCE


def test_a_bucket_gives_a_second_of_requests_at_once_and_then_as_many_per_second():
    bucket = Bucket(60, now=100.0)
    assert [bucket.take(100.0) for _ in range(61)] == [0] * 60 + [1]
    assert [bucket.take(100.5) for _ in range(31)] == [0] * 30 + [1]
    assert [bucket.take(200.0) for _ in range(61)] == [0] * 60 + [1], "it fills up to a second's worth"


def test_a_slow_bucket_names_the_seconds_until_there_is_room():
    bucket = Bucket(0.25, now=0.0)
    assert [bucket.take(0.0), bucket.take(0.0), bucket.take(3.0), bucket.take(4.0)] == [0, 4, 1, 0]


def test_too_many_requests_are_refused_with_retry_after(tmp_path):
    with serving(tmp_path, rate=0.001) as appcues:
        assert appcues.patch("u1", plan="pro").status_code == 200
        answer = appcues.patch("u1", plan="pro")
        assert (answer.status_code, answer.json()["title"]) == (429, "Too Many Requests")
        assert int(answer.headers["Retry-After"]) > 900
        assert appcues.control("PUT", "rate-limit", json={"rate": None}) == {"rate": None}
        assert appcues.patch("u1", plan="pro").status_code == 200


def test_the_limit_is_sixty_requests_a_second_unless_something_else_is_asked_for(tmp_path):
    with serving(tmp_path) as appcues:
        assert appcues.control("GET", "rate-limit") == {"rate": 60.0}


@pytest.mark.parametrize("kind", ["unavailable", "rate_limit"])
def test_a_refusal_occurs_the_requested_number_of_times_with_its_retry_after(appcues, kind):
    appcues.arm(kind, times=2, retry_after=7, path="*/u1/*")
    assert appcues.patch("u2", plan="pro").status_code == 200
    answers = [appcues.patch("u1", plan="pro") for _ in range(3)]
    status = {"unavailable": 503, "rate_limit": 429}[kind]
    assert [answer.status_code for answer in answers] == [status, status, 200]
    assert answers[0].headers["Retry-After"] == "7"


def test_each_third_request_fails_without_end(appcues):
    appcues.arm("unavailable", every=3)
    assert [appcues.api("GET", "flows").status_code for _ in range(9)] == [200, 200, 503] * 3


def test_chance_with_a_seed_affects_the_same_requests_again(appcues):
    runs = []
    for _ in range(2):
        appcues.arm("unavailable", probability=0.5, seed=7)
        runs.append([appcues.api("GET", "flows").status_code for _ in range(20)])
        appcues.control("DELETE", "faults")
    assert runs[0] == runs[1]
    assert set(runs[0]) == {200, 503}


@pytest.mark.parametrize(("kind", "is_stored"), [("drop", {}), ("drop_after", {"u1": {"plan": "pro"}})])
def test_a_request_is_dropped_before_or_after_its_execution(appcues, kind, is_stored):
    appcues.arm(kind)
    with pytest.raises(requests.ConnectionError):
        appcues.patch("u1", plan="pro")
    assert appcues.control("GET", "profiles")["users"] == is_stored


def test_a_late_answer_is_still_an_answer(appcues):
    appcues.arm("latency", seconds=0.05)
    assert appcues.patch("u1", plan="pro").elapsed.total_seconds() >= 0.05


@pytest.mark.parametrize(
    "fault", [{"kind": "row_lock"}, {"kind": "drop", "every": 0}, {}, [], {"kind": "drop", "x": 1}]
)
def test_an_unknown_fault_is_refused(appcues, fault):
    url = f"{appcues.account.url}/sfcode/faults"
    assert appcues.session.post(url, json=fault, timeout=PATIENCE).status_code == 400


def test_the_journal_has_each_request_with_its_answer_and_not_the_control_routes(appcues):
    appcues.patch("u1", plan="pro")
    appcues.arm("unavailable")
    appcues.patch("a%2Fb", plan="free")
    appcues.arm("drop")
    with pytest.raises(requests.ConnectionError):
        appcues.api("GET", "flows")
    assert appcues.requests() == [
        ("PATCH", "/v2/accounts/1/users/u1/profile", 200),
        ("PATCH", "/v2/accounts/1/users/a%2Fb/profile", 503),
        ("GET", "/v2/accounts/1/flows", None),
    ]
    first, *_ = appcues.control("GET", "requests")["requests"]
    assert first["body"] == '{"plan": "pro"}'
    assert len(appcues.control("GET", f"requests?after={first['number']}")["requests"]) == 2
    assert appcues.control("DELETE", "requests") == {"cleared": 3}
    assert appcues.requests() == []
