"""Notifications to real receivers."""

from __future__ import annotations

import asyncio
import json
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from functools import partial

import httpx2
import pytest
from standardwebhooks import Webhook

from sfcode.relay import housekeeping
from sfcode.relay.alarms import Alarm
from sfcode.relay.inbox import Inbox, open_inbox
from sfcode.relay.inbox.notifications import NotifyRule
from sfcode.relay.inbox.tables import NOTIFICATIONS
from sfcode.relay.instrumentation import Instrumentation
from sfcode.relay.notify import notifier
from sfcode.relay.notify.notifier import FAILED_AFTER, Notifier
from sfcode.relay.notify.receivers import Receiver
from sfcode.relay.notify.render import NotifyingRelay
from sfcode.secret import Secret
from tests.org.servers import refusing
from tests.relay.inbox.conftest import Clock
from tests.relay.notify.receiver import SECRET, NotificationReceiver, receiving
from tests.relay.serving import ROOT, Relay, Served
from tests.waiting import PATIENCE, until_async

DETAIL = "95 of 100 <used> & counting"


@pytest.fixture
def far() -> Iterator[NotificationReceiver]:
    with receiving() as state:
        yield state


@pytest.fixture
def inbox(sqlite_inbox_url: str) -> Iterator[Inbox]:
    with open_inbox(sqlite_inbox_url) as inbox:
        inbox.raise_alarms([Alarm("salesforce_quota", DETAIL, "2026-11-23T17:00:00Z", 3)])
        yield inbox


def receiver(url: str, form: str = "standard_webhooks") -> Receiver:
    return Receiver(NotifyRule(form.upper(), (), timedelta(hours=1)), form, Secret(url), Secret(SECRET))  # type: ignore[arg-type]


def notify(
    inbox: Inbox, *receivers: Receiver, times: int = 1, events: Instrumentation | None = None
) -> Instrumentation:
    """Send due notifications several times, and store the alarms in between."""
    instrumentation = events or Instrumentation()
    own = Notifier(
        inbox.notifications, instrumentation, lambda: NotifyingRelay("acme", "production"), lambda: receivers
    )

    async def look() -> None:
        for _ in range(times):
            await own.send_due()
            instrumentation.alarms.flush(inbox)

    asyncio.run(look())
    return instrumentation


def test_a_standard_webhook_contains_the_meaning_of_the_alarm_and_is_signed(inbox, far):
    notify(inbox, receiver(f"{far.url}/alerts?team=crm"))
    (request,) = far.requests
    assert request.path == "/alerts?team=crm"
    document = Webhook(SECRET).verify(request.body, request.headers)
    assert document["type"] == "alarm.raised"
    assert document["data"] == {
        "project": "acme",
        "environment": "production",
        "alarm": "salesforce_quota",
        "detail": DETAIL,
        "times": 3,
        "last_raised_at": "2026-11-23T17:00:00Z",
        "meaning": "the org has nearly used its daily API requests, and the relay has paused",
        "action": "The relay resumes by itself. Setup > Company Information shows the usage; find out which integration causes it.",
    }
    assert inbox.notifications.waiting() == {}


def test_a_slack_text_escapes_markup(inbox, far):
    notify(inbox, receiver(far.url, "slack"))
    (request,) = far.requests
    assert "webhook-signature" not in request.headers
    lines = json.loads(request.body)["text"].splitlines()
    assert lines[:2] == ["*Alarm salesforce_quota* (acme, production)", "95 of 100 &lt;used&gt; &amp; counting"]
    assert "raised 3 times" in lines[2]
    assert "Setup &gt; Company Information" in lines[2]


@pytest.mark.parametrize("status", [302, 404, 500])
def test_a_refused_notification_is_retried_and_finally_raises_an_alarm(inbox, far, monkeypatch, status):
    monkeypatch.setattr(notifier, "FIRST_PAUSE", 0.0)
    far.answers = [status] * FAILED_AFTER
    instrumentation = notify(inbox, receiver(far.url), times=FAILED_AFTER - 1)
    assert [alarm.name for alarm in inbox.alarms()] == ["salesforce_quota"]
    notify(inbox, receiver(far.url), events=instrumentation)
    assert {(alarm.name, alarm.detail) for alarm in inbox.alarms()} == {
        ("salesforce_quota", DETAIL),
        ("notify_failed", f"STANDARD_WEBHOOKS: {status}"),
    }
    text = instrumentation.metrics.text().decode()
    expected = f'notifications_total{{outcome="{status}",receiver="STANDARD_WEBHOOKS"}} {FAILED_AFTER}.0'
    assert f"sfcode_relay_{expected}" in text
    assert len({request.headers["webhook-id"] for request in far.requests}) == 1
    far.answers = [status] * 2
    notify(inbox, receiver(far.url), events=instrumentation)
    assert {alarm.name: alarm.times for alarm in inbox.alarms()}["notify_failed"] == 1, "raised by the fifth alone"
    notify(inbox, receiver(far.url))
    assert {request.path for request in far.requests} == {"/"}, "a redirect is not followed"
    assert inbox.notifications.waiting() == {}


PAUSES = [
    (1, "", 10),
    (2, "", 20),
    (5, "", 160),
    (30, "", 3600),
    (5000, "", 3600),
    (1, "soon", 10),
    (1, "120", 120),
    (5, "120", 160),
    (1, "99999", 3600),
]
"""The number of an attempt, the Retry-After of its answer, and the seconds until the next attempt."""


def test_each_attempt_waits_longer_up_to_an_hour_and_as_long_as_the_receiver_asks(sqlite_url, far):
    clock = Clock()
    own = replace(receiver(far.url), rule=NotifyRule("ALERTS", ("salesforce_quota",), timedelta(days=9)))
    with clock.open_inbox(sqlite_url) as inbox:
        inbox.raise_alarms([Alarm("salesforce_quota", DETAIL, "2026-11-23T17:00:00Z", 3)])
        inbox.notifications.claim([own.rule])
        for attempts, retry_after, seconds in PAUSES:
            far.answers, far.retry_after = [503], retry_after
            with inbox._database.write() as tx:
                tx.db.execute(NOTIFICATIONS.update().values(attempts=attempts - 1, due_at=tx.now))
            notify(inbox, own)
            clock.elapse(seconds - 1)
            assert inbox.notifications.claim([own.rule]) == (), (attempts, retry_after)
            clock.elapse(2)
            (next_attempt,) = inbox.notifications.claim([own.rule])
            assert next_attempt.attempts == attempts + 1


@pytest.mark.parametrize("status", [201, 202, 204])
def test_each_status_of_success_accepts_a_notification(inbox, far, status):
    far.answers = [status]
    notify(inbox, receiver(far.url))
    assert inbox.notifications.waiting() == {}


def test_a_receiver_that_does_not_answer_has_a_time_limit(inbox, far, monkeypatch):
    monkeypatch.setattr(notifier, "SECONDS", 0.2)
    far.may_answer.clear()
    instrumentation = notify(inbox, receiver(far.url))
    assert 'notifications_total{outcome="timeout"' in instrumentation.metrics.text().decode()
    assert inbox.notifications.waiting() == {"STANDARD_WEBHOOKS": 1}


@contextmanager
def answering(*parts: bytes) -> Iterator[str]:
    """Return the URL of a receiver that sends these bytes to its first client, pauses after each, and disconnects."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            connection, _ = listener.accept()
            with connection, suppress(OSError):
                for part in parts:
                    connection.sendall(part)
                    time.sleep(0.05)

        thread = threading.Thread(target=answer)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        thread.join(PATIENCE)


@pytest.mark.parametrize(
    ("parts", "seconds", "outcome"),
    [
        ([b"HTTP/1.1 200 OK\r\nX: ", *[b"x"] * 2000], 0.3, "timeout"),
        ([b"this is no HTTP\r\n\r\n"], PATIENCE, "unreachable"),
        ([], PATIENCE, "unreachable"),
    ],
    ids=["an answer without end", "no HTTP", "nothing"],
)
def test_an_invalid_response_leaves_the_notification_waiting(inbox, monkeypatch, parts, seconds, outcome):
    monkeypatch.setattr(notifier, "open_client", partial(httpx2.AsyncClient, timeout=PATIENCE))
    monkeypatch.setattr(notifier, "SECONDS", seconds)
    with answering(*parts) as url:
        instrumentation = notify(inbox, receiver(url))
    assert f'notifications_total{{outcome="{outcome}"' in instrumentation.metrics.text().decode()
    assert inbox.notifications.waiting() == {"STANDARD_WEBHOOKS": 1}


def test_a_slow_receiver_does_not_delay_the_others(inbox, far, monkeypatch):
    monkeypatch.setattr(notifier, "SECONDS", 2 * PATIENCE)
    far.may_answer.clear()
    first, second = (replace(receiver(far.url), rule=NotifyRule(name, (), timedelta(hours=1))) for name in "AB")
    with receiving() as other, ThreadPoolExecutor(1) as pool:
        second = replace(second, url=Secret(other.url))
        future = pool.submit(notify, inbox, first, second)
        try:
            assert other.has_received.wait(PATIENCE)
        finally:
            far.may_answer.set()
        future.result(PATIENCE)
    assert inbox.notifications.waiting() == {}


def test_notifications_continue_after_a_failed_query(inbox, far, monkeypatch):
    monkeypatch.setattr(notifier, "POLL_SECONDS", 0.01)

    def rename(former: str, present: str) -> None:
        with inbox._database.write() as tx:
            tx.db.exec_driver_sql(f"ALTER TABLE {former} RENAME TO {present}")

    looks: list[float] = []

    def receivers() -> list[Receiver]:
        looks.append(time.monotonic())
        return [receiver(far.url)]

    async def run() -> None:
        own = Notifier(inbox.notifications, Instrumentation(), lambda: NotifyingRelay("a", "b"), receivers)
        task = asyncio.create_task(own.run())
        await until_async(lambda: task.done() or len(looks) > 1)
        rename("elsewhere", "relay_notifications")
        await until_async(lambda: task.done() or far.has_received.is_set())
        assert not task.done()
        task.cancel()

    rename("relay_notifications", "elsewhere")
    asyncio.run(run())
    assert far.has_received.is_set()


def test_an_unavailable_receiver_does_not_delay_the_others(inbox, far):
    with refusing() as url:
        away = receiver(url, "slack")
        instrumentation = notify(inbox, away, receiver(far.url))
    assert len(far.requests) == 1
    assert 'outcome="no_connection",receiver="SLACK"' in instrumentation.metrics.text().decode()
    assert inbox.notifications.waiting() == {"SLACK": 1}


def test_a_running_relay_notifies_of_an_alarm_that_it_raises(sqlite_url, tmp_path, far, monkeypatch):
    monkeypatch.setattr(notifier, "POLL_SECONDS", 0.02)
    monkeypatch.setattr(housekeeping, "BEAT", 0.02)
    folder = tmp_path / "config"
    shutil.copytree(ROOT / "config", folder)
    settings = (folder / "sfcode.yaml").read_text(encoding="utf-8")
    notified = "relay:\n  notify: [{form: slack, url_variable: SLACK_URL}]\n"
    (folder / "sfcode.yaml").write_text(settings.replace("relay:\n", notified, 1), encoding="utf-8")
    relay = Relay(sqlite_url)
    relay.environ["SLACK_URL"] = far.url

    def script(served: Served) -> bool:
        served.service.instrumentation.raise_alarm("salesforce_locked", "ORG_LOCKED")
        return far.has_received.wait(PATIENCE)

    assert relay.serve(script, folder)
    assert "Alarm salesforce_locked" in json.loads(far.requests[0].body)["text"]


def test_the_url_is_in_no_log(inbox, capfd, caplog):
    token = "T0000-secret-of-the-url"
    with refusing() as url:
        notify(inbox, receiver(f"{url}/{token}", "slack"))
    captured = capfd.readouterr()
    logged = captured.out + captured.err + caplog.text
    assert "notification_failed" in logged
    assert token not in logged
