"""Who may look at the dashboard and the metrics."""

from __future__ import annotations

import base64

import pytest
from starlette.requests import Request

from sfcode.relay.admin_auth import COOKIE, SESSION_SECONDS, AdminAuth
from sfcode.secret import Secret

TOKEN = "admin-0123456789abcdef"
NOW = 1_800_000_000.0


def asked(**headers: str) -> Request:
    raw = [(name.replace("_", "-").encode(), value.encode("latin-1")) for name, value in headers.items()]
    return Request({"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": raw})


def status(door: AdminAuth, now: float = NOW, **headers: str) -> int:
    refusal = door.refusal(asked(**headers), now)
    return 200 if refusal is None else refusal.status_code


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


@pytest.mark.parametrize("given", [f"Bearer {TOKEN}", f"bearer {TOKEN}", basic("", TOKEN), basic("anybody", TOKEN)])
def test_the_token_opens(given):
    assert status(AdminAuth(Secret(TOKEN)), authorization=given) == 200


@pytest.mark.parametrize(
    "given",
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
def test_anything_else_does_not(given):
    assert status(AdminAuth(Secret(TOKEN)), authorization=given, host="127.0.0.1") == 401


def test_a_cookie_opens_until_it_is_old_and_cannot_be_made_younger():
    door = AdminAuth(Secret(TOKEN))
    cookie = door.cookie(NOW)
    assert TOKEN not in cookie
    assert status(door, NOW + SESSION_SECONDS - 1, cookie=f"{COOKIE}={cookie}") == 200
    assert status(door, NOW + SESSION_SECONDS, cookie=f"{COOKIE}={cookie}") == 401
    until, _, signature = cookie.partition(".")
    assert status(door, cookie=f"{COOKIE}={int(until) + 1}.{signature}") == 401
    assert status(AdminAuth(Secret(TOKEN + "x")), cookie=f"{COOKIE}={cookie}") == 401, "a new token ends old sessions"


@pytest.mark.parametrize("cookie", ["", ".", "x.y", "9" * 30 + ".x", "²." + "0" * 64])
def test_an_odd_cookie_is_refused(cookie):
    assert status(AdminAuth(Secret(TOKEN)), cookie=f"{COOKIE}={cookie}") == 401


@pytest.mark.parametrize("host", ["127.0.0.1:8400", "localhost:8400", "[::1]:8400", "LOCALHOST"])
def test_without_a_token_this_machine_may_look(host):
    assert status(AdminAuth(None), host=host) == 200


@pytest.mark.parametrize("host", ["relay.example.com", "127.0.0.1.evil.example:8400", ""])
def test_without_a_token_no_web_page_reaches_it_by_a_name_of_its_own(host):
    assert status(AdminAuth(None), host=host) == 403
    assert status(AdminAuth(None), host=host, authorization="Bearer ") == 403
