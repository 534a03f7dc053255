"""Queue records through Bulk API 2.0, resuming after the last stored page: every record once, or a part of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from sfcode.errors import OrgError
from sfcode.lazy_dataclasses import asdict, dataclass, replace
from sfcode.mapping.resolved import ResolvedMapping
from sfcode.org import Org
from sfcode.org.bulk import NO_BULK, Job
from sfcode.relay.api_calls import using_api
from sfcode.relay.backfill.records import explain_query_error, message, recall_setting, select, setting_of
from sfcode.relay.message import InboxMessage

if TYPE_CHECKING:
    from sfcode.relay.inbox import Inbox

BulkRow = Mapping[str, str | None]
ChooseMessages = Callable[[Sequence[BulkRow], str], list[InboxMessage]]
"""Returns the messages for the records of a page; the ID is that of the Bulk API job."""

PAGE = 2_000
POLL_FIRST = 0.5
POLL_MOST = 15.0


@dataclass(frozen=True, slots=True)
class Progress:
    """Progress of a run through a mapping's records."""

    job: str
    version: str
    """The version of the queried field list."""
    locator: str | None = None
    records: int = 0
    done: bool = False
    total: int = 0
    queued: int = 0
    """The number of queued messages that were new."""


def load_progress(inbox: Inbox, mapping: ResolvedMapping, name: str = "backfill") -> Progress | None:
    """Load the progress of a mapping's last backfill, or of another run."""
    text = recall_setting(inbox, mapping, name)
    return Progress(**json.loads(text)) if text else None


def backfill(
    org: Org,
    inbox: Inbox,
    mapping: ResolvedMapping,
    say: Callable[[str], None],
    *,
    restart: bool,
    sleep: Callable[[float], object],
) -> Progress:
    """Resume the backfill of a mapping, or start one."""
    saved_progress = None if restart else load_progress(inbox, mapping)
    if saved_progress is not None and saved_progress.done:
        return saved_progress

    def every_record(rows: Sequence[BulkRow], job: str) -> list[InboxMessage]:
        return [inbox_message for row in rows if (inbox_message := message(mapping, row, "backfill", job))]

    return BulkRun("backfill", org, inbox, mapping, every_record, say, sleep).go_on(saved_progress)


@dataclass(frozen=True, slots=True)
class BulkRun:
    """Reads the records of a mapping page by page, and stores the messages that are chosen for each page."""

    name: str
    """The name of the setting that stores the progress."""
    org: Org
    inbox: Inbox
    mapping: ResolvedMapping
    choose: ChooseMessages
    say: Callable[[str], None]
    sleep: Callable[[float], object]

    def go_on(self, saved: Progress | None) -> Progress:
        """Resume an earlier run, or start one."""
        with using_api(self.name, self.mapping.name):
            return self._fetch_all(saved)

    def _fetch_all(self, saved: Progress | None) -> Progress:
        mapping = self.mapping
        try:
            progress = self._resume(saved) or self._start()
            job = self._wait_for_job(progress)
        except OrgError as error:
            raise _explain(mapping, error) from None
        progress = replace(progress, total=job.records)
        while not progress.done:
            progress = self._fetch_page(progress)
            self.say(f"{mapping.name}: {progress.records:,} of {max(job.records, progress.records):,} records")
        return progress

    def _resume(self, saved: Progress | None) -> Progress | None:
        """Return the progress to resume; None if the org deleted the job or the mapping's fields changed."""
        mapping = self.mapping
        if saved is None:
            return None
        if saved.version != mapping.message_version:
            self.say(f"{mapping.name}: its fields have changed since the {self.name} began, so it starts again")
            return None
        try:
            job = self.org.bulk.job(saved.job)
        except OrgError as error:
            if error.code != "NOT_FOUND":
                raise
            job = None
        if job is None or not (job.runs or job.complete):
            self.say(
                f"{mapping.name}: the org no longer has the results of the interrupted {self.name}, so it starts again"
            )
            return None
        self.say(f"{mapping.name}: continues after {saved.records:,} records")
        return saved

    def _wait_for_job(self, progress: Progress) -> Job:
        mapping, pause = self.mapping, POLL_FIRST
        while (job := self.org.bulk.job(progress.job)).runs:
            self.say(f"{mapping.name}: the org is reading, {job.records:,} records so far")
            self.sleep(pause)
            pause = min(pause * 2, POLL_MOST)
        if not job.complete:
            raise OrgError(
                f"The org aborted the query for mapping {mapping.name} ({job.state}): {job.message or 'no reason given'}",
                f"`sfcode relay {self.name} --restart` starts again.",
            )
        return job

    def _start(self) -> Progress:
        progress = Progress(self.org.bulk.start(select(self.mapping)).id, self.mapping.message_version)
        self._save(progress)
        return progress

    def _fetch_page(self, progress: Progress) -> Progress:
        """Store one page in the inbox, then the progress: a page that is read twice is stored once."""
        page = self.org.bulk.page(progress.job, progress.locator, PAGE)
        queued = self.inbox.accept(self.choose(page.records, progress.job))
        progress = replace(
            progress,
            locator=page.locator,
            records=progress.records + len(page.records),
            queued=progress.queued + queued,
            done=page.locator is None,
        )
        self._save(progress)
        return progress

    def _save(self, progress: Progress) -> None:
        self.inbox.remember(setting_of(self.mapping, self.name), json.dumps(asdict(progress)))


def _explain(mapping: ResolvedMapping, error: OrgError) -> OrgError:
    if error.code in NO_BULK:
        return OrgError(
            f"This org does not let the user signed in use Bulk API 2.0 ({error.message}).",
            "Editions without API access have none. `sfcode relay reconcile --since 3650d` sends every record over REST.",
            code=error.code,
        )
    return explain_query_error(mapping, error)
