"""Send due notifications: each by one process, with a time limit, and again until the receiver accepts it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Final

import httpx2
import structlog

from sfcode import __version__
from sfcode.org.retry import parse_retry_after
from sfcode.relay.background import repeat
from sfcode.relay.inbox.notifications import AlarmNotification, NotificationLog
from sfcode.relay.instrumentation import Instrumentation
from sfcode.relay.notify.receivers import Receiver
from sfcode.relay.notify.render import NotifyingRelay, render_notification

log = structlog.stdlib.get_logger(__name__)

POLL_SECONDS = 5.0
"""Seconds between two checks for due notifications."""
SECONDS = 10.0
"""Time limit of a request in seconds; a claim lasts six times as long."""
FIRST_PAUSE = 5.0
LONGEST_PAUSE = 3600.0
FAILED_AFTER = 5
"""Failed attempts after which an alarm about the receiver is raised."""
FAILED: Final = "notify_failed"


class Notifier:
    """Sends notifications of alarms in separate tasks and a separate thread, so that no receiver delays a delivery."""

    def __init__(
        self,
        notifications: NotificationLog,
        instrumentation: Instrumentation,
        sender: Callable[[], NotifyingRelay],
        receivers: Callable[[], Sequence[Receiver]],
    ) -> None:
        self._notifications, self._instrumentation = notifications, instrumentation
        self._sender, self._receivers = sender, receivers
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="notify")
        self._client: httpx2.AsyncClient | None = None

    async def run(self) -> None:
        """Run until cancelled."""
        try:
            await repeat(self.send_due, POLL_SECONDS, "notifications_not_read")
        finally:
            if self._client is not None:
                await self._client.aclose()

    async def send_due(self) -> None:
        """Send each due notification that no other process is sending."""
        receivers = {receiver.name: receiver for receiver in self._receivers()}
        if not receivers:
            return
        rules = [receiver.rule for receiver in receivers.values()]
        loop = asyncio.get_running_loop()
        due = await loop.run_in_executor(self._thread, self._notifications.claim, rules)
        if not due:
            return
        if self._client is None:
            self._client = await loop.run_in_executor(self._thread, open_client)  # takes 0.1 s
        client = self._client
        ends = await asyncio.gather(*(self._send(client, entry, receivers[entry.receiver]) for entry in due))
        for notification, retry_after in zip(due, ends, strict=True):
            await loop.run_in_executor(self._thread, self._notifications.settle, notification, retry_after)

    async def _send(
        self, client: httpx2.AsyncClient, notification: AlarmNotification, receiver: Receiver
    ) -> timedelta | None:
        """Send a notification; return after how long to retry it, or None if it was accepted."""
        outcome, requested_pause = await send(client, notification, receiver, self._sender())
        self._instrumentation.metrics.notifications.labels(receiver.name, outcome).inc()
        if is_accepted(outcome):
            log.info("notified", receiver=receiver.name, event_type=notification.event, alarm=notification.name)
            return None
        log.warning("notification_failed", receiver=receiver.name, outcome=outcome, attempts=notification.attempts)
        if notification.attempts == FAILED_AFTER:
            self._instrumentation.raise_alarm(FAILED, f"{receiver.name}: {outcome}")
        return timedelta(
            seconds=min(LONGEST_PAUSE, max(requested_pause, FIRST_PAUSE * 2.0 ** min(notification.attempts, 20)))
        )


def is_accepted(outcome: str) -> bool:
    """Return whether the outcome of a request is a status from 200 to 299."""
    return len(outcome) == 3 and outcome.startswith("2")


def open_client() -> httpx2.AsyncClient:
    """Return a client that follows no redirect and keeps no connection."""
    limits = httpx2.Limits(max_keepalive_connections=0)
    return httpx2.AsyncClient(timeout=SECONDS, follow_redirects=False, limits=limits)


async def send(
    client: httpx2.AsyncClient, notification: AlarmNotification, receiver: Receiver, sender: NotifyingRelay
) -> tuple[str, float]:
    """Send a notification once; return the status or the error, and the seconds of Retry-After."""
    now = datetime.now(UTC)
    request = render_notification(notification, receiver, sender, now)
    headers = {"User-Agent": f"sfcode/{__version__}", **request.headers}
    try:
        # The URL may be secret, so the text of the client's error is not shown.
        async with (
            asyncio.timeout(SECONDS),
            client.stream("POST", receiver.url.reveal(), content=request.body, headers=headers) as response,
        ):
            pause = parse_retry_after(response.headers.get("Retry-After"), now)
            return str(response.status_code), pause or 0.0
    except (httpx2.TimeoutException, TimeoutError):
        return "timeout", 0.0
    except (httpx2.ConnectError, OSError):
        return "no_connection", 0.0
    except (httpx2.HTTPError, httpx2.InvalidURL):
        return "unreachable", 0.0
