"""What a settlement stores besides how messages ended: values to write once more, follow-ups, payloads without texts."""

from __future__ import annotations

from datetime import timedelta

import pytest

from sfcode.relay.inbox import Filter, Inbox
from sfcode.relay.message import Claim, Delivered, Delivery, FollowUp, LatestState, Retry
from tests.relay.inbox.conftest import Elapse
from tests.relay.inbox.samples import idle, message, never, numbers, settle, states, take

NAME = "field:Contact:003A:Score__c"
REWRITE = {NAME: FollowUp(message(9, "rewrite:Contact:003A"), 5)}


def score(stamp: str, value: str = "") -> LatestState:
    return LatestState(NAME, stamp, value)


def deliver(inbox: Inbox, claim: Claim, **other: object) -> int:
    """Settle a claim as delivered, with a rewrite of the score."""
    ends = {claimed.id: Delivered() for claimed in claim.messages}
    return inbox.settle(claim, Delivery(ends, **{"rewrites": REWRITE, **other}), never)  # type: ignore[arg-type]


@pytest.fixture
def claim(inbox: Inbox) -> Claim:
    """Claim message 1."""
    inbox.accept([message(1)])
    return take(inbox, lease=60)


def test_a_value_is_written_again_when_a_newer_one_was_settled_meanwhile(
    inbox: Inbox, claim: Claim, elapse: Elapse
) -> None:
    inbox.note([score("2026-02", "9")])
    assert deliver(inbox, claim, latest=(score("2026-01", "8"),)) == 1
    assert states(inbox) == {1: "done", 9: "ready"}
    assert inbox.latest([NAME]) == {NAME: score("2026-02", "9")}
    assert idle(inbox), "it waits five seconds"
    elapse(6)
    assert numbers(take(inbox)) == [9]


@pytest.mark.parametrize("stamp", ["2026-01", "2026-02"])
def test_a_value_that_is_not_older_than_what_is_known_is_not_written_again(
    inbox: Inbox, claim: Claim, stamp: str
) -> None:
    inbox.note([score("2026-01", "8")])
    assert deliver(inbox, claim, latest=(score(stamp, "9"),)) == 1
    assert states(inbox) == {1: "done"}
    assert inbox.latest([NAME])[NAME].value == "9"


def test_the_first_value_of_a_field_is_not_written_again(inbox: Inbox, claim: Claim) -> None:
    assert deliver(inbox, claim, latest=(score("2026-01"),)) == 1
    assert states(inbox) == {1: "done"}


def test_a_state_that_nothing_rewrites_may_be_overtaken(inbox: Inbox, claim: Claim) -> None:
    inbox.note([score("2026-02")])
    assert deliver(inbox, claim, latest=(score("2026-01"),), rewrites={}) == 1
    assert states(inbox) == {1: "done"}


@pytest.mark.parametrize(
    ("known", "again"), [(score("2026-01", "8"), False), (score("2026-01", "9"), True), (score("2026-02", "8"), True)]
)
def test_a_rewritten_value_is_written_again_when_it_is_not_the_known_one(
    inbox: Inbox, claim: Claim, known: LatestState, again: bool
) -> None:
    inbox.note([known])
    assert deliver(inbox, claim, rewritten=(score("2026-01", "8"),)) == 1
    assert states(inbox) == ({1: "done", 9: "ready"} if again else {1: "done"})
    assert inbox.latest([NAME]) == {NAME: known}, "a rewritten value is no news"


def test_a_rewritten_value_that_nothing_is_known_of_is_not_written_again(inbox: Inbox, claim: Claim) -> None:
    assert deliver(inbox, claim, rewritten=(score("2026-01"),)) == 1
    assert states(inbox) == {1: "done"}
    assert inbox.latest([NAME]) == {}


def test_a_value_that_is_both_written_and_rewritten_goes_by_the_written_one(inbox: Inbox, claim: Claim) -> None:
    inbox.note([score("2026-01", "8")])
    assert deliver(inbox, claim, latest=(score("2026-02", "9"),), rewritten=(score("2025-12", "7"),)) == 1
    assert states(inbox) == {1: "done"}


def test_a_lost_claim_has_its_values_written_again(inbox: Inbox, claim: Claim, elapse: Elapse) -> None:
    """The far side may have its value although another delivery wrote a newer one before."""
    elapse(60)
    assert settle(inbox, take(inbox)) == 1
    assert deliver(inbox, claim, latest=(score("2026-01"),), redacted={claim.messages[0].id: {"number": 99}}) == 0
    assert states(inbox) == {1: "done", 9: "ready"}
    assert inbox.latest([NAME]) == {}
    elapse(6)
    assert numbers(take(inbox)) == [9]


def test_one_message_that_writes_several_values_again_is_stored_once(
    inbox: Inbox, claim: Claim, elapse: Elapse
) -> None:
    names = ("a", "b", "c")
    inbox.note([LatestState(name, "2026-02") for name in names])
    rewrites = {name: FollowUp(message(9, "rewrite:1"), after) for name, after in zip(names, (50, 50, 5), strict=True)}
    latest = tuple(LatestState(name, "2026-01") for name in names)
    assert deliver(inbox, claim, latest=latest, rewrites=rewrites) == 1
    assert states(inbox) == {1: "done", 9: "ready"}


def test_followups_each_have_their_own_delay(inbox: Inbox, claim: Claim, elapse: Elapse) -> None:
    followups = tuple(FollowUp(message(number, f"user:{number}"), number * 100) for number in (2, 3, 4))
    assert deliver(inbox, claim, followups=followups) == 1
    for number in (2, 3, 4):
        elapse(210 if number == 2 else 100)
        assert numbers(take(inbox, lease=100_000)) == [number]


def test_a_followup_of_the_same_key_waits_behind_what_is_there(inbox: Inbox, elapse: Elapse) -> None:
    inbox.accept([message(1), message(2)])
    assert deliver(inbox, take(inbox), followups=(FollowUp(message(3), 50),)) == 1
    claim = take(inbox, per_key=10)
    assert numbers(claim) == [2]
    settle(inbox, claim)
    assert idle(inbox)
    elapse(51)
    assert numbers(take(inbox)) == [3]


def test_the_payload_of_a_delivered_message_is_replaced_and_no_other_one(inbox: Inbox) -> None:
    inbox.accept([message(1, "user:1"), message(2, "user:2"), message(3, "user:3")])
    claim = take(inbox)
    redacted = {claim.messages[0].id: {"number": 1, "text": None}, claim.messages[2].id: {"number": 3, "text": "-"}}
    assert deliver(inbox, claim, redacted=redacted) == 3
    payloads = {entry.message_id: entry.payload for entry in inbox.page(Filter())}
    assert payloads == {"m1": {"number": 1, "text": None}, "m2": {"number": 2}, "m3": {"number": 3, "text": "-"}}


def test_a_message_is_due_again_as_long_after_the_failure_as_the_policy_says(inbox: Inbox, claim: Claim) -> None:
    """The page of a row shows it to people."""
    now = inbox.stats().now
    settle(inbox, claim, Retry("503"), retry=lambda *_: inbox._clock() + timedelta(seconds=300))
    (entry,) = inbox.page(Filter())
    assert timedelta(seconds=299) < entry.due_at - now < timedelta(seconds=330)
    assert entry.finished_at is None
