"""The API of the local Appcues: stored data, refusals, and their messages."""

from __future__ import annotations

import pytest
import requests

from tests.local.appcues.account import serving
from tests.waiting import PATIENCE

WHEN = "2026-03-18T12:00:00.000Z"


def test_a_profile_is_created_by_its_first_attributes_and_changed_by_later_ones(appcues):
    assert appcues.patch("u1", plan="pro", seats=5, active=True).json() == {"status": 200, "title": "OK"}
    appcues.patch("u1", plan="free", role="CTO")
    assert appcues.user("u1") == {"user_id": "u1", "plan": "free", "seats": 5, "active": True, "role": "CTO"}


def test_null_removes_an_attribute_and_arrays_and_objects_are_ignored(appcues):
    appcues.patch("u1", plan="pro", seats=5)
    appcues.patch("u1", plan=None, seats=[1], tags=["a"], more={"a": 1})
    assert appcues.user("u1") == {"user_id": "u1", "seats": 5}


def test_groups_have_profiles_and_members(appcues):
    assert appcues.api("PATCH", "groups/g1/profile", json={"tier": "gold"}).status_code == 200
    assert appcues.api("POST", "groups/g1/users", json={"user_ids": ["u1", "u2"]}).status_code == 200
    assert appcues.api("GET", "groups/g1/profile").json() == {"group_id": "g1", "tier": "gold"}
    assert appcues.control("GET", "profiles") == {"users": {}, "groups": {"g1": {"tier": "gold"}}}


@pytest.mark.parametrize("user_id", ["a/b", "anna@example.com", "anon:1 2", "Ünï", "100%", "a?b#c"])
def test_an_id_is_one_part_of_the_path_whatever_its_characters(appcues, user_id):
    quoted = requests.utils.quote(user_id, safe="")
    appcues.patch(quoted, plan="pro")
    assert appcues.user(quoted) == {"user_id": user_id, "plan": "pro"}


def test_a_deleted_profile_is_not_found(appcues):
    appcues.patch("u1", plan="pro")
    assert appcues.api("DELETE", "users/u1/profile").status_code == 204
    answer = appcues.api("GET", "users/u1/profile")
    assert answer.status_code == 404
    assert answer.json() == {"error": True, "status": 404, "title": "Not Found", "detail": "user not found"}


def test_events_are_kept_and_listed_from_the_newest(appcues):
    for name in ("first", "second", "third"):
        event = {"name": name, "timestamp": WHEN, "attributes": {"n": 1, "list": [1]}, "group_id": "g1"}
        assert appcues.api("POST", "users/u1/events", json=event).status_code == 202
    newest, second = appcues.api("GET", "users/u1/events?limit=2").json()
    assert (newest["name"], second["name"]) == ("third", "second")
    assert newest["attributes"] == {"n": 1}
    assert (newest["group_id"], newest["timestamp"]) == ("g1", WHEN)
    assert appcues.api("GET", "users/u2/events").json() == []


@pytest.mark.parametrize(
    ("path", "body", "detail"),
    [
        ("users/u1/profile", [1], "the body must be a JSON object"),
        ("users/u1/profile", {"_secret": 1}, "_secret is reserved"),
        ("users/u1/events", {"name": "x"}, "timestamp must be a time as RFC 3339 has it"),
        ("users/u1/events", {"name": "x", "timestamp": "yesterday"}, "timestamp must be a time as RFC 3339 has it"),
        ("users/u1/events", {"timestamp": WHEN}, "name must be a text of 1 to 127 characters"),
        ("users/u1/events", {"name": "x" * 128, "timestamp": WHEN}, "name must be a text of 1 to 127 characters"),
        ("users/u1/events", {"name": "x", "timestamp": WHEN, "attributes": 1}, "attributes must be an object"),
        ("groups/g1/users", {"user_ids": "u1"}, "user_ids must be a list of texts"),
    ],
)
def test_an_invalid_body_is_refused_with_the_wrong_key_and_changes_nothing(appcues, path, body, detail):
    answer = appcues.api("PATCH" if path.endswith("profile") else "POST", path, json=body)
    assert (answer.status_code, answer.json()["detail"]) == (400, detail)
    assert appcues.control("GET", "profiles") == {"users": {}, "groups": {}}


def test_a_body_that_is_not_json_is_refused(appcues):
    answer = appcues.api("PATCH", "users/u1/profile", data=b"\xff{")
    assert (answer.status_code, answer.json()["detail"]) == (400, "the body is not valid JSON")


@pytest.mark.parametrize("limit", ["0", "-1", "many", "1001"])
def test_an_invalid_limit_is_refused(appcues, limit):
    assert appcues.api("GET", f"users/u1/events?limit={limit}").status_code == 400


def test_only_the_right_key_and_secret_are_accepted(appcues):
    url = f"{appcues.account.url}/v2/accounts/1/users/u1/profile"
    wrong = [(appcues.account.api_key, "wrong"), ("wrong", appcues.account.api_secret), None]
    for auth in wrong:
        answer = requests.patch(url, json={"plan": "pro"}, auth=auth, timeout=PATIENCE)
        assert (answer.status_code, answer.json()["title"]) == (401, "Unauthorized")
    assert requests.get(f"{appcues.account.url}/sfcode/profiles", timeout=PATIENCE).status_code == 401
    assert appcues.control("GET", "profiles")["users"] == {}


def test_another_account_is_forbidden(appcues):
    answer = appcues.session.get(f"{appcues.account.url}/v2/accounts/2/users/u1/profile", timeout=PATIENCE)
    assert (answer.status_code, answer.json()["title"]) == (403, "Forbidden")


def test_lists_that_serve_to_check_credentials_are_empty(appcues):
    for name in ("flows", "segments", "tags", "checklists"):
        assert appcues.api("GET", name).json() == []


def test_unknown_paths_and_methods_are_refused(appcues):
    assert appcues.api("GET", "nothing").status_code == 404
    assert appcues.api("GET", "users//profile").status_code == 404
    assert appcues.api("PUT", "users/u1/profile", json={}).status_code == 405


def test_a_request_for_another_host_is_refused(appcues):
    answer = appcues.api("GET", "flows", headers={"Host": "rebound.example.com"})
    assert (answer.status_code, answer.json()["title"]) == (403, "Forbidden")


def test_a_too_large_body_is_refused(appcues):
    answer = appcues.api("PATCH", "users/u1/profile", data=b"x" * (10 * 1024 * 1024 + 1))
    assert answer.status_code == 413


def test_data_survives_a_restart_and_is_deleted_by_reset(tmp_path):
    from sfcode.local.appcues import reset

    with serving(tmp_path) as appcues:
        appcues.patch("u1", plan="pro")
    with serving(tmp_path) as appcues:
        assert appcues.user("u1") == {"user_id": "u1", "plan": "pro"}
        reset(tmp_path)
        assert appcues.api("GET", "users/u1/profile").status_code == 404


def test_a_reset_without_an_account_creates_none(tmp_path):
    from sfcode.local.appcues import reset

    reset(tmp_path)
    assert list(tmp_path.iterdir()) == []
