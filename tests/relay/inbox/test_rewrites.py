"""Other rows that a settlement stores: states to rewrite, follow-ups, and payloads without texts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import pytest

from sfcode.relay.inbox import Filter, Inbox
from sfcode.relay.inbox.forget import PersonData
from sfcode.relay.message import Claim, Delivered, Delivery, FollowUp, LatestState, Retry
from sfcode.relay.rewrite import KIND
from tests.relay.inbox.conftest import Elapse
from tests.relay.inbox.samples import idle, message, never, numbers, settle, take

NAME = "field:Contact:003A:Score__c"
OTHER = "field:Contact:003A:Note__c"


def score(stamp: str, value: str = "") -> LatestState:
    return LatestState(NAME, stamp, value)


def settled(inbox: Inbox, claim: Claim, **options: object) -> int:
    """Settle a claim as delivered."""
    ends = {claimed.id: Delivered() for claimed in claim.messages}
    return inbox.settle(claim, Delivery(ends, **options), never)  # type: ignore[arg-type]


@dataclass
class Writing:
    """A claim that has announced the score and is not settled yet."""

    inbox: Inbox
    claim: Claim
    intent: int

    def settle(self, stamp: str = "2026-01", **options: object) -> int:
        """Settle the claim after it has written a score."""
        values = {"latest": (score(stamp, stamp),), "written": {NAME}, "intents": {self.intent}}
        values |= options  # type: ignore[arg-type]
        return settled(
            self.inbox,
            self.claim,
            **{name: frozenset(value) if isinstance(value, set) else value for name, value in values.items()},
        )


def writing(inbox: Inbox, number: int, *names: str, lease: float = 60) -> Writing:
    """Accept and claim a message of a new key, and announce its writes of states that have older values."""
    inbox.note([LatestState(name, "2025") for name in names or [NAME]])
    inbox.accept([message(number, f"user:{number}")])
    claim = take(inbox, lease=lease)
    return Writing(inbox, claim, inbox.announce(claim, names or [NAME]))


def list_rewrites(inbox: Inbox) -> list[str]:
    """Return the states that will be written again."""
    entries = inbox.page(Filter(kind=KIND, state="ready"), 1000)
    assert all(entry.key == f"rewrite:{entry.payload['rewrite']}" for entry in entries)
    return sorted(entry.payload["rewrite"] for entry in entries)


def announced(inbox: Inbox) -> int:
    with inbox._database.read() as tx:
        return int(tx.db.exec_driver_sql("SELECT count(*) FROM relay_intents").scalar_one())


@pytest.fixture
def claim(inbox: Inbox) -> Claim:
    """Claim message 1."""
    inbox.accept([message(1)])
    return take(inbox, lease=60)


def test_a_value_that_nobody_else_wrote_meanwhile_is_not_written_again(inbox: Inbox, elapse: Elapse) -> None:
    writing(inbox, 1).settle("2026-01")
    writing(inbox, 2).settle("2026-02")
    assert (list_rewrites(inbox), announced(inbox)) == ([], 0)
    elapse(1000)
    assert inbox.expire_intents() == 0
    assert inbox.latest([NAME])[NAME].value == "2026-02"


@pytest.mark.parametrize("older_first", [True, False])
def test_of_two_claims_that_wrote_a_state_at_the_same_time_the_one_settled_last_writes_it_again(
    inbox: Inbox, older_first: bool
) -> None:
    older, newer = writing(inbox, 1), writing(inbox, 2)
    for claim, stamp in [(older, "2026-01"), (newer, "2026-02")][:: 1 if older_first else -1]:
        assert list_rewrites(inbox) == [], "the other may be on its way"
        assert claim.settle(stamp) == 1
    assert (list_rewrites(inbox), announced(inbox)) == ([NAME], 0)
    assert inbox.latest([NAME])[NAME].value == "2026-02"


def test_a_claim_that_wrote_no_announced_state_causes_no_rewrite(inbox: Inbox) -> None:
    idle_, writer = writing(inbox, 1), writing(inbox, 2)
    idle_.settle(latest=(), written=set())
    writer.settle()
    assert list_rewrites(inbox) == []


def test_a_claim_that_wrote_nothing_does_not_rewrite_states_of_others(inbox: Inbox) -> None:
    writer, idle_ = writing(inbox, 1), writing(inbox, 2)
    writer.settle()
    idle_.settle(latest=(), written=set())
    assert list_rewrites(inbox) == []


def test_states_of_other_records_and_directions_are_not_rewritten(inbox: Inbox) -> None:
    first, second = writing(inbox, 1), writing(inbox, 2, OTHER)
    inbox.accept([message(3, source="salesforce")])
    third = inbox.claim("salesforce", limit=1, per_key=1, lease=60)
    assert third is not None
    inbox.announce(third, [NAME])
    first.settle()
    second.settle(latest=(), written={OTHER})
    assert list_rewrites(inbox) == []


def test_an_overtaken_rewrite_is_repeated_by_the_last_settlement(inbox: Inbox) -> None:
    """With three processes: the rewrite has read 8, then 9 is written and settled, then 8 arrives."""
    inbox.note([score("2026-01", "8")])
    rewriting, newer = writing(inbox, 1), writing(inbox, 2)
    rewriting.settle(latest=(), rewritten=(score("2026-01", "8"),))
    newer.settle("2026-02")
    assert list_rewrites(inbox) == [NAME]


def test_a_state_that_was_settled_before_a_claim_announced_it_is_seen_as_well(inbox: Inbox, claim: Claim) -> None:
    inbox.note([score("2026-02", "9")])
    late = Writing(inbox, claim, inbox.announce(claim, [NAME]))
    late.settle("2026-01")
    assert list_rewrites(inbox) == [NAME]
    assert inbox.latest([NAME]) == {NAME: score("2026-02", "9")}


def test_a_rewritten_state_that_was_deleted_meanwhile_is_not_written_again(inbox: Inbox) -> None:
    claim = writing(inbox, 1)
    inbox.forget(PersonData((), frozenset(), (NAME,)), {})
    assert claim.settle(latest=(), rewritten=(score("2026-01", "8"),)) == 1
    assert list_rewrites(inbox) == []


def test_a_state_that_is_written_and_settled_twice_is_not_written_a_third_time(inbox: Inbox) -> None:
    """After a lost settlement its messages are delivered once more."""
    inbox.note([score("2026-01", "2026-01")])
    writing(inbox, 1).settle("2026-01")
    assert list_rewrites(inbox) == []


def test_an_older_state_that_no_call_has_written_is_not_written_again(inbox: Inbox) -> None:
    inbox.note([score("2026-02", "9")])
    writing(inbox, 1).settle("2026-01", written=set())
    assert list_rewrites(inbox) == []
    assert inbox.latest([NAME]) == {NAME: score("2026-02", "9")}


@pytest.mark.parametrize(
    ("state", "is_repeated"),
    [(score("2026-01", "8"), False), (score("2026-01", "9"), True), (score("2026-02", "8"), True)],
)
def test_a_rewritten_value_is_written_again_when_it_is_not_the_known_one(
    inbox: Inbox, state: LatestState, is_repeated: bool
) -> None:
    inbox.note([state])
    writing(inbox, 1).settle(latest=(), rewritten=(score("2026-01", "8"),))
    assert list_rewrites(inbox) == ([NAME] if is_repeated else [])
    assert inbox.latest([NAME]) == {NAME: state}, "a rewritten value is no news"


def test_the_values_of_a_lost_claim_are_written_again(inbox: Inbox, elapse: Elapse) -> None:
    """Salesforce or Appcues may have the value of the lost claim, although another delivery wrote a newer one before."""
    lost_claim = writing(inbox, 1)
    elapse(60)
    assert settle(inbox, take(inbox)) == 1
    assert lost_claim.settle(redacted={lost_claim.claim.messages[0].id: {"number": 99}}) == 0
    assert (list_rewrites(inbox), announced(inbox)) == ([NAME], 0)
    assert inbox.latest([NAME]) == {NAME: score("2025")}


def test_states_announced_by_a_killed_process_are_rewritten_after_its_calls_expire(
    inbox: Inbox, elapse: Elapse
) -> None:
    writing(inbox, 1, NAME, OTHER)
    elapse(60)
    settle(inbox, take(inbox), Retry("503"), retry=lambda *_: timedelta())  # any outcome of the messages
    assert inbox.expire_intents() == 0, "only the lease is over, and time passes on the server too"
    elapse(61)
    assert inbox.expire_intents() == 2
    assert (list_rewrites(inbox), announced(inbox)) == ([OTHER, NAME], 0)


def test_a_lost_claim_whose_intents_have_expired_has_its_values_written_once_more(inbox: Inbox, elapse: Elapse) -> None:
    lost_claim = writing(inbox, 1)
    elapse(121)
    inbox.expire_intents()
    settle(inbox, take(inbox))
    assert (list_rewrites(inbox), idle(inbox)) == ([], True)
    assert lost_claim.settle() == 0
    assert list_rewrites(inbox) == [NAME]


@pytest.mark.parametrize("is_lost", [False, True])
def test_a_state_whose_call_may_not_be_over_is_written_again_a_lease_later(
    inbox: Inbox, elapse: Elapse, is_lost: bool
) -> None:
    doubtful = writing(inbox, 1, NAME, OTHER)
    if is_lost:
        elapse(130)
        inbox.expire_intents()
        while not idle(inbox):
            pass
    doubtful.settle(latest=(), written=set(), doubted={NAME})
    before = len(list_rewrites(inbox))
    assert inbox.expire_intents() == 0
    elapse(61)
    assert inbox.expire_intents() == 1
    assert len(list_rewrites(inbox)) == before + 1
    assert NAME in list_rewrites(inbox)


def test_states_that_were_never_delivered_are_not_written_again(inbox: Inbox, elapse: Elapse) -> None:
    """Their messages will be delivered again, after all calls of the lost claim have ended."""
    inbox.accept([message(1)])
    lost_claim = take(inbox)
    Writing(inbox, lost_claim, inbox.announce(lost_claim, [NAME]))
    elapse(121)
    assert inbox.expire_intents() == 1
    assert list_rewrites(inbox) == []
    assert numbers(take(inbox)) == [1]
    assert settled(inbox, lost_claim, written=frozenset({NAME})) == 0
    assert list_rewrites(inbox) == []


def test_the_first_delivery_of_a_state_writes_it_again_after_calls_of_a_killed_process(
    inbox: Inbox, elapse: Elapse
) -> None:
    """The calls of the killed process may arrive until the intent expires, so also after those of its successor."""
    inbox.accept([message(1)])
    inbox.announce(take(inbox), [NAME, OTHER])
    elapse(61)
    second_claim = take(inbox)
    successor = Writing(inbox, second_claim, inbox.announce(second_claim, [NAME]))
    elapse(60)
    assert inbox.expire_intents() == 2
    assert (list_rewrites(inbox), announced(inbox)) == ([], 1)
    assert (
        inbox.settle(
            second_claim,
            Delivery({}, (score("2026"),), intents=frozenset({successor.intent}), written=frozenset({NAME})),
            never,
        )
        == 1
    )
    assert list_rewrites(inbox) == [NAME]


def test_a_state_that_waits_to_be_written_again_waits_once(inbox: Inbox, elapse: Elapse) -> None:
    for claim in (writing(inbox, 1), writing(inbox, 2)):
        claim.settle(latest=(), written=set(), doubted={NAME})
        elapse(61)
        assert inbox.expire_intents() == 1
    assert list_rewrites(inbox) == [NAME]


def test_announced_states_without_a_result_are_in_doubt(inbox: Inbox, elapse: Elapse) -> None:
    """The delivery was interrupted by a bug, or because the process stops."""
    failing_message = writing(inbox, 1)
    second = inbox.announce(failing_message.claim, [OTHER])
    failing_message.settle(written=set(), latest=(), intents={second})
    elapse(61)
    assert inbox.expire_intents() == 1
    assert list_rewrites(inbox) == [NAME]
    stopped = writing(inbox, 2, OTHER)
    inbox.release(stopped.claim)
    elapse(61)
    assert inbox.expire_intents() == 1


def test_a_state_in_doubt_is_written_again_by_later_claims(inbox: Inbox) -> None:
    doubtful, writer = writing(inbox, 1), writing(inbox, 2)
    doubtful.settle(latest=(), written=set(), doubted={NAME})
    writer.settle()
    assert list_rewrites(inbox) == [NAME]


def test_an_outage_leaves_one_message_for_each_state_however_often_it_is_tried(inbox: Inbox, elapse: Elapse) -> None:
    for number in range(5):
        writing(inbox, number).settle(latest=(), written=set(), doubted={NAME})
        elapse(61)
        inbox.expire_intents()
        assert list_rewrites(inbox) == [NAME]
    rewriting = take(inbox)
    assert len(rewriting.messages) == 1
    intent = inbox.announce(rewriting, [NAME])
    Writing(inbox, rewriting, intent).settle(latest=(), written=set(), doubted={NAME})
    elapse(61)
    assert inbox.expire_intents() == 1
    assert list_rewrites(inbox) == [NAME], "the one before was begun, so that it does not count"


def test_many_states_are_written_again_at_once(inbox: Inbox, elapse: Elapse) -> None:
    names = [f"field:Contact:{number:04}:Score__c" for number in range(2_500)]
    writing(inbox, 1, *names)
    elapse(121)
    assert inbox.expire_intents() == 2_500
    assert len(inbox.page(Filter(kind=KIND), 5_000)) == 2_500


def test_followups_each_have_their_own_delay(inbox: Inbox, claim: Claim, elapse: Elapse) -> None:
    followups = tuple(FollowUp(message(number, f"user:{number}"), number * 100) for number in (2, 3, 4))
    assert settled(inbox, claim, followups=followups) == 1
    for number in (2, 3, 4):
        elapse(210 if number == 2 else 100)
        assert numbers(take(inbox, lease=100_000)) == [number]


def test_a_followup_of_the_same_key_waits_behind_what_is_there(inbox: Inbox, elapse: Elapse) -> None:
    inbox.accept([message(1), message(2)])
    assert settled(inbox, take(inbox), followups=(FollowUp(message(3), 50),)) == 1
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
    assert settled(inbox, claim, redacted=redacted) == 3
    payloads = {entry.message_id: entry.payload for entry in inbox.page(Filter())}
    assert payloads == {"m1": {"number": 1, "text": None}, "m2": {"number": 2}, "m3": {"number": 3, "text": "-"}}


def test_a_retry_is_due_after_the_delay_of_the_policy_since_the_failure(inbox: Inbox, claim: Claim) -> None:
    """The page of the message shows the due time to people."""
    now = inbox.stats().now
    settle(inbox, claim, Retry("503"), retry=lambda *_: timedelta(seconds=300))
    (entry,) = inbox.page(Filter())
    assert timedelta(seconds=299) < entry.due_at - now < timedelta(seconds=330)
    assert entry.finished_at is None
