"""One relay process: create its parts, and start and stop them in order."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Callable, Sequence
from functools import partial

import structlog
from starlette.types import ASGIApp

from sfcode.errors import OrgError, SfcodeError
from sfcode.lazy_dataclasses import dataclass
from sfcode.org import Org
from sfcode.relay.api_calls import ApiBudget, PendingApiCalls, using_api
from sfcode.relay.appcues import FieldTypeCache, FieldTypeRefresher
from sfcode.relay.change_runner import BulkChangeRunner
from sfcode.relay.config import RelayConfig
from sfcode.relay.current_pauses import CurrentPauses
from sfcode.relay.housekeeping import Housekeeping, process_name
from sfcode.relay.inbox import GroupCommit, Inbox, Unavailable
from sfcode.relay.instrumentation import Instrumentation
from sfcode.relay.message import InboxMessage, Source, Writer
from sfcode.relay.notify.notifier import Notifier
from sfcode.relay.notify.render import NotifyingRelay
from sfcode.relay.schedule import ScheduledJob, Scheduler, scheduled_jobs
from sfcode.relay.worker.wakeup import Wakeup
from sfcode.relay.worker.worker import RetryDelay, Worker

log = structlog.stdlib.get_logger(__name__)

ORGANIZATION = "organization_id"
"""The setting with the ID of the org that messages must come from."""
INSTANCE_URL = "instance_url"
"""The setting with the URL of that org, for links to records."""
CONNECT_FIRST = 0.5
CONNECT_MOST = 30.0
CONNECT_MOST_ASKED = 3600.0
"""The longest wait before another sign-in, in seconds, also if Salesforce asks for a longer one."""
GATHER: dict[Source, float] = {"appcues": 1.0, "salesforce": 0.25}
"""Seconds between two batches that are not full. Calls to Salesforce count against a daily limit, those to Appcues do not."""
REQUESTS_PER_SECOND = 50.0
"""The number of requests per second of the relay, of the 60 of an Appcues account; the rest is for other clients of its
API."""


@dataclass(frozen=True, slots=True)
class Builders:
    """Functions that build the parts which depend on the config: sign-in to Salesforce, ingress, and both writers."""

    connect: Callable[[RelayConfig], Org]
    ingress: Callable[[Service, RelayConfig], ASGIApp]
    to_salesforce: Callable[[Service, RelayConfig, Org], Writer]
    to_appcues: Callable[[Service, RelayConfig, FieldTypeCache], Writer]
    types: Callable[[RelayConfig], FieldTypeCache]
    """The cache of field types for the writer to Appcues."""


class Service:
    """Accepts and delivers messages, from `start` to `stop`."""

    def __init__(
        self,
        config: RelayConfig,
        inbox: Inbox,
        builders: Builders,
        *,
        retry_delay: RetryDelay,
        rng: random.Random,
        api_calls: PendingApiCalls | None = None,
    ) -> None:
        self.config = config
        """The config in use."""
        self.inbox = inbox
        self.instrumentation = Instrumentation()
        inbox.timed = self.instrumentation.record_transaction
        self.organization: str | None = None
        """The ID of the org whose messages are accepted; None before the first sign-in."""
        pending = api_calls or PendingApiCalls()
        pending.counted = self.instrumentation.record_api_use
        self.api_budget = ApiBudget(
            lambda: self.config.project.settings.relay.api_calls_per_day, self.instrumentation.raise_alarm, pending
        )
        self.pauses = CurrentPauses()
        """The current pauses."""
        self.pauses.use_names(config.project.present_names)
        self._builders = builders
        self._retry_delay = retry_delay
        self._rng = rng
        self._types = builders.types(config)
        self._field_types = FieldTypeRefresher(self._types, self.instrumentation)
        name = process_name()
        self.bulk_changes = BulkChangeRunner(inbox, name)
        """Replays and discards of many messages."""
        self.housekeeping = Housekeeping(
            inbox,
            self.instrumentation,
            name,
            config=config.digest,
            retention=config.retention,
            budget=self.api_budget,
            pauses=self.pauses,
            bulk_changes=self.bulk_changes,
        )
        self._scheduler = Scheduler(inbox, self.instrumentation, self.housekeeping.name, self._scheduled_jobs)
        self._notifier = Notifier(
            inbox.notifications, self.instrumentation, self._sender, lambda: self.config.settings.receivers
        )
        self.commit = GroupCommit(inbox, committed=self._record_committed)
        """Commits the messages of ingress."""
        self._wakeups: dict[Source, Wakeup] = {"appcues": Wakeup(), "salesforce": Wakeup()}
        self._workers: dict[Source, Worker] = {}
        self._background: list[asyncio.Task[None]] = []
        self._org: Org | None = None
        self._orgs: list[Org] = []
        """All connections to Salesforce; a change of the API version creates another one."""
        self._signed_in = False
        self._stopping = False
        self._reloading = asyncio.Lock()
        self.sign_in_problem = ""
        self.config_problem = ""
        """Why the present files of the config are not in use; "" if they are."""
        self.ingress = builders.ingress(self, config)
        """The application that receives webhooks and outbound messages."""

    async def start(self) -> None:
        """Start accepting and delivering."""
        self.organization = await asyncio.to_thread(self.inbox.recall, ORGANIZATION)
        self.commit.start()
        await self.housekeeping.beat()
        await self._field_types.load()
        if self.config.settings.directions.to_appcues:
            self._work(self._builders.to_appcues(self, self.config, self._types))
        self._background = [
            asyncio.create_task(self._sign_in(), name="sign-in"),
            asyncio.create_task(self.housekeeping.run(), name="upkeep"),
            asyncio.create_task(self._notifier.run(), name="notify"),
        ]
        for task in self._background:
            task.add_done_callback(_log_failure)

    async def reload(self, config: RelayConfig) -> None:
        """
        Use another config from now on. Deliveries in progress finish with the previous one.

        Raises SfcodeError if the config cannot be used; then the previous one stays in use.
        """
        async with self._reloading:
            builders, old = self._builders, self.config
            ingress = builders.ingress(self, config)
            types = builders.types(config)
            await asyncio.to_thread(types.load)
            org = self._org
            if org and config.project.settings.salesforce != old.project.settings.salesforce:
                org = await asyncio.to_thread(builders.connect, config)
                self._orgs.append(org)
            directions = config.settings.directions
            writers: dict[Source, Writer | None] = {
                "salesforce": builders.to_appcues(self, config, types) if directions.to_appcues else None,
                "appcues": (
                    builders.to_salesforce(self, config, org)
                    if directions.to_salesforce and org and self._signed_in
                    else None
                ),
            }
            self.config, self.ingress, self._org, self._types = config, ingress, org, types
            self.housekeeping.config, self.housekeeping.retention = config.digest, config.retention
            self.pauses.use_names(config.project.present_names)
            self._field_types.use(types)
            for source, writer in writers.items():
                await self._deliver_by(source, writer)

    async def _deliver_by(self, source: Source, writer: Writer | None) -> None:
        """Deliver the messages of a source with another writer; without a writer, stop their delivery."""
        worker = self._workers.get(source)
        if writer is None:
            if worker:
                del self._workers[source]
                await worker.stop()
        elif worker:
            await worker.replace_writer(writer)
        elif not self._stopping:
            self._work(writer)

    def stop_claiming(self) -> None:
        """Stop claiming messages; received messages are still committed and answered."""
        self._stopping = True
        for worker in self._workers.values():
            worker.stop_claiming()

    async def stop(self) -> None:
        """Finish or release claimed messages. Called after all requests are answered."""
        self.stop_claiming()
        for task in self._background:
            task.cancel()
        await asyncio.gather(*self._background, return_exceptions=True)
        await self._scheduler.stop()
        await self.commit.stop()
        await asyncio.gather(*(worker.stop() for worker in self._workers.values()))
        await asyncio.to_thread(self.bulk_changes.stop)
        with contextlib.suppress(Exception):  # alarms are also in the log, and the entry of this process expires
            await asyncio.to_thread(self.housekeeping.leave)
        for org in self._orgs:
            org.close()

    def problems(self) -> list[str]:
        """Return the reasons why this process is not ready; [] if it is."""
        reasons = [self.housekeeping.trouble, *(worker.trouble for worker in self._workers.values())]
        if not all(worker.alive for worker in self._workers.values()) or any(map(_failure, self._background)):
            reasons.append("a worker has ended")
        if self.organization is None:
            reasons.append(
                f"the organization ID is not known yet: {self.sign_in_problem or 'signing in to Salesforce'}"
            )
        if self._stopping:
            reasons.append("stopping")
        return list(dict.fromkeys(filter(None, reasons)))

    def notes(self) -> list[str]:
        """Return problems that do not prevent the acceptance of messages."""
        sign_in = f"Salesforce: {self.sign_in_problem}" if self.sign_in_problem else ""
        paused = ", ".join(map(str, self.pauses))
        return [note for note in (sign_in, self.config_problem, f"paused: {paused}" if paused else "") if note]

    def _sender(self) -> NotifyingRelay:
        """Return the relay's identity for notifications."""
        return NotifyingRelay.of(self.config.project)

    @property
    def instance_url(self) -> str:
        """The URL of the org, for links to records; "" before the first sign-in."""
        return self._org.instance_url if self._org is not None and self._signed_in else ""

    def rate(self) -> float:
        """Return this process's share of Appcues' requests per second."""
        return REQUESTS_PER_SECOND / self.housekeeping.processes

    def _record_committed(
        self, groups: Sequence[Sequence[InboxMessage]], counts: Sequence[int], seconds: Sequence[float]
    ) -> None:
        """Record a transaction, and wake the workers with new messages."""
        self.instrumentation.record_committed(groups, counts, seconds)
        new = (messages for messages, count in zip(groups, counts, strict=True) if count)
        for source in {message.source for messages in new for message in messages}:
            self._wakeups[source].wake()

    def _work(self, writer: Writer) -> None:
        worker = Worker(
            self.inbox,
            writer,
            self.instrumentation,
            wakeup=self._wakeups[writer.source],
            retry_delay=self._retry_delay,
            lease=self.config.settings.lease,
            gather=GATHER[writer.source],
            rng=self._rng,
            is_paused=partial(self.pauses.stops, writer.source),
        )
        self._workers[writer.source] = worker
        worker.start()

    async def _sign_in(self) -> None:
        """Sign in to Salesforce, retrying until it succeeds; until then messages wait in the inbox."""
        pause = CONNECT_FIRST
        while True:
            retry_after = 0.0
            try:
                org, organization = await asyncio.to_thread(self._connect)
                # Before the first claim, so that messages need not wait for field types. A failure is retried later.
                await self._field_types.refresh_if_due(org)
                await self._set_organization(organization)
                break
            except SfcodeError as error:
                if not self.sign_in_problem:
                    log.warning("sign_in_failed", exc_info=error)
                self.sign_in_problem = type(error).__name__
                retry_after = error.retry_after or 0.0 if isinstance(error, OrgError) else 0.0
            except Exception as error:
                log.exception("sign_in_failed")
                self.sign_in_problem = type(error).__name__
            await asyncio.sleep(min(retry_after, CONNECT_MOST_ASKED) + self._rng.uniform(pause / 2, pause))
            pause = min(pause * 2, CONNECT_MOST)
        self.sign_in_problem = ""
        log.info("signed_in", organization=self.organization)
        async with self._reloading:
            self._signed_in = True
            if self.config.settings.directions.to_salesforce and not self._stopping:
                self._work(self._builders.to_salesforce(self, self.config, self._org or org))
        await asyncio.gather(self._field_types.run(org), self._scheduler.run())

    def _scheduled_jobs(self) -> Sequence[ScheduledJob]:
        """Return the jobs of the present config; none before the sign-in."""
        org = self._org
        if org is None or not self._signed_in or not self.config.settings.directions.to_appcues:
            return ()
        if self.api_budget.is_used_up:
            return ()
        return scheduled_jobs(self.config.project, org, self.inbox, self._types)

    def _connect(self) -> tuple[Org, str]:
        org = self._org
        if org is None:
            self._org = org = self._builders.connect(self.config)
            self._orgs.append(org)
        with using_api("sign_in", direction=""):
            identity = org.identity
        with contextlib.suppress(Unavailable):  # only links to records need the stored URL
            self.inbox.remember(INSTANCE_URL, identity.instance_url)
        return org, identity.org_id

    async def _set_organization(self, organization: str) -> None:
        if self.organization is not None and self.organization != organization:
            self.instrumentation.raise_alarm(
                "organization_changed",
                f"The inbox belongs to org {self.organization}, and the sign-in leads to {organization}. Messages of "
                "the previous org are refused from now on.",
            )
        if self.organization != organization:
            await asyncio.to_thread(self.inbox.remember, ORGANIZATION, organization)
            self.organization = organization


def _failure(task: asyncio.Task[None]) -> BaseException | None:
    """Return the exception that ended a background task."""
    return task.exception() if task.done() and not task.cancelled() else None


def _log_failure(task: asyncio.Task[None]) -> None:
    error = _failure(task)
    if error is not None:
        log.error("task_ended", task=task.get_name(), exc_info=error)
