"""Deliver messages of Salesforce to Appcues: one request per profile."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Final

from sfcode.lazy_dataclasses import dataclass, field
from sfcode.relay.appcues import delivered_state, null_guard
from sfcode.relay.appcues.client import AppcuesClient
from sfcode.relay.appcues.delivered_state import DeliveredState
from sfcode.relay.appcues.error_policy import AnswerEffect, interpret_answer
from sfcode.relay.appcues.field_types import FieldTypeCache
from sfcode.relay.appcues.mapping_view import MappingView
from sfcode.relay.appcues.merge import (
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
from sfcode.relay.current_pauses import CurrentPauses, wait_for
from sfcode.relay.inbox import Unavailable
from sfcode.relay.instrumentation import CallEvents
from sfcode.relay.message import (
    AttemptedWrite,
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
    StateStore,
)
from sfcode.relay.rewrite import rewritten_name

KEYS = 100
"""The maximum number of profiles that are written for one claim."""
SECONDS = 2.0
"""The time in seconds that a claim should take at most: messages that cannot be sent in it are released."""
PER_KEY = 20
"""The maximum number of messages of one profile that are merged into its request."""
MARGIN = 2.0
"""Seconds that are reserved at the end of a lease for settling what was delivered."""
PATIENCE = 5.0
"""The longest pause, in seconds, for which a claim is kept; for a longer pause it is released."""
DOWN = 3
"""Unanswered requests in a row after which an outage of Appcues is assumed."""
LONGEST_PAUSE = 15.0
LONGEST_TYPE_WAIT = 300.0
"""The longest time in seconds between two attempts to deliver a message whose field has no known type."""
REFUSED_IN_A_ROW = 20
"""Refused profiles in a row after which an alarm is raised: Appcues answers some wrong credentials with 400."""
REFUSES_ALL: Final = "appcues_refuses_all"
BAD_VALUE: Final = "bad_value"


@dataclass
class ProfileWork:
    """The messages of a claim for one profile, and the results of their delivery."""

    messages: list[Read] = field(default_factory=list)
    repeats: list[ClaimedMessage] = field(default_factory=list)
    """Messages that ask for the previously delivered values to be written again."""
    state: LatestState | None = None
    """The stored state of the profile, from earlier deliveries."""
    values: dict[str, Value] = field(default_factory=dict)
    """The previously delivered values that are written again, by attribute."""
    known: DeliveredState = field(default_factory=dict)
    """The parsed content of `state`."""
    parts: tuple[RecordChanges, ...] = ()
    settled: dict[int, Settlement] = field(default_factory=dict)
    delivered: list[RecordChanges] = field(default_factory=list)
    sent: dict[str, Value] = field(default_factory=dict)
    """Values that Appcues has accepted."""
    repeated: bool = False
    """Whether Appcues has accepted the values that were written again."""
    is_unknown: bool = False
    """Whether Appcues may have carried out, or may still carry out, an unanswered request."""
    attempted: dict[int, list[AttemptedWrite]] = field(default_factory=dict)
    """Requests to Appcues with their outcomes, by message."""

    def record(self, messages: Iterable[int], key: str, attributes: Mapping[str, Value], answer: AnswerEffect) -> None:
        """Add a request and its outcome to the histories of some messages, if a request was made."""
        if not answer.outcome:
            return
        text = answer.settlement.detail if isinstance(answer.settlement, Parked) else ""
        attempt = AttemptedWrite("set", f"{key.partition(':')[0]} profile", tuple(attributes), answer.outcome, text)
        for message in messages:
            self.attempted.setdefault(message, []).append(attempt)

    def merge(self, guards: NullGuards, mapping_views: Mapping[str, MappingView]) -> None:
        """Merge the messages, and select the values to write again: those whose attribute is still in some mapping."""
        self.known = delivered_state.read(self.state, mapping_views)
        merged = merge_states(self.messages, self.known, guards)
        self.parts, self.settled = merged.parts, dict(merged.settled)
        names = {attribute.name for view in mapping_views.values() for attribute in view.attributes}
        last = delivered_state.read_values(self.state) if self.repeats else {}
        self.values = {name: value for name, value in last.items() if name in names}

    def new_state(self, key: str) -> LatestState | None:
        """Return the delivered state; None if it has not changed."""
        after = update_delivered_state(self.delivered, self.known)
        state = delivered_state.latest(key, after, delivered_state.read_values(self.state) | self.sent)
        return state if self.delivered and state != self.state else None


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
        states: StateStore,
        instrumentation: CallEvents,
        clock: Callable[[], datetime],
        time: Callable[[], float],
        pauses: CurrentPauses,
    ) -> None:
        self._types, self._client, self._rate_limit = types, client, rate_limit
        self._states, self._instrumentation, self._clock, self._time = states, instrumentation, clock, time
        self._pauses = pauses
        self._unanswered = 0
        """Unanswered requests since the last answer."""
        self._refused = 0
        """Refused profiles since the last accepted one."""
        self._refusal = ""
        """The answer to one of the refused profiles, which the alarm quotes."""

    @property
    def keys(self) -> int:
        """The number of profiles that can be written in `SECONDS` at the present rate."""
        return max(1, min(KEYS, int(self._rate_limit.rate * SECONDS)))

    async def deliver(self, claim: Claim) -> Delivery:
        """Deliver a claim, settling every message of it."""
        mapping_views = self._types.mapping_views
        work, ends = self._read(claim, mapping_views)
        names = {key: delivered_state.name(key) for key in work}
        try:
            intents = [await asyncio.to_thread(self._states.announce, claim, names.values())] if names else []
            state_names = [*null_guard.names(mapping_views.values()), *names.values()]
            latest_states = await asyncio.to_thread(self._states.latest, state_names)
        except Unavailable:
            # Without the delivered states stale messages cannot be detected. The relay's database is at fault, not a message.
            return Delivery({message.id: Retry("database", counts=False) for message in claim.messages})
        guards = NullGuards(mapping_views.values(), latest_states, null_guard.stamp(self._clock()))
        for key, profile in work.items():
            profile.state = latest_states.get(names[key])
            profile.merge(guards, mapping_views)
        async with asyncio.TaskGroup() as group:
            for key, profile in work.items():
                group.create_task(self._profile(key, profile, claim.deadline - MARGIN))
        states = [state for key, profile in work.items() if (state := profile.new_state(key)) is not None]
        for profile in work.values():
            ends |= profile.settled
        self._report(guards, [part for profile in work.values() for part in profile.delivered])
        return Delivery(
            _in_turn(claim, ends),
            (*guards.list_changed(), *states),
            rewritten=tuple(profile.state for profile in work.values() if profile.state and profile.repeated),
            intents=frozenset(intents),
            written=frozenset(names[key] for key, profile in work.items() if profile.sent or profile.repeated),
            doubted=frozenset(names[key] for key, profile in work.items() if profile.is_unknown),
            writes={id_: writes for profile in work.values() for id_, writes in profile.attempted.items()},
        )

    def _read(
        self, claim: Claim, mapping_views: Mapping[str, MappingView]
    ) -> tuple[dict[str, ProfileWork], dict[int, Settlement]]:
        """Read the messages of a claim; return the work by profile, and settlements of messages that cannot be delivered."""
        work: dict[str, ProfileWork] = {}
        ends: dict[int, Settlement] = {}
        paused = self._pauses.mappings
        for message in claim.messages:
            if name := rewritten_name(message):
                work.setdefault(delivered_state.profile_key(name), ProfileWork()).repeats.append(message)
                continue
            state = read(message, mapping_views, _profile_id(message.key))
            if not isinstance(state, RecordState):
                ends[message.id] = state
            elif state.view.name in paused:
                ends[message.id] = wait_for(paused[state.view.name])
            elif state.unknown:
                ends[message.id] = self._wait_for_type(message, state)
            else:
                work.setdefault(message.key, ProfileWork()).messages.append((message, state))
        return work, ends

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    def _wait_for_type(self, message: ClaimedMessage, state: RecordState) -> Retry:
        """Retry a message until the types of its fields are known, less often the older it is."""
        self._types.request(state.view.object, state.unknown)
        pause = min(max(message.waited.total_seconds() / 4, 1.0), LONGEST_TYPE_WAIT)
        return Retry("type_unknown", pause, counts=False, of_mapping=True)

    async def _profile(self, key: str, profile: ProfileWork, deadline: float) -> None:
        """Write one profile, in one request unless Appcues refuses a record's values."""
        if profile.repeats:
            # Sent before the new values, so that the new values are written last.
            answer = await self._send(key, profile.values, deadline)
            profile.is_unknown |= answer.is_unknown
            profile.record((message.id for message in profile.repeats), key, profile.values, answer)
            profile.repeated = bool(profile.values) and isinstance(answer.settlement, Delivered)
            profile.settled |= {message.id: answer.settlement for message in profile.repeats}
        pending = [profile.parts] if profile.parts else []
        while pending:
            parts = pending.pop(0)
            body = request_body(parts, profile.delivered)
            answer = await self._send(key, body, deadline)
            end = answer.settlement
            profile.is_unknown |= answer.is_unknown
            profile.record((id_ for part in parts for id_ in part.messages), key, body, answer)
            if isinstance(end, Parked) and len(parts) > 1:
                # The values of one record are refused. They must not block the values of other records.
                pending = [(part,) for part in parts]
                continue
            for part in parts:
                profile.settled |= dict.fromkeys(part.messages, part.done if isinstance(end, Delivered) else end)
            if isinstance(end, Delivered):
                profile.delivered += parts
                profile.sent |= body

    async def _send(self, key: str, attributes: Mapping[str, Value], deadline: float) -> AnswerEffect:
        if not attributes:
            return AnswerEffect(Delivered())
        kind, _, id_ = key.partition(":")
        answer = None
        while answer is None:
            pause_left = self._rate_limit.pause_left
            if pause_left and (
                self._unanswered >= DOWN or pause_left > PATIENCE or self._time() + pause_left > deadline
            ):
                return AnswerEffect(Retry("waiting", pause_left, counts=False))
            await asyncio.sleep(pause_left)
            if self._time() >= deadline:
                return AnswerEffect(Released())
            answer = await self._client.write(kind, id_, attributes, deadline)
        effect = interpret_answer(answer, [str(value) for value in attributes.values()])
        self._apply_effect(effect)
        return effect

    def _apply_effect(self, end: AnswerEffect) -> None:
        """Apply an answer to the rate limit and the alarms."""
        if self._rate_limit.pause_left and (end.may_be_down or end.pause):
            # Requests that were sent at the same time have reported it already.
            self._rate_limit.pause(end.pause)
            return
        self._unanswered = self._unanswered + 1 if end.may_be_down else 0
        # One lost connection is no evidence; several in a row show that Appcues is down.
        down = min(LONGEST_PAUSE, 2.0 ** (self._unanswered - DOWN)) if self._unanswered >= DOWN else 0.0
        self._rate_limit.pause(max(end.pause, down))
        if end.alarm:
            self._instrumentation.raise_alarm(end.alarm, end.detail)
        self._count_refusals(end.settlement)

    def _count_refusals(self, settlement: Settlement) -> None:
        """Raise an alarm when many profiles in a row are refused and none is accepted."""
        if isinstance(settlement, Delivered):
            self._refused = 0
        elif isinstance(settlement, Parked):
            self._refused += 1
            if self._refused == REFUSED_IN_A_ROW:
                self._refusal = settlement.detail
            if self._refused % REFUSED_IN_A_ROW == 0:
                # The same detail each time: another one would be another alarm, and another notification.
                self._instrumentation.raise_alarm(
                    REFUSES_ALL, f"{REFUSED_IN_A_ROW} or more in a row, one of them: {self._refusal}"
                )

    def _report(self, guards: NullGuards, delivered: Iterable[RecordChanges]) -> None:
        for bad in sorted({problem for part in delivered for problem in part.bad}):
            self._instrumentation.raise_alarm(BAD_VALUE, bad)
        for attribute in guards.tripped:
            self._instrumentation.raise_alarm(
                null_guard.ALARM,
                f"{attribute} was empty in {null_guard.AT_MOST} consecutive records and is no longer cleared. Check "
                "with `sfcode doctor` whether the integration user lost access to its field",
            )


def _profile_id(key: str) -> str:
    """Return the ID in a key such as `user:1001`."""
    return key.partition(":")[2]


def _in_turn(claim: Claim, ends: Mapping[int, Settlement]) -> dict[int, Settlement]:
    """Return the settlements of a claim. If several messages of a key are to be retried, the later ones are released."""
    settled: dict[int, Settlement] = {}
    waiting: set[str] = set()
    for message in claim.messages:
        end = ends[message.id]
        settled[message.id] = Released() if message.key in waiting and isinstance(end, Retry) else end
        if isinstance(end, Retry):
            waiting.add(message.key)
    return settled
