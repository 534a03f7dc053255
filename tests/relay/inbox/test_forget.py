"""Forgetting a person deletes all messages and states of this person, and of no other."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

import pytest

from sfcode.relay.inbox import Filter, Inbox
from sfcode.relay.inbox import inbox as module
from sfcode.relay.inbox.forget import PersonData
from sfcode.relay.message import InboxMessage, LatestState
from tests.relay.inbox.conftest import Elapse
from tests.relay.inbox.samples import idle, message, numbers, take


def ids(inbox: Inbox, person: PersonData) -> list[int]:
    """Return the numbers of some found messages."""
    return sorted(entry.payload["number"] for entry in inbox.page(Filter(ids=person.messages), 1000))


def find(inbox: Inbox, user_id: str, names: Iterable[str] = ()) -> list[int]:
    return ids(inbox, inbox.find_person(user_id, names))


def of_user(number: int, user_id: str, key: str = "group:acme") -> InboxMessage:
    return message(number, key, payload={"number": number, "user_id": user_id})


@pytest.mark.parametrize(
    ("user_id", "others"),
    [
        ("10_1", ["1001", "10_11", "110_1"]),
        ("10%1", ["1001", "10%11", "10"]),
        ("a\\b", ["a\\\\b", "ab"]),
        ('a"b', ["a", "b", 'a\\"b']),
        ("ä", ["a", "Ä", "\\u00e4"]),
        ("Ann", ["ann", "ANN"]),
    ],
)
def test_an_id_is_compared_letter_by_letter(inbox: Inbox, user_id: str, others: list[str]) -> None:
    inbox.accept([message(0, f"user:{user_id}"), of_user(1, user_id, f"user:{user_id}@lead"), of_user(2, user_id)])
    inbox.accept([message(10 + at, f"user:{other_id}") for at, other_id in enumerate(others)])
    inbox.accept([of_user(20 + at, other_id, f"user:{other_id}@lead") for at, other_id in enumerate(others)])
    inbox.accept([of_user(30 + at, other_id) for at, other_id in enumerate(others)])
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


def test_announced_states_of_a_person_are_not_written_again(inbox: Inbox, elapse: Elapse) -> None:
    own_state, other_state = "field:Contact:003A:Note__c", "field:Contact:003C:Note__c"
    inbox.accept([message(1)])
    inbox.announce(take(inbox), [own_state, other_state])
    inbox.forget(PersonData((), frozenset({"003A"}), (own_state,)), {})
    elapse(121)
    assert inbox.expire_intents() == 1
    assert [entry.key for entry in inbox.page(Filter(kind="sfcode:rewrite"))] == [f"rewrite:{other_state}"]


def test_an_unknown_person_has_no_data(inbox: Inbox) -> None:
    inbox.accept([message(1)])
    inbox.note([LatestState("field:Contact:003A:Note__c", "2026")])
    nobody = inbox.find_person("nobody", ["profile:user:nobody"])
    assert nobody == PersonData((), frozenset(), (), "user:nobody")
    assert inbox.forget(nobody, {}) == (0, 0)
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
