"""An attribute with a `map`: the sent values, and values that are not listed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sfcode.relay.appcues.null_guard import AT_MOST
from tests.generate.projects import changed
from tests.relay.appcues.appcues_relay import CONTACT, AppcuesRelay, opened

ROLES = {"VP Sales": "sales", "Account Executive": "sales", "CTO": "engineering"}
SEATS = {"1": 10, "2": 20}


def contact(**role: Any) -> dict[str, Any]:
    attributes = {
        "role": {"field": "Title", "map": ROLES, **role},
        "seats": {"field": "Seats__c", "map": SEATS, "default": 0},
    }
    return {"contact": changed(CONTACT, to_appcues={"attributes": attributes})}


@pytest.fixture
def relay(tmp_path: Path, sqlite_inbox_url: str) -> Iterator[AppcuesRelay]:
    with opened(tmp_path, sqlite_inbox_url, contact()) as relay:
        relay.org.fields = {("Contact", "Seats__c"): "double"}
        yield relay


@pytest.mark.parametrize("title", ["VP Sales", "vp sales", " VP  Sales "])
def test_a_listed_value_is_translated_whatever_its_case_and_spaces(relay, title):
    relay.send(Title=title, Seats__c="2.0")
    assert relay.deliver() == {"m1": ("done", "")}
    assert relay.profile() == {"role": "sales", "seats": 20}


def test_another_value_is_sent_as_the_default(relay):
    relay.send(Title="CTO", Seats__c="7.0")
    relay.deliver()
    assert relay.profile() == {"role": "engineering", "seats": 0}


def test_without_a_default_another_value_clears_the_attribute(relay):
    relay.send(minute=1, Title="CTO", Seats__c="1.0")
    relay.deliver()
    relay.send(minute=2, Title="Chief Bottle Washer", Seats__c="1.0")
    relay.deliver()
    assert relay.profile() == {"seats": 10}


def test_a_blank_field_is_not_sent_as_the_default(relay):
    relay.send(minute=1, Title="CTO", Seats__c="1.0")
    relay.deliver()
    relay.send(minute=2, Title="CTO")
    relay.deliver()
    assert relay.profile() == {"role": "engineering"}


def test_many_values_that_are_not_listed_do_not_stop_clearing(relay):
    count = AT_MOST + 1
    for number in range(count):
        relay.send(f"u{number}", record=f"003{number}", minute=1, Title="CTO")
    relay.deliver()
    for number in range(count):
        relay.send(f"u{number}", record=f"003{number}", minute=2, Title="Other")
    relay.deliver()
    assert relay.appcues.control("GET", "profiles")["users"].get(f"u{count - 1}", {}) == {}
    assert relay.recorder.alarms == []
