"""From messages to profiles: a real inbox, a real local Appcues, and the writer between them."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from sfcode.relay.appcues import delivered_state
from sfcode.relay.inbox import Filter
from sfcode.relay.inbox.pauses import PAUSED, Pause
from sfcode.relay.message import AttemptedWrite
from tests.generate.projects import project
from tests.relay.appcues.answering import answering
from tests.relay.appcues.appcues_relay import ABSENT, ACCOUNT, CONTACT, at

PAUSE = Pause("mapping", "contact", "ann@host", datetime(2026, 11, 23, tzinfo=UTC))


def test_a_record_becomes_a_profile_with_values_of_their_types(relay):
    relay.send(Title="CTO", Plan__c="pro", Birthdate="1990-02-28", Seats__c="12.0", Vip__c="true")
    assert relay.deliver() == {"m1": ("done", "")}
    assert relay.profile() == {"role": "CTO", "plan": "pro", "born": "1990-02-28", "seats": 12, "vip": True}
    assert relay.recorder.calls == [("appcues", "user_profile", "200")]
    assert relay.recorder.alarms == []


def test_an_account_becomes_the_profile_of_a_group(relay):
    relay.send("acme", mapping="account", record="001A", Industry="Energy", NumberOfEmployees="1.2E4")
    relay.deliver()
    assert relay.group("acme") == {"industry": "Energy", "staff": 12_000}
    assert relay.recorder.calls == [("appcues", "group_profile", "200")]


def test_any_id_reaches_its_own_profile(relay):
    ids = ["a/b", "anna@example.com", "100%", "Ünï cödé", "a?b#c", "...", "a:b"]
    for user in ids:
        relay.send(user, record=f"003{user}", Title=user)
    relay.deliver()
    assert {user: relay.profile(user) for user in ids} == {user: {"role": user} for user in ids}


def test_an_id_that_a_url_cannot_contain_is_parked(relay):
    for user in (".", ".."):
        relay.send(user, Title="CTO")
    assert set(relay.deliver().values()) == {("parked", "bad_user_id")}
    assert relay.bodies() == []


def test_all_messages_of_a_profile_are_one_request_with_the_latest_values(relay):
    for minute, title in ((1, "One"), (3, "Three"), (2, "Two")):
        relay.send(minute=minute, Title=title, Plan__c="pro" if minute == 1 else ABSENT)
    relay.send("u2", record="003B", Title="Other")
    states = relay.deliver()
    assert {state for state, _ in states.values()} == {"done"}
    assert sorted(map(str, relay.bodies())) == ["{'role': 'Other'}", "{'role': 'Three', 'plan': None}"]
    assert relay.profile() == {"role": "Three"}


def test_a_message_older_than_the_delivered_state_changes_nothing(relay):
    relay.send(minute=5, Title="New")
    relay.deliver()
    relay.send(minute=4, Title="Old")
    assert relay.deliver()["m2"] == ("done", "stale")
    assert relay.profile() == {"role": "New"}
    assert len(relay.bodies()) == 1


def test_of_states_with_the_same_time_the_last_received_is_sent(relay):
    relay.send(minute=5, Title="First")
    relay.deliver()
    relay.send(minute=5, Title="Second")
    relay.send(minute=5, Title="Third")
    relay.deliver()
    assert relay.profile() == {"role": "Third"}


def test_a_repeated_delivery_does_not_change_the_profile(relay):
    relay.send(minute=1, Title="One", Plan__c="pro")
    relay.send(minute=2, Title="Two")
    relay.deliver()
    before = relay.profile()
    relay.deliver_again()
    relay.deliver()
    assert relay.profile() == before == {"role": "Two"}


def test_times_are_compared_in_any_format(relay):
    relay.send(minute=5, Title="New")
    relay.deliver()
    relay.send(Title="Old", SystemModstamp="2026-06-01T07:59:00.000+0000")
    relay.send(Title="Newest", SystemModstamp="2026-06-01T09:06:00.000+0100")
    assert relay.deliver()["m2"] == ("done", "stale")
    assert relay.profile() == {"role": "Newest"}


def test_two_mappings_write_the_same_profile_and_the_record_that_changed_last_wins(relay):
    relay.send(minute=2, Title="Contact's")
    relay.send(minute=1, mapping="lead", record="00QA", Title="Lead's", Rating="Hot")
    relay.deliver()
    assert relay.profile() == {"role": "Contact's", "rating": "Hot"}
    assert len(relay.bodies()) == 1
    relay.send(minute=3, mapping="lead", record="00QA", Title="Lead's", Rating="Warm")
    relay.deliver()
    assert relay.profile() == {"role": "Lead's", "rating": "Warm"}


def test_the_record_that_changed_last_wins_in_any_order_of_delivery(relay):
    """A late message of Salesforce is about an older change than the delivered value of another record."""
    relay.send(minute=5, mapping="lead", record="00QA", Title="Lead's", Rating="Hot")
    relay.deliver()
    relay.restart()
    relay.send(minute=4, Title="Contact's", Plan__c="pro")
    assert relay.deliver()["m2"] == ("done", "")
    assert relay.profile() == {"role": "Lead's", "rating": "Hot", "plan": "pro"}, "attribute by attribute"
    assert relay.bodies()[-1] == {"plan": "pro"}
    relay.send(minute=3, record="003B", Title="Another's")
    assert relay.deliver()["m3"] == ("done", "stale")
    relay.send(minute=5, Title="Contact's")
    relay.deliver()
    assert relay.profile()["role"] == "Contact's", "of equally new ones, the one that came last"


def test_two_records_of_one_mapping_are_one_profile_at_the_newer_state(relay):
    relay.send(minute=1, record="003A", Title="CTO", Plan__c="pro")
    relay.deliver()
    relay.send(minute=3, record="003B", Title="CFO")
    relay.deliver()
    assert relay.profile() == {"role": "CFO"}
    relay.send(minute=2, record="003A", Title="CTO", Plan__c="team")
    assert relay.deliver()["m3"] == ("done", "stale")
    assert relay.profile() == {"role": "CFO"}


def test_states_of_a_removed_mapping_do_not_block_others(relay):
    """After a mapping is removed and the records of other mappings are sent again, the values of these records are kept."""
    relay.send(minute=5, mapping="lead", record="00QA", Title="Lead's")
    relay.deliver()
    relay.restart()
    relay.project = project({"contact": CONTACT})
    relay.send(minute=1, Title="Contact's")
    relay.deliver()
    assert relay.profile() == {"role": "Contact's"}


def test_the_time_of_one_record_does_not_order_another(relay):
    relay.send(minute=9, Title="Contact's")
    relay.deliver()
    relay.send(minute=1, mapping="lead", record="00QA", Rating="Hot")
    assert relay.deliver()["m2"] == ("done", "")
    assert relay.profile() == {"role": "Contact's", "rating": "Hot"}


def test_a_record_whose_user_changed_goes_to_the_new_profile_and_leaves_the_old_one(relay):
    relay.send("old", minute=1, Title="CTO")
    relay.deliver()
    relay.send("new", minute=2, Title="CFO")
    relay.deliver()
    relay.send("old", minute=0, Title="Late")
    assert relay.deliver()["m3"] == ("done", "stale")
    assert (relay.profile("old"), relay.profile("new")) == ({"role": "CTO"}, {"role": "CFO"})
    relay.send("old", minute=3, Title="Back")
    relay.deliver()
    assert relay.profile("old") == {"role": "Back"}


def test_a_bad_value_is_omitted_and_reported_without_showing_it(relay):
    relay.send(Title="CTO", Seats__c="a dozen", Vip__c="maybe")
    relay.send("u2", record="003B", Seats__c="many")
    states = relay.deliver()
    assert states["m1"] == ("done", "left out: seats, vip")
    assert relay.profile() == {"role": "CTO"}
    assert relay.profile("u2") == {}
    assert relay.recorder.alarms == [
        ("bad_value", "contact.seats is no number"),
        ("bad_value", "contact.vip is neither true nor false"),
    ]


def test_a_bad_value_keeps_the_old_one_until_a_good_one_arrives(relay):
    relay.send(minute=1, Seats__c="12")
    relay.deliver()
    relay.send(minute=2, Seats__c="a dozen")
    relay.deliver()
    assert relay.profile() == {"seats": 12}
    relay.send(minute=3)
    relay.deliver()
    assert relay.profile() == {}


def test_a_message_without_attributes_is_done_without_a_request(relay):
    relay.send()
    assert relay.deliver() == {"m1": ("done", "nothing to send")}
    assert relay.bodies() == []


def test_messages_of_a_removed_mapping_are_parked(relay):
    relay.send(mapping="opportunity", Title="CTO")
    relay.send("u2", record="003B", Title="CTO")
    states = relay.deliver()
    assert states["m1"] == ("parked", "no_mapping")
    assert states["m2"] == ("done", "")


def test_a_record_without_an_id_is_parked(relay):
    relay.send(Id=None, Title="CTO")
    assert relay.deliver() == {"m1": ("parked", "no_data")}


def test_a_message_without_a_time_is_delivered_unless_a_dated_state_was(relay):
    relay.send(SystemModstamp=ABSENT, Title="Undated")
    relay.deliver()
    assert relay.profile() == {"role": "Undated"}
    relay.send(minute=1, Title="Dated")
    relay.deliver()
    relay.send(SystemModstamp=ABSENT, Title="Undated")
    assert relay.deliver()["m3"] == ("done", "stale")
    assert relay.profile() == {"role": "Dated"}


def test_a_message_with_another_field_list_sends_its_fields(relay):
    relay.send(minute=1, Title="CTO", Plan__c="pro")
    relay.deliver()
    relay.send(minute=2, version="00000000", Title="CFO")
    relay.deliver()
    assert relay.profile() == {"role": "CFO", "plan": "pro"}


def test_records_of_the_api_give_the_same_attributes_as_messages(relay):
    relay.send(
        complete=True,
        origin="backfill",
        SystemModstamp="2026-06-01T08:00:00.000+0000",
        Title="CTO",
        Plan__c=None,
        Birthdate="1990-02-28",
        Seats__c=12.5,
        Vip__c=False,
    )
    relay.deliver()
    assert relay.profile() == {"role": "CTO", "born": "1990-02-28", "seats": 12.5, "vip": False}


def test_two_hundred_profiles_go_in_one_claim(relay):
    for number in range(200):
        relay.send(f"u{number}", record=f"003{number}", Title=f"T{number}", minute=number)
    states = relay.deliver()
    assert set(states.values()) == {("done", "")}
    assert len(relay.bodies()) == 200
    (row,) = relay.inbox.latest([delivered_state.name("user:u7")]).values()
    assert row.stamp == at(7).replace("000Z", "000000Z")


def test_each_request_is_logged_with_the_names_of_its_attributes(relay):
    relay.send(Title="Chief of Secrets", Plan__c="pro")
    relay.deliver()
    (entry,) = relay.inbox.page(Filter())
    (attempt,) = relay.inbox.find(entry.id).history
    assert attempt.writes == (AttemptedWrite("set", "user profile", ("role", "plan"), "ok"),)
    assert [entry.message_id for entry in relay.inbox.page(Filter(record="003A"))] == ["m1"]


def test_a_refusal_is_logged_without_the_values_that_it_quotes(relay):
    body = b'{"title": "Bad", "detail": "role Chief of Secrets is odd"}'
    with answering(lambda _: (400, {}, body)) as appcues:
        relay.url = appcues.url
        relay.send(Title="Chief of Secrets")
        assert relay.deliver() == {"m1": ("parked", "appcues_refused")}
        relay.restart()
    (entry,) = relay.inbox.page(Filter())
    (attempt,) = relay.inbox.find(entry.id).history
    text = "400 Bad - role … is odd"
    assert [(write.status, write.text) for write in attempt.writes] == [("400", text)]
    assert entry.detail == attempt.detail == text


def test_records_wait_for_a_pause_of_a_former_name(relay):
    relay.project = project({"person": CONTACT, "account": ACCOUNT})
    relay.restart()
    relay.write(lambda writer: asyncio.sleep(0, writer._pauses.use_names({"contact": "person"})))
    relay.write(lambda writer: asyncio.sleep(0, writer._pauses.replace([PAUSE])))
    relay.send(mapping="person", Title="CTO")
    relay.inbox.pause(PAUSE.scope, PAUSE.name, PAUSE.who)
    assert relay.deliver() == {"m1": ("ready", PAUSED)}
    assert relay.profile() == {}


def test_records_of_a_paused_mapping_wait_and_others_are_delivered(relay):
    relay.inbox.pause(PAUSE.scope, PAUSE.name, PAUSE.who)
    relay.write(lambda writer: asyncio.sleep(0, writer._pauses.replace([PAUSE])))
    relay.send(Title="CTO")
    relay.send("acme", mapping="account", record="001A", Industry="Energy")
    assert relay.deliver() == {"m1": ("ready", PAUSED), "m2": ("done", "")}
    assert relay.profile() == {}
    relay.write(lambda writer: asyncio.sleep(0, writer._pauses.replace([])))
    relay.inbox.resume(PAUSE.scope, PAUSE.name, PAUSE.who)
    relay.inbox.wake_resumed()
    assert relay.deliver()["m1"] == ("done", "")
    assert relay.profile() == {"role": "CTO"}
