"""`sfcode relay token`: create, list and revoke the tokens of the dashboard."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sfcode.relay.inbox import open_inbox
from tests.e2e.journey import Journey


@pytest.fixture
def journey(tmp_path: Path) -> Journey:
    journey = Journey.start(tmp_path)
    with open_inbox(f"sqlite:///{journey.folder / '.sfcode' / 'relay.db'}"):
        return journey


def test_a_token_is_shown_once_and_kept_as_a_hash(journey):
    secret = journey.run("relay", "token", "create", "ada@example.com", "--role", "operator").out.split()[0]
    assert re.fullmatch(r"sfcode_[\w-]{40,}", secret)
    stored = b"".join(path.read_bytes() for path in (journey.folder / ".sfcode").glob("relay.db*"))
    assert secret.encode() not in stored
    with open_inbox(f"sqlite:///{journey.folder / '.sfcode' / 'relay.db'}") as inbox:
        token = inbox.tokens.find(secret)
        assert token is not None
        assert (token.name, token.role) == ("ada@example.com", "operator")
        assert token.expires_at is not None
        assert abs(token.expires_at - datetime.now(UTC) - timedelta(days=90)) < timedelta(hours=1)
        text = journey.run("relay", "token", "list").out
        assert re.search(r"ada@example\.com  operator  until \d{4}-\d\d-\d\d \d\d:\d\d UTC", text)
        assert secret not in text
        assert "ada@example.com is revoked" in journey.run("relay", "token", "revoke", "ada@example.com").out
        assert inbox.tokens.find(secret) is None
        assert [(line.action, line.selection["token"]) for line in inbox.audit_lines()] == [
            ("token revoke", "ada@example.com"),
            ("token create", "ada@example.com"),
        ]
        assert all("@" in line.who for line in inbox.audit_lines())


def test_an_expired_token_is_refused_and_listed_as_expired(journey):
    with open_inbox(f"sqlite:///{journey.folder / '.sfcode' / 'relay.db'}") as inbox:
        secret = inbox.tokens.create("old", "viewer", datetime.now(UTC) - timedelta(seconds=1))
        assert secret is not None
        assert inbox.tokens.find(secret) is None
    assert "old  viewer    expired" in journey.run("relay", "token", "list").out


def test_tokens_are_listed_as_json(journey):
    created = journey.run("--json", "relay", "token", "create", "grafana", "--expires", "never").json["result"]
    assert {name: value for name, value in created.items() if name != "token"} == {
        "name": "grafana",
        "role": "viewer",
        "expires_at": None,
    }
    (listed,) = journey.run("--json", "relay", "token", "list").json["result"]
    assert (listed["name"], listed["role"], listed["expires_at"]) == ("grafana", "viewer", None)
    assert journey.run("--json", "relay", "token", "revoke", "grafana").json["result"] == {"name": "grafana"}


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["create", "Ada Lovelace"], "cannot be the name of a token"),
        (["create", "admin"], "cannot be the name of a token"),
        (["create", "ada", "--expires", "0d"], "0d is not an age"),
        (["create", "ada", "--expires", "5m"], "5m is not an age"),
        (["revoke", "ada"], "There is no token ada"),
    ],
)
def test_an_invalid_token_command_is_refused_with_a_hint(journey, arguments, expected):
    result = journey.run("relay", "token", *arguments)
    assert result.code == 1
    assert expected in result.err


def test_a_token_name_is_unique(journey):
    assert journey.run("relay", "token", "create", "ada").code == 0
    second_result = journey.run("relay", "token", "create", "ada")
    assert (second_result.code, second_result.out) == (1, "")
    assert "There is a token ada already" in second_result.err
