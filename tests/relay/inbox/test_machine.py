"""Any sequence of accepts, claims, crashes, settlements, replays and purges, compared with a short model."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Literal, cast

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from sfcode.relay.inbox import Filter, Inbox
from sfcode.relay.inbox.sqlite import Sqlite
from sfcode.relay.inbox.tables import METADATA
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
)
from tests.relay.inbox.conftest import Clock, Elapse
from tests.relay.inbox.samples import message

UNIT = 100
"""A unit of time in seconds, much longer than an example takes, since PostgreSQL's clock advances meanwhile."""
LEASE = 6 * UNIT
KEYS = ("a", "b", "c")
End = Literal["done", "parked", "dead"]
SETTLEMENTS: dict[str, Settlement] = {
    "done": Delivered(),
    "parked": Parked("odd"),
    "retry": Retry("later"),
    "dead": Retry("never"),
    "left": Released(),
}
ENDS = st.tuples(st.sampled_from([*SETTLEMENTS, "done", "retry"]), st.integers(0, 9))


@dataclass
class Known:
    """The model's record of a message."""

    number: int
    key: str
    end: End | None = None
    due: int = 0
    attempts: int = 0


@dataclass
class Model:
    """The model: the time in seconds, the messages by number in order of arrival, and the lanes of keys."""

    now: int = 0
    known: dict[int, Known] = field(default_factory=dict)
    lanes: dict[str, int] = field(default_factory=dict)
    """The time from which a key with open messages can be claimed, by key."""
    owners: dict[str, str] = field(default_factory=dict)
    """The last claim of a key that is not settled yet, by key."""
    lost: set[str] = field(default_factory=set)
    """Claims that were settled, or that have lost at least one of their messages."""

    def open(self, key: str) -> list[Known]:
        return [entry for entry in self.known.values() if entry.key == key and entry.end is None]

    def due(self) -> set[str]:
        return {key for key, due in self.lanes.items() if due <= self.now}

    def claimed(self, keys: set[str], token: str) -> None:
        for key in keys:
            self.lost.add(self.owners.get(key, ""))
            self.owners[key] = token
            self.lanes[key] = self.now + LEASE

    def given_back(self, keys: set[str]) -> None:
        for key in keys:
            del self.owners[key], self.lanes[key]
            for head in self.open(key)[:1]:
                self.lanes[key] = head.due

    def opened(self, keys: set[str]) -> None:
        for key in keys:
            self.lanes.setdefault(key, self.now)


class Machine(RuleBasedStateMachine):
    """Runs on one inbox, which it empties first; a claim that is never settled represents a crash."""

    claims = Bundle("claims")

    def __init__(self, inbox: Inbox, clock: Clock, elapse: Elapse) -> None:
        super().__init__()
        self.inbox = inbox
        self.clock = clock
        self.pass_by = elapse
        self.model = Model()
        self.arrived = 0
        self.newest = (0, "")

    @initialize()
    def empty(self) -> None:
        with self.inbox._database.write() as tx:
            for name in ("relay_inbox", "relay_lanes", "relay_latest"):
                tx.db.execute(METADATA.tables[name].delete())

    @rule(
        keys=st.lists(st.sampled_from(KEYS), min_size=1, max_size=6), repeats=st.lists(st.integers(0, 30), max_size=3)
    )
    def accept(self, keys: list[str], repeats: list[int]) -> None:
        """Accept some new messages together with some that are already stored."""
        repeated = [self.model.known[number] for number in repeats if number in self.model.known]
        fresh = [Known(self.arrived + entry, key, due=self.model.now) for entry, key in enumerate(keys)]
        self.arrived += len(fresh)
        call = [message(entry.number, entry.key) for entry in (*repeated, *fresh, *fresh[:1])]
        assert self.inbox.accept(call) == len(fresh)
        self.model.known |= {entry.number: entry for entry in fresh}
        self.model.opened(set(keys))

    @rule(target=claims, limit=st.integers(1, 6), per_key=st.integers(1, 4))
    def claim(self, limit: int, per_key: int) -> Any:
        """
        Claim messages, and compare the claim with the model.

        A claim starts with the oldest message of each free key, and leaves no message that could be claimed.
        """
        could = self.model.due()
        claim = self.inbox.claim("appcues", limit=limit, per_key=per_key, lease=LEASE)
        if claim is None:
            assert could == set()
            return multiple()
        messages_by_key: dict[str, list[ClaimedMessage]] = {}
        for entry in claim.messages:
            messages_by_key.setdefault(entry.key, []).append(entry)
        assert set(messages_by_key) <= could
        assert len(messages_by_key) == min(limit, len(could))
        assert len(claim.messages) <= limit
        for key, own_messages in messages_by_key.items():
            eldest = self.model.open(key)[: len(own_messages)]
            assert [entry.payload["number"] for entry in own_messages] == [entry.number for entry in eldest]
            assert [entry.attempts for entry in own_messages] == [entry.attempts for entry in eldest]
            assert all(entry.due <= self.model.now for entry in eldest)
            assert len(own_messages) <= per_key
        self.model.claimed(set(messages_by_key), claim.token)
        return claim

    @rule(claim=claims, ends=st.lists(ENDS, min_size=6, max_size=6), stamp=st.integers(1, 5))
    def settle(self, claim: Claim, ends: list[tuple[str, int]], stamp: int) -> None:
        """Settle a claim, possibly long after its lease was lost, or a second time."""
        own_ends = dict(zip((entry.id for entry in claim.messages), ends, strict=False))

        def policy(entry: ClaimedMessage, retry: Retry) -> timedelta | None:
            return None if retry.error == "never" else timedelta(seconds=UNIT * own_ends[entry.id][1])

        latest = LatestState("newest", str(stamp), f"{claim.token} {stamp}")
        settlements = {id: SETTLEMENTS[end] for id, (end, _) in own_ends.items()}
        count = self.inbox.settle(claim, Delivery(settlements, (latest,)), policy)
        assert count == (0 if claim.token in self.model.lost else len(claim.messages))
        if count:
            self.newest = max((stamp, latest.value), self.newest, key=lambda state: state[0])
            self._end(claim, ends)
        latest_states = self.inbox.latest(["newest"])
        assert (latest_states["newest"].value if latest_states else "") == self.newest[1]

    @rule(claim=claims)
    def release(self, claim: Claim) -> None:
        """Release a claim."""
        self.inbox.release(claim)
        if claim.token not in self.model.lost:
            self._end(claim, [("left", 0)] * len(claim.messages))

    @rule(units=st.sampled_from([1, 3, LEASE // UNIT]))
    def elapse(self, units: int) -> None:
        """Let time pass."""
        self.pass_by(UNIT * units)
        self.model.now += UNIT * units

    @rule(state=st.sampled_from([None, "parked", "dead", "done"]))
    def replay(self, state: End | None) -> None:
        """Replay finished messages; leased keys and waiting messages are unchanged."""
        request = {state} if state else {"parked", "dead"}
        matching_messages = [entry for entry in self.model.known.values() if entry.end in request]
        assert self.inbox.replay(Filter(state=state)) == len(matching_messages)
        for entry in matching_messages:
            entry.end, entry.attempts, entry.due = None, 0, self.model.now
        self.model.opened({entry.key for entry in matching_messages})

    @rule()
    def purge(self) -> None:
        """Purge done and parked messages."""
        numbers = [number for number, entry in self.model.known.items() if entry.end in ("done", "parked")]
        assert self.inbox.purge({"done": timedelta(0), "parked": timedelta(0)}) == len(numbers)
        for number in numbers:
            del self.model.known[number]

    @invariant()
    def counts_agree(self) -> None:
        """Compare the counts with the model: no message is lost or duplicated."""
        stats = self.inbox.stats()
        for end in ("done", "parked", "dead"):
            assert stats.count(end) == sum(entry.end == end for entry in self.model.known.values())
        assert stats.count("ready") + stats.count("leased") == sum(not entry.end for entry in self.model.known.values())

    def teardown(self) -> None:
        """Deliver all remaining messages: each message once, and each key in order."""
        self.elapse(1000)
        numbers_by_key = {key: [entry.number for entry in self.model.open(key)] for key in KEYS}
        delivered: dict[str, list[int]] = {key: [] for key in KEYS}
        while claim := self.inbox.claim("appcues", limit=4, per_key=2, lease=LEASE):
            for entry in claim.messages:
                delivered[entry.key].append(entry.payload["number"])
            assert self.inbox.settle(claim, Delivery({entry.id: Delivered() for entry in claim.messages}), _never)
        assert delivered == numbers_by_key

    def _end(self, claim: Claim, ends: list[tuple[str, int]]) -> None:
        for entry, (end, wait) in zip(claim.messages, ends, strict=False):
            row = self.model.known[entry.payload["number"]]
            row.attempts += end != "left"
            if end == "retry":
                row.due = self.model.now + UNIT * wait
            elif end != "left":
                row.end = cast(End, end)
        self.model.given_back({entry.key for entry in claim.messages})
        self.model.lost.add(claim.token)


def _never(_: ClaimedMessage, __: Retry) -> None:
    return None


def test_any_sequence_of_events_keeps_messages_and_their_order(inbox: Inbox, clock: Clock, elapse: Elapse) -> None:
    run_state_machine_as_test(
        lambda: Machine(inbox, clock, elapse),
        settings=settings(
            max_examples=25 if inbox._database.__class__ is Sqlite else 12,
            stateful_step_count=30,
            suppress_health_check=list(HealthCheck),
        ),
    )
