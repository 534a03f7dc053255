"""Parse timestamps of senders, and format them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

AHEAD = timedelta(minutes=5)
"""How far in the future the time of an event may be, since clocks differ."""
BEHIND = datetime(2010, 1, 1, tzinfo=UTC)
"""The earliest time that an event may have: Appcues did not exist before."""

_DIGITS = re.compile(r"[0-9]{9,19}(\.[0-9]{1,9})?")
_ZONE = re.compile(r"\s*(?:UTC|GMT|Z|(?P<offset>[+-][0-9]{2}:?[0-9]{2}))$")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_UNITS = ((1e11, 1.0), (1e14, 1e3), (1e17, 1e6), (1e20, 1e9))
"""Epoch times below the first number are in seconds, below the next ones in milli-, micro- and nanoseconds."""


def parse_time(value: object) -> datetime | None:
    """Parse a time: ISO 8601 or RFC 2822 (UTC without an offset), or an epoch time; None if it is none of these."""
    if isinstance(value, str):
        text = value.strip()
        return _epoch(float(text)) if _DIGITS.fullmatch(text) else _calendar_time(text)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _epoch(value)
    return None


def format_time(time: datetime) -> str:
    """Format a time in UTC with milliseconds: `2026-11-23T17:23:00.000Z`."""
    return time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def event_time(value: object, received: datetime) -> datetime:
    """Return the event's own time, or the time of receipt if the event's time is missing or implausible."""
    time = parse_time(value)
    return time if time is not None and BEHIND <= time <= received + AHEAD else received


def _epoch(number: float) -> datetime | None:
    unit = next((unit for below, unit in _UNITS if 0 <= number < below), None)
    return None if unit is None else _EPOCH + timedelta(seconds=number / unit)


def _calendar_time(text: str) -> datetime | None:
    """Parse ISO 8601 (also with a space before the offset, or `UTC` as the offset) or RFC 2822."""
    plain = _ZONE.sub(lambda zone: zone["offset"] or "+00:00", text.upper())
    for parse, source in ((datetime.fromisoformat, plain), (parsedate_to_datetime, text)):
        try:
            time = parse(source)
            return (time if time.tzinfo else time.replace(tzinfo=UTC)).astimezone(UTC)
        except (ValueError, OverflowError, IndexError):
            continue
    return None
