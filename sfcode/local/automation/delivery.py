"""
Deliver queued notifications: at least once, in any order, until they are acknowledged or a day old.

https://help.salesforce.com/s/articleView?id=platform.workflow_om_considerations.htm&type=5
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Collection
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from sfcode.lazy_dataclasses import dataclass
from sfcode.local.automation.message import MAX_NOTIFICATIONS, check_ack
from sfcode.local.automation.post import TIMEOUT, Poster, Undelivered
from sfcode.local.context import OrgContext
from sfcode.local.store import OrgTransaction
from sfcode.local.tables.outbound import QueuedNotification
from sfcode.process import is_running

if TYPE_CHECKING:
    from sfcode.local.automation.outbox import OutgoingMessage

log = logging.getLogger(__name__)

FIRST_RETRY = timedelta(seconds=30)
LONGEST_RETRY = timedelta(hours=2)
TOO_OLD = timedelta(hours=24)
GATHER_SECONDS = 0.1
"""Seconds in which saves are gathered into one message."""
LOOK_SECONDS = 1.0
"""Seconds between two checks for due messages, also of other processes."""
CLAIM_SECONDS = 3 * TIMEOUT


@dataclass
class Tally:
    """The numbers of notifications and messages of one round of deliveries."""

    messages: int = 0
    delivered: int = 0
    failed: int = 0
    dropped: int = 0

    def json(self) -> dict[str, int]:
        """Return the numbers in the form of the control route."""
        return dict(vars(self))


def retry_delay(attempts: int) -> timedelta:
    """Return the delay after a number of failed attempts: 30 s, doubled each time, at most two hours."""
    return min(LONGEST_RETRY, FIRST_RETRY * (1 << min(attempts - 1, 16)))


class Deliveries:
    """Delivers the messages of one org, one at a time."""

    def __init__(self, context: OrgContext, url: str, hosts: Collection[str] = ()) -> None:
        self._context = context
        self._url = url
        self._poster = Poster(hosts)
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start to deliver in a thread, after each save and at each due time."""
        self._thread = threading.Thread(target=self._work, name="sfcode-deliveries", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop; notifications without an acknowledgment stay queued."""
        self._stopping.set()
        self._context.store.committed.set()
        self._poster.close()
        if self._thread is not None:
            self._thread.join()

    def deliver(self) -> Tally:
        """Deliver everything that is due now and return the numbers."""
        tally = Tally()
        with self._lock:
            self._drop_old(tally)
            while batch := self._claim():
                self._deliver(batch, tally)
        return tally

    def _work(self) -> None:
        store = self._context.store
        self._release_stale_claims()
        while not self._stopping.is_set():
            try:
                self.deliver()
            except Exception:
                log.exception("delivering outbound messages")
            if store.committed.wait(LOOK_SECONDS) and not self._stopping.wait(GATHER_SECONDS):
                store.committed.clear()

    def _release_stale_claims(self) -> None:
        """Release the claims of processes that have ended, and of earlier servers of this process."""
        with self._context.store.transaction() as tx:
            for holder in tx.notifications.holders():
                if holder == os.getpid() or not is_running(holder):
                    tx.notifications.release(holder)

    def _drop_old(self, tally: Tally) -> None:
        with self._context.store.read() as tx:
            old = tx.notifications.list_old(self._context.clock.now() - TOO_OLD)
        if not old:
            return
        with self._context.store.transaction() as tx:
            dead_ids = {notification.id for notification in old if _keeps_dead(tx, notification)}
            for id_ in dead_ids:
                tx.notifications.mark_dead(id_)
            tx.notifications.delete(notification.id for notification in old if notification.id not in dead_ids)
        tally.dropped += len(old)

    def _claim(self) -> tuple[QueuedNotification, ...]:
        """Claim the notifications of the next message."""
        now, wall = self._context.clock.now(), time.time()
        with self._context.store.read() as tx:
            if self._stopping.is_set() or not tx.notifications.list_due(now, wall, 1):
                return ()
        with self._context.store.transaction() as tx:
            batch = tuple(tx.notifications.list_due(now, wall, MAX_NOTIFICATIONS))
            tx.notifications.claim(batch, os.getpid(), wall + CLAIM_SECONDS)
        return batch

    def _deliver(self, batch: tuple[QueuedNotification, ...], tally: Tally) -> None:
        with self._context.store.read() as tx:
            # Imported with the first message, since most servers have none to send.
            from sfcode.local.automation.outbox import build_message

            message = build_message(tx, batch, self._url, self._context.clock.now())
        if message is None:
            tally.dropped += len(batch)
        else:
            tally.messages += 1
            if problem := message.problem or self._post(message):
                tally.failed += len(batch)
                self._settle_failure(batch, problem)
                return
            tally.delivered += len(batch)
        with self._context.store.transaction() as tx:
            tx.notifications.delete(notification.id for notification in batch)

    def _settle_failure(self, batch: tuple[QueuedNotification, ...], problem: str) -> None:
        if self._stopping.is_set():
            with self._context.store.transaction() as tx:
                tx.notifications.release(os.getpid())
            return
        now = self._context.clock.now()
        with self._context.store.transaction() as tx:
            for notification in batch:
                tx.notifications.retry(notification.id, at=now + retry_delay(notification.attempts + 1), error=problem)

    def _post(self, message: OutgoingMessage) -> str | None:
        problem = self._attempt(message)
        path = urlsplit(message.endpoint).path
        if problem is None and self._context.faults.take("duplicate_delivery", path=path, method="POST"):
            self._attempt(message)
        return problem

    def _attempt(self, message: OutgoingMessage) -> str | None:
        try:
            return check_ack(*self._poster.post(message.endpoint, message.body))
        except Undelivered as error:
            return str(error)


def _keeps_dead(tx: OrgTransaction, notification: QueuedNotification) -> bool:
    stored = tx.components.get_by_id(notification.action_id)
    return stored is not None and stored.component.body.get("useDeadLetterQueue") is True
