"""The authentication of the dashboard and the metrics."""

from __future__ import annotations

import asyncio
import base64
from datetime import timedelta
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import Response

from sfcode.relay.admin_auth import COOKIE, SESSION_SECONDS, AdminAuth, FailedAttempts, Principal, is_same_origin
from sfcode.relay.inbox import Inbox, Unavailable, open_inbox
from sfcode.relay.ingress.client_address import networks
from sfcode.relay.instrumentation import Instrumentation
from sfcode.secret import Secret
from tests.relay.inbox.conftest import Clock as InboxClock

TOKEN = "admin-0123456789abcdef"
NOW = 1_800_000_000.0


def make_request(peer: str = "192.0.2.1", **headers: str) -> Request:
    raw = [(name.replace("_", "-").encode(), value.encode("latin-1")) for name, value in headers.items()]
    scope = {"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": raw, "client": (peer, 1)}
    return Request(scope)


class RefusalRecorder(Instrumentation):
    """An instrumentation that records refused clients."""

    def __init__(self) -> None:
        super().__init__()
        self.refused: list[tuple[str, int, str]] = []

    def record_refused(self, source: str, reason: str, status: int, peer: str = "") -> None:
        super().record_refused(source, reason, status, peer)
        self.refused.append((reason, status, peer))


class Clock:
    """A clock that the test sets."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


class NoTokens:
    """An inbox without access tokens, or one that raises an error."""

    def __init__(self, *, is_away: bool = False) -> None:
        self.is_away = is_away

    def find(self, _secret: str) -> None:
        if self.is_away:
            raise Unavailable("away")

    find_session = find

    def begin_session(self, name: str, seconds: float) -> str:
        raise AssertionError(name, seconds)

    def end_session(self, session: str) -> None:
        raise AssertionError(session)


def guard(token: str | None = TOKEN, **options: Any) -> AdminAuth:
    options.setdefault("store", NoTokens())
    return AdminAuth(Secret(token) if token else None, options.pop("events", RefusalRecorder()), **options)


def refused(auth: AdminAuth, now: float = NOW, **headers: str) -> Response | None:
    answer = asyncio.run(auth.admit(make_request(**headers), now))
    return answer if isinstance(answer, Response) else None


def status(auth: AdminAuth, now: float = NOW, **headers: str) -> int:
    refusal = refused(auth, now, **headers)
    return 200 if refusal is None else refusal.status_code


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


@pytest.mark.parametrize("header", [f"Bearer {TOKEN}", f"bearer {TOKEN}", basic("", TOKEN), basic("anybody", TOKEN)])
def test_the_admin_token_is_accepted(header):
    assert status(guard(), authorization=header) == 200


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer",
        "Bearer ",
        f"Bearer {TOKEN}x",
        f"Bearer {TOKEN[:-1]}",
        TOKEN,
        basic(TOKEN, ""),
        "Basic %%%",
        "Basic /w==",
    ],
)
def test_other_tokens_are_refused(header):
    refusal = refused(guard(), authorization=header, host="127.0.0.1")
    assert refusal is not None
    assert refusal.status_code == 401
    assert refusal.headers["WWW-Authenticate"] == 'Basic realm="sfcode relay"', "a browser asks for the token"


def test_a_cookie_is_accepted_until_it_expires_and_cannot_be_extended():
    auth = guard()
    cookie = auth.cookie(NOW)
    assert TOKEN not in cookie
    assert status(auth, NOW + SESSION_SECONDS - 1, cookie=f"{COOKIE}={cookie}") == 200
    assert status(auth, NOW + SESSION_SECONDS, cookie=f"{COOKIE}={cookie}") == 401
    until, _, signature = cookie.partition(".")
    assert status(auth, cookie=f"{COOKIE}={int(until) + 1_000}.{signature}") == 401
    assert status(guard(TOKEN + "x"), cookie=f"{COOKIE}={cookie}") == 401, "a new token ends old sessions"


@pytest.mark.parametrize("cookie", ["", ".", "x.y", "9" * 400 + ".x", "9" * 5000 + ".x", "²." + "0" * 64], ids=len)
def test_an_odd_cookie_is_refused(cookie):
    assert status(guard(), cookie=f"{COOKIE}={cookie}") == 401


@pytest.mark.parametrize("host", ["127.0.0.1:8400", "localhost:8400", "[::1]:8400", "LOCALHOST"])
def test_without_an_admin_token_this_machine_is_a_viewer(host):
    assert status(guard(None), host=host) == 200


@pytest.mark.parametrize("host", ["relay.example.com", "127.0.0.1.evil.example:8400", ""])
def test_without_an_admin_token_requests_with_another_host_name_are_refused(host):
    assert status(guard(None), host=host) == 403
    assert status(guard(None), host=host, authorization="Bearer ") == 403


def test_only_a_session_has_a_way_to_sign_out():
    auth = guard()
    for headers, expected in (
        ({"cookie": f"{COOKIE}={auth.cookie(NOW)}"}, True),
        ({"authorization": f"Bearer {TOKEN}"}, False),
    ):
        principal = asyncio.run(auth.admit(make_request(**headers), NOW))
        assert isinstance(principal, Principal)
        assert principal.has_session is expected


def test_a_cookie_is_accepted_until_sessions_are_ended():
    ended = [0.0]
    auth = guard(sessions_end=lambda: ended[0])
    before = auth.cookie(NOW)
    ended[0] = NOW + 1
    assert status(auth, NOW + 2, cookie=f"{COOKIE}={before}") == 401
    after = auth.cookie(NOW + 2)
    assert status(auth, NOW + 2, cookie=f"{COOKIE}={after}") == 200


def test_wrong_tokens_are_counted_logged_with_their_client_and_delayed():
    recorder, clock = RefusalRecorder(), Clock()
    auth = guard(events=recorder, clock=clock)
    wrong, right = "Bearer wrong", f"Bearer {TOKEN}"
    assert [status(auth, authorization=wrong) for _ in range(6)] == [401] * 4 + [429] * 2
    assert recorder.refused[0] == ("token_wrong", 401, "192.0.2.1")
    assert recorder.refused[-1] == ("too_many_attempts", 429, "192.0.2.1")
    assert recorder.metrics.refused.labels("admin", "token_wrong")._value.get() == 4
    assert status(auth, authorization=right) == 429, "it is not even looked at"
    assert status(auth, peer="192.0.2.2", authorization=right) == 200, "somebody else"
    assert status(auth, cookie=f"{COOKIE}={auth.cookie(NOW)}") == 200, "who is in already"
    assert status(auth) == 401, "who shows nothing guesses nothing"
    refusal = refused(auth, authorization=wrong)
    assert refusal is not None
    assert refusal.headers["Retry-After"] == "1"
    clock.now = 1.0
    assert status(auth, authorization=wrong) == 401
    assert refused(auth, authorization=wrong).headers["Retry-After"] == "2"  # type: ignore[union-attr]
    clock.now = 3.0
    assert status(auth, authorization=right) == 200
    assert [status(auth, authorization=wrong) for _ in range(5)] == [401] * 4 + [429], "the right one starts anew"


def test_a_client_behind_a_trusted_proxy_is_slowed_down_and_not_the_others_there():
    auth = guard(proxies=lambda: networks(("192.0.2.0/24",)))
    for _ in range(5):
        status(auth, x_forwarded_for="203.0.113.1", authorization="Bearer wrong")
    assert status(auth, x_forwarded_for="203.0.113.1", authorization=f"Bearer {TOKEN}") == 429
    assert status(auth, x_forwarded_for="203.0.113.2", authorization=f"Bearer {TOKEN}") == 200


def test_many_wrong_tokens_delay_a_client_at_most_a_minute_and_use_bounded_memory():
    clock = Clock()
    attempts = FailedAttempts(clock)
    for _ in range(5_000):
        attempts.add("a")
    assert attempts.seconds_left("a") == FailedAttempts.LONGEST
    for number in range(FailedAttempts.CLIENTS):
        attempts.add(f"b{number}")
    assert len(attempts._failed) == FailedAttempts.CLIENTS
    assert attempts.seconds_left("a") == 0


@pytest.fixture
def inbox(sqlite_url: str):
    with open_inbox(sqlite_url) as inbox:
        yield inbox


def admitted(auth: AdminAuth, **headers: str) -> tuple[str, str] | int:
    answer = asyncio.run(auth.admit(make_request(**headers), NOW))
    return answer.status_code if isinstance(answer, Response) else (answer.name, answer.role)


def test_an_access_token_is_accepted_with_its_role_until_it_is_revoked(inbox: Inbox):
    auth = guard(store=inbox.tokens)
    secret = inbox.tokens.create("ada", "viewer", None)
    assert admitted(auth, authorization=f"Bearer {secret}") == ("ada", "viewer")
    assert admitted(auth, authorization=basic("x", str(secret))) == ("ada", "viewer")
    assert admitted(auth, authorization=f"Bearer {TOKEN}") == ("admin", "operator")
    assert inbox.tokens.revoke("ada")
    assert admitted(auth, authorization=f"Bearer {secret}") == 401


def test_only_what_changes_the_access_tokens_is_in_the_audit(inbox: Inbox):
    secret = inbox.tokens.create("ada", "viewer", None, "ann@host")
    assert inbox.tokens.create("ada", "operator", None, "bob@host") is None
    token = inbox.tokens.find(str(secret))
    assert token is not None
    assert token.role == "viewer"
    assert inbox.tokens.revoke("ada", "carl@host")
    assert not inbox.tokens.revoke("ada", "bob@host")
    assert [(line.who, line.action, dict(line.selection), line.number) for line in inbox.audit_lines()] == [
        ("carl@host", "token revoke", {"token": "ada"}, 1),
        ("ann@host", "token create", {"token": "ada", "role": "viewer"}, 1),
    ]


def test_a_session_ends_with_its_access_token_and_others_continue(inbox: Inbox):
    auth = guard(store=inbox.tokens)
    inbox.tokens.create("ada", "operator", None)
    first, second = (inbox.tokens.begin_session("ada", 60) for _ in range(2))
    assert first != second
    assert admitted(auth, cookie=f"{COOKIE}={first}") == ("ada", "operator")
    inbox.tokens.end_session(first)
    assert admitted(auth, cookie=f"{COOKIE}={first}") == 401
    assert admitted(auth, cookie=f"{COOKIE}={second}") == ("ada", "operator")
    inbox.tokens.revoke("ada")
    inbox.tokens.create("ada", "operator", None)
    assert admitted(auth, cookie=f"{COOKIE}={second}") == 401, "another token of the same name"


def test_a_session_ends_at_its_time_and_when_its_token_expires(sqlite_url: str):
    clock = InboxClock()
    with clock.open_inbox(sqlite_url) as inbox:
        auth = guard(store=inbox.tokens)
        inbox.tokens.create("ada", "operator", None)
        inbox.tokens.create("bob", "operator", clock.now + timedelta(seconds=30))
        cookies = [f"{COOKIE}={inbox.tokens.begin_session(name, 60)}" for name in ("ada", "bob")]
        opened = []
        for seconds in (29, 2, 28, 2):
            clock.elapse(seconds)
            opened.append([admitted(auth, cookie=cookie) != 401 for cookie in cookies])
        assert opened == [[True, True], [True, False], [True, False], [False, False]]
        inbox.tokens.begin_session("ada", 60)
        with inbox._database.read() as tx:
            tokens = tx.db.exec_driver_sql("SELECT token FROM relay_sessions ORDER BY token").scalars().all()
        assert tokens == ["ada", "bob"], "the session of ada that has ended is deleted, others are left as they are"


def test_no_session_begins_with_a_token_that_was_revoked_meanwhile(inbox: Inbox):
    inbox.tokens.create("ada", "operator", None)
    inbox.tokens.revoke("ada")
    session = inbox.tokens.begin_session("ada", 60)
    inbox.tokens.create("ada", "operator", None)
    assert admitted(guard(store=inbox.tokens), cookie=f"{COOKIE}={session}") == 401


def test_the_right_access_token_forgets_the_wrong_ones_of_its_client(inbox: Inbox):
    auth = guard(store=inbox.tokens, clock=Clock())
    secret = inbox.tokens.create("ada", "viewer", None)
    for _ in range(2):
        assert [status(auth, authorization="Bearer wrong") for _ in range(FailedAttempts.FREE)] == [401] * 3
        assert admitted(auth, authorization=f"Bearer {secret}") == ("ada", "viewer")


def test_without_the_database_only_the_admin_token_is_accepted():
    auth = guard(store=NoTokens(is_away=True))
    assert admitted(auth, authorization=f"Bearer {TOKEN}") == ("admin", "operator")
    assert admitted(auth, cookie=f"{COOKIE}={auth.cookie(NOW)}") == ("admin", "operator")
    assert admitted(auth, authorization="Bearer something-else") == 503
    assert admitted(guard(None, store=NoTokens(is_away=True)), host="localhost") == ("", "viewer")


def test_without_an_admin_token_this_machine_cannot_change_anything():
    auth = guard(None)
    assert admitted(auth, host="localhost") == ("", "viewer")
    assert admitted(auth, host="localhost", cookie=f"{COOKIE}={auth.cookie(NOW)}") == ("", "viewer"), (
        "signed by nothing"
    )


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"sec_fetch_site": "same-origin", "origin": "https://other.example"}, True),
        ({"sec_fetch_site": "none"}, True),
        ({"sec_fetch_site": "same-site", "origin": "https://relay.example.com"}, False),
        ({"sec_fetch_site": "cross-site"}, False),
        ({"origin": "http://relay.example.com:8400"}, True),
        ({"origin": "http://relay.example.com"}, False),
        ({"origin": "http://evil.example:8400"}, False),
        ({"origin": "null"}, False),
        ({}, True),
    ],
)
def test_a_form_of_another_origin_is_refused(headers: dict[str, str], expected: bool):
    for host in ("relay.example.com:8400", "Relay.Example.com:8400"):
        assert is_same_origin(make_request(host=host, **headers)) is expected


def test_each_session_has_a_form_key_of_its_own(inbox: Inbox):
    auth = guard(store=inbox.tokens)
    inbox.tokens.create("ada", "operator", None)
    cookies = [inbox.tokens.begin_session("ada", 60) for _ in range(2)] + [auth.cookie(NOW)]
    keys = {asyncio.run(auth.admit(make_request(cookie=f"{COOKIE}={cookie}"), NOW)).form_key for cookie in cookies}  # type: ignore[union-attr]
    assert len(keys) == 3
    assert not keys & set(cookies)
