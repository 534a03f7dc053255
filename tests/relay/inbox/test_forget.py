"""Forgetting a person deletes all messages and states of this person, and of no other."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any

import pytest

from sfcode.relay.inbox import Filter, Inbox, open_inbox
from sfcode.relay.inbox import forget as module
from sfcode.relay.inbox.dialects import Transaction
from sfcode.relay.inbox.forget import PersonData
from sfcode.relay.inbox.settle import hold
from sfcode.relay.inbox.types import RowLocked
from sfcode.relay.message import Claim, Delivered, Delivery, FollowUp, InboxMessage, LatestState
from sfcode.relay.rewrite import rewrite_key
from sfcode.relay.state_names import RECORD_KINDS, RecordStateKind, name_record_state
from tests.relay.inbox.conftest import Elapse
from tests.relay.inbox.samples import idle, message, never, numbers, settle, take


def ids(inbox: Inbox, person: PersonData) -> list[int]:
    """Return the numbers of some found messages."""
    return sorted(entry.payload["number"] for entry in inbox.page(Filter(ids=person.messages), 1000))


def find(inbox: Inbox, user_id: str, names: Iterable[str] = ()) -> list[int]:
    return ids(inbox, inbox.find_person(user_id, names))


def of_user(number: int, user_id: str, key: str = "group:acme") -> InboxMessage:
    return message(number, key, payload={"number": number, "user_id": user_id})


@pytest.mark.parametrize(
    ("user_id", "other_ids"),
    [
        ("10_1", ["1001", "10_11", "110_1"]),
        ("10%1", ["1001", "10%11", "10"]),
        ("a\\b", ["a\\\\b", "ab"]),
        ('a"b', ["a", "b", 'a\\"b']),
        ("ä", ["a", "Ä", "\\u00e4"]),
        ("Ann", ["ann", "ANN"]),
    ],
)
def test_an_id_is_compared_letter_by_letter(inbox: Inbox, user_id: str, other_ids: list[str]) -> None:
    inbox.accept([message(0, f"user:{user_id}"), of_user(1, user_id, f"user:{user_id}@lead"), of_user(2, user_id)])
    inbox.accept([message(10 + at, f"user:{other_id}") for at, other_id in enumerate(other_ids)])
    inbox.accept([of_user(20 + at, other_id, f"user:{other_id}@lead") for at, other_id in enumerate(other_ids)])
    inbox.accept([of_user(30 + at, other_id) for at, other_id in enumerate(other_ids)])
    assert find(inbox, user_id) == [0, 1, 2]


def test_an_id_with_the_same_prefix_is_another_person(inbox: Inbox) -> None:
    """The key of a follow-up message is the key of its message, `@`, and the name of the mapping."""
    inbox.accept([message(1, "user:ann@example.com"), of_user(2, "ann", "user:ann@lead")])
    assert find(inbox, "ann") == [2]


def test_unparsed_webhooks_that_contain_the_id_are_removed(inbox: Inbox) -> None:
    bodies = [
        {"who": [{"id": "x"}, {"id": "10_1"}]},
        {"who": 1001},
        {"note": "10_1 and 1001"},
        {"who": "1001"},
        {"1001": True},
        {"who": 'a\\b "c"'},
    ]
    inbox.accept(
        [
            message(
                at, "", parked="no_user_id", payload={"number": at, "received": body, "envelope": [{"at": 1001 + at}]}
            )
            for at, body in enumerate(bodies)
        ]
    )
    assert (find(inbox, "10_1"), find(inbox, "1001"), find(inbox, "True")) == ([0], [0, 1, 3], [])
    assert find(inbox, 'a\\b "c"') == [5]


def test_an_id_that_is_too_long_for_an_index_is_found(inbox: Inbox) -> None:
    inbox.accept([message(1, f"user:{'x' * 3000}"), message(2, f"user:{'x' * 3001}")])
    assert find(inbox, "x" * 3000) == [1]


def test_an_id_inside_a_text_of_another_person_is_not_a_match(inbox: Inbox) -> None:
    inbox.accept([message(1, payload={"number": 1, "user_id": "2", "texts": {"user_id": "1001"}})])
    assert find(inbox, "1001") == []


def test_records_of_the_persons_messages_and_states_lead_to_more(inbox: Inbox) -> None:
    def record(number: int, user_id: str, record: object) -> InboxMessage:
        payload = {"number": number, "record": record}
        return message(number, f"user:{user_id}", source="salesforce", payload=payload)

    inbox.accept([record(1, "1001", {"Id": "003A"}), record(2, "2", {"Id": "003C"}), record(3, "1001", {"Id": 7})])
    inbox.accept([record(4, "1001", "003D"), record(5, "1001", None)])
    fields = ["Contact:003A", "Contact:003B", "Contact:003C", "Lead:x003A"]
    inbox.accept([message(10 + at, f"rewrite:field:{record_id}:Note__c") for at, record_id in enumerate(fields)])
    inbox.accept([message(14, "rewrite:profile:user:1001"), message(15, "rewrite:profile:user:10011")])
    inbox.accept([message(20, "other:Contact:003A:Note__c")])
    values = {"records:user:1001": '["003B"]', "records:lead:1001": "", "profile:user:1001": '["003C"]'}
    inbox.note([LatestState(name, "2026", value) for name, value in values.items()])
    inbox.note(
        [LatestState(f"field:Contact:{record_id}:Note__c", "2026") for record_id in ("003A", "003B", "003C", "x003A")]
    )
    inbox.note([LatestState(f"answers:Contact:{record_id}:5eed", "2026", "[]") for record_id in ("003A", "003C")])
    inbox.note([LatestState(f"member:Contact:{record_id}:00vA", "3", '"Registered"') for record_id in ("003A", "003C")])
    inbox.note([LatestState(f"nps:contact:{record_id}", "2026", "9") for record_id in ("003A", "003A0", "003C")])
    inbox.note([LatestState("nps:lead:003B", "2026", "9"), LatestState("nps:zone:003C", "2026", "9")])
    person = inbox.find_person("1001", [*values, "unknown"])
    assert person.records == {"003A", "003B"}
    assert ids(inbox, person) == [1, 3, 4, 5, 10, 11, 14]
    assert person.states == (
        "answers:Contact:003A:5eed",
        "field:Contact:003A:Note__c",
        "field:Contact:003B:Note__c",
        "member:Contact:003A:00vA",
        "nps:contact:003A",
        "nps:lead:003B",
        "profile:user:1001",
        "records:lead:1001",
        "records:user:1001",
    )


@pytest.mark.parametrize("kind", RECORD_KINDS)
def test_the_states_of_the_persons_records_are_found_whatever_their_kind(inbox: Inbox, kind: RecordStateKind) -> None:
    payload = {"number": 1, "record": {"Id": "003A"}}
    inbox.accept([message(1, "user:1001", source="salesforce", payload=payload)])
    name = name_record_state(kind, "Contact", "003A", "part")
    inbox.note([LatestState(name, "2026", "[]")])
    inbox.accept([message(2, rewrite_key(name))])
    person = inbox.find_person("1001", [])
    assert (person.states, ids(inbox, person)) == ((name,), [1, 2])


def test_announced_states_of_a_person_are_not_written_again(inbox: Inbox, elapse: Elapse) -> None:
    own_state, other_state = "field:Contact:003A:Note__c", "field:Contact:003C:Note__c"
    inbox.accept([message(1)])
    inbox.note([LatestState(own_state, "2026"), LatestState(other_state, "2026")])
    inbox.announce(take(inbox), [own_state, other_state])
    inbox.forget(PersonData((), frozenset({"003A"}), (own_state,)), {})
    elapse(121)
    assert inbox.expire_intents() == 1
    assert [entry.key for entry in inbox.page(Filter(kind="sfcode:rewrite"))] == [f"rewrite:{other_state}"]


def test_an_unknown_person_has_no_data(inbox: Inbox) -> None:
    inbox.accept([message(1)])
    inbox.note([LatestState("field:Contact:003A:Note__c", "2026")])
    person = inbox.find_person("nobody", ["profile:user:nobody"])
    assert person == PersonData((), frozenset(), (), "user:nobody", "nobody", ("profile:user:nobody",))
    assert inbox.forget(person, {}) == (0, 0)
    assert len(inbox.page(Filter())) == 1
    assert len(inbox.latest(["field:Contact:003A:Note__c"])) == 1


def test_many_messages_of_a_person_go_in_steps_and_are_all_counted(
    inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "AT_ONCE", 3)
    inbox.accept([message(number, "user:1" if number % 2 else "user:2") for number in range(15)])
    person = inbox.find_person("1", [])
    assert list(person.messages) == sorted(person.messages)
    assert inbox.forget(person, {}, "ann") == (7, 0)
    assert sorted(entry.payload["number"] for entry in inbox.page(Filter())) == list(range(0, 15, 2))


STATE, PROFILE = "field:Contact:003A:Note__c", "profile:user:1"
OWN = ["records:user:1", PROFILE]


def forget_user(inbox: Inbox) -> None:
    inbox.forget(inbox.find_person("1", OWN), {})


def stored_rows(inbox: Inbox) -> dict[str, int]:
    """Count the rows that contain the user's ID or the ID of the user's record, by table."""
    tables = {"inbox": ("key", "payload"), "lanes": ("name",), "latest": ("name",), "intents": ("names", "contested")}
    counts: dict[str, int] = {}
    with inbox._database.read() as tx:
        for table, columns in tables.items():
            texts = " OR ".join(f"{column} LIKE '%user:1%' OR {column} LIKE '%003A%'" for column in columns)
            number = tx.db.exec_driver_sql(f"SELECT count(*) FROM relay_{table} WHERE {texts.replace('%', '%%')}")
            counts[table] = int(number.scalar_one())
    return counts


NOTHING = {"inbox": 0, "lanes": 0, "latest": 0, "intents": 0}


def claim_and_write(inbox: Inbox, stored_before: bool) -> tuple[Claim, Delivery]:
    """Claim a message of the user; return the claim and its delivery, with a follow-up and all kinds of states."""
    if stored_before:
        inbox.note([LatestState(name, "2025", '["003A"]') for name in (STATE, *OWN)])
    inbox.accept([message(1)])
    claim = take(inbox)
    intent = inbox.announce(claim, [STATE, PROFILE])
    followup = InboxMessage("appcues", "m1@lead", "user:1@lead", "k", {"user_id": "1"})
    news = (LatestState("records:user:1", "2026", '["003A"]'), LatestState(STATE, "2026"), LatestState(PROFILE, "2026"))
    ends = {claim.messages[0].id: Delivered()}
    return claim, Delivery(
        ends, news, (FollowUp(followup, 0.0),), intents=frozenset({intent}), written=frozenset({STATE, PROFILE})
    )


@pytest.mark.parametrize("stored_before", [False, True])
def test_a_delivery_that_ends_after_the_erasure_stores_nothing_about_the_person(
    inbox: Inbox, elapse: Elapse, stored_before: bool
) -> None:
    claim, delivery = claim_and_write(inbox, stored_before)
    forget_user(inbox)
    assert inbox.settle(claim, delivery, never) == 0
    assert stored_rows(inbox) == NOTHING
    elapse(1000)
    inbox.expire_intents()
    assert (stored_rows(inbox), idle(inbox)) == (NOTHING, True)


def test_a_delivery_whose_outcome_is_unknown_leaves_nothing_about_an_erased_person(
    inbox: Inbox, elapse: Elapse
) -> None:
    """The states of the delivery stay announced until its calls must have ended."""
    claim, delivery = claim_and_write(inbox, stored_before=True)
    forget_user(inbox)
    doubtful = Delivery({}, intents=delivery.intents, doubted=frozenset({STATE, PROFILE}))
    assert inbox.settle(claim, doubtful, never) == 0
    elapse(61)
    assert inbox.expire_intents() == 2
    assert stored_rows(inbox) == NOTHING


def test_a_delivery_that_ends_while_a_person_is_erased_leaves_nothing(inbox: Inbox) -> None:
    """The delivery ends between the search for the person's data and the removal, and its follow-up and states are found too."""
    claim, delivery = claim_and_write(inbox, stored_before=False)
    person = inbox.find_person("1", OWN)
    assert inbox.settle(claim, delivery, never) == 1
    assert inbox.forget(person, {}, "ann") == (2, 3)
    assert stored_rows(inbox) == NOTHING
    assert [(line.number, line.selection) for line in inbox.audit_lines()] == [(2, {"states": 3})]


def test_a_delivery_that_ends_between_two_steps_of_an_erasure_leaves_nothing(inbox: Inbox) -> None:
    """The delivery ends when its messages are deleted and the person's states are not, and requests to write them again."""
    claim, delivery = claim_and_write(inbox, stored_before=True)
    steps: list[int] = []

    def write(step: Callable[[Transaction], Any]) -> Any:
        if steps == [1]:
            assert inbox.settle(claim, delivery, never) == 0
            assert stored_rows(inbox)["inbox"] == 2
        steps.append(1)
        return inbox._write(step)

    assert module.forget_person(inbox._read, write, inbox.find_person("1", OWN), {}, "ann") == (3, 3)
    assert stored_rows(inbox) == NOTHING


def test_an_erasure_waits_for_a_settlement_that_holds_its_messages(postgres_inbox_url: str) -> None:
    """Otherwise the settlement could store its follow-up and its states after the erasure."""

    def write_impatiently(step: Callable[[Transaction], Any]) -> Any:
        def run(tx: Transaction) -> Any:
            tx.db.exec_driver_sql("SET LOCAL lock_timeout = '10ms'")
            return step(tx)

        return inbox._write(run)

    with open_inbox(postgres_inbox_url) as inbox:
        inbox.accept([of_user(1, "1"), of_user(2, "2")])
        claim = take(inbox, per_key=2)
        with inbox._database.write() as tx:
            assert hold(tx, claim)
            with pytest.raises(RowLocked):
                module.forget_person(inbox._read, write_impatiently, inbox.find_person("1", OWN), {}, "ann")
        assert find(inbox, "1") == [1]


def test_other_people_of_the_delivery_are_delivered_again(inbox: Inbox) -> None:
    inbox.accept([message(1), message(2, "user:2")])
    claim = take(inbox)
    forget_user(inbox)
    assert settle(inbox, claim) == 0
    assert [(entry.key, entry.state) for entry in inbox.page(Filter())] == [("user:2", "leased")]


def test_queues_of_the_person_are_removed_while_deliveries_are_paused(inbox: Inbox) -> None:
    inbox.accept([message(1), message(2), of_user(3, "1"), of_user(4, "2")])
    forget_user(inbox)
    with inbox._database.read() as tx:
        assert tx.db.exec_driver_sql("SELECT name FROM relay_lanes").scalars().all() == ["appcues:group:acme"]
    assert numbers(take(inbox)) == [4]


def test_a_message_that_writes_a_profile_again_is_removed_even_without_a_stored_value(inbox: Inbox) -> None:
    inbox.accept([message(1, f"rewrite:{PROFILE}"), message(2, "rewrite:profile:user:10")])
    forget_user(inbox)
    assert [entry.key for entry in inbox.page(Filter())] == ["rewrite:profile:user:10"]


def test_bulk_changes_that_name_the_person_or_a_record_are_removed(inbox: Inbox) -> None:
    inbox.note([LatestState("records:user:1", "2026", '["003A"]')])
    for choice in (Filter(subject="user:1"), Filter(record="003A"), Filter(record="003C"), Filter(subject="user:2")):
        inbox.begin_change("replay", choice, "ann")
    forget_user(inbox)
    remaining = [(change.choice.subject, change.choice.record) for change in inbox.bulk_changes.under_way()]
    assert remaining == [(None, "003C"), ("user:2", None)]


def test_a_message_that_is_gone_already_does_not_count(inbox: Inbox) -> None:
    inbox.accept([message(1), message(2)])
    inbox.note([LatestState("profile:user:1", "2026")])
    person = inbox.find_person("1", ["profile:user:1"])
    assert inbox.forget(person, {}) == (2, 1)
    assert inbox.forget(person, {}) == (0, 0)


def test_every_removal_leaves_its_own_line_of_audit(inbox: Inbox) -> None:
    inbox.accept([message(1)])
    inbox.note([LatestState("profile:user:1", "2026")])
    person = inbox.find_person("1", ["profile:user:1"])
    inbox.forget(person, {"user_sha256": "6b86"}, "ann")
    inbox.forget(person, {"user_sha256": "6b86"}, "bob")
    second, first = inbox.audit_lines()
    assert (first.who, first.action, first.number) == ("ann", "forget", 1)
    assert first.selection == {"user_sha256": "6b86", "states": 1}
    assert (second.who, second.number, second.selection["states"]) == ("bob", 0, 0)
    assert timedelta() <= inbox.stats().now - first.at < timedelta(minutes=10)


def test_a_removed_record_leaves_the_guards_and_others_stay(inbox: Inbox) -> None:
    guards = {
        "clearing:contact:plan": '{"seen":true,"run":["003A","003C"],"stopped":""}',
        "clearing:contact:title": '{ "run": ["003C"] }',
        "clearing:lead:plan": '{"seen":false}',
        "other:003": '{"run":["003A"]}',
    }
    inbox.note([LatestState(name, "2026", value) for name, value in guards.items()])
    inbox.forget(PersonData((), frozenset({"003A"}), ()), {})
    remaining_guards = {name: state.value for name, state in inbox.latest(guards).items()}
    assert remaining_guards == {**guards, "clearing:contact:plan": '{"seen":true,"run":["003C"],"stopped":""}'}


def test_new_messages_of_a_removed_person_are_delivered(inbox: Inbox) -> None:
    inbox.accept([message(1), message(2, "user:2")])
    inbox.forget(inbox.find_person("1", []), {})
    assert numbers(take(inbox)) == [2]
    assert idle(inbox)
    inbox.accept([message(3)])
    assert numbers(take(inbox)) == [3]
