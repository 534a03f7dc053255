"""Messages are stored once, completely, and in order."""

from __future__ import annotations

import itertools
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sfcode.relay.inbox import Filter, Inbox, open_inbox
from sfcode.relay.inbox.accept import LONGEST, is_one_statement, subject
from sfcode.relay.inbox.column_types import escape, unescape
from sfcode.relay.message import InboxMessage
from tests.relay.inbox.samples import idle, keyed, message, numbers, settle, states, take


def test_a_message_is_kept_once_however_often_it_arrives(inbox: Inbox) -> None:
    assert inbox.accept([message(1), message(2)]) == 2
    assert inbox.accept([message(2), message(3), message(3)]) == 1
    assert [entry.message_id for entry in inbox.page(Filter())] == ["m3", "m2", "m1"]


def test_the_first_of_two_messages_of_one_id_is_the_one_that_is_kept(inbox: Inbox) -> None:
    inbox.accept([message(1, payload={"number": 1}), message(1, payload={"number": 2})])
    assert numbers(take(inbox)) == [1]


def test_a_delivered_message_is_not_accepted_again(inbox: Inbox) -> None:
    inbox.accept([message(1)])
    settle(inbox, take(inbox))
    assert inbox.accept([message(1)]) == 0
    assert idle(inbox)


def test_the_sources_do_not_share_ids(inbox: Inbox) -> None:
    assert inbox.accept([message(1), message(1, source="salesforce")]) == 2


def test_each_caller_of_a_shared_transaction_learns_its_own_count(inbox: Inbox) -> None:
    inbox.accept([message(1)])
    assert inbox.accept_each([[message(1)], [message(2), message(3)], [message(3), message(4)], []]) == (0, 2, 1, 0)


def test_a_message_of_a_record_is_found_by_it_if_it_arrives_with_others(inbox: Inbox) -> None:
    record = {"record": {"Id": "003000000000001AAA"}}
    inbox.accept([message(1), message(2, source="salesforce", payload=record), message(3)])
    assert [entry.message_id for entry in inbox.page(Filter(record="003000000000001AAA"))] == ["m2"]
    records = {entry.message_id: stored.records for entry in inbox.page(Filter()) if (stored := inbox.find(entry.id))}
    assert records == {"m1": (), "m2": ("003000000000001AAA",), "m3": ()}


@pytest.mark.parametrize("user_id", ["", None, 1001])
def test_a_message_without_a_user_id_is_searched_by_its_key(user_id: object) -> None:
    assert subject("group:7", {"user_id": user_id}) == "group:7"


def test_an_empty_accept_opens_no_transaction(inbox: Inbox) -> None:
    assert inbox.accept([]) == 0


def test_ids_go_by_the_order_of_arrival_within_a_call(inbox: Inbox) -> None:
    inbox.accept([message(number) for number in range(500)])
    assert numbers(take(inbox, limit=500, per_key=500)) == list(range(500))


def test_a_message_parked_on_arrival_is_stored_and_not_claimed(inbox: Inbox) -> None:
    inbox.accept([message(1, parked="no_user_id"), message(2)])
    assert numbers(take(inbox)) == [2]
    (entry,) = inbox.page(Filter(state="parked"))
    assert (entry.reason, entry.attempts) == ("no_user_id", 0)


def test_messages_survive_a_restart(inbox: Inbox, database_url: str) -> None:
    inbox.accept(keyed("a", "b"))
    inbox.close()
    with open_inbox(database_url) as second_inbox:
        assert states(second_inbox) == {0: "ready", 1: "ready"}


NUMBERS = itertools.count()
ODD = "\x00 \ud800 \udfff \\ \\u0000 é 😀 \u202e '\"%s:x \n"


def test_every_character_of_python_is_read_back_unchanged(inbox: Inbox) -> None:
    odd = InboxMessage(
        "appcues", f"id{ODD}", f"user:{ODD}", f"kind{ODD}", {ODD: [ODD, None, 1.5, True]}, f"parked{ODD}"
    )
    assert inbox.accept([odd]) == 1
    assert inbox.accept([odd]) == 0
    (entry,) = inbox.page(Filter(subject=f"user:{ODD}", kind=f"kind{ODD}", reason=f"parked{ODD}"))
    assert (entry.message_id, entry.payload) == (f"id{ODD}", {ODD: [ODD, None, 1.5, True]})


def test_similar_keys_stay_different(inbox: Inbox) -> None:
    keys = ["a\x00", "a\\u0000", "a\\\\u0000", "a", "A", "a ", "ä", "a\u0308"]
    assert inbox.accept([message(number, key) for number, key in enumerate(keys)]) == len(keys)
    assert sorted(message_taken.key for message_taken in take(inbox).messages) == sorted(keys)


@given(st.text(st.characters(), max_size=20), st.text(st.characters(), max_size=20))
def test_escaping_loses_nothing_and_mixes_up_nothing(first: str, other: str) -> None:
    assert unescape(escape(first)) == first
    assert (escape(first) == escape(other)) == (first == other)
    escape(first).encode("utf-8")
    assert "\x00" not in escape(first)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(payload=st.dictionaries(st.text(st.characters(), max_size=5), st.text(st.characters(), max_size=5)))
def test_any_payload_is_read_back_unchanged(inbox: Inbox, payload: dict[str, str]) -> None:
    inbox.accept([message(next(NUMBERS), payload=payload)])
    assert inbox.page(Filter(), 1)[0].payload == payload


def test_very_long_ids_and_keys_are_shortened_and_still_distinguished(inbox: Inbox) -> None:
    long = "".join(chr(0x4E00 + number * 7919 % 20_000) for number in range(LONGEST))  # no index compresses it
    assert inbox.accept([message(1, f"{long}1"), message(2, f"{long}2"), message(3, message_id=long)]) == 3
    assert inbox.accept([message(4, message_id=long)]) == 0
    claim = take(inbox)
    assert numbers(claim) == [1, 2, 3]
    assert all(
        len(name.encode()) <= LONGEST for claimed in claim.messages for name in (claimed.key, claimed.message_id)
    )


def test_messages_of_records_are_not_stored_by_one_statement() -> None:
    of_record = message(2, source="salesforce", payload={"record": {"Id": "003000000000001AAA"}})
    assert is_one_statement([[message(1)], [message(3)]])
    assert not is_one_statement([[message(1)], [message(3), of_record]])


def test_a_name_of_the_longest_length_is_kept_as_it_is(inbox: Inbox) -> None:
    inbox.accept([message(1, "k" * LONGEST)])
    assert take(inbox).messages[0].key == "k" * LONGEST


@pytest.mark.parametrize("payload", [{"a": object()}, {"a": {1, 2}}])
def test_a_payload_that_is_not_json_is_refused_with_the_whole_call(inbox: Inbox, payload: dict[str, object]) -> None:
    with pytest.raises(Exception, match="not JSON serializable"):
        inbox.accept([message(1), message(2, payload=payload)])
    assert states(inbox) == {}


def test_many_threads_that_accept_the_same_messages_store_each_once(inbox: Inbox) -> None:
    together = threading.Barrier(4)
    messages = [message(number, f"user:{number % 7}") for number in range(120)]

    def accept(order: int) -> int:
        together.wait()
        own_messages = messages[::-1] if order % 2 else messages
        return sum(inbox.accept(own_messages[at : at + 30]) for at in range(0, 120, 30))

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(accept, range(4))) == 120
    assert len(states(inbox)) == 120
