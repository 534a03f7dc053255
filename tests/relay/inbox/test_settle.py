"""The settlements of delivered, parked and failed messages."""

from __future__ import annotations

from datetime import timedelta

import pytest

from sfcode.relay.clock import boot_time
from sfcode.relay.inbox import Filter, Inbox, InboxEntry
from sfcode.relay.inbox.settle import LONGEST_DETAIL
from sfcode.relay.message import (
    ClaimedMessage,
    Delivered,
    Delivery,
    FollowUp,
    LatestState,
    Parked,
    Released,
    Retry,
    Settlement,
)
from tests.relay.inbox.conftest import Clock, Elapse
from tests.relay.inbox.samples import idle, keyed, message, never, numbers, settle, states, take


def settled(inbox: Inbox, settlement: Settlement, **options: object) -> InboxEntry:
    """Deliver one message, and return its row."""
    inbox.accept([message(1)])
    assert settle(inbox, take(inbox), settlement, **options) == 1  # type: ignore[arg-type]
    return inbox.page(Filter())[0]


def test_a_done_message_keeps_its_note(inbox: Inbox) -> None:
    entry = settled(inbox, Delivered("stale"))
    assert (entry.state, entry.reason, entry.detail, entry.attempts) == ("done", "", "stale", 1)
    assert entry.finished_at is not None
    assert idle(inbox)


def test_parked_keeps_its_reason(inbox: Inbox) -> None:
    entry = settled(inbox, Parked("unknown_user", "no Contact has it"))
    assert (entry.state, entry.reason, entry.detail) == ("parked", "unknown_user", "no Contact has it")
    assert idle(inbox)


def test_a_retry_is_due_when_the_policy_says_and_counts(inbox: Inbox, clock: Clock, elapse: Elapse) -> None:
    questions: list[tuple[ClaimedMessage, Retry]] = []

    def policy(claimed: ClaimedMessage, retry: Retry) -> object:
        questions.append((claimed, retry))
        return timedelta(seconds=30)

    entry = settled(inbox, Retry("503 from Salesforce", after=30), retry=policy)
    assert (entry.state, entry.detail, entry.attempts) == ("ready", "503 from Salesforce", 1)
    assert [(asked_message.message_id, retry.after) for asked_message, retry in questions] == [("m1", 30)]
    elapse(25)
    assert idle(inbox)
    elapse(5)
    assert take(inbox).messages[0].attempts == 1


def test_a_retry_that_does_not_count_leaves_the_attempts(inbox: Inbox, clock: Clock) -> None:
    assert settled(inbox, Retry("outage", counts=False), retry=lambda _, __: timedelta()).attempts == 0


def test_a_retry_that_is_given_up_is_dead_with_its_last_error(inbox: Inbox) -> None:
    entry = settled(inbox, Retry("REQUIRED_FIELD_MISSING"))
    assert (entry.state, entry.reason, entry.detail) == ("dead", "gave_up", "REQUIRED_FIELD_MISSING")


def test_a_success_removes_the_error_of_a_retry(inbox: Inbox, clock: Clock) -> None:
    settled(inbox, Retry("503"), retry=lambda _, __: timedelta())
    settle(inbox, take(inbox))
    (entry,) = inbox.page(Filter())
    assert (entry.state, entry.detail, entry.attempts) == ("done", "", 2)


def test_a_very_long_error_is_cut(inbox: Inbox) -> None:
    assert len(settled(inbox, Parked("odd", "x" * 10_000)).detail) == LONGEST_DETAIL


def test_each_message_of_a_claim_ends_in_its_own_way(inbox: Inbox, clock: Clock) -> None:
    inbox.accept(keyed(*"abcdef"))
    claim = take(inbox)
    ways = (Delivered(), Parked("odd"), Retry("later"), Retry("never"), Released(), Delivered("stale"))
    ends = dict(zip((message.id for message in claim.messages), ways, strict=True))

    def policy(_: ClaimedMessage, retry: Retry) -> object:
        return None if retry.error == "never" else timedelta(seconds=5)

    assert inbox.settle(claim, Delivery(ends), policy) == 6  # type: ignore[arg-type]
    assert states(inbox) == {0: "done", 1: "parked", 2: "ready", 3: "dead", 4: "ready", 5: "done"}


def test_a_message_without_a_settlement_is_released(inbox: Inbox) -> None:
    inbox.accept(keyed("a", "b"))
    claim = take(inbox)
    assert inbox.settle(claim, Delivery({claim.messages[0].id: Delivered()}), lambda _, __: None) == 2
    assert numbers(take(inbox)) == [1]


def test_a_message_that_was_not_claimed_cannot_be_settled(inbox: Inbox) -> None:
    inbox.accept(keyed("a", "b"))
    claim = take(inbox, limit=1)
    with pytest.raises(ValueError, match="without being claimed"):
        inbox.settle(claim, Delivery({claim.messages[0].id + 1: Delivered()}), lambda _, __: None)


def test_the_transactions_of_a_delivery_are_timed(inbox: Inbox) -> None:
    timed: dict[str, float] = {}
    inbox.timed = timed.__setitem__
    began = boot_time()
    inbox.accept(keyed("a"))
    settle(inbox, take(inbox))
    assert list(timed) == ["commit", "claim", "settle"]
    assert all(seconds > 0 for seconds in timed.values())
    assert sum(timed.values()) < boot_time() - began


def test_a_claim_is_settled_once(inbox: Inbox) -> None:
    inbox.accept(keyed("a"))
    claim = take(inbox)
    assert settle(inbox, claim, Parked("odd")) == 1
    assert settle(inbox, claim, Delivered()) == 0
    assert states(inbox) == {0: "parked"}


def test_an_expired_lease_without_a_new_owner_can_be_settled(inbox: Inbox, elapse: Elapse) -> None:
    inbox.accept(keyed("a", "b"))
    claim = take(inbox)
    elapse(3600)
    assert settle(inbox, claim) == 2


def test_a_lost_lease_writes_nothing_not_even_the_latest_state(inbox: Inbox, elapse: Elapse) -> None:
    inbox.accept(keyed("a", "b"))
    old = take(inbox)
    elapse(60)
    new = take(inbox)
    assert settle(inbox, old, Parked("odd"), latest=[LatestState("score", "2026", "1")]) == 0
    assert states(inbox) == {0: "leased", 1: "leased"}
    assert inbox.latest(["score"]) == {}
    assert settle(inbox, new) == 2


def test_losing_one_message_loses_the_whole_claim(inbox: Inbox, elapse: Elapse) -> None:
    """Otherwise the latest states and the messages would be settled by different claims."""
    inbox.accept(keyed("a", "b", "b"))
    old = take(inbox, per_key=2)
    elapse(60)
    take(inbox, limit=1)
    assert settle(inbox, old, latest=[LatestState("score", "2026")]) == 0
    assert inbox.latest(["score"]) == {}
    assert numbers(take(inbox, per_key=2)) in ([1, 2], [0])


def test_the_latest_state_never_goes_back(inbox: Inbox) -> None:
    inbox.accept(keyed("a", "b", "c", "d"))
    for stamp, value in (("2026-02", "new"), ("2026-01", "old"), ("2026-02", "same time"), ("2026-03", "newest")):
        settle(
            inbox,
            take(inbox, limit=1),
            latest=[LatestState("score:1", stamp, value), LatestState(f"at:{stamp}", stamp)],
        )
        latest_states = inbox.latest(["score:1", f"at:{stamp}", "unknown"])
        assert latest_states[f"at:{stamp}"] == LatestState(f"at:{stamp}", stamp)
        assert "unknown" not in latest_states
        assert latest_states["score:1"].value == {"old": "new"}.get(value, value)


def test_of_several_states_of_one_name_the_newest_is_kept(inbox: Inbox) -> None:
    inbox.accept(keyed("a"))
    states = [
        LatestState("s", "2", "a"),
        LatestState("s", "3", "b"),
        LatestState("s", "3", "c"),
        LatestState("s", "1", "d"),
    ]
    settle(inbox, take(inbox), latest=states)
    assert inbox.latest(["s"]) == {"s": LatestState("s", "3", "c")}


def test_thousands_of_latest_states_can_be_queried_at_once(inbox: Inbox) -> None:
    inbox.accept(keyed("a"))
    settle(inbox, take(inbox), latest=[LatestState(f"n{number}", "1") for number in range(2_500)])
    assert len(inbox.latest(f"n{number}" for number in range(3_000))) == 2_500


def test_a_followup_is_stored_with_its_settlement_and_due_later(inbox: Inbox, elapse: Elapse) -> None:
    inbox.accept([message(1), message(9, "user:9", parked="odd"), message(2, source="salesforce", parked="odd")])
    claim = take(inbox)
    later = FollowUp(message(2, "user:1@lead"), 5, "INVALID_FIELD: No such column")
    delivery = Delivery({claim.messages[0].id: Delivered()}, followups=(later,))
    assert inbox.settle(claim, delivery, never) == 1
    details = {(entry.source, entry.message_id, entry.state): entry.detail for entry in inbox.page(Filter())}
    assert details == {
        ("appcues", "m1", "done"): "",
        ("appcues", "m2", "ready"): "INVALID_FIELD: No such column",
        ("appcues", "m9", "parked"): "",
        ("salesforce", "m2", "parked"): "",
    }
    assert idle(inbox)
    elapse(6)
    assert numbers(take(inbox)) == [2]


def test_a_followup_of_a_claim_that_was_lost_is_not_stored(inbox: Inbox, elapse: Elapse) -> None:
    inbox.accept([message(1)])
    lost_claim = take(inbox, lease=5)
    elapse(6)
    take(inbox)
    delivery = Delivery({lost_claim.messages[0].id: Delivered()}, followups=(FollowUp(message(2, "user:2"), 0),))
    assert inbox.settle(lost_claim, delivery, never) == 0
    assert states(inbox) == {1: "leased"}
