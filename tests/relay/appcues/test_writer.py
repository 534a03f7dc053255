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
from tests.relay.appcues.desk import ABSENT, ACCOUNT, CONTACT, at

PAUSE = Pause("mapping", "contact", "ann@host", datetime(2026, 11, 23, tzinfo=UTC))


def test_a_record_becomes_a_profile_with_values_of_their_types(desk):
    desk.send(Title="CTO", Plan__c="pro", Birthdate="1990-02-28", Seats__c="12.0", Vip__c="true")
    assert desk.deliver() == {"m1": ("done", "")}
    assert desk.profile() == {"role": "CTO", "plan": "pro", "born": "1990-02-28", "seats": 12, "vip": True}
    assert desk.ears.calls == [("appcues", "user_profile", "200")]
    assert desk.ears.alarms == []


def test_an_account_becomes_the_profile_of_a_group(desk):
    desk.send("acme", mapping="account", record="001A", Industry="Energy", NumberOfEmployees="1.2E4")
    desk.deliver()
    assert desk.group("acme") == {"industry": "Energy", "staff": 12_000}
    assert desk.ears.calls == [("appcues", "group_profile", "200")]


def test_any_id_reaches_its_own_profile(desk):
    ids = ["a/b", "anna@example.com", "100%", "Ünï cödé", "a?b#c", "...", "a:b"]
    for user in ids:
        desk.send(user, record=f"003{user}", Title=user)
    desk.deliver()
    assert {user: desk.profile(user) for user in ids} == {user: {"role": user} for user in ids}


def test_an_id_that_an_address_cannot_hold_is_parked(desk):
    for user in (".", ".."):
        desk.send(user, Title="CTO")
    assert set(desk.deliver().values()) == {("parked", "bad_user_id")}
    assert desk.bodies() == []


def test_all_messages_of_a_profile_are_one_request_with_the_latest_values(desk):
    for minute, title in ((1, "One"), (3, "Three"), (2, "Two")):
        desk.send(minute=minute, Title=title, Plan__c="pro" if minute == 1 else ABSENT)
    desk.send("u2", record="003B", Title="Other")
    states = desk.deliver()
    assert {state for state, _ in states.values()} == {"done"}
    assert sorted(map(str, desk.bodies())) == ["{'role': 'Other'}", "{'role': 'Three', 'plan': None}"]
    assert desk.profile() == {"role": "Three"}


def test_a_message_older_than_the_delivered_state_changes_nothing(desk):
    desk.send(minute=5, Title="New")
    desk.deliver()
    desk.send(minute=4, Title="Old")
    assert desk.deliver()["m2"] == ("done", "stale")
    assert desk.profile() == {"role": "New"}
    assert len(desk.bodies()) == 1


def test_of_states_with_the_same_time_the_last_received_is_sent(desk):
    desk.send(minute=5, Title="First")
    desk.deliver()
    desk.send(minute=5, Title="Second")
    desk.send(minute=5, Title="Third")
    desk.deliver()
    assert desk.profile() == {"role": "Third"}


def test_a_repeated_delivery_does_not_change_the_profile(desk):
    desk.send(minute=1, Title="One", Plan__c="pro")
    desk.send(minute=2, Title="Two")
    desk.deliver()
    before = desk.profile()
    desk.deliver_again()
    desk.deliver()
    assert desk.profile() == before == {"role": "Two"}


def test_time_is_compared_as_time_in_whatever_form_it_comes(desk):
    desk.send(minute=5, Title="New")
    desk.deliver()
    desk.send(Title="Old", SystemModstamp="2026-06-01T07:59:00.000+0000")
    desk.send(Title="Newest", SystemModstamp="2026-06-01T09:06:00.000+0100")
    assert desk.deliver()["m2"] == ("done", "stale")
    assert desk.profile() == {"role": "Newest"}


def test_two_mappings_write_the_same_profile_and_the_record_that_changed_last_wins(desk):
    desk.send(minute=2, Title="Contact's")
    desk.send(minute=1, mapping="lead", record="00QA", Title="Lead's", Rating="Hot")
    desk.deliver()
    assert desk.profile() == {"role": "Contact's", "rating": "Hot"}
    assert len(desk.bodies()) == 1
    desk.send(minute=3, mapping="lead", record="00QA", Title="Lead's", Rating="Warm")
    desk.deliver()
    assert desk.profile() == {"role": "Lead's", "rating": "Warm"}


def test_the_record_that_changed_last_wins_whatever_was_delivered_when(desk):
    """A late message of Salesforce is about an older change than the delivered value of another record."""
    desk.send(minute=5, mapping="lead", record="00QA", Title="Lead's", Rating="Hot")
    desk.deliver()
    desk.restart()
    desk.send(minute=4, Title="Contact's", Plan__c="pro")
    assert desk.deliver()["m2"] == ("done", "")
    assert desk.profile() == {"role": "Lead's", "rating": "Hot", "plan": "pro"}, "attribute by attribute"
    assert desk.bodies()[-1] == {"plan": "pro"}
    desk.send(minute=3, record="003B", Title="Another's")
    assert desk.deliver()["m3"] == ("done", "stale")
    desk.send(minute=5, Title="Contact's")
    desk.deliver()
    assert desk.profile()["role"] == "Contact's", "of equally new ones, the one that came last"


def test_two_records_of_one_mapping_are_one_profile_at_the_newer_state(desk):
    desk.send(minute=1, record="003A", Title="CTO", Plan__c="pro")
    desk.deliver()
    desk.send(minute=3, record="003B", Title="CEO")
    desk.deliver()
    assert desk.profile() == {"role": "CEO"}
    desk.send(minute=2, record="003A", Title="CTO", Plan__c="team")
    assert desk.deliver()["m3"] == ("done", "stale")
    assert desk.profile() == {"role": "CEO"}


def test_states_of_a_removed_mapping_do_not_block_others(desk):
    """After a mapping is removed and the records of other mappings are sent again, the values of these records are kept."""
    desk.send(minute=5, mapping="lead", record="00QA", Title="Lead's")
    desk.deliver()
    desk.restart()
    desk.project = project({"contact": CONTACT})
    desk.send(minute=1, Title="Contact's")
    desk.deliver()
    assert desk.profile() == {"role": "Contact's"}


def test_the_time_of_one_record_does_not_order_another(desk):
    desk.send(minute=9, Title="Contact's")
    desk.deliver()
    desk.send(minute=1, mapping="lead", record="00QA", Rating="Hot")
    assert desk.deliver()["m2"] == ("done", "")
    assert desk.profile() == {"role": "Contact's", "rating": "Hot"}


def test_a_record_whose_user_changed_goes_to_the_new_profile_and_leaves_the_old_one(desk):
    desk.send("old", minute=1, Title="CTO")
    desk.deliver()
    desk.send("new", minute=2, Title="CEO")
    desk.deliver()
    desk.send("old", minute=0, Title="Late")
    assert desk.deliver()["m3"] == ("done", "stale")
    assert (desk.profile("old"), desk.profile("new")) == ({"role": "CTO"}, {"role": "CEO"})
    desk.send("old", minute=3, Title="Back")
    desk.deliver()
    assert desk.profile("old") == {"role": "Back"}


def test_a_bad_value_is_omitted_and_reported_without_showing_it(desk):
    desk.send(Title="CTO", Seats__c="a dozen", Vip__c="maybe")
    desk.send("u2", record="003B", Seats__c="many")
    states = desk.deliver()
    assert states["m1"] == ("done", "left out: seats, vip")
    assert desk.profile() == {"role": "CTO"}
    assert desk.profile("u2") == {}
    assert desk.ears.alarms == [
        ("bad_value", "contact.seats is no number"),
        ("bad_value", "contact.vip is neither true nor false"),
    ]


def test_a_bad_value_keeps_the_old_one_until_a_good_one_arrives(desk):
    desk.send(minute=1, Seats__c="12")
    desk.deliver()
    desk.send(minute=2, Seats__c="a dozen")
    desk.deliver()
    assert desk.profile() == {"seats": 12}
    desk.send(minute=3)
    desk.deliver()
    assert desk.profile() == {}


def test_a_message_without_attributes_is_done_without_a_request(desk):
    desk.send()
    assert desk.deliver() == {"m1": ("done", "nothing to send")}
    assert desk.bodies() == []


def test_messages_of_a_removed_mapping_are_parked(desk):
    desk.send(mapping="opportunity", Title="CTO")
    desk.send("u2", record="003B", Title="CTO")
    states = desk.deliver()
    assert states["m1"] == ("parked", "no_mapping")
    assert states["m2"] == ("done", "")


def test_a_record_without_an_id_is_parked(desk):
    desk.send(Id=None, Title="CTO")
    assert desk.deliver() == {"m1": ("parked", "no_data")}


def test_a_message_without_a_time_is_delivered_unless_a_dated_state_was(desk):
    desk.send(SystemModstamp=ABSENT, Title="Undated")
    desk.deliver()
    assert desk.profile() == {"role": "Undated"}
    desk.send(minute=1, Title="Dated")
    desk.deliver()
    desk.send(SystemModstamp=ABSENT, Title="Undated")
    assert desk.deliver()["m3"] == ("done", "stale")
    assert desk.profile() == {"role": "Dated"}


def test_a_message_with_another_field_list_sends_its_fields(desk):
    desk.send(minute=1, Title="CTO", Plan__c="pro")
    desk.deliver()
    desk.send(minute=2, version="00000000", Title="CEO")
    desk.deliver()
    assert desk.profile() == {"role": "CEO", "plan": "pro"}


def test_what_comes_from_the_api_has_types_of_its_own_which_are_the_attributes_in_the_end(desk):
    desk.send(
        complete=True,
        origin="backfill",
        SystemModstamp="2026-06-01T08:00:00.000+0000",
        Title="CTO",
        Plan__c=None,
        Birthdate="1990-02-28",
        Seats__c=12.5,
        Vip__c=False,
    )
    desk.deliver()
    assert desk.profile() == {"role": "CTO", "born": "1990-02-28", "seats": 12.5, "vip": False}


def test_two_hundred_profiles_go_in_one_claim(desk):
    for number in range(200):
        desk.send(f"u{number}", record=f"003{number}", Title=f"T{number}", minute=number)
    states = desk.deliver()
    assert set(states.values()) == {("done", "")}
    assert len(desk.bodies()) == 200
    (row,) = desk.inbox.latest([delivered_state.name("user:u7")]).values()
    assert row.stamp == at(7).replace("000Z", "000000Z")


def test_each_request_is_logged_with_the_names_of_its_attributes(desk):
    desk.send(Title="Chief of Secrets", Plan__c="pro")
    desk.deliver()
    (entry,) = desk.inbox.page(Filter())
    (attempt,) = desk.inbox.find(entry.id).history
    assert attempt.writes == (AttemptedWrite("set", "user profile", ("role", "plan"), "ok"),)
    assert [entry.message_id for entry in desk.inbox.page(Filter(record="003A"))] == ["m1"]


def test_a_refusal_is_logged_without_the_values_that_it_quotes(desk):
    body = b'{"title": "Bad", "detail": "role Chief of Secrets is odd"}'
    with answering(lambda _: (400, {}, body)) as appcues:
        desk.url = appcues.url
        desk.send(Title="Chief of Secrets")
        assert desk.deliver() == {"m1": ("parked", "appcues_refused")}
        desk.restart()
    (entry,) = desk.inbox.page(Filter())
    (attempt,) = desk.inbox.find(entry.id).history
    text = "400 Bad - role … is odd"
    assert [(write.status, write.text) for write in attempt.writes] == [("400", text)]
    assert entry.detail == attempt.detail == text


def test_records_wait_for_a_pause_of_a_former_name(desk):
    desk.project = project({"person": CONTACT, "account": ACCOUNT})
    desk.restart()
    desk.write(lambda writer: asyncio.sleep(0, writer._pauses.use_names({"contact": "person"})))
    desk.write(lambda writer: asyncio.sleep(0, writer._pauses.replace([PAUSE])))
    desk.send(mapping="person", Title="CTO")
    desk.inbox.pause(PAUSE.scope, PAUSE.name, PAUSE.who)
    assert desk.deliver() == {"m1": ("ready", PAUSED)}
    assert desk.profile() == {}


def test_records_of_a_paused_mapping_wait_and_others_are_delivered(desk):
    desk.inbox.pause(PAUSE.scope, PAUSE.name, PAUSE.who)
    desk.write(lambda writer: asyncio.sleep(0, writer._pauses.replace([PAUSE])))
    desk.send(Title="CTO")
    desk.send("acme", mapping="account", record="001A", Industry="Energy")
    assert desk.deliver() == {"m1": ("ready", PAUSED), "m2": ("done", "")}
    assert desk.profile() == {}
    desk.write(lambda writer: asyncio.sleep(0, writer._pauses.replace([])))
    desk.inbox.resume(PAUSE.scope, PAUSE.name, PAUSE.who)
    desk.inbox.wake_resumed()
    assert desk.deliver()["m1"] == ("done", "")
    assert desk.profile() == {"role": "CTO"}
