"""Parse timestamps of senders, and format them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

AHEAD = timedelta(minutes=5)
BEHIND = datetime(2010, 1, 1, tzinfo=UTC)
"""A time that is further in the future, or before there was an Appcues, comes from a clock that is wrong."""

_DIGITS = re.compile(r"[0-9]{9,19}(\.[0-9]{1,9})?")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_UNITS = ((1e11, 1.0), (1e14, 1e3), (1e17, 1e6), (1e20, 1e9))
"""Below the first number an epoch time is in seconds; then in milli-, micro- and nanoseconds."""


def parse_time(value: object) -> datetime | None:
    """Parse a time: ISO 8601 (UTC without an offset), or an epoch time; None where it is neither."""
    if isinstance(value, str):
        text = value.strip()
        return _epoch(float(text)) if _DIGITS.fullmatch(text) else _iso(text)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _epoch(value)
    return None


def format_time(time: datetime) -> str:
    """Format a time in UTC with milliseconds: `2026-11-23T17:23:00.000Z`."""
    return time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def event_time(stated: object, received: datetime) -> datetime:
    """Return when an event happened: as stated, or when it was received if that is missing or implausible."""
    time = parse_time(stated)
    return time if time is not None and BEHIND <= time <= received + AHEAD else received


def _epoch(number: float) -> datetime | None:
    unit = next((unit for below, unit in _UNITS if 0 <= number < below), None)
    return None if unit is None else _EPOCH + timedelta(seconds=number / unit)


def _iso(text: str) -> datetime | None:
    try:
        time = datetime.fromisoformat(text)
        return (time if time.tzinfo else time.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
