"""Deliver claims of Appcues' events within the limits of the org's API requests."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from sfcode.errors import OrgError
from sfcode.lazy_dataclasses import dataclass, field, replace
from sfcode.org.deadline import set_deadline
from sfcode.relay.api_calls import LOOK_AGAIN, ApiBudget
from sfcode.relay.current_pauses import CurrentPauses
from sfcode.relay.inbox import Unavailable
from sfcode.relay.message import Claim, Delivery, Released, Retry, Settlement, Source, StateStore
from sfcode.relay.salesforce import error_policy
from sfcode.relay.salesforce.batch import Batch, EventRules
from sfcode.relay.salesforce.calls import CallFailedError, Calls

MARGIN = 2.0
"""Seconds that are reserved at the end of a lease for settling the messages after the last call."""
CALLS = 3
"""Usual number of calls for a claim: lookup, update, upsert."""
WORTH_WAITING = 2.0
"""Seconds for which a claim is kept after a failure; for a longer delay it is released."""
SESSION_AGE = 3000.0
"""Seconds after which the session is renewed; most orgs end a session after two hours without a call."""
RENEW_AGAIN = 60.0
"""Seconds after which a failed renewal is retried."""


@dataclass
class SalesforceWriter:
    """Delivers Appcues' events to Salesforce."""

    rules: EventRules
    calls: Calls
    states: StateStore
    budget: ApiBudget | None = None
    """The project's own request budget."""
    pauses: CurrentPauses = field(default_factory=CurrentPauses)
    """The current pauses."""
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    source: Source = "appcues"
    limit: int = 600
    per_key: int = 600
    keys: int = 600
    _stopped: bool = False
    _measured: bool = False
    _renew_at: float = 0.0

    async def deliver(self, claim: Claim) -> Delivery:
        """Deliver a claim: after a wait if few API requests are left, and not at all if none are left."""
        deadline = claim.deadline - MARGIN
        seconds_held = self.calls.breaker.seconds_left(self.calls.clock())
        if seconds_held > WORTH_WAITING:
            return _settle_all(claim, Retry("held back after a failure", seconds_held, counts=False))
        if seconds_held:
            await self.sleep(seconds_held)
        if self.budget is not None and self.budget.is_used_up:
            return _settle_all(claim, Retry("api_budget", LOOK_AGAIN, counts=False))
        pause = await self._pause(deadline)
        if pause is None:
            wait = self.calls.quota.wait(self.calls.clock())
            return _settle_all(claim, Retry(error_policy.QUOTA, wait, counts=False))
        if pause:
            seconds_left = deadline - self.calls.clock()
            await self.sleep(max(0.0, min(pause * CALLS, seconds_left / 2)))
        return await asyncio.to_thread(self._deliver, claim, deadline)

    async def close(self) -> None:
        """Close the connections."""
        await asyncio.to_thread(self.calls.org.close)

    async def _pause(self, deadline: float) -> float | None:
        """Return the seconds to wait before each call; None if the remaining daily requests are reserved for other clients."""
        pause = self._asked_for()
        if pause is None and self.calls.quota.may_ask(self.calls.clock()):
            try:
                await asyncio.to_thread(self.calls.limits, deadline)
            except CallFailedError:
                return None
            pause = self._asked_for()
        if pause is None and not self._stopped:
            self.calls.instrumentation.raise_alarm(
                "salesforce_quota", "the relay has stopped to leave API requests to others"
            )
        self._stopped = pause is None
        return pause

    def _asked_for(self) -> float | None:
        usage = self.calls.org.collections.usage
        return self.calls.quota.delay(usage.used, usage.limit) if usage else self.calls.quota.delay(0, 0)

    def _deliver(self, claim: Claim, deadline: float) -> Delivery:
        self._renew(deadline)
        self._measure_fields(deadline)
        try:
            return Batch(self.rules, self.calls, self.states, claim, deadline, self.pauses).deliver()
        except Unavailable:
            # Read before the first write, since older values cannot be detected without the delivered states.
            return _settle_all(claim, Retry("database", counts=False))

    def _measure_fields(self, deadline: float) -> None:
        """Read once the lengths of fields that sfcode did not create, so that texts are truncated and not refused."""
        fields = {field for mapping in self.rules.destinations for field in mapping.fields_to_measure}
        if not fields or self._measured:
            return
        try:
            schema = self.calls.describe(sorted({name for name, _ in fields}), deadline)
        except CallFailedError:
            return  # later calls report the failure; without lengths, a too long text is refused
        self._measured = True
        lengths = {
            (name, field): schema.objects[name].fields[field].length
            for name, field in fields
            if name in schema.objects and field in schema.objects[name].fields
        }
        self.rules = replace(self.rules, lengths={field: length for field, length in lengths.items() if length})

    def _renew(self, deadline: float) -> None:
        """Renew the session before it ends. A failure raises an alarm; deliveries go on, since the session may still be valid."""
        now = self.calls.clock()
        if now < self._renew_at:
            return
        try:
            with set_deadline(deadline):
                self.calls.org.renew(older_than=SESSION_AGE)
        except OrgError as error:
            self._renew_at = now + RENEW_AGAIN
            self.calls.instrumentation.raise_alarm("salesforce_sign_in", error.code or type(error).__name__)


def _settle_all(claim: Claim, end: Retry) -> Delivery:
    """Settle the first message of every key, and release the later ones."""
    keys: set[str] = set()
    settled: dict[int, Settlement] = {}
    for message in claim.messages:
        settled[message.id] = Released() if message.key in keys else end
        keys.add(message.key)
    return Delivery(settled)
