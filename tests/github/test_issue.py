"""One issue about drift: opened, updated, closed, and reopened."""

from __future__ import annotations

from sfcode.github.comment_marker import Marker
from sfcode.github.drift import close_issue, open_issue

MARKER = Marker("drift", "config", "production")


def body(text: str) -> str:
    return f"{MARKER.line()}\n{text}"


def test_the_drift_issue_is_opened_updated_closed_and_reopened(hub):
    client = hub.client()
    assert close_issue(client, MARKER, body("none")) is None
    number = open_issue(client, MARKER, "Drift", body("one"))
    assert open_issue(client, MARKER, "Drift", body("two")) == number
    assert hub.state.issues[number]["body"] == body("two")
    writes = [line for line in hub.state.asked if not line.startswith("GET")]
    open_issue(client, MARKER, "Drift", body("two"))
    assert [line for line in hub.state.asked if not line.startswith("GET")] == writes
    assert close_issue(client, MARKER, body("none")) == number
    assert (hub.state.issues[number]["state"], hub.state.issues[number]["state_reason"]) == ("closed", "completed")
    assert close_issue(client, MARKER, body("none")) is None
    assert open_issue(client, MARKER, "Drift", body("three")) == number
    assert hub.state.issues[number]["state"] == "open"
    assert len(hub.state.issues) == 1


def test_other_issues_and_pull_requests_are_not_changed(hub):
    hub.state.add_issue("Drift", body("mine"), "somebody")
    hub.state.pulls[2] = {"number": 2, "body": body("a pull request"), "state": "open", "user": {"login": "x"}}
    other_marker = Marker("drift", "config", "sandbox")
    hub.state.add_issue("Drift", f"{other_marker.line()}\nsandbox")
    number = open_issue(hub.client(), MARKER, "Drift", body("ours"))
    assert number == 4
    assert hub.state.issues[1]["body"] == body("mine")


def test_the_drift_issue_is_found_on_a_later_page(hub):
    client = hub.client()
    number = open_issue(client, MARKER, "Drift", body("one"))
    hub.state.page = 3
    for count in range(10):
        hub.state.add_issue(f"Another {count}", "", "somebody")
    assert open_issue(client, MARKER, "Drift", body("two")) == number
