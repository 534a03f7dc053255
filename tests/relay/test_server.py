"""The relay's server: its responses, its access control, and its stop."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sqlite3
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from sfcode.org.retry import NoAnswer
from sfcode.relay.admin_auth import COOKIE, SESSION_SECONDS
from sfcode.relay.inbox import open_inbox
from sfcode.relay.main import BUSY_SECONDS
from sfcode.relay.message import InboxMessage
from sfcode.relay.server import SWITCH_SECONDS
from sfcode.relay.worker.worker import Worker
from tests.relay.serving import ADMIN, ORG_ID, FailingSignIn, IdentityOrg, Relay, Served
from tests.waiting import PATIENCE, until


@pytest.fixture
def relay(sqlite_url) -> Relay:
    return Relay(sqlite_url)


def form_key(page: str) -> str:
    """Return the CSRF token in the forms of a page."""
    return page.partition('name="form_key" value="')[2].partition('"')[0]


def locked(relay: Relay) -> Relay:
    relay.environ["SFCODE_RELAY_ADMIN_TOKEN"] = ADMIN
    return relay


def test_a_webhook_is_committed_answered_and_delivered(relay):
    def script(served: Served):
        assert served.webhook().status_code == 200
        until(lambda: len(served.to_salesforce.delivered) == 1)
        until(lambda: served.service.inbox.stats().count("done") == 1)

    relay.serve(script)


def test_a_started_relay_is_alive_and_ready(relay):
    def script(served: Served):
        until(lambda: served.get("/readyz").status_code == 200)
        assert served.get("/healthz").text == f"ok\nconfig {relay.config().digest}\n"
        assert served.get("/readyz").json() == {"ready": True, "problems": [], "notes": []}

    relay.serve(script)


def test_a_relay_without_a_known_org_is_not_ready(relay):
    relay.connect = FailingSignIn(10**9)

    def script(served: Served):
        until(lambda: "OrgUnreachable" in served.get("/readyz").text)
        answer = served.get("/readyz")
        assert answer.status_code == 503
        assert answer.json()["problems"] == ["the organization ID is not known yet: OrgUnreachable"]
        assert served.get("/healthz").status_code == 200
        assert served.webhook().status_code == 200, "what Appcues sends is taken in all the same"

    relay.serve(script)


def test_an_unavailable_salesforce_at_the_start_is_retried(relay, monkeypatch):
    monkeypatch.setattr("sfcode.relay.service.CONNECT_FIRST", 0.01)
    relay.connect = FailingSignIn(4)

    def script(served: Served):
        assert served.webhook().status_code == 200
        until(lambda: len(served.to_salesforce.delivered) == 1)

    relay.serve(script)
    assert relay.connect.times == 0


def test_a_sign_in_waits_as_long_as_salesforce_asks(relay, monkeypatch):
    monkeypatch.setattr("sfcode.relay.service.CONNECT_FIRST", 0.01)
    times: list[float] = []

    def connect():
        times.append(time.monotonic())
        if len(times) == 1:
            raise NoAnswer("answered 503", sent=True, retry_after=1.0)
        return IdentityOrg()

    relay.connect = connect
    relay.serve(lambda served: until(lambda: served.get("/readyz").status_code == 200))
    assert times[1] - times[0] >= 1.0


def test_the_org_is_remembered_for_a_start_without_salesforce(relay, sqlite_url):
    relay.serve(lambda served: until(lambda: served.service.organization == ORG_ID))
    second_relay = Relay(sqlite_url, connect=FailingSignIn(10**9))

    def script(served: Served):
        until(lambda: served.get("/readyz").status_code == 200)
        until(lambda: served.get("/readyz").json()["notes"] == ["Salesforce: OrgUnreachable"])

    second_relay.serve(script)


def test_a_sign_in_to_another_org_raises_an_alarm(relay, sqlite_url):
    with open_inbox(sqlite_url) as inbox:
        inbox.remember("organization_id", "00D000000000009EAA")

    relay.serve(lambda served: until(lambda: served.service.organization == ORG_ID))
    with open_inbox(sqlite_url) as inbox:
        assert [alarm.name for alarm in inbox.alarms()] == ["organization_changed"]


def test_a_stop_completes_running_deliveries_and_keeps_other_messages(relay, sqlite_url):
    has_begun, go = threading.Event(), threading.Event()

    async def act(claim):
        has_begun.set()
        await asyncio.to_thread(go.wait, PATIENCE)

    relay.to_salesforce = type(relay.to_salesforce)("appcues", limit=1, act=act)

    def script(served: Served):
        for number in range(3):
            assert served.webhook(number).status_code == 200
        assert has_begun.wait(PATIENCE)
        threading.Timer(0.3, go.set).start()

    relay.serve(script)
    with open_inbox(sqlite_url) as inbox:
        stats = inbox.stats()
    assert (stats.count("done"), stats.count("ready"), stats.count("leased")) == (1, 2, 0)
    assert stats.count("done") == len(relay.to_salesforce.delivered)


def test_requests_that_were_sent_before_a_stop_are_answered_after_their_commit(relay, sqlite_url):
    def script(served: Served):
        def send(number: int) -> int:
            try:
                with requests.Session() as session:
                    session.trust_env = False
                    served_here = Served(served.url, served.service, served.to_salesforce, served.to_appcues, session)
                    return served_here.webhook(number).status_code
            except requests.ConnectionError:
                return 0

        pool = ThreadPoolExecutor(8)
        answers = [pool.submit(send, number) for number in range(200)]
        until(lambda: sum(answer.done() for answer in answers) > 20)
        return answers

    answers = [answer.result(PATIENCE) for answer in relay.serve(script)]
    with open_inbox(sqlite_url) as inbox:
        stats = inbox.stats()
    stored_count = sum(stats.counts.values())
    assert stored_count >= answers.count(200) > 20
    assert set(answers) <= {200, 503, 0}


def test_a_relay_that_cannot_deliver_to_salesforce_for_a_reason_of_its_own_is_not_ready(relay, monkeypatch):
    def fail(inbox, writer, *args, **more):
        if writer.source == "appcues":
            raise LookupError("a bug")
        return Worker(inbox, writer, *args, **more)

    def script(served: Served):
        until(lambda: "a worker has ended" in served.get("/readyz").json()["problems"])
        assert served.webhook().status_code == 200

    monkeypatch.setattr("sfcode.relay.service.Worker", fail)
    relay.serve(script)


def test_metrics_and_dashboard_require_the_token_if_it_is_set(relay):
    def script(served: Served):
        for path in ("/metrics", "/"):
            assert served.get(path).status_code == 401
            assert served.get(path, auth=("x", "wrong-token-0123456789")).status_code == 401
            assert served.get(path, auth=("x", ADMIN)).status_code == 200
            assert served.get(path, headers={"Authorization": f"Bearer {ADMIN}"}).status_code == 200
        assert served.get("/healthz").status_code == 200

    locked(relay).serve(script)


def test_without_a_token_only_requests_to_a_loopback_host_are_accepted(relay):
    def script(served: Served):
        assert served.get("/").status_code == 200
        for path in ("/metrics", "/"):
            assert served.get(path, headers={"Host": "evil.example"}).status_code == 403

    relay.serve(script)


def test_the_login_form_sets_a_cookie_only_for_the_right_token(relay):
    def script(served: Served):
        wrong = served.session.post(f"{served.url}/login", data={"token": "wrong"}, timeout=PATIENCE)
        assert wrong.status_code == 401
        assert "No token has this value" in wrong.text
        assert 'value="wrong"' not in wrong.text
        assert not served.session.cookies
        right = served.session.post(
            f"{served.url}/login", data={"token": ADMIN}, timeout=PATIENCE, allow_redirects=False
        )
        assert right.status_code == 303
        cookie = right.headers["Set-Cookie"]
        assert cookie.startswith(COOKIE)
        assert "HttpOnly" in cookie
        assert "SameSite=strict" in cookie
        assert f"Max-Age={SESSION_SECONDS};" in cookie
        assert ADMIN not in cookie
        assert served.get("/").status_code == 200
        large = served.session.post(f"{served.url}/login", data={"token": "x" * 10_000}, timeout=PATIENCE)
        assert large.status_code == 401

    locked(relay).serve(script)


def test_sessions_are_ended_in_every_process(relay, sqlite_url):
    def script(served: Served):
        served.session.post(f"{served.url}/login", data={"token": ADMIN}, timeout=PATIENCE)
        cookie = dict(served.session.cookies)
        form = {"form_key": form_key(served.get("/").text)}
        assert served.session.post(f"{served.url}/logout", timeout=PATIENCE, allow_redirects=False).status_code == 403
        assert served.get("/").status_code == 200, "another site has signed nobody out"
        assert (
            served.session.post(f"{served.url}/logout", form, timeout=PATIENCE, allow_redirects=False).status_code
            == 303
        )
        assert not served.session.cookies
        assert served.get("/", cookies=cookie).status_code == 401
        assert served.session.post(f"{served.url}/logout", timeout=PATIENCE).status_code == 401
        return cookie

    cookie = locked(relay).serve(script)
    relay.serve(lambda served: until(lambda: served.get("/", cookies=cookie).status_code == 401))


def test_beyond_loopback_the_cookie_is_for_https_alone(relay):
    def script(served: Served):
        form = {"token": ADMIN}
        plain = served.session.post(f"{served.url}/login", data=form, timeout=PATIENCE, allow_redirects=False)
        assert "Secure" not in plain.headers["Set-Cookie"]
        headers = {"X-Forwarded-Proto": "https"}
        behind = served.session.post(
            f"{served.url}/login", data=form, timeout=PATIENCE, allow_redirects=False, headers=headers
        )
        assert "Secure" in behind.headers["Set-Cookie"]

    locked(relay).serve(script)

    def script_of_remote(served: Served):
        answer = served.session.post(
            f"{served.url}/login", data={"token": ADMIN}, timeout=PATIENCE, allow_redirects=False
        )
        assert "Secure" in answer.headers["Set-Cookie"]
        assert "open it over https" in served.get("/", headers={"Cookie": ""}).text

    relay.host = "0.0.0.0"
    relay.serve(script_of_remote)


PAGE_HEADERS = {
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


def test_pages_load_and_run_nothing_but_their_own_files(relay):
    def script(served: Served):
        for answer in (served.get("/"), served.get("/", headers={"Authorization": f"Bearer {ADMIN}"})):
            policy = answer.headers["Content-Security-Policy"]
            assert policy.startswith("default-src 'none'; style-src 'self'; script-src 'self';")
            assert "unsafe" not in policy
            assert "frame-ancestors 'none'" in policy
            assert "<script" not in answer.text.replace('<script src="/static/dashboard.js?v=', "")
            assert "<style" not in answer.text
            assert " style=" not in answer.text
            assert {name: answer.headers.get(name) for name in PAGE_HEADERS} == PAGE_HEADERS

    locked(relay).serve(script)


def test_the_dashboard_shows_blocked_messages_without_their_payloads(relay, sqlite_url):
    hostile = "<script>alert(1)</script>"
    with open_inbox(sqlite_url) as inbox:
        inbox.accept(
            [
                InboxMessage("appcues", f"m{number}", "user:ada@example.com", hostile, {"x": "private"}, parked=reason)
                for number, reason in enumerate(["unknown_user", "unknown_user", hostile])
            ]
        )

    def script(served: Served):
        text = served.get("/").text
        assert "unknown_user" in text
        assert "<script>" not in text
        assert "&lt;script&gt;" in text
        assert "ada@example.com" not in text
        assert "private" not in text

    relay.serve(script)


def test_received_messages_are_counted(relay):
    def script(served: Served):
        assert served.webhook(1).status_code == 200
        assert served.webhook(1).status_code == 200
        served.session.post(f"{served.url}/webhooks/appcues/wrong-token-0123456789", json={}, timeout=PATIENCE)
        until(lambda: len(served.to_salesforce.delivered) == 1)
        until(lambda: 'delivered_total{source="appcues"} 1.0' in served.get("/metrics").text)
        text = served.get("/metrics").text
        assert 'sfcode_relay_received_total{answer="200",source="appcues"} 2.0' in text
        assert 'sfcode_relay_received_total{answer="401",source="appcues"} 1.0' in text
        assert 'sfcode_relay_refused_total{reason="token_wrong",source="appcues"} 1.0' in text
        assert 'sfcode_relay_accepted_total{source="appcues"} 1.0' in text
        assert 'sfcode_relay_duplicates_total{source="appcues"} 1.0' in text
        assert 'sfcode_relay_commit_messages_bucket{le="1.0"} 2.0' in text

    relay.serve(script)


@pytest.mark.parametrize("path", ["/nothing", "/webhooks/other", "//", "/healthz/"])
def test_an_unknown_path_is_404_and_not_redirected(relay, path):
    def script(served: Served):
        assert served.get(path, allow_redirects=False).status_code == 404

    relay.serve(script)


def raw(served: Served, data: bytes, patience: float) -> bytes:
    host, port = served.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=patience) as connection:
        connection.sendall(data)
        answer = b""
        with contextlib.suppress(ConnectionResetError):  # the server may close the connection early
            while part := connection.recv(65536):
                answer += part
    return answer


def test_an_unfinished_request_head_closes_the_connection(relay, monkeypatch):
    monkeypatch.setattr("sfcode.relay.http_protocol.HEAD_SECONDS", 0.2)

    def script(served: Served):
        assert raw(served, b"", PATIENCE) == b""
        assert raw(served, b"POST /webhooks/appcues HTTP/1.1\r\nHost: x\r\nX-Slow: ", PATIENCE) == b""
        request = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
        answer = raw(served, request + b"GET /healthz HTTP/1.1\r\nHost:", PATIENCE)
        assert answer.count(b"HTTP/1.1 200") == 1
        assert raw(served, b"NONSENSE\r\n\r\n", PATIENCE).startswith(b"HTTP/1.1 400")
        refused = served.service.instrumentation.metrics.refused
        assert refused.labels("", "head_too_slow")._value.get() == 3
        assert refused.labels("", "bad_request")._value.get() == 1

    relay.serve(script)


def test_an_unfinished_login_form_closes_the_connection(relay, monkeypatch):
    monkeypatch.setattr("sfcode.relay.dashboard.forms.FORM_SECONDS", 0.2)
    monkeypatch.setattr("sfcode.relay.http_protocol.LINGER_SECONDS", 0.2)

    def script(served: Served):
        form = b"POST /login HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\ntoken="
        assert raw(served, form, PATIENCE).startswith(b"HTTP/1.1 401")

    locked(relay).serve(script)


def test_a_head_without_end_is_refused(relay):
    def script(served: Served):
        head = b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Long: " + b"x" * 200_000
        assert raw(served, head, PATIENCE)[:12] in (b"HTTP/1.1 431", b"")
        assert 'sfcode_relay_refused_total{reason="head_too_large",source=""} 1.0' in served.get("/metrics").text
        assert served.get("/healthz").status_code == 200

    relay.serve(script)


def test_a_lock_on_the_file_is_answered_within_seconds(relay):
    relay.busy_seconds = BUSY_SECONDS

    def script(served: Served):
        until(lambda: served.get("/readyz").status_code == 200)
        with contextlib.closing(sqlite3.connect(relay.database.removeprefix("sqlite:///"), isolation_level=None)) as db:
            db.execute("BEGIN IMMEDIATE")
            began = time.monotonic()
            assert served.webhook().status_code == 503
            assert time.monotonic() - began < PATIENCE / 2, "two seconds, on a machine with nothing else to do"
            until(lambda: served.get("/readyz").status_code == 503)
            db.execute("ROLLBACK")
        until(lambda: served.webhook().status_code == 200)

    relay.serve(script)


def test_the_relay_survives_an_unavailable_database(relay, monkeypatch):
    def script(served: Served):
        until(lambda: served.get("/readyz").status_code == 200)
        inbox = served.service.inbox

        def away(*_args, **_options):
            from sfcode.relay.inbox import Unavailable

            raise Unavailable("away")

        with monkeypatch.context() as patch:
            for name in ("accept_each", "claim", "check_writable", "heartbeat", "stats"):
                patch.setattr(inbox, name, away)
            assert served.webhook().status_code == 503
            until(lambda: served.get("/readyz").status_code == 503)
            assert served.get("/healthz").status_code == 200
            assert "does not answer" in served.get("/").text
        assert served.webhook().status_code == 200
        until(lambda: served.get("/readyz").status_code == 200)

    relay.serve(script)


def test_a_commit_waits_shortly_for_the_interpreter_while_requests_keep_it_busy(relay):
    sys.setswitchinterval(0.005)
    assert relay.serve(lambda _: sys.getswitchinterval()) == pytest.approx(SWITCH_SECONDS)
    assert SWITCH_SECONDS <= 0.001
