"""
Processes write one state in any order, and in the end Salesforce or Appcues has the newest value.

This is a model: the inbox is real, and the other side is a single value. Each step of a process (claim, announce, read,
send, arrive, settle) may be before or after each step of the others. Processes die, lose their leases, or get no
answer, and calls arrive long after they were sent.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sfcode.relay.inbox import Inbox
from sfcode.relay.message import Claim, Delivered, Delivery, InboxMessage, LatestState
from sfcode.relay.rewrite import rewritten_name
from tests.relay.inbox.conftest import Clock

NAME = "field:Contact:003A:Score__c"
LEASE = 60.0
PROCESSES = 2


@dataclass
class Process:
    """A process with at most one claimed message."""

    claim: Claim | None = None
    step: str = "idle"
    intent: int = 0
    known: LatestState | None = None
    state: LatestState | None = None
    """The state that the process writes."""
    is_answered: bool = False


@dataclass
class Call:
    """
    A call that has not arrived yet.

    After its sender stops waiting, the call may still arrive for the length of a lease.
    """

    value: str
    sender: Process
    arrives_by: datetime | None = None


@dataclass
class World:
    """An inbox, some processes, and the value in Salesforce or Appcues."""

    inbox: Inbox
    clock: Clock
    processes: list[Process] = field(default_factory=lambda: [Process() for _ in range(PROCESSES)])
    calls: list[Call] = field(default_factory=list)
    value: str = ""

    def act(self, action: str, number: int) -> None:
        process = self.processes[number]
        match action:
            case "step":
                self.step(process)
            case "give up":
                if process.step == "sent":
                    process.step = "over"
                    self.abandon(process)
            case "die":
                self.abandon(process)
                self.processes[number] = Process()
            case "elapse":
                self.elapse(61.0)

    def step(self, process: Process) -> None:
        """Execute the next step of a process; the arrival of a sent call is one of its steps."""
        match process.step:
            case "idle":
                self.inbox.expire_intents()
                process.claim = self.inbox.claim("appcues", limit=1, per_key=1, lease=LEASE)
                process.step = "claimed" if process.claim else "idle"
            case "claimed":
                assert process.claim is not None
                process.intent, process.step = self.inbox.announce(process.claim, [NAME]), "announced"
            case "announced":
                process.known = self.inbox.latest([NAME]).get(NAME)
                process.state = self.plan(process)
                process.step = "planned" if process.state else "over"
            case "planned":
                assert process.state is not None
                self.calls.append(Call(process.state.value, process))
                process.step = "sent"
            case "sent":
                (call,) = [call for call in self.calls if call.sender is process]
                self.land(call)
                process.is_answered, process.step = True, "over"
            case "over":
                self.settle(process)
                self.processes[self.processes.index(process)] = Process()

    def plan(self, process: Process) -> LatestState | None:
        """Return the state that a message writes; None if newer values are known."""
        assert process.claim is not None
        (message,) = process.claim.messages
        if rewritten_name(message):
            return process.known
        stamp = str(message.payload["stamp"])
        is_stale = process.known is not None and process.known.stamp > stamp
        return None if is_stale else LatestState(NAME, stamp, stamp)

    def settle(self, process: Process) -> None:
        assert process.claim is not None
        (message,) = process.claim.messages
        news = () if process.state is None or not process.is_answered else (process.state,)
        is_again = bool(rewritten_name(message))
        delivery = Delivery(
            {message.id: Delivered()} if process.state is None or news else {},
            () if is_again else news,
            rewritten=news if is_again else (),
            intents=frozenset({process.intent}),
            written=frozenset({NAME} if news else ()),
            doubted=frozenset({NAME} if process.state is not None and not news else ()),
        )
        self.inbox.settle(process.claim, delivery, lambda *_: timedelta())

    def land(self, call: Call) -> None:
        self.calls.remove(call)
        self.value = call.value

    def abandon(self, process: Process) -> None:
        for call in self.calls:
            if call.sender is process:
                call.sender, call.arrives_by = Process(), self.clock.now + timedelta(seconds=LEASE - 1)

    def elapse(self, seconds: float) -> None:
        self.clock.elapse(seconds)
        for call in list(self.calls):
            if call.arrives_by is not None and call.arrives_by <= self.clock.now:
                self.land(call)

    def finish(self) -> None:
        """Complete all steps."""
        for _ in range(300):
            self.step(self.processes[0])
            while any(process.step != "idle" for process in self.processes):
                for process in list(self.processes):
                    if process.step != "idle":
                        self.step(process)
            messages, intents = "relay_inbox WHERE finished_at IS NULL", "relay_intents"
            with self.inbox._database.read() as tx:
                query = f"SELECT (SELECT count(*) FROM {messages}) + (SELECT count(*) FROM {intents})"
                if not tx.db.exec_driver_sql(query).scalar_one():
                    return
            self.elapse(61.0)
        raise AssertionError("it never ends")


STAMPS = st.permutations(range(2))
"""The order of the times of two values, which arrive one after the other in messages of different keys."""
TURNS = st.lists(st.integers(0, PROCESSES - 1), min_size=12, max_size=16)
"""The process that executes each step."""
TROUBLE = st.sampled_from(["", "", "", "give up", "die", "elapse"])


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Inbox, Clock]]:
    clock = Clock()
    with clock.open_inbox(f"sqlite:///{tmp_path_factory.mktemp('late') / 'relay.db'}") as inbox:
        yield inbox, clock


@settings(max_examples=80, deadline=None)
@given(stamps=STAMPS, turns=TURNS, trouble=TROUBLE, moment=st.integers(2, 12))
def test_the_newest_value_is_there_in_the_end(
    opened: tuple[Inbox, Clock], stamps: Sequence[int], turns: Sequence[int], trouble: str, moment: int
) -> None:
    inbox, clock = opened
    with inbox._database.write() as tx:
        for table in ("inbox", "lanes", "intents", "latest"):
            tx.db.exec_driver_sql(f"DELETE FROM relay_{table}")
    inbox.accept(
        [InboxMessage("appcues", f"m{stamp}", f"user:{stamp}", "nps_score", {"stamp": stamp}) for stamp in stamps]
    )
    world = World(inbox, clock)
    for turn, number in enumerate(turns):
        if turn == moment and trouble:
            world.act(trouble, number)
        world.act("step", number)
    world.finish()
    assert world.value == "1"
