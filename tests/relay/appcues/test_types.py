"""An attribute without `type` has the type of its field in the org, and its messages wait until the type is known."""

from __future__ import annotations

from datetime import timedelta

import pytest

from sfcode.relay.appcues import FieldTypeCache
from sfcode.relay.inbox import open_inbox
from sfcode.relay.worker.worker import is_outage
from tests.generate.projects import changed, project
from tests.relay.appcues.appcues_relay import ABSENT, CONTACT, DescribedOrg

SOON = timedelta(seconds=-1)
CUSTOM = changed(
    CONTACT,
    to_appcues={
        "attributes": {
            "role": {"field": "Title"},
            "seats": {"field": "Seats__c"},
            "code": {"field": "Code__c", "type": "string"},
            "due": {"field": "Due__c", "type": "date"},
        }
    },
)
SEATS = ("Contact", "Seats__c")
CODE = ("Contact", "Code__c")


@pytest.fixture
def untyped(relay):
    relay.project = project({"contact": CUSTOM})
    relay.org = DescribedOrg({SEATS: "double", CODE: "double"})
    return relay


@pytest.fixture
def memory(sqlite_inbox_url):
    with open_inbox(sqlite_inbox_url) as inbox:
        yield inbox


def kinds(types):
    return {attribute.name: attribute.kind for attribute in types.mapping_views["contact"].attributes}


@pytest.mark.parametrize(
    ("described", "text", "sent"),
    [
        ("double", "12.0", 12),
        ("int", "12", 12),
        ("long", "12", 12),
        ("currency", "1.39E8", 139_000_000),
        ("percent", "12.5", 12.5),
        ("boolean", "false", False),
        ("date", "2026-03-18", "2026-03-18"),
        ("datetime", "2026-03-18T12:00:00.000+0100", "2026-03-18T11:00:00.000Z"),
        ("picklist", "12.0", "12.0"),
        ("multipicklist", "a;b", "a;b"),
        ("string", "true", "true"),
        ("reference", "001000000000001", "001000000000001"),
        ("time", "12:00:00.000Z", "12:00:00.000Z"),
    ],
)
def test_a_value_has_the_type_of_the_field_in_the_org(untyped, described, text, sent):
    untyped.org.fields[SEATS] = described
    untyped.send(Seats__c=text)
    assert untyped.deliver() == {"m1": ("done", "")}
    assert untyped.profile() == {"seats": sent}
    assert type(untyped.profile()["seats"]) is type(sent)


def test_a_number_that_is_sent_as_text_has_no_decimal_point_once_its_type_is_known(untyped):
    org, untyped.org = untyped.org, None
    untyped.send(minute=1, Code__c="7.0")
    untyped.deliver()
    assert untyped.profile() == {"code": "7.0"}, "a text is wanted, so nothing waits"
    untyped.types.refresh(org)
    untyped.send(minute=2, Code__c="7.0")
    untyped.deliver()
    assert untyped.profile() == {"code": "7"}


def test_only_messages_with_an_unknown_field_type_wait(untyped):
    org, untyped.org = untyped.org, None
    untyped.send("u1", minute=1, Title="CTO", Seats__c="12.0")
    untyped.send("u1", minute=2, Title="CFO", Seats__c="13.0")
    untyped.send("u2", record="003B", Title="CTO", Seats__c=ABSENT, Due__c="2026-03-18")
    states = untyped.deliver(SOON)
    assert states["m1"] == ("ready", "type_unknown")
    assert states["m2"] == ("ready", ""), "only the eldest is tried again, and the others behind it"
    assert states["m3"] == ("done", "")
    assert (untyped.profile("u1"), untyped.profile("u2")) == ({}, {"role": "CTO", "due": "2026-03-18"})
    assert untyped.types.missing == {SEATS}
    untyped.types.refresh(org)
    assert untyped.types.missing == frozenset()
    untyped.deliver()
    assert untyped.profile("u1") == {"role": "CFO", "seats": 13}
    assert len(untyped.bodies()) == 2


def test_waiting_for_a_type_backs_off_and_counts_no_attempt(untyped):
    untyped.org = None
    untyped.send(Seats__c="12.0")
    claim = untyped.claim()
    delivery = untyped.write(lambda writer: writer.deliver(claim))
    (end,) = delivery.settlements.values()
    assert (end.error, end.after, end.counts) == ("type_unknown", 1.0, False)
    assert not is_outage(delivery), "messages of other mappings do not wait"


def test_records_that_were_read_from_the_api_wait_as_well(untyped):
    """In records of the API, a date cannot be distinguished from a text."""
    untyped.org = None
    untyped.send(complete=True, origin="backfill", Seats__c=12.0)
    assert untyped.deliver() == {"m1": ("ready", "type_unknown")}


def test_an_empty_field_needs_no_type(untyped):
    untyped.org = DescribedOrg({})
    untyped.appcues.patch("u1", seats=12)
    untyped.send(complete=True, origin="backfill", Title="CTO", Seats__c=None)
    untyped.deliver()
    assert untyped.profile() == {"role": "CTO"}


def test_known_types_survive_a_restart_and_an_outage(untyped):
    untyped.write(_do_nothing)
    untyped.restart()
    untyped.org = None
    untyped.send(Seats__c="12.0")
    untyped.deliver()
    assert untyped.profile() == {"seats": 12}


def test_a_hidden_field_keeps_its_type_and_a_changed_one_gets_the_new_type(memory):
    types = FieldTypeCache(project({"contact": CUSTOM}), memory)
    types.refresh(DescribedOrg({SEATS: "double"}))
    types.refresh(DescribedOrg({}))
    assert kinds(types)["seats"] == "number"
    types.refresh(DescribedOrg({SEATS: "boolean"}))
    assert kinds(types)["seats"] == "boolean"
    second_cache = FieldTypeCache(project({"contact": CUSTOM}), memory)
    second_cache.load()
    assert kinds(second_cache) == {"role": "string", "seats": "boolean", "code": "string", "due": "date"}


def test_a_new_field_of_a_mapping_waits_only_for_its_own_type(memory):
    FieldTypeCache(project({"contact": CUSTOM}), memory).refresh(DescribedOrg({SEATS: "double"}))
    more = changed(CUSTOM, attributes__in__to_appcues={"seats": {"field": "Seats__c"}, "vip": {"field": "Vip__c"}})
    types = FieldTypeCache(project({"contact": more}), memory)
    types.load()
    assert kinds(types) == {"seats": "number", "vip": None}


def test_only_objects_with_unknown_field_types_are_requested(memory):
    org = DescribedOrg({SEATS: "double"})
    types = FieldTypeCache(project({"contact": CUSTOM, "account": {**CUSTOM, "object": "Account"}}), memory)
    types.refresh(org)
    assert org.asked == [{"Account", "Contact"}]
    mapping = changed(
        CONTACT, to_appcues={"attributes": {"role": {"field": "Title"}, "due": {"field": "D__c", "type": "date"}}}
    )
    assert not FieldTypeCache(project({"contact": mapping}), memory).needs_org


async def _do_nothing(_writer):
    """Do nothing."""
