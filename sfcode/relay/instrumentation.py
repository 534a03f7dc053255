"""
Instrumentation of a relay process: Prometheus metrics, log lines, and alarms.

Nothing here handles the content of messages or secrets: messages are identified by IDs, errors by codes.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

import structlog
from prometheus_client import Histogram

from sfcode.relay.activity import PendingActivity
from sfcode.relay.alarms import PendingAlarms
from sfcode.relay.api_calls import ApiUse
from sfcode.relay.clock import boot_time
from sfcode.relay.log import LogLimit, message_ids
from sfcode.relay.message import (
    Claim,
    ClaimedMessage,
    Delivered,
    Delivery,
    InboxMessage,
    Parked,
    Retry,
    Settlement,
    Source,
)
from sfcode.relay.metrics import Metrics

if TYPE_CHECKING:
    from sfcode.config.notify_models import AlarmName

log = structlog.stdlib.get_logger("sfcode.relay")

LONGEST_CODE = 60
"""The maximum length of an error code in the log, in characters."""
REFUSALS_LOGGED = 20
"""The maximum number of refused requests of one source that are logged per second; all are counted."""
MOST_CODES = 3
"""The maximum number of error codes in the log line of a batch."""


class CallEvents(Protocol):
    """Records the calls to Salesforce and Appcues."""

    def record_call(self, side: str, operation: str, outcome: str, seconds: float) -> None:
        """Record a call to `salesforce` or `appcues`, such as `upsert`, and its outcome, such as `200` or `timeout`."""

    def record_hold(self, mapping: str, seconds: float) -> None:
        """Record for how many seconds nothing of a mapping is sent to Salesforce ("" for all mappings); 0 ends the hold."""

    def record_quota(self, used: int, limit: int) -> None:
        """Record how many of the org's daily API requests are used."""

    def raise_alarm(self, name: AlarmName, detail: str) -> None:
        """Raise an alarm."""


class IngressEvents(Protocol):
    """Records requests that ingress refuses."""

    def record_refused(self, source: str, reason: str, status: int) -> None:
        """Record a refused request by the source whose endpoint it was sent to."""

    def raise_alarm(self, name: AlarmName, detail: str) -> None:
        """Raise an alarm."""


class WorkerEvents(Protocol):
    """Records the work of a worker."""

    def record_settled(self, claim: Claim, delivery: Delivery, dead: frozenset[int], count: int) -> None:
        """Record the settlements of a claim; `count` is 0 if the lease was lost and nothing was written."""

    def record_bug(self, claim: Claim, error: BaseException) -> None:
        """Record an exception of a writer, which is a bug."""


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Instrumentation:
    """The metrics, the log and the alarms of one process."""

    def __init__(self, metrics: Metrics | None = None, *, clock: Callable[[], datetime] = _utc_now) -> None:
        self.metrics = metrics or Metrics()
        self.alarms = PendingAlarms()
        """Alarms of this process that are not in the inbox yet."""
        self.activity = PendingActivity(lambda: clock().timestamp())
        """Numbers of this process that are not in the inbox yet."""
        self._clock = clock
        self._refusals: defaultdict[str, LogLimit] = defaultdict(lambda: LogLimit(REFUSALS_LOGGED))

    def record_call(self, side: str, operation: str, outcome: str, seconds: float) -> None:
        """Count a call to Salesforce or Appcues, and observe its duration."""
        self.metrics.calls.labels(side, operation, outcome).inc()
        self.metrics.call_seconds.labels(side, operation).observe(seconds)
        self.activity.count(side, "calls" if outcome.startswith("2") else "failed_calls")

    def record_api_use(self, use: ApiUse) -> None:
        """Count a request to the org by mapping and purpose."""
        self.metrics.api_calls.labels(*use).inc()

    def record_hold(self, mapping: str, seconds: float) -> None:
        """Set the time until which nothing of a mapping, or of all mappings, is sent to the org; 0 seconds end the hold."""
        self.metrics.held_until.labels(mapping).set(self._clock().timestamp() + seconds if seconds else 0)

    def record_transaction(self, operation: str, seconds: float) -> None:
        """Observe the duration of a transaction of a delivery."""
        self.metrics.database_seconds.labels(operation).observe(seconds)

    def record_quota(self, used: int, limit: int) -> None:
        """Set how many of the org's daily API requests are used."""
        self.metrics.quota_used.set(used)
        self.metrics.quota_limit.set(limit)

    def raise_alarm(self, name: AlarmName, detail: str) -> None:
        """Count and log an alarm, and store it until it is acknowledged."""
        self.metrics.alarms.labels(name).inc()
        log.error("alarm", alarm=name, detail=detail)
        self.alarms.add(name, detail, f"{self._clock():%Y-%m-%dT%H:%M:%SZ}")

    def record_refused(self, source: str, reason: str, status: int, peer: str = "") -> None:
        """Count and log a refused request; `reason` is a short name, `peer` is the address of a client that sent a wrong token."""
        self.metrics.refused.labels(source, reason).inc()
        omitted = self._refusals[source].take()
        if omitted is not None:
            peer_field = {"peer": peer} if peer else {}
            log.warning("refused", source=source, status=status, reason=reason, **peer_field, **omitted)

    def record_refused_connection(self, reason: str) -> None:
        """Count a connection that is refused before its request. It is not logged, since a flood would fill the disk."""
        self.metrics.refused.labels("", reason).inc()

    def record_config(self, digest: str, outcome: str) -> None:
        """Record an attempt to load the config (`loaded`, `unchanged` or `refused`), and the digest of the config in use."""
        self.metrics.config_loads.labels(outcome).inc()
        self.metrics.config.clear()
        self.metrics.config.labels(digest).set(1)

    def record_committed(
        self, groups: Sequence[Sequence[InboxMessage]], counts: Sequence[int], seconds: Sequence[float]
    ) -> None:
        """Record the new messages of each request of a transaction, and the times from receipt to commit."""
        self.metrics.commit_messages.observe(sum(map(len, groups)))
        received: Counter[Source] = Counter()
        accepted: Counter[Source] = Counter()
        times: defaultdict[Source, Counter[float]] = defaultdict(Counter)
        for messages, new, duration in zip(groups, counts, seconds, strict=True):
            if messages:
                source = messages[0].source
                received[source] += len(messages)
                accepted[source] += new
                times[source][duration] += new
                self._log_accepted(source, messages, new)
        for source, number in received.items():
            self.activity.count(source, "received", accepted[source])
            self.activity.observe(source, "commit_time", +times[source])
            observe_all(self.metrics.commit_seconds.labels(source), +times[source])
            self.metrics.accepted.labels(source).inc(accepted[source])
            self.metrics.duplicates.labels(source).inc(number - accepted[source])

    def record_settled(self, claim: Claim, delivery: Delivery, dead: frozenset[int], count: int) -> None:
        """Record the outcome of a batch; after a lost lease, the new owner of the messages records it."""
        source = claim.messages[0].source
        metrics = self.metrics
        if count < len(claim.messages):
            metrics.lost_leases.labels(source).inc(len(claim.messages))
            log.warning("lease_lost", source=source, **message_ids([message.message_id for message in claim.messages]))
            return
        tally: Counter[str] = Counter()
        for message in claim.messages:
            tally[self._record_end(message, delivery.settlements.get(message.id), dead=message.id in dead)] += 1
        metrics.delivered.labels(source).inc(tally["delivered"])
        metrics.retried.labels(source).inc(tally["retried"])
        metrics.dead.labels(source).inc(tally["dead"])
        self._count_ends(claim, delivery, tally)
        codes = {"errors": error_codes(delivery.settlements.values())} if tally["retried"] or tally["dead"] else {}
        log.info(
            "settled",
            source=source,
            **tally,
            **codes,
            **message_ids([message.message_id for message in claim.messages]),
        )

    def _count_ends(self, claim: Claim, delivery: Delivery, tally: Counter[str]) -> None:
        """Count the outcomes of a batch, and the time from receipt to delivery of each message, in whole milliseconds."""
        since_claim = boot_time() - (claim.deadline - claim.lease)
        times = Counter(
            round(message.waited.total_seconds() + since_claim, 3)
            for message in claim.messages
            if isinstance(delivery.settlements.get(message.id), Delivered)
        )
        self.activity.observe(claim.source, "delivery_time", times)
        observe_all(self.metrics.delivery_seconds.labels(claim.source), times)
        self.activity.count(claim.source, "delivered", tally["delivered"])
        self.activity.count(claim.source, "retried", tally["retried"])
        self.activity.count(claim.source, "dead", tally["dead"])

    def record_bug(self, claim: Claim, error: BaseException) -> None:
        """Count and log an unexpected exception, which is a bug."""
        source = claim.messages[0].source
        self.metrics.bugs.labels(source).inc()
        log.error(
            "bug", source=source, exc_info=error, **message_ids([message.message_id for message in claim.messages])
        )

    def _log_accepted(self, source: Source, messages: Sequence[InboxMessage], new: int) -> None:
        for message in messages if new else ():
            if message.parked:
                self._record_parked(source, message.message_id, message.kind, message.parked)
        log.debug("accepted", source=source, new=new, **message_ids([message.message_id for message in messages]))

    def _record_parked(self, source: Source, message_id: str, kind: str, reason: str) -> None:
        self.metrics.parked.labels(source, reason).inc()
        self.activity.count(source, "parked")
        log.warning("parked", source=source, id=message_id, kind=kind, reason=reason)

    def _record_end(self, message: ClaimedMessage, end: Settlement | None, *, dead: bool) -> str:
        """Return the outcome of one message, and log unusual outcomes."""
        match end:
            case Delivered():
                return "delivered"
            case Parked():
                self._record_parked(message.source, message.message_id, message.kind, end.reason)
                return "parked"
            case Retry():
                event = "dead" if dead else "retried"
                write = log.error if dead else log.debug  # in an outage every message is retried
                attempts = message.attempts + 1
                write(event, source=message.source, id=message.message_id, kind=message.kind, attempts=attempts)
                return event
            case _:
                return "released"


def observe_all(histogram: Histogram, times: Mapping[float, int]) -> None:
    """Observe durations, each as often as it occurred."""
    for duration, number in times.items():
        for _ in range(number):
            histogram.observe(duration)


def error_codes(ends: Iterable[Settlement]) -> list[str]:
    """Return the most frequent error codes of a batch, without the text after a colon, which may quote values."""
    codes = Counter(end.error.partition(":")[0][:LONGEST_CODE] for end in ends if isinstance(end, Retry))
    return [code for code, _ in codes.most_common(MOST_CODES)]
