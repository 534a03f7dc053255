"""Deliver messages of Salesforce to Appcues: one request per profile."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

from sfcode.relay.appcues import delivered_state, null_guard
from sfcode.relay.appcues.client import AppcuesClient
from sfcode.relay.appcues.delivered_state import DeliveredState
from sfcode.relay.appcues.error_policy import AnswerEffect, interpret_answer
from sfcode.relay.appcues.field_types import FieldTypeCache
from sfcode.relay.appcues.mapping_view import MappingView
from sfcode.relay.appcues.merge import (
    MergedProfile,
    Read,
    RecordChanges,
    merge_states,
    request_body,
    update_delivered_state,
)
from sfcode.relay.appcues.null_guard import NullGuards
from sfcode.relay.appcues.rate_limit import RateLimit
from sfcode.relay.appcues.record_state import RecordState, read
from sfcode.relay.appcues.values import Value
from sfcode.relay.inbox import Unavailable
from sfcode.relay.instrumentation import CallEvents
from sfcode.relay.message import (
    Claim,
    ClaimedMessage,
    Delivered,
    Delivery,
    LatestState,
    Parked,
    Released,
    Retry,
    Settlement,
    Source,
)

KEYS = 100
"""Profiles written for one claim, at most."""
SECONDS = 2.0
"""How long that should take: who holds more than goes out in time gives the rest back."""
PER_KEY = 20
"""Messages of one of them that are folded into its request."""
MARGIN = 2.0
"""Seconds before the end of a lease at which nothing is waited for any more: what was delivered must be settled."""
PATIENCE = 5.0
"""Seconds for which a claim is held while Appcues asks for a pause."""
DOWN = 3
"""Requests without an answer, one after another, after which Appcues is taken to be down."""
LONGEST_PAUSE = 15.0
LONGEST_LOOK = 300.0
"""Seconds between two looks whether it is known at last what a field is."""
REFUSED_IN_A_ROW = 20
"""Profiles that are refused one after another, after which the credentials may be at fault: some are answered with 400."""
REFUSES_ALL = "appcues_refuses_all"
BAD_VALUE = "bad_value"

FindLatestStates = Callable[[Iterable[str]], Mapping[str, LatestState]]


class AppcuesWriter:
    """Delivers messages about records to Appcues profiles."""

    source: Source = "salesforce"
    limit = KEYS * PER_KEY
    per_key = PER_KEY

    def __init__(
        self,
        types: FieldTypeCache,
        client: AppcuesClient,
        rate_limit: RateLimit,
        *,
        latest: FindLatestStates,
        instrumentation: CallEvents,
        clock: Callable[[], datetime],
        time: Callable[[], float],
    ) -> None:
        self._types, self._client, self._rate_limit = types, client, rate_limit
        self._latest, self._instrumentation, self._clock, self._time = latest, instrumentation, clock, time
        self._away = 0
        """Requests since the last answer."""
        self._refused = 0
        """Profiles that were refused since the last one that was taken."""

    @property
    def keys(self) -> int:
        """Profiles that can be written in `SECONDS` at the present rate."""
        return max(1, min(KEYS, int(self._rate_limit.rate * SECONDS)))

    async def deliver(self, claim: Claim) -> Delivery:
        """Deliver a claim, settling every message of it."""
        mapping_views = self._types.mapping_views
        by_key: dict[str, list[Read]] = {}
        settled: dict[str, dict[int, Settlement]] = {message.key: {} for message in claim.messages}
        for message in claim.messages:
            found = read(message, mapping_views, _profile_id(message.key))
            if not isinstance(found, RecordState):
                settled[message.key][message.id] = found
            elif found.unknown:
                settled[message.key][message.id] = self._wait_for_type(message, found)
            else:
                by_key.setdefault(message.key, []).append((message, found))
        try:
            before, guards = await self._known(by_key, mapping_views)
        except Unavailable:
            # Without what was delivered before nobody can tell what is stale: that trouble is our own.
            return Delivery({message.id: Retry("database", counts=False) for message in claim.messages})
        deadline = claim.deadline - MARGIN
        merged = {key: merge_states(each, before[key], guards) for key, each in by_key.items()}
        async with asyncio.TaskGroup() as group:
            tasks = {key: group.create_task(self._profile(key, each, deadline)) for key, each in merged.items()}
        delivered: list[RecordChanges] = []
        latest = [*guards.changed()]
        for key, task in tasks.items():
            ends, parts = task.result()
            settled[key] |= ends
            delivered += parts
            after = update_delivered_state(parts, before[key])
            if after != before[key] and (row := delivered_state.latest(key, after)):
                latest.append(row)
        self._report(guards, delivered)
        in_turn = {number: end for each in settled.values() for number, end in _release_behind_retry(each).items()}
        return Delivery(in_turn, tuple(latest))

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    def _wait_for_type(self, message: ClaimedMessage, state: RecordState) -> Retry:
        """Retry a message until the org tells its fields' types, the older it is the less often."""
        self._types.request(state.view.object, state.unknown)
        age = (self._clock() - message.received_at).total_seconds()
        return Retry("type_unknown", min(max(age / 4, 1.0), LONGEST_LOOK), counts=False)

    async def _known(
        self, keys: Iterable[str], mapping_views: Mapping[str, MappingView]
    ) -> tuple[dict[str, DeliveredState], NullGuards]:
        names = {key: delivered_state.name(key) for key in keys}
        known = await asyncio.to_thread(self._latest, [*null_guard.names(mapping_views.values()), *names.values()])
        guards = NullGuards(mapping_views.values(), known, null_guard.stamp(self._clock()))
        return {key: delivered_state.read(known.get(name)) for key, name in names.items()}, guards

    async def _profile(
        self, key: str, merged: MergedProfile, deadline: float
    ) -> tuple[dict[int, Settlement], list[RecordChanges]]:
        """Write one profile, in one request unless Appcues refuses a record's values; return settlements and delivered parts."""
        settled, delivered = dict(merged.settled), list[RecordChanges]()
        pending = [merged.parts] if merged.parts else []
        while pending:
            parts = pending.pop(0)
            end = await self._send(key, request_body(parts, delivered), deadline)
            if isinstance(end, Parked) and len(parts) > 1:
                # The values of one record are refused: that must not keep the others' out.
                pending = [(part,) for part in parts]
                continue
            for part in parts:
                settled |= dict.fromkeys(part.messages, part.done if isinstance(end, Delivered) else end)
            delivered += parts if isinstance(end, Delivered) else ()
        return settled, delivered

    async def _send(self, key: str, attributes: Mapping[str, Value], deadline: float) -> Settlement:
        if not attributes:
            return Delivered()
        kind, _, id_ = key.partition(":")
        answer = None
        while answer is None:
            pause_left = self._rate_limit.pause_left
            if pause_left and (self._away >= DOWN or pause_left > PATIENCE or self._time() + pause_left > deadline):
                return Retry("waiting", pause_left, counts=False)
            await asyncio.sleep(pause_left)
            if self._time() >= deadline:
                return Released()
            answer = await self._client.write(kind, id_, attributes, deadline)
        return self._apply_effect(interpret_answer(answer))

    def _apply_effect(self, end: AnswerEffect) -> Settlement:
        """Apply an answer to the rate limit and the alarms, and return its settlement."""
        if self._rate_limit.pause_left and (end.away or end.pause):
            # Others that were on their way together with this one have said so before.
            self._rate_limit.pause(end.pause)
            return end.settlement
        self._away = self._away + 1 if end.away else 0
        # One lost connection says nothing; several in a row say that Appcues is down.
        down = min(LONGEST_PAUSE, 2.0 ** (self._away - DOWN)) if self._away >= DOWN else 0.0
        self._rate_limit.pause(max(end.pause, down))
        if end.alarm:
            self._instrumentation.raise_alarm(end.alarm, end.detail)
        self._count_refusals(end.settlement)
        return end.settlement

    def _count_refusals(self, settlement: Settlement) -> None:
        """Raise an alarm when one profile after another is refused and none is taken."""
        if isinstance(settlement, Delivered):
            self._refused = 0
        elif isinstance(settlement, Parked):
            self._refused += 1
            if self._refused % REFUSED_IN_A_ROW == 0:
                self._instrumentation.raise_alarm(
                    REFUSES_ALL, f"{self._refused} in a row, the last one: {settlement.detail}"
                )

    def _report(self, guards: NullGuards, delivered: Iterable[RecordChanges]) -> None:
        for bad in sorted({each for part in delivered for each in part.bad}):
            self._instrumentation.raise_alarm(BAD_VALUE, bad)
        for attribute in guards.tripped:
            self._instrumentation.raise_alarm(
                null_guard.ALARM,
                f"{attribute} came empty for {null_guard.AT_MOST} records one after another and is not cleared any more. "
                "Did the integration user lose access to its field? `sfcode doctor` tells",
            )


def _profile_id(key: str) -> str:
    """Return the id in a key such as `user:1001`."""
    return key.partition(":")[2]


def _release_behind_retry(settled: Mapping[int, Settlement]) -> dict[int, Settlement]:
    """Release the messages behind the first one that is retried."""
    retried = sorted(number for number, end in settled.items() if isinstance(end, Retry))
    return {**settled, **dict.fromkeys(retried[1:], Released())}
