"""An attribute with a `map`: the sent values, and values that are not listed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sfcode.relay.appcues.null_guard import AT_MOST
from tests.generate.projects import changed
from tests.relay.appcues.desk import CONTACT, Desk, opened

ROLES = {"VP Sales": "sales", "Account Executive": "sales", "CTO": "engineering"}
SEATS = {"1": 10, "2": 20}


def contact(**role: Any) -> dict[str, Any]:
    attributes = {
        "role": {"field": "Title", "map": ROLES, **role},
        "seats": {"field": "Seats__c", "map": SEATS, "default": 0},
    }
    return {"contact": changed(CONTACT, to_appcues={"attributes": attributes})}


@pytest.fixture
def desk(tmp_path: Path, sqlite_inbox_url: str) -> Iterator[Desk]:
    with opened(tmp_path, sqlite_inbox_url, contact()) as desk:
        desk.org.fields = {("Contact", "Seats__c"): "double"}
        yield desk


@pytest.mark.parametrize("title", ["VP Sales", "vp sales", " VP  Sales "])
def test_a_listed_value_is_translated_whatever_its_case_and_spaces(desk, title):
    desk.send(Title=title, Seats__c="2.0")
    assert desk.deliver() == {"m1": ("done", "")}
    assert desk.profile() == {"role": "sales", "seats": 20}


def test_another_value_is_sent_as_the_default(desk):
    desk.send(Title="CTO", Seats__c="7.0")
    desk.deliver()
    assert desk.profile() == {"role": "engineering", "seats": 0}


def test_without_a_default_another_value_clears_the_attribute(desk):
    desk.send(minute=1, Title="CTO", Seats__c="1.0")
    desk.deliver()
    desk.send(minute=2, Title="Chief Bottle Washer", Seats__c="1.0")
    desk.deliver()
    assert desk.profile() == {"seats": 10}


def test_a_blank_field_is_not_sent_as_the_default(desk):
    desk.send(minute=1, Title="CTO", Seats__c="1.0")
    desk.deliver()
    desk.send(minute=2, Title="CTO")
    desk.deliver()
    assert desk.profile() == {"role": "engineering"}


def test_many_values_that_are_not_listed_do_not_stop_clearing(desk):
    count = AT_MOST + 1
    for number in range(count):
        desk.send(f"u{number}", record=f"003{number}", minute=1, Title="CTO")
    desk.deliver()
    for number in range(count):
        desk.send(f"u{number}", record=f"003{number}", minute=2, Title="Other")
    desk.deliver()
    assert desk.appcues.control("GET", "profiles")["users"].get(f"u{count - 1}", {}) == {}
    assert desk.ears.alarms == []
