"""Send webhooks: one request for each event, at least once, retried until the response is a 2xx."""

from __future__ import annotations

import json
import logging
import queue
import threading
from collections.abc import Collection, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from urllib.parse import urlsplit

from sfcode.local.appcues.call import Account
from sfcode.local.appcues.state import PendingWebhook
from sfcode.local.appcues.webhook import Webhook, build_request, encode, read_webhook
from sfcode.local.automation.post import Poster, Undelivered

WORKERS = 8
BATCH = 200
TIMEOUT = 15.0
LONGEST_RETRY = 60.0
LOOK_SECONDS = 0.25
"""Seconds between two checks for due webhooks."""
WEBHOOK = "webhook"
"""The name of the setting that holds the webhook: its URL, authentication, events and retry delay."""

log = logging.getLogger(__name__)


class WebhookSender:
    """Sends the webhooks of one account: those of one user in order, those of several users in parallel."""

    def __init__(self, account: Account, hosts: Collection[str] = ()) -> None:
        self._account = account
        self._all = [Poster(hosts, TIMEOUT) for _ in range(WORKERS)]
        self._posters: queue.SimpleQueue[Poster] = queue.SimpleQueue()
        for poster in self._all:
            self._posters.put(poster)
        self._stopping = threading.Event()
        self._wake = threading.Event()
        self._thread = threading.Thread(target=self._work, name="sfcode-webhooks", daemon=True)

    def start(self) -> None:
        """Start to send pending and new webhooks in threads."""
        self._thread.start()

    def wake(self) -> None:
        """Look for pending webhooks now."""
        self._wake.set()

    def stop(self) -> None:
        """Stop; webhooks that were not delivered stay pending."""
        self._stopping.set()
        self._wake.set()
        for poster in self._all:
            poster.close()
        self._thread.join()

    def _work(self) -> None:
        with ThreadPoolExecutor(WORKERS, "sfcode-webhook") as pool:
            while not self._stopping.is_set():
                self._wake.clear()
                try:
                    busy = self._round(pool)
                except Exception:
                    log.exception("sending webhooks")
                    busy = False
                if not busy:
                    self._wake.wait(LOOK_SECONDS)

    def _round(self, pool: ThreadPoolExecutor) -> bool:
        """Send one batch of due webhooks; return whether there were any."""
        state = self._account.state
        setting = state.setting(WEBHOOK)
        batch = state.list_pending(due=self._now(), limit=BATCH) if setting else []
        if not batch:
            return False
        webhook = read_webhook(setting)
        delayed_webhooks, now = self._split_delayed(webhook, batch)
        by_user: dict[str, list[PendingWebhook]] = {}
        for pending in now:
            by_user.setdefault(pending.user_id, []).append(pending)
        failed = [
            late for part in pool.map(lambda webhooks: self._send(webhook, webhooks), by_user.values()) for late in part
        ]
        later = (*delayed_webhooks, *failed)
        numbers = {pending.number for pending in later}
        state.settle([pending.number for pending in batch if pending.number not in numbers], later)
        return True

    def _split_delayed(
        self, webhook: Webhook, batch: Iterable[PendingWebhook]
    ) -> tuple[list[PendingWebhook], list[PendingWebhook]]:
        """Return the webhooks that a fault delays, so that later ones overtake them, and those to send now."""
        path, delayed_webhooks, now = urlsplit(webhook.url).path, [], []
        for pending in batch:
            late = None if pending.attempts else self._account.faults.take("late_delivery", path=path, method="POST")
            if late is None:
                now.append(pending)
            else:
                delayed_webhooks.append(replace(pending, due=self._now() + late.seconds, attempts=1, error="held back"))
        return delayed_webhooks, now

    def _send(self, webhook: Webhook, webhooks: Iterable[PendingWebhook]) -> list[PendingWebhook]:
        """Send the webhooks of one user; return those that must be sent again."""
        failed = []
        poster = self._posters.get()
        try:
            for pending in webhooks:
                problem = self._attempt(poster, webhook, pending)
                if problem:
                    wait = min(LONGEST_RETRY, webhook.retry_seconds * 2 ** min(pending.attempts, 16))
                    attempts = pending.attempts + 1
                    failed.append(replace(pending, due=self._now() + wait, attempts=attempts, error=problem))
        finally:
            self._posters.put(poster)
        return failed

    def _attempt(self, poster: Poster, webhook: Webhook, pending: PendingWebhook) -> str:
        event = json.loads(pending.body)
        body = encode(event)
        url, headers = build_request(webhook, str(event["event_id"]), body, self._account.clock.now())
        try:
            status, _ = poster.post(url, body, headers)
            if not 200 <= status < 300:
                return f"the endpoint answered {status}"
            if self._account.faults.take("duplicate_delivery", path=urlsplit(webhook.url).path, method="POST"):
                poster.post(url, body, headers)
        except Undelivered as error:
            return str(error)
        return ""

    def _now(self) -> float:
        return self._account.clock.now().timestamp()
