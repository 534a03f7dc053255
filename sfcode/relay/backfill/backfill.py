"""Queue every record once, through Bulk API 2.0, resuming after the last stored page."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

from sfcode.errors import OrgError
from sfcode.mapping.resolved import ResolvedMapping
from sfcode.org import Org
from sfcode.org.bulk import NO_BULK, Job
from sfcode.relay.backfill.records import explain_query_error, message, select

if TYPE_CHECKING:
    from sfcode.relay.inbox import Inbox

PAGE = 2_000
POLL_FIRST = 0.5
POLL_MOST = 15.0


@dataclass(frozen=True, slots=True)
class Progress:
    """Progress of a mapping's backfill."""

    job: str
    version: str
    """Of the field list that was asked for."""
    locator: str | None = None
    records: int = 0
    done: bool = False
    total: int = 0


def progress_setting(one: ResolvedMapping) -> str:
    """Name the setting that stores the progress of a mapping's backfill."""
    return f"backfill:{one.name}"


def load_progress(inbox: Inbox, one: ResolvedMapping) -> Progress | None:
    """Load the progress of a mapping's last backfill."""
    kept = inbox.recall(progress_setting(one))
    return Progress(**json.loads(kept)) if kept else None


def backfill(
    org: Org,
    inbox: Inbox,
    one: ResolvedMapping,
    say: Callable[[str], None],
    *,
    restart: bool,
    sleep: Callable[[float], None],
) -> Progress:
    """Resume the backfill of a mapping, or start one."""
    found = None if restart else load_progress(inbox, one)
    if found is not None and found.done:
        return found
    try:
        progress = _resume(org, one, found, say) or _start(org, inbox, one)
        job = _wait_for_job(org, progress, one, say, sleep)
    except OrgError as error:
        raise _explain(one, error) from None
    progress = replace(progress, total=job.records)
    while not progress.done:
        progress = _fetch_page(org, inbox, one, progress)
        say(f"{one.name}: {progress.records:,} of {max(job.records, progress.records):,} records")
    return progress


def _resume(org: Org, one: ResolvedMapping, found: Progress | None, say: Callable[[str], None]) -> Progress | None:
    """Return the progress to resume; None if the org dropped the job or the mapping's fields changed."""
    if found is None:
        return None
    if found.version != one.message_version:
        say(f"{one.name}: its fields have changed since the backfill began, so it begins anew")
        return None
    try:
        job = org.bulk.job(found.job)
    except OrgError as error:
        if error.code != "NOT_FOUND":
            raise
        job = None
    if job is None or not (job.runs or job.complete):
        say(f"{one.name}: the org no longer has the results of the backfill that had begun, so it begins anew")
        return None
    say(f"{one.name}: goes on after {found.records:,} records")
    return found


def _start(org: Org, inbox: Inbox, one: ResolvedMapping) -> Progress:
    progress = Progress(org.bulk.start(select(one)).id, one.message_version)
    _save_progress(inbox, one, progress)
    return progress


def _wait_for_job(
    org: Org, progress: Progress, one: ResolvedMapping, say: Callable[[str], None], sleep: Callable[[float], None]
) -> Job:
    pause = POLL_FIRST
    while (job := org.bulk.job(progress.job)).runs:
        say(f"{one.name}: the org is reading, {job.records:,} records so far")
        sleep(pause)
        pause = min(pause * 2, POLL_MOST)
    if not job.complete:
        raise OrgError(
            f"The org gave up the query for mapping {one.name} ({job.state}): {job.message or 'no reason given'}",
            "`sfcode relay backfill --restart` begins anew.",
        )
    return job


def _fetch_page(org: Org, inbox: Inbox, one: ResolvedMapping, progress: Progress) -> Progress:
    """Store one page in the inbox, then the progress: a page that is read twice is stored once."""
    page = org.bulk.page(progress.job, progress.locator, PAGE)
    messages = [made for row in page.records if (made := message(one, row, "backfill", progress.job))]
    inbox.accept(messages)
    records = progress.records + len(page.records)
    progress = replace(progress, locator=page.locator, records=records, done=page.locator is None)
    _save_progress(inbox, one, progress)
    return progress


def _save_progress(inbox: Inbox, one: ResolvedMapping, progress: Progress) -> None:
    inbox.remember(progress_setting(one), json.dumps(asdict(progress)))


def _explain(one: ResolvedMapping, error: OrgError) -> OrgError:
    if error.code in NO_BULK:
        return OrgError(
            f"This org does not let the user signed in use Bulk API 2.0 ({error.message}).",
            "Editions without API access have none. `sfcode relay reconcile --since 3650d` sends every record over REST.",
            code=error.code,
        )
    return explain_query_error(one, error)
