"""Date literals: the range of `LAST_N_DAYS:30` on a given day, in UTC."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from sfcode.local.soql.ast import DateRange

MONTHS = {"MONTH": 1, "QUARTER": 3, "YEAR": 12}


def bounds(literal: DateRange, now: datetime) -> tuple[date, date]:
    """Return the first day of the range, and the first day after it."""
    today = now.date()
    name, number = literal.name, literal.number
    if name in ("TODAY", "YESTERDAY", "TOMORROW"):
        day = today + timedelta(days=("YESTERDAY", "TODAY", "TOMORROW").index(name) - 1)
        return day, day + timedelta(days=1)
    if name == "N_DAYS_AGO":
        return today - timedelta(days=number), today - timedelta(days=number - 1)
    if name in ("LAST_90_DAYS", "NEXT_90_DAYS"):
        name, number = name.replace("90", "N"), 90
    which, _, unit = name.partition("_")
    unit = unit.removeprefix("N_")
    if unit == "DAYS":
        # The past reaches to the end of today; the future begins tomorrow.
        tomorrow = today + timedelta(days=1)
        if which == "LAST":
            return today - timedelta(days=number), tomorrow
        return tomorrow, tomorrow + timedelta(days=number)
    steps = number or 1
    unit = unit.removesuffix("S")
    first, last = {"LAST": (-steps, 0), "THIS": (0, 1), "NEXT": (1, 1 + steps)}[which]
    return _start(today, unit, first), _start(today, unit, last)


def _start(today: date, unit: str, steps: int) -> date:
    """Return the first day of the unit a number of steps from the current one; weeks begin on Sunday."""
    if unit == "WEEK":
        sunday = today - timedelta(days=(today.weekday() + 1) % 7)
        return sunday + timedelta(weeks=steps)
    width = MONTHS[unit]
    month = (today.year * 12 + today.month - 1) // width * width + steps * width
    return date(month // 12, month % 12 + 1, 1)
