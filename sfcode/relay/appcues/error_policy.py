"""How each answer of Appcues settles a message; docs/relay-appcues.md shows the same table."""

from __future__ import annotations

import json
from collections.abc import Collection
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from sfcode.lazy_dataclasses import dataclass, replace
from sfcode.org.retry import parse_retry_after
from sfcode.relay.message import Delivered, Parked, Retry, Settlement

if TYPE_CHECKING:
    from sfcode.config.notify_models import AlarmName

LONGEST_WAIT = 3600.0
"""The longest pause in seconds, even if Appcues asks for a longer one."""
REFUSED_PAUSE = 30.0
"""Seconds until a refused URL or refused credentials are tried again."""
LONGEST_DETAIL = 500
SHORTEST_MASKED = 3
"""The minimum length of values that are masked in error texts."""

Outage = Literal["timeout", "no_connection", "unreachable"]

OUTAGE_STATUSES = frozenset({502, 503, 504})
"""HTTP statuses of gateways in front of Appcues, and of Appcues itself during an outage."""


@dataclass(frozen=True, slots=True)
class AppcuesAnswer:
    """The response of Appcues: the HTTP status with the beginning of the body, or the outage that prevented a response."""

    status: int
    body: bytes = b""
    retry_after: float | None = None
    """Seconds of the Retry-After header."""
    outage: Outage | None = None
    """Why there is no status; None if there is one."""

    @property
    def outcome(self) -> str:
        """The label of the answer in the metrics."""
        return self.outage or str(self.status)

    @property
    def is_ok(self) -> bool:
        """Whether Appcues has accepted the request."""
        return 200 <= self.status < 300


@dataclass(frozen=True, slots=True)
class AnswerEffect:
    """What an answer means for its message, for the operator, and for other messages."""

    settlement: Settlement
    alarm: AlarmName | Literal[""] = ""
    """The name of the alarm to raise; "" for none."""
    detail: str = ""
    pause: float = 0.0
    """Seconds for which no request is sent."""
    may_be_down: bool = False
    """Whether Appcues may be down: several such answers in a row count as an outage."""
    is_unknown: bool = False
    """Whether Appcues may have carried out the request, or may still do so."""
    outcome: str = ""
    """`ok`, the status, or the outage; "" where no request was made."""


def interpret_answer(answer: AppcuesAnswer, values_to_mask: Collection[str] = ()) -> AnswerEffect:
    """Return the effect of an answer; `values_to_mask` are masked in its texts."""
    outcome = "ok" if answer.is_ok else answer.outcome
    return replace(_interpret(answer, values_to_mask), outcome=outcome)


def _interpret(answer: AppcuesAnswer, values_to_mask: Collection[str]) -> AnswerEffect:
    status, outcome, wait = answer.status, answer.outcome, answer.retry_after
    if answer.is_ok:
        return AnswerEffect(Delivered())
    if answer.outage:
        return AnswerEffect(Retry(outcome, counts=False), may_be_down=True, is_unknown=answer.outage != "no_connection")
    if status in (401, 403):
        cause = "the API key or its secret is wrong" if status == 401 else "the API key may not write profiles"
        detail = f"Appcues answered {status}: {cause}, or they are of another account or region"
        return AnswerEffect(Retry(outcome, REFUSED_PAUSE, counts=False), "appcues_sign_in", detail, pause=REFUSED_PAUSE)
    if status == 429:
        return AnswerEffect(Retry(outcome, wait, counts=False), pause=wait or 1.0)
    if status in OUTAGE_STATUSES:
        return AnswerEffect(Retry(outcome, wait, counts=False), pause=wait or 0.0, may_be_down=True, is_unknown=True)
    if status >= 500 or status in (408, 425):
        return AnswerEffect(Retry(outcome, wait), is_unknown=True)
    if 400 <= status < 500:
        reason = "appcues_not_found" if status == 404 else "appcues_refused"
        return AnswerEffect(Parked(reason, f"{status} {_mask(_read_error_text(answer.body), values_to_mask)}"))
    detail = f"Appcues answered {status}, which its API does not; is APPCUES_API_URL right?"
    return AnswerEffect(Retry(outcome, REFUSED_PAUSE, counts=False), "appcues_address", detail, pause=REFUSED_PAUSE)


def retry_after(header: str | None, now: datetime) -> float | None:
    """Parse a Retry-After header to seconds, at most `LONGEST_WAIT`; None without a valid header."""
    seconds = parse_retry_after(header, now)
    return None if seconds is None else min(seconds, LONGEST_WAIT)


def _mask(text: str, values: Collection[str]) -> str:
    """Replace sent values in a text of Appcues. Short values are kept, since they occur in ordinary words."""
    for value in sorted(values, key=len, reverse=True):
        text = text.replace(value, "…") if len(value) >= SHORTEST_MASKED else text
    return text


def _read_error_text(body: bytes) -> str:
    """Return Appcues' own error text: `title - detail`."""
    try:
        document: Any = json.loads(body)
    except (ValueError, RecursionError):
        return "without a reason"
    parts = [str(document.get(key) or "") for key in ("title", "detail")] if isinstance(document, dict) else []
    return " - ".join(filter(None, parts))[:LONGEST_DETAIL] or "without a reason"
