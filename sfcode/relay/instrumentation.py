"""What happens in a relay process, told to the metrics and to the log."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence

import structlog

from sfcode.relay.log import ids
from sfcode.relay.message import Claim, ClaimedMessage, Delivered, Delivery, InboxMessage, Parked, Retry, Settlement
from sfcode.relay.metrics import Metrics

log = structlog.stdlib.get_logger("sfcode.relay")

LONGEST_CODE = 60
MOST_CODES = 3


class Instrumentation:
    """Hears of everything: an Observer of the far sides, and the Hearing of the workers."""

    def __init__(self, metrics: Metrics, keep_alarm: Callable[[str, str], None]) -> None:
        self._metrics = metrics
        self._keep_alarm = keep_alarm

    def call(self, side: str, operation: str, outcome: str, seconds: float) -> None:
        """Count a call to a far side."""
        self._metrics.call(side, operation, outcome, seconds)

    def quota(self, used: int, limit: int) -> None:
        """Keep how much of the org's API requests is used."""
        self._metrics.quota(used, limit)

    def alarm(self, name: str, detail: str) -> None:
        """Say aloud what a person has to look at, and keep it until somebody says that it is settled."""
        self._metrics.alarm(name, detail)
        log.error("alarm", alarm=name, detail=detail)
        self._keep_alarm(name, detail)

    def accepted(self, messages: Sequence[InboxMessage], new: int) -> None:
        """Hear that messages were committed; those that were not new had been before."""
        source = messages[0].source
        self._metrics.accepted.labels(source).inc(new)
        self._metrics.duplicates.labels(source).inc(len(messages) - new)
        for message in messages if new else ():
            if message.parked:
                self._metrics.parked.labels(source, message.parked).inc()
                log.warning("parked", source=source, id=message.message_id, kind=message.kind, reason=message.parked)
        log.debug("accepted", source=source, new=new, **ids([message.message_id for message in messages]))

    def settled(self, claim: Claim, delivery: Delivery, dead: frozenset[int], count: int) -> None:
        """Hear how a batch ended; who has its lease now tells, where it went to somebody else."""
        source = claim.messages[0].source
        metrics = self._metrics
        if count < len(claim.messages):
            metrics.lost_leases.labels(source).inc(len(claim.messages))
            log.warning("lease_lost", source=source, **ids([message.message_id for message in claim.messages]))
            return
        tally: Counter[str] = Counter()
        for message in claim.messages:
            tally[self._one(source, message, delivery.settlements.get(message.id), dead=message.id in dead)] += 1
        metrics.delivered.labels(source).inc(tally["delivered"])
        metrics.retried.labels(source).inc(tally["retried"])
        metrics.dead.labels(source).inc(tally["dead"])
        troubles = {"errors": errors(delivery.settlements.values())} if tally["retried"] or tally["dead"] else {}
        log.info(
            "settled", source=source, **tally, **troubles, **ids([message.message_id for message in claim.messages])
        )

    def bug(self, claim: Claim, error: BaseException) -> None:
        """Hear of an exception of ours."""
        source = claim.messages[0].source
        self._metrics.bugs.labels(source).inc()
        log.error("bug", source=source, exc_info=error, **ids([message.message_id for message in claim.messages]))

    def _one(self, source: str, message: ClaimedMessage, end: Settlement | None, *, dead: bool) -> str:
        """Name how one message ended, and say what is out of the ordinary."""
        match end:
            case Delivered():
                return "delivered"
            case Parked():
                self._metrics.parked.labels(source, end.reason).inc()
                log.warning("parked", source=source, id=message.message_id, kind=message.kind, reason=end.reason)
                return "parked"
            case Retry():
                event = "dead" if dead else "retried"
                tell = log.error if dead else log.debug  # in an outage every message is retried, again and again
                tell(event, source=source, id=message.message_id, kind=message.kind, attempts=message.attempts + 1)
                return event
            case _:
                return "released"


def errors(ends: Iterable[Settlement]) -> list[str]:
    """Name the commonest errors of a batch by their codes: what follows a colon may quote what was sent."""
    codes = Counter(end.error.partition(":")[0][:LONGEST_CODE] for end in ends if isinstance(end, Retry))
    return [code for code, _ in codes.most_common(MOST_CODES)]
