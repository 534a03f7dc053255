"""Rules of events and tasks: times, and the records they relate to."""

from __future__ import annotations

from datetime import datetime, timedelta

from sfcode.local.clock import audit_stamp, stamp
from sfcode.local.errors import make_error
from sfcode.local.ids import KEY_PREFIXES
from sfcode.local.sobjects.model import PendingRecord
from sfcode.local.sobjects.rows import get_row
from sfcode.local.store import Scalar

DAY_MINUTES = 24 * 60
LONGEST = 14 * DAY_MINUTES


def prepare_event(save: PendingRecord) -> None:
    """
    Compute start and end of an event: a start is required, and a duration or an end unless it lasts all day.

    https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_event.htm
    """
    _set_account(save)
    if save.after.get("IsAllDayEvent"):
        _all_day(save)
        return
    start, minutes = _start(save), _minutes(save)
    ends = stamp(start + timedelta(minutes=minutes))
    begins = stamp(start)
    after = save.after
    after |= {"StartDateTime": begins, "ActivityDateTime": begins, "ActivityDate": begins[:10]}
    after |= {"DurationInMinutes": minutes, "EndDateTime": ends, "EndDate": ends[:10]}


def prepare_task(save: PendingRecord) -> None:
    """Set whether a task is closed, from its status."""
    _set_account(save)
    after = save.after
    closed = after.get("Status") == "Completed"
    after |= {"IsClosed": closed, "IsHighPriority": after.get("Priority") == "High"}
    if not closed:
        after["CompletedDateTime"] = None
    elif not after.get("CompletedDateTime"):
        after["CompletedDateTime"] = audit_stamp(save.now)


def _set_account(save: PendingRecord) -> None:
    """Set the account of an activity from its Who or What; an activity of a lead has none."""
    who_id, what_id = (str(save.after.get(name) or "") for name in ("WhoId", "WhatId"))
    if who_id.startswith(KEY_PREFIXES["Lead"]) and what_id:
        message = "Related To ID: an activity that is about a lead can't be related to anything else"
        raise make_error("integrity", field="WhatId", message=message)
    account: Scalar = what_id if what_id.startswith(KEY_PREFIXES["Account"]) else None
    if account is None and who_id.startswith(KEY_PREFIXES["Contact"]):
        account = (get_row(save.tx, "Contact", who_id) or {}).get("AccountId")
    save.after["AccountId"] = account


def _all_day(save: PendingRecord) -> None:
    after = save.after
    start = save.first("StartDateTime", "ActivityDateTime")
    day = save.first("ActivityDate") or (str(start)[:10] if start else None)
    if day is None:
        raise make_error("required", names=["ActivityDate"])
    midnight = f"{day}T00:00:00.000+0000"
    minutes = int(after.get("DurationInMinutes") or DAY_MINUTES)
    _check(minutes)
    after |= {"ActivityDate": day, "ActivityDateTime": None, "StartDateTime": midnight, "DurationInMinutes": minutes}
    after["EndDateTime"] = after.get("EndDateTime") or midnight
    after["EndDate"] = str(after["EndDateTime"])[:10]


def _start(save: PendingRecord) -> datetime:
    start = save.first("StartDateTime", "ActivityDateTime")
    starts = {save.after.get(name) for name in ("StartDateTime", "ActivityDateTime") if name in save.names} - {None}
    has_length = any(save.after.get(name) is not None for name in ("DurationInMinutes", "EndDateTime"))
    if start is None or not has_length:
        missing = [] if has_length else ["DurationInMinutes"]
        raise make_error("required", names=missing if start else [*missing, "ActivityDateTime"])
    if len(starts) > 1:
        raise make_error(
            "integrity", field="ActivityDateTime", message="Activity Date Time and Start Date Time have to be the same"
        )
    return datetime.fromisoformat(str(start))


def _minutes(save: PendingRecord) -> int:
    """Return the duration in minutes, from the values that the caller set; a new start alone does not change it."""
    after, start = save.after, _start(save)
    lengths = [
        name for name in ("DurationInMinutes", "EndDateTime") if name in save.names and after.get(name) is not None
    ]
    minutes = int(after.get("DurationInMinutes") or 0)
    if "EndDateTime" in lengths or (save.before is None and after.get("DurationInMinutes") is None):
        length = int((datetime.fromisoformat(str(after["EndDateTime"])) - start).total_seconds() // 60)
        if "DurationInMinutes" in lengths and length != minutes:
            raise make_error("integrity", field="DurationInMinutes", message="Duration and End Date Time do not agree")
        minutes = length
    _check(minutes)
    return minutes


def _check(minutes: int) -> None:
    if minutes < 0:
        raise make_error("integrity", field="DurationInMinutes", message="Event duration can not be negative")
    if minutes > LONGEST:
        raise make_error(
            "integrity", field="DurationInMinutes", message="Event duration can not be longer than 14 days"
        )
