"""Decide whether and when to retry a call to an org."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TypeVar

from sfcode.errors import OrgError, OrgUnreachable
from sfcode.org import deadline
from sfcode.org.options import Runtime

Answer = TypeVar("Answer")

ATTEMPTS = 5
FIRST_DELAY = 0.5
LONGEST_DELAY = 30.0

NOTHING_DONE = frozenset({"UNABLE_TO_LOCK_ROW"})
"""Error codes after which an org has done nothing, so that any call may be retried."""

TRANSIENT = NOTHING_DONE | {"SERVER_UNAVAILABLE"}
"""Error codes after which a read may be retried."""


def repeat_once(send: Callable[[], object]) -> None:
    """Send a repeatable change, and send it again if the response was lost, since the outcome is then unknown."""
    try:
        send()
    except OrgUnreachable:
        send()


class NoAnswer(OrgUnreachable):
    """
    No usable response was received; `sent` is whether the request may have reached the org.

    `permanent` is whether a retry cannot succeed, as with a wrong certificate.
    """

    def __init__(
        self, message: str, hint: str = "", *, sent: bool, permanent: bool = False, retry_after: float | None = None
    ) -> None:
        super().__init__(message, hint, retry_after=retry_after)
        self.sent = sent
        self.permanent = permanent


def parse_retry_after(header: str | None, now: datetime) -> float | None:
    """Parse a Retry-After header, a number of seconds or an HTTP date, to seconds from `now`; None if it is neither."""
    text = (header or "").strip()
    if text.isascii() and text.isdecimal():
        return float(text[:9])
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, IndexError):
        return None
    date = date if date.tzinfo else date.replace(tzinfo=UTC)
    return max((date - now).total_seconds(), 0.0)


def compute_delay(attempt: int, error: Exception, rng: random.Random, *, repeatable: bool = True) -> float | None:
    """
    Return the seconds to wait before attempt `attempt + 1`, or None to give up.

    A read is retried after any transient error. A call that is not `repeatable` (a deploy, a new record) is retried only
    if the org certainly did nothing: there was no connection, or the org reports it.
    """
    if attempt >= ATTEMPTS:
        return None
    if isinstance(error, NoAnswer):
        if error.permanent or (error.sent and not repeatable):
            return None
    elif not (isinstance(error, OrgError) and error.code in (TRANSIENT if repeatable else NOTHING_DONE)):
        return None
    if error.retry_after is not None:
        return error.retry_after if error.retry_after <= LONGEST_DELAY else None
    # Full jitter, so that clients that failed together do not retry together.
    return rng.uniform(0, min(LONGEST_DELAY, FIRST_DELAY * 2 ** (attempt - 1)))


def call(action: Callable[[], Answer], runtime: Runtime, *, repeatable: bool = True) -> Answer:
    """Call `action`, and retry as `compute_delay` allows."""
    attempt = 1
    while True:
        try:
            return action()
        except OrgError as error:
            pause = compute_delay(attempt, error, runtime.rng, repeatable=repeatable)
            remaining_seconds = deadline.remaining_seconds(runtime.clock)
            if pause is None or (remaining_seconds is not None and pause >= remaining_seconds):
                raise
        runtime.sleep(pause)
        attempt += 1
